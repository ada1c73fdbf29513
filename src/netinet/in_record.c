/*
 * The records of which reports to multicast routers are made (RFC 3376 4.2, RFC 3810 5.2): both families'
 * have the same shape, but for the size of addresses. Records are gathered into messages that fit the link;
 * a list that does not fit goes on in the next message, where that is allowed.
 *
 * Called by in_report.c.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/netinet/in_report_private.h"

#define RECORD_HEAD	4u			/* type, length of auxiliary data, number of sources */

static size_t
address_size(const struct reporter *r)
{
	return r->ops->family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

void
report_out_begin(struct report_out *o, const struct reporter *r, struct ifnet *ifp)
{
	size_t least = RECORD_HEAD + 2 * address_size(r), room = sizeof o->bytes;

	/* 80 bytes are more than the headers of both families. */
	if (ifp->mtu < room + 80)
		room = ifp->mtu > 80 + least ? ifp->mtu - 80 : least;
	o->reporter = r;
	o->ifp = ifp;
	o->room = room;
	o->used = 0;
	o->count = o->sources = 0;
	o->full = NULL;
	o->end = &o->full;
}

/* Begins another message. Without memory this one is lost, which routers bear. */
static void
out_next(struct report_out *o)
{
	struct report_message *full;

	if (o->count == 0)
		return;
	full = kalloc(o->reporter->machine, sizeof *full + o->used);
	if (full != NULL) {
		full->count = o->count;
		full->len = o->used;
		memcpy(full->bytes, o->bytes, o->used);
		*o->end = full;
		o->end = &full->next;
	}
	o->used = 0;
	o->count = 0;
}

void
report_out_send(struct report_out *o)
{
	const struct report_ops *ops = o->reporter->ops;
	struct nke *machine = o->reporter->machine;
	struct report_message *full;

	ifnet_retain(o->ifp);
	while ((full = o->full) != NULL) {
		o->full = full->next;
		ops->send_records(machine, o->ifp, full->bytes, full->len, full->count);
		kfree(machine, full);
	}
	if (o->count != 0)
		ops->send_records(machine, o->ifp, o->bytes, o->used, o->count);
	ifnet_drop(o->ifp);
}

/* A record without sources yet. */
static void
out_record(struct report_out *o, enum record type, const struct in_multi *inm)
{
	size_t size = address_size(o->reporter);

	if (o->used + RECORD_HEAD + 2 * size > o->room)
		out_next(o);
	o->record = o->used;
	o->sources = 0;
	memset(o->bytes + o->used, 0, RECORD_HEAD);
	o->bytes[o->used] = (uint8_t)type;
	memcpy(o->bytes + o->used + RECORD_HEAD, &inm->group, size);
	o->used += RECORD_HEAD + size;
	o->count++;
}

/* False: no room, and a list of what is not wanted cannot be told in parts (RFC 3376 4.2.16). */
static bool
out_source(struct report_out *o, enum record type, const struct in_multi *inm, const union in_any *a)
{
	size_t size = address_size(o->reporter);
	uint16_t n;

	if (o->used + size > o->room) {
		if (type == IS_EXCLUDE || type == TO_EXCLUDE)
			return false;
		out_next(o);
		out_record(o, type, inm);
	}
	memcpy(o->bytes + o->used, a, size);
	o->used += size;
	n = htons(++o->sources);
	memcpy(o->bytes + o->record + 2, &n, sizeof n);
	return true;
}

void
report_out_list(struct report_out *o, enum record type, const struct in_multi *inm)
{
	out_record(o, type, inm);
	for (unsigned i = 0; i < inm->source_count; i++)
		if (inm->sources[i].listed && !out_source(o, type, inm, &inm->sources[i].addr))
			break;
}

void
report_out_current(struct report_out *o, const struct in_multi *inm)
{
	report_out_list(o, inm->mode == MCAST_EXCLUDE ? IS_EXCLUDE : IS_INCLUDE, inm);
}

void
report_out_changes(struct report_out *o, enum record type, struct in_multi *inm)
{
	bool begun = false;

	for (unsigned i = 0; i < inm->source_count; i++) {
		struct in_msource *s = &inm->sources[i];

		if (s->report == 0 || s->report_type != type)
			continue;
		if (!begun)
			out_record(o, type, inm);
		begun = true;
		(void)out_source(o, type, inm, &s->addr);
		s->report--;
	}
}

static const struct in_msource *
find_source(const struct in_multi *inm, const union in_any *a)
{
	for (unsigned i = 0; i < inm->source_count; i++)
		if (memcmp(&inm->sources[i].addr, a, sizeof *a) == 0)
			return &inm->sources[i];
	return NULL;
}

void
report_out_queried(struct report_out *o, const struct report_group *g)
{
	bool begun = false;

	for (unsigned i = 0; i < g->queried; i++) {
		const struct in_msource *s = find_source(g->inm, &g->sources[i]);
		bool listed = s != NULL && s->listed;

		if (listed != (g->inm->mode == MCAST_INCLUDE))
			continue;
		if (!begun)
			out_record(o, IS_INCLUDE, g->inm);
		begun = true;
		(void)out_source(o, IS_INCLUDE, g->inm, &g->sources[i]);
	}
}
