/*
 * Who waits for something to become ready: select and poll on devices. Used by poll.c and device_watch.c,
 * which wait, and by kpi/select.c, the kext's side (selrecord, selwakeup).
 *
 * A device's d_select is given a wait as its opaque `wql` and, when it has nothing yet, says by selrecord
 * which selinfo it will wake. The wait keeps the selinfo's address and nothing is ever written into it or
 * read from it: what it has in it, how large it is and whether it is still there does not matter.
 */
#ifndef NKE_KERN_SELECT_H
#define NKE_KERN_SELECT_H

#include <sys/select.h>

#include "src/kern/machine.h"

#define SELECT_RECORDS	4u

struct select_wait {
	TAILQ_ENTRY(select_wait) link;	/* of the machine's */
	/*
	 * One of the recorded was woken. On the machine's CPU, in the middle of a kext's code: must be
	 * short.
	 */
	void (*woken)(struct select_wait *);
	const struct selinfo *recorded[SELECT_RECORDS];
	unsigned count;			/* more than SELECT_RECORDS: any wakeup will do */
};
TAILQ_HEAD(select_list, select_wait);

/* From now on it can be recorded and woken; embedded in its owner. */
void select_begin(struct nke *, struct select_wait *, void (*woken)(struct select_wait *));
void select_end(struct nke *, struct select_wait *);
/* Forgets what was recorded: before asking d_select again. */
static inline void
select_forget(struct select_wait *w)
{
	w->count = 0;
}

/* A kext's calls. `wql` is what its d_select was given; anything else is ignored. */
void select_record(struct nke *, const void *wql, const struct selinfo *);
void select_wakeup(struct nke *, const struct selinfo *);
void select_clear(struct nke *, const struct selinfo *);

#endif
