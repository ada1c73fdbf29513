# An installed tree, moved elsewhere: the tool finds its headers, find_package(nke) gives nke_add_kext() and
# the libraries, pkg-config the flags.
set -eu
build=$1 source=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
if nm -D "$build/libnke.so" | grep -q __asan_; then
	echo "skipped: instrumented build"
	exit 77
fi
cmake --install "$build" --prefix "$tmp/first" >"$tmp/log" 2>&1 || { cat "$tmp/log"; exit 1; }
mv "$tmp/first" "$tmp/second"
prefix=$tmp/second
cd "$tmp"

env -u NKE_KERNEL_INCLUDE "$prefix/bin/nke" build -v "$source/tests/data/kexts/good.c" 2>build.log
grep -q "$prefix/bin/../include/nke/Kernel" build.log
"$prefix/bin/nke" kext info good.kext >/dev/null

mkdir project
cp "$source/tests/data/kexts/good.c" project/
cat >project/main.c <<'END'
#include <stdio.h>
#include <nke/kext.h>
int
main(int argc, char **argv)
{
	nke_kext_t *k;
	nke_t *m;

	if (argc != 2 || nke_create(NULL, &m) != 0)
		return 1;
	if (nke_kext_load(m, argv[1], &k) != 0 || nke_kext_unload(m, k, NULL) != 0) {
		fputs(nke_error_text(m), stderr);
		return 1;
	}
	nke_destroy(m);
	return 0;
}
END
cat >project/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.22)
project(user LANGUAGES C CXX)
find_package(nke REQUIRED)
add_executable(shared main.c)
target_link_libraries(shared PRIVATE nke::nke)
add_executable(static main.c)
target_link_libraries(static PRIVATE nke::nke_static)
nke_add_kext(good good.c ID com.example.installed)
END
{
	cmake -S project -B project/build -DCMAKE_PREFIX_PATH="$prefix" && cmake --build project/build
} >log 2>&1 || { cat log; exit 1; }
project/build/shared project/build/good.kext
project/build/static project/build/good.kext

libs=$(find "$prefix" -name pkgconfig)
export PKG_CONFIG_PATH=$libs
cc -o harness project/main.c $(pkg-config --cflags --libs nke)
LD_LIBRARY_PATH=$(dirname "$libs") ./harness good.kext
# without `nke build`: flags only, entry points by the file's name
cc -o good.so project/good.c $(pkg-config --cflags --libs nke-kext)
LD_LIBRARY_PATH=$(dirname "$libs") ./harness good.so
