#!/bin/sh
# libconvene.so shows what convene.h declares, all of it and nothing else.
# usage: test_exports.sh LIBRARY HEADER
set -eu

shown=$(nm --dynamic --defined-only "$1" | awk '$2 != "A" { print $3 }' | sort)
declared=$(tr '\n' ' ' < "$2" | grep -o 'CONVENE_API [^(;]*(' | grep -o 'convene_[a-z_]*($' | tr -d '(' | sort)
[ -n "$declared" ] || { echo "no function found in $2"; exit 1; }
if [ "$shown" != "$declared" ]; then
    echo "shown by $1:"; echo "$shown"
    echo "declared in $2:"; echo "$declared"
    exit 1
fi
echo "$(echo "$shown" | wc -l) functions, as declared"
