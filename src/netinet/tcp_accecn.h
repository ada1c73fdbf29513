/*
 * Accurate ECN (tcp_accecn.c) as TCP's other files see it: struct tcp_accecn of a connection that has
 * agreed on it, and what they ask. All but tcp_accecn_of() and tcp_accecn_end() want a connection that has
 * it.
 */
#ifndef NKE_NETINET_TCP_ACCECN_H
#define NKE_NETINET_TCP_ACCECN_H

#include <netinet/ip.h>

#include "src/netinet/tcp_ecn.h"

/* The flags AE, CWR and ECE as a number; on SYNs, and the ACK of a SYN-ACK, a word (RFC 9768 3.1.1). */
#define ACE_BITS		7u
#define ACE_SHIFT		6	/* of the number in TH_*: they are side by side */
#define ACE_ASKS_3168		3u	/* SYN: ECN as in RFC 3168 is wanted */
#define ACE_GRANTS_3168		1u	/* SYN-ACK: the same */
#define ACE_REFLECTED		7u	/* SYN: accurate; SYN-ACK: somebody who sends back what comes */
#define ACE_FIRST		5u	/* 3.2.1: where the counters begin */

_Static_assert(ACE_BITS << ACE_SHIFT == TH_ACE, "the number is the flags");

static inline unsigned
tcp_ace_of(uint16_t flags)
{
	return (flags & TH_ACE) >> ACE_SHIFT;
}

static inline uint16_t
tcp_ace_flags(unsigned ace)
{
	return (uint16_t)(ace << ACE_SHIFT);
}

/* 3.1.1, 3.2.2.1: what a SYN-ACK, and the ACK of one, says of the ECN field of the packet before. */
static inline unsigned
tcp_ace_of_mark(uint8_t mark)
{
	static const uint8_t ace[] = {2, 3, 4, 6};

	return ace[mark & IPTOS_ECN_MASK];
}

/* Octets of data by the mark that they came with; in the order in which the option tells them. */
enum accecn_counter { ACCECN_ECT1, ACCECN_CE, ACCECN_ECT0, ACCECN_COUNTERS };

struct tcp_accecn {
	uint64_t option_time;		/* uptime ns: when the option went last */
	/* What came: the R counters, of which the wire has the lower bits (3 and 24). */
	uint32_t rcv_cep;		/* packets with CE */
	uint32_t rcv[ACCECN_COUNTERS];
	uint32_t told[ACCECN_COUNTERS];	/* of these, in the last option that had it */
	/* What the peer says: the S counters. */
	uint32_t snd_cep;
	uint32_t snd[ACCECN_COUNTERS];
	uint32_t delivered_ce;		/* packets, without the 5 that snd_cep begins with */
	uint32_t ts_seen;		/* the peer's newest timestamp */
	tcp_seq twice_seq, twice_nxt;	/* what came again, and rcv_nxt then: `twice` */
	uint16_t segments_per_ack;	/* a mean, times 64; 0: no ACK yet */
	uint8_t unsaid;			/* packets with CE since the last segment went; saturates */
	uint8_t last_mark;		/* ECN field of the last segment with data */
	uint8_t syn_mark;		/* of the peer's SYN */
	uint8_t reflect;		/* the ECN field that the next bare ACK tells; or REFLECT_NONE */
	bool handshake : 1;		/* server: nothing of the peer's has come but SYNs */
	bool first : 1;			/* client: the same, but for the SYN-ACK */
	bool no_ect : 1;		/* what we send does not take part */
	bool option : 1;		/* the peer's has come: ours gets through */
	bool option_broken : 1;		/* ... but not as it was sent: 3.2.3.2.4 */
	bool option_lost : 1;		/* ACKs with ours seem to get lost: 3.2.3.2.2 */
	bool twice : 1;
};
#define REFLECT_NONE	0xff

/* NULL: the connection has not agreed on accurate ECN. */
static inline struct tcp_accecn *
tcp_accecn_of(const struct tcpcb *tp)
{
	return tp->t_uflags & TFU_ACCECN ? tp->t_accecn : NULL;
}

/*
 * The peer and we have agreed, TF_ECN_PERMIT; without memory, we have not. `mark`: the ECN field of its SYN.
 * `no_ect`: one of its SYNs did not ask.
 */
void tcp_accecn_accept(struct tcpcb *, uint8_t mark, bool no_ect);
/* The same for who asked: the SYN-ACK. */
void tcp_accecn_answered(struct tcpcb *, const struct tcp_segment *);
/* The connection goes. Does nothing without accurate ECN. */
void tcp_accecn_end(struct tcpcb *);

/* An acceptable segment has come: it is counted, and acknowledged at once if it is news. seg->m is there. */
void tcp_accecn_came(struct tcpcb *, const struct tcp_segment *);
/* Its ACK and SACK have been dealt with: what it says of marks. */
void tcp_accecn_acked(struct tcpcb *, const struct tcp_segment *);
/* The SYN-ACK has come again, with `mark` as ECN field: the ACK that goes next answers it. */
void tcp_accecn_reflect(struct tcpcb *, uint8_t mark);

/* As tcp_ecn_output(). */
uint8_t tcp_accecn_output(struct tcpcb *, uint16_t *th_flags, uint32_t len, bool rexmit);
/* IPTOS_ECN_* of a segment with new data, or of another one. */
uint8_t tcp_accecn_mark(const struct tcpcb *, bool new_data);
/*
 * How many counters the option in the next segment has, behind `at` octets of other options, beside *blocks
 * SACK blocks and `len` octets of data. 0: it has no option. Blocks are given up for it, down to two.
 */
unsigned tcp_accecn_room(const struct tcpcb *, unsigned at, unsigned *blocks, uint32_t len);
/* Octets that so many counters take, with padding. */
static inline unsigned
tcp_accecn_octets(unsigned counters)
{
	return counters == 0 ? 0 : counters == ACCECN_COUNTERS ? TCPOLEN_ACCECN + 1 : 8;
}
/* Writes the option, padded; octets. They count as told. */
unsigned tcp_accecn_put(struct tcpcb *, uint8_t *out, unsigned counters);
/* The whole option of a connection that has just begun: a SYN-ACK's. */
extern const uint8_t tcp_accecn_initial[TCPOLEN_ACCECN];

/*
 * The coder by itself. Counters of an option into `values`, by enum accecn_counter, 24 bits; a bit of 1 <<
 * counter for each that there is. And `count` of them, with kind and length; octets, without padding.
 */
unsigned tcp_accecn_decode(const uint8_t *option, uint32_t values[ACCECN_COUNTERS]);
unsigned tcp_accecn_encode(uint8_t *out, const uint32_t values[ACCECN_COUNTERS], unsigned count);

void tcp_accecn_fill_info(const struct tcpcb *, struct core_tcp_info *);

#endif
