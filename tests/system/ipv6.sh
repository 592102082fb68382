#!/bin/sh
# IPv6: sockets, join files, names, control and what is said when it does not work.
. "$(dirname "$0")/tap.sh"
cd "$DIR" || exit 1
AGENT=$BUILD/convene-agent

if ! grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6 2>/dev/null; then
    trap - EXIT
    rm -rf "$DIR"
    echo "1..0 # SKIP there is no ::1 here"
    exit 0
fi

# 20,000 features: a model that travels on bulk.
awk 'BEGIN {
    srand(1)
    for (i = 0; i < 200; i++) {
        line = i % 2 ? 1 : -1
        for (j = 1 + int(rand() * 300); j < 20000; j += 1 + int(rand() * 400)) line = line sprintf(" %d:%.3f", j, rand())
        print line " 20000:1"
    }
}' >rows.libsvm

# server NAME SETTING...: a daemon for two agents and two rounds.
server() {
    server_name=$1
    shift
    daemon "$server_name" run/agents=2 run/rounds=2 problem/l2=1e-3 solver/kind=sgd "$@"
    SERVER=$PID
}

# both TEXT OPTION...: two agents with these options take part in the run.
both() {
    both_text=$1
    shift
    start both-1 "$AGENT" --data rows.libsvm --shard 1/2 --name both-1 "$@"
    both_first=$PID
    start both-2 "$AGENT" --data rows.libsvm --shard 2/2 --name both-2 "$@"
    check "$both_text" ends "$PID" 0
    check "... both agents" ends "$both_first" 0
}

server loopback 'listen/data=tcp://[::1]:*' 'listen/control=tcp://[::1]:*'
CONTROL=$(sed -n 's/.*event=listening .* control=\([^ ]*\) .*/\1/p' loopback.log)
check "a daemon on ::1 needs no keys" grep -q 'data=tcp://\[::1\]:[0-9]* bulk=tcp://\[::1\]:[0-9]* ' loopback.log
both "agents join at an address in brackets" --server "$DATA"
check "and the control socket answers there" shows '"state":"finished"'
check "which is ended over it" "$CONVENE" stop --control "$CONTROL"
check "with 0" ends "$SERVER" 0

server any 'listen/data=tcp://[::]:*' security/insecure=true
start any-1 "$AGENT" --data rows.libsvm --shard 1/2 --server "tcp://[::1]:${DATA##*:}"
FIRST=$PID
start any-2 "$AGENT" --data rows.libsvm --shard 2/2 --server "tcp://127.0.0.1:${DATA##*:}"
check "an address that means any hears IPv4 too" ends "$PID" 0
check "and IPv6" ends "$FIRST" 0
kill -KILL "$SERVER"

server elsewhere 'listen/data=tcp://[::1]:*' 'listen/bulk=tcp://[::]:*' security/insecure=true
both "bulk on any address is found at the host of data" --server "$DATA"
kill -KILL "$SERVER"

server named listen/data=tcp://localhost:*
both "a name to listen at, and to join at" --server "$DATA"
kill -KILL "$SERVER"

"$CONVENE" keygen --server --advertise 'tcp://[::1]:1' >keygen.log
"$CONVENE" keygen --agent both-1 --server-key server.key.pub >>keygen.log
"$CONVENE" keygen --agent both-2 --server-key server.key.pub >>keygen.log
"$CONVENE" keygen --agent operator --server-key server.key.pub --advertise 'tcp://[::1]:2' >>keygen.log
check "a join file takes its address from the server's key" grep -q 'endpoint = "tcp://\[::1\]:1"' both-1.join
check "or from its own option" grep -q 'endpoint = "tcp://\[::1\]:2"' operator.join
server keys 'listen/data=tcp://[::1]:*' 'listen/control=tcp://[::1]:*' security/certificate=server.key security/allow=agents.allow
CONTROL=$(sed -n 's/.*event=listening .* control=\([^ ]*\) .*/\1/p' keys.log)
sed -i "s|tcp://\[::1\]:1\"|$DATA\"|" both-1.join both-2.join
for k in 1 2; do
    start keys-$k "$AGENT" --data rows.libsvm --shard $k/2 --join both-$k.join
done
check "agents with keys take part" ends "$PID" 0
check "operators ask with theirs" sh -c "'$CONVENE' status --json --control '$CONTROL' --join operator.join | grep -q '\"state\":\"finished\"'"
kill -KILL "$SERVER"

check "an address that is none is refused by name" \
    refuses 2 'listen/data=tcp://\[::g\]:5550: allowed is' "$BUILD/convened" --set 'listen/data=tcp://[::g]:5550'
check "so is one without brackets" \
    refuses 2 'listen/data=tcp://::1:5550: allowed is' "$BUILD/convened" --set 'listen/data=tcp://::1:5550'
check "and a name nobody has" refuses 2 'no such name, address or interface' \
    "$BUILD/convened" --set listen/data=tcp://no.such.host.invalid:5550 --set security/insecure=true
check "nobody there: it says where" refuses 3 'no daemon answers at tcp://\[::1\]:1:' \
    "$CONVENE" status --control 'tcp://[::1]:1'
