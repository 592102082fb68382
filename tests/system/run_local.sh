#!/bin/bash
# convene run: what it leaves behind, that its bits repeat, what it says about bad input, and that
# no process and no half report is left, however it ends.
. "$(dirname "$0")/tap.sh"
cd "$DIR" || exit 1
PATH=$BUILD:$PATH
export PATH XDG_RUNTIME_DIR="$DIR"

# Rows of a noisy linear rule, the same on every machine.
awk 'BEGIN {
    for (i = 0; i < 1200; i++) {
        line = ""; score = 0
        for (j = 1; j <= 12; j++) {
            state = (state * 16807 + 11 + i) % 2147483647
            x = int(state / 1000) % 2001 / 1000 - 1
            score += x * (j % 3 - 1)
            if (x > -0.5) line = line " " j ":" x
        }
        state = (state * 16807 + 11) % 2147483647
        print (score + int(state / 1000) % 1001 / 500 - 1 > 0 ? 1 : -1) line
    }
}' > data.libsvm

run() { # OUT OPTION...
    local out=$1
    shift
    timeout 60 convene run --quiet --agents 3 --data data.libsvm --set problem/l2=1/n --set run/rounds=6 \
        --set policy/kind=adaptive-l --set policy/delta=inf --out "$out" "$@"
}
same_model() { cmp "$1/model.npy" first/model.npy; }

# --- what is left behind
check "a run ends with 0" run first
for file in convergence.svg rounds.csv model.npy model.json run.json logs/convened.log logs/agent-3.log; do
    check "it leaves $file" test -s "first/$file"
done
check "6 commits give 7 rows and a head" test "$(wc -l < first/rounds.csv)" -eq 8
check "the last row has a loss and no round" grep -qE '^,[0-9.e-]+,[0-9]+,,,0\.[0-9]+,' first/rounds.csv
check "model.json: dimension, labels, scale" test "$(jq -c '[.dimension, .labels, .scale]' first/model.json)" = '[12,[-1,1],1]'
check "run.json: it finished" test "$(jq -r .final.state first/run.json)" = finished
check "model.npy: head and 12 float64" test "$(stat -c %s first/model.npy)" -eq $((128 + 12 * 8))

# --- the same bits
check "a second run, over the first report" run first --set run/name=again
timeout 60 convene run --agents 2 --data data.libsvm --set run/rounds=2 --set run/name=third --out told > told.out
check "a first report is nobody's" bash -c '! grep replaces told.out'
ID=$(jq -r .id told/run.json)
timeout 60 convene run --agents 2 --data data.libsvm --set run/rounds=2 --out told > told.out
check "a second says whose report it replaces" grep -qx "told: replaces the report of run third ($ID)" told.out
check "inline" run inline --inline
check "inline: the same bits" same_model inline
check "two threads" run threads --set limits/threads=2 --set agent/threads=2
check "two threads: the same bits" same_model threads
check "smallest chunks" run chunks --set limits/chunk=4096
check "smallest chunks: the same bits" same_model chunks
check "another seed" run seed --set run/seed=2
check "another seed: other bits" bash -c '! cmp -s seed/model.npy first/model.npy'
check "a test score" run test --test data.libsvm
check "a test score: the same bits" same_model test
check "a test score: of all rows, in run.json" test "$(jq .final.test.rows test/run.json)" -eq 1200

# --- plots
check "a plot of two runs" convene plot first threads/ --out both.svg
check "has both in its legend" test "$(grep -c -e 'first: logistic, policy adaptive-l, solver newton' -e 'threads: logistic' both.svg)" -ge 2
check "a plot of what is no report" refuses 2 "holds no rounds.csv" convene plot first logs-of-nothing --out none.svg
check "leaves no file" test ! -e none.svg
check "a plot where nobody may write" refuses 1 "none/none.svg" convene plot first --out none/none.svg
PATH=/nowhere "$BUILD/convene" run --agents 2 --data data.libsvm --set run/rounds=2 --out bare > bare.log
check "without gnuplot a run is fine" test $? -eq 0
check "and says what is missing" grep -q 'no convergence.svg: gnuplot is not installed' bare.log
check "and leaves the rest" test -s bare/run.json

# --- bad input: one line on stderr, the code, nothing written
bad() { # CODE PATTERN OPTION...
    local code=$1 pattern=$2 got=0
    shift 2
    timeout 30 convene run --agents 2 --out bad "$@" > bad.out 2> bad.err || got=$?
    cat bad.err
    [ "$got" -eq "$code" ] && [ "$(wc -l < bad.err)" -eq 1 ] && grep -q -e "$pattern" bad.err && [ ! -e bad ]
}
printf '1 1:1\n-1 2:x\n' > malformed.libsvm
printf '1 1:1\n-1 2:nan\n' > nan.libsvm
: > empty.libsvm
check "malformed data: file and line" bad 2 'malformed.libsvm:2' --data malformed.libsvm
check "NaN in the data" bad 2 'nan.libsvm:2' --data nan.libsvm
check "empty data" bad 2 'empty.libsvm' --data empty.libsvm
check "malformed test data" bad 2 'malformed.libsvm:2' --data data.libsvm --test malformed.libsvm
check "the same inline" bad 2 'malformed.libsvm:2' --data malformed.libsvm --inline
awk '{ $1 = NR / 7; print }' data.libsvm > real.libsvm
check "labels that do not fit the problem" bad 2 'label' --data real.libsvm --set problem/kind=logistic
check "no report half done is left" bash -c '! ls -d *.partial-* 2> /dev/null'

# --- how it ends: Ctrl-C, a killed agent, a killed run
endless() { # NAME: a run without end; $RUN is its process.
    start "$1" convene run --agents 2 --data data.libsvm --set run/rounds=0 --set solver/kind=sgd \
        --set policy/local-steps=100 --set listen/control="ipc://$DIR/$1.control" --set sync/rejoin=20 --out "$1"
    RUN=$PID
    CONTROL=ipc://$DIR/$1.control
    until_true 30 rounds_seen 3
}
rounds_seen() { [ "$(status | jq .data.run.version)" -ge "$1" ]; }
children() { pgrep -P "$RUN"; }
none_alive() { for one in $1; do ! kill -0 "$one" 2> /dev/null || return 1; done; }

check "a run whose agents will all be killed" endless deserted
for child in $(pgrep -P "$RUN" -x convene-agent); do kill -KILL "$child"; done
check "fails" ends "$RUN" 1
check "but keeps the model so far" test -s deserted/model.npy
check "and says so" grep -q 'no agent is left' "$DIR/deserted.log"

check "a run without end" endless drained
CHILDREN=$(children)
kill -INT "$RUN"
check "Ctrl-C ends it with 0" ends "$RUN" 0
check "and leaves no child" none_alive "$CHILDREN"
check "and the model so far" test -s drained/model.npy
check "with the reason" grep -q 'drained' drained/run.json
no_workspace() { # Each log of a run in /tmp would name our control socket.
    ! grep -lqs "$DIR" /tmp/convene-run-*/convened.log
}
check "and nothing in /tmp" no_workspace

check "a run to be killed" endless killed
CHILDREN=$(children)
kill -KILL "$RUN"
check "kill -9 of the run takes its children along" until_true 30 none_alive "$CHILDREN"
check "and leaves no report" test ! -e killed
check "the next run removes what it could not" run first
check "and nothing is left in /tmp" no_workspace

check "a run with an agent to be killed" endless agent
ARGUMENTS=$(pgrep -P "$RUN" -a -f 'name agent-2' | cut -d' ' -f2-)
killed=$(date +%s%N)
kill -KILL "$(pgrep -P "$RUN" -f 'name agent-2')"
lost() { status | jq -e '.data.agents[] | select(.name == "agent-2") | .state == "lost"'; }
back() { status | jq -e '.data.agents[] | select(.name == "agent-2") | .incarnation > 2 and (.state == "working" or .state == "offered" or .state == "ready")'; }
check "a killed agent is lost" until_true 10 lost
check "within a second" lost_within 1000 agent-2 "$(grep -ls "$CONTROL" /tmp/convene-run-*/convened.log)" "$killed"
check "the run says how to bring it back" until_true 30 grep -q 'to bring it back: convene-agent' agent.log
# shellcheck disable=SC2086
start agent-again "$BUILD"/$ARGUMENTS
check "and it comes back" until_true 30 back
kill -INT "$RUN"
check "the run ends well all the same" ends "$RUN" 0

check "a run whose agents all die" endless orphan
for one in $(pgrep -P "$RUN" -f 'name agent-'); do kill -KILL "$one"; done
check "ends with 1" ends "$RUN" 1
check "and says why" grep -q 'agent-[12] was ended by signal 9' orphan.log
