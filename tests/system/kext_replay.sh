# nke replay with kexts that misbehave: message and exit code for each.
set -u
nke=$1/nke
kexts=$1/tests/data/kexts
capture=$2/tests/data/host-day.pcap
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail=0

# replay CODE KEXT 'text' [option...]
replay() {
	code=$1 kext=$2 text=$3
	shift 3
	"$nke" replay "$@" --kext "$kexts/$kext.kext" "$capture" -w "$tmp/out.pcap" >"$tmp/log" 2>&1
	got=$?
	if [ $got != "$code" ] || ! grep -qF -e "$text" "$tmp/log"; then
		echo "FAILED: $kext: exit $got, expected $code and '$text' in:"
		cat "$tmp/log"
		fail=1
	fi
}

# silent KEXT [option...]: all is well and nothing is said
silent() {
	kext=$1
	shift
	if ! "$nke" replay "$@" --kext "$kexts/$kext.kext" "$capture" -w "$tmp/out.pcap" >"$tmp/log" 2>&1 ||
	    grep -qF 'left behind' "$tmp/log"; then
		echo "FAILED: $kext: expected exit 0 and nothing left behind in:"
		cat "$tmp/log"
		fail=1
	fi
}

replay 0 good 'start number 1'
replay 0 cxx '~Shape 1'
replay 0 headerless 'headerless: com 100'
replay 0 leaks 'left behind 3 times: _MALLOC block of 40 bytes, from leaks`leaks_start'
replay 3 leaks 'left behind 3 times: _MALLOC block of 40 bytes' --check
silent keeps
replay 3 keeps '3 mbufs, from keeps`keep_packet+0x0' --check
replay 3 keeps ' from keeps`keep_packet+0x0' --check -j 2
silent keeps_back --check
silent structures --check
replay 4 double_free 'of 64 bytes freed twice: first at double_free`double_free_stop' --check
replay 4 lock_held 'start of lock_held returned while it still held 1 lock'
replay 4 crash 'SIGSEGV (signal 11) at crash`crash_start'
replay 3 refuses 'com.example.refuses refuses to stop'
replay 3 unresolved 'missing symbol no_such_function_two'
replay 3 stays_attached 'IPv4 filter "stays", from stays_attached`stays_attached_start'
replay 3 sleeper '", waiting for a nap, from sleeper`sleeper_start'
silent sleeper_waits --check
replay 3 start_fails 'left behind by the start routine'
replay 3 nowhere 'No such file'
# what was read before a kext refused to go is all there
"$nke" replay --kext "$kexts/refuses.kext" "$capture" -w "$tmp/out.pcap" >/dev/null 2>&1
cmp "$capture" "$tmp/out.pcap" || fail=1
# what goes through a bridge comes out as it went in; fragments have the time of their last one
silent bridge --check
for file in "$capture" "$tmp/out.pcap"; do
	python3 "$2/tests/system/pcaptool.py" filter "$file" "$tmp/$(basename "$file").tcp" tcp || fail=1
done
[ -s "$tmp/out.pcap.tcp" ] && cmp "$tmp/$(basename "$capture").tcp" "$tmp/out.pcap.tcp" || fail=1
silent bridge --sockets --check
exit $fail
