#!/usr/bin/env bash
# Machines on TAP devices against the host's kernel, in network namespaces: tap.py, or what $TAP_TESTS names
# (tcp_tap.py). Exit status 77, and why, where that cannot be.
#
#	tap.sh BUILD SOURCE [TEST...]
set -u
skip() {
	echo "skipped: $*"
	exit 77
}

[ "$(uname -s)" = Linux ] || skip "TAP devices are tested on Linux"
[ -c /dev/net/tun ] || skip "there is no /dev/net/tun"
for program in ip unshare nsenter ping; do
	command -v "$program" >/dev/null 2>&1 || skip "there is no $program"
done
unshare -n true 2>/dev/null || skip "a network namespace of one's own takes privilege"
unshare -n ip tuntap add dev nketest0 mode tap 2>/dev/null || skip "a TAP device takes privilege"
export PATH="$PATH:/usr/sbin:/sbin"
exec unshare -n python3 "$(dirname "$0")/${TAP_TESTS:-tap.py}" "$@"
