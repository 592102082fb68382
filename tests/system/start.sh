#!/bin/sh
# How convened starts, refuses to, and ends.
. "$(dirname "$0")/tap.sh"

check "prints its settings" sh -c "'$CONVENED' --help | grep -q limits/drain"
check "prints its version" sh -c "'$CONVENED' --version | grep -qx 'convened [0-9.]*'"

# --- asked wrongly: one line, exit code 2
check "unknown option" refuses 2 "--prot" "$CONVENED" --prot 5550
check "option without its value" refuses 2 "--set" "$CONVENED" --set
check "argument that means nothing" refuses 2 "run.zpl" "$CONVENED" run.zpl
check "unknown key names the nearest" refuses 2 "run/rounds" "$CONVENED" --set run/round=5
check "value out of range" refuses 2 "run/agents" "$CONVENED" --set run/agents=0
check "unknown variable of a section" refuses 2 "CONVENE_RUN_ROUND" env CONVENE_RUN_ROUND=5 "$CONVENED"
check "no such file" refuses 2 "none.zpl" "$CONVENED" --config "$DIR/none.zpl"
check "malformed endpoint" refuses 2 "listen/data" "$CONVENED" --set listen/data=5550
check "beyond loopback without keys" refuses 2 "listen/data=tcp://\*:5550" \
    "$CONVENED" --set "listen/data=tcp://*:5550"
check "control beyond loopback without keys" refuses 2 "listen/control" \
    "$CONVENED" --set "listen/data=tcp://127.0.0.1:*" --set "listen/control=tcp://0.0.0.0:5599"
check "certificate that is not there" refuses 2 "server.key" \
    "$CONVENED" --set "security/certificate=$DIR/server.key" --set "security/allow=$DIR"
"$CONVENE" keygen --server --advertise tcp://127.0.0.1:1 --out "$DIR/server.key" >"$DIR/keygen.log" 2>&1
check "certificate without an allow list" refuses 2 "security/allow" \
    "$CONVENED" --set "security/certificate=$DIR/server.key"
mkdir "$DIR/keys"
check "public half as certificate" refuses 2 "secret" \
    "$CONVENED" --set "security/certificate=$DIR/server.key.pub" --set "security/allow=$DIR/keys"
chmod 644 "$DIR/server.key"
check "secret key others may read" refuses 2 "0644" \
    "$CONVENED" --set "security/certificate=$DIR/server.key" --set "security/allow=$DIR/keys"

# --- starting
daemon first
ok $? "listens on ports of its own"
FIRST=$PID
FIRST_DATA=$DATA
FIRST_CONTROL=$CONTROL
check "says where" sh -c "echo '$DATA $BULK' | grep -q 'tcp://127.0.0.1:[0-9]* tcp://127.0.0.1:[0-9]*'"
check "answers status" shows '"state":"waiting"'
check "control socket is the user's alone" test "$(stat -c %a "$DIR/first.control")" = 600
check "address in use" refuses 1 "in use" "$CONVENED" --set "listen/data=$DATA" \
    --set "listen/control=ipc://$DIR/other.control"
check "control socket in use" refuses 1 "in use" "$CONVENED" --set "listen/data=tcp://127.0.0.1:*" \
    --set "listen/control=$CONTROL"
check "still answers afterwards" shows '"state":"waiting"'

# --- ending
kill -TERM "$FIRST"
check "SIGTERM ends it with 0" ends "$FIRST" 0
check "and removes its control socket" test ! -e "$DIR/first.control"
daemon second
kill -KILL "$PID"
wait "$PID" 2>/dev/null
check "kill -9 leaves a socket behind" test -S "$DIR/second.control"
daemon second
ok $? "which the next daemon replaces"
check "stop is answered" "$CONVENE" stop --control "$CONTROL"
check "and ends it with 0" ends "$PID" 0
daemon third
kill -INT "$PID"
check "SIGINT ends it with 0" ends "$PID" 0
daemon impatient
impatient() { while kill -TERM "$1" 2>/dev/null; do :; done; }
impatient "$PID" &
check "signals to its last moment do not make another end of it" ends "$PID" 0
daemon open "security/insecure=true" "listen/data=tcp://*:*"
ok $? "insecure daemon listens everywhere"
check "SIGHUP does not end it" sh -c "kill -HUP $PID"
check "still answers after SIGHUP" shows '"state":"waiting"'
check "drain is answered" "$CONVENE" drain --control "$CONTROL"
until_true 30 shows '"state":"finished"'
ok $? "and ends the run, not the daemon"
check "which stop does" "$CONVENE" stop --control "$CONTROL"
check "with 0" ends "$PID" 0

# --- the default control socket
start default env XDG_RUNTIME_DIR="$DIR" "$CONVENED" --set "listen/data=tcp://127.0.0.1:*"
until_true 30 grep -q event=listening "$DIR/default.log"
check "control socket in XDG_RUNTIME_DIR" test -S "$DIR/convene.control"
check "convene finds it there" env XDG_RUNTIME_DIR="$DIR" "$CONVENE" status

# --- settings that are allowed and seldom meant
daemon doubtful policy/balance=time solver/kind=giant
check "balancing what has no local steps is warned of" \
    grep -q 'level=warn .*event=doubtful_setting setting=policy/balance=time why="rounds of giant' "$DIR/doubtful.log"
kill -KILL "$PID"
