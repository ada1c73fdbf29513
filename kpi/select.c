/* sys/select.h: a kext says what a selecting thread waits for, and wakes it (src/kern/select.h). */
#include <sys/select.h>

#include "src/kern/select.h"
#include "src/kern/thread.h"

void
selrecord(proc_t selector, struct selinfo *s, void *wql)
{
	(void)selector;
	select_record(curmachine(), wql, s);
}

void
selwakeup(struct selinfo *s)
{
	select_wakeup(curmachine(), s);
}

void
selthreadclear(struct selinfo *s)
{
	select_clear(curmachine(), s);
}
