/*
 * Callouts (callout.h): a binary heap per world, ordered by deadline and, among equals, by when they
 * were armed. The scheduler asks what is due and lets a thread call it; a thread's own time limit
 * (`timer`) lies in the same heap and is called by the scheduler itself.
 *
 * Room for every thread's timer is kept free, so that going to sleep never needs memory.
 */
#include <string.h>

#include "src/kern/panic.h"
#include "src/kern/world.h"

static inline struct world *
world_of(const struct callout *c)
{
	return c->timer ? c->world : c->machine->world;
}

/* ---- the heap ----------------------------------------------------------------------------- */

static bool
earlier(const struct callout *a, const struct callout *b)
{
	if (a->deadline != b->deadline)
		return a->deadline < b->deadline;
	return a->order < b->order;
}

static void
place(struct world *w, struct callout *c, uint32_t i)
{
	w->heap[i] = c;
	c->heap_index = i;
}

static void
sift_up(struct world *w, struct callout *c, uint32_t i)
{
	for (; i > 1 && earlier(c, w->heap[i / 2]); i /= 2)
		place(w, w->heap[i / 2], i);
	place(w, c, i);
}

static void
sift_down(struct world *w, struct callout *c, uint32_t i)
{
	uint32_t child;

	for (; (child = 2 * i) <= w->heap_count; i = child) {
		if (child < w->heap_count && earlier(w->heap[child + 1], w->heap[child]))
			child++;
		if (!earlier(w->heap[child], c))
			break;
		place(w, w->heap[child], i);
	}
	place(w, c, i);
}

/* What machine_next_event() reads from outside. */
static void
publish_next(struct world *w)
{
	__atomic_store_n(&w->next_event, w->heap_count != 0 ? w->heap[1]->deadline : UINT64_MAX,
	    __ATOMIC_RELAXED);
}

uint64_t
callout_next(const struct world *w)
{
	return w->next_event;
}

static void
heap_remove(struct world *w, struct callout *c)
{
	uint32_t i = c->heap_index;
	struct callout *last = w->heap[w->heap_count--];

	c->heap_index = 0;
	if (last != c) {
		if (i > 1 && earlier(last, w->heap[i / 2]))
			sift_up(w, last, i);
		else
			sift_down(w, last, i);
	}
	publish_next(w);
}

void
callout_insert(struct world *w, struct callout *c, uint64_t deadline)
{
	c->deadline = deadline;
	c->order = ++w->next_order;
	sift_up(w, c, ++w->heap_count);
	publish_next(w);
}

static errno_t
heap_grow(struct world *w, uint32_t needed)
{
	uint32_t capacity = w->heap_capacity != 0 ? w->heap_capacity : 16;
	struct callout **fresh;

	while (capacity <= needed)
		capacity *= 2;
	if (capacity == w->heap_capacity)
		return 0;
	fresh = hc_alloc(capacity * sizeof *fresh);
	if (fresh == NULL)
		return ENOMEM;
	if (w->heap_count != 0)
		memcpy(fresh + 1, w->heap + 1, w->heap_count * sizeof *fresh);
	hc_free(w->heap);
	w->heap = fresh;
	w->heap_capacity = capacity;
	return 0;
}

errno_t
callout_reserve(struct world *w)
{
	return heap_grow(w, w->heap_count + w->overdue + w->threads + 2);
}

/* ---- arming and disarming ----------------------------------------------------------------- */

static bool
clear_overdue(struct callout *c)
{
	bool overdue = c->overdue;

	c->overdue = false;
	if (overdue)
		world_of(c)->overdue--;
	return overdue;
}

void
callout_init(struct callout *c, struct nke *m, void (*fn)(void *), void *arg)
{
	memset(c, 0, sizeof *c);
	c->machine = m;
	c->fn = fn;
	c->arg = arg;
}

errno_t
callout_reset(struct callout *c, uint64_t deadline)
{
	struct world *w = world_of(c);
	errno_t error = callout_reserve(w);

	if (error != 0)
		return error;
	clear_overdue(c);
	if (c->heap_index != 0)
		heap_remove(w, c);
	callout_insert(w, c, deadline);
	return 0;
}

bool
callout_stop(struct callout *c)
{
	bool pending = callout_pending(c);

	clear_overdue(c);
	if (c->heap_index != 0)
		heap_remove(world_of(c), c);
	return pending;
}

void
callout_drain(struct callout *c)
{
	callout_stop(c);
	if (c->running && c->runner == curthread()) {
		c->running = false;
		c->runner = NULL;
		curthread()->current_callout = NULL;
	}
	while (c->running && !c->machine->panicked && !c->machine->ending) {
		c->awaited = true;
		sched_block(&c->runner, 0, false, "a callout that runs to end");
		callout_stop(c);
	}
}

void
callout_forget(struct world *w, const struct nke *m)
{
	for (uint32_t i = w->heap_count; i > 0; i--) {
		if (i <= w->heap_count && !w->heap[i]->timer && w->heap[i]->machine == m) {
			heap_remove(w, w->heap[i]);
			i = w->heap_count + 1;
		}
	}
}

/* ---- calling ------------------------------------------------------------------------------ */

struct callout *
callout_due(struct world *w)
{
	uint64_t now;

	if (w->heap_count == 0)
		return NULL;
	now = world_now(w);
	while (w->heap_count != 0 && w->heap[1]->deadline <= now) {
		struct callout *c = w->heap[1];

		if (c->timer) {
			heap_remove(w, c);
			c->fn(c->arg);
		} else if (c->machine->panicked) {
			heap_remove(w, c);
		} else if (c->running) {
			heap_remove(w, c);
			c->overdue = true;
			w->overdue++;
		} else {
			return c;
		}
	}
	return NULL;
}

/*
 * The function may end its own callout (callout_drain) and free it: then `current_callout` is
 * cleared, and nothing is looked at afterwards.
 */
void
callout_run(struct thread *t, struct callout *c)
{
	struct world *w = t->world;

	heap_remove(w, c);
	c->running = true;
	c->runner = t;
	t->machine = c->machine;
	t->current_callout = c;
	c->fn(c->arg);
	if (t->current_callout != c)
		return;
	t->current_callout = NULL;
	c->running = false;
	c->runner = NULL;
	if (clear_overdue(c))
		callout_insert(w, c, world_now(w));
	if (c->awaited) {
		c->awaited = false;
		sched_wakeup(&c->runner, false, THREAD_AWAKENED);
	}
}
