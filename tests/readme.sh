#!/usr/bin/env bash
# README.md keeps its word: its commands, files, options and links are there.
# usage: readme.sh PROGRAMS_DIRECTORY
set -euo pipefail
programs=$(realpath "$1")
cd "$(dirname "$0")/.."
wrong=0
say() { echo "README.md: $1"; wrong=1; }

for script in examples/quickstart.sh tests/run.sh; do
    grep -q "^bash $script" README.md || say "does not name the command: bash $script"
    bash -n "$script" || say "$script is not a shell script"
done
# What stands in backquotes and looks like a path of ours is one.
while read -r path; do
    [ -e "${path%/}" ] || say "names $path, which does not exist"
done < <(grep -o '`[A-Za-z_./-]*`' README.md | tr -d '`' | grep -E '^(lib|proto|server|agent|sim|cli|tests|examples|docs)/|^[A-Z][A-Za-z]*\.md$' | sort -u)
# Every subcommand it shows is one.
while read -r command; do
    "$programs/convene" $command --help > /dev/null || say "shows \"convene $command\", which does not exist"
done < <(awk '/^```/ { code = !code } code' README.md | grep -oE '^convene [a-z]+( (get|check|set))?' | cut -d' ' -f2- | sort -u)
exit $wrong
