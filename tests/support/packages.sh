#!/usr/bin/env bash
# Installs what is missing of the packages of the given purposes in tests/packages.txt.
# usage: packages.sh PURPOSE...      As root or with sudo; offline when nothing is missing.
set -euo pipefail
list=$(dirname "$0")/../packages.txt

missing=()
while read -r purpose package; do
    [[ " $* " == *" $purpose "* ]] || continue
    state=$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null || true)
    [[ $state == ii* ]] || missing+=("$package")
done < <(grep -v '^#' "$list")

[ ${#missing[@]} -gt 0 ] || exit 0
root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo > /dev/null || { echo "packages.sh: missing ${missing[*]}: run as root, or install sudo" >&2; exit 2; }
    root=(sudo)
fi
echo "installing ${missing[*]} and what they need: some minutes"
quietly=$(dirname "$0")/quietly.sh
bash "$quietly" "${root[@]}" apt-get update -q
bash "$quietly" "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
