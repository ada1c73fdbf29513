/*
 * Callouts: something to be called at a time of the world's clock. Ties are called in the order in
 * which they were armed. The pending ones of a world are one binary heap (callout.c).
 */
#ifndef NKE_KERN_CALLOUT_H
#define NKE_KERN_CALLOUT_H

#include "src/kern/machine.h"

/*
 * Embedded in its owner; one that is pending or running must be drained before its memory goes.
 * Its function runs on the CPU, not nested in other code of the machine, and may block; it is not
 * started again before it has returned.
 */
struct callout {
	void (*fn)(void *);
	void *arg;
	union {
		struct nke *machine;
		struct world *world;	/* of a thread's time limit (`timer`), which belongs to no machine */
	};
	uint64_t deadline;		/* absolute ns of the world's clock */
	uint64_t order;			/* ties: first armed, first called */
	struct thread *runner;		/* who runs it, NULL nobody */
	uint32_t heap_index;		/* 0: not pending */
	bool running : 1;		/* fn has not returned */
	bool overdue : 1;		/* became due while running: called again at once */
	bool awaited : 1;		/* somebody waits for `running` to end */
	bool threaded : 1;		/* may well sleep: always on a worker, never on a host's stack */
	bool timer : 1;			/* a thread's time limit: fn never blocks, the scheduler calls it */
};

void callout_init(struct callout *, struct nke *, void (*fn)(void *), void *arg);
/* (Re)arms it for an absolute time; one in the past runs as soon as possible. ENOMEM. */
errno_t callout_reset(struct callout *, uint64_t deadline);
/* True when it was pending and now will not run. Does not wait. */
bool callout_stop(struct callout *);
/* callout_stop, and waits for a running call unless the caller is that call. */
void callout_drain(struct callout *);
static inline bool
callout_pending(const struct callout *c)
{
	return c->heap_index != 0 || c->overdue;
}

#endif
