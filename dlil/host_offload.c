/*
 * Frames whose sender left work to the device: the checksum of the transport, and cutting a large TCP
 * segment (TSO). Between machines, and between a machine and the host's kernel, nobody does that work
 * unless somebody looks: as if two good cards had cut, checked and put together again.
 *
 * Called for frames that came by a wire (wire_way.c) or from a live device (host_live.c), and for those
 * that leave to one (host_iface.c). What is left out is in m_pkthdr.csum_flags, as on the way out, and
 * stays there, so that forwarding completes it.
 */
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "dlil/dlil_state.h"
#include "dlil/wire.h"

/* ---- in ----------------------------------------------------------------------------------- */

static const struct net_proto *
protocol(struct ifnet *ifp, const struct mbuf *m)
{
	bool v4 = (m->m_pkthdr.csum_flags & (MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_UDP | CSUM_TSO4)) != 0;

	return dlil_net_proto(ifp->machine, v4 ? PF_INET : PF_INET6);
}

void
host_iface_finish(struct ifnet *ifp, struct mbuf *m)
{
	const struct net_proto *np;

	if (m->m_pkthdr.csum_flags & HOST_IFACE_UNSUMMED) {
		np = protocol(ifp, m);
		if (np != NULL && np->finish_cksum != NULL)
			(void)np->finish_cksum(m, ifp->hdrlen, HOST_IFACE_UNSUMMED);
	}
	m->m_pkthdr.csum_flags &= CSUM_TSO4 | CSUM_TSO6;
	m->m_pkthdr.csum_data = 0;
}

struct mbuf *
host_iface_arrived(struct ifnet *ifp, struct mbuf *m)
{
	struct mbuf *list = NULL, **tail = &list, *next;
	const struct net_proto *np;

	if (ifp->machine->filter_count == 0) {
		if (m->m_pkthdr.csum_flags & HOST_IFACE_UNSUMMED) {
			m->m_pkthdr.csum_flags |= MBUF_CSUM_DID_DATA | MBUF_CSUM_PSEUDO_HDR;
			m->m_pkthdr.csum_data = 0xffff;
		}
		return host_iface_frame(ifp, m);
	}
	if (m->m_pkthdr.csum_flags & (CSUM_TSO4 | CSUM_TSO6)) {
		np = protocol(ifp, m);
		if (np != NULL && np->cut != NULL)
			m = np->cut(ifp->machine, m, ifp->hdrlen);
	}
	for (; m != NULL; m = next) {
		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		host_iface_finish(ifp, m);
		*tail = host_iface_frame(ifp, m);
		if (*tail != NULL)
			tail = &(*tail)->m_nextpkt;
	}
	return list;
}

/* ---- out ---------------------------------------------------------------------------------- */

/* Of `words` 16-bit words in memory order, added up. */
static uint32_t
add_words(uint32_t sum, const void *p, unsigned words)
{
	const char *at = p;
	uint16_t word;

	for (; words != 0; words--, at += sizeof word) {
		memcpy(&word, at, sizeof word);
		sum += word;
	}
	return sum;
}

static uint16_t
fold(uint32_t sum)
{
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)(sum + (sum >> 16));
}

bool
host_iface_unsummed(const struct ifnet *ifp, const struct mbuf *m, struct unsummed *u)
{
	uint32_t flags = m->m_pkthdr.csum_flags;
	size_t ip = ifp->hdrlen, addresses;

	u->v4 = (flags & (MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_UDP | CSUM_TSO4)) != 0;
	u->udp = (flags & (MBUF_CSUM_REQ_UDP | MBUF_CSUM_REQ_UDPIPV6)) != 0;
	u->transport = ip + sizeof(struct ip6_hdr);
	if ((size_t)m->m_len < ip + (u->v4 ? sizeof(struct ip) : sizeof(struct ip6_hdr)))
		return false;
	if (u->v4)
		u->transport = ip + ((size_t)(m->m_data[ip] & 0xf) << 2);
	u->field = u->transport +
	    (u->udp ? offsetof(struct udphdr, uh_sum) : offsetof(struct tcphdr, th_sum));
	if (u->field + sizeof(uint16_t) > (size_t)m->m_len)
		return false;
	/* Extension headers: what is behind the IPv6 header is another protocol's. */
	if (!u->v4 && m->m_data[ip + offsetof(struct ip6_hdr, ip6_ctlun.ip6_un1.ip6_un1_nxt)] !=
	    (u->udp ? IPPROTO_UDP : IPPROTO_TCP))
		return false;
	addresses = ip + (u->v4 ? offsetof(struct ip, ip_src) : offsetof(struct ip6_hdr, ip6_src));
	/* RFC 9293 3.1, RFC 8200 8.1. */
	u->pseudo = add_words(htons(u->udp ? IPPROTO_UDP : IPPROTO_TCP) +
	    (uint32_t)htons((uint16_t)((size_t)m->m_pkthdr.len - u->transport)), m->m_data + addresses,
	    u->v4 ? 4 : 16);
	return true;
}

void
host_iface_leave(const struct ifnet *ifp, struct mbuf *m, struct core_output *out)
{
	struct unsummed u;
	uint8_t offset;		/* th_off is in it; a kext's frame may lie at any address */
	uint16_t sum;

	if (!host_iface_unsummed(ifp, m, &u))
		return;
	sum = fold(u.pseudo);
	memcpy(m->m_data + u.field, &sum, sizeof sum);
	out->flags = CORE_UNSUMMED;
	out->csum_start = (uint16_t)u.transport;
	out->csum_offset = (uint16_t)(u.field - u.transport);
	if (m->m_pkthdr.csum_flags & (CSUM_TSO4 | CSUM_TSO6)) {
		offset = (uint8_t)m->m_data[u.transport + offsetof(struct tcphdr, th_ack) + sizeof(tcp_seq)];
		out->flags |= u.v4 ? CORE_LARGE4 : CORE_LARGE6;
		out->hdrlen = (uint16_t)(u.transport + ((size_t)(offset >> 4) << 2));
		out->segsz = (uint16_t)m->m_pkthdr.tso_segsz;
	}
}
