#!/bin/bash
# The control socket over TCP: with keys, for operators alone.
. "$(dirname "$0")/tap.sh"
PATH=$BUILD:$PATH
export PATH XDG_RUNTIME_DIR="$DIR"
cd "$DIR" || exit 1

convene keygen --server --advertise tcp://127.0.0.1:1 > /dev/null
for name in operator-jo gpu-1; do
    convene keygen --agent $name > /dev/null
done
daemon remote security/certificate=server.key security/allow=agents.allow "listen/control=tcp://127.0.0.1:*"
check "a daemon with keys and a control socket on TCP" kill -0 "$PID"
TCP=$(sed -n 's/.*event=listening .* control=\([^ ]*\) .*/\1/p' remote.log)

ask() { convene status --control "$TCP" --timeout 5 "$@"; }
check "an operator may ask" ask --join operator-jo.join
check "the screen shows where it listens" bash -c "convene status --control $TCP --join operator-jo.join | grep -q 'control $TCP'"
check "an agent may not" refuses 3 "operator" convene status --control "$TCP" --join gpu-1.join
check "without keys nobody may" refuses 3 "keys" convene status --control "$TCP"
cp operator-jo.join open.join && chmod 644 open.join
check "keys that others can read are refused" refuses 2 "open.join" convene status --control "$TCP" --join open.join
check "an operator may stop it" convene stop --control "$TCP" --join operator-jo.join
check "and it ends" ends "$PID" 0
