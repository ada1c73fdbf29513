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

#include "src/kern/mbuf.h"

enum pkt_fate {
	PKT_PENDING,			/* still on its way */
	PKT_KEPT,			/* leaves, as it came or as `m` is now */
	PKT_MERGED,			/* a fragment whose datagram leaves as other frames */
	PKT_SWALLOWED,			/* a filter owns it now */
	PKT_DROPPED,			/* a filter refused it */
	PKT_NO_MEMORY
};

/* ---- filter engines ----------------------------------------------------------------------- */

/*
 * A filter passed the packet on: did it change it? Compares with how it looked before that filter and
 * remembers the new look. `frame` is the link header as the filter left it (input of interface
 * filters), NULL when the filter sees none or it is part of the packet.
 */
bool replay_changed(struct nke *, struct mbuf *, const char *frame);
/* A filter owns (PKT_SWALLOWED) or refused (PKT_DROPPED) the packet of these frames; also PKT_NO_MEMORY. */
void replay_verdict(struct nke *, struct pkt_origin *, enum pkt_fate);

/* ---- the way in --------------------------------------------------------------------------- */

/* Delivered: data at the network header. Survives as it is now. Consumes. */
void replay_deliver(struct nke *, struct mbuf *);
/* No protocol wants the frame; `frame` is its link header, data behind it. Survives as it is now. Consumes. */
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
/* Fragments given up (time-out, limit, overlap): these frames survive as captured. */
void replay_release(struct nke *, struct pkt_origin *);

/* ---- the way out -------------------------------------------------------------------------- */

/* Passed the IP output filters: data at the IP header. Goes on to the interface. Consumes. */
void replay_output_done(struct nke *, struct mbuf *);

#endif
