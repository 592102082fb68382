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
daemon remote solver/kind=sgd run/rounds=0 security/certificate=server.key security/allow=agents.allow "listen/control=tcp://127.0.0.1:*"
SERVER=$PID
check "a daemon with keys and a control socket on TCP" kill -0 "$SERVER"
TCP=$(sed -n 's/.*event=listening .* control=\([^ ]*\) .*/\1/p' remote.log)

ask() { convene status --control "$TCP" --timeout 5 "$@"; }
check "an operator may ask" ask --join operator-jo.join
check "the screen shows where it listens" bash -c "convene status --control $TCP --join operator-jo.join | grep -q 'control $TCP'"
check "an agent may not" refuses 3 "operator" convene status --control "$TCP" --join gpu-1.join
check "without keys nobody may" refuses 3 "keys" convene status --control "$TCP"
cp operator-jo.join open.join && chmod 644 open.join
check "keys that others can read are refused" refuses 2 "open.join" convene status --control "$TCP" --join open.join

# Every command, with a run behind it.
DATA_PORT=$(sed -n 's/.*event=listening data=\([^ ]*\) .*/\1/p' remote.log)
sed -i "s|tcp://127.0.0.1:1\"|$DATA_PORT\"|" gpu-1.join
for i in {1..200}; do echo "$((i % 2)) 1:$((i % 7)) 2:$((i % 11)).$((i % 3))"; done > rows
start agent convene-agent --join gpu-1.join --data rows
over() { convene "$@" --control "$TCP" --join operator-jo.join; }
shows_at_least() { [ "$(over status --json | jq .data.run.version)" -ge "$1" ]; }
check "a run over the same daemon" until_true 30 shows_at_least 3
check "agents" bash -c "convene agents --control $TCP --join operator-jo.join | grep -q gpu-1"
check "rounds" bash -c "convene rounds --after 1 --control $TCP --join operator-jo.join | grep -q 'L = '"
check "rounds --csv" bash -c "convene rounds --csv --control $TCP --join operator-jo.join | grep -q '^1,'"
check "policy" over policy
check "policy set" over policy set fixed local-steps=2
check "model get" over model get --out model.npy
check "which wrote the model" test -s model.npy
check "watch" bash -c "convene watch --once --control $TCP --join operator-jo.join | grep -q '^. gpu-1'"
check "drain" over drain
check "which ends the run" until_true 30 bash -c "convene status --control $TCP --join operator-jo.join | grep -q '^run .*: finished'"
check "an agent may not submit" refuses 3 "operator" convene submit --control "$TCP" --join gpu-1.join --set run/rounds=2
check "an operator may" over submit --set run/rounds=2 --set run/name=second
check "and it is the next run" until_true 30 bash -c "convene status --control $TCP --join operator-jo.join | grep -q '^run .*second'"
check "an operator may stop it" convene stop --control "$TCP" --join operator-jo.join
check "and it ends" ends "$SERVER" 0
