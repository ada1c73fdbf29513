/*
 * The order of a replay's output over several machines: captured frames in the order of the capture,
 * frames that kexts made between them by time. Each machine gives its frames back in that order, so this
 * is a merge; it stops where a machine that holds a frame back may still come in between.
 *
 * One thread at a time uses an order.
 */
#include "src/host/replay_order.h"

#include <stdlib.h>
#include <string.h>

/* What came from one machine and has not been written. */
struct queue {
	struct share *first, **end;
	size_t taken;			/* of the first share */
	struct low_water low;
};

struct order {
	struct capture_writer *writer;
	struct queue *queues;
	unsigned count;
	struct share *spares;
	unsigned spare_count;
};

/* ---- shares ------------------------------------------------------------------------------- */

struct share *
share_create(void)
{
	return calloc(1, sizeof(struct share));
}

void
share_destroy(struct share *s)
{
	if (s == NULL)
		return;
	free(s->frames);
	free(s->data);
	free(s);
}

static bool
make_room(struct share *s, size_t caplen)
{
	if (s->count == s->room) {
		size_t room = s->room != 0 ? s->room * 2 : 256;
		struct core_frame *frames = realloc(s->frames, room * sizeof *frames);

		if (frames == NULL)
			return false;
		s->frames = frames;
		s->room = room;
	}
	if (s->used + caplen > s->size) {
		size_t size = s->size != 0 ? s->size * 2 : 1u << 16;
		uint8_t *data;

		while (size < s->used + caplen)
			size *= 2;
		data = realloc(s->data, size);
		if (data == NULL)
			return false;
		s->data = data;
		s->size = size;
	}
	return true;
}

bool
share_add(struct share *s, const struct core_frame *f)
{
	if (!make_room(s, f->caplen))
		return false;
	s->frames[s->count++] = *f;
	if (f->caplen != 0)
		memcpy(s->data + s->used, f->data, f->caplen);
	s->used += f->caplen;
	return true;
}

/* The data may have moved while it grew: now it stays. */
static void
share_complete(struct share *s)
{
	const uint8_t *at = s->data;

	for (size_t i = 0; i < s->count; i++) {
		s->frames[i].data = at;
		at += s->frames[i].caplen;
	}
}

/* ---- queues ------------------------------------------------------------------------------- */

struct order *
order_create(unsigned machines, struct capture_writer *writer)
{
	struct order *o = calloc(1, sizeof *o);

	if (o == NULL || (o->queues = calloc(machines, sizeof *o->queues)) == NULL) {
		free(o);
		return NULL;
	}
	o->writer = writer;
	o->count = machines;
	for (unsigned i = 0; i < machines; i++)
		o->queues[i].end = &o->queues[i].first;
	return o;
}

static void
destroy_list(struct share *s)
{
	struct share *next;

	for (; s != NULL; s = next) {
		next = s->next;
		share_destroy(s);
	}
}

void
order_destroy(struct order *o)
{
	if (o == NULL)
		return;
	for (unsigned i = 0; i < o->count; i++)
		destroy_list(o->queues[i].first);
	destroy_list(o->spares);
	free(o->queues);
	free(o);
}

/* More spares than machines are of no use: each takes one for a chunk. */
static void
recycle(struct order *o, struct share *s)
{
	if (o->spare_count > o->count) {
		share_destroy(s);
		return;
	}
	s->count = 0;
	s->used = 0;
	s->next = o->spares;
	o->spares = s;
	o->spare_count++;
}

struct share *
order_spare(struct order *o)
{
	struct share *s = o->spares;

	if (s == NULL)
		return NULL;
	o->spares = s->next;
	o->spare_count--;
	s->next = NULL;
	return s;
}

void
order_put(struct order *o, unsigned i, struct share *s, const struct low_water *low)
{
	struct queue *q = &o->queues[i];

	q->low = *low;
	if (s == NULL)
		return;
	if (s->count == 0) {
		recycle(o, s);
		return;
	}
	share_complete(s);
	s->next = NULL;
	*q->end = s;
	q->end = &s->next;
}

static const struct core_frame *
queue_first(const struct queue *q)
{
	return q->first != NULL ? &q->first->frames[q->taken] : NULL;
}

static void
queue_take(struct order *o, struct queue *q)
{
	struct share *s = q->first;

	if (++q->taken != s->count)
		return;
	q->taken = 0;
	q->first = s->next;
	if (q->first == NULL)
		q->end = &q->first;
	recycle(o, s);
}

/* ---- merging ------------------------------------------------------------------------------ */

/*
 * Which of the machines' first frames leaves next: captured ones in their order; between them, by time,
 * those that kexts made (`number` is then the frame that they follow at least).
 */
static struct queue *
next_to_leave(struct order *o)
{
	const struct core_frame *captured = NULL, *made = NULL, *f;
	struct queue *from = NULL, *maker = NULL;

	for (unsigned i = 0; i < o->count; i++) {
		f = queue_first(&o->queues[i]);
		if (f == NULL)
			continue;
		if (!(f->flags & CORE_FRAME_NEW)) {
			if (captured == NULL || f->number < captured->number) {
				captured = f;
				from = &o->queues[i];
			}
		} else if (made == NULL || f->time_ns < made->time_ns) {
			made = f;
			maker = &o->queues[i];
		}
	}
	if (made == NULL || (captured != NULL && (captured->number <= made->number ||
	    captured->time_ns < made->time_ns)))
		return from;
	return maker;
}

static void
write_below(struct order *o, const struct low_water *limit)
{
	struct queue *from;

	while ((from = next_to_leave(o)) != NULL) {
		const struct core_frame *f = queue_first(from);

		if (f->number >= limit->number ||
		    ((f->flags & CORE_FRAME_NEW) && f->time_ns > limit->time_ns))
			break;
		if (o->writer != NULL)
			capture_write(o->writer, f, 1);
		queue_take(o, from);
	}
}

void
order_write(struct order *o)
{
	struct low_water limit = {UINT64_MAX, UINT64_MAX};

	for (unsigned i = 0; i < o->count; i++)
		if (o->queues[i].low.number < limit.number)
			limit = o->queues[i].low;
	write_below(o, &limit);
}

void
order_write_rest(struct order *o)
{
	const struct low_water limit = {UINT64_MAX, UINT64_MAX};

	write_below(o, &limit);
}
