#!/bin/sh
# sync/mode=async and quorum with real programs: a slow host holds up nobody, kills, refusals.
. "$(dirname "$0")/tap.sh"
cd "$DIR" || exit 1

awk 'BEGIN {
    srand(3)
    for (i = 0; i < 400; i++) {
        s = 0; line = ""
        for (j = 1; j <= 5; j++) { x = rand() * 2 - 1; s += x * (j - 3); line = line sprintf(" %d:%.6f", j, x) }
        print (s + rand() - 0.5 > 0 ? 1 : -1) line
    }
}' >rows.libsvm

# agent NAME SHARD STEP-SECONDS
agent() {
    start "$1" "$BUILD/convene-agent" --server "$DATA" --data rows.libsvm --name "$1" --shard "$2" \
        --set "agent/step-seconds=$3"
}

figure() { status | jq -r ".data | $1"; }
of() { figure ".agents[] | select(.name == \"$1\") | .$2"; }
beyond() { [ "$(figure "$1")" -gt "$2" ]; }
counted_beyond() { [ "$(of "$1" rounds)" -gt "$2" ]; }
refused_beyond() { [ "$(of "$1" refused)" -gt "$2" ]; }

# server NAME SETTING...: sets SERVER.
server() {
    server_name=$1
    shift
    daemon "$server_name" run/agents=2 run/rounds=0 problem/l2=1e-3 solver/kind=sgd sync/mode=async \
        policy/local-steps=10 "$@"
    SERVER=$PID
}

# --- a slow host
server slow sync/staleness=1000
agent slow-1 1/2 0.001
FAST=$PID
agent slow-2 2/2 0.05
# rounds_hold JQ-FILTER: of what one answer says of both, as $slow and $fast.
rounds_hold() {
    figure "([.agents[] | {(.name): .rounds}] | add) as \$all | \$all[\"slow-1\"] as \$fast | \$all[\"slow-2\"] as \$slow | $1" | grep -qx true
}
until_true 30 rounds_hold '$slow > 1'
ok $? "a slow agent is counted"
check "while a fast one was many times" rounds_hold '$fast > 4 * $slow'
counted=$(of slow-1 rounds)
check "each contribution is a commit" test "$(figure .run.version)" -ge "$counted"

# --- kill -9
kill -KILL "$FAST"
seen=$(of slow-2 rounds)
until_true 30 counted_beyond slow-2 $((seen + 1))
ok $? "when the fast one is killed the slow one goes on"
agent slow-1 1/2 0.001
FAST=$PID
seen=$(figure .run.version)
until_true 30 beyond .run.version $((seen + 20))
ok $? "the killed one comes back and goes on"
"$CONVENE" drain --control "$CONTROL" >drain.out
until_true 30 shows '"state":"finished"'
ok $? "a drain ends the run"
check "the agents end with 0" ends "$FAST" 0
"$CONVENE" rounds --csv --control "$CONTROL" >rounds.csv
check "the loss of the last model is known" test -n "$(tail -n 1 rounds.csv | cut -d, -f6)"
kill -TERM "$SERVER"
check "the daemon ends with 0" ends "$SERVER" 0

# --- too old
server old sync/staleness=3
agent old-1 1/2 0.001
agent old-2 2/2 0.05
until_true 30 refused_beyond old-2 0
ok $? "what is too old is refused"
check "by name and with the bound" grep -q 'the update of old-2 is [0-9]* versions old, sync/staleness allows 3' old.log
seen=$(figure .run.version)
until_true 30 beyond .run.version $((seen + 20))
ok $? "and harms no one else"
kill -TERM "$SERVER"
check "SIGTERM drains" ends "$SERVER" 0

# --- the first two of three
server first run/agents=3 sync/contributions=2 run/rounds=10 run/linger=false
for k in 1 2 3; do
    agent "first-$k" "$k/3" 0.002
done
check "two at a time the run ends" ends "$PID" 0 30
check "and the daemon with it" ends "$SERVER" 0

# --- a deadline
server late sync/mode=quorum sync/deadline=0.1 run/rounds=5
agent late-1 1/2 0.001
FAST=$PID
agent late-2 2/2 0.05
check "with a quorum a run does not wait for who is late" ends "$FAST" 0
check "who goes home too" ends "$PID" 0
check "and says who it was" sh -c "'$CONVENE' rounds --csv --control '$CONTROL' | grep -q '; 1 late after .* s, late-2 first'"
kill -TERM "$SERVER"
check "it ends with 0" ends "$SERVER" 0

check "an adaptive policy has nothing to go by" refuses 2 'sync/mode=async does not go with policy/kind=adaptive-l' \
    "$CONVENED" --set sync/mode=async --set policy/kind=adaptive-l
