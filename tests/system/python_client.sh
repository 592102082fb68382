#!/bin/bash
# A whole client in Python (tests/support/peer) in real runs beside C agents, and as a follower.
. "$(dirname "$0")/tap.sh"
ROOT=$(realpath "$(dirname "$0")/../..")
AGENT=$BUILD/convene-agent
export PYTHONDONTWRITEBYTECODE=1

python() {
    start "$1" /usr/bin/python3 "$ROOT/tests/support/peer/agent.py" "${@:2}"
}

# rows N FEATURES: LIBSVM text whose labels a line does not separate.
rows() {
    awk -v n="$1" -v d="$2" 'BEGIN {
        srand(7)
        for (i = 0; i < n; i++) {
            line = ""; z = rand() - 0.5; step = int(d / 6)
            for (k = 0; k < 6; k++) {
                x = 2 * rand() - 1; j = k * step + int(rand() * step) + 1
                z += x * (j % 3 - 1); line = line " " j ":" x
            }
            print (z > 0 ? 1 : -1) line
        }
    }'
}
rows 300 20 >"$DIR/small"
rows 300 10000 >"$DIR/large"
for size in small large; do # the third shard of three, as data/shuffle=false cuts it
    tail -n 100 "$DIR/$size" | xz >"$DIR/$size.part.xz"
done

# mixed NAME DATA SETTING...: two C agents, the Python one and a follower, to the end of the run.
mixed() {
    daemon "$1" run/agents=3 data/shuffle=false problem/l2=1/n "${@:3}"
    SERVER=$PID
    python "$1-follower" "$DATA" --follow --name follower
    FOLLOWER=$PID
    until_true 30 shows '"name":"follower"'
    for k in 1 2; do
        start "$1-$k" "$AGENT" --server "$DATA" --data "$DIR/$2" --shard $k/3 --name "c-$k"
    done
    python "$1-python" "$DATA" --data "$DIR/$2.part.xz" --shard 3/3 --name python
    check "$1: the Python agent ends with the run" ends "$PID" 0 60
    check "$1: the follower too" ends "$FOLLOWER" 0
    status >"$DIR/$1.json"
    check "$1: every contribution of the Python agent is counted" jq -e '.data | .run.version as $n | .agents[] |
        select(.name == "python") | .rounds == $n and .refused == 0 and .rows == 100' "$DIR/$1.json"
    jq -r '.data.run | "version \(.version) digest \(.digest) ok"' "$DIR/$1.json" >"$DIR/$1.last"
    check "$1: the follower's last version and digest are the server's" \
        grep -q -f "$DIR/$1.last" <(tail -n 2 "$DIR/$1-follower.log")
    kill -TERM "$SERVER"
}

# same_loss NAME SETTING...: the loss at the end is that of a run with C agents alone.
same_loss() {
    local sets=()
    for setting in data/shuffle=false problem/l2=1/n "${@:2}"; do sets+=(--set "$setting"); done
    "$CONVENE" run --data "$DIR/small" --agents 3 --out "$DIR/$1" --quiet "${sets[@]}"
    alone=$(tail -n 1 "$DIR/$1/rounds.csv" | cut -d, -f6)
    jq -e --argjson alone "$alone" '.data.run.loss - $alone | fabs < 1e-9' "$DIR/$1.json"
}

mixed newton small run/rounds=8
check "newton: as good as C agents alone" same_loss newton run/rounds=8
mixed giant small run/rounds=25 solver/kind=giant problem/intercept=true policy/evaluate=3
check "giant: as good as C agents alone" same_loss giant run/rounds=25 solver/kind=giant problem/intercept=true
mixed float32 small run/rounds=3 encoding/up=f32 encoding/down=f32 policy/kind=adaptive-l
mixed halves small run/rounds=3 encoding/up=bf16
mixed coarse small run/rounds=3 encoding/up=q8
mixed bulk large run/rounds=3 limits/chunk=8192
mixed bulk-coarse large run/rounds=3 limits/chunk=8192 encoding/up=q8
mixed bulk-giant large run/rounds=2 limits/chunk=65536 encoding/down=f32 solver/kind=giant

# --- what goes wrong
version() {
    status | jq .data.run.version
}
# more N: that many versions from now on.
more() {
    until_true 30 test_version $(($(version) + $1))
}
test_version() {
    [ "$(version)" -ge "$1" ]
}
state() {
    status | jq -e --arg name "$1" --arg state "$2" '.data.agents[] | select(.name == $name) | .state | test($state)'
}
for size in small large; do
    daemon "trouble-$size" run/agents=2 run/rounds=0 problem/l2=1/n sync/rejoin=0 \
        limits/heartbeat=0.2 limits/patience=1 limits/chunk=8192
    SERVER=$PID
    start "trouble-$size-c" "$AGENT" --server "$DATA" --data "$DIR/$size" --shard 1/2 --name c
    C=$PID
    python "trouble-$size-python" "$DATA" --data "$DIR/$size.part.xz" --shard 2/2 --name python
    PYTHON=$PID
    until_true 30 test_version 3
    kill -KILL "$C"
    check "$size: goes on when another agent is killed" more 3
    kill -STOP "$PYTHON"
    check "$size: lost when stopped" until_true 30 state python lost
    kill -CONT "$PYTHON"
    check "$size: says hello again when told to" until_true 30 state python 'working|offered'
    check "$size: and goes on" more 3
    kill -KILL "$SERVER"
    wait "$SERVER" # its port is free only then
    daemon "trouble-$size-2" problem/l2=1/n run/rounds=3 "listen/data=$DATA" limits/chunk=8192
    check "$size: joins the server that comes next, and ends with its run" ends "$PYTHON" 0
    kill -KILL "$PID"
done

daemon other problem/kind=softmax
python other-python "$DATA" --data "$DIR/small.part.xz" --shard 1/1 --name python
check "leaves a run it cannot serve" ends "$PID" 1
check "and says why" grep -q logistic "$DIR/other-python.log"
check "which the daemon hears" until_true 30 grep -q 'event=left.*logistic' "$DIR/other.log"
daemon taken run/agents=2
start only "$AVERAGER" "$DATA" only 1 2 10
until_true 30 shows '"name":"only"'
python refused "$DATA" --data "$DIR/small.part.xz" --shard 1/2 --name python
check "ends with 3 when its shard is taken" ends "$PID" 3

"$CONVENE" keygen --server --advertise tcp://127.0.0.1:1 --out "$DIR/server.key" >"$DIR/keygen.log" 2>&1
"$CONVENE" keygen --agent safe --server-key "$DIR/server.key.pub" --allow "$DIR/allow" --out "$DIR/safe.join" \
    >>"$DIR/keygen.log" 2>&1
daemon keys run/rounds=2 "security/certificate=$DIR/server.key" "security/allow=$DIR/allow"
sed -i "s|tcp://127.0.0.1:1\"|$DATA\"|" "$DIR/safe.join"
python safe "$DIR/safe.join" --data "$DIR/small.part.xz" --shard 1/1
check "takes part with the keys of a join file" ends "$PID" 0
