"""A6 to A8 and L8: time, where links are slow.

A6 to A8 (Jiang and Agrawal 2020): 8 agents in network namespaces of their own, each with a shaped link; a network
784-128-10 (407 kB in float32, both ways), minibatches of 16. The claims are about rho, the time of an averaging over
that of a step, where every step is averaged. So a short run first measures an averaging on this machine; local steps
then take as long as the wanted rho asks for (the real gradient, then a rest), and the rho of the run itself is told.
L8 (Gupta et al. 2021): 10 agents on this machine, every message 50 ms late, each way.
"""
import cluster
from lab import row
from rows import localnewton
from rows.mnist import small_train

ADPSGD = 'Jiang and Agrawal 2020'
AGENTS, STEP_SECONDS, ITERATIONS = 8, 0.08, 300
SETTINGS = {
    'problem/kind': 'mlp', 'problem/hidden': '128', 'run/start': 'random', 'solver/kind': 'sgd', 'solver/step': 0.1,
    'solver/momentum': 0.9, 'solver/batch': 16, 'run/iterations': ITERATIONS, 'run/rounds': 0, 'policy/evaluate': 0,
    'encoding/up': 'f32', 'encoding/down': 'f32',
}
EVERY_STEP = {'policy/kind': 'fixed', 'policy/local-steps': 1}
ADAPTIVE = {'policy/kind': 'adaptive-period'}


def averaging_seconds(lab, hosts, data):
    """Of one averaging, measured."""
    run = hosts.run(lab, {**SETTINGS, **EVERY_STEP, 'run/iterations': 40}, data, step_seconds=STEP_SECONDS)
    return run.seconds / 40 - STEP_SECONDS


def speed_up(lab, mbit, rho, low, high):
    """Time of averaging every step over that of the adaptive period, for the same iterations."""
    data = small_train(lab)
    with cluster.links(AGENTS, mbit) as hosts:
        step = averaging_seconds(lab, hosts, data) / rho
        full = hosts.run(lab, {**SETTINGS, **EVERY_STEP}, data, step_seconds=step)
        ours = hosts.run(lab, SETTINGS, data, method=ADAPTIVE, plain=EVERY_STEP, step_seconds=step)
    rho = full.seconds / (ITERATIONS * step) - 1
    period = ITERATIONS / len(ours.rounds)
    measured, expected = full.seconds / ours.seconds, (1 + rho) / (1 + rho / period)
    return lab.verdict(abs(measured / expected - 1) <= 0.1 and low <= measured <= high,
                       f'{measured:.2f} x at rho {rho:.2f} (mean L {period:.1f}: expected {expected:.2f} x); '
                       f'{full.seconds:.1f} s and {ours.seconds:.1f} s, steps of {1000 * step:.0f} ms, {mbit} Mbit/s')


@row('A6', 'faster than averaging every step on a fast link (rho 0.16 to 0.32)',
     'within 10 % of (1 + rho) / (1 + rho / L), and 1.10 to 1.35 x', ADPSGD, seeds=1, is_timed=True)
def a6(lab):
    return speed_up(lab, 340, 0.24, 1.10, 1.35)


@row('A7', 'and more so on a slow one (rho 0.56 to 1.26)',
     'within 10 % of (1 + rho) / (1 + rho / L), and 1.40 to 2.05 x', ADPSGD, seeds=1, is_timed=True)
def a7(lab):
    return speed_up(lab, 90, 0.9, 1.40, 2.05)


def seconds_to(run, loss):
    return next((seconds for seconds, value in zip(run.column('seconds'), run.losses[1:]) if value <= loss), float('inf'))


@row('A8', 'sooner at a loss of 0.05 than 8-bit quantised averaging of every step, at rho 0.9',
     'less time', ADPSGD, seeds=1, is_timed=True)
def a8(lab):
    data = small_train(lab)
    settings = {**SETTINGS, 'run/iterations': 2000, 'solver/step': 0.2, 'solver/decay-at': '1000,1500', 'stop/loss': 0.05}
    quantised = {**settings, **EVERY_STEP, 'encoding/up': 'q8', 'policy/evaluate': 25}
    rho = 0.9
    with cluster.links(AGENTS, 90) as hosts:
        step = averaging_seconds(lab, hosts, data) / rho
        ours = hosts.run(lab, {**settings, 'policy/evaluate': 4}, data, method=ADAPTIVE,
                         plain={**EVERY_STEP, 'policy/evaluate': 25}, step_seconds=step)
        theirs = hosts.run(lab, quantised, data, step_seconds=step)
    times = seconds_to(ours, 0.05), seconds_to(theirs, 0.05)
    return lab.verdict(times[0] < times[1], f'{times[0]:.1f} s, quantised {times[1]:.1f} s; steps of {1000 * step:.0f} ms, unquantised rho {rho:.2f}')


DELAY, TARGET, NEWTON_AGENTS = 0.05, 0.19, 10
RIVALS = {
    'GIANT': [localnewton.giant('halves'), localnewton.giant('quarters')],
    'BFGS': [localnewton.bfgs(100), localnewton.bfgs(1)],
    'local SGD': [localnewton.local_sgd('w8a', NEWTON_AGENTS)],
}


def newton_seconds(lab, hosts, settings, **more):
    """Until the loss is there; infinite if it is not after 40 rounds."""
    settings = {**localnewton.SETTINGS, **settings, 'run/rounds': 40, 'stop/loss': TARGET,
                'policy/max-local-steps': 10000}
    run = hosts.run(lab, settings, lab.data('w8a.libsvm.xz'), **more)
    return run.seconds if run.final_loss <= TARGET else float('inf')


@row('L8', 'with 50 ms a message, the loss is there in less than 40 % of the time of the best rival (w8a, 10 agents, 0.19)',
     '<= 40 %', localnewton.PAPER, seeds=1, is_timed=True)
def l8(lab):
    measured = []
    for delay in (DELAY, 0.0):
        hosts = cluster.delayed(NEWTON_AGENTS, delay)
        ours = newton_seconds(lab, hosts, {}, method=localnewton.ADAPTIVE, plain=RIVALS['local SGD'][0])
        times = {name: min(newton_seconds(lab, hosts, settings) for settings in tried) for name, tried in RIVALS.items()}
        measured.append((ours, times))
    (ours, times), (bare, bare_times) = measured
    best = min(times.values())
    words = ', '.join(f'{name} {seconds:.2f} s' for name, seconds in times.items())
    return lab.verdict(ours <= 0.4 * best, f'{100 * ours / best:.0f} %: {ours:.2f} s; {words}; without delay '
                       f'{bare:.2f} s and {min(bare_times.values()):.2f} s')
