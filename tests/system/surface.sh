#!/usr/bin/env bash
# docs/surface.md says truthfully which functions of the kernel's interface are there.
#
#	surface.sh BUILD SOURCE
set -eu
build=$1 source=$2
want=$(python3 "$source/tests/system/surface.py" "$build/libnke.so" "$source")
got=$(sed -n '/^<!-- generated/,/^<!-- end/p' "$source/docs/surface.md" | sed '1d;$d')
if [ "$want" != "$got" ]; then
	echo "docs/surface.md is not what the library has; to write it anew:" >&2
	echo "	python3 tests/system/surface.py BUILD/libnke.so . --write" >&2
	diff <(echo "$got") <(echo "$want") >&2
	exit 1
fi
echo "docs/surface.md is true"
