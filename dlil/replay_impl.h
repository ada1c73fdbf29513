/*
 * Inside the replay engine: shared by dlil/replay*.c only.
 *
 * Frames wait in a ring, in the order of the capture, from when they are read until they are emitted.
 * A record leaves the ring when its fate is known and everything before it has left. Fragments whose
 * datagram is not complete hold back what follows them; when the ring is full the oldest is let go.
 */
#ifndef NKE_DLIL_REPLAY_IMPL_H
#define NKE_DLIL_REPLAY_IMPL_H

#include "dlil/dlil.h"
#include "src/net/replay.h"

#define REPLAY_RING	8192u		/* records; a power of two */
#define REPLAY_PEERS	1024u		/* remembered neighbours; a power of two */
#define REPLAY_OUT	64u		/* frames given to the sink at once */

/* Whom a packet came from or went to on the link, by IP address. */
struct replay_peer {
	uint8_t family;			/* AF_INET, AF_INET6, 0 unused */
	uint8_t lladdr[6];
	uint8_t addr[16];
};

/* A link header as captured, of a link that is not Ethernet. */
struct replay_header {
	bool known;
	uint8_t link[REPLAY_LINK_MAX];
};

struct replay {
	struct nke *machine;
	struct ifnet *ifp;
	struct core_replay_config config;
	struct core_replay_stats stats;
	uint32_t mtu;
	uint8_t link_len;		/* of this link type */
	uint64_t host_key;		/* the host's link address, 0: not known, or the link has none */
	bool stopped;
	uint64_t current;		/* number of the frame being handled */

	struct pkt_origin *ring;
	uint32_t head, tail;		/* free running */

	struct core_frame out[REPLAY_OUT];
	struct mbuf *out_m[REPLAY_OUT];
	uint8_t *out_raw[REPLAY_OUT];
	uint32_t out_count;
	uint8_t *flat;			/* one frame made contiguous */
	size_t flat_size;

	uint32_t learned;		/* addresses taken from the capture */
	uint8_t last_source[16];	/* of the previous outbound packet */
	uint8_t last_family;
	struct replay_peer *peers;
	uint8_t gateway[6];		/* whom addresses are behind that are not in `peers` */
	uint64_t gateway_key;		/* the same, 0 while unknown */
	struct replay_header headers[2][2];	/* [IPv6][outbound]: the last one seen */
};

/* A link address as a number, to compare it at once. Different from 0 for every station. */
static inline uint64_t
replay_lladdr_key(const uint8_t *lladdr)
{
	uint32_t first;
	uint16_t rest;

	memcpy(&first, lladdr, sizeof first);
	memcpy(&rest, lladdr + sizeof first, sizeof rest);
	return UINT64_C(1) << 63 | (uint64_t)first << 16 | rest;
}

static inline struct pkt_origin *
replay_record(const struct replay *r, uint32_t i)
{
	return &r->ring[i & (REPLAY_RING - 1)];
}

/* replay_start.c: an address of the host, already inside the machine. */
errno_t replay_add_address_here(struct nke *, int family, const void *addr, unsigned prefix);

/* ---- replay_emit.c ------------------------------------------------------------------------ */

/*
 * The ring is full and its oldest frame still undecided: it leaves as it came, and what was joined to it.
 * Late verdicts are void.
 */
void replay_make_room(struct replay *);
/* A frame that was not captured, leaving now. */
struct pkt_origin *replay_push_new(struct replay *);
/* Whatever is decided leaves, up to the first frame that is not. */
void replay_emit(struct replay *);
/* Gives the sink what has left. */
void replay_out_flush(struct replay *);
/* The end of the capture: frames that are still undecided leave as they came. */
void replay_let_go(struct replay *);
/*
 * After a panic no core code may run: what is finished is already in the ring, and emitting it touches
 * only the ring and mbufs. The frame in hand and those behind it did not make it.
 */
void replay_salvage(struct replay *);
/* The machine goes: frees what is in the ring. */
void replay_forget(struct replay *);

static inline bool
replay_record_decided(const struct pkt_origin *o)
{
	return o->fate != PKT_PENDING && o->pieces == 0;
}

/* Decided, and to leave from where it came in: what happens to nearly every frame. */
static inline bool
replay_as_it_came(const struct pkt_origin *o)
{
	return o->fate == PKT_KEPT && o->m == o->first && o->m != NULL && !o->changed &&
	    o->raw_owned == NULL && o->look == NULL;
}

/* The next record. What it may have of its own it has not: it was cleared after its last use. */
static inline struct pkt_origin *
replay_push(struct replay *r, uint64_t number, uint64_t time_ns, uint32_t caplen, uint32_t len)
{
	struct pkt_origin *o;

	if (r->tail - r->head == REPLAY_RING)
		replay_make_room(r);
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
	o->link_changed = false;
	o->raw = NULL;
	return o;
}

/* The next frame for the sink, which is not there yet: what it is made of belongs in out_m and out_raw. */
static inline void
replay_out_fill(struct replay *r, const struct pkt_origin *o, const uint8_t *data, uint32_t caplen,
    uint32_t len)
{
	struct core_frame *f = &r->out[r->out_count];

	r->stats.written++;
	r->stats.written_bytes += caplen;
	f->number = o->number;
	f->time_ns = o->time_ns;
	f->data = data;
	f->caplen = caplen;
	f->len = len;
	f->flags = o->is_new ? CORE_FRAME_NEW : o->changed ? CORE_FRAME_CHANGED : 0;
}

/* A frame leaves. Takes over m and raw (either may be NULL), which `data` is in. */
static inline void
replay_out_frame(struct replay *r, const struct pkt_origin *o, const uint8_t *data, uint32_t caplen,
    uint32_t len, struct mbuf *m, uint8_t *raw)
{
	if (r->config.sink == NULL) {
		r->stats.written++;
		r->stats.written_bytes += caplen;
		m_freem(m);
		if (raw != NULL)
			hc_free(raw);
		return;
	}
	replay_out_fill(r, o, data, caplen, len);
	r->out_m[r->out_count] = m;
	r->out_raw[r->out_count] = raw;
	if (++r->out_count == REPLAY_OUT)
		replay_out_flush(r);
}

/* ---- replay_link.c ------------------------------------------------------------------------ */

struct replay_class {
	bool outbound;
	protocol_family_t family;	/* PF_INET, PF_INET6; 0: neither, or tagged */
};
uint8_t replay_link_length(enum core_link);
/* Which way the frame went, and what it is; at least as long as a link header. */
struct replay_class replay_classify(struct replay *, const uint8_t *frame, uint32_t caplen);
/* Of an outbound frame: its source is one of the host's addresses. */
void replay_learn_own(struct replay *, const uint8_t *frame, uint32_t caplen, struct replay_class);
/* The link address that goes with the other end's IP address. */
void replay_learn_peer(struct replay *, const uint8_t *frame, uint32_t caplen, struct replay_class);
/* Link header for a packet that has none: way in or out, by its IP addresses. */
void replay_make_link(struct replay *, const struct mbuf *, bool outbound, uint8_t *link);
errno_t replay_framer(struct ifnet *, struct mbuf **, const struct sockaddr *, const char *lladdr,
    const char *frame_type);

/* ---- replay_compare.c --------------------------------------------------------------------- */

/* True when [off, off+len) of the chain equals `bytes`. */
bool replay_same_bytes(const struct mbuf *, size_t off, const uint8_t *bytes, size_t len);
/* Is the packet, from the network header at `off` on, what was captured? False without a copy of that. */
bool replay_same_packet(const struct pkt_origin *, const struct mbuf *, uint32_t off);
/*
 * New fragments go by the identification of the captured ones: in IPv4 it is still in the datagram, in
 * IPv6 it went with the fragment headers.
 */
void replay_keep_identification(const struct pkt_origin *, struct mbuf *list);

/* ---- replay_fate.c ------------------------------------------------------------------------ */

errno_t replay_driver_output(struct ifnet *, struct mbuf *);

#endif
