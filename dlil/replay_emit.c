/*
 * What leaves a replay: the records of frames on their way, in the order of the capture, and how they
 * reach the sink once it is known what became of them.
 *
 * Called by replay.c after frames have gone their way, by replay_fate.c for frames that a kext made.
 */
#include <string.h>

#include "dlil/replay_impl.h"
#include "src/kern/heap.h"
#include "src/kern/sched.h"

/* ---- frames to the sink ------------------------------------------------------------------- */

/* What a record has of its own, it has no more. */
static void
record_clear(struct replay *r, struct pkt_origin *o)
{
	if (o->raw_owned != NULL)
		hc_free(o->raw_owned);
	if (o->look != NULL)
		kfree(r->machine, o->look);
	o->raw_owned = NULL;
	o->look = NULL;
}

void
replay_out_flush(struct replay *r)
{
	if (r->out_count != 0)
		r->config.sink(r->config.ctx, r->out, r->out_count);
	for (uint32_t i = 0; i < r->out_count; i++) {
		m_freem(r->out_m[i]);
		if (r->out_raw[i] != NULL)
			hc_free(r->out_raw[i]);
	}
	r->out_count = 0;
}

/* A frame as a filter left it: one mbuf as it lies, a chain through a flat copy. */
static void
out_mbuf(struct replay *r, const struct pkt_origin *o, struct mbuf *m)
{
	uint32_t snapped = o->is_new ? 0 : o->len - o->caplen;
	uint32_t len = (uint32_t)m_length(m);

	if (m->m_next == NULL) {
		replay_out_frame(r, o, mtod(m, uint8_t *), len, len + snapped, m, NULL);
		return;
	}
	if (len > r->flat_size) {
		uint8_t *flat = hc_alloc(len);

		if (flat == NULL) {
			r->stats.no_memory++;
			m_freem(m);
			return;
		}
		replay_out_flush(r);
		hc_free(r->flat);
		r->flat = flat;
		r->flat_size = len;
	}
	m_copydata(m, 0, len, r->flat);
	replay_out_frame(r, o, r->flat, len, len + snapped, m, NULL);
	replay_out_flush(r);
}

static void
out_record(struct replay *r, struct pkt_origin *o)
{
	struct mbuf *m, *next;

	if (!o->is_new) {
		if (o->changed)
			r->stats.changed++;
		else
			r->stats.kept++;
	}
	if (!o->changed && !o->is_new) {
		/* As captured: still in the buffer it entered in, or from the copy. */
		bool in_place = o->m != NULL && o->m == o->first;
		const uint8_t *data = in_place ? (const uint8_t *)o->start : o->raw;
		bool borrowed = !in_place && o->raw_owned == NULL;

		replay_out_frame(r, o, data, o->caplen, o->len, o->m, o->raw_owned);
		o->raw_owned = NULL;
		o->m = NULL;
		if (borrowed)
			replay_out_flush(r);	/* the reader's bytes go with the next frame */
		return;
	}
	for (m = o->m; m != NULL; m = next) {
		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		out_mbuf(r, o, m);
	}
	o->m = NULL;
}

/* ---- records ------------------------------------------------------------------------------ */

static void
emit_record(struct replay *r, struct pkt_origin *o)
{
	switch ((enum pkt_fate)o->fate) {
	case PKT_KEPT:
		out_record(r, o);
		break;
	case PKT_MERGED:
		r->stats.changed++;
		break;
	case PKT_SWALLOWED:
		r->stats.swallowed++;
		break;
	case PKT_DROPPED:
		r->stats.dropped++;
		break;
	case PKT_NO_MEMORY:
		r->stats.no_memory++;
		break;
	case PKT_PENDING:
		break;
	}
	if (o->m != NULL)
		m_freem_list(o->m);
	record_clear(r, o);
}

void
replay_emit(struct replay *r)
{
	uint32_t i = r->head, end = r->tail;

	for (; i != end; i++) {
		struct pkt_origin *o = replay_record(r, i);

		if (!replay_record_decided(o))
			break;
		if (replay_as_it_came(o)) {
			r->stats.kept++;
			replay_out_frame(r, o, (const uint8_t *)o->start, o->caplen, o->len, o->m, NULL);
		} else {
			emit_record(r, o);
		}
	}
	/* When all has left, start over at the same records: they are in the cache. */
	r->head = i == end ? 0 : i;
	if (i == end)
		r->tail = 0;
}

void
replay_make_room(struct replay *r)
{
	struct pkt_origin *o, *next;

	for (o = replay_record(r, r->head); o != NULL; o = next) {
		next = o->join;
		o->join = NULL;
		o->fate = PKT_KEPT;
		o->pieces = 0;
		o->changed = o->m != NULL;
	}
	replay_emit(r);
}

struct pkt_origin *
replay_push_new(struct replay *r)
{
	struct pkt_origin *o = replay_push(r, r->current, world_calendar_now(r->machine->world), 0, 0);

	o->is_new = true;
	o->fate = PKT_KEPT;
	r->stats.injected++;
	return o;
}

/* ---- the end ------------------------------------------------------------------------------ */

void
replay_let_go(struct replay *r)
{
	for (uint32_t i = r->head; i != r->tail; i++) {
		struct pkt_origin *o = replay_record(r, i);

		if (!replay_record_decided(o)) {	/* fragments whose datagram never came */
			o->fate = PKT_KEPT;
			o->pieces = 0;
			o->changed = false;
		}
	}
	replay_emit(r);
	replay_out_flush(r);
}

/* Frames gathered for the sink, without freeing what they are in: that goes with the machine. */
static void
salvage_flush(struct replay *r)
{
	if (r->config.sink != NULL && r->out_count != 0)
		r->config.sink(r->config.ctx, r->out, r->out_count);
	for (uint32_t i = 0; i < r->out_count; i++)
		if (r->out_raw[i] != NULL)
			hc_free(r->out_raw[i]);
	r->out_count = 0;
}

static void
salvage_record(struct replay *r, struct pkt_origin *o)
{
	const uint8_t *data;
	uint32_t len = o->caplen;

	if (o->m != NULL && (o->changed || o->is_new)) {
		if (o->m->m_next != NULL)
			return;
		data = mtod(o->m, uint8_t *);
		len = (uint32_t)o->m->m_len;
	} else {
		data = o->m != NULL && o->m == o->first ? (const uint8_t *)o->start : o->raw;
	}
	replay_out_fill(r, o, data, len, o->changed || o->is_new ? len : o->len);
	r->out_m[r->out_count] = NULL;
	r->out_raw[r->out_count] = o->raw_owned;
	o->raw_owned = NULL;
	if (++r->out_count == REPLAY_OUT)
		salvage_flush(r);
}

void
replay_salvage(struct replay *r)
{
	for (; r->head != r->tail; r->head++) {
		struct pkt_origin *o = replay_record(r, r->head);

		if (!replay_record_decided(o))
			break;
		if (o->fate == PKT_KEPT)
			salvage_record(r, o);
	}
	salvage_flush(r);
}

/* mbufs that are still there go with the zone, in whatever state a panic left them. */
void
replay_forget(struct replay *r)
{
	for (uint32_t i = 0; i < r->out_count; i++)
		if (r->out_raw[i] != NULL)
			hc_free(r->out_raw[i]);
	for (; r->head != r->tail; r->head++)
		record_clear(r, replay_record(r, r->head));
}
