"""A6 to A8 and L8: time, where links are slow.

A6 to A8 (Jiang and Agrawal 2020): 8 agents in network namespaces of their own, each with a shaped link; a network
784-128-10 (407 kB in float32, both ways), minibatches of 16. The claims are about rho, the time of an averaging over
that of a step, where every step is averaged. So a short run first measures an averaging on this machine; local steps
then take as long as the wanted rho asks for (the real gradient, then a rest), and the rho of the runs themselves is told.
L8 (Gupta et al. 2021): 10 agents on this machine, every message 50 ms late, each way.

Each figure is a median over the seeds (five), followed by the least and the largest; the methods take turns, seed by
seed, so that what else the machine does meets all of them. A ratio is that of two runs that followed each other.
Nothing else should run on the machine: where an averaging takes four times as long as its link, or rho leaves the claim's
range, A6 to A8 are skipped, and so they are without root.
"""
import cluster
from lab import Skipped, median, row
from rows import localnewton
from rows.mnist import small_train

ADPSGD = 'Jiang and Agrawal 2020'
AGENTS, ITERATIONS, SEEDS = 8, 150, 5
SETTINGS = {
    'problem/kind': 'mlp', 'problem/hidden': '128', 'run/start': 'random', 'solver/kind': 'sgd', 'solver/step': 0.1,
    'solver/momentum': 0.9, 'solver/batch': 16, 'run/iterations': ITERATIONS, 'run/rounds': 0, 'policy/evaluate': 0,
    'encoding/up': 'f32', 'encoding/down': 'f32',
}
EVERY_STEP = {'policy/kind': 'fixed', 'policy/local-steps': 1}
ADAPTIVE = {'policy/kind': 'adaptive-period'}
MEASURED = 40   # averagings that show how long one takes
MEGABITS = 2 * 8 * 0.407   # of an averaging, on each link
BUSY = 4        # times as long as the link alone: another would not measure the link


def spread(values, digits=2, unit=''):
    """Median (least to largest)."""
    return f'{median(values):.{digits}f}{unit} ({min(values):.{digits}f} to {max(values):.{digits}f})'


def averaging_seconds(lab, hosts, data, step):
    """Of one averaging of every step, the steps taking so long."""
    run = hosts.run(lab, {**SETTINGS, **EVERY_STEP, 'run/iterations': MEASURED}, data, step_seconds=step)
    ends = run.column('seconds')
    return median(b - a for a, b in zip(ends, ends[1:])) - step


def step_seconds(lab, hosts, data, mbit, rho):
    """Of a local step, so that an averaging takes rho times as long."""
    averaging = averaging_seconds(lab, hosts, data, 0.08)
    if averaging > BUSY * MEGABITS / mbit:
        raise Skipped(f'an averaging takes {1000 * averaging:.0f} ms, of which the link takes {1000 * MEGABITS / mbit:.0f}: '
                      'the machine is too busy or too slow to measure links')
    return averaging / rho


def speed_up(lab, mbit, rho, allowed, low, high):
    """Time of averaging every step over that of the adaptive period, for the same iterations. The claim is about a rho
    within `allowed`: where the machine's load changed so much that it was not, nothing is claimed."""
    data, rhos, periods, times, gains, expected = small_train(lab), [], [], [], [], []
    with cluster.links(AGENTS, mbit) as hosts:
        step = step_seconds(lab, hosts, data, mbit, rho)
        for seed in lab.seeds:
            settings = {**SETTINGS, 'run/seed': seed}
            full = hosts.run(lab, {**settings, **EVERY_STEP}, data, step_seconds=step)
            ours = hosts.run(lab, settings, data, method=ADAPTIVE, plain=EVERY_STEP, step_seconds=step)
            rhos.append(full.seconds / (ITERATIONS * step) - 1)
            periods.append(ITERATIONS / len(ours.rounds))
            times.append((full.seconds, ours.seconds))
            gains.append(full.seconds / ours.seconds)
            expected.append((1 + rhos[-1]) / (1 + rhos[-1] / periods[-1]))
    off = median(a / b for a, b in zip(gains, expected)) - 1
    full, ours = zip(*times)
    measured = (f'{spread(gains)} x at rho {spread(rhos)}, mean L {median(periods):.1f}: {100 * off:+.0f} % of the '
                f'{median(expected):.2f} x expected; {spread(full, 1)} s and {spread(ours, 1)} s, steps of '
                f'{1000 * step:.0f} ms, {mbit} Mbit/s')
    if not allowed[0] <= median(rhos) <= allowed[1]:
        raise Skipped(f'the machine was busy, rho is not {allowed[0]} to {allowed[1]}: {measured}')
    return lab.verdict(abs(off) <= 0.1 and low <= median(gains) <= high, measured)


@row('A6', 'faster than averaging every step on a fast link (rho 0.16 to 0.32)',
     'within 10 % of (1 + rho) / (1 + rho / L), and 1.10 to 1.35 x', ADPSGD, seeds=SEEDS, is_timed=True)
def a6(lab):
    return speed_up(lab, 340, 0.24, (0.16, 0.32), 1.10, 1.35)


@row('A7', 'and more so on a slow one (rho 0.56 to 1.26)',
     'within 10 % of (1 + rho) / (1 + rho / L), and 1.40 to 2.05 x', ADPSGD, seeds=SEEDS, is_timed=True)
def a7(lab):
    return speed_up(lab, 90, 0.9, (0.56, 1.26), 1.40, 2.05)


def seconds_to(run, loss):
    """Until a model of this loss is committed; infinite if never. It is known a round later."""
    return next((seconds for seconds, value in zip(run.column('seconds'), run.losses[1:]) if value <= loss), float('inf'))


@row('A8', 'sooner at a loss of 0.05 than 8-bit quantised averaging of every step, at rho 0.9',
     'less time', ADPSGD, seeds=SEEDS, is_timed=True)
def a8(lab):
    data, times, rhos = small_train(lab), [], []
    settings = {**SETTINGS, 'run/iterations': 2000, 'solver/step': 0.2, 'solver/decay-at': '1000,1500', 'stop/loss': 0.05}
    quantised = {**settings, **EVERY_STEP, 'encoding/up': 'q8', 'policy/evaluate': 25}
    with cluster.links(AGENTS, 180) as hosts:
        step = step_seconds(lab, hosts, data, 180, 0.9)
        for seed in lab.seeds:
            ours = hosts.run(lab, {**settings, 'policy/evaluate': 4, 'run/seed': seed}, data, method=ADAPTIVE,
                             plain={**EVERY_STEP, 'policy/evaluate': 25}, step_seconds=step)
            theirs = hosts.run(lab, {**quantised, 'run/seed': seed}, data, step_seconds=step)
            times.append((seconds_to(ours, 0.05), seconds_to(theirs, 0.05)))
            lab.figure('A8-time', 'ADPSGD and 8-bit quantised averaging of every step, 180 Mbit/s, on the way to 0.05',
                       {'adaptive': ours, 'every step, 8 bits up': theirs})
            rhos.append(averaging_seconds(lab, hosts, data, step) / step)
    ours, theirs = zip(*times)
    return lab.verdict(median(ours) < median(theirs),
                       f'{spread(ours, 1)} s, quantised {spread(theirs, 1)} s; steps of {1000 * step:.0f} ms, '
                       f'180 Mbit/s, rho without quantising {spread(rhos)}')


DELAY, TARGET, NEWTON_AGENTS = 0.05, 0.19, 10


def rivals(lab):
    """{name: settings}: GIANT and BFGS with either of two line searches."""
    return {'GIANT by 1/2': localnewton.giant('halves'), 'GIANT by 1/4': localnewton.giant('quarters'),
            'BFGS from 100': localnewton.bfgs(100), 'BFGS from 1': localnewton.bfgs(1),
            'local SGD': localnewton.local_sgd(lab, 'w8a', NEWTON_AGENTS)}


def newton_run(lab, hosts, settings, **more):
    """Until the loss is there, or for 40 rounds."""
    settings = {**localnewton.SETTINGS, **settings, 'run/rounds': 40, 'stop/loss': TARGET}
    return hosts.run(lab, settings, lab.data('w8a.libsvm.xz'), **more)


def newton_race(lab, delay):
    """Seconds of each seed: ours, and {rival: its}; infinite where the loss was not met."""
    hosts, against = cluster.delayed(NEWTON_AGENTS, delay), rivals(lab)
    times = {name: [] for name in ('adaptive', *against)}
    for seed in lab.seeds:
        curves = {'adaptive': newton_run(lab, hosts, {'run/seed': seed}, method=localnewton.ADAPTIVE,
                                         plain=against['local SGD'])}
        for name, settings in against.items():
            curves[name] = newton_run(lab, hosts, {**settings, 'run/seed': seed})
        for name, run in curves.items():
            times[name].append(seconds_to(run, TARGET))
    lab.figure(f'L8-{1000 * delay:.0f}', f'LocalNewton and its rivals on w8a, 10 agents, {1000 * delay:.0f} ms a message',
               curves, axes=('seconds', 'rounds', 'bytes'), cost=localnewton.cost)
    return times.pop('adaptive'), times


@row('L8', 'with 50 ms a message, the loss is there in less than 40 % of the time of the best rival (w8a, 10 agents, 0.19)',
     '<= 40 %', localnewton.PAPER, seeds=SEEDS, is_timed=True)
def l8(lab):
    ours, times = newton_race(lab, DELAY)
    best = min(times, key=lambda name: median(times[name]))
    shares = [100 * a / b for a, b in zip(ours, times[best])]
    bare, bare_times = newton_race(lab, 0.0)
    words = ', '.join(f'{name} {spread(seconds)} s' for name, seconds in times.items())
    return lab.verdict(median(shares) <= 40, f'{spread(shares, 0)} % of {best}: {spread(ours)} s; {words}; without delay '
                       f'{spread(bare)} s, best rival {spread(min(bare_times.values(), key=median))} s')
