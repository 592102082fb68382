# tap.sh - what the system tests share; sourced. Argument of each script: the build directory.
#
# Every wait has a deadline, and nothing waits for time alone. What a script starts with start or
# daemon is ended when it exits, by its process number.

BUILD=$(realpath "$1")
CONVENED=$BUILD/convened
CONVENE=$BUILD/convene
AVERAGER=$BUILD/tests/system/averager
DIR=$(mktemp -d "${TMPDIR:-/tmp}/convene-test.XXXXXX")
PIDS=
COUNT=0
FAILED=0
unset CONVENE_CONTROL XDG_RUNTIME_DIR

finish() {
    for pid in $PIDS; do
        kill -CONT "$pid" 2>/dev/null
        kill -KILL "$pid" 2>/dev/null
    done
    wait
    if [ "$FAILED" -gt 0 ]; then
        for log in "$DIR"/*.log; do
            sed "s|^|# ${log##*/}: |" "$log" | tail -n 30
        done
    fi
    rm -rf "$DIR"
    echo "1..$COUNT"
    [ "$FAILED" -eq 0 ]
}
trap finish EXIT

# ok CODE TEXT: a result line; CODE 0 is success.
ok() {
    COUNT=$((COUNT + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $COUNT - $2"
    else
        FAILED=$((FAILED + 1))
        echo "not ok $COUNT - $2"
    fi
}

# check TEXT COMMAND...: ok if the command succeeds.
check() {
    check_text=$1
    shift
    "$@" >"$DIR/check.out" 2>&1
    check_code=$?
    [ $check_code -eq 0 ] || sed 's/^/# /' "$DIR/check.out"
    ok $check_code "$check_text"
}

# until_true SECONDS COMMAND...: the command's success. The last try begins at the deadline or later,
# however long the one before took.
until_true() {
    until_end=$(($(date +%s%N) + $1 * 1000000000))
    shift
    while :; do
        until_now=$(date +%s%N)
        "$@" >/dev/null 2>&1 && return
        [ "$until_now" -lt "$until_end" ] || return 1
        sleep 0.02
    done
}

# start NAME COMMAND...: in the background, output to NAME.log, process number in $PID.
start() {
    start_log=$DIR/$1.log
    shift
    : >"$start_log" # here, or who reads at once finds what one of that name had written before
    "$@" >"$start_log" 2>&1 &
    PID=$!
    PIDS="$PIDS $PID"
}

# daemon NAME SETTING...: a daemon on free ports; sets PID, DATA, BULK, CONTROL. Later settings win.
daemon() {
    daemon_name=$1
    shift
    CONTROL=ipc://$DIR/$daemon_name.control
    daemon_sets=
    for setting in "listen/data=tcp://127.0.0.1:*" "listen/control=$CONTROL" "$@"; do
        daemon_sets="$daemon_sets --set $setting"
    done
    set -f
    # shellcheck disable=SC2086
    start "$daemon_name" "$CONVENED" $daemon_sets
    set +f
    until_true 30 grep -q event=listening "$DIR/$daemon_name.log" || return 1
    DATA=$(sed -n 's/.*event=listening data=\([^ ]*\) .*/\1/p' "$DIR/$daemon_name.log")
    BULK=$(sed -n 's/.*event=listening .* bulk=\([^ ]*\) .*/\1/p' "$DIR/$daemon_name.log")
}

# ends PID CODE [SECONDS]: the process ends with that code in time.
ends() {
    until_true "${3:-30}" eval "! kill -0 $1" || return 1
    wait "$1"
    ends_code=$?
    [ "$ends_code" -eq "$2" ] || {
        echo "exit code $ends_code, expected $2"
        return 1
    }
}

# refuses CODE PATTERN COMMAND...: ends so within 30 s, with one line that matches and nothing else.
refuses() {
    refuses_code=$1
    refuses_pattern=$2
    shift 2
    timeout 30 "$@" >"$DIR/refuses.out" 2>"$DIR/refuses.err"
    refuses_got=$?
    cat "$DIR/refuses.out" "$DIR/refuses.err"
    [ "$refuses_got" -eq "$refuses_code" ] || {
        echo "exit code $refuses_got, expected $refuses_code"
        return 1
    }
    [ ! -s "$DIR/refuses.out" ] && [ "$(wc -l <"$DIR/refuses.err")" -eq 1 ] &&
        grep -q -- "$refuses_pattern" "$DIR/refuses.err"
}

# lost_within MS NAME LOG SINCE: by the daemon's own clock, MS after SINCE (nanoseconds) the agent was lost.
lost_within() {
    until_true 30 grep -q "event=lost agent=$2 " "$3" || return 1
    lost_time=$(sed -n "s/^time=\([^ ]*\) .*event=lost agent=$2 .*/\1/p" "$3" | tail -n 1)
    lost_ms=$((($(date -d "$lost_time" +%s%N) - $4) / 1000000))
    echo "lost after $lost_ms ms"
    [ "$lost_ms" -lt "$1" ]
}

status() {
    "$CONVENE" status --control "$CONTROL" --json
}

# shows PATTERN: the status, as one line of JSON, matches.
shows() {
    status | grep -q -- "$1"
}
