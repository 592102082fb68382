#!/bin/bash
# convene run with four agents on real data comes as near to the published optima as the papers say.
. "$(dirname "$0")/tap.sh"
DATA=${CONVENE_TEST_DATA:-$(dirname "$0")/../../../shared/data}
PATH=$BUILD:$PATH
export PATH
cd "$DIR" || exit 1

if [ ! -r "$DATA/optima.json" ]; then
    ok 0 "optima # SKIP no test data in $DATA"
    exit 0
fi

# gap ROUNDS DATA L2 OPTION...: how far the final loss of that run is above the optimum.
gap() {
    local rounds=$1 name=$2 l2=$3
    shift 3
    timeout 100 convene run --quiet --agents 4 --data "$DATA/$name.libsvm.xz" --set problem/l2="$l2" \
        --set run/rounds="$rounds" --out "$name" "$@" || return 1
    awk -F, -v best="$(optimum "$name" "$l2")" 'END { printf "%.3e\n", $6 - best }' "$name/rounds.csv"
}
optimum() {
    jq -r --arg name "logistic:$1" --arg l2 "$2" \
        '.[] | select(.name == $name) | .optima[] | select(.lambda_is == $l2) | .f_star' "$DATA/optima.json"
}
below() { awk -v gap="$1" -v most="$2" 'BEGIN { exit !(gap != "" && gap < most && gap > -1e-12) }' || { echo "gap $1"; return 1; }; }
above() { awk -v gap="$1" -v least="$2" 'BEGIN { exit !(gap > least) }' || { echo "gap $1"; return 1; }; }

fixed=$(gap 3 a9a 1/n)
check "a9a, L = 3: within 2e-4 after 3 rounds" below "$fixed" 2e-4
check "a9a, L = 3: stays above 1e-5" above "$(gap 10 a9a 1/n)" 1e-5
check "a9a, adaptive-l: within 1e-8 after 14 rounds" below "$(gap 14 a9a 1/n --set policy/kind=adaptive-l)" 1e-8
check "phishing, adaptive-l: within 1e-8 after 14 rounds" below "$(gap 14 phishing 1e-4 --set policy/kind=adaptive-l)" 1e-8
check "w8a, adaptive-l: within 1e-6 after 20 rounds" below "$(gap 20 w8a 1/n --set policy/kind=adaptive-l)" 1e-6
check "w8a, adaptive-l: within 1e-8 after 30 rounds" below "$(gap 30 w8a 1/n --set policy/kind=adaptive-l)" 1e-8
