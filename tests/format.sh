#!/usr/bin/env bash
# Formatting as .clang-format says, and no file that ships so long that it holds two subjects.
# usage: format.sh [SOURCE_ROOT]
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"
mapfile -t files < <(find lib proto server agent sim cli tests examples -name '*.[ch]' -not -path '*/build*')
wrong=0
clang-format-14 --dry-run -Werror "${files[@]}" || wrong=1
for file in "${files[@]}"; do
    [[ $file != tests/* ]] || continue
    lines=$(wc -l < "$file")
    [ "$lines" -le 600 ] || { echo "$file has $lines lines, at most 600 are allowed"; wrong=1; }
done
exit $wrong
