"""A1 to A5: adaptive periodic averaging (Jiang and Agrawal 2020, arXiv 2007.06134).

A network 784-32-10 on 8,000 images of MNIST, 8 agents, minibatches of 16, 2,000 iterations,
momentum 0.9, step size 0.2 that falls tenfold at 50 % and at 75 %.
"""
from lab import mean, row
from rows.mnist import small_test, small_train

PAPER = 'Jiang and Agrawal 2020'
ITERATIONS, SAMPLED, STEP, DROPS = 2000, 500, 0.2, (1000, 1500)
SETTINGS = {
    'problem/kind': 'mlp', 'problem/hidden': '32', 'run/start': 'random', 'solver/kind': 'sgd', 'solver/step': STEP,
    'solver/momentum': 0.9, 'solver/batch': 16, 'solver/decay-at': '1000,1500', 'run/iterations': ITERATIONS,
    'run/rounds': 0, 'policy/evaluate': 0,
}
ADAPTIVE = {'policy/kind': 'adaptive-period'}


def fixed(period):
    return {'policy/kind': 'fixed', 'policy/local-steps': period}


def train(lab, method, plain=None, **more):
    """A run for each seed; plain stands for the method under --sabotage."""
    return lab.runs({'settings': {**SETTINGS, 'run/seed': seed, **more}, 'agents': 8, 'data': small_train(lab),
                     'test': small_test(lab), 'method': method, 'plain': plain or method} for seed in lab.seeds)


def adaptive(lab):
    return train(lab, ADAPTIVE, fixed(8))


def phases(run):
    """Mean period of each phase of the step size."""
    parts, k = [[], [], []], 0
    for steps in map(int, run.column('local_steps')):
        k += steps
        parts[sum(k > drop for drop in DROPS)].append(steps)
    return [mean(part) for part in parts]


def held(run, until):
    """Share of the rounds from SAMPLED on, to `until`, with S / (gamma C2) in [0.5, 1.6]."""
    k, rounds = 0, []
    for steps, variance in zip(run.column('local_steps'), run.column('variance')):
        k += int(steps)
        rounds.append((k, variance))
    target = mean(s / STEP for k, s in rounds if k < SAMPLED)
    return mean(0.5 <= s / (STEP * target) <= 1.6 for k, s in rounds if SAMPLED <= k <= until)


def draw_losses(lab):
    """The loss on the way, of the first seed; evaluated about as often in each."""
    methods = {'adaptive': (ADAPTIVE, 4), 'fixed 7': (fixed(7), 4), 'every step': (fixed(1), 28),
               'every step, 8 bits up': ({**fixed(1), 'encoding/up': 'q8'}, 28)}
    runs = lab.runs({'settings': {**SETTINGS, 'encoding/up': 'f32', 'encoding/down': 'f32', 'run/seed': lab.first_seed, **method,
                                  'policy/evaluate': rounds}, 'agents': 8, 'data': small_train(lab)}
                    for method, rounds in methods.values())
    lab.figure('A-loss', 'ADPSGD: training loss, 8 agents on this machine', dict(zip(methods, runs)))


@row('A1', 'ADPSGD has a lower training loss than a fixed period at no more traffic',
     'loss <= 0.75 of L = 7, averagings no more', PAPER, seeds=5, quick=2)
def a1(lab):
    ours, fixed7 = adaptive(lab), train(lab, fixed(7))
    lab.figure('A-period', 'ADPSGD: period and model variance, step size 0.2, 0.02 and 0.002',
               {'adaptive': ours[0], 'fixed 7': fixed7[0]}, columns=('local_steps', 'variance'), axes=('iterations',))
    ratio = mean(r.final_loss for r in ours) / mean(r.final_loss for r in fixed7)
    syncs = mean(len(r.rounds) for r in ours), mean(len(r.rounds) for r in fixed7)
    return lab.verdict(ratio <= 0.75 and syncs[0] <= syncs[1],
                       f'loss {ratio:.2f} of L = 7 with {syncs[0]:.0f} averagings, not {syncs[1]:.0f}')


@row('A2', 'test accuracy is not worse than that of period 8', 'at least -0.2 points', PAPER, seeds=5, quick=2,
     is_method=False)
def a2(lab):
    gain = mean(r.accuracy for r in adaptive(lab)) - mean(r.accuracy for r in train(lab, fixed(8)))
    return lab.verdict(gain >= -0.002, f'{100 * gain:+.2f} points')


@row('A3', 'the period grows as the step size falls', 'second phase >= 3 x first, third > second', PAPER, seeds=5, quick=2)
def a3(lab):
    first, second, third = (mean(part) for part in zip(*map(phases, adaptive(lab))))
    return lab.verdict(second >= 3 * first and third > second, f'mean L {first:.1f} / {second:.1f} / {third:.1f}')


@row('A4', 'the controller holds S / (gamma C2) at a constant step size', '>= 80 % of rounds in [0.5, 1.6], L >= 1', PAPER,
     seeds=5, quick=1)
def a4(lab):
    runs = train(lab, ADAPTIVE, fixed(4), **{'solver/decay-at': ''})
    steady = mean(held(run, ITERATIONS) for run in runs)
    shortest = min(min(run.column('local_steps')) for run in runs)
    return lab.verdict(steady >= 0.8 and shortest >= 1, f'{100 * steady:.0f} % of rounds, shortest L {shortest:.0f}')


@row('A5', 'half of the traffic of QSGD with 8 bits', 'values sent up <= 0.6 of QSGD, both trained', PAPER, seeds=3,
     is_method=True)
def a5(lab):
    """What goes up is counted: down, QSGD would have to quantise too, and the ratio would be the same."""
    draw_losses(lab)
    ours = train(lab, ADAPTIVE, fixed(1), **{'encoding/up': 'f32', 'encoding/down': 'f32'})
    qsgd = train(lab, fixed(1), **{'encoding/up': 'q8', 'encoding/down': 'f32'})
    ratio = mean(r.payload_up for r in ours) / mean(r.payload_up for r in qsgd)
    losses = mean(r.final_loss for r in ours), mean(r.final_loss for r in qsgd)
    return lab.verdict(ratio <= 0.6 and max(losses) < 0.1,
                       f'{ratio:.2f} of its bytes; loss {losses[0]:.4f}, QSGD {losses[1]:.4f}')
