/*
 * ECN of both kinds (tcp_ecn.c) as TCP's other files see it. What is the accurate kind's alone is in
 * tcp_accecn.h.
 */
#ifndef NKE_NETINET_TCP_ECN_H
#define NKE_NETINET_TCP_ECN_H

#include "src/netinet/tcp_private.h"

#define TH_AE		0x100		/* RFC 9768 3.1: of the reserved bits, the one beside CWR */
#define TH_ACE		(TH_AE | TH_CWR | TH_ECE)
#define TCPOPT_ACCECN0	172		/* RFC 9768 3.2.3 */
#define TCPOPT_ACCECN1	174
#define TCPOLEN_ACCECN	11		/* with all three counters */

/*
 * net.inet.tcp.ecn.plusplus: SYN-ACKs (RFC 5562, "ECN+"); all segments ("ECN++"); with accurate ECN all but
 * SYNs and SYN-ACKs, as Linux does it.
 */
enum ecn_plus { ECN_PLUS_NONE, ECN_PLUS_SYNACK, ECN_PLUS_ALL, ECN_PLUS_ACCURATE };

/* A segment has turned out to be acceptable. */
void tcp_ecn_input(struct tcpcb *, const struct tcp_segment *);
/* ECN bits for a segment with `len` octets (rexmit: not new ones): IPTOS_ECN_*; adds TH_ACE's bits. */
uint8_t tcp_ecn_output(struct tcpcb *, uint16_t *th_flags, uint32_t len, bool rexmit);
/* SYN and SYN-ACK of a connection: TH_ACE's bits. */
uint16_t tcp_ecn_syn_flags(const struct tcpcb *);
/* ECN bits for a SYN or SYN-ACK with these flags. */
uint8_t tcp_ecn_syn_mark(struct nke *, uint16_t th_flags);
/* The peer's SYN or SYN-ACK has come to a connection in SYN_SENT: TF_ECN_PERMIT, if both want it. */
void tcp_ecn_settle(struct tcpcb *, const struct tcp_segment *);
/* The peer says that something was marked: the window is reduced, once in a round trip. */
void tcp_ecn_reduce(struct tcpcb *, const struct tcp_segment *);
/* With TF_ECN_PERMIT: the next segment has CWR set, which whoever cuts large segments leaves to the first. */
bool tcp_ecn_says_cwr(const struct tcpcb *);

#endif
