#!/bin/bash
# Plug-ins as a user has them: built by the one line of examples/plugins/README.md, run beside each
# other over sockets and inline with the same bits, refused where they are missing; and a policy set
# in mid-run.
. "$(dirname "$0")/tap.sh"
SOURCE=$(cd "$(dirname "$0")/../.." && pwd)
cd "$DIR" || exit 1
PATH=$BUILD:$PATH
export PATH XDG_RUNTIME_DIR="$DIR"

awk 'BEGIN { srand(1); for (i = 0; i < 300; i++) { a = rand(); b = rand(); print 2 * a - 3 * b " 1:" a " 2:" b " 3:" rand() } }' > data.libsvm

# The line of the README, with the names in it replaced.
LINE=$(grep -m1 '^cc .*my_policy.c' "$SOURCE/examples/plugins/README.md")
build() {
    local line=${LINE//my_policy.c/examples/plugins/$1.c}
    (cd "$SOURCE" && ${line//my_policy.so/$DIR/$1.so})
}
check "the README has the line that builds one" test -n "$LINE"
for name in plateau barzilai log_cosh; do
    check "it builds $name" build $name
    check "convene plugin check knows $name" convene plugin check $name.so
done
check "and shows its options" sh -c 'convene plugin check plateau.so | grep -q "  patience=3"'
check "and what it reads and comes from" sh -c 'convene plugin check barzilai.so |
    grep -q "^reads: solver/batch .*solver/options" && convene plugin check barzilai.so | grep -q "^paper: Barzilai"'

run() { # OUT OPTION...
    local out=$1
    shift
    timeout 60 convene run --quiet --agents 3 --data data.libsvm --plugin plateau.so --plugin barzilai.so \
        --plugin ./log_cosh.so --set policy/kind=plugin:plateau --set solver/kind=plugin:barzilai \
        --set problem/kind=plugin:log-cosh --set run/rounds=40 --set policy/local-steps=8 \
        --set policy/options=patience=2,share=0.001 --out "$out" "$@"
}
check "policy, solver and problem from plug-ins in one run" run sockets
check "the policy decided" grep -q 'L 8 -> 4: loss not below' sockets/rounds.csv
check "and the same inline" run inline --inline
check "with the same bits" cmp sockets/model.npy inline/model.npy
check "built-in agents' solvers take the problem" timeout 60 convene run --quiet --agents 2 --data data.libsvm \
    --plugin log_cosh.so --set problem/kind=plugin:log-cosh --set problem/l2=0.01 --set run/rounds=5

# refuses from tap.sh: exit code, part of the line, command.
said() { # CODE TEXT COMMAND...
    local code=$1 text=$2 got=0
    shift 2
    timeout 20 "$@" > said.out 2>&1 || got=$?
    [ $got -eq "$code" ] && grep -qF -- "$text" said.out || { cat said.out; return 1; }
}
check "no such file" said 2 'plug-in gone.so: cannot open' convened --plugin gone.so
check "not a shared object" said 2 'data.libsvm' convene plugin check data.libsvm
check "a solver is none of the server's" said 2 'is a solver: it belongs to the agents' convened --plugin barzilai.so
check "a policy is none of an agent's" said 2 'is a policy: it belongs to the server' \
    convene-agent --server tcp://127.0.0.1:1 --data data.libsvm --plugin plateau.so
check "a policy that is not loaded" said 2 'policy/kind=plugin:plateau: no such policy is loaded' \
    convened --set policy/kind=plugin:plateau
check "an option it does not have" said 2 'there is no option "patients": there are share, patience, stops' \
    convened --plugin plateau.so --set policy/kind=plugin:plateau --set policy/options=patients=1

# --- A policy set in mid-run, and an agent without the plug-in
CONVENE_CONTROL=ipc://$DIR/control
export CONVENE_CONTROL
start server convened --plugin plateau.so --set listen/data=ipc://"$DIR"/data --set listen/control="$CONVENE_CONTROL" \
    --set run/agents=1 --set run/rounds=0 --set solver/kind=plugin:barzilai --set problem/kind=ridge
SERVER=$PID
until_true 30 grep -q event=listening server.log
check "an agent without the solver says which is missing" said 3 \
    'solver/kind=plugin:barzilai is not known here: start the agent with --plugin FILE' \
    convene-agent --server ipc://"$DIR"/data --data data.libsvm
start agent convene-agent --server ipc://"$DIR"/data --data data.libsvm --plugin barzilai.so \
    --set agent/step-seconds=0.01
AGENT=$PID
version() { convene status --json | jq .data.run.version; }
later() { local now; now=$(version); until_true 30 eval "[ \$(version) -gt $((now + 2)) ]"; }
until_true 30 eval '[ $(version) -gt 0 ]'
set_it() { convene policy set "$@" | tee set.txt; test "${PIPESTATUS[0]}" -eq 0; }
check "another policy in mid-run" set_it adaptive-l local-steps=5
check "the answer says from when on" grep -q \
    '^policy  *fixed -> adaptive-l by an operator, from the next decision on$' set.txt
check "and what holds until then" grep -q '^  *until then L = 3, solver plugin:barzilai$' set.txt
later
check "and one from the plug-in" convene policy set plugin:plateau options=stops=false,patience=1
later
check "other settings of the same" convene policy set local-steps=2
later
check "rounds.csv says who set it, and what was before" sh -c \
    'convene rounds --csv | grep -q "policy fixed -> adaptive-l by an operator: L = 5 to begin with"'
check "for each" sh -c 'convene rounds --csv | grep -q "policy adaptive-l -> plugin:plateau by an operator: "'
check "so does the log" grep -q 'event=policy.*policy adaptive-l -> plugin:plateau by an operator' server.log
check "what is wrong is named" said 2 'policy/local-steps=0: allowed is a whole number' \
    convene policy set fixed local-steps=0
check "a plug-in is never loaded on command" said 2 'plug-ins are loaded when the server starts' \
    convene policy set plugin:other plugins=other.so
check "and the run is as it was" test "$(convene policy --json | jq -r .data.kind)" = plugin:plateau
check "the run goes on" later
kill "$SERVER"
check "and ends in order" ends "$SERVER" 0
check "the agent too" ends "$AGENT" 0
