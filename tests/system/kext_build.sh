# nke build and nke kext info: what they make, say and return.
set -u
nke=$1/nke
data=$2/tests/data/kexts
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
fail=0

# expect CODE 'text that standard error or output contains' command...
expect() {
	code=$1 text=$2
	shift 2
	"$@" >out 2>&1
	got=$?
	if [ $got != "$code" ] || { [ -n "$text" ] && ! grep -qF -e "$text" out; }; then
		echo "FAILED: $*: exit $got, expected $code and '$text' in:"
		cat out
		fail=1
	fi
}

has() {
	if ! grep -qF -e "$2" "$1"; then
		echo "FAILED: $1 does not have '$2'"
		cat "$1"
		fail=1
	fi
}

# ---- the command line
expect 0 'usage: nke COMMAND' "$nke" --help
expect 0 'nke 0' "$nke" --version
expect 1 'usage: nke COMMAND' "$nke"
expect 1 "there is no command 'bake'" "$nke" bake
expect 0 'usage: nke build' "$nke" build --help
expect 1 'which sources?' "$nke" build
expect 1 "there is no option '--frob'" "$nke" build --frob x.c
expect 1 "needs a value" "$nke" build x.c -o
expect 1 'given twice' "$nke" build x.c -o a.kext -o b.kext
expect 1 'expected NAME=VALUE' "$nke" build x.c --define A
expect 0 'usage: nke kext info' "$nke" kext info --help
expect 1 'which kext?' "$nke" kext info
expect 1 "no 'nke kext bake'" "$nke" kext bake x

# ---- a bundle with everything by default
expect 0 '' "$nke" build "$data/good.c"
has good.kext/Contents/Info.plist '<string>local.good</string>'
has good.kext/Contents/Info.plist '<key>com.apple.kpi.libkern</key>'
expect 0 'entry        kmod_info' "$nke" kext info good.kext
expect 0 '"identifier": "local.good"' "$nke" kext info --json good.kext
expect 0 'OSMalloc (com.apple.kpi.libkern)' "$nke" kext info --symbols good.kext

# ---- names and entry points
expect 0 '' "$nke" build -o my-kext.kext "$data/good.c" --start good_start --stop good_stop \
    --id org.example.mine --version 3.2.1
has my-kext.kext/Contents/Info.plist '<string>org.example.mine</string>'
has my-kext.kext/Contents/Info.plist '<string>3.2.1</string>'
[ -f my-kext.kext/Contents/MacOS/my-kext ] || { echo "FAILED: no executable"; fail=1; }
expect 0 '' "$nke" build -o another.kext "$data/good.c"	# the only way in there is
expect 3 'no source defines other_start' "$nke" build -o other.kext "$data/good.c" --stop good_stop
has out 'the sources define: good_start'
printf 'int %s_start(void *k, void *d) { return 0; }\nint %s_stop(void *k, void *d) { return 0; }\n' \
    part part whole whole >ways.c
expect 3 'no source defines ways_stop' "$nke" build ways.c
has out 'the sources define: part_start whole_start'
expect 0 '' "$nke" build ways.c --start whole_start	# and so whole_stop
[ ! -e other.kext/Contents/MacOS/other ] || { echo "FAILED: a broken kext was installed"; fail=1; }
expect 1 'expected 1 to 63 letters' "$nke" build "$data/good.c" --id 'a"b'
expect 0 '' "$nke" build "$data/explicit.c"
has explicit.kext/Contents/Info.plist '<string>com.example.explicit</string>'
has explicit.kext/Contents/Info.plist '<string>2.1.0</string>'
expect 0 '' "$nke" build -o bare.so "$data/explicit.c"
expect 0 'identifier   com.example.explicit' "$nke" kext info bare.so

# ---- property lists
expect 2 "variable 'NEEDED' has no value; give it one with --define NEEDED=VALUE" \
    "$nke" build "$data/needs_good.c" --plist "$data/needs_good.plist"
expect 0 'must come from com.example.good' \
    "$nke" build "$data/needs_good.c" --plist "$data/needs_good.plist" --define NEEDED=1.0.0
has needs_good.kext/Contents/Info.plist '<string>com.example.needs-good</string>'
has needs_good.kext/Contents/Info.plist '<string>needs_good</string>'
expect 0 'depends on   com.example.good 1.0.0: another kext' "$nke" kext info needs_good.kext
printf '<plist><dict>' >broken.plist
expect 3 'not a property list' "$nke" build "$data/good.c" --plist broken.plist
expect 2 'nowhere.plist' "$nke" build "$data/good.c" --plist nowhere.plist

plist() {
	cat >Info.plist <<-END
	<plist version="1.0"><dict>
	<key>CFBundleIdentifier</key><string>com.example.libs</string>
	<key>CFBundleExecutable</key><string>good</string>
	<key>CFBundleVersion</key><string>1.0</string>
	<key>OSBundleLibraries</key><dict>$1</dict>
	</dict></plist>
	END
	"$nke" build "$data/good.c" -o libs.kext --plist Info.plist --start good_start --stop good_stop \
	    >/dev/null 2>&1
}
plist '<key>com.apple.kpi.libkern</key><string>7.9</string>'
expect 3 'com.apple.kpi.libkern: version 7.9 is not there; expected 8.0.0d1 to 19.6.0' \
    "$nke" kext info libs.kext
plist '<key>com.apple.kpi.libkern</key><string>20.6</string>'
expect 0 'com.apple.kpi.libkern: version 20.6 is newer than 19.6.0, which is there' "$nke" kext info libs.kext
expect 0 '' "$nke" replay --quiet --kext libs.kext "$data/../host-day.pcap"
plist '<key>com.apple.kpi.fishing</key><string>8.0</string>'
expect 3 'there is no set com.apple.kpi.fishing; expected one of com.apple.kpi.bsd' "$nke" kext info libs.kext
plist '<key>com.apple.iokit.IONetworkingFamily</key><string>1.5</string>'
expect 0 "IOKit's families and drivers are not there" "$nke" kext info libs.kext
expect 0 '' "$nke" replay --quiet --kext libs.kext "$data/../host-day.pcap"
plist '<key>com.apple.kpi.bsd</key><string>8.0.0b1</string>'
expect 0 'OSBundleLibraries does not list com.apple.kpi.libkern' "$nke" kext info libs.kext
plist '<key>com.apple.kernel.libkern</key><string>6.0</string>'
expect 0 'kernel symbols' "$nke" kext info libs.kext


# ---- folders: all sources but those that others include; headers, prefix header, Info.plist wherever they are
mkdir -p tree/gate/parts tree/gate/shared tree/gate/en.lproj
printf '#define LIMIT 7\n' >tree/gate/gate-Prefix.pch
printf 'int part(void);\n' >tree/gate/shared/part.h
printf '#include "part.h"\n# include "table.c"\nint part(void) { return table + LIMIT; }\n' >tree/gate/parts/part.c
printf 'static int table = 1;\n' >tree/gate/shared/table.c
printf 'neither is this\n' >tree/gate/en.lproj/stray.c
printf '%s\n' '#include "part.h"' '#include <mach/mach_types.h>' \
    'kern_return_t com_example_gate_start(kmod_info_t *k, void *d) { return part() != 8; }' \
    'kern_return_t com_example_gate_stop(kmod_info_t *k, void *d) { return 0; }' >tree/gate/gate.c
expect 0 '' "$nke" build tree/gate
expect 0 'identifier   local.gate' "$nke" kext info gate.kext
cat >tree/gate/gate-Info.plist <<-END
	<plist version="1.0"><dict>
	<key>CFBundleIdentifier</key><string>com.example.\${PRODUCT_NAME}</string>
	<key>CFBundleExecutable</key><string>\$(EXECUTABLE_NAME)</string>
	<key>CFBundleVersion</key><string>2.5</string>
	</dict></plist>
END
(cd tree/gate && expect 0 '' "$nke" build . && [ $fail = 0 ]) || fail=1
expect 0 'identifier   com.example.gate' "$nke" kext info tree/gate/gate.kext
expect 0 'version      2.5' "$nke" kext info tree/gate/gate.kext
cp tree/gate/gate-Info.plist tree/Info.plist
expect 1 "which is the kext's property list? Name it with --plist" "$nke" build tree
expect 0 '' "$nke" build tree --plist tree/Info.plist
expect 0 'whole' "$nke" replay --check --quiet --kext "$1/tests/data/kexts/parts.kext" "$data/../host-day.pcap"
mkdir -p none gate.xcodeproj
expect 2 'no sources (C, C++, assembly) are in this folder' "$nke" build none
expect 2 'projects are not read; name the folder' "$nke" build gate.xcodeproj

# ---- versions: kmod_info's may be any text, as on a Mac; the property list's may not
sed 's/2\.1\.0/20150118/' "$data/explicit.c" >dated.c
expect 0 '' "$nke" build dated.c
expect 0 'version      1.0.0' "$nke" kext info dated.kext
plist '<key>com.apple.kpi.bsd</key><string>8.0</string>'
sed -i 's/<string>1.0</<string>20150118</' libs.kext/Contents/Info.plist
expect 3 "key CFBundleVersion: '20150118' is no version" "$nke" kext info libs.kext

# ---- sources that do not build, or are not there
expect 2 'nothing.c: No such file' "$nke" build nothing.c
echo 'int main(void) { return' >wrong.c
expect 2 'wrong.c: not compiled' "$nke" build wrong.c
echo '#include <IOKit/IOService.h>' >service.h
echo '#include "service.h"' >service.cpp
expect 2 "service.cpp: <IOKit/IOService.h>: IOKit's classes are not there" "$nke" build service.cpp
printf '#include <stdio.h>\n' >program.c
expect 2 "program.c: <stdio.h>: is for programs; a kext sees the kernel's headers only" "$nke" build program.c
echo x >what.txt
expect 2 'what.txt: what is it?' "$nke" build what.txt
expect 0 'missing symbol no_such_function_one' "$nke" build "$data/unresolved.c"
has out 'missing symbol no_such_function_two'
expect 3 'missing      no_such_function_one' "$nke" kext info unresolved.kext

# ---- a Mac's macros and nothing of the host's; flags behind -- reach the compiler
cat >macros.c <<'END'
#if defined(__linux__) || defined(linux) || defined(__unix__) || defined(unix) || defined(__ELF__)
#error host
#endif
#if !defined(__APPLE__) || !defined(__MACH__) || !defined(KERNEL) || !defined(__LITTLE_ENDIAN__)
#error mac
#endif
#if ANSWER != 42
#error flags
#endif
#if defined(__has_include)
#if __has_include(<stdio.h>) || __has_include(<sys/epoll.h>)
#error host headers
#endif
#endif
#include <mach/mach_types.h>
kern_return_t macros_start(kmod_info_t *ki, void *d) { return KERN_SUCCESS; }
kern_return_t macros_stop(kmod_info_t *ki, void *d) { return KERN_SUCCESS; }
END
expect 0 '' "$nke" build macros.c -- -DANSWER=42
expect 2 'flags' "$nke" build macros.c
cp macros.c macros2.cpp
sed -i 's/^kern_return_t/extern "C" kern_return_t/; s/macros_/macros2_/' macros2.cpp
expect 0 '' "$nke" build macros2.cpp -- -DANSWER=42

# ---- old habits compile, with warnings
cat >old.c <<'END'
#include <mach/mach_types.h>
int tentative;
static helper(a, b) int a; char *b; { return undeclared_before(a) + tentative; }
int undeclared_before(int a) { return a; }
kern_return_t old_start(kmod_info_t *ki, void *d) { int *p = d; char *q = p; return helper(0, q); }
kern_return_t old_stop(kmod_info_t *ki, void *d) { return KERN_SUCCESS; }
END
printf 'int tentative;\n' >old2.c
expect 0 '' "$nke" build old.c old2.c
cat >old3.cpp <<'END'
#include <mach/mach_types.h>
#include <sys/systm.h>
#define NAME "old3"
extern "C" kern_return_t
old3_start(kmod_info_t *ki, void *d)
{
	register char *s = "literal";
	for (register int i = 0; i < 2; i++)
		printf("%s"NAME"\n", s + i);
	return KERN_SUCCESS;
}
extern "C" kern_return_t old3_stop(kmod_info_t *ki, void *d) { return KERN_SUCCESS; }
END
for cxx in c++ clang++; do
	if command -v $cxx >/dev/null; then
		expect 0 '' env CXX=$cxx "$nke" build old3.cpp
		[ ! -s out ] || { echo "FAILED: $cxx warns of what was allowed:"; cat out; fail=1; }
	fi
done

# ---- images from elsewhere
printf '\317\372\355\376\007\000\000\001' >mac.so
expect 3 'Mach-O image, built for a Mac' "$nke" kext info mac.so
expect 2 'No such file' "$nke" kext info nowhere.kext
head -c 300 explicit.kext/Contents/MacOS/explicit >short.so
expect 2 'damaged shared object' "$nke" kext info short.so
exit $fail
