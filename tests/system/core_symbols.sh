# The core (everything but src/host) sees the operating system through hostcalls only: its objects leave
# nothing undefined but hc_* and what compilers call by themselves (libgcc's arithmetic among it).
set -eu
export LC_ALL=C
build=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
find "$build/CMakeFiles/nke_core.dir" -name '*.o' >"$tmp/objects"
if [ ! -s "$tmp/objects" ]; then
	echo "skipped: no objects of the core in $build"
	exit 77
fi
xargs nm --defined-only <"$tmp/objects" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u >"$tmp/defined"
xargs nm --undefined-only <"$tmp/objects" 2>/dev/null | awk '$1 == "U" { print $2 }' | sort -u >"$tmp/undefined"
if grep -q '^__asan_' "$tmp/undefined"; then
	echo "skipped: instrumented build"
	exit 77
fi
# A name that libc has too would catch libc's own callers in a program linked with the archive.
libc=$(ldd "$build/nke" | awk '$1 == "libc.so.6" { print $3 }')
if [ -n "$libc" ]; then
	nm -D --defined-only "$libc" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort -u >"$tmp/libc"
	xargs nm --defined-only -g <"$tmp/objects" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u |
	    comm -12 - "$tmp/libc" >"$tmp/clash"
	if [ -s "$tmp/clash" ]; then
		echo "libc has these names of the core too: $(tr '\n' ' ' <"$tmp/clash")"
		exit 1
	fi
fi
comm -23 "$tmp/undefined" "$tmp/defined" |
    grep -vxE 'hc_[a-z0-9_]+|memcpy|memmove|memset|memcmp|_GLOBAL_OFFSET_TABLE_|__[a-z]+[dst]i[0-9]' >"$tmp/foreign" || exit 0
while read -r name; do
	echo "the core uses $name:"
	while read -r object; do
		nm --undefined-only "$object" | grep -qw "$name" && echo "	$object"
	done <"$tmp/objects"
done <"$tmp/foreign"
exit 1
