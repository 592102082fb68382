#!/bin/sh
# What a container of compose.yaml starts with: "server", "agent", or any other command as it is.
#
# Keys: the server makes its pair at its first start, in a volume of its own. Each agent makes a
# pair at every start, in memory, and puts the public half beside the server's in the volume /join,
# where the server looks for those it lets in. An agent's name is its container's id.
set -eu
umask 022

state=/var/lib/convene
join=/join
images=/usr/share/datasets/fashion-mnist

# settings TEXT: "path=value path=value" as options; a value holds no spaces.
settings() {
    for setting in $1; do
        printf -- '--set %s ' "$setting"
    done
}

# publish FILE FOLDER: appears there whole or not at all.
publish() {
    name=${1##*/}
    cp "$1" "$2/.$name"
    mv "$2/.$name" "$2/$name"
}

# inside FILE: as it is called in the container; a name without a folder is one in /data.
inside() {
    case $1 in
    /*) echo "$1" ;;
    *) echo "/data/$1" ;;
    esac
}

role=${1:-server}
data=${CONVENE_DATA:-}
test=${CONVENE_TEST:-}
chosen=$(settings "${CONVENE_SETTINGS:-}")
unset CONVENE_DATA CONVENE_TEST CONVENE_SETTINGS # ours; to the programs they are unknown

case $role in
server)
    shift
    if [ ! -e $state/server.key ]; then
        convene keygen --server --out $state/server.key --advertise tcp://server:5550 > /dev/null
        echo "convene: made the server's keys"
    fi
    mkdir -p $join/allow
    publish $state/server.key.pub $join
    # shellcheck disable=SC2086
    exec convened --set listen/data='tcp://*:5550' --set security/certificate=$state/server.key \
        --set security/allow=$join/allow $chosen "$@"
    ;;
agent)
    shift
    own=/run/convene
    name=$(hostname)
    until [ -e $join/server.key.pub ]; do
        sleep 0.2
    done
    rm -rf "${own:?}"/*
    convene keygen --agent "$name" --server-key $join/server.key.pub --allow $own --out $own/agent.join > /dev/null
    publish "$own/$name.pub" $join/allow
    if [ -z "$data" ]; then
        data=$images/train-images-idx3-ubyte.gz
        test=$images/t10k-images-idx3-ubyte.gz
    fi
    set -- --stay --join $own/agent.join --shard auto --data "$(inside "$data")" "$@"
    [ -z "$test" ] || set -- "$@" --test "$(inside "$test")"
    exec convene-agent "$@"
    ;;
*)
    exec "$@"
    ;;
esac
