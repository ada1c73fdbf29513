#!/usr/bin/env bash
# ./dev lint: both compilers' warnings (as errors), cppcheck, clang-tidy.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs=$(nproc 2>/dev/null || echo 2)
failed=0

for cc in gcc clang; do
	cxx=$([ $cc = gcc ] && echo g++ || echo clang++)
	printf '\n== warnings of %s\n' "$cc"
	CC=$cc CXX=$cxx cmake -S . -B build-lint-$cc -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
	cmake --build build-lint-$cc -j "$jobs" 2>&1 | grep -E 'warning|error' && failed=1 || echo none
done

printf '\n== cppcheck\n'
cppcheck --quiet --enable=warning,portability --std=c11 --inline-suppr --error-exitcode=1 -j "$jobs" \
    --suppressions-list=tests/cppcheck.suppressions -I . -I include -D__x86_64__ -DKERNEL -DNKE_CORE \
    src kpi dlil iffilter ipfilter || failed=1

printf '\n== clang-tidy\n'
find src kpi dlil iffilter ipfilter -name '*.c' -print0 |
    xargs -0 -n 8 -P "$jobs" clang-tidy --quiet -p build-lint-clang 2>/dev/null || failed=1

[ $failed -eq 0 ] && echo && echo "nothing found"
exit $failed
