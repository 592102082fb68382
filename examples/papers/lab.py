"""Runs of convene and what they showed: what the rows of the claim tables are written with.

A row is a function of rows/*.py marked with @row. It is given a Lab, starts runs with lab.run or
lab.runs, and returns lab.verdict(holds, 'what was measured'). Equal runs are made once.
"""
import array
import csv
import dataclasses
import hashlib
import json
import lzma
import os
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from statistics import mean, median

import figures

__all__ = ['Lab', 'Run', 'Row', 'Verdict', 'row', 'ROWS', 'Skipped', 'mean', 'median']

ROWS = []
PROGRAM_TIMEOUT = 1800


class Skipped(Exception):
    """This row cannot run here; says why."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    holds: bool
    measured: str


@dataclasses.dataclass(frozen=True)
class Row:
    id: str
    claim: str
    threshold: str
    paper: str
    function: object
    seeds: int         # of the whole harness
    quick: int         # seeds with --quick; 0: not in it
    is_method: bool    # the claim is about the method: it must fail under --sabotage
    is_timed: bool     # measures seconds: runs while nothing else does


def row(id, claim, threshold, paper, seeds=3, quick=0, is_method=True, is_timed=False):
    """Marks a function of a Lab as the row `id` of the claim table."""
    def mark(function):
        ROWS.append(Row(id, claim, threshold, paper, function, seeds, quick, is_method, is_timed))
        return function
    return mark


class Run:
    """What `convene run --out` left behind."""

    def __init__(self, directory, is_inline=False):
        self.directory = directory
        self.is_inline = is_inline   # all agents in one process: seconds are of them together
        with open(f'{directory}/rounds.csv', encoding='utf-8') as lines:
            rows = list(csv.DictReader(lines))
        self.rounds = rows[:-1]      # a row a commit, as in rounds.csv
        self.final_loss = float(rows[-1]['loss'] or 'nan')
        with open(f'{directory}/run.json', encoding='utf-8') as text:
            self.info = json.load(text)

    def column(self, name):
        """Numbers of one column, a value a round; NaN where there is none."""
        return [float(row[name] or 'nan') for row in self.rounds]

    @property
    def losses(self):
        """[R+1] loss of version 0, 1, ...: the last is the final model's."""
        return self.column('loss') + [self.final_loss]

    @property
    def accuracy(self):
        return self.info['final']['test']['value']

    @property
    def bytes(self):
        """Of all messages both ways, all agents."""
        last = self.rounds[-1]
        return int(last['bytes_up']) + int(last['bytes_down'])

    @property
    def payload_up(self):
        return int(self.rounds[-1]['payload_up'])

    @property
    def seconds(self):
        return float(self.rounds[-1]['seconds'])

    @property
    def iterations(self):
        return sum(int(row['local_steps']) for row in self.rounds)

    def rounds_to(self, loss):
        """Commits until the loss is at most this; infinite if never."""
        return next((i for i, value in enumerate(self.losses) if value <= loss), float('inf'))

    def model(self):
        """The final model, a list of numbers (model.npy: a header of text, then float64 or float32)."""
        with open(f'{self.directory}/model.npy', 'rb') as file:
            content = file.read()
        start = 10 + int.from_bytes(content[8:10], 'little')
        return list(array.array('d' if b"'<f8'" in content[:start] else 'f', content[start:]))


class Lab:
    """One row's view of the harness."""

    def __init__(self, harness, row, seeds):
        self._harness = harness
        self.row = row
        self.first_seed = harness.first_seed
        self.seeds = seeds
        self.is_sabotaged = harness.is_sabotaged

    @property
    def build(self):
        """Where the programs are."""
        return self._harness.build

    def directory(self):
        """A new directory among the report's runs."""
        return tempfile.mkdtemp(prefix=f'{self.row.id}-', dir=f'{self._harness.out}/runs')

    def data(self, name):
        """Path of a file of the test data."""
        path = os.path.join(self._harness.data, name)
        if not os.path.exists(path):
            raise Skipped(f'{name} is not in {self._harness.data} (CONVENE_TEST_DATA)')
        return path

    def lines(self, name):
        """How many rows a file of the test data has."""
        with lzma.open(self.data(name)) as rows:
            return sum(1 for _ in rows)

    def prepared(self, name, make):
        """Path of a file made once by make(path)."""
        return self._harness.prepared(name, make)

    def run(self, settings, agents, method=None, plain=None, data=None, test=None, inline=False, arguments=()):
        """One `convene run`: `settings`, and those of the row's `method`; with --sabotage those of `plain` instead."""
        chosen = dict(settings)
        chosen.update((plain if self.is_sabotaged else method) or {})
        if method:
            self._harness.note(self.row, self._harness.command(chosen, agents, data, test, inline, arguments))
        return self._harness.run(chosen, agents, data, test, inline, arguments)

    def optimum(self, data, l2):
        """Least loss of logistic regression: Newton's method on one agent, whatever the data is."""
        settings = {'problem/kind': 'logistic', 'problem/l2': l2, 'policy/local-steps': 1, 'solver/kind': 'newton',
                    'run/rounds': 20}
        return self._harness.run(settings, 1, data, None, True, ()).final_loss

    def side_by_side(self, function, items):
        """[function(item) for each item], several at a time unless the row is timed."""
        if self.row.is_timed:
            return [function(item) for item in items]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(function, items))

    def runs(self, calls):
        """Several runs side by side, each the keyword arguments of run()."""
        return self.side_by_side(lambda call: self.run(**call), calls)

    def repeats(self, settings, agents, count, method=None, plain=None):
        """[(rounds, final loss)] of `count` inline runs with the seeds run/seed and on, for problems without data."""
        chosen = dict(settings)
        chosen.update((plain if self.is_sabotaged and plain else method) or {})
        if method:
            self._harness.note(self.row, self._harness.command(chosen, agents, None, None, True, ('--repeat', str(count))))
        return self._harness.repeats(chosen, agents, count)

    def losses(self, calls):
        """Final losses of several runs, as runs(); infinite where a run gave up on numbers that are not finite."""
        def attempt(call):
            try:
                loss = self.run(**call).final_loss
            except RuntimeError as failure:
                if 'not finite' not in str(failure):
                    raise
                loss = float('inf')
            return loss if loss == loss else float('inf')

        return self.side_by_side(attempt, calls)

    def verdict(self, holds, measured):
        return Verdict(bool(holds), measured)

    def figure(self, name, title, curves, columns=('loss',), axes=('rounds', 'bytes', 'seconds'), floor=0.0,
               cost=lambda exchanges: 1):
        """A plot for the report: curves is {label: Run}; each column, less floor, against each of figures.LABELS in axes.
        cost(exchanges): rounds that one of so many exchanges counts for."""
        self.chart(name, title, [figures.panel(curves, axis, column, floor, cost) for column in columns for axis in axes])

    def chart(self, name, title, panels):
        """A plot for the report of figures.Panels."""
        self._harness.figures[name] = (title, panels)


class Harness:
    """All runs of one call of run.sh."""

    def __init__(self, out, build, data, first_seed, is_sabotaged):
        self.out = out
        self.build = build
        self.data = data
        self.first_seed = first_seed  # also what data is drawn and dealt with
        self.is_sabotaged = is_sabotaged
        self.figures = {}
        self.commands = {}  # {row: how its method was started first}
        self._runs = {}
        self._lock = threading.Lock()
        self._locks = {}
        os.makedirs(f'{out}/runs', exist_ok=True)

    def _lock_of(self, key):
        with self._lock:
            return self._locks.setdefault(key, threading.Lock())

    def prepared(self, name, make):
        path = f'{self.out}/data/{name}'
        with self._lock_of(path):
            if not os.path.exists(path):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                make(path + '.new')
                os.rename(path + '.new', path)
        return path

    def note(self, row, command):
        self.commands.setdefault(row.id, command)

    def command(self, settings, agents, data, test, inline, arguments):
        command = [f'{self.build}/convene', 'run', '--quiet', '--agents', str(agents)]
        command += ['--inline'] if inline else []
        command += ['--data', data] if data else []
        command += ['--test', test] if test else []
        command += list(arguments)
        for key in sorted(settings):
            command += ['--set', f'{key}={settings[key]}']
        return command

    def run(self, settings, agents, data, test, inline, arguments):
        command = self.command(settings, agents, data, test, inline, arguments)
        key = hashlib.sha256('\0'.join(command).encode()).hexdigest()[:16]
        with self._lock_of(key):
            if key not in self._runs:
                directory = f'{self.out}/runs/{key}'
                result = subprocess.run(command + ['--out', directory], capture_output=True, text=True,
                                        timeout=PROGRAM_TIMEOUT, check=False)
                if result.returncode != 0:
                    raise RuntimeError(f'{" ".join(command)}: exit {result.returncode}: {result.stderr.strip()[-400:]}')
                self._runs[key] = Run(directory, inline)
            return self._runs[key]

    def repeats(self, settings, agents, count):
        """In as many processes as there are cores: each takes the next of the seeds."""
        cores = os.cpu_count()
        cuts = [count * part // cores for part in range(cores + 1)]
        with ThreadPoolExecutor(cores) as pool:
            parts = pool.map(lambda first, last: self._repeats(
                {**settings, 'run/seed': settings['run/seed'] + first}, agents, last - first), cuts, cuts[1:])
            return [line for part in parts for line in part]

    def _repeats(self, settings, agents, count):
        command = [f'{self.build}/convene', 'run', '--inline', '--agents', str(agents), '--repeat', str(count)]
        for key in sorted(settings):
            command += ['--set', f'{key}={settings[key]}']
        name = '\0'.join(command)
        with self._lock_of(name):
            if name not in self._runs:
                result = subprocess.run(command, capture_output=True, text=True, timeout=PROGRAM_TIMEOUT, check=False)
                if result.returncode != 0:
                    raise RuntimeError(f'{" ".join(command)}: exit {result.returncode}: {result.stderr.strip()[-400:]}')
                lines = (line.split(',') for line in result.stdout.splitlines()[1:])
                self._runs[name] = [(int(rounds), float(loss)) for _, rounds, loss in lines]
            return self._runs[name]
