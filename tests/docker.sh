#!/usr/bin/env bash
# docker/ as a user meets it: the image is built, a cluster comes up, an agent's container is killed
# and comes back, more agents join in mid-run, the run ends with the loss it has to, all is taken
# down. Prints TAP.
#
# usage: docker.sh BUILD-DIRECTORY     the test
#        docker.sh --can               exits 0 if a Docker engine answers or can be started here
#
# Where no engine answers, one is installed (as root) and started, with a socket and a data folder
# of its own; its base image is made by debootstrap. Only what the script made is taken down.
set -u
ROOT=$(realpath "$(dirname "$0")/..")
BASE=debian:bookworm-slim

# --- An engine ---------------------------------------------------------------------------------

engine_answers() { docker info > /dev/null 2>&1; }

# Root alone does not do: it has to be allowed to mount and to make networks (bits 21 and 12).
may_start() {
    [ "$(id -u)" -eq 0 ] &&
        (((0x$(sed -n 's/^CapEff:\s*//p' /proc/self/status) & 0x201000) == 0x201000))
}

if [ "${1:-}" = --can ]; then
    engine_answers || may_start
    exit
fi
if ! engine_answers && ! may_start; then
    echo "1..0 # SKIP no Docker engine answers, and none may be started here"
    exit 0
fi

. "$ROOT/tests/system/tap.sh"
ENGINE=        # the folder of the engine we started
ENGINE_PID=
IMAGE=convene-test-$$
PROJECT=convene-test-$$
has_base=no    # whether we made the base image

start_engine() {
    ENGINE=$(mktemp -d "${TMPDIR:-/var/tmp}/convene-engine.XXXXXX")
    export DOCKER_HOST=unix://$ENGINE/docker.sock
    local flags
    # The first that works: as the engine likes it, or without overlays. It must not touch the firewall
    # and the routes of this host, where they would outlive it: containers reach each other without,
    # and only the build has to reach farther.
    for flags in "" "--storage-driver=vfs"; do
        # shellcheck disable=SC2086
        dockerd --host "$DOCKER_HOST" --data-root "$ENGINE/data" --exec-root "$ENGINE/run" \
            --pidfile "$ENGINE/pid" --bridge=none --iptables=false --ip6tables=false --ip-forward=false $flags > "$DIR/dockerd.log" 2>&1 &
        ENGINE_PID=$!
        until_true 30 eval "docker info || ! kill -0 $ENGINE_PID"
        engine_answers && return
        stop_engine
    done
    return 1
}

stop_engine() {
    kill "$ENGINE_PID" 2> /dev/null
    wait "$ENGINE_PID"
    ENGINE_PID=
    umount "$ENGINE/run/netns/default" 2> /dev/null # the engine leaves it
}

make_base() {
    docker image inspect "$BASE" > /dev/null 2>&1 && return
    timeout 60 docker pull -q "$BASE" > /dev/null 2>&1 && return
    debootstrap --variant=minbase bookworm "$DIR/base" > "$DIR/debootstrap.log" 2>&1 &&
        tar -C "$DIR/base" -c . | docker import - "$BASE" > /dev/null || return 1
    has_base=yes
    rm -rf "$DIR/base"
}

compose() {
    "${COMPOSE[@]}" --project-name "$PROJECT" -f "$ROOT/docker/compose.yaml" "$@"
}

clean_up() {
    if engine_answers; then
        compose down --volumes --timeout 20
        docker rmi "$IMAGE" "$IMAGE-build"
        [ $has_base = no ] || docker rmi "$BASE"
    fi > "$DIR/down.log" 2>&1
    if [ -n "$ENGINE_PID" ]; then
        stop_engine
    fi
    [ -z "$ENGINE" ] || rm -rf "$ENGINE"
    finish
}
trap clean_up EXIT

if ! engine_answers; then
    bash "$ROOT/tests/support/packages.sh" docker > "$DIR/packages.log" 2>&1
    start_engine
    ok $? "a Docker engine starts"
fi
COMPOSE=(docker compose)
"${COMPOSE[@]}" version > /dev/null 2>&1 || COMPOSE=(docker-compose)

# --- The image ---------------------------------------------------------------------------------

# The network of the host: a build in an engine of ours has no other way out.
image() {
    DOCKER_BUILDKIT=0 docker build --network host -f "$ROOT/docker/Dockerfile" "$@" "$ROOT" > "$DIR/build.log" 2>&1
}

make_base
ok $? "there is a base image"
image --target build -t "$IMAGE-build" && image -t "$IMAGE"
ok $? "the image is built"
[ "$FAILED" -eq 0 ] || exit
echo "# image: $(($(docker image inspect -f '{{.Size}}' "$IMAGE") / 1000000)) MB, base $(($(docker image inspect -f '{{.Size}}' "$BASE") / 1000000)) MB"
export CONVENE_IMAGE=$IMAGE

# --- What the cluster says ---------------------------------------------------------------------

ask() { compose exec -T server convene status --json; }
says() { ask | jq -e "$1"; } # FILTER
containers() { compose ps -q "$1"; }
working='([.data.agents[] | select(.state != "left" and .state != "lost" and .rounds > 0)] | length)'

# --- Out of the box ----------------------------------------------------------------------------

check "the cluster comes up without a setting" compose up --detach --no-build --scale agent=2
until_true 60 says "$working == 2 and .data.run.state == \"running\""
ok $? "two agents learn from the data in the image"
is_healthy() { docker inspect -f '{{.State.Health.Status}}' "$(containers server)" | grep -qx healthy; }
until_true 30 is_healthy
ok $? "the server is healthy"

agent=$(containers agent | head -n 1)
is_user() { [ "$(docker exec "$1" id -u)" = 5550 ]; }
check "the server is not root" is_user "$(containers server)"
check "nor is an agent" is_user "$agent"
has_no_capability() { docker exec "$1" grep -qx 'CapEff:\s*0*' /proc/self/status; }
check "neither has a capability" has_no_capability "$agent"
check "an agent cannot write to its image" sh -c "! docker exec $agent touch /usr/bin/new"
check "an agent's keys are its own" sh -c "[ \"\$(docker exec $agent stat -c %a /run/convene/agent.join)\" = 600 ]"
check "no secret is shared" sh -c "! docker exec $agent grep -rq secret-key /join"
check "down leaves nothing" compose down --volumes
is_gone() { [ -z "$(docker ps -aq --filter "label=com.docker.compose.project=$PROJECT")$(docker volume ls -q --filter "label=com.docker.compose.project=$PROJECT")" ]; }
check "no container and no volume" is_gone

# --- Own data: killed, restarted, scaled up, and the right end ------------------------------------

# The labels of the first half, shards 1 and 2, are noise: on them alone the loss stays above the
# bound at which the run ends, however long it runs. So it ends when shards 3 and 4 take part.
mkdir "$DIR/data"
awk 'BEGIN { srand(7)
    for (i = 0; i < 1200; i++) {
        a = rand() - 0.5; b = rand() - 0.5
        y = i < 600 ? rand() < 0.5 : a + 2 * b > 0
        printf "%d 1:%.6f 2:%.6f\n", y ? 1 : -1, 4 * a, 4 * b
    } }' > "$DIR/data/half.libsvm"
chmod -R a+rX "$DIR"
common="problem/kind=logistic problem/l2=1e-2 data/shuffle=false run/rounds=0 policy/kind=fixed policy/local-steps=1"
optimum() { # the loss that a run on this machine, whole and undisturbed, ends with
    local sets=()
    for setting in $common solver/kind=giant stop/gradient=1e-10; do sets+=(--set "$setting"); done
    "$CONVENE" run --inline --agents 4 --data "$DIR/data/half.libsvm" "${sets[@]}" --out "$DIR/optimum" > "$DIR/optimum.log" 2>&1 &&
        awk -F, 'END { print $6 }' "$DIR/optimum/rounds.csv"
}
best=$(optimum)
echo "# optimum $best"
bound=$(awk "BEGIN { printf \"%.10f\", $best + 1e-6 }")
export CONVENE_DATA_DIR=$DIR/data CONVENE_DATA=half.libsvm CONVENE_SHARDS=4
export CONVENE_SETTINGS="$common run/iterations=0 solver/batch=0 solver/step=1 policy/evaluate=1 stop/loss=$bound"

check "a cluster of two comes up on a file of one's own" compose up --detach --no-build --scale agent=2
until_true 60 says "$working == 2"
ok $? "both work"
first=$(containers agent | head -n 1)
name=${first:0:12}
rounds_of() { ask | jq -r ".data.agents[] | select(.name == \"$1\") | .rounds"; }
check "an agent is killed" docker kill "$first"
until_true 30 says ".data.agents[] | select(.name == \"$name\") | .state == \"lost\""
ok $? "status says that it is lost"
before=$(rounds_of "$name")
check "it is started again" docker start "$first"
went_on() { [ "$(rounds_of "$name")" -gt "$before" ]; }
until_true 30 went_on
ok $? "it works under its old name"
check "the run is not over" says '.data.run.state == "running"'
check "two more agents in mid-run" compose up --detach --no-build --no-recreate --scale agent=4
until_true 60 says '.data.run.state == "finished"'
ok $? "the run ends"
check "by its stopping rule" says '.data.run.reason | contains("stop/loss")'
check "all four took part" says '[.data.agents[] | select(.rounds > 0)] | length == 4'
check "with the loss of an undisturbed run" says "(.data.run.loss - $best) as \$gap | \$gap > -1e-9 and \$gap < 2e-6"
stay() { [ "$(docker inspect -f '{{.State.Status}}' $(containers agent) | sort | uniq -c | tr -s ' ')" = " 4 running" ]; }
check "the agents stay for the next run" stay
check "the server stays healthy" is_healthy
compose exec -T server convene model get > "$DIR/model.npy"
check "and serves the model" sh -c "head -c 6 '$DIR/model.npy' | tail -c 5 | grep -q NUMPY"
compose logs --no-color > "$DIR/compose.log" 2>&1
check "no error in the logs" sh -c "! grep level=error '$DIR/compose.log'"
