/*
 * The kernel event engine; kern_event.h says what for.
 *
 * Delivery is synchronous. A listener may run kext code (the upcall of a socket) that removes any
 * listener, so a delivery keeps its place in a cursor on its stack, which removal moves on.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/kern_event.h"

struct kev_cursor {
	struct kev_cursor *outer;	/* of a delivery that this one interrupted */
	struct kev_listener *next;
};

struct kev_state {
	uint32_t last_id;
	TAILQ_HEAD(, kev_listener) listeners;
	struct kev_cursor *cursors;
};

void
kev_listen(struct nke *m, struct kev_listener *l)
{
	TAILQ_INSERT_HEAD(&m->kevs->listeners, l, link);
}

void
kev_unlisten(struct nke *m, struct kev_listener *l)
{
	for (struct kev_cursor *c = m->kevs->cursors; c != NULL; c = c->outer)
		if (c->next == l)
			c->next = TAILQ_NEXT(l, link);
	TAILQ_REMOVE(&m->kevs->listeners, l, link);
}

/* A level that is 0 matches everything, and what is below it is not looked at. */
static bool
wanted(const struct kev_request *filter, const struct kern_event_msg *msg)
{
	if (filter->vendor_code == KEV_ANY_VENDOR)
		return true;
	if (filter->vendor_code != msg->vendor_code)
		return false;
	if (filter->kev_class == KEV_ANY_CLASS)
		return true;
	if (filter->kev_class != msg->kev_class)
		return false;
	return filter->kev_subclass == KEV_ANY_SUBCLASS || filter->kev_subclass == msg->kev_subclass;
}

static errno_t
deliver(struct nke *m, const struct kern_event_msg *msg)
{
	struct kev_state *s = m->kevs;
	struct kev_cursor cursor = {s->cursors, TAILQ_FIRST(&s->listeners)};
	errno_t error = 0;

	s->cursors = &cursor;
	while (cursor.next != NULL && error != ENOMEM) {
		struct kev_listener *l = cursor.next;

		cursor.next = TAILQ_NEXT(l, link);
		if (wanted(&l->filter, msg))
			error = l->event(l->arg, msg);
	}
	s->cursors = cursor.outer;
	return error == ENOMEM ? ENOMEM : 0;
}

/* Appends the vectors; EMSGSIZE when they don't fit. */
static errno_t
gather(const struct kev_msg *event, char *record, uint32_t *size)
{
	for (unsigned i = 0; i < N_KEV_VECTORS; i++) {
		const struct kev_d_vectors *v = &event->dv[i];

		if (v->data_length == 0)
			break;
		if (v->data_length > KEV_MAX_SIZE - *size)
			return EMSGSIZE;
		memcpy(record + *size, v->data_ptr, v->data_length);
		*size += v->data_length;
	}
	return 0;
}

errno_t
kev_post(struct nke *m, const struct kev_msg *event)
{
	union {
		struct kern_event_msg msg;
		char bytes[KEV_MAX_SIZE];
	} record;
	uint32_t size = KEV_MSG_HEADER_SIZE;
	errno_t error;

	memset(&record, 0, sizeof record);
	error = gather(event, record.bytes, &size);
	if (error != 0)
		return error;
	record.msg.total_size = size;
	record.msg.vendor_code = event->vendor_code;
	record.msg.kev_class = event->kev_class;
	record.msg.kev_subclass = event->kev_subclass;
	record.msg.event_code = event->event_code;
	record.msg.id = ++m->kevs->last_id;
	return deliver(m, &record.msg);
}

uint32_t
kev_last_id(const struct nke *m)
{
	return m->kevs->last_id;
}

/* ---- life --------------------------------------------------------------------------------- */

static errno_t
kev_init(struct nke *m)
{
	m->kevs = kalloc(m, sizeof *m->kevs);
	if (m->kevs == NULL)
		return ENOMEM;
	TAILQ_INIT(&m->kevs->listeners);
	return 0;
}

static void
kev_fini(struct nke *m)
{
	kfree(m, m->kevs);
	m->kevs = NULL;
}

const struct subsystem kev_subsystem = {"kev", kev_init, NULL, kev_fini};
