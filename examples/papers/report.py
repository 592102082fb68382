"""The table on the terminal, and report.md with its plots."""
import dataclasses
import inspect
import os
import platform
import re
import shlex
import subprocess
import sys
import time

from figures import plot

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclasses.dataclass(frozen=True)
class Result:
    row: object
    seeds: range
    word: str          # holds, FAILS, skipped or BROKEN
    measured: str
    seconds: float
    processor: float   # seconds of all processes together
    load: float        # average of the machine before the row


def seeds_of(result):
    first, last = result.seeds[0], result.seeds[-1]
    return f'seed {first}' if first == last else f'seeds {first} to {last}'


def print_row(result):
    row = result.row
    beside = f', load average {result.load:.1f} before' if row.is_timed else ''
    print(f'{row.id:4} {result.word:8} {result.measured}\n     {row.claim} [{row.threshold}; {seeds_of(result)}, '
          f'{result.seconds:.0f} s, {result.processor:.0f} s of processor{beside}]', flush=True)


def processor():
    with open('/proc/cpuinfo', encoding='utf-8') as lines:
        names = [line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')]
    return f'{len(names)} x {names[0]}' if names else platform.processor()


def said(*words):
    """First line a program prints; empty if there is none of that name."""
    try:
        result = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError:
        return ''
    return result.stdout.strip().split('\n')[0] if result.returncode == 0 else ''


def header(harness, results, seconds):
    """Where, when and with what."""
    commit = said('git', '-C', HERE, 'describe', '--always', '--dirty')
    tools = [f'Python {platform.python_version()}', said('gnuplot', '--version')]
    loads = f'{results[0].load:.1f} before and {os.getloadavg()[0]:.1f} after' if results else 'not measured'
    return [
        '# The claims of the papers, measured', '',
        '- program: ' + said(f'{harness.build}/convene', '--version') + (f', commit {commit}' if commit else ''),
        f'- machine: {platform.node()}, {processor()}, {platform.system()} {platform.release()}; load average {loads}',
        f'- tools: {", ".join(filter(None, tools))}',
        f'- data: {harness.data}; seeds from {harness.first_seed} on',
        f'- {time.strftime("%Y-%m-%d %H:%M")} UTC: {len(results)} rows in {seconds / 60:.1f} minutes'
        + (', **with plain averaging in place of each method**' if harness.is_sabotaged else ''), '',
    ]


def table(results):
    lines = ['| id | verdict | measured | claim | threshold | seeds | seconds |', '|---|---|---|---|---|---|---|']
    for result in results:
        row, seeds = result.row, result.seeds
        cells = (row.id, f'**{result.word}**' if result.word in ('FAILS', 'BROKEN') else result.word, result.measured,
                 f'{row.claim} ({row.paper})', row.threshold,
                 f'{seeds[0]}' + (f' to {seeds[-1]}' if len(seeds) > 1 else ''), f'{result.seconds:.0f}')
        lines.append('| ' + ' | '.join(cell.replace('|', '\\|') for cell in cells) + ' |')
    return lines


def notes(results):
    """What the files of rows, and rows themselves, say about how it is measured."""
    lines = ['', '## How it was measured, and where it departs from the papers']
    for module in dict.fromkeys(result.row.function.__module__ for result in results):
        lines += ['', sys.modules[module].__doc__.strip()]
        lines += [line for result in results if result.row.function.__module__ == module and result.row.function.__doc__
                  for line in ('', f'{result.row.id}: {inspect.getdoc(result.row.function)}')]
    return lines


def commands(harness, results):
    """How the method of each row was started first."""
    lines = ['', '## A run of each method', '']
    for result in results:
        command = harness.commands.get(result.row.id)
        if command:
            words = ['convene'] + [word for word in command[1:] if word != '--quiet']
            lines.append(f'- {result.row.id}: `{shlex.join(words)}`')
    return lines if len(lines) > 3 else []


def write(harness, results, seconds):
    """Writes report.md and its plots into the directory of the harness; its path."""
    lines = header(harness, results, seconds) + table(results) + commands(harness, results) + notes(results)
    for name, (title, panels) in sorted(harness.figures.items()):
        file = re.sub(r'[^A-Za-z0-9-]', '-', name) + '.svg'
        if plot(os.path.join(harness.out, file), title, panels):
            lines += ['', f'## {title}', '', f'![{title}]({file})']
    path = os.path.join(harness.out, 'report.md')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(lines) + '\n')
    return path
