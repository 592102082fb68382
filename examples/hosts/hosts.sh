#!/usr/bin/env bash
# Unequal hosts: three network namespaces with links of 100, 10 and 1 Mbit/s and computers of different
# speed train one model, once with equal local steps and once with policy/balance=time, which gives
# faster hosts more of them. Shows who waited for whom, and what balancing saves.
#
#   bash examples/hosts/hosts.sh                         as root; two minutes
#                               [--build DIRECTORY]      where the programs are [build or build-release]
#                               [--data FILE]            your own; every host works on a third of it
#                               [--rounds N]             [12]
#                               [--set PATH=VALUE]...    any setting of the server, for both runs
#
# Agents are started by hand with join files, one of them before the server; one host reaches it over
# IPv6. All that is made (namespaces, processes, a directory) is taken away at the end, also on Ctrl-C.
# Ends with 77 where there are no namespaces to be had.
set -euo pipefail
root=$(realpath "$(dirname "$0")/../..")
build='' data='' rounds=12 sets=()

fail() { echo "hosts: $1" >&2; exit 2; }
while [ $# -gt 0 ]; do
    case $1 in
    --build | --data | --rounds | --set) [ $# -ge 2 ] || fail "$1 needs a value" ;;
    esac
    case $1 in
    --build) build=$(realpath "$2"); shift ;;
    --data) data=$(realpath "$2"); shift ;;
    --rounds) rounds=$2; shift ;;
    --set) sets+=(--set "$2"); shift ;;
    -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) fail "unknown argument $1: see --help" ;;
    esac
    shift
done
for directory in "$root/build" "$root/build-release"; do
    [ -n "$build" ] || [ ! -x "$directory/convened" ] || build=$directory
done
[ -x "$build/convened" ] || fail "no programs in ${build:-build}: meson setup build && ninja -C build"
[ -z "$data" ] || [ -r "$data" ] || fail "cannot read $data"

skip() { echo "hosts: skipped: $1" >&2; exit 77; }
[ "$(id -u)" -eq 0 ] || skip "network namespaces need root"
for tool in ip tc jq awk; do
    command -v "$tool" > /dev/null || skip "$tool is not installed (Debian: iproute2, jq)"
done

# The hosts: name, Mbit/s, seconds a local step takes, address family of its way to the server.
hosts=("north 100 0.004 4" "middle 10 0.008 6" "south 1 0.016 4")
tag=cnv$$
work=$(mktemp -d "${TMPDIR:-/tmp}/convene-hosts.XXXXXX")
spaces=() pids=()

clean_up() {
    local code=$?
    trap '' INT TERM
    [ ${#pids[@]} -eq 0 ] || kill -TERM "${pids[@]}" 2> /dev/null || true
    wait
    for space in "${spaces[@]}"; do
        ip netns del "$space" || true
    done
    if [ $code -ne 0 ] && [ $code -ne 77 ]; then
        for log in "$work"/*.log; do
            [ ! -s "$log" ] || { echo "--- ${log##*/}"; tail -n 5 "$log"; } >&2
        done
    fi
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

space() { # NAME: a namespace of that name; false where there are none.
    ip netns add "$tag-$1" 2> "$work/ip.err" || return 1
    spaces+=("$tag-$1")
    ip -n "$tag-$1" link set lo up
}

# A pair of wires between the server and host NUMBER NAME, each end sends at so many Mbit/s. A burst
# of 16 kB lets no more than that pass unshaped; a queue of 256 kB is what a home router has.
wire() { # NUMBER NAME MBIT
    ip -n "$tag-server" link add "to-$2" type veth peer name uplink netns "$tag-$2"
    for end in "$tag-server to-$2 1" "$tag-$2 uplink 2"; do
        read -r in device last <<< "$end"
        ip -n "$in" address add "10.87.$1.$last/24" dev "$device"
        ip -n "$in" address add "fd87:$1::$last/64" dev "$device" nodad
        ip -n "$in" link set "$device" up
        tc -n "$in" qdisc add dev "$device" root tbf rate "$3mbit" burst 16kb limit 256kb
    done
    ip -n "$tag-$2" route add default via "10.87.$1.1"
    ip -n "$tag-$2" -6 route add default via "fd87:$1::1"
}

space server || skip "no network namespaces here: $(cat "$work/ip.err")"
# The server's own addresses, which all hosts know it by.
ip -n "$tag-server" address add 10.87.0.1/32 dev lo
ip -n "$tag-server" address add fd87::1/128 dev lo nodad || skip "no IPv6 here"

cd "$work"
"$build/convene" keygen --server --out server.key --advertise tcp://10.87.0.1:5550 > keygen.log
number=0
for host in "${hosts[@]}"; do
    read -r name mbit seconds family <<< "$host"
    number=$((number + 1))
    space "$name"
    wire $number "$name" "$mbit"
    endpoint=tcp://10.87.0.1:5550
    [ "$family" -eq 4 ] || endpoint='tcp://[fd87::1]:5550'
    "$build/convene" keygen --agent "$name" --server-key server.key.pub --advertise "$endpoint" >> keygen.log
done

if [ -z "$data" ]; then
    # 3000 rows of 784 features in 10 classes: a model of 62,800 bytes, half a second at 1 Mbit/s.
    data=$work/rows.libsvm
    awk 'BEGIN {
        srand(1)
        for (i = 0; i < 3000; i++) {
            label = i % 10; line = label
            for (j = 1 + int(rand() * 20); j <= 784; j += 1 + int(rand() * 39)) {
                line = line sprintf(" %d:%.3f", j, rand() + (j % 10 == label ? 0.2 : 0))
            }
            print line
        }
    }' > "$data"
fi

agent() { # NUMBER NAME SECONDS RUN
    ip netns exec "$tag-$2" "$build/convene-agent" --join "$2.join" --data "$data" --shard "$1/${#hosts[@]}" \
        --set agent/step-seconds="$3" > "$4-$2.log" 2>&1 &
    pids+=($!)
}

agents() { # RUN FIRST LAST
    local number name seconds
    for number in $(seq "$2" "$3"); do
        read -r name _ seconds _ <<< "${hosts[number - 1]}"
        agent "$number" "$name" "$seconds" "$1"
    done
}

ask() { ip netns exec "$tag-server" "$build/convene" "$@" --control "ipc://$work/control"; }
state() { ask status --json 2> /dev/null | jq -r .data.run.state; }

table() { # RUN: from its status
    local host name mbit seconds
    printf '%-8s %7s %9s %5s %7s %9s %9s %9s %11s\n' host Mbit/s 'ms/step' L steps computing sending waiting 'waited for'
    for host in "${hosts[@]}"; do
        read -r name mbit seconds _ <<< "$host"
        jq -r --arg name "$name" '.data.agents[] | select(.name == $name) |
            [.local_steps, .steps, .steps / .steps_per_second, .busy_seconds - .steps / .steps_per_second,
             .waited_seconds, .held_seconds] | @tsv' "$1.json" |
            awk -v name="$name" -v mbit="$mbit" -v ms="$seconds" '{
                printf "%-8s %7s %9.0f %5d %7d %7.1f s %7.1f s %7.1f s %9.1f s\n", name, mbit, 1000 * ms, $1, $2, $3, $4, $5, $6
            }'
    done
}

run() { # NAME SETTING...: leaves NAME.json, the status at the end
    local name=$1
    shift
    agents "$name" 1 1 # before the server: it waits
    ip netns exec "$tag-server" "$build/convened" --set 'listen/data=tcp://*:5550' --set "listen/control=ipc://$work/control" \
        --set security/certificate=server.key --set security/allow=agents.allow \
        --set run/agents=${#hosts[@]} --set run/rounds="$rounds" --set problem/kind=softmax --set problem/l2=1e-4 \
        --set solver/kind=sgd --set solver/step=0.05 --set policy/local-steps=100 --set policy/evaluate=0 \
        "${sets[@]}" "$@" > "$name-server.log" 2>&1 &
    local server=$!
    pids+=($server)
    agents "$name" 2 ${#hosts[@]}
    # It ends by itself; a run that does not is worth a look at its logs.
    local deadline=$((SECONDS + 600 + 10 * rounds))
    until [ "$(state)" = finished ]; do
        kill -0 $server 2> /dev/null || fail "the server of run $name has ended"
        [ "$SECONDS" -lt $deadline ] || fail "run $name takes too long"
        sleep 0.2
    done
    ask status --json > "$name.json"
    ask rounds --json > "$name-rounds.json"
    ask stop > /dev/null
    local pid
    for pid in "${pids[@]}"; do
        wait "$pid" || fail "not all of run $name ended well"
    done
    pids=()
    echo
    echo "== $name"
    table "$name"
    echo "last round: $(jq -r '[.data.rows[] | select(.round)][-1].reason' "$name-rounds.json")"
}

echo "Three hosts, $rounds rounds, policy/local-steps=100 unless --set says otherwise. This takes a while."
run equal-steps
run balance-time --set policy/balance=time

figure() { jq -r "$2" "$1.json"; }
echo
printf '%-12s %10s %12s %10s\n' '' seconds iterations loss
for name in equal-steps balance-time; do
    figures=$(figure $name '[.data.run.seconds, .data.run.iteration, .data.run.loss] | @tsv')
    read -r seconds iterations loss <<< "$figures"
    printf '%-12s %10.1f %12d %10.5f\n' $name "$seconds" "$iterations" "$loss"
done
