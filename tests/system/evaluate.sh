#!/bin/bash
# convene evaluate: the figures of a run again, in every format, and what does not belong together.
. "$(dirname "$0")/tap.sh"
cd "$DIR" || exit 1
PATH=$BUILD:$PATH
export PATH XDG_RUNTIME_DIR="$DIR"

# rows SEED: 60 rows of two classes, LIBSVM text and the same as CSV.
rows() {
    awk -v seed="$1" 'BEGIN {
        srand(seed)
        for (i = 0; i < 60; i++) {
            a = rand() - 0.5; b = rand() - 0.5
            printf "%d 1:%.6f 2:%.6f 3:%.6f\n", (a + 0.3 * b + 0.1 * (rand() - 0.5) > 0 ? 1 : -1), a, b, a * b
        }
    }'
}
to_csv() { echo "a,b,c,y"; sed 's/ [123]:/,/g; s/^\([^,]*\),\(.*\)/\2,\1/'; }
rows 1 > train.libsvm
rows 2 > test.libsvm
to_csv < train.libsvm > train.csv
to_csv < test.libsvm > test.csv

field() { jq -r ".data.$1" "$2"; }
same() { [ "$1" = "$2" ] || { echo "\"$1\" is not \"$2\""; return 1; }; }
train() { convene run --inline --agents 3 --set run/rounds=5 --set problem/l2=1/n "$@" > run.out; }

check "a run on LIBSVM text" train --data train.libsvm --test test.libsvm --out libsvm
check "a run on the same rows as CSV" train --data train.csv --test test.csv --out csv
check "which is said" grep -qx 'train.csv: CSV with commas, a header, the label is column 4 (y)' run.out
check "gives the same model, bit for bit" cmp libsvm/model.npy csv/model.npy
check "and the same card" cmp libsvm/model.json csv/model.json
check "which ends with a newline, as run.json does" same 2 "$(tail -qc 1 libsvm/model.json libsvm/run.json | wc -l)"
check "four processes read CSV as one does" convene run --agents 3 --set run/rounds=5 --set problem/l2=1/n \
    --data train.csv --out processes
check "with the same bits" cmp libsvm/model.npy processes/model.npy

convene evaluate libsvm train.libsvm --json > train.json
convene evaluate libsvm/model.npy test.csv --json > test.json
check "the objective is the run's" same "$(jq '.final.loss * 1e12 | round' libsvm/run.json)" "$(jq '.data.objective * 1e12 | round' train.json)"
check "the accuracy is that of --test" same "$(jq '.final.test.value * 1e12 | round' libsvm/run.json)" "$(jq '.data.accuracy * 1e12 | round' test.json)"
check "the table adds up" same 60 "$(jq '[.data.confusion[][]] | add' test.json)"
check "its diagonal is what is right" same "$(field correct test.json)" "$(jq '.data.confusion[0][0] + .data.confusion[1][1]' test.json)"
check "as text too" grep -q "taken for" <(convene evaluate csv test.libsvm)

sed '1,7s/^[-0-9]*/7/' test.libsvm > strange.libsvm
convene evaluate libsvm strange.libsvm > strange.out
check "labels that the model does not know are counted" grep -q \
    'note  *7 rows have a label that the model does not know: 7; they count as wrong' strange.out
check "and said after a run, too" grep -q '7 of these rows have a label that the training data has not' \
    <(convene run --agents 2 --set run/rounds=3 --data train.libsvm --test strange.libsvm)
sed '3s/$/ 9:1/' test.libsvm > wide.libsvm
check "so are features" grep -q 'the data has 6 features more than the model' <(convene evaluate libsvm wide.libsvm)

train --set problem/kind=ridge --data train.csv --out ridge
convene evaluate ridge train.csv --json > ridge.json
check "real targets: the loss is half the mean squared error" same \
    "$(jq '.data.loss * 1e9 | round' ridge.json)" "$(jq '.data.rmse * .data.rmse / 2 * 1e9 | round' ridge.json)"

printf '5.1,yes\n-4,no\n3,yes\n-2.5,no\n' > words.csv
check "labels in words" train --set data/labels=no,yes --agents 2 --data words.csv --out words
check "are remembered" grep -q '^ *yes  *0  *2  *100.00%' <(convene evaluate words words.csv)
convene run --inline --agents 2 --set run/rounds=2 --set run/start=random --set problem/kind=mlp --set problem/hidden=3 \
    --set solver/kind=sgd --data train.csv --out mlp > run.out
check "hidden layers are remembered" grep -q accuracy <(convene evaluate mlp test.csv)

check "a matrix beside the model is no part of it" train --data train.csv --out scaled \
    --set solver/kind=savic --set optimiser/kind=scaled
check "nor of its fingerprint" grep -q accuracy <(convene evaluate scaled test.csv)

cp ridge/model.json libsvm/other.json; cp libsvm/model.npy libsvm/other.npy
check "another's card is refused" refuses 2 "is not the model of its model.json: fingerprint" convene evaluate libsvm/other.npy test.csv
cp mlp/model.json libsvm/other.json
check "one of another size too" refuses 2 "has 3 numbers, its model.json speaks of" convene evaluate libsvm/other.npy test.csv
jq '.features = 100000000000' libsvm/model.json > libsvm/other.json
check "one of more features than it has numbers" refuses 2 "model.json: a logistic model of 100000000000 features, but it has 3 numbers" \
    convene evaluate libsvm/other.npy test.csv
check "no card" refuses 2 "test.json: \"problem\" is missing" bash -c 'cp libsvm/model.npy test.npy; convene evaluate test.npy test.csv'
check "no model" refuses 2 "not a NumPy file" convene evaluate test.csv test.csv
check "no data" refuses 2 "No such file" convene evaluate libsvm missing.csv
check "one word" refuses 2 "expected two words" convene evaluate libsvm
printf 'a,y\n1,\n' > missing.csv
check "a missing value is named" refuses 2 'missing.csv:2: column 2 (y): expected a label' convene evaluate libsvm missing.csv
convene evaluate libsvm missing.csv --json > failed.json 2> failed.err
check "as it is with --json" same 2 $?
check "on stderr" grep -q 'missing.csv:2: column 2' failed.err
check "and in an envelope" jq -e '.ok == false and .error.name == "input" and (.error.text | test("missing.csv:2: column 2"))' failed.json

daemon d run/rounds=3
start agent convene-agent --server "$DATA" --data train.csv
until_true 30 shows '"state":"finished"'
check "a model from a daemon comes with its card" convene model get --control "$CONTROL" --out fetched.npy
check "and can be evaluated" grep -q accuracy <(convene evaluate fetched.npy test.csv)
check "so it is with an l1 term, of which agents know nothing" train --data train.libsvm --out l1 --set run/rounds=200 \
    --set solver/kind=isega --set optimiser/kind=sega --set encoding/up=blocks --set policy/kind=fixed \
    --set policy/local-steps=1 --set solver/step-rule=given --set solver/step=2 --set optimiser/l1=0.02
convene evaluate l1 train.libsvm --json > l1.json
check "in which it is" same "$(jq '.final.loss * 1e12 | round' l1/run.json)" "$(jq '.data.objective * 1e12 | round' l1.json)"
check "as the card says" grep -q 'with it (l2 0.0166667, l1 0.02)' <(convene evaluate l1 train.libsvm)
check "and asynchronous ISGD" convene run --agents 3 --data train.libsvm --out async --quiet --set problem/l2=1/n \
    --set run/rounds=300 --set solver/kind=blocks --set encoding/up=blocks --set policy/local-steps=1 \
    --set solver/step-rule=given --set solver/step=1 --set optimiser/kind=async-isgd --set optimiser/l1=0.02 \
    --set sync/mode=async --set sync/damping=0 --set sync/staleness=1000
convene evaluate async train.libsvm --json > async.json
check "has it too" same "$(jq '.final.loss * 1e12 | round' async/run.json)" "$(jq '.data.objective * 1e12 | round' async.json)"

# A warm start goes on where the other run was.
first_loss() { awk -F, 'NR == 2 { printf "%.9f", $6 }' "$1/rounds.csv"; }
last_loss() { awk -F, 'END { printf "%.9f", $6 }' "$1/rounds.csv"; }
train --data train.csv --set run/start=libsvm/model.npy --out warm
check "a warm start begins with the loss the other run ended with" same "$(last_loss libsvm)" "$(first_loss warm)"
check "with processes too" convene run --agents 3 --set run/rounds=5 --set problem/l2=1/n --data train.csv \
    --set run/start=libsvm/model.npy --out warm_processes
check "and the same bits" cmp warm/model.npy warm_processes/model.npy
start_from() { refuses "$1" "$2" convene run --quiet --agents 2 --data "${3:-train.csv}" --set "run/start=$4" "${@:5}"; }
check "from another problem's model" start_from 2 "problem/kind=ridge, the run's is logistic" train.csv ridge/model.npy
check "from one with another intercept" start_from 2 "problem/intercept=false, the run's is true" train.csv \
    libsvm/model.npy --set problem/intercept=true
check "from nothing" start_from 2 "none.npy: No such file" train.csv none.npy
check "from the model of no run" start_from 2 "there is no model yet" train.csv model
sed 's/^-1/0/' train.libsvm > relabelled.libsvm
check "from one with other labels" start_from 1 "knows 2 labels, -1 to 1, this run's data has 2, 0 to 1" \
    relabelled.libsvm libsvm/model.npy
cut -d' ' -f1-3 train.libsvm > narrow.libsvm
check "from one of another size" start_from 1 "has 3 coordinates, this run's has 2" narrow.libsvm libsvm/model.npy
