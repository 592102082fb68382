#!/bin/sh
# What the headers for plug-ins declare, the programs show.
# usage: test_plugin_symbols.sh SOURCE CONVENED AGENT CONVENE
set -eu

convened=$(realpath "$2") agent=$(realpath "$3") convene=$(realpath "$4")
cd "$1"
wrong=0

# declared HEADER...: the functions, one a line.
declared() {
    sed 's://.*$::' "$@" | tr '\n' ' ' | sed 's:/\*[^/]*\*/::g' | grep -oE '[ *]cnv_[a-z0-9_]+\([^()]*(\([^()]*\)[^()]*)*\)( CNV_PRINTF\([0-9, ]*\))?;' |
        grep -oE 'cnv_[a-z0-9_]+\(' | tr -d '(' | sort -u
}
# shows PROGRAM HEADER...
shows() {
    program=$1
    shift
    nm --dynamic --defined-only "$program" | awk '{ print $3 }' | sort -u > "$shown"
    for name in $(declared "$@"); do
        grep -qx "$name" "$shown" || { echo "${program##*/} does not show $name"; wrong=1; }
    done
    echo "${program##*/}: $(declared "$@" | wc -l) functions"
}
shown=$(mktemp)
trap 'rm -f "$shown"' EXIT
base='lib/base/mem.h lib/base/param.h lib/base/rng.h lib/base/schedule.h lib/base/status.h lib/base/list.h'
shows "$convened" $base server/policy/policy.h
for program in "$agent" "$convene"; do
    shows "$program" $base lib/num/*.h agent/problem/*.h agent/solver/*.h
done
shows "$convene" server/policy/policy.h
exit $wrong
