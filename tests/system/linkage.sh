#!/bin/sh
# One engine, one session, one codec: simulator and programs hold the same code. And the server
# never opens a data file.
. "$(dirname "$0")/tap.sh"
cd "$DIR" || exit 1
SIMULATION=$BUILD/tests/simulation/simulation
AGENT=$BUILD/convene-agent

# code PROGRAM FUNCTION: its instructions without addresses, which differ from program to program.
code() {
    objdump --disassemble="$2" --no-show-raw-insn "$1" |
        sed -n '/^[0-9a-f]* <'"$2"'>:$/,/^$/p' |
        sed 's/^ *[0-9a-f]*:\t//; s/[0-9a-f]\{4,\}//g; s/0x[0-9a-f]*//g; s/ *#.*//; 1d'
}

# same FUNCTION PROGRAM...: all of them define it, with the same instructions.
same() {
    same_function=$1
    shift
    for same_program in "$@"; do
        nm "$same_program" | grep -q " T $same_function\$" || {
            echo "${same_program##*/} does not define $same_function"
            return 1
        }
        code "$same_program" "$same_function" > "code.${same_program##*/}"
        [ -s "code.${same_program##*/}" ] || return 1
        cmp "code.${1##*/}" "code.${same_program##*/}" || return 1
    done
}

check "simulator, inline run and daemon hold the same engine" \
    same cnv_engine_receive "$CONVENED" "$CONVENE" "$SIMULATION"
check "and the same rules of a round" same cnv_round_advance "$CONVENED" "$CONVENE" "$SIMULATION"
check "simulator, inline run and agent hold the same session" \
    same cnv_session_receive "$AGENT" "$CONVENE" "$SIMULATION"
check "and the same trainer" same cnv_trainer_event "$AGENT" "$CONVENE" "$SIMULATION"
check "all of them hold the same codec" \
    same cnv_message_decode "$CONVENED" "$AGENT" "$CONVENE" "$SIMULATION"

awk 'BEGIN { srand(1); for (i = 0; i < 200; i++) print (rand() < 0.5 ? -1 : 1) " 1:" rand() " 2:" rand() }' > secret-rows.libsvm
CONTROL=ipc://$DIR/traced.control
start traced strace -f -o calls -e trace=%file "$CONVENED" --set listen/data=ipc://"$DIR"/traced.data \
    --set listen/control="$CONTROL" --set run/rounds=3 --set run/linger=false
TRACED=$PID
until_true 30 grep -q event=listening traced.log
start worker "$AGENT" --server ipc://"$DIR"/traced.data --data secret-rows.libsvm
check "the traced daemon ends its run" ends "$TRACED" 0 60
check "the daemon opened files of its own" grep -q 'openat(.*libzmq' calls
check "but none of the data" sh -c '! grep -q secret-rows calls'
