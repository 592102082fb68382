"""Data and tables of adpsgd.sh.

split DATA OUT    8,000 of the t10k images for training, 2,000 for the test, as IDX files
table OUT SEEDS   what the runs in OUT did, and the claims
"""
import csv
import gzip
import json
import random
import struct
import sys

ITERATIONS, SAMPLED, STEP, DROPS = 2000, 500, 0.2, (1000, 1500)


def split(data, out):
    images = gzip.open(f'{data}/mnist-t10k-images-idx3-ubyte.gz').read()[16:]
    labels = gzip.open(f'{data}/mnist-t10k-labels-idx1-ubyte.gz').read()[8:]
    order = list(range(10000))
    random.Random(1).shuffle(order)
    for name, rows in (('train', order[:8000]), ('test', order[8000:])):
        with open(f'{out}/{name}-images-idx3-ubyte', 'wb') as file:
            file.write(struct.pack('>4I', 2051, len(rows), 28, 28))
            file.write(b''.join(images[784 * row:784 * (row + 1)] for row in rows))
        with open(f'{out}/{name}-labels-idx1-ubyte', 'wb') as file:
            file.write(struct.pack('>2I', 2049, len(rows)))
            file.write(bytes(labels[row] for row in rows))


def mean(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers)


def read(out, name):
    """The rounds of a run as (k after it, L, S), its final loss and its accuracy."""
    with open(f'{out}/{name}/rounds.csv', encoding='utf-8') as lines:
        rows = list(csv.DictReader(lines))
    rounds, k = [], 0
    for row in rows[:-1]:
        k += int(row['local_steps'])
        rounds.append((k, int(row['local_steps']), float(row['variance'])))
    assert k == ITERATIONS
    with open(f'{out}/{name}/run.json', encoding='utf-8') as text:
        accuracy = json.load(text)['final']['test']['value']
    return rounds, float(rows[-1]['loss']), accuracy


def phases(rounds):
    """Mean period of each phase of the step size."""
    parts = [[], [], []]
    for k, steps, _ in rounds:
        parts[sum(k > drop for drop in DROPS)].append(steps)
    return [mean(part) for part in parts]


def held(rounds, until):
    """Share of the rounds from SAMPLED on, to `until`, with S / (gamma C2) in [0.5, 1.6]."""
    target = mean(s / STEP for k, _, s in rounds if k < SAMPLED)
    return mean(0.5 <= s / (STEP * target) <= 1.6 for k, _, s in rounds if SAMPLED <= k <= until)


def table(out, seeds):
    runs = {kind: [read(out, f'{kind}-{seed}') for seed in range(1, seeds + 1)]
            for kind in ('adaptive', 'fixed7', 'fixed8', 'constant')}
    print(f'{"run":10} {"averagings":>10} {"loss":>8} {"accuracy":>8}   mean L of each phase')
    for kind, results in runs.items():
        periods = ' / '.join(f'{mean(part):.1f}' for part in zip(*(phases(r[0]) for r in results)))
        print(f'{kind:10} {mean(len(r[0]) for r in results):10.1f} {mean(r[1] for r in results):8.4f} '
              f'{mean(r[2] for r in results):8.4f}   {periods}')

    adaptive, fixed7, fixed8, constant = runs.values()
    loss = mean(r[1] for r in adaptive) / mean(r[1] for r in fixed7)
    syncs = mean(len(r[0]) for r in adaptive), mean(len(r[0]) for r in fixed7)
    accuracy = mean(r[2] for r in adaptive) - mean(r[2] for r in fixed8)
    first, second, third = (mean(part) for part in zip(*(phases(r[0]) for r in adaptive)))
    steady = mean(held(r[0], ITERATIONS) for r in constant)
    before = mean(held(r[0], DROPS[0]) for r in adaptive)
    shortest = min(steps for r in adaptive + constant for _, steps, _ in r[0])
    claims = (
        ('A1', loss <= 0.75 and syncs[0] <= syncs[1],
         f'loss {loss:.2f} of fixed L = 7 (at most 0.75) with {syncs[0]:.0f} averagings, not {syncs[1]:.0f}'),
        ('A2', accuracy >= -0.002, f'accuracy {100 * accuracy:+.2f} points against fixed L = 8 (at least -0.2)'),
        ('A3', second >= 3 * first and third > second,
         f'mean L {first:.1f} / {second:.1f} / {third:.1f} as the step size falls (second at least 3 times the first)'),
        ('A4', steady >= 0.8 and shortest >= 1,
         f'S / (gamma C2) in [0.5, 1.6] in {100 * steady:.0f} % of rounds at a constant step size (at least 80), '
         f'{100 * before:.0f} % before the first drop'),
    )
    for name, holds, text in claims:
        print(f'{name} {"holds" if holds else "DOES NOT HOLD"}: {text}')
    return all(holds for _, holds, _ in claims)


if __name__ == '__main__':
    if sys.argv[1] == 'split':
        split(sys.argv[2], sys.argv[3])
    else:
        sys.exit(0 if table(sys.argv[2], int(sys.argv[3])) else 1)
