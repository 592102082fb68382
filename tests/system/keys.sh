#!/bin/sh
# CURVE: who is let in, under which name, and that the list is read again.
. "$(dirname "$0")/tap.sh"

keygen() {
    "$CONVENE" keygen "$@" >>"$DIR/keygen.log" 2>&1
}

# join NAME K N: an agent with NAME's join file, which is made to point at the daemon.
join() {
    sed -i "s|tcp://127.0.0.1:[0-9]*|$DATA|" "$DIR/$1.join"
    start "$1" "$AVERAGER" "$DIR/$1.join" - "$2" "$3" 100
}

keygen --server --advertise tcp://127.0.0.1:1 --out "$DIR/server.key"
for name in good late; do
    keygen --agent $name --server-key "$DIR/server.key.pub" --allow "$DIR/agents.allow" --out "$DIR/$name.join"
done
# A key that is not on the list, and a listed key under another's name.
keygen --agent stranger --server-key "$DIR/server.key.pub" --allow "$DIR/other.allow" --out "$DIR/stranger.join"
grep -v '^late ' "$DIR/agents.allow" >"$DIR/list"

daemon keys run/agents=2 run/rounds=0 "security/certificate=$DIR/server.key" "security/allow=$DIR/list"
ok $? "starts with keys"
SERVER=$PID
check "says so" grep -q "curve=on" "$DIR/keys.log"
join good 1 2
until_true 30 shows '"name":"good"'
ok $? "a listed key is let in"
join stranger 2 2
STRANGER=$PID
until_true 30 grep -q event=key_refused "$DIR/keys.log"
ok $? "an unlisted key is refused"
check "and its agent ends with 3" ends "$STRANGER" 3
start plain "$AVERAGER" "$DATA" plain 2 2 100
check "an agent without keys is refused" ends "$PID" 3
check "neither is shown" sh -c "! '$CONVENE' status --json --control '$CONTROL' | grep -q 'stranger\|plain'"
cp "$DIR/good.join" "$DIR/impostor.join"
sed -i 's/name = "good"/name = "impostor"/' "$DIR/impostor.join"
join impostor 2 2
check "a listed key under another name is refused" ends "$PID" 3
check "and not shown" sh -c "! '$CONVENE' status --json --control '$CONTROL' | grep -q impostor"

cp "$DIR/agents.allow" "$DIR/list"
join late 2 2
until_true 30 shows '"name":"late","host":"[^"]*","state":"\(ready\|working\|offered\)"'
ok $? "a key listed later is let in without a restart"
LATE=$PID
grep -v '^late ' "$DIR/agents.allow" >"$DIR/list"
kill -HUP "$SERVER"
check "one taken off the list is sent away" ends "$LATE" 3
echo "nonsense" >>"$DIR/list"
kill -HUP "$SERVER"
until_true 30 grep -q event=allow_list_bad "$DIR/keys.log"
ok $? "a list with a mistake is told"
check "and the old one stays" shows '"name":"good"'

# --- vectors of more than a chunk: 1.6 MB, chunks of 1 MiB, which CURVE makes a little larger
daemon large run/agents=2 run/rounds=2 run/linger=false "security/certificate=$DIR/server.key" "security/allow=$DIR/agents.allow"
SERVER=$PID
for name in good late; do
    sed -i "s|tcp://127.0.0.1:[0-9]*|$DATA|" "$DIR/$name.join"
done
start large-1 "$AVERAGER" "$DIR/good.join" - 1 2 200000
FIRST=$PID
start large-2 "$AVERAGER" "$DIR/late.join" - 2 2 200000
check "whole chunks travel with keys" ends "$PID" 0
check "both ways" ends "$FIRST" 0
check "to the end of the run" ends "$SERVER" 0
