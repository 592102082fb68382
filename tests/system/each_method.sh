#!/bin/bash
# examples/methods.sh: every method of the papers runs as it is written there.
. "$(dirname "$0")/tap.sh"
methods=$(realpath "$(dirname "$0")/../../examples/methods.sh")
cd "$DIR" || exit 1
PATH=$BUILD:$PATH
export PATH XDG_RUNTIME_DIR="$DIR"

awk 'BEGIN {
    srand(1)
    for (i = 0; i < 80; i++) {
        a = rand() - 0.5; b = rand() - 0.5; c = rand() - 0.5; d = rand() - 0.5
        printf "%d 1:%.6f 2:%.6f 3:%.6f 4:%.6f\n", (a + 0.3 * b + 0.1 * c > 0 ? 1 : -1), a, b, c, d
    }
}' > rows.libsvm
two() { [ "$(bash "$methods" --data rows.libsvm --steps 8 isega saga --out two | wc -l)" = 3 ]; }
better() { awk 'NR > 1 && !($3 < 0.6931) { print; bad = 1 } END { exit bad || NR < 2 }' "$1"; }

bash "$methods" --list > list
bash "$methods" --data rows.libsvm --steps 40 > table
check "all run" [ $? = 0 ]
check "a line for each and one above" [ "$(wc -l < table)" = $(($(grep -c '^#' list) + 1)) ]
check "and leave zeros for something better" better table
check "some alone" two
check "none of another name" refuses 2 "no method nothing" bash "$methods" --data rows.libsvm nothing
check "nor without data" refuses 2 "which data" bash "$methods" isega
