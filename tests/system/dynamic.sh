#!/bin/sh
# Dynamic averaging with real programs: rounds that last until told, an agent killed in one, a drain.
. "$(dirname "$0")/tap.sh"
cd "$DIR" || exit 1

awk 'BEGIN {
    srand(2)
    for (i = 0; i < 400; i++) {
        s = 0; line = ""
        for (j = 1; j <= 5; j++) { x = rand() * 2 - 1; s += x * (j - 3); line = line sprintf(" %d:%.6f", j, x) }
        print (s + rand() - 0.5 > 0 ? 1 : -1) line
    }
}' >rows.libsvm

# watched NAME SETTING...: a daemon that looks at its two agents every 5 steps; sets SERVER.
watched() {
    watched_name=$1
    shift
    daemon "$watched_name" run/agents=2 run/rounds=0 problem/l2=1e-3 solver/kind=sgd policy/kind=dynamic \
        policy/check-every=5 sync/rejoin=20 "$@"
    SERVER=$PID
}

agent() {
    start "$1" "$BUILD/convene-agent" --server "$DATA" --data rows.libsvm --name "$1" --shard "$2" \
        --set agent/step-seconds=0.002
}

figure() { status | jq -r ".data | $1"; }
beyond() { [ "$(figure "$1")" -gt "$2" ]; }

# --- a round that would last for ever, and its end
watched long policy/threshold=1e300 policy/max-local-steps=1000000 policy/monitor=sketch
agent long-1 1/2
ONE=$PID
agent long-2 2/2
TWO=$PID
until_true 30 beyond .run.exchanges 8
ok $? "agents are looked at again and again"
check "in round 1" test "$(figure .run.round)" -eq 1
check "by the policy that was asked for" test "$(figure .policy.kind)" = dynamic
kill -KILL "$TWO"
until_true 10 shows '"name":"long-2","host":"[^"]*","state":"lost"'
ok $? "an agent killed in mid-round is missed"
agent long-2 2/2
TWO=$PID
until_true 30 grep -q 'back with a new process' long.log
ok $? "it comes back, and the round begins anew"
looks=$(figure .run.exchanges)
until_true 30 beyond .run.exchanges $((looks + 5))
ok $? "with both"
check "still round 1" test "$(figure .run.round)" -eq 1
"$CONVENE" drain --control "$CONTROL" >drain.out
until_true 30 shows '"state":"finished"'
ok $? "a drain averages at the next look"
check "agent 1 ends with 0" ends "$ONE" 0
check "agent 2 too" ends "$TWO" 0
"$CONVENE" rounds --csv --control "$CONTROL" >rounds.csv
check "one round was committed" test "$(tail -n +2 rounds.csv | wc -l)" -eq 2
steps=$(sed -n 2p rounds.csv | cut -d, -f4)
looks=$(sed -n 2p rounds.csv | cut -d, -f3)
check "of the steps that were really taken, a multiple of 5" test $((steps % 5)) -eq 0
check "many of them" test "$steps" -ge 20
check "by both" test "$(sed -n 2p rounds.csv | cut -d, -f5)" -eq 2
check "with an exchange for each look, those of the lost attempt included" test "$looks" -gt $((steps / 5))
kill -TERM "$SERVER"
check "the daemon ends with 0" ends "$SERVER" 0

# --- Theta by itself
watched learnt run/rounds=3
agent learnt-1 1/2
ONE=$PID
agent learnt-2 2/2
check "a run with a learnt Theta ends" ends "$ONE" 0 60
check "for both" ends "$PID" 0
check "it says what Theta was" sh -c "'$CONVENE' rounds --csv --control '$CONTROL' | grep -q 'until S may pass Theta .* (learnt)'"
kill -TERM "$SERVER"
check "and ends" ends "$SERVER" 0

# --- what does not go together
check "GIANT has no models to watch" refuses 2 'policy/kind=dynamic does not go with solver/kind=giant' \
    "$CONVENED" --set policy/kind=dynamic --set solver/kind=giant
