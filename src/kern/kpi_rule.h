/*
 * Checked mode's rules of where a function of the interface may be called from. What a Mac does when one is
 * broken depends on luck: a deadlock, a panic much later, or nothing. In checked mode the machine panics at
 * once and names the rule; otherwise it makes the call work.
 *
 * KPI_RULES stands at the top of every function of kpi/ that may sleep or takes a lock (interface fact, per
 * function). It is also where sched=random may hand the CPU over.
 */
#ifndef NKE_KERN_KPI_RULE_H
#define NKE_KERN_KPI_RULE_H

#include "src/kern/sched.h"

enum kpi_rule {
	KPI_SLEEPS = 0x1,		/* may sleep: no spin lock may be held */
	/* Takes the lock of an interface, which is held during its demux, add_proto and del_proto. */
	KPI_LOCKS_INTERFACE = 0x2,
	KPI_LOCKS_FILTERS = 0x4,	/* waits until no filter of the interface is being called */
	KPI_LOCKS_PLUMBERS = 0x8,	/* the mutex that is held while a plumber is called */
	KPI_NOT_OF_ITSELF = 0x10,	/* not from any callback of that interface */
	KPI_LOCKS_SOCKET = 0x20		/* a lock that is held during some calls of sf_attach */
};

/* Panics unless `function` may be called here; `object`: the interface or socket it is about, NULL none. */
void kpi_rule_check(const char *function, unsigned rules, const void *object);

#define KPI_RULES(rules, object) do {						\
	if (__builtin_expect(curmachine()->checked, 0))				\
		kpi_rule_check(__func__, (rules), (object));			\
	sched_preempt_point();							\
} while (0)

#endif
