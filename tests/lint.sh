#!/usr/bin/env bash
# ./dev lint: both compilers' warnings (as errors), cppcheck, clang-tidy. Exits 1 when one finds anything.
#
# What they look for: CMakeLists.txt (NKE_WARNINGS), .clang-tidy, tests/cppcheck.cfg and .suppressions.
# The build folders build-lint-* are kept, so that the next run only compiles what has changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs=$(nproc 2>/dev/null || echo 2)
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

core_folders="src/kern src/net src/netinet src/netinet6 kpi dlil iffilter ipfilter sockfilter"
host_folders="src/host src/drill src/cmd"

for tool in gcc clang clang-tidy cppcheck cmake; do
	if ! command -v "$tool" >/dev/null 2>&1; then
		echo "lint.sh: $tool is not here; ./dev setup installs it" >&2
		exit 1
	fi
done

# result WHAT: says whether the tool that wrote $log found anything.
result() {
	if [ "$1" -eq 0 ]; then
		echo "nothing found"
	else
		cat "$log"
		failed=1
	fi
}

for cc in gcc clang; do
	cxx=$([ $cc = gcc ] && echo g++ || echo clang++)
	printf '\n== warnings of %s\n' "$cc"
	# not a release build: link-time optimisation costs time and warns of nothing more
	CC=$cc CXX=$cxx cmake -S . -B build-lint-$cc -DCMAKE_BUILD_TYPE=Lint -DCMAKE_C_FLAGS=-O2 \
	    -DCMAKE_CXX_FLAGS=-O2 >"$log" 2>&1 &&
	    cmake --build build-lint-$cc -j "$jobs" -- -k >"$log" 2>&1 && found=0 || found=1
	grep -E '^[^ ]+:[0-9]+:[0-9]+: (warning|error)|Error [0-9]|CMake Error' "$log" >"$log.short" &&
	    mv "$log.short" "$log" || rm -f "$log.short"
	result $found
done

# check_folders FLAGS... : cppcheck with what holds for all folders
check() {
	cppcheck --quiet --enable=warning,portability --std=c11 --inline-suppr --error-exitcode=1 \
	    -j "$jobs" --library=tests/cppcheck.cfg --suppressions-list=tests/cppcheck.suppressions \
	    -I . -I include -D__x86_64__ "$@" >>"$log" 2>&1
}
printf '\n== cppcheck\n'
: >"$log"
found=0
check -I include/Kernel -DKERNEL -DNKE_CORE $core_folders || found=1
check -D__linux__ $host_folders || found=1
result $found

printf '\n== clang-tidy\n'
# tap_utun.c is compiled on macOS only, and reads its headers
find $core_folders $host_folders -name '*.c' ! -name tap_utun.c -print0 |
    xargs -0 -n 4 -P "$jobs" clang-tidy --quiet -p build-lint-clang >"$log" 2>/dev/null && found=0 || found=1
result $found

[ $failed -eq 0 ] && printf '\nnothing found\n'
exit $failed
