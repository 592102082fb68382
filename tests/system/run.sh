#!/bin/sh
# A run seen from the daemon: averages, its tables, its end; agents that die, fail or send rubbish.
. "$(dirname "$0")/tap.sh"

# averagers NAME N DIMENSION [some]: that many agents, in $PID_1 ...
averagers() {
    for k in $(seq "$2"); do
        start "$1-$k" "$AVERAGER" "$DATA" "$1-$k" "$k" "$2" "$3" $4
        eval "PID_$k=$PID"
    done
}

rounds_seen() {
    [ "$(status | sed 's/.*"version":\([0-9]*\),"round".*/\1/')" -ge "$1" ]
}

for dimension in 10 100000; do
    daemon "d$dimension" run/agents=3 run/rounds=7 run/linger=false limits/chunk=65536
    SERVER=$PID
    averagers "d$dimension" 3 $dimension
    check "agent 1 got every mean of $dimension coordinates" ends "$PID_1" 0
    check "agent 2 too" ends "$PID_2" 0
    check "agent 3 too" ends "$PID_3" 0
    check "without linger the daemon ends with the run" ends "$SERVER" 0
done

# --- what stays to be seen
daemon stays run/agents=2 run/rounds=5
SERVER=$PID
averagers stays 2 1000
check "agents are done" ends "$PID_1" 0
until_true 30 shows '"state":"finished"'
ok $? "a lingering daemon shows the finished run"
"$CONVENE" rounds --csv --control "$CONTROL" >"$DIR/rounds.csv"
check "5 commits give 6 rows" test "$(tail -n +2 "$DIR/rounds.csv" | wc -l)" -eq 6
check "model is a .npy file" "$CONVENE" model get --control "$CONTROL" --out "$DIR/model.npy"
check "of 1000 float64 behind a head of 128 bytes" test "$(stat -c %s "$DIR/model.npy")" -eq 8128
check "SIGTERM ends it" sh -c "kill -TERM $SERVER"
check "with 0" ends "$SERVER" 0

# --- an agent dies
daemon dies run/agents=2 run/rounds=0 sync/rejoin=1
SERVER=$PID
averagers dies 2 100 some
until_true 30 rounds_seen 3
ok $? "rounds pass"
kill -KILL "$PID_2"
killed=$(date +%s%N)
until_true 30 shows '"name":"dies-2","host":"[^"]*","state":"lost"'
ok $? "a killed agent is seen as lost"
check "in less than a second" lost_within 1000 dies-2 "$DIR/dies.log" "$killed"
seen=$(status | sed 's/.*"version":\([0-9]*\),"round".*/\1/')
until_true 30 rounds_seen $((seen + 3))
ok $? "the run goes on without it"
start dies-again "$AVERAGER" "$DATA" dies-2 2 2 100 some
until_true 30 shows '"name":"dies-2","host":"[^"]*","state":"\(ready\|working\|offered\)"'
ok $? "it comes back"
kill -KILL "$SERVER"

# --- rubbish
daemon rubbish run/agents=1 run/rounds=3 run/linger=false
SERVER=$PID
port=${DATA##*:}
bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; echo 'GET / HTTP/1.1' >&3; head -c 100000 /dev/urandom >&3" 2>/dev/null
check "bytes that are no ZeroMQ do no harm" shows '"state":"waiting"'
averagers rubbish 1 10
check "the run goes on" ends "$PID_1" 0
check "to its end" ends "$SERVER" 0

# --- a run that fails
daemon fails run/agents=1 run/linger=false
SERVER=$PID
start fails-1 "$AVERAGER" "$DATA" fails-1 1 1 10 nan
check "an agent whose numbers are not finite is told that the run failed" ends "$PID" 1
check "the daemon ends with 1" ends "$SERVER" 1
check "and says why" grep -q "not finite" "$DIR/fails.log"

# --- silence
daemon silent run/agents=2 run/rounds=0 limits/heartbeat=0.2 limits/patience=2 sync/rejoin=0
SERVER=$PID
averagers silent 2 100 some
until_true 30 rounds_seen 2
kill -STOP "$PID_2"
until_true 30 shows '"name":"silent-2","host":"[^"]*","state":"lost","why":"[^"]*silent'
ok $? "a stopped agent is lost after limits/patience"
kill -CONT "$PID_2"
until_true 30 shows '"name":"silent-2","host":"[^"]*","state":"\(ready\|working\|offered\)"'
ok $? "continued, it takes part again"
kill -STOP "$SERVER"
until_true 30 grep -q "State:.T" "/proc/$SERVER/status"
sleep 3 # the one thing there is nothing to wait for: our own absence
lost_before=$(grep -c 'event=lost.*silent for' "$DIR/silent.log")
kill -CONT "$SERVER"
until_true 30 grep -q event=stalled "$DIR/silent.log"
ok $? "a daemon that was stopped itself says so"
seen=$(status | sed 's/.*"version":\([0-9]*\),"round".*/\1/')
until_true 30 rounds_seen $((seen + 2))
ok $? "and goes on"
check "without taking its own absence for the agents' silence" \
    test "$(grep -c 'event=lost.*silent for' "$DIR/silent.log")" -eq "$lost_before"

# --- told to end in the middle
daemon term run/agents=2 run/rounds=0
SERVER=$PID
averagers term 2 100
until_true 30 rounds_seen 3
kill -TERM "$SERVER"
check "SIGTERM in the middle of a run ends the daemon with 0" ends "$SERVER" 0
check "agent 1 is told so" ends "$PID_1" 0
check "agent 2 too" ends "$PID_2" 0
daemon stuck run/agents=2 run/rounds=0 limits/drain=1
SERVER=$PID
averagers stuck 2 100 some
until_true 30 rounds_seen 3
kill -STOP "$PID_2"
kill -TERM "$SERVER"
check "a round that cannot finish holds it up for limits/drain, not longer" ends "$SERVER" 0 10
daemon hasty run/agents=2 run/rounds=0 limits/drain=60
SERVER=$PID
averagers hasty 2 100 some
until_true 30 rounds_seen 3
kill -STOP "$PID_2" "$SERVER"
kill -TERM "$SERVER"
kill -INT "$SERVER"
kill -CONT "$SERVER" # to which both come at once
until_true 30 shows '"state":"draining"'
ok $? "the daemon drains, and two signals at once are one wish"
# Within 250 ms of the first it would be the same wish.
told_again() { kill -TERM "$SERVER" 2>/dev/null; ! kill -0 "$SERVER" 2>/dev/null; }
until_true 10 told_again # less than the patience with the stopped agent
check "a second SIGTERM does not wait" ends "$SERVER" 0
