#!/usr/bin/env bash
# ./dev bench: every promised number beside what it is held against, measured in turns in one run.
# usage: run.sh BUILD [PACKETS]
set -euo pipefail
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
packets=${2:-2000000}
work=$(mktemp -d /dev/shm/nke-bench.XXXXXX 2>/dev/null || mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "making $packets IMIX packets in memory ..."
python3 "$here/imix.py" "$packets" "$work/imix.pcap"
python3 "$here/imix.py" 1000 "$work/small.pcap"
"$build/nke" build "$here/busy.c" -o "$work/busy.kext"
cp -r "$build/examples/nothing.kext" "$work/nothing.kext"
python3 "$here/bench.py" "$build" "$work" "$packets"
