/*
 * UDP's way out: RFC 768, RFC 8085, RFC 8200 section 8.1. Called by the socket layer through pru_send.
 *
 * The header is written into the space before the data; the source address and the route come from what
 * the block remembers of the last datagram, so that a sender that stays with one peer asks nobody.
 * Checksums are left to the interface, if it can make them, else made here or (when it is not known yet
 * which interface that will be) by IP.
 *
 * Without one of them: IPv4 with net.inet.udp.checksum 0 or UDP_NOCKSUM. IPv6 always has one.
 */
#include <string.h>

#include "src/netinet/in_send.h"
#include "src/netinet/udp_private.h"

#define HEADERS4	(sizeof(struct ip) + sizeof(struct udphdr))
#define HEADERS6	(sizeof(struct ip6_hdr) + sizeof(struct udphdr))

static inline uint16_t
fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* ---- headers ------------------------------------------------------------------------------ */

/* What differs between the families: how a sum is asked of the interface, and what it says if it can. */
struct udp_sum {
	uint32_t request, offload;
	uint32_t pseudo;		/* over the pseudo header */
	bool settled;			/* nobody will change the addresses after us */
};

/*
 * Leaves the checksum to the interface that the last datagram went by, if it can. If not, here is the
 * cheapest place to make it: headers are in one piece and in the cache.
 */
static inline void
add_sum(const struct in_out *o, struct mbuf *m, struct udphdr *uh, uint32_t len, const struct udp_sum *c)
{
	const struct rtentry *rt = o->inp->inp_route.ro_rt;
	struct udpstat *st = &o->inp->inp_info->machine->udp->stat;
	uint16_t sum;

	if (rt == NULL || (if_offload_now(rt->rt_ifp) & c->offload) || !c->settled) {
		uh->uh_sum = fold(c->pseudo);
		m->m_pkthdr.csum_flags = c->request;
		m->m_pkthdr.csum_data = offsetof(struct udphdr, uh_sum);
		return;
	}
	uh->uh_sum = 0;
	sum = (uint16_t)~in_cksum_sum(m, (size_t)((char *)uh - m->m_data), len, c->pseudo);
	uh->uh_sum = sum != 0 ? sum : 0xffff;
	m->m_pkthdr.csum_flags = 0;
	if (o->to.vflag == INP_IPV4) {
		st->udps_snd_swcsum++;
		st->udps_snd_swcsum_bytes += len;
	} else {
		st->udps_snd6_swcsum++;
		st->udps_snd6_swcsum_bytes += len;
	}
}

static inline void
write_udp(const struct in_out *o, struct udphdr *uh, uint32_t len)
{
	uh->uh_sport = o->inp->inp_lport;
	uh->uh_dport = o->to.port;
	uh->uh_ulen = htons((uint16_t)len);
}

static errno_t
send4(const struct in_out *o, struct mbuf *m)
{
	struct inpcb *inp = o->inp;
	struct udp_state *s = inp->inp_info->machine->udp;
	bool multicast = IN_MULTICAST(ntohl(o->to.addr.s6_addr32[3]));
	uint32_t len = (uint32_t)m->m_pkthdr.len + sizeof(struct udphdr);
	int hops = in_out_hops(o, multicast);
	struct ip_sender sender = in_out_sender(o);
	struct udp_sum sum = {
		.request = MBUF_CSUM_REQ_UDP, .offload = IFNET_CSUM_UDP, .settled = true
	};
	struct udphdr *uh;
	struct ip *ip;

	m = in_out_room(m, HEADERS4);
	if (m == NULL)
		return ENOBUFS;
	ip = mtod(m, struct ip *);
	memset(ip, 0, sizeof *ip);
	*(uint8_t *)ip = IP_VHL_BORING;
	ip->ip_tos = (u_char)(o->ctl->tos >= 0 ? o->ctl->tos : inp->inp_tos);
	ip->ip_len = htons((uint16_t)m->m_pkthdr.len);
	ip->ip_off = sender.flags & IP_OUT_DONTFRAG ? htons(IP_DF) : 0;
	ip->ip_ttl = (u_char)hops;
	ip->ip_p = IPPROTO_UDP;
	ip->ip_src.s_addr = o->source.s6_addr32[3];
	ip->ip_dst.s_addr = o->to.addr.s6_addr32[3];
	uh = (struct udphdr *)(ip + 1);
	write_udp(o, uh, len);
	if (LIKELY(s->checksum && !(inp->inp_flags & INP_NOCKSUM))) {
		sum.pseudo = in_pseudo(ip->ip_src, ip->ip_dst, IPPROTO_UDP, len);
		add_sum(o, m, uh, len, &sum);
	} else {
		m->m_pkthdr.csum_flags = 0;
		uh->uh_sum = 0;
	}
	if (UNLIKELY(multicast))
		in_out_multicast(o, &sender, hops);
	s->stat.udps_opackets++;
	return ip_send(inp->inp_info->machine, m, &sender);
}

static errno_t
send6(const struct in_out *o, struct mbuf *m)
{
	struct inpcb *inp = o->inp;
	struct udp_state *s = inp->inp_info->machine->udp;
	bool multicast = IN6_IS_ADDR_MULTICAST(&o->to.addr);
	uint32_t len = (uint32_t)m->m_pkthdr.len + sizeof(struct udphdr);
	int hops = in_out_hops(o, multicast), tclass = o->ctl->tos >= 0 ? o->ctl->tos : inp->inp_tclass;
	struct ip_sender sender = in_out_sender(o);
	struct udp_sum sum = {.request = MBUF_CSUM_REQ_UDPIPV6, .offload = IFNET_CSUM_UDPIPV6};
	struct ip6_options headers;
	struct ip6_hdr *ip6;
	struct udphdr *uh;

	if (UNLIKELY(inp->inp_options6 != NULL || o->ctl != &in_nothing_said)) {
		in_out_headers(o, &headers);
		sender.options6 = &headers;
	}
	m = in_out_room(m, HEADERS6);
	if (m == NULL)
		return ENOBUFS;
	ip6 = mtod(m, struct ip6_hdr *);
	ip6->ip6_flow = htonl(UINT32_C(6) << 28 | (uint32_t)tclass << 20) | o->to.flowlabel;
	ip6->ip6_plen = htons((uint16_t)len);
	ip6->ip6_nxt = IPPROTO_UDP;
	ip6->ip6_hlim = (u_int8_t)(hops < 0 ? 0 : hops);	/* 0: IP's default */
	ip6->ip6_src = o->source;
	ip6->ip6_dst = o->to.addr;
	uh = (struct udphdr *)(void *)(ip6 + 1);
	write_udp(o, uh, len);
	/* A routing header would say another final destination. */
	sum.pseudo = in6_pseudo(&o->source, &o->to.addr, IPPROTO_UDP, len);
	sum.settled = sender.options6 == NULL;
	add_sum(o, m, uh, len, &sum);
	if (UNLIKELY(multicast))
		in_out_multicast(o, &sender, hops);
	if (UNLIKELY(in_out_min_mtu(o, multicast)))
		sender.flags |= IP_OUT_MINMTU;
	s->stat.udps_opackets++;
	return ip6_send(inp->inp_info->machine, m, &sender);
}

/* ---- where to, where from ----------------------------------------------------------------- */

static errno_t
find_peer(struct in_out *o, const struct sockaddr *to)
{
	struct inpcb *inp = o->inp;
	errno_t error;

	if (inp->inp_fport != 0) {
		if (to != NULL)
			return EISCONN;
		o->to.addr = inp->inp_faddr6;
		o->to.zone = inp->inp_fzone;
		o->to.port = inp->inp_fport;
		o->to.vflag = inp->inp_vflag;
		o->to.flowlabel = inp->inp_flowlabel;
		inp->inp_info->machine->udp->stat.udps_fastout++;
		return 0;
	}
	if (to == NULL)
		return ENOTCONN;
	error = in_pcbpeer(inp, to, &o->to);
	if (error != 0)
		return error == EADDRNOTAVAIL ? EINVAL : error;	/* IPv4, IPV6_V6ONLY */
	if (o->to.port == 0)
		return EADDRNOTAVAIL;
	/* A bound address of the other family cannot be the source. */
	if (!IN6_IS_ADDR_UNSPECIFIED(&inp->inp_laddr6) && !(inp->inp_vflag & o->to.vflag))
		return EINVAL;
	if (IN6_IS_ADDR_UNSPECIFIED(&o->to.addr)) {
		static const struct in6_addr loopback6 = IN6ADDR_LOOPBACK_INIT;

		o->to.addr = o->to.vflag == INP_IPV4 ? in6_from4(htonl(INADDR_LOOPBACK)) : loopback6;
	}
	return 0;
}

static inline bool
too_long(const struct in_out *o, const struct mbuf *m)
{
	size_t len = (size_t)m->m_pkthdr.len;

	return o->to.vflag == INP_IPV4 ? len + HEADERS4 + o->inp->inp_options_len > IP_MAXPACKET :
	    len + sizeof(struct udphdr) > IPV6_MAXPACKET;
}

errno_t
udp_send(struct socket *so, int flags, struct mbuf *m, const struct sockaddr *to, struct mbuf *control)
{
	struct in_sendctl said;
	struct in_out o = {.inp = sotoinpcb(so), .ctl = &in_nothing_said};
	errno_t error;

	(void)flags;
	if (o.inp == NULL) {
		error = EINVAL;
		goto drop;
	}
	error = find_peer(&o, to);
	if (error != 0)
		goto drop;
	if (UNLIKELY(control != NULL)) {
		said = in_nothing_said;
		o.ctl = &said;
		error = in_getcontrol(o.inp, control, o.to.vflag, &said);
		if (error != 0)
			goto drop;
	}
	error = too_long(&o, m) ? EMSGSIZE : in_out_source(&o);
	/* What cannot be sent at all binds nothing. */
	if (error == 0 && UNLIKELY(o.inp->inp_lport == 0)) {
		error = in_pcbbind(o.inp, NULL);
		if (error == 0 && sotoinpcb(so) == NULL)
			error = EINVAL;
	}
	if (error != 0)
		goto drop;
	if (so->so_traffic_class != 0)
		m->m_pkthdr.traffic_class = so->so_traffic_class;
	error = o.to.vflag == INP_IPV4 ? send4(&o, m) : send6(&o, m);
	m_freem(control);
	return error;
drop:
	m_freem(m);
	m_freem(control);
	return error;
}
