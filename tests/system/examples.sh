#!/usr/bin/env bash
# Every example runs over the shipped capture and does exactly what it says.
#
#	examples.sh BUILD SOURCE
set -u
build=$1 source=$2
nke=$build/nke
examples=$build/examples
day=$source/tests/data/host-day.pcap
host=02:00:00:00:00:01
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

tool() { python3 "$source/tests/system/pcaptool.py" "$@"; }

fail() {
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

# The log lines of one kext, without time and name.
said() { sed -n "s/^ *[0-9.]* $1: //p" "$2"; }

# replay NAME CAPTURE OPTION...: NAME.kext over CAPTURE in checked mode, to NAME.pcap, .log and .json
replay() {
	local name=$1 capture=$2
	shift 2
	if ! timeout 120 "$nke" replay --check --quiet --kext "$examples/$name.kext" "$@" "$capture" \
	    -w "$name.pcap" --json "$name.json" 2>"$name.log"; then
		fail "$name: nke replay failed"
		tail -n 5 "$name.log" >&2
	fi
}

# number FILE PATH: an entry of the JSON report, e.g. packets.dropped or filters.0.seen_in
number() {
	python3 - "$1" "$2" <<-'END'
		import json, sys
		value = json.load(open(sys.argv[1]))
		for key in sys.argv[2].split('.'):
		    value = value[int(key) if key.isdigit() else key]
		print(value)
	END
}

expect() {
	local what=$1 got=$2 want=$3
	[ "$got" = "$want" ] || fail "$what: got '$got', expected '$want'"
}

# ---- nothing: not a byte changes --------------------------------------------------------------

replay nothing "$day"
cmp nothing.pcap "$day" || fail "nothing: the output differs from the input"
expect "nothing: filters" "$(number nothing.json filters.0.kind)" interface
expect "nothing: frames seen" "$(number nothing.json filters.0.passed)" 4472
expect "nothing: kept" "$(number nothing.json packets.kept)" 4472

# ---- headerlog: a line for each frame, as another reader of the capture sees it ------------------

replay headerlog "$day"
cmp headerlog.pcap "$day" || fail "headerlog: the output differs from the input"
{ tool headerlog "$day" $host; echo "4472 frames"; } >want
said headerlog headerlog.log >got
diff got want >differences || { fail "headerlog: lines differ"; head -n 10 differences >&2; }

# ---- ipcount, cxxcount: the right totals ----------------------------------------------------------

replay ipcount "$day"
cmp ipcount.pcap "$day" || fail "ipcount: the output differs from the input"
diff <(said ipcount ipcount.log) <(tool ipcount "$day" $host) || fail "ipcount: wrong totals"
replay cxxcount "$day"
cmp cxxcount.pcap "$day" || fail "cxxcount: the output differs from the input"
diff <(said cxxcount cxxcount.log) <(tool cxxcount "$day" $host) || fail "cxxcount: wrong totals"

# ---- ipdrop: what it drops is gone, all else is there as it was ----------------------------------

unwanted='echo or (udp and 53 in (sport, dport))'
replay ipdrop "$day"
tool filter "$day" want.pcap "not ($unwanted)"
tool compare want.pcap ipdrop.pcap || fail "ipdrop: not exactly the unwanted packets are gone"
datagrams=$(tool datagrams "$day" "$unwanted")
expect "ipdrop: datagrams dropped" "$(said ipdrop ipdrop.log)" "$datagrams packets dropped"
expect "ipdrop: frames dropped" "$(number ipdrop.json packets.dropped)" \
    "$(tool count "$day" "$unwanted")"
mv ipdrop.pcap alone.pcap
replay ipdrop "$day" -j 2
tool compare alone.pcap ipdrop.pcap || fail "ipdrop: two machines leave other packets than one"

# ---- rewrite: every address, every checksum, and back again ---------------------------------------

replay rewrite "$day"
tool rewritten "$day" rewrite.pcap || fail "rewrite: see above"
tool checksums rewrite.pcap >/dev/null || fail "rewrite: wrong checksums"
expect "rewrite: 10.1.0.1 is still there" "$(tool count rewrite.pcap "'10.1.0.1' in (src, dst)")" 0
mv rewrite.pcap once.pcap
replay rewrite once.pcap
tool compare "$day" rewrite.pcap data || fail "rewrite: twice is not the same as never"

# ---- delay: every datagram comes, once, 20 ms late --------------------------------------------------

replay delay "$day"
tool delayed "$day" delay.pcap 20 || fail "delay: see above"
expect "delay: packets" "$(said delay delay.log)" "$(number delay.json filters.0.swallowed \
    | awk -v v6="$(number delay.json filters.1.swallowed)" '{ print $1 + v6 }') packets delayed"
tool checksums delay.pcap >/dev/null || fail "delay: wrong checksums"

# Unloading with every packet still in the queue leaves nothing behind (--check would say so).
"$nke" build "$source/examples/delay.c" -o pending.kext --start delay_start --stop delay_stop \
    --id org.libnke.examples.delay -- -DDELAY_MS=120000 || fail "delay: does not build"
timeout 120 "$nke" replay --check --quiet --kext pending.kext "$day" -w pending.pcap 2>pending.log ||
	{ fail "delay: did not stop with packets pending"; tail -n 5 pending.log >&2; }
expect "delay: frames that were not kept" "$(tool count pending.pcap True)" \
    "$(tool count "$day" 'version is None or src == "0.0.0.0"')"

# ---- etherproto: probes are answered -------------------------------------------------------------

tool probes probes.pcap
replay etherproto probes.pcap --host $host
tool answered etherproto.pcap || fail "etherproto: see above"
tool filter etherproto.pcap asked.pcap "src_mac != bytes.fromhex('020000000001')"
tool compare probes.pcap asked.pcap || fail "etherproto: the probes themselves are not all there"
expect "etherproto" "$(said etherproto etherproto.log)" "5 probes, 5 answers, 1 malformed"

# ---- ownif: what is sent comes back ----------------------------------------------------------------

replay ownif "$day"
cmp ownif.pcap "$day" || fail "ownif: the output differs from the input"
expect "ownif" "$(said ownif ownif.log)" "3 packets sent, 3 came back"

# ---- racy: found by a seed, and by the same one again; never with its lock ---------------------

racy() { timeout 60 "$nke" replay --check --quiet --sched "random:$1" --kext "$2" "$day" >"racy.$3" 2>&1; }

replay racy "$day" --host "$host"
cmp racy.pcap "$day" || fail "racy: the output differs from the input"
mkdir locked
"$nke" build "$source/examples/racy.c" -o locked/racy.kext -- -DRACY_LOCKED=1 || fail "racy: does not build locked"
found=
for seed in 1 2 3; do
	racy $seed "$examples/racy.kext" first && continue
	racy $seed "$examples/racy.kext" second && fail "racy: seed $seed does not repeat it"
	grep -q 'racy`input.* was written at offset 0 after it had been freed' racy.first ||
	    fail "racy: seed $seed says $(cat racy.first)"
	# but for the addresses that the host chose
	cmp <(sed -E 's/0x[0-9a-f]+//g' racy.first) <(sed -E 's/0x[0-9a-f]+//g' racy.second) ||
	    fail "racy: seed $seed gives another run"
	found=$seed
	racy $seed locked/racy.kext locked || fail "racy: with its lock, seed $seed says $(cat racy.locked)"
done
[ -n "$found" ] || fail "racy: no seed found it"

# ---- tunnel: a device on one side, an interface on the other --------------------------------------

replay tunnel "$day"
cmp tunnel.pcap "$day" || fail "tunnel: the output differs from the input"

# ---- several at once: they do not get into each other's way ----------------------------------------

kexts=()
for name in headerlog nothing ipcount rewrite etherproto ownif cxxcount; do
	kexts+=(--kext "$examples/$name.kext")
done
timeout 120 "$nke" replay --check --quiet "${kexts[@]}" "$day" -w all.pcap 2>all.log ||
	{ fail "all together: failed"; tail -n 5 all.log >&2; }
tool compare once.pcap all.pcap || fail "all together: not what rewrite alone leaves"

# ---- the harness --------------------------------------------------------------------------------------

"$examples/harness" "$examples/ipdrop.kext" "$day" ipdrop "$datagrams" 2>harness.log >harness.out ||
	{ fail "harness: failed"; cat harness.log >&2; }
if "$examples/harness" "$examples/ipdrop.kext" "$day" ipdrop 1 >/dev/null 2>&1; then
	fail "harness: succeeds when it should not"
fi

# ---- kexts with a program beside them: two machines in virtual time ---------------------------------

beside() {
	local name=$1 want=$2 got
	got=$("$examples/${name}_host" "$examples/$name.kext" 2>"$name.log" | tr '\n' ';')
	expect "$name" "$got" "$want" || cat "$name.log" >&2
}
beside rot13 "there: Uryyb, Jbeyq!;here: That was rot13.;100000 bytes turned;"
beside httpget "GET /index.html HTTP/1.0;status 200, 13 bytes;GET /nothing HTTP/1.0;status 404, 0 bytes;"
beside connlog "1000 connections, 1000 records, 250500 bytes out, 250500 in;"
beside tunnel 'south hears "who is there?" from 10.9.0.1;north hears "south";south has 200000 bytes over TCP;'
beside vpn "there heard: a secret;here: 6 packets out, 4 in, 0 lost;there: 4 packets out, 6 in, 0 lost;\
without a daemon: Network is unreachable;"
beside appwall "safari: connect: connected;safari: sendto: sent;curl: connect: Operation not permitted;\
curl: sendto: Operation not permitted;curl: connect: connected;curl: sendto: sent;\
safari[201] tcp 10.0.0.2 port 80: allowed;safari[201] udp 10.0.0.2 port 53: allowed;\
curl[202] tcp 10.0.0.2 port 80: denied;curl[202] udp 10.0.0.2 port 53: denied;\
curl[203] tcp 10.0.0.2 port 80: allowed;curl[203] udp 10.0.0.2 port 53: allowed;\
4 allowed, 2 denied, 0 not reported;"
# what the tunnel hides is not on the wire
"$examples/vpn_host" "$examples/vpn.kext" vpn.pcap >/dev/null 2>&1
grep -q 'a secret' vpn.pcap && fail "vpn: the secret is on the wire"

# ---- the same kexts over a capture whose connections are re-enacted -----------------------------------

sockets() {
	local name=$1 want=$2
	timeout 120 "$nke" replay --sockets --check --quiet --kext "$examples/$name.kext" "$day" \
	    -w "$name.sockets.pcap" 2>"$name.log" || { fail "$name: nke replay --sockets failed"; tail -n 5 "$name.log" >&2; }
	expect "$name over sockets" "$(said "$name" "$name.log")" "$want"
}
sockets connlog "14 records, 14 not read"
sockets appwall "21 allowed, 0 denied"
sockets vpn "0 packets out, 0 in, 0 lost"
sockets rot13 ""
sockets httpget ""
sockets tunnel ""

# ---- machines that talk: the same on every run --------------------------------------------------------

expect "router" "$("$examples/router" router.pcap)" \
    "20 questions, 19 arrived, 17 answers came back, after 800 ms"
"$examples/router" again.pcap >/dev/null
cmp router.pcap again.pcap || fail "router: two runs differ"
expect "router's capture" "$(tool count router.pcap 'dst == "10.0.2.2"')" 19
for member in anna ben; do
	echo "$member heard hello from 10.0.0.1"
	echo "$member heard good-morning from 10.0.0.2"
	echo "$member heard may-I-join from 10.0.0.3"
done >chat.want
"$examples/chat" >chat.got
cmp chat.got chat.want || fail "chat: not what members should hear"
expect "traceroute" "$("$examples/traceroute" | awk '{print $2}' | tr '\n' ' ')" "10.0.0.1 10.0.1.2 10.0.2.2 "

if [ $failures -ne 0 ]; then
	echo "$failures failures" >&2
	exit 1
fi
echo "every example does what it says"
