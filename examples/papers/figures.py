"""The plots of the report: panels of lines, drawn by gnuplot."""
import dataclasses
import math
import shutil
import subprocess

LABELS = {'rounds': 'rounds', 'bytes': 'megabytes, both ways', 'values': 'megabytes of values sent up',
          'seconds': 'seconds', 'iterations': 'iterations'}
COLUMNS = {'loss': 'loss', 'local_steps': 'local steps', 'variance': 'model variance S'}
WIDTH, HEIGHT = 430, 400
FEW_DECADES = 2   # fewer than these have tics between the powers of ten too
TICS = 5          # of a linear horizontal axis, about


@dataclasses.dataclass(frozen=True)
class Panel:
    x: str              # what the axes show, with units
    y: str
    lines: dict         # {label: [(x, y)]}
    is_log_x: bool = False
    is_log_y: bool = False
    style: str = 'lines'


def points(run, axis, column, floor, cost):
    """(x, y) of a run. The loss of a row is that of the model before its round, other columns are of the round itself."""
    x = iterations = rounds = exchanges = 0
    for row in run.rounds:
        iterations += int(row['local_steps'])
        rounds += cost(int(row['exchanges']) - exchanges)
        exchanges = int(row['exchanges'])
        end = {'rounds': rounds, 'seconds': float(row['seconds']), 'iterations': iterations,
               'bytes': (int(row['bytes_up']) + int(row['bytes_down'])) / 1e6, 'values': int(row['payload_up']) / 1e6}[axis]
        if row[column]:
            yield (x if column == 'loss' else end), float(row[column]) - floor
        x = end
    if column == 'loss' and not math.isnan(run.final_loss):
        yield x, run.final_loss - floor


def panel(curves, axis, column, floor, cost):
    """One column of some runs. Losses and variances are drawn on a log scale, what they cost is where it differs
    tenfold. A last round may be cut short by the end of the run: its steps and variance are left out."""
    lines = {label: list(points(run, axis, column, floor, cost)) for label, run in curves.items()}
    if column != 'loss':
        lines = {label: line[:-1] for label, line in lines.items()}
    elif any(len(line) < 2 for line in lines.values()):
        raise ValueError('a run without losses on the way (policy/evaluate) cannot be drawn')
    is_log_y = column != 'local_steps'
    if is_log_y:
        lines = {label: [p for p in line if p[1] > 0] for label, line in lines.items()}
    ends = [line[-1][0] for line in lines.values() if line]
    is_log_x = axis in ('bytes', 'values', 'rounds') and max(ends) > 10 * min(ends)
    if is_log_x:
        lines = {label: [p for p in line if p[0] > 0] for label, line in lines.items()}
    x = LABELS[axis]
    if axis == 'seconds' and all(run.is_inline for run in curves.values()):
        x += ', all agents in one process'
    y = COLUMNS[column] + (' - optimum' if floor else '')
    return Panel(x, y, lines, is_log_x, is_log_y, 'steps' if column == 'local_steps' else 'lines')


def plain_scale(name, values):
    """gnuplot's words for a linear axis with few tics."""
    power = 10.0 ** math.floor(math.log10(max(values) / TICS))
    return [f'set {name}tics {next(m * power for m in (1, 2, 5, 10) if max(values) <= TICS * m * power):g}']


def log_scale(name, values):
    """gnuplot's words for a logarithmic axis of these values."""
    decades = math.log10(max(values) / min(values))
    words = [f'set logscale {name}', f'set {name}range [{0.8 * min(values):g}:{1.25 * max(values):g}]']
    if decades >= FEW_DECADES:
        words.append(f'set format {name} "10^{{%L}}"')
    else:
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        tics = ', '.join(f'{m * 10.0 ** k:.6g}' for k in range(low, high + 1) for m in (1, 2, 5))
        words += [f'set {name}tics ({tics})', f'set format {name} "%g"']
    return words


def drawn(panel):
    """The script of one panel."""
    lines = {label: line for label, line in panel.lines.items() if line}
    words = ['unset logscale', 'set format "%g"', 'set autoscale', 'set xtics auto', 'set ytics auto', f'set xlabel "{panel.x}"',
             f'set ylabel "{panel.y}"']
    if lines:
        xs, ys = zip(*(point for line in lines.values() for point in line))
        words += log_scale('x', xs) if panel.is_log_x else plain_scale('x', xs)
        words += log_scale('y', ys) if panel.is_log_y else []
        words.append('plot ' + ', '.join(f"'-' with {panel.style} lw 2 title {label!r}" for label in lines))
        words += ['\n'.join(f'{x:.9g} {y:.9g}' for x, y in line) + '\ne' for line in lines.values()]
    return words


def plot(path, title, panels):
    """Writes an SVG of the panels side by side; False without gnuplot."""
    if shutil.which('gnuplot') is None:
        return False
    script = [f'set terminal svg size {max(560, WIDTH * len(panels))},{HEIGHT} font "sans,13" background "white"',
              f'set output "{path}"', f'set multiplot layout 1,{len(panels)} title {title!r}',
              'set grid', 'set key below maxrows 3 samplen 2']
    for one in panels:
        script += drawn(one)
    result = subprocess.run(['gnuplot'], input='\n'.join(script), text=True, capture_output=True, check=False)
    if result.returncode != 0:
        print(f'plot {path}: {result.stderr.strip()[:300]}')
    return result.returncode == 0
