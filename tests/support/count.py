#!/usr/bin/env python3
"""Counts test cases over meson's logs, and checks skips against tests/skips.txt.

usage: count.py SKIPS LOG...

A log is meson-logs/testlog*.json. A program that writes TAP counts case by case, any other as one.
Prints failures and unlisted skips, then "N passed, N failed, N skipped"; exits 1 if any failed.
"""
import json
import os
import re
import subprocess
import sys

CASE = re.compile(r'^(not )?ok\b[ \d]*-? *(.*?)(?: +# *SKIP *(.*))?$')


def cases(test):
    """Yields (name, outcome, detail) of one entry of a log."""
    name = test['name'].split(' / ')[-1]
    found = []
    for line in (test.get('stdout') or '').splitlines():
        match = CASE.match(line)
        if match:
            what = re.sub(r' +\(\d+\.\d+s\)$', '', match.group(2))
            outcome = 'failed' if match.group(1) else 'skipped' if match.group(3) is not None else 'passed'
            found.append((what, outcome, match.group(3) or ''))
    outcome = {'OK': 'passed', 'EXPECTEDFAIL': 'passed', 'SKIP': 'skipped'}.get(test['result'], 'failed')
    if not found:
        return [(name, outcome, '')]
    if outcome == 'failed' and all(case[1] != 'failed' for case in found):
        found.append((name, 'failed', test['result'].lower()))
    return [(f'{name}: {what}', result, detail) for what, result, detail in found]


def can_run_containers():
    script = os.path.join(os.path.dirname(__file__), '..', 'docker.sh')
    return subprocess.run(['bash', script, '--can'], check=False).returncode == 0


def allowed(path):
    """The names that may be skipped here: NAME | CONDITION | REASON."""
    names = set()
    data = os.environ.get('CONVENE_TEST_DATA', '')
    namespaces = subprocess.run(['unshare', '--net', 'true'], stderr=subprocess.DEVNULL, check=False)
    holds = {
        'always': True,
        'no-data': not os.path.isdir(data),
        'no-root': os.geteuid() != 0,
        'no-ipv6': not os.path.exists('/proc/net/if_inet6'),
        'no-namespaces': namespaces.returncode != 0,
        'no-engine': not can_run_containers(),
    }
    with open(path, encoding='utf-8') as lines:
        for line in lines:
            if line.strip() and not line.startswith('#'):
                name, condition, _ = (part.strip() for part in line.split('|'))
                if holds[condition]:
                    names.add(name)
    return names


def main():
    may_skip = allowed(sys.argv[1])
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}
    for log in sys.argv[2:]:
        where = os.path.basename(os.path.dirname(os.path.dirname(log)))
        with open(log, encoding='utf-8') as lines:
            for line in lines:
                for name, outcome, detail in cases(json.loads(line)):
                    if outcome == 'skipped' and name not in may_skip:
                        print(f'skipped, but not listed in tests/skips.txt ({where}): {name}: {detail}')
                        outcome = 'failed'
                    elif outcome == 'failed':
                        print(f'failed ({where}): {name}: {detail}')
                    counts[outcome] += 1
    print('{passed} passed, {failed} failed, {skipped} skipped'.format(**counts))
    return 1 if counts['failed'] else 0


if __name__ == '__main__':
    sys.exit(main())
