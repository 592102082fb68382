#!/bin/sh
# Unequal hosts in network namespaces, as examples/hosts/hosts.sh plays them: who waits for whom, what
# balancing saves, and that nothing is left of it.
. "$(dirname "$0")/tap.sh"
EXAMPLE=$(dirname "$0")/../../examples/hosts/hosts.sh
ip netns list >"$DIR/before" 2>/dev/null

bash "$EXAMPLE" --build "$BUILD" --rounds 8 >"$DIR/hosts.log" 2>&1
code=$?
if [ $code -eq 77 ]; then
    trap - EXIT
    echo "1..0 # SKIP $(sed -n 's/^hosts: skipped: //p' "$DIR/hosts.log")"
    rm -rf "$DIR"
    exit 0
fi
ok $code "three hosts train a model twice"

# column RUN HOST N: field N of the host's row in the table of that run.
column() {
    awk -v run="== $1" -v host="$2" -v n="$3" '
        /^==/ { inside = ($0 == run) } inside && $1 == host { print $n }' "$DIR/hosts.log"
}
figure() { awk -v run="$1" -v n="$2" '$1 == run { print $n }' "$DIR/hosts.log"; }
less() { awk "BEGIN { exit !(($1) < ($2)) }" || { echo "$1 is not less than $2"; return 1; }; }
equal() { [ "$1" = "$2" ] || { echo "$1 is not $2"; return 1; }; }

check "equal steps: everybody takes 100" equal "$(column equal-steps south 4)" 100
check "the fast host waits for most of the time" less 10 "$(column equal-steps north 10)"
check "for the slow one" less 5 "$(column equal-steps south 12)"
check "which waits for nobody" less "$(column equal-steps south 10)" 0.5
check "balanced: the fast host takes more" less 150 "$(column balance-time north 4)"
check "the slow one fewer" less "$(column balance-time south 4)" 50
check "the fast host waits less than half as long" \
    less "2 * $(column balance-time north 10)" "$(column equal-steps north 10)"
check "the run takes less than three quarters of the time" \
    less "$(figure balance-time 2)" "0.75 * $(figure equal-steps 2)"
check "for the same number of iterations" equal "$(figure balance-time 3)" "$(figure equal-steps 3)"
check "and as good a model" less "$(figure balance-time 4)" "1.1 * $(figure equal-steps 4)"
check "no namespace is left" sh -c "ip netns list | diff '$DIR/before' -"

# Interrupted in the middle.
timeout --signal=INT 8 bash "$EXAMPLE" --build "$BUILD" >"$DIR/interrupted.log" 2>&1
check "Ctrl-C ends it" grep -q "takes a while" "$DIR/interrupted.log"
check "and nothing is left either" sh -c "ip netns list | diff '$DIR/before' -"
