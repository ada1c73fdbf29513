/*
 * Half-open connections: a SYN came, the handshake is not finished (RFC 9293, SYN-RECEIVED). Shared by
 * tcp_syncache.c, tcp_synack.c, tcp_syncookie.c and tcp_fastopen.c.
 */
#ifndef NKE_NETINET_TCP_SYNCACHE_H
#define NKE_NETINET_TCP_SYNCACHE_H

#include "src/netinet/tcp_private.h"

/* What is known of one: from its SYN, or (tcp_syncookie.c) from what its ACK brings back. */
struct half_open {
	TAILQ_ENTRY(half_open) in_bucket;	/* the newest first */
	TAILQ_ENTRY(half_open) by_time;		/* of those that were answered as often, by `due` */
	struct inpcb *listener;
	uint64_t sent;			/* when the last SYN-ACK went */
	uint64_t due;			/* when the next is to go, or it is given up */
	struct in6_addr faddr, laddr;
	uint16_t fport, lport;		/* network order */
	uint32_t zone;			/* of a link-local peer */
	tcp_seq irs, iss;
	uint32_t ts_recent, ts_offset;
	uint16_t peer_mss;		/* its option; 0 none */
	uint16_t wnd;			/* as it was told in the SYN-ACK, which is not scaled */
	uint8_t vflag;
	uint16_t flags;			/* HO_* */
	uint8_t retransmits;		/* SYN-ACKs beyond the first */
	uint8_t snd_scale, rcv_scale;
};
#define HO_SCALE	0x01		/* both sides scale windows */
#define HO_TSTMP	0x02
#define HO_SACK		0x04
#define HO_ECN		0x08
#define HO_COOKIE	0x10		/* it wants to know its fast open cookie */
#define HO_UNREACH	0x20		/* an ICMP error has come once */
#define HO_UNTIMED	0x40		/* nobody remembers when the SYN-ACK went */
#define HO_NOOPT	0x80		/* the listener wants no options */
#define HO_FASTOPEN	0x100		/* the connection answers the SYN itself */
#define HO_ACCECN	0x200		/* with HO_ECN: accurately (RFC 9768) */
#define HO_NOECT	0x400		/* a SYN did not ask: nothing goes with ECT (RFC 9768 3.1.5) */
#define HO_MARK_SHIFT	11		/* two bits: the ECN field of the last SYN */
#define HO_MARK		(3 << HO_MARK_SHIFT)

static inline uint8_t
half_open_mark(const struct half_open *h)
{
	return (uint8_t)(h->flags >> HO_MARK_SHIFT & 3);
}

/* ---- tcp_synack.c ------------------------------------------------------------------------- */

/* The ends, and what is the listener's. */
void half_open_begin(struct half_open *, struct inpcb *listener, const struct tcp_segment *);
/* The same, and what the SYN says. Not yet: iss, timers. */
void half_open_fill(struct half_open *, struct inpcb *listener, const struct tcp_segment *);
/* The peer's SYN has come again, maybe with other flags for ECN. */
void half_open_ecn_again(struct half_open *, const struct tcp_segment *);
/* `h` may be gone afterwards: a filter that sees the segment may close the listener. */
void half_open_answer(struct nke *, const struct half_open *);
/* An ACK that says where we are. */
void half_open_challenge(struct nke *, const struct half_open *);
/* The connection, in SYN_RECEIVED with its SYN in flight (HO_FASTOPEN: about to be sent). NULL: no room. */
struct tcpcb *half_open_connect(struct inpcb *listener, const struct tcp_segment *, const struct half_open *);

/* ---- tcp_syncookie.c ---------------------------------------------------------------------- */

/* Two secrets, each good for its turn and the next one. */
struct syncookies {
	uint64_t secret[2][2];
	uint64_t turn[2];		/* in which each was made, counted from 1; 0: never */
	uint64_t last;			/* uptime when the last cookie went out; 0 never */
};
/* The sequence number that says all that has to be known; takes from `h` what does not fit. */
tcp_seq syncookie_make(struct nke *, struct syncookies *, struct half_open *);
/* Does the ACK bring back one of ours? Then *h is what it says. */
bool syncookie_check(struct nke *, struct syncookies *, struct inpcb *listener, const struct tcp_segment *,
    struct half_open *h);


/* ---- tcp_fastopen.c ----------------------------------------------------------------------- */

/*
 * The SYN has a fast open option and the listener wants it. True: there is a connection, and `seg` is
 * consumed. False: a SYN as any other; HO_COOKIE is set if the peer is to be told its cookie.
 */
bool fastopen_accept(struct inpcb *listener, struct tcp_segment *, struct half_open *);

#endif
