#!/usr/bin/env bash
# Every header of include/nke compiles alone, as C11 and as C++17, without a warning, with each compiler
# that is here.
#
#	host_headers.sh BUILD SOURCE
set -u
source=$2
fail=0 count=0

# compile COMPILER LANGUAGE STANDARD HEADER
compile() {
	printf '#include <nke/%s>\n#include <nke/%s>\n' "$4" "$4" |
	    "$1" -x "$2" -std="$3" -fsyntax-only -Wall -Wextra -Wpedantic -Wshadow -Werror \
	    -I "$source/include" -
}

for header in "$source"/include/nke/*.h; do
	for pair in "gcc c c11" "g++ c++ c++17" "clang c c11" "clang++ c++ c++17"; do
		set -- $pair
		command -v "$1" >/dev/null 2>&1 || continue
		count=$((count + 1))
		if ! compile "$1" "$2" "$3" "$(basename "$header")"; then
			echo "<nke/$(basename "$header")> does not compile alone with $1 as $3"
			fail=1
		fi
	done
done
echo "$count compilations"
[ "$count" -gt 0 ] && exit $fail
