/*
 * What packets of connections (tcp_send.c) and those of none (tcp_respond.c) have in common: a packet with
 * room for headers, and TCP's checksum.
 */
#ifndef NKE_NETINET_TCP_PACKET_H
#define NKE_NETINET_TCP_PACKET_H

#include "src/netinet/tcp_private.h"

#define TCP_LINK_ROOM	16		/* before the IP header, for an Ethernet header, aligned */

/* A packet with room for the headers and what may come before them. NULL: no memory. */
static inline struct mbuf *
tcp_get_packet(struct nke *machine, size_t headers, size_t copied)
{
	struct mbuf *m;
	size_t total = headers + copied;

	if (LIKELY(total + TCP_LINK_ROOM <= MHLEN)) {
		m = m_gethdr(machine, MBUF_DONTWAIT, MBUF_TYPE_DATA);
		if (m == NULL)
			return NULL;
		m->m_data += (MHLEN - total) & ~(size_t)7;
	} else {
		m = m_getpacket(machine, MBUF_DONTWAIT);
		if (m == NULL)
			return NULL;
		m->m_data += 2 * TCP_LINK_ROOM;
	}
	m->m_len = (int32_t)headers;
	return m;
}

static inline uint16_t
tcp_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* What differs between the families. */
struct tcp_sum {
	uint32_t request, offload, pseudo;
	bool settled;			/* nobody will change the addresses after us */
};

static const struct tcp_sum tcp_sum4 = {
	.request = MBUF_CSUM_REQ_TCP, .offload = IFNET_CSUM_TCP, .settled = true
};
static const struct tcp_sum tcp_sum6 = {
	.request = MBUF_CSUM_REQ_TCPIPV6, .offload = IFNET_CSUM_TCPIPV6, .settled = true
};

/*
 * Leaves the checksum to the interface that the route goes by, if it can, or to IP when it is not known; else
 * it is made here, where the headers are in the cache. A route that is not the right one any more does no
 * harm: IP makes what is asked of an interface that cannot.
 */
static inline void
tcp_add_sum(struct nke *machine, const struct rtentry *rt, struct mbuf *m, struct tcphdr *th, uint32_t len,
    const struct tcp_sum *c)
{
	struct tcpstat *st = &machine->tcp->stat;

	if (rt == NULL || (if_offload_now(rt->rt_ifp) & c->offload) || !c->settled) {
		th->th_sum = tcp_fold(c->pseudo);
		m->m_pkthdr.csum_flags |= c->request;
		m->m_pkthdr.csum_data = offsetof(struct tcphdr, th_sum);
		return;
	}
	th->th_sum = 0;
	th->th_sum = (uint16_t)~in_cksum_sum(m, (size_t)((char *)th - m->m_data), len, c->pseudo);
	if (c->request == MBUF_CSUM_REQ_TCP) {
		st->tcps_snd_swcsum++;
		st->tcps_snd_swcsum_bytes += len;
	} else {
		st->tcps_snd6_swcsum++;
		st->tcps_snd6_swcsum_bytes += len;
	}
}

#endif
