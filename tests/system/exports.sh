# What libnke.so shows to the world: the host API (nke_*) and the functions that include/Kernel declares,
# nothing else; and the loader's table of them (kpi/symbols.def) is complete.
set -eu
export LC_ALL=C
build=$1 source=$2
library=$build/libnke.so
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fail=0

soname=$(readelf -d "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
if [ "$soname" != libnke.so.0 ]; then
	echo "SONAME is '$soname', expected libnke.so.0"
	fail=1
fi

nm -D --defined-only "$library" | awk '{ print $3 }' | sed 's/@.*//' | grep -v '^__' | sort -u >"$tmp/exported"
grep -v '^nke_' "$tmp/exported" >"$tmp/kernel"
sed -n 's/^KPI_SYMBOL(\([^,]*\),.*/\1/p' "$source/kpi/symbols.def" >"$tmp/listed"
if ! sort -c "$tmp/listed"; then
	echo "kpi/symbols.def is not sorted"
	fail=1
fi
grep -v '^__' "$tmp/listed" | diff "$tmp/kernel" - >"$tmp/diff" || {
	echo "kpi/symbols.def (>) is not what the library exports (<); run kpi/update-symbols.sh:"
	cat "$tmp/diff"
	fail=1
}

# every word of the headers; a node of the sysctl tree is declared by a macro that pastes its name
grep -rhoE '[A-Za-z_][A-Za-z0-9_]*' "$source/include/Kernel" | sort -u >"$tmp/words"
while read -r name; do
	case $name in
	sysctl_*_children) continue ;;
	esac
	if ! grep -qxF -e "$name" -e "${name#kern_}" "$tmp/words"; then
		echo "$name is exported, but no header in include/Kernel mentions it"
		fail=1
	fi
done <"$tmp/kernel"

# programs that link the archive: no name in it may take the place of one of the host's
nm --defined-only "$build/libnke.a" 2>/dev/null | awk 'NF == 3 && $2 ~ /[A-Z]/ { print $3 }' | grep -v '^__' |
    sort -u >"$tmp/archive"
ldd "$library" | awk '$2 == "=>" { print $3 }' | while read -r host; do
	nm -D --defined-only "$host" | awk '{ print $3 }' | sed 's/@.*//' | sort -u |
	    comm -12 - "$tmp/archive" | sed "s|\$| is in libnke.a and in $host|"
done >"$tmp/taken"
if [ -s "$tmp/taken" ]; then
	cat "$tmp/taken"
	fail=1
fi

# the host API's functions are declared, and what is declared is there
cat "$source"/include/nke/*.h | grep -oE '\bnke_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$tmp/declared"
grep '^nke_' "$tmp/exported" | diff - "$tmp/declared" | grep '^<' && {
	echo "exported (<), but not declared in include/nke"
	fail=1
}
exit $fail
