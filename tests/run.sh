#!/usr/bin/env bash
# Builds everything with warnings as errors and runs every test. On a fresh Debian 12, as root or
# with sudo: installs what is missing (offline when nothing is).
#
#   bash tests/run.sh            what every change must pass
#   bash tests/run.sh --all      and the long ones: clang-tidy, papers, the quickstart
#
# The last line is "N passed, N failed, N skipped". Test data: CONVENE_TEST_DATA, or shared/data
# beside the repository; tests that need it are skipped without it (tests/skips.txt).
set -euo pipefail
cd "$(dirname "$0")/.."
all=no
tests=quick
case "${1:-}" in
'') ;;
--all) all=yes ;;
*) echo "usage: tests/run.sh [--all]" >&2; exit 2 ;;
esac

export LC_ALL=C.UTF-8
export CONVENE_TEST_DATA=${CONVENE_TEST_DATA:-$(realpath -m ../shared/data)}
if [ $all = yes ]; then
    tests=all
fi

step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }

# setup DIRECTORY OPTION...: makes or keeps a build directory.
setup() {
    local directory=$1
    shift
    if [ -e "$directory/build.ninja" ]; then
        bash tests/support/quietly.sh meson configure "$directory" -Dtests=enabled "$@"
    else
        bash tests/support/quietly.sh meson setup "$directory" -Dtests=enabled "$@"
    fi
}

# run_tests DIRECTORY ARGUMENT...: failures are counted from the log at the end.
logs=()
run_tests() {
    local directory=$1
    shift
    rm -f "$directory"/meson-logs/testlog*.json
    meson test -C "$directory" --no-rebuild --print-errorlogs "$@" || true
    logs+=("$directory"/meson-logs/testlog*.json)
}

step packages
bash tests/support/packages.sh build data test
step "build"
setup build -Dwerror=true
ninja -C build
step "tests"
run_tests build --setup $tests
step "build with address and undefined-behaviour sanitizers"
# Not with warnings as errors: instrumented code makes gcc see null pointers that are none.
setup build-sanitize -Dwerror=false -Dbuildtype=debugoptimized -Db_sanitize=address,undefined
ninja -C build-sanitize
step "tests with sanitizers"
run_tests build-sanitize --setup sanitize --suite unit --suite simulation --suite fuzz
step "build with the thread sanitizer: what threads share"
setup build-thread -Dwerror=true -Dbuildtype=debugoptimized -Db_sanitize=thread
ninja -C build-thread tests/race/race_pool tests/race/race_blob tests/race/race_merge
run_tests build-thread --suite race
step "counts"
python3 tests/support/count.py tests/skips.txt "${logs[@]}"
