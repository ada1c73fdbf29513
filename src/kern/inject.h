/*
 * Injection, watched. A filter that swallows a packet and puts it back has to know it when it comes by
 * again; one that does not, or two that take each other's packets for new ones, keep a packet going for
 * ever. A Mac hangs then, or runs out of stack. Here the machine panics, and names the last two who did it.
 *
 * Called by every function through which a kext puts packets or records into the stack.
 */
#ifndef NKE_KERN_INJECT_H
#define NKE_KERN_INJECT_H

#include "src/kern/mbuf.h"
#include "src/kern/thread.h"

/* More than any filter that delays packets needs, and what the stack of a thread bears, nested. */
#define INJECT_MOST	10000u
#define INJECT_NESTED	64u

struct inject_who {
	char kext[64];
	char filter[64];		/* or the callback it did it from */
};

/* A member of struct nke. */
struct inject_state {
	struct inject_who last[2];	/* who injected what had been injected before, newest first */
};

/*
 * `m` (a packet; NULL: a record without one) is about to go in again, put there by the kext whose code runs.
 * It counts as often injected as it was itself, or as what is being processed by the thread, whichever is
 * more, and once more; copies of packets inherit the count. `filter` NULL: not known. Panics.
 */
void inject_note(struct nke *, struct mbuf *m, const char *filter);

/* What the thread makes of `m` between these two is its descendant. Returns what inject_leave wants. */
static inline uint32_t
inject_enter(const struct mbuf *m)
{
	struct thread *t = curthread();
	uint32_t outer = t->injecting;

	t->injecting = m->m_pkthdr.injections;
	return outer;
}

static inline void
inject_leave(uint32_t outer)
{
	curthread()->injecting = outer;
}

#endif
