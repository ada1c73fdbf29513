#!/usr/bin/env bash
# Every command that README.md and docs/*.md show is run, and succeeds.
#
#	docs_commands.sh BUILD SOURCE
#
# Commands are the lines "$ ..." of blocks that begin with ```sh. A block "```sh no-run (REASON)" is not
# run, "```sh needs:PROGRAM" only where that program is. A block "```c NAME" (or cpp, xml) is a file of that name. All
# run in one folder per document, in which docs, examples and tests are those of the source. Lines that
# follow a command are its output: each must come, times and costs apart. "cc FILE -lnke" works as where
# libnke is installed, and takes warnings for errors.
set -u
build=$(cd "$1" && pwd) source=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PATH="$work/bin:$build:$PATH"
failures=0 count=0 skipped=0

# The compiler that the library was built with, and its sanitizers if it has any; kexts have no use for that.
CC=${CC:-$(command -v cc)}
export CC
mkdir "$work/bin"
compiler=$(sed -n 's/^CMAKE_C_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
sanitizers=
if nm -D "$build/libnke.so" | grep -q __asan_; then
	sanitizers=-fsanitize=address,undefined
fi
cat >"$work/bin/cc" <<-END
	#!/bin/sh
	exec "$compiler" -Wall -Wextra -Werror $sanitizers -I"$source/include" "\$@" \\
	    -L"$build" -Wl,-rpath,"$build"
END
chmod +x "$work/bin/cc"

# Writes a document's files into the current folder, its commands, one per line, to .commands, and the
# output shown for the n-th to .expected.n.
unpack() {
	awk '
	/^```/ && inside { inside = 0; next }
	/^```sh/ { inside = 1; run = 1; file = ""
		if ($2 == "no-run") { run = 0; if (NF < 3) print "echo no-run without a reason; false" > ".commands" }
		needs = $2 ~ /^needs:/ ? substr($2, 7) : ""
		next }
	/^```(c|cpp|xml) / { inside = 1; run = 0; file = $2; next }
	/^```/ { inside = 1; run = 0; file = ""; next }
	inside && file != "" { print > file }
	inside && run && /^\$ / {
		command = substr($0, 3)
		if (needs != "")
			command = "command -v " needs " >/dev/null || exit 77; " command
		print command > ".commands"
		n++
		next }
	inside && run && n > 0 { print > (".expected." n) }
	END { if (inside) print "echo a block is not closed; false" > ".commands" }' "$1"
}

# Without what differs from run to run.
steady() { sed -E 's/^[0-9.]+ s, .*/(time)/; s/ +[0-9]+$//; s/ +/ /g' "$@"; }

for document in "$source/README.md" "$source"/docs/*.md; do
	folder=$work/$(basename "$document" .md)
	mkdir "$folder" && cd "$folder" || exit 1
	ln -s "$source/docs" "$source/examples" "$source/tests" .
	touch .commands
	unpack "$document"
	n=0
	while IFS= read -r command; do
		n=$((n + 1))
		timeout 120 bash -c "$command" >.output 2>&1 </dev/null
		case $? in
		0) count=$((count + 1)) ;;
		77) skipped=$((skipped + 1)) ;;
		*)	echo "FAILED: $(basename "$document"): $command" >&2
			tail -n 10 .output >&2
			failures=$((failures + 1)) ;;
		esac
		[ -e ".expected.$n" ] || continue
		steady .output >.steady
		while IFS= read -r line; do
			grep -qxF -e "$line" .steady || {
				echo "FAILED: $(basename "$document"): $command does not say: $line" >&2
				failures=$((failures + 1))
			}
		done < <(steady ".expected.$n")
	done <.commands
done

# What is not run must stay the exception.
not_run=$(cat "$source/README.md" "$source"/docs/*.md | grep -c '^```sh no-run')
if [ "$not_run" -gt 2 ]; then
	echo "FAILED: $not_run blocks are not run" >&2
	failures=$((failures + 1))
fi
# Files that are mentioned are there; what programs include is the compiler's business.
for file in $(grep -hv '^#include' "$source/README.md" "$source"/docs/*.md |
    grep -oE '[A-Za-z0-9_/]+\.(c|h|sh|py|def)\b' | sort -u); do
	if ! compgen -G "$work/*/$file" >/dev/null &&
	    [ -z "$(find "$source" -name "$(basename "$file")" -not -path '*/.git/*' -print -quit)" ]; then
		echo "FAILED: the documents mention $file, which is not there" >&2
		failures=$((failures + 1))
	fi
done
# Links between the documents lead somewhere.
for document in "$source/README.md" "$source"/docs/*.md; do
	for target in $(grep -oE '\]\([^)#:]+' "$document" | cut -c 3-); do
		[ -e "$(dirname "$document")/$target" ] || {
			echo "FAILED: $(basename "$document") links to $target, which is not there" >&2
			failures=$((failures + 1))
		}
	done
done

[ $failures -eq 0 ] || exit 1
echo "$count commands of the documents work, $skipped skipped"
