/*
 * Replaying a capture from the viewpoint of the host that took it: frames to the host take the input
 * path, frames from it the output path, and what survives is given back in the order of the capture.
 *
 * The host's half (src/host) reads the file and calls replay_run(), which pulls frames, moves the
 * machine's clock to each frame's time, and drives it through DLIL and the protocols. While no filter
 * is attached packets travel in batches; otherwise one by one, so that every callback sees the time of
 * its packet and timers fire between the packets where they belong.
 *
 * The fate of a frame is decided in replay_fate.c, link types are known in replay_link.c.
 */
#include <net/if_types.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include "dlil/ether.h"
#include "dlil/replay_impl.h"
#include "src/kern/heap.h"
#include "src/kern/klog.h"
#include "src/kern/sched.h"
#include "src/net/ifaddr.h"

/*
 * A step of the capture's clock longer than this is taken as a gap in the capture: timers see an
 * hour pass, the calendar jumps. So a damaged time stamp cannot make a periodic timer run for ages.
 */
#define REPLAY_GAP_NS	(UINT64_C(3600) * 1000000000)

/* ---- the ring ----------------------------------------------------------------------------- */

static void
record_clear(struct replay *r, struct pkt_origin *o)
{
	if (o->raw_owned != NULL)
		hc_free(o->raw_owned);
	if (o->look != NULL)
		kfree(r->machine, o->look);
	o->raw = NULL;
	o->raw_owned = NULL;
	o->look = NULL;
	o->link_changed = false;
	o->extra = false;
}

static void
out_flush(struct replay *r)
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

/* Takes over m and raw (either may be NULL), which `data` is in. */
static void
out_frame(struct replay *r, const struct pkt_origin *o, const uint8_t *data, uint32_t caplen,
    uint32_t len, struct mbuf *m, uint8_t *raw)
{
	struct core_frame *f = &r->out[r->out_count];

	r->stats.written++;
	r->stats.written_bytes += caplen;
	if (r->config.sink == NULL) {
		m_freem(m);
		if (raw != NULL)
			hc_free(raw);
		return;
	}
	f->number = o->number;
	f->time_ns = o->time_ns;
	f->data = data;
	f->caplen = caplen;
	f->len = len;
	f->flags = o->is_new ? CORE_FRAME_NEW : o->changed ? CORE_FRAME_CHANGED : 0;
	r->out_m[r->out_count] = m;
	r->out_raw[r->out_count] = raw;
	if (++r->out_count == REPLAY_OUT)
		out_flush(r);
}

/* A frame as a filter left it: one mbuf as it lies, a chain through a flat copy. */
static void
out_mbuf(struct replay *r, const struct pkt_origin *o, struct mbuf *m)
{
	uint32_t snapped = o->is_new ? 0 : o->len - o->caplen;
	uint32_t len = (uint32_t)m_length(m);

	if (m->m_next == NULL) {
		out_frame(r, o, mtod(m, uint8_t *), len, len + snapped, m, NULL);
		return;
	}
	if (len > r->flat_size) {
		uint8_t *flat = hc_alloc(len);

		if (flat == NULL) {
			r->stats.no_memory++;
			m_freem(m);
			return;
		}
		out_flush(r);
		hc_free(r->flat);
		r->flat = flat;
		r->flat_size = len;
	}
	m_copydata(m, 0, len, r->flat);
	out_frame(r, o, r->flat, len, len + snapped, m, NULL);
	out_flush(r);
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

		out_frame(r, o, data, o->caplen, o->len, o->m, o->raw_owned);
		o->raw_owned = NULL;
		o->m = NULL;
		if (borrowed)
			out_flush(r);	/* the reader's bytes go with the next frame */
		return;
	}
	for (m = o->m; m != NULL; m = next) {
		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		out_mbuf(r, o, m);
	}
	o->m = NULL;
}

static bool
record_decided(const struct pkt_origin *o)
{
	return o->fate != PKT_PENDING && o->pieces == 0;
}

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
	if (o->extra)
		record_clear(r, o);
}

void
replay_emit(struct replay *r)
{
	uint32_t i = r->head, end = r->tail;

	for (; i != end; i++) {
		struct pkt_origin *o = replay_record(r, i);

		if (!record_decided(o))
			break;
		if (__builtin_expect(o->fate == PKT_KEPT && o->m == o->first && o->m != NULL &&
		    !o->changed, 1)) {
			r->stats.kept++;
			out_frame(r, o, (const uint8_t *)o->start, o->caplen, o->len, o->m, NULL);
			if (o->extra)
				record_clear(r, o);
		} else {
			emit_record(r, o);
		}
	}
	/* When all has left, start over at the same records: they are in the cache. */
	r->head = i == end ? 0 : i;
	if (i == end)
		r->tail = 0;
}

/*
 * The ring is full and its oldest frame still undecided: it leaves as it came, and what was joined to it.
 * Late verdicts are void.
 */
static void
ring_make_room(struct replay *r)
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

/* The next record, the common part filled in; the rest is zero from its last use. */
static inline struct pkt_origin *
ring_push(struct replay *r, uint64_t number, uint64_t time_ns, uint32_t caplen, uint32_t len)
{
	struct pkt_origin *o;

	if (r->tail - r->head == REPLAY_RING)
		ring_make_room(r);
	o = replay_record(r, r->tail++);
	o->join = NULL;
	o->m = NULL;
	o->first = NULL;
	o->number = number;
	o->time_ns = time_ns;
	o->caplen = caplen;
	o->len = len;
	o->pieces = 0;
	o->fate = PKT_PENDING;
	o->link_len = r->link_len;
	o->outbound = false;
	o->changed = false;
	o->is_new = false;
	o->touched = false;
	o->extra = false;
	return o;
}

/* A frame that was not captured, leaving now. */
struct pkt_origin *
replay_push_new(struct replay *r)
{
	struct pkt_origin *o = ring_push(r, r->current, world_calendar_now(r->machine->world), 0, 0);

	o->is_new = true;
	o->fate = PKT_KEPT;
	r->stats.injected++;
	return o;
}

/* ---- the way of one frame ----------------------------------------------------------------- */

/* Like m_devget, with the common sizes decided here: this runs for every frame. */
static struct mbuf *
frame_to_mbuf(struct replay *r, const struct core_frame *f, size_t leading)
{
	struct nke *m0 = r->machine;
	struct mbuf *m;

	if (f->caplen + leading <= MHLEN) {
		m = m_gethdr(m0, MBUF_DONTWAIT, MBUF_TYPE_DATA);
		if (m == NULL)
			return NULL;
	} else if (f->caplen + leading <= MCLBYTES) {
		m = m_getpacket(m0, MBUF_DONTWAIT);
		if (m == NULL)
			return NULL;
	} else {
		return m_devget(m0, f->data, f->caplen, leading);
	}
	m->m_data += leading;
	m->m_len = m->m_pkthdr.len = (int32_t)f->caplen;
	memcpy(m->m_data, f->data, f->caplen);
	return m;
}

/*
 * Ethernet's demux takes priority tags (VLAN 0) out, moving the addresses up: such a frame leaves from
 * its copy, and its link header includes the tag.
 */
static inline bool
priority_tagged(const struct replay *r, const struct core_frame *f)
{
	return __builtin_expect(f->data[12] == 0x81, 0) &&
	    r->config.link == CORE_LINK_ETHERNET && f->caplen >= ETHER_HDR_LEN + 4 &&
	    f->data[13] == 0 && (f->data[14] & 0xf) == 0 && f->data[15] == 0;
}

static bool
needs_copy(const struct replay *r, const struct core_frame *f, const struct replay_class *c)
{
	const uint8_t *net = f->data + r->link_len;
	uint32_t len = f->caplen - r->link_len;

	if (f->caplen > MCLBYTES - 4 || (f->caplen > 15 && priority_tagged(r, f)))
		return true;
	/* Reassembly rewrites fragments. */
	if (c->family == PF_INET)
		return len >= 8 && ((net[6] & 0x3f) | net[7]) != 0;
	return c->family == PF_INET6 && (len < 7 || (net[6] != 6 && net[6] != 17 && net[6] != 58));
}

static bool
keep_copy(struct pkt_origin *o, const uint8_t *data)
{
	o->raw_owned = hc_alloc(o->caplen != 0 ? o->caplen : 1);
	if (o->raw_owned == NULL)
		return false;
	memcpy(o->raw_owned, data, o->caplen);
	o->raw = o->raw_owned;
	if (!o->extra && o->caplen >= o->link_len)
		memcpy(o->link, data, o->link_len);
	o->extra = true;
	return true;
}

/*
 * The reader's bytes go with the next frame. A frame that is not decided by then, or waits for an
 * earlier one, keeps a copy.
 */
static void
keep_borrowed(struct replay *r, struct pkt_origin *o)
{
	if (r->head == r->tail || o->raw == NULL || o->raw_owned != NULL)
		return;
	if (!keep_copy(o, o->raw)) {
		o->raw = NULL;
		o->fate = PKT_NO_MEMORY;
	}
}

static inline bool
watched(const struct replay *r)
{
	return r->machine->filter_count != 0;
}

/* Up to which time stamp frames may be handled without looking at the clock. */
static void
find_due(struct replay *r)
{
	const struct world *w = r->machine->world;
	uint64_t now = world_calendar_now(w), next = sched_next_event(r->machine), gap;

	gap = next > world_now(w) ? next - world_now(w) : 0;
	r->due = now + (gap < REPLAY_GAP_NS ? gap : REPLAY_GAP_NS);
}

/* Frames that are not plain IP: to the interface, as the protocol that has their type would send them. */
static void
play_others(struct replay *r, struct mbuf *list)
{
	struct mbuf *next;

	for (; list != NULL; list = next) {
		protocol_family_t family = 0;

		next = list->m_nextpkt;
		list->m_nextpkt = NULL;
		if (r->config.link == CORE_LINK_ETHERNET && list->m_len >= ETHER_HDR_LEN)
			family = ether_family_of_type(r->ifp, ether_type_at(list->m_data));
		dlil_output(r->ifp, family, list, NULL, NULL, true);
	}
}

static void
batch_play(struct replay *r, enum replay_way way, struct mbuf *list)
{
	const struct net_proto *np;

	if (way == REPLAY_IN) {
		dlil_input_now(r->ifp, list);
		return;
	}
	np = way == REPLAY_OUT_OTHER ? NULL :
	    dlil_net_proto(r->machine, way == REPLAY_OUT4 ? PF_INET : PF_INET6);
	if (np != NULL && np->play_output != NULL)
		np->play_output(r->machine, r->ifp, list);
	else
		play_others(r, list);
}

static void
batch_flush(struct replay *r)
{
	if (r->batch_count == 0)
		return;
	r->batch_count = 0;
	for (unsigned way = 0; way < REPLAY_WAYS; way++) {
		struct mbuf *list = r->batches[way].head;

		if (list == NULL)
			continue;
		r->batches[way].head = r->batches[way].tail = NULL;
		batch_play(r, way, list);
	}
	replay_emit(r);
	find_due(r);
}

static inline enum replay_way
way_of(const struct replay_class *c)
{
	return !c->outbound ? REPLAY_IN : c->family == PF_INET ? REPLAY_OUT4 :
	    c->family == PF_INET6 ? REPLAY_OUT6 : REPLAY_OUT_OTHER;
}

static inline void
batch_add(struct replay *r, struct mbuf *m, enum replay_way way)
{
	struct replay_batch *b = &r->batches[way];

	if (b->tail != NULL)
		b->tail->m_nextpkt = m;
	else
		b->head = m;
	b->tail = m;
	r->batch_count++;
}

static void
set_data_past_link(struct replay *r, struct mbuf *m, const struct replay_class *c)
{
	m->m_pkthdr.header = m->m_data;
	if (c->outbound && c->family == 0)
		return;		/* goes to the interface as it is, link header in front */
	m->m_data += r->link_len;
	m->m_len -= r->link_len;
	m->m_pkthdr.len -= r->link_len;
}

/* Not even a link header: nobody can want it. */
static void
runt(struct replay *r, struct pkt_origin *o, const struct core_frame *f)
{
	r->stats.refused++;
	o->fate = keep_copy(o, f->data) ? PKT_KEPT : PKT_NO_MEMORY;
}

/* What filters may change is kept to compare with, for as long as the reader has it. */
static void
watch_frame(struct replay *r, struct pkt_origin *o, const struct core_frame *f,
    const struct replay_class *c)
{
	o->extra = true;
	o->raw = f->data;
	memcpy(o->link, f->data, r->link_len);
	replay_learn_peer(r, f->data, f->caplen, c);
}

/* After a frame that went its way alone: mostly it leaves unchanged and nothing else waits. */
static inline void
emit_one(struct replay *r, struct pkt_origin *o)
{
	if (__builtin_expect(r->tail - r->head == 1 && o->fate == PKT_KEPT && o->m != NULL &&
	    o->m == o->first && !o->changed && !o->touched && o->raw_owned == NULL, 1)) {
		r->stats.kept++;
		out_frame(r, o, (const uint8_t *)o->start, o->caplen, o->len, o->m, NULL);
		o->raw = NULL;
		o->extra = false;
		r->head = r->tail = 0;
		return;
	}
	replay_emit(r);
	keep_borrowed(r, o);
}

static void
replay_frame(struct replay *r, const struct core_frame *f)
{
	bool watching = watched(r);
	struct replay_class c;
	struct pkt_origin *o;
	struct mbuf *m;

	replay_classify(r, f->data, f->caplen, &c);
	r->stats.frames++;
	r->stats.bytes += f->caplen;
	r->stats.frames_out += c.outbound;
	r->stats.snapped += f->caplen < f->len;
	r->current = f->number;
	o = ring_push(r, f->number, f->time_ns, f->caplen, f->len);
	o->outbound = c.outbound;
	if (__builtin_expect(f->caplen < r->link_len, 0)) {
		runt(r, o, f);
		return;
	}
	if (c.outbound && r->config.learn_addresses)
		replay_learn_own(r, f->data, f->caplen, &c);
	if (watching)
		watch_frame(r, o, f, &c);

	/* Two bytes in front of an Ethernet header align what follows it. */
	m = frame_to_mbuf(r, f, (4 - (r->link_len & 3)) & 3);
	if (__builtin_expect(m == NULL ||
	    (!watching && needs_copy(r, f, &c) && !keep_copy(o, f->data)), 0)) {
		m_freem(m);
		o->fate = PKT_NO_MEMORY;
		return;
	}
	o->first = m;
	o->start = m->m_data;
	if (o->extra && f->caplen > 15 && priority_tagged(r, f)) {
		o->first = NULL;
		o->link_len = ETHER_HDR_LEN + 4;
		memcpy(o->link, f->data, o->link_len);
	}
	m->m_pkthdr.origin = o;
	m->m_pkthdr.packet_number = f->number;
	m->m_pkthdr.timestamp = f->time_ns;
	m->m_pkthdr.rcvif = c.outbound ? NULL : r->ifp;
	set_data_past_link(r, m, &c);
	if (watching) {
		batch_play(r, way_of(&c), m);
		emit_one(r, o);
		return;
	}
	batch_add(r, m, way_of(&c));
	if (r->batch_count == REPLAY_BATCH)
		batch_flush(r);
}

/* ---- entry points ------------------------------------------------------------------------- */

static void
advance_clock(struct replay *r, uint64_t calendar_ns)
{
	const struct world *w = r->machine->world;

	if (sched_advance_calendar(calendar_ns, REPLAY_GAP_NS))
		return;
	sched_advance(world_now(w) + REPLAY_GAP_NS);
	sched_set_calendar(calendar_ns);
}

struct run_args {
	struct replay *r;
	uint32_t max;
	bool more;
};

static void
run_frames(void *arg)
{
	struct run_args *a = arg;
	struct replay *r = a->r;
	struct core_frame f;
	uint64_t latest = 0;

	find_due(r);
	for (uint32_t i = 0; i < a->max; i++) {
		if (!r->config.next(r->config.ctx, &f)) {
			a->more = false;
			break;
		}
		if (watched(r)) {
			/* Every callback is to see the time of its packet. */
			batch_flush(r);
			advance_clock(r, f.time_ns);
			if (r->head != r->tail)
				replay_emit(r);
		} else if (f.time_ns >= r->due) {
			batch_flush(r);
			advance_clock(r, f.time_ns);
			replay_emit(r);
			find_due(r);
		} else if (f.time_ns > latest) {
			latest = f.time_ns;
		}
		replay_frame(r, &f);
	}
	batch_flush(r);
	replay_emit(r);
	advance_clock(r, latest);
	out_flush(r);
}

int
replay_run(struct nke *m, uint32_t max, bool *more)
{
	struct run_args a = {.r = m->replay, .max = max, .more = true};
	int error = machine_call(m, run_frames, &a);

	*more = a.more;
	return error;
}

void
replay_redirect(struct nke *m, bool (*next)(void *, struct core_frame *),
    void (*sink)(void *, const struct core_frame *, size_t), void *ctx)
{
	m->replay->config.next = next;
	m->replay->config.sink = sink;
	m->replay->config.ctx = ctx;
}

struct advance_args {
	struct replay *r;
	uint64_t calendar_ns;
};

static void
do_advance(void *arg)
{
	struct advance_args *a = arg;

	advance_clock(a->r, a->calendar_ns);
	replay_emit(a->r);
	out_flush(a->r);
}

int
replay_advance(struct nke *m, uint64_t calendar_ns)
{
	struct advance_args a = {.r = m->replay, .calendar_ns = calendar_ns};

	return machine_call(m, do_advance, &a);
}

static void
do_finish(void *arg)
{
	struct replay *r = arg;

	batch_flush(r);
	for (uint32_t i = r->head; i != r->tail; i++) {
		struct pkt_origin *o = replay_record(r, i);

		if (!record_decided(o)) {	/* fragments whose datagram never came */
			o->fate = PKT_KEPT;
			o->pieces = 0;
			o->changed = false;
		}
	}
	replay_emit(r);
	out_flush(r);
}

/*
 * After a panic no core code may run: what is finished is already in the ring, and emitting it touches
 * only the ring and mbufs. The frame in hand and those behind it did not make it.
 */
void
replay_finish(struct nke *m)
{
	struct replay *r = m->replay;

	if (r == NULL || r->stopped)
		return;
	if (machine_call(m, do_finish, r) == 0) {
		r->stopped = true;
		return;
	}
	r->stopped = true;
	for (; r->head != r->tail; r->head++) {
		struct pkt_origin *o = replay_record(r, r->head);
		const uint8_t *data;

		if (!record_decided(o))
			break;
		if (o->fate != PKT_KEPT)
			continue;
		if (o->m != NULL && (o->changed || o->is_new)) {
			if (o->m->m_next != NULL)
				continue;
			out_frame(r, o, mtod(o->m, uint8_t *), (uint32_t)o->m->m_len,
			    (uint32_t)o->m->m_len, NULL, NULL);
		} else {
			data = o->m != NULL && o->m == o->first ? (const uint8_t *)o->start : o->raw;
			out_frame(r, o, data, o->caplen, o->len, NULL, NULL);
		}
	}
	if (r->config.sink != NULL && r->out_count != 0)
		r->config.sink(r->config.ctx, r->out, r->out_count);
	r->out_count = 0;
}

uint64_t
replay_low_water(const struct nke *m, uint64_t *time_ns)
{
	const struct replay *r = m->replay;

	*time_ns = UINT64_MAX;
	if (r->head == r->tail)
		return UINT64_MAX;
	*time_ns = replay_record(r, r->head)->time_ns;
	return replay_record(r, r->head)->number;
}

void
replay_stats(const struct nke *m, struct core_replay_stats *stats)
{
	if (m->replay == NULL) {
		memset(stats, 0, sizeof *stats);
		return;
	}
	*stats = m->replay->stats;
	stats->frames_in = stats->frames - stats->frames_out;
}

uint64_t
replay_current(const struct nke *m)
{
	return m->replay != NULL ? m->replay->current : 0;
}

/* ---- making the interface ----------------------------------------------------------------- */

static errno_t
make_interface(struct replay *r)
{
	struct ifnet_init_params params;
	struct sockaddr_dl sdl;
	char name[IFNAMSIZ];
	size_t n = 0;
	uint32_t unit = 0;
	errno_t error;

	while (n < sizeof name - 1 && r->config.interface[n] != '\0' &&
	    !(r->config.interface[n] >= '0' && r->config.interface[n] <= '9')) {
		name[n] = r->config.interface[n];
		n++;
	}
	name[n] = '\0';
	for (size_t i = n; i < sizeof r->config.interface && r->config.interface[i] != '\0'; i++) {
		if (r->config.interface[i] < '0' || r->config.interface[i] > '9')
			return EINVAL;
		unit = unit * 10 + (uint32_t)(r->config.interface[i] - '0');
	}
	if (n == 0)
		return EINVAL;
	memset(&params, 0, sizeof params);
	if (r->config.link == CORE_LINK_ETHERNET) {
		ether_media(&params);
	} else {
		raw_media(&params);
		params.framer = replay_framer;
	}
	params.name = name;
	params.unit = unit;
	params.softc = r;
	params.output = replay_driver_output;
	error = dlil_allocate(r->machine, &params, NULL, &r->ifp);
	if (error != 0)
		return error;
	r->ifp->mtu = r->mtu;
	r->ifp->hdrlen = r->link_len;
	memset(&sdl, 0, sizeof sdl);
	sdl.sdl_len = sizeof sdl;
	sdl.sdl_family = AF_LINK;
	sdl.sdl_type = r->ifp->type;
	if (r->config.link == CORE_LINK_ETHERNET) {
		sdl.sdl_alen = ETHER_ADDR_LEN;
		memcpy(LLADDR(&sdl), r->config.lladdr, ETHER_ADDR_LEN);
	}
	error = dlil_attach(r->ifp, &sdl);
	if (error == 0)
		error = dlil_plumb(r->ifp, PF_INET);
	if (error == 0)
		error = dlil_plumb(r->ifp, PF_INET6);
	if (error == 0)
		error = dlil_set_flags(r->ifp, IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST,
		    IFF_UP | IFF_RUNNING | IFF_BROADCAST | IFF_MULTICAST);
	if (error == 0)
		error = route_set_default(r->machine, AF_INET, r->ifp, NULL);
	if (error == 0)
		error = route_set_default(r->machine, AF_INET6, r->ifp, NULL);
	return error;
}

/* The same as replay_add_address, already inside the machine. */
errno_t
replay_add_address_here(struct nke *m, int family, const void *addr, unsigned prefix)
{
	struct sockaddr_storage sa, mask;
	uint8_t *a, *k;
	size_t len = family == AF_INET ? 4 : 16;

	if ((family != AF_INET && family != AF_INET6) || prefix > len * 8)
		return EINVAL;
	memset(&sa, 0, sizeof sa);
	memset(&mask, 0, sizeof mask);
	if (family == AF_INET) {
		sa.ss_len = mask.ss_len = sizeof(struct sockaddr_in);
		a = (uint8_t *)&((struct sockaddr_in *)(void *)&sa)->sin_addr;
		k = (uint8_t *)&((struct sockaddr_in *)(void *)&mask)->sin_addr;
	} else {
		sa.ss_len = mask.ss_len = sizeof(struct sockaddr_in6);
		a = (uint8_t *)&((struct sockaddr_in6 *)(void *)&sa)->sin6_addr;
		k = (uint8_t *)&((struct sockaddr_in6 *)(void *)&mask)->sin6_addr;
	}
	sa.ss_family = mask.ss_family = (sa_family_t)family;
	memcpy(a, addr, len);
	for (unsigned i = 0; i < prefix; i++)
		k[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return ifaddr_add(m->replay->ifp, (struct sockaddr *)(void *)&sa,
	    (struct sockaddr *)(void *)&mask, NULL);
}

struct address_args {
	struct nke *m;
	const void *addr;
	int family;
	unsigned prefix;
	errno_t error;
};

static void
do_add_address(void *arg)
{
	struct address_args *a = arg;

	a->error = a->m->replay == NULL ? EINVAL :
	    replay_add_address_here(a->m, a->family, a->addr, a->prefix);
}

int
replay_add_address(struct nke *m, int family, const void *addr, unsigned prefix)
{
	struct address_args a = {.m = m, .addr = addr, .family = family, .prefix = prefix};
	int error = machine_call(m, do_add_address, &a);

	return error != 0 ? error : a.error;
}

struct list_args {
	struct nke *m;
	void (*fn)(void *, int, const void *, unsigned);
	void *ctx;
};

/* Link-local addresses carry their scope inside, as everywhere in the core; not outside of it. */
static void
tell_in6(const struct list_args *a, struct in6_addr addr)
{
	if (IN6_IS_ADDR_LINKLOCAL(&addr))
		addr.s6_addr[2] = addr.s6_addr[3] = 0;
	a->fn(a->ctx, AF_INET6, &addr, 128);
}

static void
do_addresses(void *arg)
{
	const struct list_args *a = arg;
	const struct ifaddr *ifa;

	if (a->m->replay == NULL)
		return;
	TAILQ_FOREACH(ifa, &a->m->replay->ifp->addresses, link) {
		if (ifa->addr.ss_family == AF_INET)
			a->fn(a->ctx, AF_INET,
			    &((const struct sockaddr_in *)(const void *)&ifa->addr)->sin_addr, 32);
		else if (ifa->addr.ss_family == AF_INET6)
			tell_in6(a, ((const struct sockaddr_in6 *)(const void *)&ifa->addr)->sin6_addr);
	}
}

void
replay_addresses(struct nke *m, void (*fn)(void *, int, const void *, unsigned), void *ctx)
{
	struct list_args a = {.m = m, .fn = fn, .ctx = ctx};

	(void)machine_call(m, do_addresses, &a);
}

struct start_args {
	struct nke *m;
	const struct core_replay_config *config;
	errno_t error;
};

static void
do_start(void *arg)
{
	struct start_args *a = arg;
	struct nke *m = a->m;
	struct replay *r;

	if (m->replay != NULL) {
		a->error = EEXIST;
		return;
	}
	r = kalloc(m, sizeof *r);
	if (r == NULL) {
		a->error = ENOMEM;
		return;
	}
	r->machine = m;
	r->config = *a->config;
	r->mtu = r->config.mtu != 0 ? r->config.mtu : ETHERMTU;
	r->link_len = replay_link_length(r->config.link);
	r->ring = hc_alloc(REPLAY_RING * sizeof *r->ring);
	if (r->ring != NULL)
		memset(r->ring, 0, REPLAY_RING * sizeof *r->ring);
	r->peers = kalloc(m, REPLAY_PEERS * sizeof *r->peers);
	a->error = r->ring == NULL || r->peers == NULL ? ENOMEM : 0;
	if (a->error == 0) {
		m->replay = r;
		a->error = make_interface(r);
	}
	if (a->error != 0) {
		m->replay = NULL;
		hc_free(r->ring);
		kfree(m, r->peers);
		kfree(m, r);
	}
}

int
replay_start(struct nke *m, const struct core_replay_config *config)
{
	struct start_args a = {.m = m, .config = config};
	int error = machine_call(m, do_start, &a);

	return error != 0 ? error : a.error;
}

static void
replay_fini(struct nke *m)
{
	struct replay *r = m->replay;

	if (r == NULL)
		return;
	for (; r->head != r->tail; r->head++) {
		struct pkt_origin *o = replay_record(r, r->head);

		m_freem_list(o->m);
		record_clear(r, o);
	}
	m->replay = NULL;
	hc_free(r->flat);
	hc_free(r->ring);
	kfree(m, r->peers);
	kfree(m, r);
}

static errno_t
replay_init(struct nke *m)
{
	m->replay = NULL;
	return 0;
}

const struct subsystem replay_subsystem = {"replay", replay_init, NULL, replay_fini};
