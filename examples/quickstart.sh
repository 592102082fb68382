#!/usr/bin/env bash
# Installs, builds, and trains softmax regression on real images with a daemon and 4 agents, twice:
# under an adaptive policy, which lets the agents work alone as long as that costs nothing, and,
# for comparison, averaging after every step. Same data, seed, solver and number of local steps.
#
#   bash examples/quickstart.sh                          Fashion-MNIST, from Debian's package
#   bash examples/quickstart.sh --data FILE              your own: LIBSVM text, CSV, or IDX images with
#                               [--test FILE]            their labels beside them; plain, .gz, .xz
#                               [--set PATH=VALUE]...    any setting, for both runs
#                               [--out DIRECTORY]        for the reports [result-quickstart]
#
# On a fresh Debian 12, as root or with sudo. Under three minutes on 2 cores after the installs.
set -euo pipefail
root=$(realpath "$(dirname "$0")/..")
data='' test='' out=result-quickstart sets=()

fail() { echo "quickstart: $1" >&2; exit 2; }
while [ $# -gt 0 ]; do
    case $1 in
    --data | --test | --out | --set) [ $# -ge 2 ] || fail "$1 needs a value" ;;
    esac
    case $1 in
    --data) data=$2; shift ;;
    --test) test=$2; shift ;;
    --out) out=$2; shift ;;
    --set) sets+=(--set "$2"); shift ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) fail "unknown argument $1: see --help" ;;
    esac
    shift
done

for file in "$data" "$test"; do
    [ -z "$file" ] || [ -r "$file" ] || fail "cannot read $file"
done

purposes=(build plot)
[ -n "$data" ] || purposes+=(data)
bash "$root/tests/support/packages.sh" "${purposes[@]}"
if [ -z "$data" ]; then
    files=$(dpkg -L dataset-fashion-mnist)
    data=$(grep 'train-images-idx3' <<< "$files")
    test=$(grep 't10k-images-idx3' <<< "$files")
fi

build=$root/build-release
echo "== building (release)"
quietly=$root/tests/support/quietly.sh
[ -e "$build/build.ninja" ] || bash "$quietly" meson setup "$build" "$root" --buildtype=release -Dtests=disabled
bash "$quietly" ninja -C "$build" convened convene-agent convene

# 6000 local steps for each agent, either way; the step size falls to a tenth after 4500.
common=(--agents 4 --data "$data" --set problem/kind=softmax --set problem/l2=1e-4
    --set solver/kind=sgd --set solver/batch=64 --set solver/step=0.1 --set solver/decay-at=4500
    --set run/iterations=6000)
[ -z "$test" ] || common+=(--test "$test")
mkdir -p "$out"

run() { # NAME SETTING...
    local name=$1
    shift
    "$build/convene" run "${common[@]}" "$@" "${sets[@]}" --out "$out/$name"
}
echo
echo "== an adaptive policy: ADPSGD keeps the spread of the agents' models in proportion to the step size"
run adaptive --set policy/kind=adaptive-period --set policy/period=32 --set policy/evaluate=10
echo
echo "== for comparison: averaging after every step"
run every-step --set policy/kind=fixed --set policy/local-steps=1 --set policy/evaluate=200

# The last row of rounds.csv is the final model's; its fields 1 to 11 hold no commas.
column() { # NAME: rounds, bytes, seconds, loss, accuracy
    awk -F, 'END { printf "%d %.1f %.1f %.5f", NR - 2, ($9 + $10) / 1e6, $2, $6 }' "$out/$1/rounds.csv"
    sed -n '/"test": {/,/}/s/.*"value": \([0-9.e-]*\),*/\1/p' "$out/$1/run.json" | xargs -r printf ' %.4f'
}
read -r r1 b1 s1 l1 a1 <<< "$(column adaptive)"
read -r r2 b2 s2 l2 a2 <<< "$(column every-step)"
score=$(sed -n 's/.*"metric": "\(.*\)".*/\1/p' "$out/adaptive/run.json")
echo
printf '%-16s %12s %12s\n' '' adaptive 'every step'
printf '%-16s %12s %12s\n' rounds "$r1" "$r2" 'megabytes sent' "$b1" "$b2" seconds "$s1" "$s2" \
    'final loss' "$l1" "$l2" "test ${score:-score}" "${a1:--}" "${a2:--}"
echo
echo "On one machine traffic is cheap; between machines the megabytes are what you wait for."
"$build/convene" plot "$out/adaptive" "$out/every-step" --out "$out/compare.svg" && echo "Both in one plot: $out/compare.svg"
echo "Reports: $out/adaptive and $out/every-step (rounds.csv, convergence.svg, model.npy, model.json, run.json, logs/)"
echo "Next: export PATH=$build:\$PATH, for \"convene --help\" and the like; bash examples/methods.sh tries every method."
