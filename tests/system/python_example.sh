#!/bin/bash
# examples/python: its agent in a run beside C agents, as a follower, and when servers and agents die.
. "$(dirname "$0")/tap.sh"
ROOT=$(realpath "$(dirname "$0")/../..")
AGENT=$BUILD/convene-agent
export PYTHONDONTWRITEBYTECODE=1

python() { start "$1" "$ROOT/examples/python/agent.py" "${@:2}"; }
# python_agent NAME K/N: the part of the data that data/shuffle=false gives shard 3 of 3.
python_agent() { python "$1" "$DATA" "$DIR/part.xz" "$2" "$1"; }
c_agent() { start "$1" "$AGENT" --server "$DATA" --data "$DIR/data" --shard "$2" --name "$1"; }

awk 'BEGIN {
    srand(7)
    for (i = 0; i < 300; i++) {
        line = ""; z = rand() - 0.5
        for (j = 1; j <= 20; j += 3) {
            x = 2 * rand() - 1; z += x * (j % 2 - 0.5); line = line " " j + i % 2 ":" x
        }
        print (z > 0 ? 1 : -1) line
    }
}' >"$DIR/data"
tail -n 100 "$DIR/data" | sed -e '5s/$/ # the fifth, 7:1/' -e '1i # rows' | xz >"$DIR/part.xz"

check "the example has at most 200 lines" test "$(cat "$ROOT"/examples/python/*.py | wc -l)" -le 200

check "vectors.txt: the peer in Python reads and writes alike" /usr/bin/python3 "$ROOT/tests/system/check_vectors.py" "$ROOT"

# --- a whole run beside C agents, and a follower
daemon run run/agents=3 run/rounds=8 data/shuffle=false problem/l2=1/n
python follower "$DATA"
FOLLOWER=$PID
until_true 30 shows '"host":' # it is the first to come
c_agent c-1 1/3
c_agent c-2 2/3
python_agent python 3/3
check "the Python agent ends with the run" ends "$PID" 0 60
check "the follower too" ends "$FOLLOWER" 0
status >"$DIR/run.json"
check "every contribution of the Python agent is counted" jq -e '.data | .run.version as $n | .agents[] |
    select(.name == "python") | .rounds == $n and .refused == 0 and .rows == 100' "$DIR/run.json"
jq -r '.data.run | "version \(.version) digest \(.digest) norm"' "$DIR/run.json" >"$DIR/last"
check "the follower's last version and digest are the server's" grep -q -f "$DIR/last" "$DIR/follower.log"
"$CONVENE" run --inline --data "$DIR/data" --agents 3 --out "$DIR/alone" --quiet --set data/shuffle=false \
    --set problem/l2=1/n --set run/rounds=8
check "as good as C agents alone" jq -e --argjson alone "$(tail -n 1 "$DIR/alone/rounds.csv" | cut -d, -f6)" \
    '.data.run.loss - $alone | fabs < 1e-9' "$DIR/run.json"

# --- what goes wrong
version() { status | jq .data.run.version; }
at_least() { [ "$(version)" -ge "$1" ]; }
more() { until_true 30 at_least $(($(version) + $1)); }
state() { status | jq -e --arg state "$1" '.data.agents[] | select(.name == "python") | .state | test($state)'; }
daemon trouble run/agents=2 run/rounds=0 problem/l2=1/n sync/rejoin=0 limits/heartbeat=0.2 limits/patience=1 \
    encoding/up=f32 encoding/down=f32
SERVER=$PID
c_agent c 1/2
C=$PID
python_agent python 2/2
PYTHON=$PID
check "float32" until_true 30 at_least 3
kill -KILL "$C"
check "goes on when another agent is killed" more 3
kill -STOP "$PYTHON"
check "lost when stopped" until_true 30 state lost
kill -CONT "$PYTHON"
check "comes back" until_true 30 state 'working|offered'
check "and goes on" more 3
kill -KILL "$SERVER"
wait "$SERVER" # its port is free only then
daemon next problem/l2=1/n run/rounds=3 "listen/data=$DATA"
check "joins the server that comes next, and ends with its run" ends "$PYTHON" 0

daemon other problem/kind=softmax
python_agent stranger 1/1
check "leaves a run it cannot serve" ends "$PID" 1
check "which the daemon hears" until_true 30 grep -q 'event=left.*logistic' "$DIR/other.log"

daemon coarse run/rounds=2 encoding/up=q8
python coarse-follower "$DATA"
FOLLOWER=$PID
until_true 30 shows '"host":'
python_agent coarse-python 1/1
check "leaves a run whose encoding it does not know" ends "$PID" 1
check "and says which, and which it knows, in one line" test "$(cat "$DIR/coarse-python.log")" = \
    "cannot serve encoding/up=q8: known are f64 and f32"
start coarse-c "$AGENT" --server "$DATA" --data "$DIR/data" --shard 1/1
check "a follower does not mind how updates travel" ends "$FOLLOWER" 0
# No server sends models so today: one that would.
check "nor does it hang where models travel in a way it cannot read" timeout 20 /usr/bin/python3 - "$ROOT" <<'EOF'
import sys, zmq
sys.path += [sys.argv[1] + "/examples/python", sys.argv[1] + "/tests/support/peer"]
import client, wire
server = zmq.Context.instance().socket(zmq.ROUTER)
server.rcvtimeo = 10000
follower = client.Client(f"tcp://127.0.0.1:{server.bind_to_random_port('tcp://127.0.0.1')}", "f", "follower")
who, hello = server.recv_multipart()
server.send_multipart([who, wire.pack("welcome", run=1, run_name="r", server=1, incarnation=1, token=1, shard=0, shards=0,
                                      heartbeat_ms=1000, patience_ms=9000, chunk_bytes=65536, window=4, bulk=""),
                       b"encoding/up=f64\nencoding/down=q8\n"])
assert follower.begin() is None
assert follower.end == (1, "cannot serve encoding/down=q8: known are f64 and f32"), follower.end
EOF

"$CONVENE" keygen --server --advertise tcp://127.0.0.1:1 --out "$DIR/server.key" >"$DIR/keygen.log" 2>&1
"$CONVENE" keygen --agent safe --server-key "$DIR/server.key.pub" --allow "$DIR/allow" --out "$DIR/safe.join" \
    >>"$DIR/keygen.log" 2>&1
daemon keys run/rounds=2 "security/certificate=$DIR/server.key" "security/allow=$DIR/allow"
sed -i "s|tcp://127.0.0.1:1\"|$DATA\"|" "$DIR/safe.join"
python safe "$DIR/safe.join" "$DIR/part.xz" 1/1
check "takes part with the keys of a join file" ends "$PID" 0
