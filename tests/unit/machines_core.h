/* What machines_main.c does inside machines: plain C types, compiled with the core's headers. */
#ifndef NKE_TESTS_MACHINES_CORE_H
#define NKE_TESTS_MACHINES_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "src/kern/corecalls.h"

/* Each is an argument of machine_call; the struct says what to do and what came of it. */
struct step {
	uint64_t ns;			/* how long */
	int event;			/* its address is what is waited for */
	int result;			/* wait result */
	uint64_t uptime;		/* afterwards */
	unsigned count;
	bool flag;
	struct nke *other;
};

void step_sleep(void *step);		/* for `ns` */
void step_wait(void *step);		/* for `event`, for ever */
void step_wakeup(void *step);		/* `event`; count: how many woke */
void step_panic(void *step);
void step_thread_waits(void *step);	/* starts a kernel thread that waits for `event` for ever */
void step_thread_counts(void *step);	/* starts one that sleeps `ns` and counts, for ever */
void step_thread_panics(void *step);	/* starts one that panics after `ns` */
void step_arm(void *step);		/* a callout after `ns` that sets flag and uptime */
void step_arm_panic(void *step);	/* a callout after `ns` that panics */
void step_softintr_panic(void *step);	/* in machine `other` */
void step_call_other(void *step);	/* step_sleep in `other`, from inside this machine */
void step_count_slowly(void *step);	/* count += 1, giving up the CPU between reading and writing */
void step_nothing(void *step);
void step_arm_sleeper(void *step);	/* a callout, now, that sleeps `ns` and sets flag and uptime */
void step_assert_wait(void *step);	/* says that it waits for `event`, and does not */
void step_inside(void *step);		/* flag: a kext's callback is seen while it is in `other` */
void step_arm_visitor(void *step);	/* a callout, now, that sleeps `ns` in `other`; flag: back again */
/* Two threads that race for a counter under sched=random; count is a hash of the order. */
void step_race(void *step);

#endif
