/*
 * kern/thread.h, sys/systm.h, machine/spl.h: funnels and interrupt levels, as kexts of 10.1 to 10.3 take
 * them.
 *
 * A funnel is a lock that its holder gives up whenever it blocks and has again when it goes on (an interface
 * fact). With one CPU that changes hands only when its holder blocks, nobody ever finds a funnel taken: all
 * there is to it is which one a thread holds. sched=random leaves a thread with a funnel alone (sched.c).
 */
#include <kern/thread.h>
#include <machine/spl.h>
#include <sys/systm.h>

#include "src/kern/panic.h"
#include "src/kern/thread.h"

struct funnel_lock {
	uint8_t number;			/* KERNEL_FUNNEL, NETWORK_FUNNEL: what thread->funnel has */
	char name[16];
};

static const struct funnel_lock kernel_funnel = {KERNEL_FUNNEL, "the kernel's"};
static const struct funnel_lock network_funnel = {NETWORK_FUNNEL, "the network's"};

extern __attribute__((visibility("default"))) const struct funnel_lock *const constant_kernel_flock
    __asm__("kernel_flock");
extern __attribute__((visibility("default"))) const struct funnel_lock *const constant_network_flock
    __asm__("network_flock");
const struct funnel_lock *const constant_kernel_flock = &kernel_funnel;
const struct funnel_lock *const constant_network_flock = &network_funnel;

/* ---- funnels ------------------------------------------------------------------------------ */

static const struct funnel_lock *
held(void)
{
	switch (curthread()->funnel) {
	case KERNEL_FUNNEL:
		return &kernel_funnel;
	case NETWORK_FUNNEL:
		return &network_funnel;
	default:
		return NULL;
	}
}

boolean_t
thread_funnel_set(funnel_t *fnl, boolean_t funneled)
{
	const struct funnel_lock *had = held();

	if (fnl != &kernel_funnel && fnl != &network_funnel)
		kpanic("thread_funnel_set: %p is no funnel; expected kernel_flock or network_flock",
		    (void *)fnl);
	if (had != NULL && had != fnl)
		kpanic("thread_funnel_set: thread \"%s\" %s %s funnel while it holds %s", curthread()->name,
		    funneled ? "takes" : "gives up", fnl->name, had->name);
	curthread()->funnel = funneled ? fnl->number : 0;
	return had != NULL;
}

funnel_t *
thread_funnel_get(void)
{
	return (funnel_t *)(uintptr_t)held();
}

boolean_t
thread_funnel_switch(int oldfnl, int newfnl)
{
	struct thread *t = curthread();

	if ((newfnl != KERNEL_FUNNEL && newfnl != NETWORK_FUNNEL) || t->funnel != oldfnl || oldfnl == newfnl)
		kpanic("thread_funnel_switch: thread \"%s\" goes from funnel %d to %d while it holds %d",
		    t->name, oldfnl, newfnl, t->funnel);
	t->funnel = (uint8_t)newfnl;
	return TRUE;
}

/* ---- levels ------------------------------------------------------------------------------- */

/* They mask nothing; what they ask for is a funnel, whichever. */
static unsigned
level(const char *function)
{
	if (curthread()->funnel == 0)
		kpanic("%s was called by thread \"%s\" without a funnel: take network_flock first "
		    "(thread_funnel_set)", function, curthread()->name);
	return 0;
}

#define LEVEL(name)								\
	unsigned								\
	name(void)								\
	{									\
		return level(#name);						\
	}

LEVEL(splhigh)
LEVEL(splsched)
LEVEL(splclock)
LEVEL(splpower)
LEVEL(splvm)
LEVEL(splbio)
LEVEL(splimp)
LEVEL(spltty)
LEVEL(splnet)
LEVEL(splsoftclock)
LEVEL(spl0)

void
spllo(void)
{
	(void)level("spllo");
}

void
splx(unsigned previous)
{
	(void)previous;
	(void)level("splx");
}
