/*
 * The tree of variables with names. On Darwin it is linked through the static lists that the
 * SYSCTL_ macros define; here such a list is only an anchor whose address names a branch, and
 * every machine keeps a tree of its own. A child may come before its branch and stay after it; it
 * is found while both are there.
 */
#ifndef NKE_KERN_SYSCTL_H
#define NKE_KERN_SYSCTL_H

#include <sys/sysctl.h>

#include "src/kern/machine.h"

/*
 * Enters a kext's OID, which must stay where it is until it is removed. `pc` is the caller, for the
 * ledger. ENOMEM. Panics when it is there already or of an unknown version.
 */
errno_t sysctl_enter(struct nke *, struct sysctl_oid *, void *pc);
/*
 * Removes it and waits until none of its handlers runs any more; from within its own handler it
 * does not wait. Panics when it is not there.
 */
void sysctl_remove(struct nke *, struct sysctl_oid *);

/*
 * Variables of the core, which last as long as the machine. `parent` is the branch's anchor, `kind`
 * CTLTYPE_ and CTLFLAG_ bits, `number` may be OID_AUTO; the strings and what arg1 points at must
 * last. ENOMEM.
 */
errno_t sysctl_add(struct nke *, struct sysctl_oid_list *parent, int number, const char *name,
    unsigned kind, void *arg1, int arg2, sysctl_handler_t, const char *fmt);

/*
 * Reads and sets one variable. *old_len is the room at `old` before and the size of the value
 * after, also when less was copied (ENOMEM) or nothing (`old` NULL). `new` NULL: nothing is set.
 * `p` is on whose behalf, NULL the kernel's own; only the superuser's process sets
 * what is not CTLFLAG_ANYBODY (EPERM). ENOENT no such variable, or a branch; EISDIR the name goes on below a
 * variable; EPERM not readable or writable; EINVAL and whatever the handler says.
 */
struct sysctl_access {
	void *old;
	size_t *old_len;
	const void *new;
	size_t new_len;
	struct proc *p;
};
errno_t sysctl_by_name(struct nke *, const char *name, const struct sysctl_access *);
/* Its oid_fmt, "" when it has none. ENOENT, EISDIR as above. */
errno_t sysctl_format(struct nke *, const char *name, char *format, size_t size);
errno_t sysctl_by_mib(struct nke *, const int *mib, unsigned count, const struct sysctl_access *);

#endif
