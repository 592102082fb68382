"""D1 to D6: dynamic averaging (Theologitis et al. 2025, FDA, arXiv 2405.20988).

A network 784-32-10 on 8,000 images of MNIST, 8 agents, local Adam, minibatches of 32. A run ends
at a training loss of 0.18, where 92 % of the test images are told: steps and bytes are those to
get there. Looked at after every local step.
"""
import math
import re

from lab import mean, row
from rows.mnist import small_test, small_train, sorted_train

PAPER = 'Theologitis et al. 2025'
TARGET = 0.18
SETTINGS = {
    'problem/kind': 'mlp', 'problem/hidden': '32', 'run/start': 'random', 'solver/kind': 'adam', 'solver/step': 0.002,
    'solver/batch': 32, 'run/rounds': 0, 'run/iterations': 3000, 'stop/loss': TARGET, 'encoding/up': 'f32',
    'encoding/down': 'f32',
}
SYNC = {'policy/kind': 'fixed', 'policy/local-steps': 1, 'policy/evaluate': 10}


def dynamic(theta, monitor='linear'):
    return {'policy/kind': 'dynamic', 'policy/threshold': theta, 'policy/monitor': monitor}


def train(lab, method, plain=None, is_sorted=False):
    """A run for each seed; plain stands for the method under --sabotage."""
    data = {'data': sorted_train(lab) if is_sorted else small_train(lab), 'test': small_test(lab), 'agents': 8}
    more = {'data/shuffle': 'false'} if is_sorted else {}
    return lab.runs({**data, 'settings': {**SETTINGS, 'run/seed': seed, **more}, 'method': method,
                     'plain': plain or method} for seed in lab.seeds)


def worst(ours, theirs, what):
    """Largest ratio of a figure over the seeds."""
    return max(getattr(a, what) / getattr(b, what) for a, b in zip(ours, theirs))


def averagings(runs):
    return mean(len(run.rounds) for run in runs)


@row('D1', 'dynamic averaging sends orders of magnitude less than averaging every step',
     'bytes <= 1/10 and steps <= 1.5 x', PAPER, quick=1)
def d1(lab):
    sync = train(lab, SYNC)
    ours = {monitor: train(lab, dynamic(1, monitor), SYNC) for monitor in ('linear', 'sketch')}
    lab.figure('D-bytes', 'Dynamic averaging, Theta = 1: training loss on the way to 0.18',
               {'every step': sync[0], **{monitor: runs[0] for monitor, runs in ours.items()}},
               axes=('rounds', 'iterations', 'bytes', 'seconds'))
    size = {monitor: worst(runs, sync, 'bytes') for monitor, runs in ours.items()}
    steps = max(worst(runs, sync, 'iterations') for runs in ours.values())
    return lab.verdict(max(size.values()) <= 0.1 and steps <= 1.5,
                       f'bytes 1/{1 / size["linear"]:.0f} linear, 1/{1 / size["sketch"]:.0f} sketch; steps {steps:.2f} x; '
                       f'accuracy {100 * mean(r.accuracy for r in ours["linear"]):.1f} %')


def ratios(runs, monitor):
    """Estimate over true variance at each averaging, as the server explains it in the next round."""
    said = re.compile(rf'{monitor} said ([-+.e0-9]+) of S ([-+.e0-9]+)')
    found = (said.search(entry['reason']) for run in runs for entry in run.rounds)
    return [float(match[1]) / float(match[2]) for match in found if match]


@row('D2', 'no variance passes Theta unseen: estimates are not below it, at each averaging',
     'linear never; sketch in <= 10 %, mean ratio 0.99 to 1.05, each within 2 standard errors', PAPER, quick=1)
def d2(lab):
    """A sketch of 5 rows of 250 with eps = 1/sqrt(250) is below in 9.3 % of cases if its rows are Gaussian: three of five
    have to be more than 0.71 standard deviations off. Its hash is drawn once a run, so a run's averagings err together:
    seeds 11 to 18 give 3.5, 5.1, 5.7, 6.0, 8.7, 9.3, 12.3 and 21.8 % (8.9 % of all 640) and mean ratios of 1.005 to 1.055.
    Three seeds alone pass 10 % about two times in five, whatever the code is; so a standard error is granted, of a
    scatter of 6 points and of 0.016. Without eps it would be 50 %."""
    error = 1 / math.sqrt(len(lab.seeds))
    linear = ratios(train(lab, dynamic(0.25), SYNC), 'linear')
    sketch = ratios(train(lab, dynamic(0.25, 'sketch'), SYNC), 'sketch')
    if not linear or not sketch:
        return lab.verdict(False, 'nothing was watched')
    below = mean(ratio < 1 - 1e-4 for ratio in sketch)
    return lab.verdict(min(linear) >= 1 - 1e-4 and below <= 0.1 + 2 * 0.06 * error
                       and abs(mean(sketch) - 1.02) <= 0.03 + 2 * 0.016 * error,
                       f'linear {min(linear):.3f} to {max(linear):.2f}; sketch below in {100 * below:.1f} % of '
                       f'{len(sketch)}, mean ratio {mean(sketch):.3f}')


@row('D3', 'a larger Theta averages less often', 'Theta .25, 1, 4: strictly fewer', PAPER)
def d3(lab):
    counts = [averagings(train(lab, dynamic(theta), SYNC)) for theta in (0.25, 1, 4)]
    return lab.verdict(counts[0] > counts[1] > counts[2], 'averagings ' + ' / '.join(f'{n:.0f}' for n in counts))


@row('D4', 'it stands shards of which 60 % are sorted by label', 'steps <= 1.6 x of even shards, bytes <= 1/10 of '
     'every step', PAPER)
def d4(lab):
    """Narrow: the steps were 1.54 x with seed 11 and 1.34, 1.42, 1.59 and 1.34 x with seeds 21 to 24."""
    even, uneven = train(lab, dynamic(1), SYNC), train(lab, dynamic(1), SYNC, is_sorted=True)
    sync = train(lab, SYNC, is_sorted=True)
    steps, size = worst(uneven, even, 'iterations'), worst(uneven, sync, 'bytes')
    return lab.verdict(steps <= 1.6 and size <= 0.1, f'steps {steps:.2f} x, bytes 1/{1 / size:.0f}')


@row('D5', 'the sketch averages no more often than the linear monitor', 'Theta 1 and 4', PAPER)
def d5(lab):
    pairs = [(averagings(train(lab, dynamic(theta, 'sketch'), dynamic(theta, 'naive'))),
              averagings(train(lab, dynamic(theta)))) for theta in (1, 4)]
    size = worst(train(lab, dynamic(1, 'sketch'), dynamic(1, 'naive')), train(lab, dynamic(1)), 'bytes')
    return lab.verdict(all(sketch <= linear for sketch, linear in pairs),
                       '; '.join(f'{sketch:.1f} against {linear:.1f}' for sketch, linear in pairs) +
                       f'; bytes {size:.2f} x at 25,450 coordinates')


@row('D6', 'a Theta that is learnt needs no search', 'reaches the target, bytes <= 1.5 x of the best of .25, 1, 4', PAPER)
def d6(lab):
    ours = train(lab, dynamic(0), SYNC)
    best = min(mean(r.bytes for r in train(lab, dynamic(theta))) for theta in (0.25, 1, 4))
    ratio = max(r.bytes for r in ours) / best
    return lab.verdict(ratio <= 1.5 and all(r.final_loss <= TARGET for r in ours),
                       f'bytes {ratio:.2f} x, {averagings(ours):.0f} averagings, loss {max(r.final_loss for r in ours):.3f}')
