#!/usr/bin/env bash
# The scripts of tests/drill: all pass, and so they do in checked mode with filters that do nothing, on the
# interface and at every socket.
set -eu
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
	echo "FAILED: $*"
	exit 1
}

"$build/nke" drill "$source/tests/drill" >"$work/first" || {
	cat "$work/first"
	fail "scripts fail"
}
count=$(find "$source/tests/drill" -name '*.pkt' | wc -l)
[ "$count" -gt 150 ] || fail "there are only $count scripts"
grep -q "^$count scripts: $count passed, 0 failed" "$work/first" || fail "not $count scripts were run"
"$build/nke" drill --check --kext "$build/examples/nothing.kext" "$source/tests/drill" >"$work/checked" || {
	cat "$work/checked"
	fail "scripts fail with a filter that does nothing"
}
"$build/nke" build "$source/tests/bench/nothing_socket.c" -o "$work/nothing_socket.kext" >/dev/null
"$build/nke" drill --check --kext "$work/nothing_socket.kext" "$source/tests/drill" >"$work/sockets" || {
	cat "$work/sockets"
	fail "scripts fail with a socket filter that does nothing"
}
