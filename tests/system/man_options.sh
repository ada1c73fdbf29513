#!/usr/bin/env bash
# Every option that a command's --help tells is in its manual page, and the pages are well formed.
#
#	man_options.sh BUILD SOURCE
set -u
nke=$1/nke source=$2
failures=0

fail() {
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

# check PAGE COMMAND...: the options of `nke COMMAND --help`
check() {
	local page=$source/docs/man/$1.1 option options
	shift
	# Names only, from the beginnings of the help's lines: "  -o, --output PATH".
	options=$("$nke" "$@" --help | grep -oE '^ +(-[A-Za-z], )?--?[A-Za-z][-_a-z0-9]*' |
	    grep -oE -e '--?[A-Za-z][-_a-z0-9]*')
	[ -n "$options" ] || fail "nke $* --help tells no options"
	for option in $options; do
		# mdoc writes -o as "Fl o" and --output as "Fl -output".
		grep -qE "^\.(It|Op).* ?Fl ([A-Za-z]+ , Fl )?${option#-}( |$)|Fl ${option#-} " "$page" ||
			fail "$(basename "$page") does not tell of '$option' of nke $*"
	done
}

check nke
check nke-build build
check nke-drill drill
check nke-ctl ctl
check nke-kext kext info
check nke-kext kext list
check nke-kext kext load
check nke-kext kext unload
check nke-replay replay
check nke-run run
check nke-sysctl sysctl

if command -v mandoc >/dev/null 2>&1; then
	for page in "$source"/docs/man/*.1; do
		# References to pages that are not installed here are no matter of form.
		mandoc -Tlint -Wwarning "$page" | grep -v 'referenced manual not found' >&2 &&
			fail "$(basename "$page"): see above"
	done
fi

if [ $failures -ne 0 ]; then
	exit 1
fi
echo "the manual pages tell every option"
