/*
 * Who is inside: the calls into a kext that have been made for an object and have not returned. Each is a
 * frame on the stack of its thread, on a list that hangs off the object. Ending the object waits for the
 * others' and leaves alone those of the thread that ends it, which on a Mac would wait for itself.
 */
#ifndef NKE_KERN_INSIDE_H
#define NKE_KERN_INSIDE_H

#include "src/kern/sched.h"

struct inside {
	struct inside *outer;
	const struct thread *thread;
};

static inline void
inside_enter(struct inside **list, struct inside *me)
{
	me->outer = *list;
	me->thread = curthread();
	*list = me;
}

/* Threads leave in any order. */
static inline void
inside_leave(struct inside **list, const struct inside *me)
{
	struct inside **link = list;

	while (*link != me)
		link = &(*link)->outer;
	*link = me->outer;
	sched_wakeup(list, false, THREAD_AWAKENED);
}

/* Is another thread inside? Is this one? */
static inline bool
inside_others(const struct inside *list)
{
	while (list != NULL && list->thread == curthread())
		list = list->outer;
	return list != NULL;
}

static inline bool
inside_self(const struct inside *list)
{
	while (list != NULL && list->thread != curthread())
		list = list->outer;
	return list != NULL;
}

/* Waits until no other thread is inside. False: they will never leave, as nothing can happen any more. */
static inline bool
inside_wait(struct inside **list, const char *what)
{
	while (inside_others(*list)) {
		if (sched_block(list, 0, false, what) == THREAD_RESTART)
			return false;
	}
	return true;
}

#endif
