#!/usr/bin/env bash
# clang-tidy over everything that ships (.clang-tidy says what is checked), two files at a time.
# One file a process: clang-tidy 14 sees a va_list that is none in the second one.
# usage: tidy.sh BUILD_DIRECTORY [FILE...]
set -euo pipefail
build=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then
    mapfile -t files < <(find lib proto server agent sim cli -name '*.c' | sort)
    set -- "${files[@]}"
fi
printf '%s\0' "$@" | xargs -0 -P "$(nproc)" -n 1 \
    clang-tidy-14 --quiet --extra-arg=-Wno-unknown-warning-option -p "$build" 2> /dev/null
