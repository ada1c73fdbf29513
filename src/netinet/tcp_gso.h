/* Cutting large TCP segments in software: tcp_gso.c. */
#ifndef NKE_NETINET_TCP_GSO_H
#define NKE_NETINET_TCP_GSO_H

#include "src/kern/mbuf.h"

#define TCP_GSO_LEAD	64		/* octets kept free in front, for link headers */
#define TCP_GSO_HEADERS	256		/* of link, IP and TCP together, at most */

/* Says CSUM_TSO4 or CSUM_TSO6: somebody has to cut it. */
static inline bool
tcp_gso_is_large(const struct mbuf *m)
{
	return (m->m_pkthdr.csum_flags & (CSUM_TSO4 | CSUM_TSO6)) != 0;
}

/*
 * The segments, linked by m_nextpkt; consumes `m`, whose IP header is `ip_off` octets into it. Without memory
 * only the first ones, which are as good as the others lost. NULL: none, or it is malformed.
 */
struct mbuf *tcp_gso_cut(struct nke *, struct mbuf *m, size_t ip_off);

#endif
