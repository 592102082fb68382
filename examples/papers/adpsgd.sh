#!/usr/bin/env bash
# Adaptive periodic averaging (Jiang and Agrawal 2020, arXiv 2007.06134) against a fixed period.
#
# A network 784-32-10 on 8,000 images of MNIST, 8 agents, minibatches of 16, 2,000 iterations,
# momentum 0.9, step size 0.2 that falls tenfold at 50 % and at 75 %. For each seed four runs:
# adaptive-period, fixed L = 7, fixed L = 8, and adaptive-period at a constant step size. Prints
# what they did and whether the claims hold; about half a minute a seed on two cores.
#
#   bash examples/papers/adpsgd.sh [SEEDS] [DIRECTORY]     default: 5 seeds; results kept if named
#
# BUILD: where the programs are (default: build). CONVENE_TEST_DATA: where the two MNIST t10k files
# are. Exit code: 0 all claims hold, 1 one does not, 77 no data.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "${BUILD:-$here/../../build}")
data=$(realpath -m "${CONVENE_TEST_DATA:-$here/../../../shared/data}")
seeds=${1:-5}
if [ ! -e "$data/mnist-t10k-images-idx3-ubyte.gz" ]; then
    echo "skipped: $data has no mnist-t10k-images-idx3-ubyte.gz (CONVENE_TEST_DATA names another directory)"
    exit 77
fi
if [ $# -gt 1 ]; then
    mkdir -p "$2"
    out=$(realpath "$2")
else
    out=$(mktemp -d "${TMPDIR:-/tmp}/adpsgd.XXXXXX")
fi
python3 "$here/adpsgd.py" split "$data" "$out"

# train NAME SETTING...
train() {
    local name=$1 settings=()
    shift
    for setting in problem/kind=mlp problem/hidden=32 run/start=random solver/kind=sgd solver/step=0.2 \
        solver/momentum=0.9 solver/batch=16 solver/decay-at=1000,1500 run/iterations=2000 run/rounds=0 \
        policy/evaluate=0 "$@"; do
        settings+=(--set "$setting")
    done
    rm -rf "${out:?}/$name"
    "$build/convene" run --quiet --agents 8 --data "$out/train-images-idx3-ubyte" --test "$out/test-images-idx3-ubyte" \
        --out "$out/$name" "${settings[@]}"
}

for seed in $(seq "$seeds"); do
    train "adaptive-$seed" run/seed="$seed" policy/kind=adaptive-period
    train "fixed7-$seed" run/seed="$seed" policy/kind=fixed policy/local-steps=7
    train "fixed8-$seed" run/seed="$seed" policy/kind=fixed policy/local-steps=8
    train "constant-$seed" run/seed="$seed" policy/kind=adaptive-period solver/decay-at=
done
code=0
python3 "$here/adpsgd.py" table "$out" "$seeds" || code=$?
if [ $# -gt 1 ]; then
    echo "results are in $out"
else
    rm -rf "$out"
fi
exit $code
