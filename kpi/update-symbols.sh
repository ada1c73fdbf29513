#!/bin/sh
# Writes kpi/symbols.def anew from what the built library exports:
#
#	kpi/update-symbols.sh BUILD/libnke.so
#
# A symbol that is listed already keeps its set; a new one gets the set its name suggests, to be
# checked by whoever commits it.
set -eu
export LC_ALL=C
usage() {
	echo "update-symbols.sh: $1" >&2
	echo "usage: update-symbols.sh LIBRARY    (the built libnke.so)" >&2
	exit 1
}

[ $# = 1 ] || usage "one argument expected, not $#"
library=$1
here=$(dirname "$0")
def=$here/symbols.def
old=$(mktemp)
exported=$(mktemp)
trap 'rm -f "$old" "$exported"' EXIT
nm -D --defined-only "$library" >"$exported" || usage "$library: not a shared library"
grep -q ' nke_create$' "$exported" || usage "$library: not libnke: no nke_create in it"
if [ -f "$def" ]; then
	sed -n 's/^KPI_SYMBOL(\([^,]*\), \([A-Z]*\)).*/\1 \2/p' "$def" >"$old"
fi

suggest() {
	case ${1#kern_} in
	kern_os_*|OS*|_MALLOC|_FREE|_REALLOC|_MALLOC_ZONE|_FREE_ZONE|panic|printf|kprintf|vprintf|\
	snprintf|vsnprintf|sscanf|vsscanf|str*|mem*|bcopy|bzero|bcmp|ovbcopy|copyin*|copyout*|inet_*|\
	os_malloc|os_free|os_realloc|random|srandom|ffs*|fls*|scanc|skpc|locc|crc32|adler32|uuid_*|\
	Assert|atoi|strto*|Debugger|version*|osrelease|ostype|read_frandom|kvprintf|fubyte|subyte|\
	fu*word|su*word|page_*|_os_log*|os_log*|__assert*|qsort|MD5*|SHA1*|sprintf|vsprintf|scnprintf|\
	vscnprintf|copystr|osbuilder*)
		echo LIBKERN;;
	lck_*|thread_*|clock_*|kernel_thread*|assert_wait*|current_thread|current_task|*absolutetime*|\
	*continuoustime*|mach_*|semaphore_*|wait_*|task_*|preemption_enabled|vm_*|get_*task*|ml_*|\
	simple_lock*|usimple_*|kernel_task|panic_active)
		echo MACH;;
	IO*|PE_*|PEGet*)
		echo IOKIT;;
	kalloc|kfree|delay)
		echo UNSUPPORTED;;
	VNOP_*|cc_rand_generate|random_buf|kmem_*|sysctlbyname)
		echo PRIVATE;;
	*)
		echo BSD;;
	esac
}

{
	echo "/* The kernel's symbols and the set each is in; written by update-symbols.sh. */"
	awk '{ print $3 }' "$exported" | sed 's/@.*//' | grep -v '^nke_' | sort -u |
	while read -r name; do
		set=$(awk -v n="$name" '$1 == n { print $2 }' "$old")
		echo "KPI_SYMBOL($name, ${set:-$(suggest "$name")})"
	done
} >"$def.new"
mv "$def.new" "$def"
