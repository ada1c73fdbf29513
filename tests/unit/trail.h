/* Helpers for tests of what runs when: a trail of letters, and threads that leave them. */
#ifndef NKE_TESTS_TRAIL_H
#define NKE_TESTS_TRAIL_H

#include "src/kern/sched.h"
#include "tests/unit/ktest.h"

#define MS		UINT64_C(1000000)
/* A letter as the argument of a thread or callout, and back. */
#define LETTER(c)	((void *)(uintptr_t)(c))
#define LETTER_OF(p)	((char)(uintptr_t)(p))

static char trail[64];
static size_t trail_len;

static inline void
mark(char c)
{
	if (trail_len < sizeof trail - 1)
		trail[trail_len++] = c;
	trail[trail_len] = '\0';
}

static inline void
mark_letter(void *letter)
{
	mark(LETTER_OF(letter));
}

static inline void
fresh_trail(void)
{
	trail_len = 0;
	trail[0] = '\0';
}

/* A kernel thread that nobody keeps a reference to. */
static inline void
start(void (*fn)(void *, wait_result_t), void *parameter)
{
	struct thread *t;

	CHECK_EQ(kthread_create(fn, parameter, &t), 0);
	kthread_release(t);
}

static inline void
sleep_until(uint64_t time)
{
	sched_block(NULL, time, false, "the test");
}

static inline void
sleep_for(uint64_t ns)
{
	sleep_until(machine_now(curmachine()) + ns);
}

#endif
