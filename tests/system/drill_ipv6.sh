#!/bin/bash
# TCP's scripts over IPv6: the same as over IPv4, but for the MSS that fits. Not those with segments of that size,
# options of IPv4, or cookies, which are of the addresses.
set -eu
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for group in state close data ecn fastopen listen loss timers; do
	grep -rL -e "--ip_version" -e ":1461(1460)" -e setkey -e "IPPROTO_IP," "$source/tests/drill/$group" |
	    while read -r script; do
		copy=$work/${script#"$source"/tests/drill/}
		mkdir -p "$(dirname "$copy")"
		sed 's/mss 1460/mss 1440/g' "$script" >"$copy"
	done
done
"$build/nke" drill --quiet --ip_version=ipv6 "$work"
