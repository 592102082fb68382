#!/bin/bash
# convene watch in a terminal (tmux) of 80x24: what it shows, after a resize, while the daemon is
# away, and that the terminal is as it was before, however it ends.
. "$(dirname "$0")/tap.sh"
cd "$DIR" || exit 1
PATH=$BUILD:$PATH
export PATH XDG_RUNTIME_DIR="$DIR" LC_ALL=C.UTF-8

terminal() { tmux -S "$DIR/tmux" -f /dev/null "$@"; }
quit_terminal() {
    terminal kill-server 2> /dev/null
    finish
}
trap quit_terminal EXIT
screen() { terminal capture-pane -p -t "$1"; }
on() { screen "$1" | grep -q -e "$2"; }
gone() { ! on "$1" "$2"; }

# watch NAME OPTION...: in a window of its own; prints its exit code when it ends.
watch() {
    terminal new-session -d -s "$1" -x 80 -y 24 "convene watch ${*:2}; echo \"ended with \$?\"; stty -a; exec cat"
}
# restored NAME: echo and line mode, and the screen from before.
restored() { on "$1" ' icanon ' && on "$1" ' echo ' && gone "$1" 'q quits'; }

for i in {1..200}; do echo "$((i % 2)) 1:$((i % 7)) 2:$((i % 11)).$((i % 3))"; done > data

watched() {
    daemon "$1" run/agents=2 run/rounds=0 solver/kind=sgd run/name=toy sync/rejoin=0 "${@:2}"
    SERVER=$PID
    WATCHED=$DATA
}
agent() { start "$1" convene-agent --server "$WATCHED" --data data --shard "$2" --name "$1"; }

watched first
check "without a terminal it says so" refuses 2 "not a terminal" convene watch --control "$CONTROL"
check "no daemon to begin with: refused" refuses 3 "no daemon answers" convene watch --once --control "ipc://$DIR/none"
check "--once prints one screen" bash -c "convene watch --once --control $CONTROL > once && grep -q '^toy: waiting' once"
check "of 24 lines" test "$(wc -l < once)" -eq 24
check "and without colours" bash -c '! grep -q "$(printf "\033")" once'

watch main --control "$CONTROL"
check "shows a run that waits" until_true 30 on main '^toy: waiting, 0 rounds'
check "and what for" until_true 30 on main '^waiting for 2 of 2 agents'
agent agent-1 1/2
FIRST=$PID
agent agent-2 2/2
check "shows it running" until_true 30 on main '^toy: running, [1-9][0-9]* rounds'
check "with its members" until_true 30 on main '^. agent-2 *\(working\|offered\)'
check "with the loss as bars" until_true 30 on main '^loss .*[▁▂▃▄▅▆▇█]'
check "with the reason" on main '^[0-9-]* *.*L'
check "with rates" until_true 30 on main 'B/s, .* rounds/s$'
check "in 24 lines" until_true 30 on main '^q quits .*first.control$'

terminal resize-window -t main -x 50 -y 12
check "fits a smaller terminal" until_true 30 bash -c "[ \"\$(tmux -S $DIR/tmux capture-pane -p -t main | tail -n 1 | wc -m)\" -le 51 ]"
check "down to its last line" until_true 30 on main '^q quits'
check "and has its first" until_true 30 on main '^toy: running'
terminal resize-window -t main -x 140 -y 50
check "uses a larger one" until_true 30 on main ' down  host'

kill -KILL "$FIRST"
check "shows who is lost, first" until_true 30 bash -c "tmux -S $DIR/tmux capture-pane -p -t main | grep -A 1 '^  member' | grep -q 'agent-1 *lost'"

kill -KILL "$SERVER"
check "says that the daemon is away" until_true 30 on main 'has not answered for'
watched first run/name=second
check "and follows the one that comes back" until_true 30 on main '^second: waiting'
check "without the old one's rounds" until_true 30 gone main '[█]'

terminal send-keys -t main q
check "q ends it with 0" until_true 30 on main 'ended with 0'
check "and gives the terminal back" until_true 30 restored main

watch interrupted --control "$CONTROL"
check "a second one" until_true 30 on interrupted '^second: waiting'
terminal send-keys -t interrupted C-c
check "Ctrl-C ends it with 0" until_true 30 on interrupted 'ended with 0'
check "and gives the terminal back" until_true 30 restored interrupted

for signal in TERM SEGV; do
    watch $signal --control "$CONTROL"
    check "one for SIG$signal" until_true 30 on $signal '^second: waiting'
    kill -$signal "$(pgrep -P "$(terminal display -p -t $signal '#{pane_pid}')" -x convene)"
    check "SIG$signal ends it" until_true 30 on $signal 'ended with 1[0-9][0-9]'
    check "and gives the terminal back" until_true 30 restored $signal
done

terminal new-session -d -s plain -x 80 -y 24 "env LC_ALL=C NO_COLOR=1 convene watch --control $CONTROL"
check "ASCII where the locale is" until_true 30 on plain '^second: waiting'
terminal new-session -d -s shell -x 80 -y 24 "bash --norc"
terminal send-keys -t shell "convene watch --control $CONTROL" Enter
check "from a shell" until_true 30 on shell '^second: waiting'
terminal send-keys -t shell C-z
check "Ctrl-Z stops it" until_true 30 on shell 'Stopped'
check "and leaves its screen" until_true 30 gone shell 'q quits'
terminal send-keys -t shell "fg" Enter
check "fg brings it back" until_true 30 on shell '^q quits'
