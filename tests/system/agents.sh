#!/bin/sh
# convene-agent with a real daemon: too early, killed, stopped, told to go, refused, given bad data.
. "$(dirname "$0")/tap.sh"
cd "$DIR" || exit 1
AGENT=$BUILD/convene-agent
OWN_LOOP=$BUILD/examples/client/own_loop

# rows COUNT: a noisy problem of two labels and 5 features.
rows() {
    awk -v n="$1" 'BEGIN {
        srand(1)
        for (i = 0; i < n; i++) {
            s = 0; line = ""
            for (j = 1; j <= 5; j++) { x = rand() * 2 - 1; s += x * (j - 3); line = line sprintf(" %d:%.6f", j, x) }
            print (s + rand() - 0.5 > 0 ? 1 : -1) line
        }
    }'
}
rows 400 >rows.libsvm

# server NAME SETTING...: a daemon for runs of some seconds; sets SERVER.
server() {
    server_name=$1
    shift
    daemon "$server_name" run/agents=2 run/rounds=0 problem/l2=1e-3 solver/kind=sgd policy/kind=fixed \
        policy/local-steps=5000 policy/max-local-steps=5000 "$@"
    SERVER=$PID
}

# agent NAME SHARD [OPTION...]: sets PID.
agent() {
    agent_name=$1
    agent_shard=$2
    shift 2
    start "$agent_name" "$AGENT" --server "$DATA" --data rows.libsvm --name "$agent_name" --shard "$agent_shard" "$@"
}

# figure JQ-FILTER, of AGENT FIELD, holds JQ-FILTER: what the daemon's status says.
figure() { status | jq -r ".data | $1"; }
of() { figure ".agents[] | select(.name == \"$1\") | .$2"; }
holds() { status | jq -e ".data | $1" >/dev/null; }
same() { [ "$1" = "$2" ] || { echo "\"$1\" is not \"$2\""; return 1; }; }
is() { same "$(of "$1" "$2")" "$3"; }
round_beyond() { [ "$(figure .run.round)" -gt "$1" ]; }
counted_beyond() { [ "$(of "$1" rounds)" -gt "$2" ]; }

# --- Before the server ----------------------------------------------------------------------------
DATA=ipc://$DIR/early.data
agent early-1 1/2
EARLY=$PID
until_true 30 grep -q event=waiting_for_server early-1.log
ok $? "an agent without a server waits"
server early "listen/data=$DATA" run/rounds=20
agent early-2 2/2
check "and ends when the run does" ends "$EARLY" 0 30
check "like the other" ends "$PID" 0
check "it said once that it waits" same "$(grep -c event=waiting_for_server early-1.log)" 1
check "it logged what the server had it do" grep -q 'event=joined .*problem/l2=1e-3 ' early-1.log
check "to the last setting" grep -q 'event=joined .* data/missing=error$' early-1.log
check "and nothing for each round" test "$(wc -l <early-1.log)" -le 6
undisturbed=$(figure .run.digest)
agent early-3 1/2
check "an agent that comes after the end is told so" ends "$PID" 0
kill -KILL "$SERVER"

# --- Killed and brought back ------------------------------------------------------------------------
server killed run/rounds=20 sync/rejoin=20
# Rounds take 0.1 s, so that there is a middle however slowly we look.
agent killed-1 1/2 --set agent/step-seconds=0.00002
OTHER=$PID
agent killed-2 2/2 --set agent/step-seconds=0.00002
VICTIM=$PID
until_true 30 round_beyond 4
kill -KILL "$VICTIM"
killed=$(date +%s%N)
until_true 30 is killed-2 state lost
ok $? "a killed agent is seen as lost"
check "in less than a second" lost_within 1000 killed-2 killed.log "$killed"
check "in the middle of the run" test "$(figure .run.round)" -lt 20
agent killed-2 2/2
check "started again it takes part to the end" ends "$PID" 0 30
check "so does the other" ends "$OTHER" 0
check "the model is that of the undisturbed run, bit for bit" same "$(figure .run.digest)" "$undisturbed"
kill -KILL "$SERVER"

# --- A host that plays a slower one -------------------------------------------------------------------
# How much longer everything may take than the slower one was told to depends on who else is on the
# machine; what must hold is that nothing takes less, and that the waiting is the rounds'.
told='(.agents[] | select(.name == "slower-2"))'
waits='(.agents[] | select(.name == "slower-1"))'
server slower run/rounds=3 policy/local-steps=20 run/linger=true
agent slower-1 1/2
agent slower-2 2/2 --set agent/step-seconds=0.02
check "an agent may play a slower host" ends "$PID" 0
check "its speed is what it was told to be" holds "$told.steps_per_second | . > 25 and . <= 50"
check "a round takes so long" holds "$told.round_seconds | . >= 0.399 and . < 4"
check "the other waited" holds "$waits.waited_seconds | . >= 0.9 and . < 12"
check "for this one alone" holds "$waits.waited_seconds - $told.held_seconds | fabs < 0.2"
check "which the log says" grep -q 'event=committed .*slower-2 came \(0\.[3-9]\|[1-9][0-9]*\.[0-9]\) s after the others' slower.log
kill -KILL "$SERVER"

# --- Stopped for longer than the patience -------------------------------------------------------------
server stopped limits/patience=2 limits/heartbeat=0.3 sync/rejoin=0.3 policy/local-steps=500
agent stopped-1 1/2
FIRST=$PID
agent stopped-2 2/2
SECOND=$PID
until_true 30 round_beyond 2
kill -STOP "$SECOND"
until_true 30 is stopped-2 state lost
ok $? "a stopped agent is given up after the patience"
seen=$(figure .run.round)
until_true 30 round_beyond $((seen + 5))
ok $? "the run goes on without it"
counted=$(of stopped-2 rounds)
kill -CONT "$SECOND"
until_true 30 counted_beyond stopped-2 $((counted + 5))
ok $? "continued, it takes part again"

# --- Told to go -----------------------------------------------------------------------------------------
kill -TERM "$SECOND"
check "SIGTERM ends an agent with 0 in some seconds" ends "$SECOND" 0 5
until_true 30 grep -q 'agent=stopped-2.*interrupted' stopped.log
ok $? "the server heard the goodbye"
seen=$(figure .run.round)
until_true 30 round_beyond $((seen + 5))
ok $? "the run goes on without it"

# --- Refused, by the same server ----------------------------------------------------------------------
refused() {
    refused_code=$1
    refused_words=$2
    shift 2
    refuses "$refused_code" "$refused_words" "$AGENT" --server "$DATA" --set log/level=error "$@"
}
printf '1 1:0.5\n-1 1:x\n' >malformed.libsvm
printf '1 1:0.5\n-1 1:nan\n' >nan.libsvm
: >empty.libsvm
sed 's/^-1/7/' rows.libsvm >labels.libsvm
sed 's/ 5:/ 9:/' rows.libsvm >features.libsvm
check "a shard that another holds" refused 3 'shard.*stopped-1' --data rows.libsvm --name other --shard 1/2
check "malformed data, with file and line" refused 2 'malformed.libsvm.*2' --data malformed.libsvm --shard 2/2
check "NaN in the data" refused 2 'nan.libsvm.*2' --data nan.libsvm --shard 2/2
check "empty data" refused 2 'empty.libsvm.*empty' --data empty.libsvm --shard 2/2
check "missing data" refused 2 'missing.libsvm: No such file' --data missing.libsvm --shard 2/2
check "missing test data" refused 2 'missing.t: No such file' --data rows.libsvm --test missing.t --shard 2/2
check "labels the run does not have" refused 3 label --data labels.libsvm --shard 2/2
check "features the run does not have" refused 3 feature --data features.libsvm --shard 2/2
check "an unknown setting" refused 2 'agent/threads' --data rows.libsvm --set agent/thread=2
check "no server within --wait" refuses 3 'no server answered within 0.5 s' "$AGENT" --server "ipc://$DIR/nobody" \
    --data rows.libsvm --wait 0.5 --set log/level=error

agent newer 1/2 --name stopped-1
NEWER=$PID
check "a second process of a name makes the first one stop" ends "$FIRST" 3
check "which says where the newer one runs" grep -q "replaced.*stopped-1.*$(hostname)" stopped-1.log

# --- The server goes away, and another comes ----------------------------------------------------------------
kill -KILL "$SERVER"
until_true 30 grep -q event=waiting_for_server newer.log
ok $? "a server that went away is waited for"
server another "listen/data=$DATA" "listen/bulk=tcp://127.0.0.1:*" run/agents=1 run/rounds=3
check "the agent joins the next one's run" ends "$NEWER" 0
kill -KILL "$SERVER"

# --- Keys ---------------------------------------------------------------------------------------------------
keygen() { "$CONVENE" keygen "$@" >/dev/null || echo "keygen $*"; }
keygen --server --out server.key --advertise tcp://127.0.0.1:1
keygen --agent friend --server-key server.key.pub --allow agents.allow
keygen --agent stranger --server-key server.key.pub --allow others.allow
keygen --server --out other.key --advertise tcp://127.0.0.1:1
keygen --agent astray --server-key other.key.pub --allow agents.allow
server keys run/agents=1 run/rounds=3 security/certificate=server.key security/allow=agents.allow
cp friend.join open.join
chmod 644 open.join
check "no key" refused 3 'join file' --data rows.libsvm
check "a key that is not on the list" refused 3 'list' --data rows.libsvm --join stranger.join
check "a key for another server" refused 3 'public key' --data rows.libsvm --join astray.join
check "keys that others can read" refused 2 '0644' --data rows.libsvm --join open.join
check "keys of another name" refused 2 'friend' --data rows.libsvm --join friend.join --name foe
start friend "$AGENT" --server "$DATA" --data rows.libsvm --join friend.join
check "the right key is let in" ends "$PID" 0
kill -KILL "$SERVER"

# --- A program of one's own -----------------------------------------------------------------------------------
server own run/rounds=60 policy/local-steps=10
start own-1 "$OWN_LOOP" "$DATA" 1 2
start own-2 "$OWN_LOOP" "$DATA" 2 2
check "a training loop of one's own" ends "$PID" 0
check "learns from the rows of both" same "$(cat own-2.log)" 'y = 3.0000 x1 -2.0000 x2 +0.5000'
