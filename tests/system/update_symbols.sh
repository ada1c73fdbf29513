# kpi/update-symbols.sh: refuses what is not the library, with nothing changed; finds the table up to date.
set -u
build=$1 source=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail=0
if nm -D --defined-only "$build/libnke.so" | grep -q '__odr_asan'; then
	echo "skipped: instrumented build"
	exit 77
fi
cp "$source/kpi/update-symbols.sh" "$source/kpi/symbols.def" "$tmp"

# refuses 'text' [argument...]
refuses() {
	text=$1
	shift
	sh "$tmp/update-symbols.sh" "$@" >"$tmp/log" 2>&1
	code=$?
	if [ $code != 1 ] || ! grep -qF -e "$text" "$tmp/log" || ! grep -q '^usage: ' "$tmp/log"; then
		echo "FAILED: arguments '$*': exit $code, expected 1, '$text' and the usage in:"
		cat "$tmp/log"
		fail=1
	fi
	cmp "$source/kpi/symbols.def" "$tmp/symbols.def" || fail=1
}

refuses 'one argument expected, not 0'
refuses 'one argument expected, not 2' "$build/libnke.so" "$build/libnke.so"
refuses 'not a shared library' "$tmp/nowhere.so"
refuses 'not a shared library' "$source/kpi/symbols.def"
refuses 'not libnke' "$(command -v sh)"

sh "$tmp/update-symbols.sh" "$build/libnke.so" || fail=1
diff "$source/kpi/symbols.def" "$tmp/symbols.def" || fail=1
exit $fail
