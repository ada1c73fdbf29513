#!/usr/bin/env bash
# Every header of include/Kernel compiles alone, as C and as C++, with each compiler that is here, and
# sees no header of the host; so do all of them together, in either order. What __KERNEL_SYMBOL renames is renamed without its header as well.
#
#	kernel_headers.sh BUILD SOURCE
set -u
kernel=$2/include/Kernel
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# try COMPILER LANGUAGE STANDARD: all headers, each in a file of its own and all in one
try() {
	local compiler=$1 language=$2 standard=$3 builtin header order list=()
	builtin=$("$compiler" -print-file-name=include)
	mkdir -p "$work/$compiler"
	while read -r header; do
		echo "#include <$header>" >"$work/$compiler/${header//\//:}.$language"
		list+=("$work/$compiler/${header//\//:}.$language")
	done <"$work/headers"
	for order in sort "sort -r"; do
		list+=("$work/$compiler/all, ${order// /}.$language")
		$order "$work/headers" | sed 's/.*/#include <&>/' >"${list[-1]}"
	done
	printf '%s\0' "${list[@]}" | xargs -0 -n 16 -P "$(nproc 2>/dev/null || echo 2)" \
	    "$compiler" -std="$standard" -fsyntax-only -ffreestanding -nostdinc -Wall -Wextra -Werror \
	    -Wno-pragma-once-outside-header -DKERNEL -isystem "$builtin" -I "$kernel"
}

(cd "$kernel" && find . -name '*.h' | sed 's|^\./||' | sort) >"$work/headers"
fail=0
for trio in "gcc c gnu11" "g++ cpp gnu++17" "clang c gnu11" "clang++ cpp gnu++17"; do
	set -- $trio
	command -v "$1" >/dev/null 2>&1 || continue
	if ! try "$1" "$2" "$3" 2>"$work/errors"; then
		echo "with $1:"
		grep -E 'error' "$work/errors" | head -n 40
		fail=1
	fi
done
grep -rhoE '__KERNEL_SYMBOL\([a-z_0-9]+\)' "$kernel" | sed 's/.*(\(.*\))/#pragma redefine_extname \1 kern_\1/' |
    grep -v ' name ' | sort -u >"$work/renamed"
grep '^#pragma redefine' "$kernel/sys/_symbol_names.h" | sort -u | diff "$work/renamed" - || fail=1
echo "$(wc -l <"$work/headers") headers"
exit $fail
