/*
 * Soft interrupts: work put off until the CPU is free of what it does now, in the order in which it
 * was put off. Scheduled by DLIL's input queues and by whatever must not run nested in its cause.
 */
#include <string.h>

#include "src/kern/world.h"

void
softintr_init(struct softintr *s, struct nke *m, void (*fn)(void *), void *arg)
{
	memset(s, 0, sizeof *s);
	s->machine = m;
	s->fn = fn;
	s->arg = arg;
}

void
softintr_schedule(struct softintr *s)
{
	if (s->scheduled)
		return;
	s->scheduled = true;
	if (!s->running)
		TAILQ_INSERT_TAIL(&s->machine->world->softintrs, s, link);
}

/* Takes it off the queue; it is on the queue when it is scheduled and not running. */
static void
withdraw(struct softintr *s)
{
	if (s->scheduled && !s->running)
		TAILQ_REMOVE(&s->machine->world->softintrs, s, link);
	s->scheduled = false;
}

void
softintr_cancel(struct softintr *s)
{
	withdraw(s);
	if (s->running && s->runner == curthread()) {
		s->running = false;
		s->runner = NULL;
		curthread()->current_softintr = NULL;
	}
	while (s->running && !s->machine->panicked && !s->machine->ending) {
		s->awaited = true;
		sched_block(&s->runner, 0, false, "a soft interrupt that runs to end");
		withdraw(s);
	}
}

void
softintr_forget(struct world *w, const struct nke *m)
{
	struct softintr *s, *next;

	TAILQ_FOREACH_SAFE(s, &w->softintrs, link, next) {
		if (s->machine == m)
			withdraw(s);
	}
}

/* Runs the first. Its function may cancel it and free it: then `current_softintr` is cleared. */
void
softintr_run(struct thread *t)
{
	struct world *w = t->world;
	struct softintr *s = TAILQ_FIRST(&w->softintrs);

	TAILQ_REMOVE(&w->softintrs, s, link);
	s->scheduled = false;
	if (s->machine->panicked)
		return;
	s->running = true;
	s->runner = t;
	t->machine = s->machine;
	t->current_softintr = s;
	s->fn(s->arg);
	if (t->current_softintr != s)
		return;
	t->current_softintr = NULL;
	s->running = false;
	s->runner = NULL;
	if (s->scheduled)
		TAILQ_INSERT_TAIL(&w->softintrs, s, link);
	if (s->awaited) {
		s->awaited = false;
		sched_wakeup(&s->runner, false, THREAD_AWAKENED);
	}
}
