/*
 * Captured frames on their way through the machine: what the packet path tells the replay engine.
 *
 * A replayed frame has a `struct pkt_origin`: its bytes as captured, and what became of it. Packets
 * made from it point to it (m_pkthdr.origin; a reassembled datagram to the chain of its fragments).
 * What no filter refused or took is written out in the order in which it was captured: as it came if
 * unchanged, else framed anew. What the stack itself does not want (bad header, not for this host,
 * nobody listens) survives as it came and is only counted: a filter author's capture loses nothing
 * but what the filters removed.
 *
 * All of these may be called only for packets whose m_pkthdr.origin is not NULL.
 */
#ifndef NKE_NET_REPLAY_H
#define NKE_NET_REPLAY_H

#include <string.h>

#include "src/kern/mbuf.h"

enum pkt_fate {
	PKT_PENDING,			/* still on its way */
	PKT_KEPT,			/* leaves, as it came or as `m` is now */
	PKT_MERGED,			/* a fragment whose datagram leaves as other frames */
	PKT_SWALLOWED,			/* a filter owns it now */
	PKT_DROPPED,			/* a filter refused it */
	PKT_NO_MEMORY
};

#define REPLAY_LINK_MAX	20u		/* longest link header: cooked v2 */

/* A captured frame on its way. Everything but the inlines below is for dlil/replay*.c. */
struct pkt_origin {
	/* what every frame needs: one cache line and a half */
	struct pkt_origin *join;	/* next frame of the same datagram */
	struct mbuf *m;			/* what leaves, a list; NULL: as captured, from `raw` */
	struct mbuf *first;		/* the mbuf it entered in */
	char *start;			/* where the frame began in `first` */
	uint64_t number, time_ns;
	uint32_t caplen, len;
	uint16_t pieces;		/* frames made of it, still on their way out */
	uint8_t fate;			/* enum pkt_fate */
	bool is_new;			/* not captured: made by a kext */
	bool outbound;
	bool changed;
	bool touched;			/* a filter had its hands on the packet */
	uint8_t link_len;
	const uint8_t *raw;		/* as captured; NULL while `first` is the only copy */
	uint8_t link[REPLAY_LINK_MAX];	/* the link header, as the last filter left it */
	bool link_changed;		/* a filter edited it */

	/* of frames that wait, and of changed packets */
	uint8_t *raw_owned;		/* `raw`, from the heap; NULL: the reader's, until the next frame */
	uint8_t *look;			/* network packet as the last filter left it; NULL: as captured */
	uint32_t look_len;
};

/*
 * The frame a packet stands for. NULL when there is none any more: the packet was made by a kext, or
 * its frame was swallowed (and this is the filter injecting it again, which counts as a new frame).
 */
static inline struct pkt_origin *
replay_origin(const struct nke *machine, const struct mbuf *m)
{
	struct pkt_origin *o = m->m_pkthdr.origin;

	if (o == NULL || machine->replay == NULL || o->fate != PKT_PENDING || o->is_new ||
	    o->number != m->m_pkthdr.packet_number)
		return NULL;
	return o;
}

/* ---- filter engines ----------------------------------------------------------------------- */

/* What the data of a packet starts with when a filter sees it, and where its link header is. */
enum replay_view {
	REPLAY_NET,			/* the network header; the link header is not shown */
	REPLAY_NET_AND_FRAME,		/* the network header; the link header is at `frame` */
	REPLAY_FRAME			/* the link header */
};

bool replay_compare(struct nke *, struct pkt_origin *, struct mbuf *, enum replay_view,
    const char *frame);

/*
 * A filter passed on packet `m`, which stood for `o` (replay_origin() before the call, not NULL): did it
 * change it? A packet that it put in the place of the one it was shown stands for the same frames.
 * Costs next to nothing when the filter never took a pointer to the data: what it may have written
 * behind the link header that it was shown leaves with the frame all the same, but is not counted.
 */
bool replay_changed(struct nke *, struct pkt_origin *o, struct mbuf *m, enum replay_view,
    const char *frame);

/* Are two Ethernet headers the same? Written out: it is asked for every packet. */
static inline bool
replay_same_ether(const void *a, const void *b)
{
	uint64_t a0, a6, b0, b6;

	memcpy(&a0, a, 8);
	memcpy(&a6, (const char *)a + 6, 8);
	memcpy(&b0, b, 8);
	memcpy(&b6, (const char *)b + 6, 8);
	return ((a0 ^ b0) | (a6 ^ b6)) == 0;
}

/* A packet just before a filter sees it, to tell afterwards whether it is still that. */
struct replay_shown {
	const struct mbuf *m;
	struct pkt_origin *origin;
	uint64_t number;
};

static inline struct replay_shown
replay_show(const struct mbuf *m)
{
	return (struct replay_shown){m, m->m_pkthdr.origin, m->m_pkthdr.packet_number};
}

/*
 * True when `m`, which a filter passed on, is what it was shown: the packet `shown`, of the frame `o`; and
 * it took no pointer to the data and left the link header alone. Whatever the packet stands for, nothing
 * happened to it. Good for any pointer but NULL that a filter may leave, one to a free mbuf too. (Whoever
 * puts another packet's header into an mbuf touches it, and a new mbuf has no origin.)
 */
static inline bool
replay_as_shown(const struct mbuf *shown, const struct pkt_origin *o, const struct mbuf *m,
    enum replay_view view, const char *frame)
{
	return m == shown && (m->m_flags & (M_PKTHDR | M_TOUCHED)) == M_PKTHDR &&
	    m->m_type != MBUF_TYPE_FREE && m->m_next == NULL && m->m_pkthdr.origin == o &&
	    (view != REPLAY_NET_AND_FRAME || o == NULL ||
	    (o->link_len == 14 && frame != NULL && replay_same_ether(frame, o->link)));
}

/* The frame it stood for then, as far as it still is on its way: replay_origin() for later. */
static inline struct pkt_origin *
replay_shown_origin(const struct nke *machine, const struct replay_shown *s)
{
	struct pkt_origin *o = s->origin;

	if (o == NULL || machine->replay == NULL || o->fate != PKT_PENDING || o->is_new ||
	    o->number != s->number)
		return NULL;
	return o;
}

/*
 * After a walk of filters over `before`: true when `after` is the same packet and no filter had its hands
 * on it, so that nothing that was checked needs checking again.
 */
static inline bool
replay_untouched(const struct mbuf *before, const struct mbuf *after)
{
	const struct pkt_origin *o = after->m_pkthdr.origin;

	return after == before && !(after->m_flags & M_TOUCHED) && after->m_next == NULL &&
	    after->m_pkthdr.csum_flags == 0 && (o == NULL || !o->touched);
}
/* A filter owns (PKT_SWALLOWED) or refused (PKT_DROPPED) the packet of these frames; also PKT_NO_MEMORY. */
void replay_verdict(struct nke *, struct pkt_origin *, enum pkt_fate);

/* ---- the way in --------------------------------------------------------------------------- */

/* Delivered: data at the network header. Survives as it is now. Consumes. */
void replay_deliver(struct nke *, struct mbuf *);
/* No protocol wants the frame, `frame` its link header, data behind it. Survives as it is; consumes. */
void replay_unclaimed(struct nke *, struct mbuf *, char *frame);
/*
 * A kext's protocol is about to get the frame: it survives as it is now, and the packet, which is the
 * protocol's, does not stand for it any more. `frame` as above. Does not consume.
 */
void replay_claimed(struct nke *, struct mbuf *, const char *frame);
/* The stack refuses it (and has counted why). Survives as captured. Consumes. */
void replay_refused(struct nke *, struct mbuf *);

/* ---- reassembly --------------------------------------------------------------------------- */

/* A datagram is complete: `more` (an origin chain) joins the frames that `o` stands for. */
void replay_join(struct pkt_origin *o, struct pkt_origin *more);
/* A fragment given up (time-out, limit, overlap): survives as it is now. Consumes. */
void replay_given_up(struct nke *, struct mbuf *);
/* The frames of fragments whose packets nobody needs: survive as captured. NULL is ignored. */
void replay_release(struct nke *, struct pkt_origin *);

/* ---- the way out -------------------------------------------------------------------------- */

/* Passed the IP output filters: data at the IP header. Goes on to the interface. Consumes. */
void replay_output_done(struct nke *, struct mbuf *);

#endif
