#!/usr/bin/env bash
# Every method of the papers on your own data, one after another, and a table of where they lead.
#
#   bash examples/methods.sh --data FILE      LIBSVM text or CSV; two classes, unless --set says otherwise
#                            [--agents N]     that share the rows [4]
#                            [--steps N]      local steps of each agent [400]
#                            [--set PATH=VALUE]...  any setting, over problem/l2=1/n and those of each method
#                            [--out DIRECTORY]      for the reports [result-methods]
#                            [--list]         print the commands and end
#                            [NAME...]        these methods alone
#
# The programs are taken from PATH, build or build-release. Step sizes are convene's own, not tuned: solver/step
# for sgd and its kin, from solver/smoothness for those that draw blocks. A round of the asynchronous methods is one
# agent's answer. Algorithms of Mishchenko et al. 2020 are numbered as in arXiv 1901.09437.
set -euo pipefail
root=$(realpath "$(dirname "$0")/..")

# NAME | paper | settings
methods='
localnewton | Gupta et al. 2021, Algorithm 1 | solver/kind=newton policy/local-steps=3
adaptive-l | Gupta et al. 2021, Algorithm 2 | policy/kind=adaptive-l
giant | Wang et al. 2018 | solver/kind=giant
ibcd | Mishchenko et al. 2020, Algorithm 1 | solver/kind=blocks encoding/up=blocks
ibgd | Mishchenko et al. 2020, Algorithm 3 | solver/kind=ibgd encoding/up=blocks
isega | Mishchenko et al. 2020, Algorithm 2, h_i with the agents | solver/kind=isega optimiser/kind=sega encoding/up=blocks
isega-server | Mishchenko et al. 2020, Algorithm 2, h_i on the server | solver/kind=isega-raw optimiser/kind=sega-table encoding/up=blocks
isega-l1 | Mishchenko et al. 2020, Algorithm 2, R = 1e-3 l1 | solver/kind=isega optimiser/kind=sega encoding/up=blocks optimiser/l1=1e-3 solver/step-rule=given
isaga | Mishchenko et al. 2020, Algorithm 5, distributed data | solver/kind=isaga encoding/up=blocks
isaga-shared | Mishchenko et al. 2020, Algorithm 4, shared data | solver/kind=isaga-shared optimiser/kind=saga-table encoding/up=blocks data/shared=true
saga | Mishchenko et al. 2020, Algorithm 4 with n = 1 | solver/kind=isaga-shared optimiser/kind=saga-table encoding/up=blocks data/shared=true run/agents=1
isgd | Mishchenko et al. 2020, Algorithm 6 | solver/kind=isgd encoding/up=blocks
accelerated | Mishchenko et al. 2020, Algorithm 7 | solver/kind=isgd solver/batch=0 optimiser/kind=accelerated encoding/up=blocks solver/step-rule=given
async-isgd | Mishchenko et al. 2020, Algorithm 8 | solver/kind=isgd optimiser/kind=async-isgd encoding/up=blocks sync/mode=async sync/damping=0 sync/staleness=1000
async-l1 | Mishchenko et al. 2020, Algorithm 8, R = 1e-3 l1 | solver/kind=isgd optimiser/kind=async-isgd encoding/up=blocks sync/mode=async sync/damping=0 sync/staleness=1000 optimiser/l1=1e-3 solver/step-rule=given
savic-adam | Chezhegov et al. 2024, two round trips | solver/kind=savic solver/scaling=adam
savic-rmsprop | Chezhegov et al. 2024, two round trips | solver/kind=savic solver/scaling=rmsprop
savic-adagrad | Chezhegov et al. 2024, two round trips | solver/kind=savic solver/scaling=adagrad
savic-oasis | Chezhegov et al. 2024, two round trips | solver/kind=savic solver/scaling=oasis
savic-adahessian | Chezhegov et al. 2024, two round trips | solver/kind=savic solver/scaling=adahessian
savic-one-trip | Chezhegov et al. 2024, one round trip | solver/kind=savic solver/scaling=adam optimiser/kind=scaled
savic-local | Chezhegov et al. 2024, local scaling | solver/kind=savic-local solver/scaling=adam
adpsgd | Jiang and Agrawal 2020 | solver/kind=sgd policy/kind=adaptive-period
growing | Spiridonoff et al. 2021, R rounds that grow | solver/kind=sgd policy/kind=growing policy/rounds=20
one-shot | Spiridonoff et al. 2021, one round | solver/kind=sgd policy/kind=one-shot
fedac | Yuan and Ma 2020, Algorithm 1 | solver/kind=fedac policy/local-steps=8
dynamic | Theologitis et al. 2025, Theta learnt | solver/kind=sgd policy/kind=dynamic
diloco | Douillard et al. 2023, Algorithm 1 | solver/kind=adam solver/step=1e-3 optimiser/kind=nesterov policy/local-steps=50
trimmed-mean | Yin et al. 2018 | solver/kind=sgd aggregate/kind=trimmed-mean aggregate/trim=0.25
median | Yin et al. 2018 | solver/kind=sgd aggregate/kind=median
clipped-mean | Sun et al. 2019 | solver/kind=sgd aggregate/kind=clipped-mean
multi-krum | Blanchard et al. 2017 | solver/kind=sgd aggregate/kind=multi-krum
budget | of convene itself, 200 kB | solver/kind=sgd policy/kind=budget policy/budget-bytes=200000
'
data='' agents=4 steps=400 out=result-methods is_list='' sets=() names=()

fail() { echo "methods: $1" >&2; exit 2; }
while [ $# -gt 0 ]; do
    case $1 in
    --data | --agents | --steps | --out | --set) [ $# -ge 2 ] || fail "$1 needs a value" ;;
    esac
    case $1 in
    --data) data=$2; shift ;;
    --agents) agents=$2; shift ;;
    --steps) steps=$2; shift ;;
    --out) out=$2; shift ;;
    --set) sets+=("$2"); shift ;;
    --list) is_list=yes ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    -*) fail "unknown argument $1: see --help" ;;
    *) grep -q "^$1 |" <<< "$methods" || fail "no method $1: see --list"; names+=("$1") ;;
    esac
    shift
done
PATH=$PATH:$root/build:$root/build-release
if [ -z "$is_list" ]; then
    [ -r "$data" ] || fail "--data FILE: which data? cannot read '$data'"
    command -v convene > /dev/null || fail "no programs: build them first (bash examples/quickstart.sh)"
    mkdir -p "$out"
    printf '%-17s %7s %12s %12s  %s\n' method rounds loss 'values up' paper
fi

failed=0
while IFS='|' read -r name paper settings; do
    name=${name// /} paper=${paper# } paper=${paper% }
    [ -n "$name" ] || continue
    [ ${#names[@]} -eq 0 ] || [[ " ${names[*]} " == *" $name "* ]] || continue
    command=(convene run --data "${data:-FILE}")
    for setting in "run/agents=$agents" "run/iterations=$steps" problem/l2=1/n $settings "${sets[@]}"; do command+=(--set "$setting"); done
    command+=(--out "$out/$name")
    if [ -n "$is_list" ]; then
        echo "# $name: $paper"
        echo "${command[*]}"
    elif "${command[@]}" --quiet; then
        # The last row is the final model's; its fields 1 to 11 hold no commas.
        printf '%-17s %7s %12s %12s  %s\n' "$name" \
            $(awk -F, 'END { printf "%d %.6f %d", NR - 2, $6, $11 / 8 }' "$out/$name/rounds.csv") "$paper"
    else
        failed=1
    fi
done <<< "$methods"
exit $failed
