"""The table on the terminal, and report.md with its plots."""
import math
import os
import platform
import re
import shutil
import subprocess
import sys

AXES = (('rounds', 'rounds'), ('megabytes, both ways', 'bytes'), ('seconds', 'seconds'))


def print_row(result):
    row, seeds, word, measured, seconds = result
    print(f'{row.id:4} {word:8} {measured}\n     {row.claim} [{row.threshold}; {seeds} seeds, {seconds:.0f} s]', flush=True)


def processor():
    with open('/proc/cpuinfo', encoding='utf-8') as lines:
        names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    return f'{len(names)} x {names[0]}' if names else platform.processor()


def points(run, axis, column, floor):
    """(x, y) of a run; the loss of a row is that of the model before its round."""
    x, iterations = 0.0, 0
    for i, row in enumerate(run.rounds):
        if row[column]:
            yield (iterations if axis == 'iterations' else x), float(row[column]) - floor
        iterations += int(row['local_steps'])
        x = {'rounds': i + 1, 'seconds': float(row['seconds']),
             'bytes': (int(row['bytes_up']) + int(row['bytes_down'])) / 1e6}.get(axis, 0)
    if column == 'loss' and not math.isnan(run.final_loss):
        yield x, run.final_loss - floor


def plot(path, title, curves, column, floor):
    """Writes an SVG of one panel an axis; False without gnuplot."""
    if shutil.which('gnuplot') is None:
        return False
    axes = (('iterations', 'iterations'),) if column == 'local_steps' else AXES
    drawn = {(axis, label): [p for p in points(run, axis, column, floor) if column != 'loss' or p[1] > 0]
             for _, axis in axes for label, run in curves.items()}
    name = {'loss': 'loss' if floor == 0 else 'loss - optimum', 'local_steps': 'local steps'}.get(column, column)
    script = [f'set terminal svg size {max(560, 420 * len(axes))},360 font "sans,13" background "white"',
              f'set output "{path}"', f'set multiplot layout 1,{len(axes)} title {title!r}',
              'set grid', 'set key top right', f'set ylabel {name!r}']
    if column == 'loss':
        script.append('set logscale y; set format y "10^{%L}"' if floor else 'set logscale y')
    for label, axis in axes:
        script.append(f'set xlabel {label!r}')
        parts = [f"'-' with {'steps' if column == 'local_steps' else 'lines'} lw 2 title {curve!r}"
                 for curve in curves if drawn[axis, curve]]
        if parts:
            script.append('plot ' + ', '.join(parts))
            script += ['\n'.join(f'{x:.9g} {y:.9g}' for x, y in drawn[axis, curve]) + '\ne'
                       for curve in curves if drawn[axis, curve]]
    result = subprocess.run(['gnuplot'], input='\n'.join(script), text=True, capture_output=True, check=False)
    if result.returncode != 0:
        print(f'plot {path}: {result.stderr.strip()[:300]}')
    return result.returncode == 0


def write(harness, results, seconds):
    """Writes report.md and its plots into the directory of the harness; its path."""
    version = subprocess.run([f'{harness.build}/convene', '--version'], capture_output=True, text=True, check=False)
    lines = ['# The claims of the papers, measured', '',
             f'{version.stdout.strip()} on {platform.node()}: {processor()}, {platform.system()} {platform.release()}. '
             f'{len(results)} rows in {seconds / 60:.1f} minutes'
             + (', **with plain averaging in place of each method**.' if harness.is_sabotaged else '.'),
             '', '| id | claim | measured | threshold | seeds | verdict |', '|---|---|---|---|---|---|']
    for row, seeds, word, measured, _ in results:
        cells = (row.id, f'{row.claim} ({row.paper})', measured, row.threshold, str(seeds), word)
        lines.append('| ' + ' | '.join(cell.replace('|', '\\|') for cell in cells) + ' |')
    lines += ['', '## How it was measured, and where it departs from the papers']
    for module in dict.fromkeys(row.function.__module__ for row, *_ in results):
        lines += ['', sys.modules[module].__doc__.strip()]
    for name, (title, curves, column, floor) in sorted(harness.figures.items()):
        file = re.sub(r'[^A-Za-z0-9-]', '-', name) + '.svg'
        if plot(os.path.join(harness.out, file), title, curves, column, floor):
            lines += ['', f'## {title}', '', f'![{title}]({file})']
    path = os.path.join(harness.out, 'report.md')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(lines) + '\n')
    return path
