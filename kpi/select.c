/*
 * sys/select.h: a thing that can be selected on keeps who waits. Opaque word 0 is the process,
 * word 1 is not used; threads of the machine wait on the address of the selinfo itself.
 */
#include <sys/select.h>

#include "src/kern/sched.h"

void
selrecord(proc_t selector, struct selinfo *s, void *wql)
{
	(void)wql;
	s->si_opaque[0] = selector;
}

void
selwakeup(struct selinfo *s)
{
	if (s->si_opaque[0] == NULL)
		return;
	s->si_opaque[0] = NULL;
	sched_wakeup(s, false, THREAD_AWAKENED);
}

void
selthreadclear(struct selinfo *s)
{
	s->si_opaque[0] = NULL;
}
