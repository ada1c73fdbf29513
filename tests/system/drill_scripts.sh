#!/usr/bin/env bash
# The scripts of tests/drill: all pass, and so they do in checked mode with a filter that does nothing.
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
