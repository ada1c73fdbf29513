/*
 * The first pass over a capture: which flows it has, and what has to be known of one before it is played.
 *
 * Of TCP: who began, how the SYN was answered, where the sequence numbers of both sides begin, and which
 * octets were never captured although the other side acknowledged them. Of UDP: who speaks to a socket,
 * and whether there is one. A flow whose SYN is not there is taken from its first segment on; who was the
 * client is guessed from the ports then.
 *
 * Limits: AHEAD_MAX runs of octets beyond a gap (the oldest gap is taken for a hole then), GAP_MAX octets
 * in one hole: acknowledgements beyond that are garbage; FILL_MAX octets in all holes.
 */
#include <stdlib.h>

#include "src/host/reenact_flows.h"

#define STAMPS_WITHIN	8u		/* segments after which nobody begins to use time stamps */
#define LATE_FRAMES	64u		/* of a flow, after which its SYN is not to be expected */
#define LATE_OCTETS	(1u << 20)
#define AHEAD_MAX	256u
#define HOLES_MAX	65536u		/* of one direction; what follows is not told apart any more */
#define GAP_MAX		(16u << 20)
#define FILL_MAX	(UINT64_C(1) << 30)	/* octets of all holes together; the rest stays unfilled */

/* ---- octets that were seen ------------------------------------------------------------------ */

static bool
grow(struct span **spans, uint32_t count, uint32_t *room)
{
	struct span *grown;

	if (count < *room)
		return true;
	grown = realloc(*spans, (*room != 0 ? *room * 2 : 4) * sizeof *grown);
	if (grown == NULL)
		return false;
	*spans = grown;
	*room = *room != 0 ? *room * 2 : 4;
	return true;
}

/* Octets from `next` up to `to` never came. */
static void
add_hole(struct track *t, uint64_t to)
{
	if (t->hole_count < HOLES_MAX && grow(&t->holes, t->hole_count, &t->hole_room))
		t->holes[t->hole_count++] = (struct span){t->next, to};
	t->next = to;
}

/* What was ahead and is not any more. */
static void
catch_up(struct track *t)
{
	uint32_t n = 0;

	while (n < t->ahead_count && t->ahead[n].from <= t->next) {
		if (t->ahead[n].to > t->next)
			t->next = t->ahead[n].to;
		n++;
	}
	if (n == 0)
		return;
	t->ahead_count -= n;
	memmove(t->ahead, t->ahead + n, t->ahead_count * sizeof *t->ahead);
}

static void
give_up_oldest_gap(struct track *t)
{
	if (t->ahead_count == 0)
		return;
	add_hole(t, t->ahead[0].from);
	catch_up(t);
}

static void
add_ahead(struct track *t, uint64_t from, uint64_t to)
{
	uint32_t i = 0, n;

	while (i < t->ahead_count && t->ahead[i].to < from)
		i++;
	for (n = i; n < t->ahead_count && t->ahead[n].from <= to; n++) {
		if (t->ahead[n].from < from)
			from = t->ahead[n].from;
		if (t->ahead[n].to > to)
			to = t->ahead[n].to;
	}
	if (n == i) {
		if (!grow(&t->ahead, t->ahead_count, &t->ahead_room))
			return;
		memmove(t->ahead + i + 1, t->ahead + i, (t->ahead_count - i) * sizeof *t->ahead);
		t->ahead_count++;
	} else {
		memmove(t->ahead + i + 1, t->ahead + n, (t->ahead_count - n) * sizeof *t->ahead);
		t->ahead_count -= n - i - 1;
	}
	t->ahead[i] = (struct span){from, to};
	if (t->ahead_count > AHEAD_MAX)
		give_up_oldest_gap(t);
}

static void
add_octets(struct track *t, int64_t from, uint32_t len)
{
	int64_t to = from + len;

	if (to <= (int64_t)t->next)
		return;
	while ((uint64_t)to - t->next > GAP_MAX && t->ahead_count != 0)
		give_up_oldest_gap(t);
	if ((uint64_t)to - t->next > GAP_MAX)
		return;
	if ((uint64_t)to > t->end)
		t->end = (uint64_t)to;
	if (from > (int64_t)t->next) {
		add_ahead(t, (uint64_t)from, (uint64_t)to);
		return;
	}
	t->next = (uint64_t)to;
	if (t->ahead_count != 0)
		catch_up(t);
}

/* The other side has them all up to `to`; what was not captured may still come, in another order. */
static void
note_ack(struct track *t, int64_t to)
{
	uint64_t most = t->end + (t->fin != NO_OFFSET);

	if (to <= (int64_t)t->acked || to > (int64_t)(most + GAP_MAX))
		return;
	t->acked = (uint64_t)to;
}

static void
find_holes(struct track *t, bool sent)
{
	uint64_t limit = t->acked;

	/* An acknowledgement counts the FIN, too. */
	if (t->fin != NO_OFFSET && limit > t->fin)
		limit = t->fin;
	if (sent && t->end > limit)
		limit = t->end;		/* what was sent later was written later */
	while (t->ahead_count != 0 && t->ahead[0].from <= limit)
		give_up_oldest_gap(t);
	if (t->next < limit)
		add_hole(t, limit);
	if (t->end < t->next)
		t->end = t->next;
	free(t->ahead);
	t->ahead = NULL;
	t->ahead_count = t->ahead_room = 0;
}

/* ---- TCP ------------------------------------------------------------------------------------ */

static void
set_base(struct track *t, uint32_t base)
{
	if (t->based)
		return;
	t->based = true;
	t->base = base;
}

/*
 * A SYN, written down after segments behind it (a capture of several queues has that): offsets count from it,
 * not from the first of them. False: it is no such SYN.
 */
static bool
rebase(struct flow *f, unsigned side, uint32_t base)
{
	struct track *t = &f->track[side];
	uint32_t less = t->base - base;
	uint64_t seen = t->next;

	if (!f->begun_before || f->frames > LATE_FRAMES || less > LATE_OCTETS || t->hole_count != 0)
		return false;
	t->base = base;
	if (less == 0)
		return true;
	for (uint32_t i = 0; i < t->ahead_count; i++) {
		t->ahead[i].from += less;
		t->ahead[i].to += less;
	}
	t->next = 0;
	t->end += less;
	t->acked += less;
	if (t->fin != NO_OFFSET)
		t->fin += less;
	if (seen != 0)
		add_ahead(t, less, less + seen);
	return true;
}

static uint8_t
options_of(const struct packet *p)
{
	const uint8_t *tcp = p->transport;
	uint8_t found = 0;

	for (uint32_t at = 20; at < p->tcp_len && tcp[at] != 0;) {
		if (tcp[at] == 1) {
			at++;
			continue;
		}
		if (at + 2 > p->tcp_len || tcp[at + 1] < 2)
			break;
		found |= tcp[at] == 3 ? AGREED_SCALE : tcp[at] == 4 ? AGREED_SACK :
		    tcp[at] == 8 ? AGREED_STAMPS : 0;
		at += tcp[at + 1];
	}
	return found;
}

static struct flow *
new_flow(struct flows *all, const struct flow_key *key, const struct packet *p)
{
	struct flow *f = flows_add(all, key);

	if (f != NULL) {
		f->first_frame = p->number;
		f->start_ns = p->time_ns;
	}
	return f;
}

/* Nobody saw it begin: the smaller port is the server's. */
static struct flow *
begun_before(struct flows *all, const struct flow_key *key, const struct packet *p)
{
	struct flow *f = new_flow(all, key, p);

	if (f == NULL)
		return NULL;
	f->begun_before = true;
	f->server = key->lport < key->rport;
	f->answer = ANSWER_OPEN;
	return f;
}

/* A SYN without ACK: the first of a flow, the same again, or one that crosses the other side's. */
static struct flow *
index_syn(struct flows *all, struct flow *f, const struct flow_key *key, const struct packet *p)
{
	unsigned side = p->outbound ? SIDE_LOCAL : SIDE_REMOTE;
	bool same = f != NULL && f->track[side].based && f->track[side].base == p->seq + 1;
	bool crossing = f != NULL && !f->track[side].based && f->answer == ANSWER_NONE;

	if (f != NULL && f->begun_before && f->track[side].based && rebase(f, side, p->seq + 1)) {
		f->begun_before = false;
		f->server = !p->outbound;
		return f;
	}
	if (!same && !crossing) {
		f = new_flow(all, key, p);
		if (f == NULL)
			return NULL;
		f->server = !p->outbound;
	}
	set_base(&f->track[side], p->seq + 1);
	return f;
}

static struct flow *
index_syn_ack(struct flows *all, struct flow *f, const struct flow_key *key, const struct packet *p)
{
	unsigned side = p->outbound ? SIDE_LOCAL : SIDE_REMOTE;

	if (f == NULL || (f->track[side].based && f->track[side].base != p->seq + 1 &&
	    !rebase(f, side, p->seq + 1))) {
		f = begun_before(all, key, p);
		if (f == NULL)
			return NULL;
		f->server = p->outbound;
	}
	set_base(&f->track[side], p->seq + 1);
	set_base(&f->track[!side], p->ack);
	if (f->answer != ANSWER_OPEN) {
		f->answer = ANSWER_OPEN;
		f->agreed = options_of(p);
	}
	return f;
}

static bool
has_stamps(const struct packet *p)
{
	uint32_t value, echo;

	return packet_timestamps(p->transport, p->tcp_len, &value, &echo);
}

/* Segments of a connection: both sides' numbers begin here if nobody saw them begin. */
static void
index_segment(struct flow *f, const struct packet *p)
{
	unsigned side = p->outbound ? SIDE_LOCAL : SIDE_REMOTE;
	struct track *own = &f->track[side], *other = &f->track[!side];
	int64_t offset;

	set_base(own, p->seq + (p->flags & TCP_SYN ? 1 : 0));
	if (f->server != p->outbound && !(p->flags & TCP_SYN) && (p->flags & TCP_ACK)) {
		f->established = true;
		/* Whoever began goes on: there was an answer, which was not captured. */
		if (f->answer == ANSWER_NONE)
			f->agreed = AGREED_SCALE | AGREED_SACK | (has_stamps(p) ? AGREED_STAMPS : 0);
		f->answer = ANSWER_OPEN;
	}
	if ((p->flags & TCP_ACK) && !(p->flags & TCP_RST)) {
		set_base(other, p->ack);
		note_ack(other, track_offset(other, p->ack, other->next));
	}
	offset = track_offset(own, p->seq + (p->flags & TCP_SYN ? 1 : 0), own->next);
	if (p->data_len != 0 && !(p->flags & TCP_RST))
		add_octets(own, offset, p->data_len);
	if ((p->flags & TCP_FIN) && own->fin == NO_OFFSET && offset + p->data_len >= (int64_t)own->next &&
	    offset + p->data_len <= (int64_t)(own->end + GAP_MAX))
		own->fin = (uint64_t)(offset + p->data_len);
}

static void
index_tcp(struct flows *all, const struct packet *p)
{
	unsigned side = p->outbound ? SIDE_LOCAL : SIDE_REMOTE;
	struct flow_key key;
	struct flow *f;

	flow_key_of(p, &key);
	f = flows_at(all, &key, p->number);
	if ((p->flags & (TCP_SYN | TCP_RST)) == TCP_SYN)
		f = p->flags & TCP_ACK ? index_syn_ack(all, f, &key, p) : index_syn(all, f, &key, p);
	else if (f == NULL && !(p->flags & TCP_RST))
		f = begun_before(all, &key, p);
	if (f == NULL)
		return;
	if (!f->stamps && f->frames < STAMPS_WITHIN && !(p->flags & TCP_SYN))
		f->stamps = has_stamps(p);
	f->urgent |= (p->flags & TCP_URG) != 0;
	f->frames++;
	f->last_frame = p->number;
	if (p->flags & TCP_RST) {
		f->reset[side] = true;
		if (f->answer == ANSWER_NONE && f->server == p->outbound)
			f->answer = ANSWER_RESET;
		return;
	}
	index_segment(f, p);
}

/* ---- UDP ------------------------------------------------------------------------------------ */

static void
index_udp(struct flows *all, const struct packet *p)
{
	struct flow_key key;
	struct endpoint *e;
	struct flow *f;
	uint32_t index;

	flow_key_of(p, &key);
	f = flows_at(all, &key, p->number);
	if (f == NULL && (f = new_flow(all, &key, p)) == NULL)
		return;
	e = flows_endpoint(all, &key, &index);
	if (e == NULL)
		return;
	if (e->last_frame == 0)
		e->began = p->outbound;
	e->sent |= p->outbound;
	e->last_frame = p->number;
	f->endpoint = index;
	f->frames++;
	f->last_frame = p->number;
	f->server = !e->began;
}

/* The host says that a port of its own has no socket. */
static void
index_icmp(struct flows *all, const struct packet *p)
{
	const uint8_t *icmp = p->transport, *ip = icmp + 8;
	uint32_t left = p->net_captured - p->header_len - 8, hlen;
	struct flow_key key;
	uint32_t index;

	if (!p->outbound || icmp[0] != (p->version == 4 ? 3 : 1) || icmp[1] != (p->version == 4 ? 3 : 4))
		return;
	hlen = p->version == 4 && left >= 20 ? (ip[0] & 0xfu) * 4 : 40;
	if (left < hlen + 8 || hlen < 20 || ip[0] >> 4 != p->version ||
	    (p->version == 4 ? ip[9] : ip[6]) != PROTO_UDP)
		return;
	memset(&key, 0, sizeof key);
	key.version = p->version;
	key.protocol = PROTO_UDP;
	memcpy(key.remote, p->version == 4 ? ip + 12 : ip + 8, packet_address_len(p->version));
	memcpy(key.local, p->version == 4 ? ip + 16 : ip + 24, packet_address_len(p->version));
	key.rport = get16(ip + hlen);
	key.lport = get16(ip + hlen + 2);
	if (flows_at(all, &key, p->number) != NULL) {
		struct endpoint *e = flows_endpoint(all, &key, &index);

		if (e != NULL)
			e->refused = true;
	}
}

/* ---- all ------------------------------------------------------------------------------------ */

void
flows_index(struct flows *all, const struct packet *p)
{
	switch (p->kind) {
	case PACKET_TCP:
		index_tcp(all, p);
		break;
	case PACKET_UDP:
		index_udp(all, p);
		break;
	case PACKET_ICMP:
		index_icmp(all, p);
		break;
	case PACKET_OTHER:
	case PACKET_FRAGMENT:
		break;
	}
}

/* A damaged capture must not make a replay fill in zeros for hours. */
static void
limit_holes(struct track *t, uint64_t *budget)
{
	for (uint32_t i = 0; i < t->hole_count; i++) {
		uint64_t len = t->holes[i].to - t->holes[i].from;

		if (len > *budget) {
			t->hole_count = i;
			return;
		}
		*budget -= len;
	}
}

void
flows_index_done(struct flows *all)
{
	uint64_t budget = FILL_MAX;

	for (uint32_t i = 0; i < all->count; i++) {
		struct flow *f = flow_at(all, i);

		if (f->key.protocol != PROTO_TCP)
			continue;
		find_holes(&f->track[SIDE_LOCAL], true);
		find_holes(&f->track[SIDE_REMOTE], false);
		limit_holes(&f->track[SIDE_LOCAL], &budget);
		limit_holes(&f->track[SIDE_REMOTE], &budget);
	}
	flows_rewind(all);
}
