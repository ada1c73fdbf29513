/* Rearranging packets: shared by IPv4 and IPv6. See in_subr.c. */
#ifndef NKE_NETINET_IN_SUBR_H
#define NKE_NETINET_IN_SUBR_H

#include <sys/sysctl.h>

#include "src/kern/mbuf.h"

#define LIKELY(x)	__builtin_expect(!!(x), 1)
#define UNLIKELY(x)	__builtin_expect(!!(x), 0)

/* m_pullup. */
struct mbuf *in_pullup(struct nke *, struct mbuf *, size_t len);
/* Makes the first `hlen` bytes, which are contiguous, writable. */
struct mbuf *in_writable(struct nke *, struct mbuf *, size_t hlen);
/* The whole packet anew, its data aligned. */
struct mbuf *in_align(struct nke *, struct mbuf *);
/*
 * Takes `len` bytes at `off` out of the packet; what is before them is contiguous and writable
 * then.
 */
struct mbuf *in_cut(struct nke *, struct mbuf *, size_t off, size_t len);

/* `front`, a packet, becomes the beginning of m: everything in the packet header is m's. Consumes both. */
struct mbuf *in_put_in_front(struct mbuf *front, struct mbuf *m);

/* A sysctl handler: arg1 is a struct of arg2 bytes that is read as it is. */
int in_sysctl_struct SYSCTL_HANDLER_ARGS;

/*
 * What the interface has found out about the transport's checksum of a packet (csum_flags, csum_data):
 * 1 right, 0 wrong, -1 nothing. `pseudo`: sum over the pseudo header, for one that added up the data alone.
 */
static inline int
in_sum_told(const struct mbuf *m, uint32_t pseudo)
{
	uint32_t flags = m->m_pkthdr.csum_flags, sum = m->m_pkthdr.csum_data & 0xffff;

	if (LIKELY((flags & (MBUF_CSUM_DID_DATA | MBUF_CSUM_PSEUDO_HDR)) ==
	    (MBUF_CSUM_DID_DATA | MBUF_CSUM_PSEUDO_HDR)))
		return sum == 0xffff;
	if (!(flags & MBUF_CSUM_DID_DATA))
		return -1;
	sum += (pseudo & 0xffff) + (pseudo >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/* IP headers are read in place, by words. */
static inline bool
in_aligned(const struct mbuf *m)
{
	return ((uintptr_t)m->m_data & 3) == 0;
}

#endif
