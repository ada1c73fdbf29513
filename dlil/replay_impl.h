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
#define REPLAY_BATCH	64u		/* packets handled together when no filter watches */
#define REPLAY_PEERS	1024u		/* remembered neighbours; a power of two */
#define REPLAY_OUT	64u		/* frames given to the sink at once */

/* Packets that go the same way are handled together. */
enum replay_way { REPLAY_IN, REPLAY_OUT4, REPLAY_OUT6, REPLAY_OUT_OTHER, REPLAY_WAYS };

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
	bool stopped;
	uint64_t current;		/* number of the frame being handled */

	struct pkt_origin *ring;
	uint32_t head, tail;		/* free running */

	uint64_t due;			/* calendar: nothing of the machine is due before */
	struct replay_batch {
		struct mbuf *head, *tail;
	} batches[REPLAY_WAYS];
	uint32_t batch_count;		/* packets in all of them */

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
	bool has_gateway;
	struct replay_header headers[2][2];	/* [IPv6][outbound]: the last one seen */
};

static inline struct pkt_origin *
replay_record(const struct replay *r, uint32_t i)
{
	return &r->ring[i & (REPLAY_RING - 1)];
}

/* replay.c */
errno_t replay_add_address_here(struct nke *, int family, const void *addr, unsigned prefix);
struct pkt_origin *replay_push_new(struct replay *);
void replay_emit(struct replay *);

/* replay_link.c */
struct replay_class {
	bool outbound;
	protocol_family_t family;	/* PF_INET, PF_INET6; 0: neither, or tagged */
};
uint8_t replay_link_length(enum core_link);
void replay_classify(struct replay *, const uint8_t *frame, uint32_t caplen, struct replay_class *);
/* Of an outbound frame: its source is one of the host's addresses. */
void replay_learn_own(struct replay *, const uint8_t *frame, uint32_t caplen,
    const struct replay_class *);
/* The link address that goes with the other end's IP address. */
void replay_learn_peer(struct replay *, const uint8_t *frame, uint32_t caplen,
    const struct replay_class *);
/* Link header for a packet that has none: way in or out, by its IP addresses. */
void replay_make_link(struct replay *, const struct mbuf *, bool outbound, uint8_t *link);
errno_t replay_framer(struct ifnet *, struct mbuf **, const struct sockaddr *, const char *lladdr,
    const char *frame_type);

/* replay_compare.c */
/* True when [off, off+len) of the chain equals `bytes`. */
bool replay_same_bytes(const struct mbuf *, size_t off, const uint8_t *bytes, size_t len);
/* Is the packet, from the network header at `off` on, what was captured? False without a copy of that. */
bool replay_same_packet(const struct pkt_origin *, const struct mbuf *, uint32_t off);
/*
 * New fragments go by the identification of the captured ones: in IPv4 it is still in the datagram, in
 * IPv6 it went with the fragment headers.
 */
void replay_keep_identification(const struct pkt_origin *, struct mbuf *list);

/* replay_fate.c */
errno_t replay_driver_output(struct ifnet *, struct mbuf *);

#endif
