/*
 * Replaying a capture from the viewpoint of the host that took it: frames to the host take the input
 * path, frames from it the output path, and what survives is given back in the order of the capture.
 *
 * The host's half (src/host) reads the file and calls replay_run(), which pulls frames, moves the
 * machine's clock to each frame's time, and drives it through DLIL and the protocols, one packet all the
 * way before the next: so every callback sees the time of its packet, and timers fire between the packets
 * where they belong. Only what leaves is gathered, to be given to the sink by the dozen.
 *
 * This runs for every packet, with filters or without: the common case of each step is decided inline,
 * and a packet that nobody touches is not looked at twice.
 *
 * Making a replay is in replay_start.c, what leaves in replay_emit.c; the fate of a frame is decided in
 * replay_fate.c, link types are known in replay_link.c.
 */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include "dlil/ether.h"
#include "dlil/replay_impl.h"
#include "src/kern/sched.h"

/*
 * A step of the capture's clock longer than this is taken as a gap in the capture: timers see an
 * hour pass, the calendar jumps. So a damaged time stamp cannot make a periodic timer run for ages.
 */
#define REPLAY_GAP_NS	(UINT64_C(3600) * 1000000000)

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
	return f->caplen >= ETHER_HDR_LEN + 4 && __builtin_expect(f->data[12] == 0x81, 0) &&
	    r->config.link == CORE_LINK_ETHERNET &&
	    f->data[13] == 0 && (f->data[14] & 0xf) == 0 && f->data[15] == 0;
}

static bool
keep_copy(struct pkt_origin *o)
{
	o->raw_owned = hc_alloc(o->caplen != 0 ? o->caplen : 1);
	if (o->raw_owned == NULL)
		return false;
	memcpy(o->raw_owned, o->raw, o->caplen);
	o->raw = o->raw_owned;
	return true;
}

/*
 * The reader's bytes go with the next frame. A frame that may need them later, to be compared with them
 * or to leave as them, keeps a copy.
 */
static void
keep_borrowed(struct replay *r, struct pkt_origin *o)
{
	if (r->head == r->tail || o->raw_owned != NULL)
		return;
	if (replay_record_decided(o) &&
	    (o->fate != PKT_KEPT || o->changed || (o->m != NULL && o->m == o->first))) {
		o->raw = NULL;
	} else if (!keep_copy(o)) {
		o->raw = NULL;
		o->fate = PKT_NO_MEMORY;
	}
}

/* A frame that is not plain IP: to the interface, as the protocol that has its type would send it. */
static void
play_other(struct replay *r, struct mbuf *m)
{
	protocol_family_t family = 0;

	if (r->config.link == CORE_LINK_ETHERNET && m->m_len >= ETHER_HDR_LEN)
		family = ether_family_of_type(r->ifp, ether_type_at(m->m_data));
	dlil_output_frame(r->ifp, family, m);
}

/* The packet, data at its link header, goes the way that its frame went. */
static inline void
play(struct replay *r, struct mbuf *m, struct replay_class c)
{
	const struct net_proto *np;

	m->m_pkthdr.header = m->m_data;
	if (c.outbound && __builtin_expect(c.family == 0, 0)) {
		play_other(r, m);
		return;
	}
	m->m_data += r->link_len;
	m->m_len -= r->link_len;
	m->m_pkthdr.len -= r->link_len;
	if (!c.outbound) {
		m->m_pkthdr.rcvif = r->ifp;
		dlil_input_one(r->ifp, m);
		return;
	}
	np = dlil_net_proto(r->machine, c.family);
	if (np != NULL && np->play_output != NULL)
		np->play_output(r->machine, r->ifp, m);
	else
		play_other(r, m);
}

/* After a frame went its way: mostly it leaves unchanged and nothing else waits. */
static inline void
emit_one(struct replay *r, struct pkt_origin *o)
{
	if (__builtin_expect(r->tail - r->head == 1 && replay_as_it_came(o), 1)) {
		r->stats.kept++;
		r->head = r->tail = 0;
		replay_out_frame(r, o, (const uint8_t *)o->start, o->caplen, o->len, o->m, NULL);
		return;
	}
	replay_emit(r);
	keep_borrowed(r, o);
}

static void
count_frame(struct replay *r, const struct core_frame *f)
{
	r->stats.frames++;
	r->stats.bytes += f->caplen;
	r->stats.snapped += f->caplen < f->len;
	r->current = f->number;
}

/* Not even a link header: nobody can want it. */
static void
runt(struct replay *r, struct pkt_origin *o)
{
	r->stats.refused++;
	o->fate = keep_copy(o) ? PKT_KEPT : PKT_NO_MEMORY;
}

static void
copy_link(struct replay *r, struct pkt_origin *o, const struct core_frame *f)
{
	if (__builtin_expect(f->caplen >= REPLAY_LINK_MAX, 1))
		memcpy(o->link, f->data, REPLAY_LINK_MAX);	/* too much, but of a fixed size */
	else
		memcpy(o->link, f->data, r->link_len);
}

static inline void
replay_frame(struct replay *r, const struct core_frame *f)
{
	struct pkt_origin *o = replay_push(r, f->number, f->time_ns, f->caplen, f->len);
	struct replay_class c;
	struct mbuf *m;

	count_frame(r, f);
	o->raw = f->data;
	if (__builtin_expect(f->caplen < r->link_len, 0)) {
		runt(r, o);
		replay_emit(r);
		return;
	}
	c = replay_classify(r, f->data, f->caplen);
	o->outbound = c.outbound;
	if (c.outbound) {
		r->stats.frames_out++;
		if (r->config.learn_addresses)
			replay_learn_own(r, f->data, f->caplen, c);
	}
	replay_learn_peer(r, f->data, f->caplen, c);
	copy_link(r, o, f);

	/* Two bytes in front of an Ethernet header align what follows it. */
	m = frame_to_mbuf(r, f, (4 - (r->link_len & 3)) & 3);
	if (__builtin_expect(m == NULL, 0)) {
		o->fate = PKT_NO_MEMORY;
		replay_emit(r);
		return;
	}
	o->first = m;
	o->start = m->m_data;
	if (__builtin_expect(priority_tagged(r, f), 0)) {
		o->first = NULL;
		o->link_len = ETHER_HDR_LEN + 4;
	}
	m->m_pkthdr.origin = o;
	m->m_pkthdr.packet_number = f->number;
	m->m_pkthdr.timestamp = f->time_ns;
	play(r, m, c);
	emit_one(r, o);
}

/* ---- entry points ------------------------------------------------------------------------- */

static __attribute__((noinline)) void
pass_gap(struct replay *r, uint64_t calendar_ns)
{
	sched_advance(world_now(r->machine->world) + REPLAY_GAP_NS);
	sched_set_calendar(calendar_ns);
}

static inline void
advance_clock(struct replay *r, uint64_t calendar_ns)
{
	if (__builtin_expect(!sched_advance_calendar(calendar_ns, REPLAY_GAP_NS), 0))
		pass_gap(r, calendar_ns);
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

	for (uint32_t i = 0; i < a->max; i++) {
		if (!r->config.next(r->config.ctx, &f)) {
			a->more = false;
			break;
		}
		/* Every callback is to see the time of its packet. */
		advance_clock(r, f.time_ns);
		if (__builtin_expect(r->head != r->tail, 0))
			replay_emit(r);
		replay_frame(r, &f);
	}
	replay_out_flush(r);
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
	replay_out_flush(a->r);
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
	replay_let_go(arg);
}

void
replay_finish(struct nke *m)
{
	struct replay *r = m->replay;

	if (r == NULL || r->stopped)
		return;
	if (machine_call(m, do_finish, r) != 0)
		replay_salvage(r);
	r->stopped = true;
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
