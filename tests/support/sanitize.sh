#!/usr/bin/env bash
# Runs a test and fails if a sanitizer wrote a report, whatever the test's own exit code:
# Criterion prints a leak of one of its children and still ends with 0.
# usage: sanitize.sh PROGRAM [ARGUMENT...]
set -u
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
export ASAN_OPTIONS="log_path=$reports/asan:detect_stack_use_after_return=1:allocator_may_return_null=1"
export UBSAN_OPTIONS="log_path=$reports/ubsan:print_stacktrace=1:halt_on_error=1"
"$@"
code=$?
if [ -n "$(ls -A "$reports")" ]; then
    cat "$reports"/*
    exit 99
fi
exit $code
