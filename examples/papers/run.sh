#!/usr/bin/env bash
# The claims of the papers, measured on a cluster on this machine: each row of the table says what is
# claimed, what was measured, the threshold, and whether the claim holds. See README.md beside this.
#
#   bash examples/papers/run.sh [--quick] [--sabotage] [--seeds N] [--first-seed N] [--out DIR] [--list] [ID...]
#
# --quick      the rows and seeds the normal tests run
# --sabotage   plain averaging in place of each row's method, one seed: the rows about a method must then fail
# --seeds      how many seeds, instead of each row's own number
# --first-seed seeds N, N + 1, ... instead of 1, 2, ...; data that is drawn or dealt is drawn by it too
# ID           rows or families of rows: A1, or A for all of them; default: every row
#
# BUILD: where the programs are (default: build, or else build-release). CONVENE_TEST_DATA: the data sets.
# Leaves report.md with its plots in DIR (default: result-papers). Exit code: 0 every claim holds
# (--sabotage: every claim about a method fails), 1 not so, 2 asked wrongly, 77 no data.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(realpath "$here/../..")
[ -x "$root/build/convene" ] || [ ! -x "$root/build-release/convene" ] || BUILD=${BUILD:-$root/build-release}
export BUILD=${BUILD:-$root/build}
export CONVENE_TEST_DATA=${CONVENE_TEST_DATA:-$(realpath -m "$root/../shared/data")}
exec python3 "$here/main.py" "$@"
