#!/usr/bin/env bash
# Runs a command without its output, which is shown when the command fails.
# usage: quietly.sh COMMAND...
set -uo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$@" > "$log" 2>&1
code=$?
if [ $code -ne 0 ]; then
    cat "$log" >&2
    echo "failed with exit code $code: $*" >&2
fi
exit $code
