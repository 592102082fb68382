#!/bin/bash
# The command line without a daemon: help, exit codes, keys, and that nothing half done is left.
. "$(dirname "$0")/tap.sh"
cd "$DIR" || exit 1
PATH=$BUILD:$PATH
export PATH XDG_RUNTIME_DIR="$DIR"

same() {
    [ "$1" = "$2" ] || { echo "\"$1\" is not \"$2\""; return 1; }
}

has_help() {
    convene "$@" --help > help.txt && grep -q '^usage: convene ' help.txt && grep -q '^examples:' help.txt
}
for command in run status watch agents rounds policy 'model get' drain stop keygen evaluate submit plot reference; do
    # shellcheck disable=SC2086
    check "$command has help with examples" has_help $command
done

# What the keys allow is what is registered.
choices() { grep -A 2 "^  $1=" convened.help | tail -n 1 | sed 's/ or plugin:NAME//; s/ or /, /' | tr -d ' ' | tr , '\n'; }
convened --help > convened.help
convene run --help > run.help
convene reference > reference.md
every_method() {
    for name in $(choices policy/kind) $(choices solver/kind) $(choices problem/kind) $(choices optimiser/kind) \
        $(choices aggregate/kind) $(choices encoding/up) $(choices encoding/down); do
        grep -q "^  $name  *[A-Za-z0-9]" run.help && grep -q -- "^- \*\*$name\*\*: " reference.md || { echo "$name"; return 1; }
    done
}
every_key() {
    for key in $(sed -n 's/^  \([a-z]*\/[a-z0-9-]*\)=.*/\1/p' convened.help); do
        grep -q "^| .$key. |" reference.md || { echo "$key"; return 1; }
    done
}
check "keys allow some methods" test "$(choices solver/kind | wc -l)" -ge 3
check "run --help and the reference list every method" every_method
check "run --help says where a method comes from and what it reads" sh -c 'grep -A 2 "^  newton " run.help |
    grep -q "LocalNewton, Algorithm 1\]" && grep -A 2 "^  newton " run.help | grep -q "keys: solver/armijo "'
check "so does the reference" sh -c 'grep -A 2 "^- ..newton.." reference.md | grep -q "Source: .*LocalNewton" &&
    grep -A 2 "^- ..newton.." reference.md | grep -q "Keys: .solver/armijo.,"'
check "the reference has every key" every_key

check "no command is asking wrongly" bash -c 'convene; [ $? -eq 2 ]'
check "an unknown command is named" refuses 2 "unknown command 'nonsense'" convene nonsense
check "an unknown option is named" refuses 2 "unknown option '--nonsense'" convene status --nonsense
check "a missing value is named" refuses 2 "needs a value" convene status --timeout
check "no daemon: refused" refuses 3 "no daemon answers" convene status
check "no daemon named by --control: refused" refuses 3 "$DIR/none" convene stop --control "ipc://$DIR/none"
check "an endpoint that is none" refuses 2 "nonsense" convene status --control nonsense
CONVENE_CONTROL=ipc://$DIR/variable check "no daemon named by CONVENE_CONTROL" refuses 3 "$DIR/variable" convene status
convene status --json > failure.json 2> /dev/null
check "--json: a failure is an envelope too" same "$(jq -c '[.schema, .ok, .error.code, .error.name]' failure.json)" \
    '[1,false,62,"unreachable"]'

# A socket where somebody listens who never answers.
start silent python3 -c "import socket,time; s=socket.socket(socket.AF_UNIX); s.bind('$DIR/silent'); s.listen(); print('listens', flush=True); time.sleep(600)"
until_true 30 grep -q listens silent.log
check "a silent one is given up after --timeout" refuses 3 "cannot reach" convene status --control "ipc://$DIR/silent" --timeout 0.5

run() { refuses "$1" "$2" convene run --out result "${@:3}"; }
printf '1 1:1\n-1 1:2\n' > good.libsvm
mkdir other && touch other/thesis.tex
check "run: data is needed" run 2 "--data FILE is missing"
check "run: a missing file" run 2 "No such file" --data missing.libsvm
check "run: a missing test file" run 2 "data/test" --data good.libsvm --test missing.libsvm
check "run: an unknown key gets the nearest one" run 2 "policy/local-steps" --data good.libsvm --set policy/localsteps=3
check "run: a value out of range" run 2 "run/agents" --data good.libsvm --agents 0
check "run: a value that is no number" run 2 "run/seed" --data good.libsvm --set run/seed=x
check "run: no assignment" run 2 "nonsense" --data good.libsvm --set nonsense
check "run: a missing configuration" run 2 "missing.zpl" --data good.libsvm --config missing.zpl
CONVENE_POLICY_NONSENSE=1 check "run: an unknown variable of a section" run 2 "CONVENE_POLICY_NONSENSE" --data good.libsvm
check "run: a foreign directory is left alone" refuses 2 "holds files" convene run --data good.libsvm --out other
check "run: nothing was written" test ! -e result

convene keygen --server --out server.key --advertise tcp://127.0.0.1:5550 > /dev/null
convene keygen --agent gpu-1 --server-key server.key.pub > /dev/null
mode() { same "$(stat -c %a "$1")" "$2"; }
check "keygen: secrets are for their owner alone" mode server.key 600
check "keygen: a join file too" mode gpu-1.join 600
check "keygen: the public part is public" mode server.key.pub 644
check "keygen: the public part has no secret" bash -c '! grep -q secret-key server.key.pub'
check "keygen: the agent is on the allow list" grep -q '^gpu-1 .\{40\}$' agents.allow
check "keygen: the join file has the address" grep -q 'tcp://127.0.0.1:5550' gpu-1.join
check "keygen: no file is overwritten" refuses 2 "gpu-1.join" convene keygen --agent gpu-1 --server-key server.key.pub
check "keygen: no server key is overwritten" refuses 2 "server.key" convene keygen --server --advertise tcp://h:1
check "keygen: a name must be one" refuses 2 "no name" convene keygen --agent 'no name' --server-key server.key.pub
check "keygen: refuses names are not let in" same "$(wc -l < agents.allow)" 1
check "keygen: server or agent" refuses 2 "either" convene keygen
mkdir keys
check "keygen: a directory as allow list" convene keygen --agent gpu-2 --server-key server.key --allow keys
check "keygen: holds a certificate then" test -e keys/gpu-2.pub

# Repeats: a line for each seed, the same as that seed alone.
repeats() {
    convene run --inline --agents 4 --set problem/kind=noisy-skewed --set run/start=ones --set solver/kind=sgd \
        --set run/iterations=60 --set policy/kind=one-shot "$@"
}
repeats --repeat 3 --set run/seed=5 > repeats.csv
check "run --repeat: a line for each seed" same "$(cut -d, -f1,2 repeats.csv | paste -sd' ')" "seed,rounds 5,1 6,1 7,1"
repeats --out seven --set run/seed=7 --quiet
check "run --repeat: as the seed alone" same "$(tail -1 repeats.csv | cut -d, -f3)" "$(tail -1 seven/rounds.csv | cut -d, -f6)"
check "run --repeat: without processes alone" refuses 2 "goes with --inline" convene run --repeat 2 --set problem/kind=noisy-skewed
check "run --repeat: a number" refuses 2 "allowed is 1 to" convene run --inline --repeat 0 --set problem/kind=noisy-skewed

# What a run came to: where from, and advice when it went the wrong way.
skewed() { convene run --inline --agents 2 --set problem/kind=noisy-skewed --set run/start=ones --set solver/kind=sgd "$@" | grep '^loss'; }
check "run: the loss, and the first" grep -q '^loss    [0-9.]*, down from 4$' <(skewed)
check "run: advice when it rose" grep -q ', up from 4: a larger problem/l2 or smaller steps may help$' <(skewed --set solver/step=5)
check "run: not when there is no first" grep -q '^loss    [0-9.]*$' <(skewed --set policy/evaluate=0)
