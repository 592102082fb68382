"""C1 to C7: growing intervals and one-shot averaging (Spiridonoff, Olshevsky and Paschalidis 2021, arXiv 2106.04759).

The two synthetic problems of section 4: a quadratic with multiplicative noise (3 coordinates, steps 3/(t+1), from ones)
and a skewed one (1 coordinate, additive noise, steps min(2/(t+1), 1/2), from 2). Every figure is a mean over many runs in
one process; speed-up is the error of one agent alone over that of the method.
"""
from figures import Panel
from lab import mean, row

PAPER = 'Spiridonoff et al. 2021'
QUADRATIC = {'problem/kind': 'noisy-quadratic', 'solver/step': 3, 'solver/decay-scale': 3}
SKEWED = {'problem/kind': 'noisy-skewed', 'solver/step': 0.5, 'solver/decay-scale': 2}
SETTINGS = {'run/start': 'ones', 'solver/kind': 'sgd', 'solver/decay-kind': 'inverse', 'policy/evaluate': 0, 'run/rounds': 0}
EVERY = {'policy/kind': 'fixed', 'policy/local-steps': 1}
ONE_SHOT = {'policy/kind': 'one-shot'}


def growing(rounds, schedule='increasing'):
    return {'policy/kind': 'growing', 'policy/schedule': schedule, 'policy/rounds': rounds}


def error(lab, problem, agents, steps, method, repeats, plain=None):
    """Mean of F over the repeats."""
    lines = lab.repeats({**SETTINGS, **problem, 'run/iterations': steps, 'run/seed': lab.first_seed}, agents, repeats, method, plain)
    return mean(loss for _, loss in lines)


def speed_ups(lab, agents, steps, method, repeats):
    """Of the skewed problem; method(agents) is one."""
    alone = error(lab, SKEWED, 1, steps, ONE_SHOT, 10 * repeats)
    return [alone / error(lab, SKEWED, n, steps, method(n), repeats, ONE_SHOT) for n in agents]


@row('C1', 'the growing schedule is exact', '20 and 8 rounds of 1000 steps end where they should', PAPER, seeds=1, quick=1)
def c1(lab):
    golden = {20: '4 14 28 47 71 100 133 171 214 261 314 371 433 500 571 647 728 814 904 1000',
              8: '27 83 166 277 416 583 777 1000'}
    seen = {}
    for rounds in golden:
        run = lab.run({**SETTINGS, **SKEWED, 'run/iterations': 1000}, 2, inline=True, method=growing(rounds), plain=EVERY)
        k, points = 0, []
        for steps in run.column('local_steps'):
            k += int(steps)
            points.append(str(k))
        seen[rounds] = ' '.join(points)
    return lab.verdict(seen == golden, f'equal for R = {", ".join(str(r) for r in golden if seen[r] == golden[r]) or "none"}')


def against_every_step(lab, method, name):
    every = error(lab, QUADRATIC, 20, 1000, EVERY, 500)
    ours = error(lab, QUADRATIC, 20, 1000, method, 500)
    return lab.verdict(abs(ours / every - 1) <= 0.15, f'{name} {ours:.3e}, every step {every:.3e}: {100 * (ours / every - 1):+.1f} %')


@row('C2', 'R = N rounds match SGD that averages after every step (smooth quadratic)', 'within 15 %, 500 repeats', PAPER,
     seeds=1, is_method=False)
def c2(lab):
    return against_every_step(lab, growing(20), 'growing')


@row('C3', 'one-shot averaging does as well there', 'within 15 %, 500 repeats', PAPER, seeds=1, is_method=False)
def c3(lab):
    return against_every_step(lab, ONE_SHOT, 'one-shot')


@row('C4', 'R = N rounds keep the linear speed-up (skewed, T = 1000)', 'S(32) >= 20.8, S(32)/S(8) >= 3, 1000 repeats',
     PAPER, seeds=1)
def c4(lab):
    eight, most = speed_ups(lab, (8, 32), 1000, growing, 1000)
    return lab.verdict(most >= 0.65 * 32 and most / eight >= 3, f'S(8) {eight:.1f}, S(32) {most:.1f}, ratio {most / eight:.1f}')


@row('C5', 'one-shot saturates where F is not twice differentiable', 'S(32) <= 14 and <= 0.55 of growing', PAPER, seeds=1)
def c5(lab):
    agents = (2, 4, 8, 16, 32)
    methods = {'growing, R = N': growing, 'one-shot': lambda n: ONE_SHOT}
    gains = {name: speed_ups(lab, agents, 1000, method, 1000) for name, method in methods.items()}
    lines = {'linear': [(n, n) for n in agents], **{name: list(zip(agents, values)) for name, values in gains.items()}}
    lab.chart('C-speed-up', 'Growing intervals and one-shot averaging (skewed, T = 1000)',
              [Panel('agents N', 'error of one agent / error of N', lines, True, True, 'linespoints')])
    ours, shot = (values[-1] for values in gains.values())
    return lab.verdict(shot <= 14 and shot <= 0.55 * ours, f'one-shot {shot:.1f}, growing {ours:.1f}')


@row('C6', 'sqrt(N) and N^(3/4) rounds are not enough (T = 8000)',
     'S(256)/S(64): R = N >= 3, N^.75 <= 3.5, N^.5 <= 2.6, one-shot <= 1.6; 300 repeats', PAPER, seeds=1)
def c6(lab):
    """S(256)/S(64) is the ratio of the errors: the single worker's cancels."""
    methods = [lambda n, power=power: growing(round(n ** power)) for power in (1, 0.75, 0.5)] + [lambda n: ONE_SHOT]
    many, few = 256, 64
    errors = lab.side_by_side(lambda part: error(lab, SKEWED, part[0], 8000, part[1](part[0]), 300, ONE_SHOT),
                              [(n, method) for n in (many, few) for method in methods])
    full, most, root, shot = (a / b for a, b in zip(errors[4:], errors[:4]))
    return lab.verdict(full >= 3 and most <= 3.5 and root <= 2.6 and shot <= 1.6,
                       f'R = N {full:.1f}, N^.75 {most:.1f}, N^.5 {root:.1f}, one-shot {shot:.1f}')


@row('C7', 'how many rounds does not depend on T (R = N = 16; T = 1000, 4000, 16000)',
     'error * T constant within 25 %, S(16) >= 10.4 at each T', PAPER, seeds=1)
def c7(lab):
    """Any fixed number of rounds, one alone too, has an error like 1/T in the end: that R = N are enough at every T is
    seen by the speed-up, asked for as in C4 (0.65 N)."""
    agents, repeats, lengths = 16, 1000, (1000, 4000, 16000)
    errors = lab.side_by_side(lambda steps: error(lab, SKEWED, agents, steps, growing(agents), repeats, ONE_SHOT), lengths)
    alone = lab.side_by_side(lambda steps: error(lab, SKEWED, 1, steps, ONE_SHOT, 4 * repeats), lengths)
    products = [steps * of_all for steps, of_all in zip(lengths, errors)]
    gains = [of_one / of_all for of_one, of_all in zip(alone, errors)]
    spread = max(abs(p / mean(products) - 1) for p in products)
    return lab.verdict(spread <= 0.25 and min(gains) >= 0.65 * agents,
                       ' '.join(f'{p:.2f}' for p in products) + f': within {100 * spread:.0f} %; S(16) '
                       + ' '.join(f'{gain:.1f}' for gain in gains))
