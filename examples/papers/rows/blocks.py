"""P1 to P9, P11: independent block sampling (Mishchenko et al. 2020).

Gradient descent is IBCD that sends everything: its `theory` step is 1/2L then, its `sharp` step 1/L. tau n = 1 unless said
otherwise. L is the largest over the agents, so rows are dealt out unshuffled (these files are in no order) and
L is computed here from the same shards, but in P3, where the agents find it out.

P6 gives a1a with 100 agents 5000 rounds, where the claim's table has 1500 for all: IBCD stands at its floor of 1.5e-2 by
then, but ISEGA is still on its way down, at 6.9e-3 after 1500 rounds (a ratio of 2.3, not 5), 2.0e-3 after 3000 and
5.2e-4 after 5000.

P8 looks at medians of nine seeds (of three for 100 agents): late in a run the gap falls as steadily as SAGA's, but the first
thousand rounds, while the table fills, leave some runs behind for good. Seeds 1 to 10 and 100 to 104 end at 2.9e-4 to 7.0e-4
with n = 10 and at 3.9e-4 to 1.0e-3 with n = 20, where SAGA has 2.1e-4 to 2.5e-4: single runs may be beyond 3 times that.

P11 is not in the claim's table: it is why the server may keep the table of ISEGA.
"""
import lzma
import math
import statistics
import subprocess

import cluster
from lab import row

PAPER = 'Mishchenko et al. 2020'
QUADRATIC = {'problem/kind': 'quadratic', 'run/start': 'ones', 'policy/local-steps': 1}
LOGISTIC = {'problem/kind': 'logistic', 'problem/l2': '1e-3', 'data/shuffle': 'false', 'policy/local-steps': 1}
IBCD = {'solver/kind': 'blocks', 'encoding/up': 'blocks'}
ISEGA = {'solver/kind': 'isega', 'optimiser/kind': 'sega', 'encoding/up': 'blocks'}
SAGA = {'solver/kind': 'isaga-shared', 'optimiser/kind': 'saga-table', 'encoding/up': 'blocks', 'data/shared': 'true'}
RAW = {'solver/kind': 'isega-raw', 'optimiser/kind': 'sega-table', 'encoding/up': 'blocks'}
GD = {'solver/kind': 'blocks', 'encoding/fraction': 1, 'solver/step-rule': 'theory'}      # step 1/2L
FULL_GD = {**GD, 'solver/step-rule': 'sharp'}                                             # step 1/L
SAME = {**IBCD, 'solver/draw': 'same', 'solver/step-rule': 'given', 'solver/step': 1}     # step 1/L with L = 1


def reached(run, gap, optimum=0.0):
    """First round at whose start the gap has fallen to `gap` of that at the start."""
    losses = run.losses
    return next((i for i, loss in enumerate(losses) if loss - optimum <= gap * (losses[0] - optimum)), math.inf)


def gap(run, optimum):
    return (run.losses[-1] - optimum) / (run.losses[0] - optimum)


def train(lab, settings, agents, rounds, method, plain=None, data=None, seeds=None, **more):
    """A run for each seed; plain stands for the method under --sabotage."""
    return lab.runs({'settings': {**settings, 'run/seed': seed, 'run/rounds': rounds, **more}, 'agents': agents,
                     'method': method, 'plain': plain or method, 'inline': True,
                     'data': lab.data(f'{data}.libsvm.xz') if data else None} for seed in seeds or lab.seeds)


def read_rows(lab, name):
    with lzma.open(lab.data(f'{name}.libsvm.xz'), 'rt') as lines:
        return [[(int(i) - 1, float(v)) for i, v in (pair.split(':') for pair in line.split()[1:])] for line in lines]


def gram_eigenvalue(rows):
    """Largest eigenvalue of A'A / rows, by power iteration."""
    x, value = {i: 1.0 for entries in rows for i, _ in entries}, 0.0
    for _ in range(200):
        norm = math.sqrt(sum(v * v for v in x.values()))
        y = dict.fromkeys(x, 0.0)
        for entries in rows:
            along = sum(v * x[i] for i, v in entries) / norm
            for i, v in entries:
                y[i] += along * v / len(rows)
        before, value, x = value, math.sqrt(sum(v * v for v in y.values())), y
        if abs(value - before) < 1e-6 * value:
            break
    return value


def smoothness(lab, name, agents, l2=1e-3):
    """L = max over the agents of the largest eigenvalue of A_i'A_i / rows / 4, + l2."""
    rows = read_rows(lab, name)
    cut = [k * len(rows) // agents for k in range(agents + 1)]
    return round(max(gram_eigenvalue(rows[a:b]) for a, b in zip(cut, cut[1:])) / 4 + l2, 6)


def row_smoothness(lab, name, l2=1e-3):
    return round(max(sum(v * v for _, v in entries) for entries in read_rows(lab, name)) / 4 + l2, 6)


def optimum_of(lab, name):
    return lab.optimum(lab.data(f'{name}.libsvm.xz'), '1e-3')


@row('P1', 'IBCD that sends 1/n of the update needs the rounds of gradient descent (quadratics, to 1e-6)',
     '<= 1.35 x GD(1/2L), <= 2.9 x GD(1/L)', PAPER, quick=1)
def p1(lab):
    worst, words, beyond = [0.0, 0.0], [], {'stop/loss': 1e-9}
    for agents in (10, 50, 100):
        ours, half, full = ([reached(run, 1e-6) for run in train(lab, QUADRATIC, agents, 900, method, plain, **beyond)]
                            for method, plain in ((IBCD, SAME), (GD, None), (FULL_GD, None)))
        worst = [max([w] + [a / b for a, b in zip(ours, other)]) for w, other in zip(worst, (half, full))]
        words.append(f'n = {agents}: {max(ours)}/{max(half)}/{max(full)}')
    curves = {name: train(lab, QUADRATIC, 100, 900, method, **beyond)[0]
              for name, method in (('IBCD', IBCD), ('GD, step 1/2L', GD), ('GD, step 1/L', FULL_GD))}
    lab.figure('P1-quadratic', 'IBCD and gradient descent on quadratics, 100 agents', curves, axes=('rounds', 'values'))
    return lab.verdict(worst[0] <= 1.35 and worst[1] <= 2.9,
                       f'{worst[0]:.2f} x and {worst[1]:.2f} x; ' + ', '.join(words))


@row('P2', 'independent blocks beat the same blocks everywhere (quadratics, to 1e-6)',
     'IBCD >= 3, 12, 25 times faster for n = 10, 50, 100', PAPER)
def p2(lab):
    holds, words = True, []
    for agents, least in ((10, 3), (50, 12), (100, 25)):
        ours = [reached(run, 1e-6) for run in train(lab, QUADRATIC, agents, 8000, IBCD, SAME, **{'stop/loss': 1e-6})]
        same = [reached(run, 1e-6) for run in train(lab, QUADRATIC, agents, 8000, SAME, **{'stop/loss': 1e-6})]
        holds = holds and all(b >= least * a for a, b in zip(ours, same))
        words.append(f'n = {agents}: {max(ours)} against {min(same)}')
    return lab.verdict(holds, ', '.join(words))


def sweep(lab, shares, run):
    """Rounds for each share of tau n, relative to share 1, one list for each seed."""
    counts = [run(share) for share in shares]
    return [[count / of_seed[shares.index(1)] for count in of_seed] for of_seed in zip(*counts)]


@row('P3', 'tau = 1/n is the knee', 'a quarter of it costs >= 1.8 x the rounds, four times still >= 0.45 x', PAPER)
def p3(lab):
    def quadratic(share):     # 40 blocks of 5; ten agents
        return [reached(run, 1e-6) for run in train(lab, QUADRATIC, 10, 1500, {**IBCD, 'encoding/fraction': share / 10},
                                                    {**IBCD, 'encoding/fraction': 1}, **{'encoding/block': 5})]

    best = optimum_of(lab, 'phishing')

    def phishing(share):      # 68 blocks of 1; 17 agents
        method = {**ISEGA, 'encoding/fraction': share / 17}
        return [reached(run, 1e-3, best)
                for run in train(lab, LOGISTIC, 17, 3000, method, {**ISEGA, 'encoding/fraction': 1}, 'phishing',
                                 **{'encoding/block': 1})]

    shares = [0.25, 0.5, 1, 2, 4]
    tables = {'IBCD': sweep(lab, shares, quadratic), 'ISEGA': sweep(lab, shares, phishing)}
    holds = all(of_seed[0] >= 1.8 and of_seed[-1] >= 0.45 for table in tables.values() for of_seed in table)
    return lab.verdict(holds, '; '.join(f'{name} ' + ' '.join(f'{statistics.mean(x):.2f}' for x in zip(*table))
                                        for name, table in tables.items()))


@row('P4', 'ISEGA needs the rounds of gradient descent (l2 = 1e-3, to 1e-3)', '<= 1.15 x GD(1/2L)', PAPER)
def p4(lab):
    worst, words = 0.0, []
    for name, agents, block in (('a1a', 10, 12), ('a1a', 20, 6), ('mushrooms', 10, 0), ('phishing', 17, 4)):
        best, more = optimum_of(lab, name), {'solver/smoothness': smoothness(lab, name, agents), 'encoding/block': block}
        ours = [reached(run, 1e-3, best) for run in train(lab, LOGISTIC, agents, 15000, ISEGA,
                                                          {**IBCD, 'solver/draw': 'same'}, name, **more)]
        plain = [reached(run, 1e-3, best) for run in train(lab, LOGISTIC, agents, 15000, GD, None, name, **more)]
        if math.inf in ours + plain:
            return lab.verdict(False, f'{name} n = {agents}: not reached in 15000 rounds ({max(ours)}/{max(plain)})')
        worst = max([worst] + [a / b for a, b in zip(ours, plain)])
        words.append(f'{name} n = {agents}: {max(ours)}/{min(plain)}')
    return lab.verdict(worst <= 1.15, f'{worst:.2f} x; ' + ', '.join(words))


@row('P5', 'a hundred agents send 99 % less: ISEGA on a1a to 1e-3', '<= 1.2 % of the values of GD(1/2L)', PAPER)
def p5(lab):
    best, more = optimum_of(lab, 'a1a'), {'solver/smoothness': smoothness(lab, 'a1a', 100), 'encoding/block': 1}
    ours = train(lab, LOGISTIC, 100, 6000, ISEGA, {**ISEGA, 'encoding/fraction': 1}, 'a1a', **more)
    plain = train(lab, LOGISTIC, 100, 6000, GD, None, 'a1a', **more)
    shares, whole = [], []
    for a, b in zip(ours, plain):
        i, j = reached(a, 1e-3, best), reached(b, 1e-3, best)
        if math.inf in (i, j):
            return lab.verdict(False, f'not reached in 6000 rounds ({i} and {j})')
        shares.append(int(a.column('payload_up')[i - 1]) / int(b.column('payload_up')[j - 1]))
        whole.append(int(a.column('bytes_up')[i - 1]) / int(b.column('bytes_up')[j - 1]))
    lab.figure('P5-values', 'ISEGA and gradient descent on a1a, 100 agents', {'ISEGA': ours[0], 'GD': plain[0]},
               axes=('rounds', 'values', 'bytes'), floor=best)
    return lab.verdict(max(shares) <= 0.012, f'{max(shares):.2%} in {i} against {j} rounds; with ids and headers '
                       f'{max(whole):.0%}')


@row('P6', 'IBCD stalls where minima differ, ISEGA does not (1500 rounds, a1a 5000)', "IBCD's gap >= 5 x ISEGA's", PAPER)
def p6(lab):
    least, words = math.inf, []
    for name, agents, rounds in (('a1a', 100, 5000), ('phishing', 60, 1500)):
        best, more = optimum_of(lab, name), {'solver/smoothness': smoothness(lab, name, agents), 'encoding/block': 1}
        runs = [train(lab, LOGISTIC, agents, rounds, method, plain, name, **more)
                for method, plain in ((ISEGA, IBCD), (IBCD, None))]
        lab.figure(f'P6-{name}', f'IBCD stalls on {name}, {agents} agents', {'ISEGA': runs[0][0], 'IBCD': runs[1][0]},
                   axes=('rounds', 'values'), floor=best)
        ours, flat = ([gap(run, best) for run in of_one] for of_one in runs)
        least = min([least] + [b / a for a, b in zip(ours, flat)])
        words.append(f'{name} n = {agents}: {max(ours):.1e} against {min(flat):.1e}')
    return lab.verdict(least >= 5, f'{least:.1f} x; ' + ', '.join(words))


@row('P7', 'ISGD has the plateau of SGD (a1a, single rows, step 1/5L)', 'medians of the gap within 2.5 x', PAPER)
def p7(lab):
    best = optimum_of(lab, 'a1a')
    steep = row_smoothness(lab, 'a1a')
    features = 1 + max(i for entries in read_rows(lab, 'a1a') for i, _ in entries)
    more = {'solver/smoothness': steep, 'solver/batch': 1, 'policy/evaluate': 50}

    def trap(tau):            # Algorithm 6 as printed: the same step, but on gradients without the 1/tau
        return {'solver/kind': 'isgd', 'solver/step-rule': 'given', 'solver/step': round(tau / (5 * steep), 9)}

    def plateau(agents, method, plain=None, **block):
        values = []
        for run in train(lab, LOGISTIC, agents, 20000, method, plain, 'a1a', **more, **block):
            losses = [loss for loss in run.losses if loss == loss]
            values.append(statistics.median((loss - best) / (losses[0] - best) for loss in losses[len(losses) // 8:]))
        return statistics.median(values)

    isgd = {'solver/kind': 'isgd', 'encoding/up': 'blocks'}
    plain = plateau(1, {'solver/kind': 'isgd', 'encoding/fraction': 1})
    ours = {agents: plateau(agents, isgd, trap(1 / -(-features // block)), **{'encoding/block': block})
            for agents, block in ((10, 12), (100, 1))}
    worst = max(max(value / plain, plain / value) for value in ours.values())
    return lab.verdict(worst <= 2.5, f'{worst:.2f} x; SGD {plain:.1e}, '
                       + ', '.join(f'n = {agents} {value:.1e}' for agents, value in ours.items()))


def same_quadratics(lab, agents, dimension=100, condition=1000):
    """A file that gives each agent the same rows: f_i(x) = (x - 1)'H(x - 1)/2 with eigenvalues 1/condition to 1, spread
    evenly in their logarithms and rotated in pairs of coordinates, twice, so that blocks are coupled."""
    def make(path):
        rows = []
        for j in range(dimension):
            entries = {j: math.sqrt(dimension * condition ** (j / (dimension - 1) - 1))}
            for stride in (1, 37):
                turned = dict.fromkeys(range(dimension), 0.0)
                for i, value in entries.items():
                    partner = i ^ 1 if stride == 1 else (i + dimension // 2) % dimension
                    sign = 1 if i < partner else -1
                    turned[i] += value * math.cos(0.7)
                    turned[partner] += sign * value * math.sin(0.7)
                entries = {i: value for i, value in turned.items() if value}
            target = sum(entries.values())
            rows.append(f'{target:.17g} ' + ' '.join(f'{i + 1}:{v:.17g}' for i, v in sorted(entries.items())))
        with open(path, 'w', encoding='ascii') as out:
            out.write(('\n'.join(rows) + '\n') * agents)

    return lab.prepared(f'same-quadratics-{agents}', make)


@row('P9', 'acceleration survives sampling (the same quadratic on all agents, L/mu = 1000, 300 rounds)', 'gap <= 1e-5', PAPER)
def p9(lab):
    """rho is searched for, as the paper does; 2 - 1/n is what theory gives for exact and equal gradients."""
    mu, worst, words = 1e-3, 0.0, []
    for agents in (10, 100):
        entries = {}
        for noise in (1.25, 1.5, 1.75, 2 - 1 / agents):
            method = {'solver/kind': 'isgd', 'optimiser/kind': 'accelerated', 'optimiser/noise': noise,
                      'solver/step': round(1 / noise, 9)}
            runs = lab.runs({'settings': {'problem/kind': 'ridge', 'data/shuffle': 'false', 'policy/local-steps': 1,
                                          'encoding/up': 'blocks', 'solver/batch': 0, 'solver/step-rule': 'given',
                                          'optimiser/convexity': mu, 'run/rounds': 300, 'run/seed': seed},
                             'agents': agents, 'data': same_quadratics(lab, agents), 'inline': True, 'method': method,
                             'plain': {**method, 'optimiser/kind': 'none'}} for seed in lab.seeds)
            entries[noise] = max(gap(run, 0.0) for run in runs)
        best = min(entries, key=entries.get)
        worst = max(worst, entries[best])
        words.append(f'n = {agents}: {entries[best]:.1e} with rho {best}, {entries[2 - 1 / agents]:.1e} with that of theory')
    return lab.verdict(worst <= 1e-5, '; '.join(words))


@row('P8', 'ISAGA on shared data, a row and 1/n of its gradient an agent, keeps up with SAGA (a1a, 20000 rounds)',
     'median gap <= 3 x that of SAGA for n = 10, 20, <= 10 x for n = 100', PAPER, seeds=9)
def p8(lab):
    best = optimum_of(lab, 'a1a')
    more = {'solver/smoothness': row_smoothness(lab, 'a1a'), 'policy/evaluate': 20000}
    plain = {'solver/kind': 'isgd', 'solver/batch': 1, 'encoding/up': 'blocks'}

    def gaps(agents, plain=None, seeds=None, **block):
        return [gap(run, best) for run in train(lab, LOGISTIC, agents, 20000, SAGA, plain, 'a1a', seeds, **more, **block)]

    saga = statistics.median(gaps(1, **{'encoding/fraction': 1}))
    ours = {agents: statistics.median(gaps(agents, plain, seeds, **{'encoding/block': block}))
            for agents, block, seeds in ((10, 12, None), (20, 6, None), (100, 1, lab.seeds[:3]))}
    return lab.verdict(max(ours[10], ours[20]) <= 3 * saga and ours[100] <= 10 * saga,
                       f'SAGA {saga:.1e}, ' + ', '.join(f'n = {agents} {value:.1e}' for agents, value in ours.items()))


class OneDies(cluster.Cluster):
    """Agents on this machine, the second of which is killed at a version and started again."""

    def __init__(self, agents, version):
        super().__init__([], [([], '127.0.0.1')] * agents)
        self.version = version

    def _wait(self, build, directory, control, processes, is_done, seconds):
        if len(processes) == 1 + len(self.hosts):     # the wait for the end of the run
            super()._wait(build, directory, control, processes, lambda answer: answer['run']['version'] >= self.version, seconds)
            processes[2].kill()
            processes[2].wait()
            with open(f'{directory}/agent-2-again.log', 'w', encoding='utf-8') as out:
                processes.append(subprocess.Popen(processes[2].args, stdout=out, stderr=out))
        return super()._wait(build, directory, control, processes, is_done, seconds)


@row('P11', 'an agent that is killed and comes back costs ISEGA nothing where the server has the table (phishing, 4 agents)',
     'gap after 2000 rounds <= 1e-5', PAPER)
def p11(lab):
    best, hosts = optimum_of(lab, 'phishing'), OneDies(4, 200)
    gaps = [gap(hosts.run(lab, {**LOGISTIC, 'run/seed': seed, 'run/rounds': 2000, 'policy/evaluate': 500},
                          lab.data('phishing.libsvm.xz'), RAW, ISEGA), best) for seed in lab.seeds]
    return lab.verdict(max(gaps) <= 1e-5, f'{max(gaps):.1e}')
