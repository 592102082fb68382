"""L1 to L7, L9, G1: LocalNewton and GIANT (Gupta et al. 2021; Wang et al. 2018).

Logistic regression with l2 = 1/n from a model of ones, 100 agents (10 in L9). Rounds are counted as the paper counts
them: an iteration of GIANT is three, one of BFGS is one, a local SGD round is one pass over the shard. BFGS is given the
better of two largest steps, GIANT the better of its authors' line search and ours.

L1b compares with numbers read off a figure. The loss after round 1 depends on how the rows are dealt by more than the
band of 0.08: seeds 1 to 5 give .343 .371 .364 .362 .368, rows in the order of the file .532, the paper .44. So it asks
that no loss is more than 0.08 above the figure's, and prints the farthest on either side.
"""
import math
import random

from lab import mean, row

PAPER = 'Gupta et al. 2021'
SETS = ('w8a', 'a9a')
SETTINGS = {'problem/kind': 'logistic', 'problem/l2': '1/n', 'run/start': 'ones'}
ADAPTIVE = {'policy/kind': 'adaptive-l', 'solver/kind': 'newton', 'policy/delta': '1e-2'}
FIGURE = {**ADAPTIVE, 'policy/delta': 'inf'}     # the schedule the paper's figures show: 3, 2, 1, GIANT


def newton(steps):
    return {'policy/kind': 'fixed', 'solver/kind': 'newton', 'policy/local-steps': steps}


def giant(search):
    return {'policy/kind': 'fixed', 'solver/kind': 'giant', 'solver/search': search}


def bfgs(largest):
    return {'policy/kind': 'fixed', 'solver/kind': 'bfgs', 'solver/search-from': largest}


def local_sgd(lab, name, agents):
    """One pass of single rows over the shard a round, step 10/s."""
    rows = lab.lines(f'{name}.libsvm.xz') // agents
    return {'policy/kind': 'fixed', 'solver/kind': 'sgd', 'solver/batch': 1, 'solver/sampling': 'shuffle',
            'policy/local-steps': rows, 'policy/max-local-steps': rows, 'solver/step': round(10 / rows, 6)}


def train(lab, name, method, rounds, agents=100, plain=None, **more):
    """A run for each seed; plain stands for the method under --sabotage."""
    return lab.runs({'settings': {**SETTINGS, 'run/seed': seed, 'run/rounds': rounds, **more}, 'agents': agents,
                     'data': lab.data(f'{name}.libsvm.xz'), 'inline': True, 'method': method, 'plain': plain or method}
                    for seed in lab.seeds)


def cost(exchanges):
    """Rounds that one of so many exchanges is, as the paper counts them: GIANT's has four, the last of a scalar."""
    return 3 if exchanges == 4 else 1


def rounds_to(run, target):
    """Rounds as the paper counts them; infinite if the target is not met."""
    exchanges = [0] + [int(n) for n in run.column('exchanges')]
    costs = [cost(b - a) for a, b in zip(exchanges, exchanges[1:])]
    return next((sum(costs[:i]) for i, loss in enumerate(run.losses) if loss <= target), math.inf)


def optimum(lab, name):
    return lab.optimum(lab.data(f'{name}.libsvm.xz'), '1/n')


def race(lab, name, target, agents, rivals, rounds=30):
    """Adaptive LocalNewton in at most 3 rounds and at most 60 % of each rival's, in the worst of the seeds."""
    sgd = local_sgd(lab, name, agents)
    ours = train(lab, name, ADAPTIVE, 6, agents, plain=sgd)
    entries = {'GIANT': [giant('halves'), giant('quarters')], 'BFGS': [bfgs(100), bfgs(1)], 'local SGD': [sgd]}
    counts = [rounds_to(run, target) for run in ours]
    holds, words, curves = max(counts) <= 3, [], {'adaptive': ours[0]}
    for rival in rivals:
        runs = [train(lab, name, method, rounds, agents, **{'stop/loss': target}) for method in entries[rival]]
        best = [min(rounds_to(run, target) for run in tried) for tried in zip(*runs)]
        holds = holds and all(a <= 0.6 * b for a, b in zip(counts, best))
        words.append(f'{rival} {min(best)}' if min(best) < math.inf else f'{rival} more than {rounds}')
        curves[rival] = runs[min(range(len(entries[rival])), key=lambda i: rounds_to(runs[i][0], target))][0]
    lab.figure(f'{lab.row.id}-{name}', f'LocalNewton and its rivals on {name}, {agents} agents', curves,
               axes=('rounds', 'bytes'), cost=cost)
    return lab.verdict(holds, f'{max(counts)} rounds to {target}; ' + ', '.join(words))


RIVALS = ('GIANT', 'BFGS', 'local SGD')


@row('L1', 'adaptive LocalNewton needs few rounds (w8a, 100 agents, loss 0.19)', '<= 3 and <= 60 % of each rival', PAPER)
def l1(lab):
    return race(lab, 'w8a', 0.19, 100, RIVALS)


@row('L1b', "the figures' schedule 3, 2, 1, GIANT (w8a)", 'losses <= .44 .19 .17 .16 + 0.08, <= 0.19 by round 3', PAPER)
def l1b(lab):
    worst, least, first = -math.inf, math.inf, 0
    for run in train(lab, 'w8a', FIGURE, 4, plain=local_sgd(lab, 'w8a', 100)):
        at = [run.losses[i] for i in (1, 2, 3, 4)]   # the fourth is three rounds of the paper's: its round 6
        off = [a - b for a, b in zip(at, (0.44, 0.19, 0.17, 0.16))]
        worst, least = max(worst, *off), min(least, *off)
        first = max(first, rounds_to(run, 0.19))
    return lab.verdict(worst <= 0.08 and first <= 3, f'last seed {" ".join(f"{x:.3f}" for x in at)}; {least:+.3f} to {worst:+.3f}, '
                       f'0.19 by round {first}')


@row('L2', 'the same on a9a (loss 0.34)', '<= 3 and <= 60 % of each rival', PAPER)
def l2(lab):
    return race(lab, 'a9a', 0.34, 100, RIVALS)


def by_steps(lab, at):
    """{name: [loss after round `at` for L = 1, 2, 3]}, a list of such for each seed."""
    return {name: list(zip(*([run.losses[at] for run in train(lab, name, newton(steps), 12, plain=newton(1))]
                             for steps in (1, 2, 3)))) for name in SETS}


def shown(table):
    return '; '.join(f'{name} ' + ' '.join(f'{x:.4f}' for x in map(mean, zip(*losses))) for name, losses in table.items())


@row('L3', 'more local steps: a faster first round', 'loss after round 1 falls with L = 1, 2, 3', PAPER)
def l3(lab):
    table = by_steps(lab, 1)
    return lab.verdict(all(a > b > c for losses in table.values() for a, b, c in losses), shown(table))


@row('L4', 'more local steps: a worse floor', 'loss after round 12 rises with L, all above the optimum', PAPER)
def l4(lab):
    table, best = by_steps(lab, 12), {name: optimum(lab, name) for name in SETS}
    return lab.verdict(all(best[name] < a < b < c for name, losses in table.items() for a, b, c in losses),
                       shown(table) + '; optima ' + ' '.join(f'{x:.4f}' for x in best.values()))


@row('L5', 'the adaptive rule removes the floor (a9a, to 1e-3 of the optimum)',
     '<= 15 rounds, <= 60 % of GIANT; L = 3 never in 40', PAPER)
def l5(lab):
    target = optimum(lab, 'a9a') + 1e-3
    ours = [rounds_to(run, target) for run in train(lab, 'a9a', ADAPTIVE, 15, plain=newton(3))]
    tries = [train(lab, 'a9a', giant(search), 40, **{'stop/loss': target}) for search in ('halves', 'quarters')]
    rival = [min(rounds_to(run, target) for run in pair) for pair in zip(*tries)]
    fixed = [rounds_to(run, target) for run in train(lab, 'a9a', newton(3), 40)]
    return lab.verdict(max(ours) <= 15 and all(a <= 0.6 * b for a, b in zip(ours, rival)) and min(fixed) == math.inf,
                       f'adaptive {max(ours)}, GIANT {min(rival)}, L = 3 {min(fixed)} rounds')


def least_squares(lab, rows, features, name):
    """Gaussian rows, targets of a hidden model plus noise."""
    def make(path):
        draw = random.Random(6 + lab.first_seed)
        hidden = [draw.gauss(0, 1) for _ in range(features)]
        with open(path, 'w', encoding='ascii') as out:
            for _ in range(rows):
                x = [draw.gauss(0, 1) for _ in range(features)]
                y = sum(a * b for a, b in zip(x, hidden)) + draw.gauss(0, 1)
                out.write(f'{y:.17g}' + ''.join(f' {j + 1}:{v:.17g}' for j, v in enumerate(x)) + '\n')
    return lab.prepared(name, make)


def read(path):
    """[(x, y)]"""
    with open(path, encoding='ascii') as source:
        rows = [line.split() for line in source]
    return [([float(pair.split(':')[1]) for pair in words[1:]], float(words[0])) for words in rows]


def solve(matrix, right):
    """Gaussian elimination with pivots."""
    a = [row[:] + [b] for row, b in zip(matrix, right)]
    n = len(a)
    for k in range(n):
        p = max(range(k, n), key=lambda i: abs(a[i][k]))
        a[k], a[p] = a[p], a[k]
        for i in range(k + 1, n):
            f = a[i][k] / a[k][k]
            a[i] = [u - f * v for u, v in zip(a[i], a[k])]
    x = [0.0] * n
    for k in reversed(range(n)):
        x[k] = (a[k][n] - sum(a[k][j] * x[j] for j in range(k + 1, n))) / a[k][k]
    return x


def hessian(rows):
    n = len(rows[0][0])
    return [[math.fsum(x[i] * x[j] for x, _ in rows) / len(rows) for j in range(n)] for i in range(n)]


def gradient(rows, w):
    slopes = [sum(a * b for a, b in zip(x, w)) - y for x, y in rows]
    return [math.fsum(s * x[i] for s, (x, _) in zip(slopes, rows)) / len(rows) for i in range(len(w))]


RIDGE = {'problem/kind': 'ridge', 'data/shuffle': 'false'}
GRADIENT = {'policy/kind': 'fixed', 'solver/kind': 'sgd', 'policy/local-steps': 3, 'solver/batch': 0}


@row('L6', 'on least squares the average of the first round never moves again', 'moves <= 1e-10, gap > 0', PAPER, quick=1)
def l6(lab):
    path = least_squares(lab, 2000, 20, 'least-squares.libsvm')
    one, two = (lab.run({**RIDGE, 'run/rounds': rounds}, 10, data=path, inline=True, method=newton(3), plain=GRADIENT).model()
                for rounds in (1, 2))
    rows = read(path)
    best = solve(hessian(rows), [-g for g in gradient(rows, [0.0] * 20)])
    moved, gap = math.dist(two, one) / math.hypot(*one), math.dist(two, best)
    return lab.verdict(moved <= 1e-10 and gap > 1e-6, f'moves {moved:.1e}, {gap:.1e} from the global solution')


def logistic_data(lab, rows, seed):
    def make(path):
        draw = random.Random(1000 * rows + seed)
        hidden = [draw.gauss(0, 0.3) for _ in range(20)]
        with open(path, 'w', encoding='ascii') as out:
            for _ in range(rows):
                x = [draw.gauss(0, 1) for _ in range(20)]
                p = 1 / (1 + math.exp(-sum(a * b for a, b in zip(x, hidden))))
                out.write(('1' if draw.random() < p else '-1') + ''.join(f' {j + 1}:{v:.9g}' for j, v in enumerate(x)) + '\n')
    return lab.prepared(f'logistic-{rows}-{seed}.libsvm', make)


@row('L7', 'the floor is at most of order 1/sqrt(s)', 'slope of log gap against log s <= -0.5', PAPER)
def l7(lab):
    sizes, floors = (100, 200, 400, 800, 1600), []
    for s in sizes:
        gaps = []
        for seed in lab.seeds:
            data = logistic_data(lab, 10 * s, seed)
            settings = {'problem/kind': 'logistic', 'problem/l2': '1/n'}
            best = lab.run({**settings, **newton(1), 'run/rounds': 12}, 1, data=data, inline=True).final_loss
            run = lab.run({**settings, 'run/rounds': 12}, 10, data=data, inline=True, method=newton(3), plain=GRADIENT)
            gaps.append(run.final_loss - best)
        floors.append(mean(gaps))
    x, y = [math.log(s) for s in sizes], [math.log(gap) for gap in floors]
    slope = sum((a - mean(x)) * (b - mean(y)) for a, b in zip(x, y)) / sum((a - mean(x)) ** 2 for a in x)
    return lab.verdict(slope <= -0.5, f'slope {slope:.2f}, gaps {floors[0]:.1e} to {floors[-1]:.1e}')


@row('L9', 'the same with 10 agents (w8a to 0.19, a9a to 0.34)', '<= 3 and <= 60 % of GIANT', PAPER, quick=1)
def l9(lab):
    parts = [race(lab, name, target, 10, ('GIANT',), rounds=15) for name, target in (('w8a', 0.19), ('a9a', 0.34))]
    return lab.verdict(all(part.holds for part in parts), '; '.join(part.measured for part in parts))


@row('G1', 'GIANT is linear on least squares (s/d = 10, step 1)', 'error ratio <= 0.35, a serial reference agrees to 1e-9',
     'Wang et al. 2018', quick=1)
def g1(lab):
    path = least_squares(lab, 2000, 20, 'least-squares.libsvm')
    rows = read(path)
    local = [hessian(rows[200 * k:200 * (k + 1)]) for k in range(10)]
    w = [0.0] * 20
    best = solve(hessian(rows), [-g for g in gradient(rows, w)])
    ratio, farthest, error = 0.0, 0.0, math.hypot(*best)
    for rounds in range(1, 6):
        g = gradient(rows, w)
        w = [a - sum(p) / 10 for a, *p in zip(w, *(solve(h, g) for h in local))]
        ours = lab.run({**RIDGE, 'run/rounds': rounds}, 10, data=path, inline=True, method=giant('unit'),
                       plain={'policy/kind': 'fixed', 'solver/kind': 'sgd', 'policy/local-steps': 1, 'solver/batch': 0}).model()
        farthest, ratio = max(farthest, math.dist(ours, w)), max(ratio, math.dist(ours, best) / error)
        error = math.dist(ours, best)
    return lab.verdict(ratio <= 0.35 and farthest <= 1e-9, f'worst ratio {ratio:.2f}, {farthest:.1e} from the reference')
