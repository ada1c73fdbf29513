/*
 * Segments that belong to no connection, or to one that has no tcpcb: RST (RFC 9293 3.10.7.1), the SYN
 * cache's SYN-ACK, acknowledgements of TIME_WAIT and of half-open connections.
 *
 * Way in: tcp_respond(), from tcp_input.c, tcp_synack.c, tcp_timewait.c, tcp_subr.c, who also count what it
 * is. Way out: ip_send, ip6_send, by the route of the last one (tcp_state.reply_route), as the answer to a
 * SYN, and what follows it, go the same way. No timers.
 *
 * Limits against abuse are those of who asks: tcp_reset_segment, tcp_challenge_ack.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/netinet/tcp_packet.h"

static void
reply_header(const struct tcp_reply *r, struct tcphdr *th, const void *opt, unsigned optlen)
{
	memset(th, 0, sizeof *th);
	th->th_sport = r->ends.lport;
	th->th_dport = r->ends.fport;
	th->th_seq = htonl(r->seq);
	th->th_ack = r->flags & TH_ACK ? htonl(r->ack) : 0;
	th->th_off = ((unsigned)(TCP_HLEN + optlen) >> 2) & 0xf;
	th->th_flags = (uint8_t)r->flags;
	th->th_x2 = r->flags >> 8 & 1;
	th->th_win = htons((uint16_t)(r->win < TCP_MAXWIN ? r->win : TCP_MAXWIN));
	memcpy(th + 1, opt, optlen);
}

static errno_t
respond4(struct nke *machine, const struct tcp_reply *r, struct mbuf *m, const void *opt, unsigned optlen)
{
	struct ip_sender sender = {.route = &machine->tcp->reply_route, .bound = r->bound};
	struct ip *ip = mtod(m, struct ip *);
	struct tcphdr *th = (struct tcphdr *)(void *)(ip + 1);
	struct tcp_sum sum = tcp_sum4;
	uint32_t len = (uint32_t)m->m_len - (uint32_t)sizeof *ip;

	memset(ip, 0, sizeof *ip);
	*(uint8_t *)ip = IP_VHL_BORING;
	ip->ip_tos = r->tos;
	ip->ip_len = htons((uint16_t)m->m_len);
	ip->ip_off = machine->tcp->config.path_mtu_discovery ? htons(IP_DF) : 0;
	ip->ip_ttl = r->ttl;		/* 0: IP's default */
	ip->ip_p = IPPROTO_TCP;
	ip->ip_src.s_addr = r->ends.laddr.s6_addr32[3];
	ip->ip_dst.s_addr = r->ends.faddr.s6_addr32[3];
	reply_header(r, th, opt, optlen);
	sum.pseudo = in_pseudo(ip->ip_src, ip->ip_dst, IPPROTO_TCP, len);
	tcp_add_sum(machine, machine->tcp->reply_route.ro_rt, m, th, len, &sum);
	return ip_send(machine, m, &sender);
}

static errno_t
respond6(struct nke *machine, const struct tcp_reply *r, struct mbuf *m, const void *opt, unsigned optlen)
{
	struct ip_sender sender = {.route = &machine->tcp->reply_route, .bound = r->bound};
	struct ip6_hdr *ip6 = mtod(m, struct ip6_hdr *);
	struct tcphdr *th = (struct tcphdr *)(void *)(ip6 + 1);
	struct tcp_sum sum = tcp_sum6;
	uint32_t len = (uint32_t)m->m_len - (uint32_t)sizeof *ip6;

	if (r->zone != 0)
		sender.bound = dlil_find_by_index(machine, r->zone);
	ip6->ip6_flow = htonl(UINT32_C(6) << 28 | (uint32_t)r->tos << 20) | r->flowlabel;
	ip6->ip6_plen = htons((uint16_t)len);
	ip6->ip6_nxt = IPPROTO_TCP;
	ip6->ip6_hlim = r->ttl;		/* 0: IP's default */
	ip6->ip6_src = r->ends.laddr;
	ip6->ip6_dst = r->ends.faddr;
	reply_header(r, th, opt, optlen);
	sum.pseudo = in6_pseudo(&r->ends.laddr, &r->ends.faddr, IPPROTO_TCP, len);
	tcp_add_sum(machine, machine->tcp->reply_route.ro_rt, m, th, len, &sum);
	return ip6_send(machine, m, &sender);
}

errno_t
tcp_respond(struct nke *machine, const struct tcp_reply *r)
{
	bool v4 = r->ends.vflag == INP_IPV4;
	size_t iphlen = v4 ? sizeof(struct ip) : sizeof(struct ip6_hdr);
	uint32_t opt[TCP_MAXOLEN / 4];
	unsigned optlen = 0;
	struct tcpopt to;
	struct mbuf *m;

	if (r->to != NULL) {
		to = *r->to;
		optlen = tcp_addoptions(&to, (uint8_t *)opt);
	}
	m = tcp_get_packet(machine, iphlen + (size_t)TCP_HLEN + optlen, 0);
	if (m == NULL)
		return ENOBUFS;
	m->m_pkthdr.len = m->m_len;
	/* What it is, is counted by who asked for it. */
	tcp_statistics(machine)->tcps_sndtotal++;
	TRACE(machine, TCP_OUTPUT, m, r->flags, 0);
	return v4 ? respond4(machine, r, m, opt, optlen) : respond6(machine, r, m, opt, optlen);
}
