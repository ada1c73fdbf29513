/*
 * Large TCP segments in software: cuts a packet that says CSUM_TSO4 or CSUM_TSO6 into segments of
 * m_pkthdr.tso_segsz octets of data, as a card does that segments (TSO).
 *
 * Called where such a packet meets something that cannot take it: a router's next interface, or filters
 * of the machine that received it. TCP itself makes large segments only for interfaces that cut them
 * (tcp_send.c). The data is shared with the original, only the headers are copied.
 *
 * Sequence numbers go on; FIN and PSH are in the last one, CWR in the first (RFC 3168 6.1.2); IPv4
 * identifications count up. Checksums of the segments are left to be made, like the packet's.
 */
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <string.h>

#include "src/netinet/in_subr.h"
#include "src/netinet/ip_private.h"
#include "src/netinet/tcp_gso.h"

/* A packet and where things are in it. */
struct large {
	struct nke *machine;
	struct mbuf *m;
	size_t ip;			/* offset of the IP header: a link header is in front */
	size_t tcp, data;
	uint32_t segsz;
	bool v4;
	uint8_t headers[TCP_GSO_HEADERS];
};

/* True when the headers are what they should be. */
static bool
parse(struct large *l)
{
	const struct mbuf *m = l->m;
	size_t len = (size_t)m->m_pkthdr.len, hlen;
	struct tcphdr th;
	uint8_t first;

	l->v4 = (m->m_pkthdr.csum_flags & CSUM_TSO4) != 0;
	l->segsz = m->m_pkthdr.tso_segsz;
	if (l->segsz == 0 || m_copydata(m, l->ip, 1, &first) != 0)
		return false;
	hlen = l->v4 ? (size_t)(first & 0xf) << 2 : sizeof(struct ip6_hdr);
	if (hlen < sizeof(struct ip))
		return false;
	l->tcp = l->ip + hlen;
	if (m_copydata(m, l->tcp, sizeof th, &th) != 0)
		return false;
	l->data = l->tcp + ((size_t)th.th_off << 2);
	if ((size_t)th.th_off << 2 < sizeof th || l->data > len || l->data > sizeof l->headers)
		return false;
	return m_copydata(m, 0, l->data, l->headers) == 0;
}

static void
set16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* The headers of the segment with `len` octets of data from `off` on. */
static void
make_headers(const struct large *l, uint8_t *h, size_t off, size_t len, unsigned number, bool last)
{
	struct tcphdr th;
	struct ip ip;

	memcpy(h, l->headers, l->data);
	if (l->v4) {
		memcpy(&ip, h + l->ip, sizeof ip);
		ip.ip_id = htons((uint16_t)(ntohs(ip.ip_id) + number));
		ip.ip_len = htons((uint16_t)(l->data - l->ip + len));
		ip.ip_sum = 0;
		memcpy(h + l->ip, &ip, sizeof ip);
		ip.ip_sum = in_cksum_buf(h + l->ip, l->tcp - l->ip);
		memcpy(h + l->ip + offsetof(struct ip, ip_sum), &ip.ip_sum, sizeof ip.ip_sum);
	} else {
		set16(h + l->ip + offsetof(struct ip6_hdr, ip6_ctlun.ip6_un1.ip6_un1_plen),
		    l->data - l->tcp + len);
	}
	memcpy(&th, h + l->tcp, sizeof th);
	th.th_seq = htonl(ntohl(th.th_seq) + (uint32_t)off);
	if (!last)
		th.th_flags &= (uint8_t)~(TH_FIN | TH_PUSH);
	if (number != 0)
		th.th_flags &= (uint8_t)~TH_CWR;
	memcpy(h + l->tcp, &th, sizeof th);
}

/* NULL: no memory. */
static struct mbuf *
make_segment(const struct large *l, size_t off, size_t len, unsigned number, bool last)
{
	struct mbuf *m = m_gethdr(l->machine, MBUF_DONTWAIT, MBUF_TYPE_DATA), *data;
	size_t lead = TCP_GSO_LEAD;

	if (m == NULL || !m_clget(l->machine, m, MBUF_DONTWAIT, MCLBYTES)) {
		m_freem(m);
		return NULL;
	}
	data = m_copym(l->m, l->data + off, len, MBUF_DONTWAIT);
	if (data == NULL) {
		m_freem(m);
		return NULL;
	}
	/* The IP header is aligned. */
	m->m_data += lead + ((4 - (l->ip & 3)) & 3);
	m->m_len = (int32_t)l->data;
	make_headers(l, (uint8_t *)m->m_data, off, len, number, last);
	m->m_next = data;
	m->m_pkthdr.len = (int32_t)(l->data + len);
	m->m_pkthdr.rcvif = l->m->m_pkthdr.rcvif;
	m->m_pkthdr.timestamp = l->m->m_pkthdr.timestamp;
	m->m_flags |= l->m->m_flags & (MBUF_BCAST | MBUF_MCAST | MBUF_PROMISC | MBUF_LOOP);
	m->m_pkthdr.csum_flags = (l->v4 ? MBUF_CSUM_REQ_TCP : MBUF_CSUM_REQ_TCPIPV6) |
	    (l->m->m_pkthdr.csum_flags & (MBUF_CSUM_DID_DATA | MBUF_CSUM_PSEUDO_HDR));
	m->m_pkthdr.csum_data = l->m->m_pkthdr.csum_data;
	return m;
}

struct mbuf *
tcp_gso_cut(struct nke *machine, struct mbuf *m, size_t ip_off)
{
	struct large l = {.machine = machine, .m = m, .ip = ip_off};
	struct mbuf *list = NULL, **tail = &list, *one;
	size_t total, off = 0, len;
	unsigned number = 0;

	if (!parse(&l)) {
		m_freem(m);
		return NULL;
	}
	total = (size_t)m->m_pkthdr.len - l.data;
	do {
		len = total - off < l.segsz ? total - off : l.segsz;
		one = make_segment(&l, off, len, number, off + len == total);
		if (one == NULL)
			break;
		*tail = one;
		tail = &one->m_nextpkt;
		off += len;
		number++;
	} while (off < total);
	m_freem(m);
	return list;
}
