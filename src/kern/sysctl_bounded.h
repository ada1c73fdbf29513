/* Variables of the core that are an int between two limits. */
#ifndef NKE_KERN_SYSCTL_BOUNDED_H
#define NKE_KERN_SYSCTL_BOUNDED_H

#include <sys/sysctl.h>

#include "src/kern/machine.h"

struct sysctl_bounded {
	int number;			/* or OID_AUTO */
	const char *name;
	size_t offset;			/* of the int in the struct that holds it */
	int min, max;			/* setting it to anything else is EINVAL */
};

/*
 * Enters the variables of a constant table, which ends with a NULL name, for the struct at `base`. Both last
 * as long as the machine. ENOMEM.
 */
errno_t sysctl_add_bounded(struct nke *, struct sysctl_oid_list *parent,
    const struct sysctl_bounded *, void *base);

#endif
