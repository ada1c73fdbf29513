/*
 * Deferred checksums: what a sender left to a driver that computes checksums, done in software.
 *
 * Called by IP output for interfaces that don't compute them, and for kexts by mbuf_outbound_finalize.
 * What the checksum field holds meanwhile (a sum over the pseudo header, or nothing) doesn't matter.
 * Headers may lie across mbufs; packets may be too short for what they say they are.
 */
#include <stddef.h>

#include "src/netinet/ip_private.h"

#define TCP_SUM_OFFSET	16		/* RFC 793 section 3.1 */
#define UDP_SUM_OFFSET	6		/* RFC 768 */

#define FINALIZE_IPV4	(MBUF_CSUM_REQ_IP | MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_UDP)
#define FINALIZE_IPV6	(MBUF_CSUM_REQ_TCPIPV6 | MBUF_CSUM_REQ_UDPIPV6)

/*
 * Stores the checksum of the transport segment of `len` bytes at `off`. The field has been found to lie
 * in the segment; writing two bytes that are there needs no memory.
 */
static void
store_transport(struct mbuf *m, size_t off, size_t len, size_t field, bool udp, uint32_t pseudo)
{
	uint16_t sum = 0;

	(void)m_copyback(m, off + field, sizeof sum, &sum, MBUF_DONTWAIT);
	sum = (uint16_t)~in_cksum_sum(m, off, len, pseudo);
	/* RFC 768: 0 says that there is none. */
	if (udp && sum == 0)
		sum = 0xffff;
	(void)m_copyback(m, off + field, sizeof sum, &sum, MBUF_DONTWAIT);
}

/* ---- IPv4 --------------------------------------------------------------------------------- */

/*
 * Length of the datagram. Interface fact: the field is taken in either byte order, as it is in host
 * order in some places of the stack. 0: there is no reading of it that the packet is long enough for.
 */
static size_t
datagram_length(uint16_t field, size_t hlen, size_t have)
{
	size_t network = ntohs(field), host = field;

	if (network == have || host == have)
		return have;
	if (network >= hlen && network <= have)
		return network;
	if (host >= hlen && host <= have)
		return host;
	return 0;
}

/* The header's checksum, over a header whose length field is in network order. */
static void
store_header(struct mbuf *m, size_t hoff, struct ip *ip, size_t hlen, size_t len)
{
	uint16_t sum;

	ip->ip_sum = 0;
	ip->ip_len = htons((uint16_t)len);
	sum = (uint16_t)~in_cksum_buf(ip, sizeof *ip);
	sum = (uint16_t)~in_cksum_sum(m, hoff + sizeof *ip, hlen - sizeof *ip, sum);
	(void)m_copyback(m, hoff + offsetof(struct ip, ip_sum), sizeof sum, &sum, MBUF_DONTWAIT);
}

errno_t
in_finalize_cksum(struct mbuf *m, uint32_t hoff, uint32_t csum_flags)
{
	const uint32_t wanted = m->m_pkthdr.csum_flags & csum_flags & FINALIZE_IPV4;
	const bool udp = wanted & MBUF_CSUM_REQ_UDP;
	const bool transport = wanted & (MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_UDP);
	const size_t field = udp ? UDP_SUM_OFFSET : TCP_SUM_OFFSET;
	struct ip ip;
	size_t hlen, len, have;

	if (wanted == 0)
		return 0;
	have = m_length(m);
	if (m_copydata(m, hoff, sizeof ip, &ip) != 0)
		return EINVAL;
	hlen = (size_t)ip.ip_hl << 2;
	if (hlen < sizeof ip)
		return EINVAL;
	len = datagram_length(ip.ip_len, hlen, have - hoff);
	if (len < hlen || (transport && len - hlen < field + 2))
		return EINVAL;
	if (transport)
		store_transport(m, hoff + hlen, len - hlen, field, udp, in_pseudo(ip.ip_src, ip.ip_dst,
		    udp ? IPPROTO_UDP : IPPROTO_TCP, (uint32_t)(len - hlen)));
	if (wanted & MBUF_CSUM_REQ_IP)
		store_header(m, hoff, &ip, hlen, len);
	m->m_pkthdr.csum_flags &= ~wanted;
	return 0;
}

/* ---- IPv6 --------------------------------------------------------------------------------- */

/*
 * Moves *off from the extension header of number `next` there to the one after it, whose number is
 * returned. -1: too short, or a fragment, which cannot be summed. -2: not an extension header.
 * `dst`: replaced by the final destination that a routing header names (RFC 8200 section 8.1).
 */
static int
skip_extension(const struct mbuf *m, int next, size_t *off, struct in6_addr *dst)
{
	uint8_t h[4];
	size_t len;

	if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS &&
	    next != IPPROTO_AH && next != IPPROTO_FRAGMENT)
		return -2;
	if (m_copydata(m, *off, sizeof h, h) != 0)
		return -1;
	len = ((size_t)h[1] + 1) << 3;
	if (next == IPPROTO_AH)
		len = ((size_t)h[1] + 2) << 2;
	if (next == IPPROTO_FRAGMENT) {
		/* Offset and "more" bit. */
		if (h[2] != 0 || (h[3] & 0xf9) != 0)
			return -1;
		len = 8;
	}
	/* Types 0 and 2 end with the address that is last; segments left: not there yet. */
	if (next == IPPROTO_ROUTING && (h[2] == 0 || h[2] == 2) && h[3] != 0 && len >= 24 &&
	    m_copydata(m, *off + len - sizeof *dst, sizeof *dst, dst) != 0)
		return -1;
	*off += len;
	return h[0];
}

errno_t
in6_finalize_cksum(struct mbuf *m, uint32_t hoff, uint32_t csum_flags)
{
	const uint32_t wanted = m->m_pkthdr.csum_flags & csum_flags & FINALIZE_IPV6;
	const bool udp = wanted & MBUF_CSUM_REQ_UDPIPV6;
	const size_t field = udp ? UDP_SUM_OFFSET : TCP_SUM_OFFSET;
	struct ip6_hdr ip6;
	struct in6_addr src, dst;
	size_t off = hoff + sizeof ip6, end = m_length(m);
	int next, after;

	if (wanted == 0)
		return 0;
	if (m_copydata(m, hoff, sizeof ip6, &ip6) != 0)
		return EINVAL;
	/* A length of 0 is a jumbogram's (RFC 2675 section 2): all there is. */
	if (ip6.ip6_plen != 0) {
		size_t stop = off + ntohs(ip6.ip6_plen);

		if (stop > end)
			return EINVAL;
		end = stop;
	}
	src = ip6.ip6_src;
	dst = ip6.ip6_dst;
	next = ip6.ip6_nxt;
	while ((after = skip_extension(m, next, &off, &dst)) >= 0)
		next = after;
	if (after == -1 || off + field + 2 > end)
		return EINVAL;
	store_transport(m, off, end - off, field, udp, in6_pseudo(&src, &dst,
	    udp ? IPPROTO_UDP : IPPROTO_TCP, (uint32_t)(end - off)));
	m->m_pkthdr.csum_flags &= ~wanted;
	return 0;
}
