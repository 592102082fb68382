"""The command line of run.sh: picks rows, runs them, prints the table, writes the report."""
import argparse
import glob
import importlib
import os
import re
import resource
import shutil
import signal
import sys
import time
import traceback

import lab
import report

HERE = os.path.dirname(os.path.abspath(__file__))
NO_DATA = 77


def families():
    for path in sorted(glob.glob(f'{HERE}/rows/*.py')):
        importlib.import_module('rows.' + os.path.basename(path)[:-3])
    lab.ROWS.sort(key=lambda row: (row.id[0], int(re.search(r'\d+', row.id).group()), row.id))


def refuse(text):
    """Asked wrongly."""
    print(text, file=sys.stderr)
    sys.exit(2)


def chosen(arguments):
    rows = [row for row in lab.ROWS if not arguments.quick or row.quick > 0]
    if arguments.sabotage:
        rows = [row for row in rows if row.is_method]
    for wanted in arguments.ids:
        if not any(wanted in (row.id, row.id[0]) for row in lab.ROWS):
            refuse(f'no row {wanted}: there are ' + ' '.join(row.id for row in lab.ROWS))
    return [row for row in rows if not arguments.ids or row.id in arguments.ids or row.id[0] in arguments.ids]


def processor_seconds():
    """Of this process and all that it has waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def measure(harness, row, count):
    """The row with so many seeds."""
    began, worked, load = time.monotonic(), processor_seconds(), os.getloadavg()[0]
    seeds = range(harness.first_seed, harness.first_seed + count)
    try:
        verdict = row.function(lab.Lab(harness, row, seeds))
        word, measured = ('holds' if verdict.holds else 'FAILS'), verdict.measured
    except lab.Skipped as why:
        word, measured = 'skipped', str(why)
    except Exception as error:  # a row that breaks must not hide the others
        traceback.print_exc()
        word, measured = 'BROKEN', f'{type(error).__name__}: {error}'
    return report.Result(row, seeds, word, measured, time.monotonic() - began, processor_seconds() - worked, load)


def main():
    parser = argparse.ArgumentParser(prog='run.sh', description='Measures the claims of the papers: see README.md.')
    parser.add_argument('--quick', action='store_true', help='the rows and seeds of the normal tests')
    parser.add_argument('--sabotage', action='store_true', help='plain averaging in place of each method')
    parser.add_argument('--seeds', type=int, default=0, help='seeds for every row (default: its own number)')
    parser.add_argument('--first-seed', type=int, default=1, metavar='N', help='seeds N, N + 1, ... (default: 1)')
    parser.add_argument('--out', default='result-papers', help='directory of report and runs')
    parser.add_argument('--list', action='store_true', help='print the rows and end')
    parser.add_argument('ids', nargs='*', metavar='ID', help='rows, or families by their letter')
    arguments = parser.parse_args()
    families()
    rows = chosen(arguments)
    if arguments.list:
        for row in rows:
            print(f'{row.id:4} {row.claim}  [{row.threshold}]  ({row.paper})')
        return 0
    if not os.access(f'{os.environ["BUILD"]}/convene', os.X_OK):
        refuse(f'no programs in {os.environ["BUILD"]}: build them first, or set BUILD')
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that namespaces and daemons go too
    shutil.rmtree(arguments.out, ignore_errors=True)
    harness = lab.Harness(os.path.abspath(arguments.out), os.environ['BUILD'], os.environ['CONVENE_TEST_DATA'],
                          arguments.first_seed, arguments.sabotage)
    began = time.monotonic()
    results = []
    for row in rows:
        count = arguments.seeds or (row.quick if arguments.quick else 1 if arguments.sabotage else row.seeds)
        results.append(measure(harness, row, count))
        report.print_row(results[-1])
    path = report.write(harness, results, time.monotonic() - began)
    print(f'report: {path}')
    if arguments.sabotage:
        unharmed = [result.row.id for result in results if result.word not in ('FAILS', 'skipped')]
        print(f'{len(results)} rows without their method; not failing: {" ".join(unharmed) or "none"}')
        return 1 if unharmed else 0
    if results and all(result.word == 'skipped' for result in results):
        return NO_DATA
    bad = [result.row.id for result in results if result.word in ('FAILS', 'BROKEN')]
    print(f'{len(results)} rows; not holding: {" ".join(bad) or "none"}')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
