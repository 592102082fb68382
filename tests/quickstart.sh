#!/usr/bin/env bash
# The first command of the README: ends with a table in which the adaptive policy needs a tenth of
# the megabytes for the same loss, and leaves both reports. Writes TAP.
set -u
root=$(realpath "$(dirname "$0")/..")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
count=0

say() { # CODE TEXT
    count=$((count + 1))
    [ "$1" -eq 0 ] && echo "ok $count - $2" || echo "not ok $count - $2"
}
row() { awk -v name="$1" 'index($0, name) == 1 { print $(NF - 1), $NF }' "$out/log"; }

bash "$root/examples/quickstart.sh" --out "$out/result" > "$out/log" 2>&1
say $? "ends with 0"
sed 's/^/# /' "$out/log" | tail -n 12
read -r adaptive every <<< "$(row 'megabytes sent')"
awk -v a="$adaptive" -v b="$every" 'BEGIN { exit !(a > 0 && a < b / 10) }'
say $? "a tenth of the megabytes"
read -r adaptive every <<< "$(row 'final loss')"
awk -v a="$adaptive" -v b="$every" 'BEGIN { exit !(a > 0 && a < b * 1.01) }'
say $? "the same loss within one in a hundred"
read -r adaptive every <<< "$(row 'test accuracy')"
awk -v a="$adaptive" -v b="$every" 'BEGIN { exit !(a > 0.82 && b > 0.82) }'
say $? "the accuracy that softmax regression has on these images"
[ -s "$out/result/adaptive/model.npy" ] && [ -s "$out/result/every-step/rounds.csv" ]
say $? "both reports are there"
echo "1..$count"
