#!/usr/bin/env bash
# No capture, however malformed, crashes or hangs a replay; what it says about a bad one is one line.
#
#	hostile.sh BUILD SOURCE
set -u
build=$1 source=$2
nke=$build/nke
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
count=0

fail() {
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

# run LABEL CAPTURE OPTION...
run() {
	local label=$1 capture=$2 code
	shift 2
	timeout 60 "$nke" replay --check --quiet "$@" "$capture" -w "$work/out.pcap" >"$work/out" 2>"$work/err"
	code=$?
	case $code in
	0) ;;
	2)	# Kexts may have logged; what the tool says is one line.
		[ "$(grep -c '^nke' "$work/err")" = 1 ] ||
			fail "$label: exit 2 without exactly one line: $(cat "$work/err")" ;;
	124) fail "$label: took more than a minute" ;;
	*) fail "$label: exit $code: $(tail -n 3 "$work/err")" ;;
	esac
	if grep -q -e Sanitizer -e 'runtime error' "$work/err"; then
		fail "$label: $(grep -m 1 -e Sanitizer -e 'runtime error' "$work/err")"
	fi
	count=$((count + 1))
}

kexts=()
for name in nothing headerlog ipcount rewrite delay; do
	kexts+=(--kext "$build/examples/$name.kext")
done

for capture in "$source"/tests/data/hostile/*.pcap; do
	name=$(basename "$capture")
	run "$name" "$capture"
	run "$name with nothing and headerlog" "$capture" --kext "$build/examples/nothing.kext" \
	    --kext "$build/examples/headerlog.kext"
	run "$name with five kexts" "$capture" "${kexts[@]}"
	run "$name re-enacted" "$capture" --sockets --kext "$build/tests/data/kexts/flowfilter.kext"
done

# A good capture, cut off at every byte of its beginning and in some places further on, and one whose
# lengths are too large to be true.
day=$source/tests/data/host-day.pcap
for length in $(seq 0 60) 100 1000 65537; do
	head -c "$length" "$day" >"$work/cut.pcap"
	run "cut off at byte $length" "$work/cut.pcap" --kext "$build/examples/nothing.kext"
	run "cut off at byte $length, re-enacted" "$work/cut.pcap" --sockets
done
{ head -c 32 "$day"; printf '\377\377\377\177\377\377\377\177'; tail -c +41 "$day" | head -c 4000; } \
    >"$work/huge.pcap"
run "a frame of 2 GB" "$work/huge.pcap" --kext "$build/examples/nothing.kext"
run "a frame of 2 GB, re-enacted" "$work/huge.pcap" --sockets

if [ $failures -ne 0 ]; then
	echo "$failures of $count runs failed" >&2
	exit 1
fi
echo "$count runs, none crashed"
