#!/bin/bash
# convene submit: the next run of a living daemon, and the agents that move over to it.
. "$(dirname "$0")/tap.sh"
cd "$DIR" || exit 1
PATH=$BUILD:$PATH
export PATH XDG_RUNTIME_DIR="$DIR"

awk 'BEGIN {
    srand(3)
    for (i = 0; i < 90; i++) {
        a = rand() - 0.5; b = rand() - 0.5
        printf "%.6f,%.6f,%.6f,%d\n", a, b, a * b, (a + 0.3 * b + 0.1 * (rand() - 0.5) > 0 ? 1 : -1)
    }
}' > data.csv

same() { [ "$1" = "$2" ] || { echo "\"$1\" is not \"$2\""; return 1; }; }
submit() { convene submit --control "$CONTROL" "$@"; }
field() { status | jq -r ".data.$1"; }
run_is() { [ "$(field run.name) $(field run.state)" = "$1 $2" ]; }
before_is() { [ "$(field before)" = "$1" ]; }
rounds() { convene rounds --csv --control "$CONTROL"; }
first_loss() { rounds | awk -F, 'NR == 2 { printf "%.9f", $6 }'; }
last_loss() { rounds | awk -F, 'END { printf "%.9f", $6 }'; }
agent() { start "$1" convene-agent --server "$DATA" --data data.csv --shard "$2" --name "$1" "${@:3}"; }
counts() { [ "$(grep -c "event=$2" "$1.log")" -eq "$3" ]; }

daemon d run/name=first run/agents=2 run/rounds=3 problem/l2=1/n
agent a1 1/2 --stay; A1=$PID
agent a2 2/2 --stay; A2=$PID
check "the first run ends" until_true 30 run_is first finished
first=$(last_loss)
check "agents that stay are still there" bash -c "kill -0 $A1 && kill -0 $A2"

check "another run is submitted" submit --set run/name=second --start model --set run/rounds=2
check "it runs to its end" until_true 30 run_is second finished
check "the agents moved over by themselves" counts a1 joined 2
check "with the data they had" counts a1 loaded 1
check "it began with the loss the first ended with" same "$first" "$(first_loss)"
check "settings that were not named have stayed" same 1/n "$(field 'run.config["problem/l2"]')"

second=$(last_loss)
convene model get --control "$CONTROL" --out kept.npy
check "another problem" submit --set run/name=third --set problem/kind=ridge
check "begins and ends too, from zeros" until_true 30 run_is third finished
check "and reads nothing anew" counts a1 loaded 1
check "the model is one of real targets now" same 0 "$(field 'run.labels | length')"
check "another order of the rows" submit --set run/name=fourth --set problem/kind=logistic --set run/seed=2
check "runs" until_true 30 run_is fourth finished
check "with the data read anew" counts a1 loaded 2

refused() { refuses "$1" "$2" convene submit --control "$CONTROL" "${@:3}"; }
check "a setting of the process is refused by name" refused 2 "listen/data is no setting of a run" --set listen/data=tcp://127.0.0.1:1
check "so is one that sizes its sockets" refused 2 "limits/members is no setting of a run" --set limits/members=5
check "and one of the agents" refused 2 "agent/threads is no setting of a run" --set agent/threads=2
check "an unknown key" refused 2 "nearest known key is run/rounds" --set run/round=3
check "what does not fit together" refused 2 "run/agents=2000 has to be at most" --set run/agents=2000
check "a start that is no file" refused 2 "No such file" --start none.npy
check "a model of another problem" refused 2 "problem/kind=logistic, the next run ridge" --start model --set problem/kind=ridge
check "a card of another problem" refused 2 "is a model of problem/kind=logistic, the run's is ridge" --start kept.npy --set problem/kind=ridge
check "after all that nothing has changed" run_is fourth finished

convene model get --control "$CONTROL" --out fourth.npy
check "a killed agent" bash -c "kill -KILL $A2"
check "a run from a file" submit --set run/name=fifth --start kept.npy --set run/rounds=3
check "waits for it" until_true 30 run_is fifth waiting
check "meanwhile the model of the run before is served" convene model get --control "$CONTROL" --out before.npy
check "as it was" cmp fourth.npy before.npy
check "with its own card" cmp fourth.json before.json
check "status says so" grep -q '^model  *none yet; .* of run fourth' <(convene status --control "$CONTROL")
agent a2 2/2; A2=$PID
check "and goes on when it is back" until_true 30 run_is fifth finished
check "from where the second had ended" same "$second" "$(first_loss)"
check "the run before is forgotten" until_true 30 before_is null
check "an agent that was not told to stay ends with its run" ends "$A2" 0
check "the one that was stays" kill -0 "$A1"

# Agents that name their shard beside one that does not: whoever is back first.
kill "$A1"; ends "$A1" 0
daemon m run/name=m0 run/agents=3 run/rounds=1
agent c1 1/3 --stay
agent c2 2/3 --stay
both_are_there() { [ "$(field 'agents | length')" = 2 ]; }
until_true 30 both_are_there # or the third may be leased what they ask for
agent c3 auto --stay
check "a run of named and leased shards" until_true 30 run_is m0 finished
for i in 1 2 3; do
    check "submitted again" submit --set run/name=m$i
    check "it finds the agents at their shards" until_true 30 run_is m$i finished
done
check "the leased one too" same 3 "$(field 'agents[] | select(.name == "c3").shard')"

# A run in progress: one can be queued, and no agent needs to be told to stay.
daemon q run/name=long run/agents=2 run/rounds=0 solver/kind=sgd solver/step=0.001
agent b1 1/2; B1=$PID
agent b2 2/2; B2=$PID
until_true 30 shows '"state":"running"'
check "a run is queued" submit --set run/name=queued --set run/rounds=2 --set solver/kind=newton
check "status shows it" same queued "$(field next.name)"
check "text too" grep -q '^next  *queued: problem logistic' <(convene status --control "$CONTROL")
check "the present one goes on" run_is long running
check "a second one is refused" refused 3 "another run is waiting for the present one to end already, named queued; only one can" --set run/name=more
convene drain --control "$CONTROL" > /dev/null
check "the queued one begins when the present one ends" until_true 30 run_is queued finished
check "with the agents of the run before" counts b1 joined 2
check "which end with the last run" ends "$B1" 0
check "all of them" ends "$B2" 0
check "a model to go on from" submit --start model --set run/name=empty
check "without agents is waited for" until_true 30 run_is empty waiting
# The model of the queued run is still served, though the run that is to start from it never began.
convene model get --control "$CONTROL" --out served.npy
check "it ends without a model" convene drain --control "$CONTROL"
check "which is seen" until_true 30 run_is empty finished
check "another problem is not served" refused 2 "the present model has problem/kind=logistic, the next run ridge" \
    --start model --set problem/kind=ridge
check "what is still served is a model to go on from" submit --start model --set run/name=after --set run/rounds=1
agent d1 1/2
agent d2 2/2
check "to the end" until_true 30 run_is after finished
convene evaluate served.npy data.csv --json > judged.json
check "from that model" same "$(jq '.data.objective * 1e9 | round' judged.json)" \
    "$(rounds | awk -F, 'NR == 2 { printf "%.0f", $6 * 1e9 }')"
check "and ends on demand" convene stop --control "$CONTROL"
