#!/usr/bin/env bash
# Who may include whom: greps every #include and compares it with the table below (see README.md).
# A line of the table: folder, then the folders and libraries it may include beside itself and libc.
# usage: layers.sh [SOURCE_ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

# A folder's name here is its path; the last match counts for a file, so folders stand before parts.
table='
lib/base            -
lib/num             lib/base cblas lapacke
lib/net             lib/base zmq
lib/config          lib/base czmq
lib/plugin          lib/base lib/config
lib/loop            lib/base lib/net zmq uv
lib/run             lib/base uv
lib/client          lib/base lib/net proto
lib/client/actor    lib/base lib/net proto czmq
lib/client/link     lib/base lib/net proto czmq
lib/client/network  lib/base lib/net proto czmq
lib/model           lib/base lib/config proto jansson
proto               lib/base msgpack
server/engine       lib/base lib/run proto server/policy/policy.h server/aggregate server/optimiser
server/policy       lib/base lib/num
server/aggregate    lib/base lib/num lib/run
server/optimiser    lib/base lib/num
server/report       lib/base lib/config server/engine jansson
server/io           lib/base lib/run lib/loop lib/net lib/config lib/model proto server zmq uv jansson
server/main.c       lib/base lib/plugin server/policy/policy.h lib/run lib/loop lib/net lib/config proto server zmq uv
agent/data          lib/base lib/num zlib lzma
agent/problem       lib/base lib/num agent/data
agent/solver        lib/base lib/num agent/data agent/problem
agent/trainer       lib/base lib/num lib/config lib/client/convene.h proto/plan.h agent/data agent/problem agent/solver
agent/main          lib/base lib/config lib/plugin lib/num lib/net lib/client agent
sim                 lib/base lib/run lib/config lib/client proto server/engine server/policy server/aggregate server/optimiser agent
cli                 lib/base lib/config lib/model lib/net lib/client/joinfile.h proto zmq jansson
cli/plugins         lib/base lib/config lib/plugin server/policy/policy.h agent/problem/problem.h agent/solver/solver.h
cli/cmd_run         lib/base lib/config agent/data agent/problem/problem.h
cli/methods         lib/base lib/config proto/encodings/encoding.h server/policy/policy.h server/aggregate/aggregate.h server/optimiser/optimiser.h agent/solver/solver.h agent/problem/problem.h
cli/cmd_evaluate    lib/base lib/config lib/model lib/num agent/data
cli/evaluate        lib/base lib/config lib/model agent/data agent/problem jansson
cli/run_inline      lib/base lib/config lib/model lib/num proto sim server/engine server/report agent/data agent/trainer jansson
'

# Rules without I/O: no system header that knows sockets, files, clocks or threads.
pure='server/engine server/policy server/aggregate server/optimiser proto agent/problem agent/solver agent/trainer sim
lib/client/session lib/client/round lib/client/upload lib/client/download lib/client/event lib/client/join.c'
world='time.h unistd.h fcntl.h poll.h signal.h pthread.h threads.h dirent.h netdb.h sys/* netinet/* arpa/*'

# How each library is included.
library_of() {
    case $1 in
    zmq.h) target=zmq ;;
    czmq.h) target=czmq ;;
    uv.h) target=uv ;;
    msgpack.h | msgpack/*) target=msgpack ;;
    cblas.h) target=cblas ;;
    lapacke.h) target=lapacke ;;
    zlib.h) target=zlib ;;
    lzma.h) target=lzma ;;
    jansson.h) target=jansson ;;
    *) target=libc ;;
    esac
}

# The file of ours that "#include NAME" in a file of folder HOME means.
path_of() {
    local name=$1 home=$2 root
    for root in "$home" . lib server agent proto sim; do
        if [ -e "$root/$name" ]; then
            target=${root#.}/$name
            target=${target#/}
            return
        fi
    done
    target=nowhere/$name
}

# The last line of the table that fits a file says what it is part of, and what it may include.
rule_of() {
    own='' may=''
    while read -r folder list; do
        [[ -n $folder && $1 == "$folder"* ]] && own=$folder may=$list
    done <<< "$table"
    return 0
}

# Does a word of the list begin FILE, or match it as a pattern?
is_listed() {
    local one
    set -f
    for one in $2; do
        # shellcheck disable=SC2053
        [[ $1 == "$one"* || $1 == $one ]] && { set +f; return 0; }
    done
    set +f
    return 1
}

wrong=0 last=''
complain() {
    echo "$1"
    wrong=1
}
while IFS=: read -r file line; do
    name=${line#*[<\"]}
    name=${name%%[>\"]*}
    [ "$file" = "$last" ] || rule_of "$file"
    last=$file
    if [ -z "$own" ]; then
        complain "$file: its folder is not in the table of tests/layers.sh"
        continue
    fi
    if [[ $line == *\<* ]]; then
        library_of "$name"
        if [ "$target" = libc ]; then
            is_listed "$file" "$pure" && is_listed "$name" "$world" && complain "$file: is pure, may not include $name"
            continue
        fi
    else
        path_of "$name" "${file%/*}"
        [[ $target != nowhere/* ]] || continue # the compiler will say so
        [[ $target != "${file%/*}/"* && $target != "$own/"* ]] || continue
    fi
    for one in $may; do
        [[ $target == "$one" || $target == "$one/"* ]] && continue 2
    done
    complain "$file: may not include $name ($own may include: $may)"
done < <(grep -r --include='*.[ch]' '^#include' lib proto server agent sim cli)
[ -n "$last" ] || complain "no #include found"
exit $wrong
