/* Waiting for one of many descriptors: sockets and open devices. Called by filecalls.c. */
#ifndef NKE_KERN_POLL_H
#define NKE_KERN_POLL_H

#include "src/kern/filedesc.h"

struct poll_item {
	struct socket *so;		/* NULL: `file`, or not looked at */
	struct device_file *file;	/* NULL: not looked at */
	unsigned want;			/* SO_READABLE, SO_WRITABLE, SO_URGENT; the others always count */
	unsigned ready;			/* of these and SO_HASERROR, SO_HANGUP */
};

/*
 * Waits until one of `count` items is ready or `deadline` (uptime ns; 0: does not wait, UINT64_MAX: none) has
 * come. *found: how many are ready. They are held referenced meanwhile. ENOMEM, EDEADLK.
 */
errno_t poll_items(struct nke *, struct poll_item *, unsigned count, uint64_t deadline, unsigned *found);

#endif
