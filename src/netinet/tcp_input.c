/*
 * TCP's way in: RFC 9293 section 3.10.7, as far as it is the same for all states. Called by IP for both
 * families.
 *
 * A segment is checked (lengths, checksum), read into a struct tcp_segment, and given to whoever it is for:
 * the connection of its four numbers, else what is left of one (tcp_timewait.c), else the listener of its
 * port; nobody: RST. From there tcp_segment.c, tcp_synsent.c and tcp_listen.c go on. The packet belongs to
 * the segment; who gets the segment consumes it.
 *
 * State: none of its own; the challenges of this second are in struct tcp_state.
 *
 * Limits: every answer to a stray segment is one segment without data, never larger than what came; none
 * goes to groups, to everybody, or in answer to a RST; net.inet.tcp.blackhole silences them, and there are
 * net.inet.icmp.icmplim a second at most, for closed and for open ports each. Challenges
 * (RFC 5961 section 7) are limited per second for the whole machine, and the limit varies, so that nobody
 * learns from it how many others got (RFC 5961 section 10's side channel).
 *
 * Left out: MD5 signatures (RFC 2385), authentication (RFC 5925), multipath.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/klog.h"
#include "src/kern/prng.h"
#include "src/kern/sched.h"
#include "src/netinet/icmp_private.h"
#include "src/netinet/tcp_private.h"

/* ---- checks ------------------------------------------------------------------------------- */

/* The first `len` bytes become contiguous. NULL: no memory, m is gone. */
static struct mbuf *
contiguous(struct nke *machine, struct mbuf *m, int len)
{
	if (LIKELY(m->m_len >= len))
		return m;
	/* Pulling up is for short headers; with options on both levels the packet is made anew. */
	m = len <= MHLEN ? in_pullup(machine, m, (size_t)len) : in_align(machine, m);
	if (m == NULL) {
		machine->tcp->stat.tcps_rcvmemdrop++;
	} else if (m->m_len < len) {
		m_freem(m);
		m = NULL;
	}
	return m;
}

/* The header with its options is there and contiguous. NULL: dropped and counted. */
static inline struct mbuf *
check_header(struct nke *machine, struct mbuf *m, int off)
{
	struct tcpstat *st = &machine->tcp->stat;
	int have = m->m_pkthdr.len - off, hlen;

	if (UNLIKELY(have < TCP_HLEN)) {
		st->tcps_rcvshort++;
		m_freem(m);
		return NULL;
	}
	m = contiguous(machine, m, off + TCP_HLEN);
	if (UNLIKELY(m == NULL))
		return NULL;
	hlen = ((const struct tcphdr *)(const void *)(m->m_data + off))->th_off << 2;
	if (UNLIKELY(hlen < TCP_HLEN || hlen > have)) {
		st->tcps_rcvbadoff++;
		m_freem(m);
		return NULL;
	}
	return contiguous(machine, m, off + hlen);
}

/* Is the checksum right, as the hardware says or as it turns out? */
static inline bool
sum_good(struct nke *machine, const struct mbuf *m, int off, uint32_t pseudo, bool v4)
{
	struct tcpstat *st = &machine->tcp->stat;
	uint32_t len = (uint32_t)(m->m_pkthdr.len - off);
	int told = in_sum_told(m, pseudo);

	if (LIKELY(told >= 0))
		return told != 0;
	*(v4 ? &st->tcps_rcv_swcsum : &st->tcps_rcv6_swcsum) += 1;
	*(v4 ? &st->tcps_rcv_swcsum_bytes : &st->tcps_rcv6_swcsum_bytes) += len;
	return in_cksum_sum(m, (size_t)off, len, pseudo) == 0xffff;
}

static inline void
read_segment(struct tcp_segment *seg)
{
	const struct tcphdr *th = (const struct tcphdr *)(const void *)(seg->m->m_data + seg->off);

	seg->hlen = th->th_off << 2;
	seg->ends.fport = th->th_sport;
	seg->ends.lport = th->th_dport;
	seg->ends.ifp = seg->m->m_pkthdr.rcvif;
	seg->seq = ntohl(th->th_seq);
	seg->ack = ntohl(th->th_ack);
	seg->flags = (uint16_t)(th->th_flags | (th->th_x2 & 1) << 8);
	seg->win = ntohs(th->th_win);
	seg->urp = ntohs(th->th_urp);
	seg->len = (uint32_t)(seg->m->m_pkthdr.len - seg->off - seg->hlen);
	tcp_dooptions(&seg->to, (const uint8_t *)(th + 1), (unsigned)(seg->hlen - TCP_HLEN),
	    (seg->flags & TH_SYN) != 0);
}

/* ---- nobody ------------------------------------------------------------------------------- */

/* RFC 1122 4.2.3.10: neither from nor to a group or everybody. */
static bool
several(const struct tcp_segment *seg)
{
	const struct in_ends *e = &seg->ends;
	struct ifnet *ifp = seg->m->m_pkthdr.rcvif;
	in_addr_t to = e->laddr.s6_addr32[3], from = e->faddr.s6_addr32[3];

	if (seg->m->m_flags & (MBUF_BCAST | MBUF_MCAST))
		return true;
	if (e->vflag == INP_IPV6)
		return IN6_IS_ADDR_MULTICAST(&e->laddr) || IN6_IS_ADDR_MULTICAST(&e->faddr) ||
		    IN6_IS_ADDR_UNSPECIFIED(&e->faddr);
	if (IN_MULTICAST(ntohl(to)) || IN_MULTICAST(ntohl(from)) || to == htonl(INADDR_BROADCAST) ||
	    from == htonl(INADDR_BROADCAST) || from == htonl(INADDR_ANY))
		return true;
	/* What is somebody's own address is nobody's broadcast address. */
	if (ifaddr_find_in4(seg->machine, to) == NULL &&
	    ifaddr_find_broadcast4(seg->machine, ifp, to) != NULL)
		return true;
	return ifaddr_find_in4(seg->machine, from) == NULL &&
	    ifaddr_find_broadcast4(seg->machine, ifp, from) != NULL;
}

/* net.inet.icmp.icmplim: as many RSTs in a second, too. `open`: there is somebody on that port. */
static bool
may_reset(struct nke *machine, bool open)
{
	struct tcp_state *s = machine->tcp;
	uint64_t now = machine_now(machine);

	if (in_bucket_take(&s->resets[open], now, machine->icmp->limit))
		return true;
	s->resets_suppressed++;
	if (s->resets_told == 0 || now - s->resets_told >= IN_BUCKET_SECOND) {
		klog(machine, 6, "TCP: RSTs for %s ports are not sent, more than %d in a second",
		    open ? "open" : "closed", machine->icmp->limit);
		s->resets_told = now != 0 ? now : 1;
	}
	return false;
}

static void
reset(struct tcp_segment *seg, struct tcpcb *tp, bool open)
{
	struct tcp_reply r = {.ends = seg->ends};

	if (seg->m == NULL)
		return;
	if (!(seg->flags & TH_RST) && !seg->multicast && !(seg->m->m_flags & (MBUF_BCAST | MBUF_MCAST)) &&
	    may_reset(seg->machine, open)) {
		r.flags = TH_RST;
		if (seg->flags & TH_ACK) {
			r.seq = seg->ack;
		} else {
			r.flags |= TH_ACK;
			r.ack = seg->seq + seg->len + ((seg->flags & TH_SYN) != 0) +
			    ((seg->flags & TH_FIN) != 0);
		}
		if (seg->ends.vflag == INP_IPV6)
			r.zone = in_pcbzone(seg->machine, seg->m->m_pkthdr.rcvif, &seg->ends.faddr);
		if (tp != NULL)
			r.bound = tp->t_inpcb->inp_boundif;
		tcp_respond(seg->machine, &r);
	}
	m_freem(seg->m);
	seg->m = NULL;
}

void
tcp_reset_segment(struct tcp_segment *seg, struct tcpcb *tp)
{
	reset(seg, tp, true);
}

static void
said_in_vain(const struct tcp_segment *seg)
{
	char to[MAX_IPv6_STR_LEN], from[MAX_IPv6_STR_LEN];
	const struct in_ends *e = &seg->ends;
	bool v4 = e->vflag == INP_IPV4;
	int family = v4 ? AF_INET : AF_INET6;

	klog(seg->machine, 6, "Connection attempt to TCP %s:%d from %s:%d flags:0x%02x",
	    inet_ntop(family, v4 ? (const void *)&e->laddr.s6_addr32[3] : &e->laddr, to, sizeof to),
	    ntohs(e->lport),
	    inet_ntop(family, v4 ? (const void *)&e->faddr.s6_addr32[3] : &e->faddr, from, sizeof from),
	    ntohs(e->fport), seg->flags);
}

/* net.inet.tcp.blackhole: 1: SYNs get no answer, 2: nothing does. Ourselves we always answer. */
static bool
black_hole(const struct tcp_segment *seg)
{
	const struct ifnet *ifp = seg->ends.ifp;
	int level = seg->machine->tcp->config.blackhole;

	if (level == 0 || (ifp != NULL && (ifp->flags & IFF_LOOPBACK)))
		return false;
	return level > 1 || (seg->flags & TH_SYN);
}

/* RFC 9293 3.10.7.1. */
static void
nobody(struct tcp_segment *seg)
{
	int level = seg->machine->tcp->config.log_in_vain;

	if (level > 1 || (level == 1 && (seg->flags & (TH_SYN | TH_ACK)) == TH_SYN))
		said_in_vain(seg);
	if (black_hole(seg)) {
		m_freem(seg->m);
		seg->m = NULL;
		return;
	}
	reset(seg, NULL, false);
}

/* ---- challenges --------------------------------------------------------------------------- */

bool
tcp_may_challenge(struct nke *machine)
{
	struct tcp_state *s = machine->tcp;
	uint64_t second = machine_now(machine) / TCP_NS_PER_S + 1;
	uint32_t limit = (uint32_t)s->config.challenge_acks;

	if (limit == 0)
		return true;
	if (s->challenge_second != second) {
		s->challenge_second = second;
		s->challenge_left = (int)(limit + prng_u32(machine) % (limit / 2 + 1));
	}
	if (s->challenge_left <= 0)
		return false;
	s->challenge_left--;
	return true;
}

void
tcp_challenge_ack(struct tcpcb *tp, struct tcp_segment *seg)
{
	(void)tp;
	if (tcp_may_challenge(seg->machine))
		seg->challenge = true;
}

/* ---- in ----------------------------------------------------------------------------------- */

static void
to_connection(struct inpcb *inp, struct tcp_segment *seg)
{
	struct tcpcb *tp = intotcpcb(inp);

	if (LIKELY(tp->t_state >= TCPS_SYN_RECEIVED))
		tcp_do_segment(tp, seg);
	else if (tp->t_state == TCPS_SYN_SENT)
		tcp_synsent_input(tp, seg);
	else
		nobody(seg);
}

/* For no connection that there is. */
static void
to_others(struct tcp_segment *seg)
{
	struct inpcb *inp;

	seg->multicast = several(seg);
	if (seg->multicast)
		return;
	if (tcp_timewait_input(seg, &seg->isn_floor))
		return;
	inp = in_pcblookup(&seg->machine->tcp->pcbs, &seg->ends, true);
	if (inp == NULL || intotcpcb(inp)->t_state == TCPS_CLOSED)
		nobody(seg);
	else if (intotcpcb(inp)->t_state == TCPS_LISTEN)
		tcp_listen_input(inp, seg);
	else
		to_connection(inp, seg);
}

static inline void
find_and_give(struct tcp_segment *seg)
{
	struct inpcb *inp;

	read_segment(seg);
	TRACE(seg->machine, TCP_INPUT, seg->m, seg->flags, seg->len);
	inp = in_pcblookup(&seg->machine->tcp->pcbs, &seg->ends, false);
	if (LIKELY(inp != NULL))
		to_connection(inp, seg);
	else
		to_others(seg);
	/* Who had no use for it has left it. */
	if (seg->m != NULL)
		m_freem(seg->m);
}

static void
tcp_input(struct nke *machine, struct mbuf *m, int off, uint8_t protocol)
{
	struct tcp_segment seg;
	const struct ip *ip;

	(void)protocol;
	machine->tcp->stat.tcps_rcvtotal++;
	m = check_header(machine, m, off);
	if (UNLIKELY(m == NULL))
		return;
	ip = mtod(m, const struct ip *);
	if (UNLIKELY(!sum_good(machine, m, off, in_pseudo(ip->ip_src, ip->ip_dst, IPPROTO_TCP,
	    (uint32_t)(m->m_pkthdr.len - off)), true))) {
		machine->tcp->stat.tcps_rcvbadsum++;
		m_freem(m);
		return;
	}
	memset(&seg, 0, sizeof seg);
	seg.machine = machine;
	seg.m = m;
	seg.off = off;
	seg.tos = ip->ip_tos;
	seg.ends.vflag = INP_IPV4;
	seg.ends.faddr = in6_from4(ip->ip_src.s_addr);
	seg.ends.laddr = in6_from4(ip->ip_dst.s_addr);
	find_and_give(&seg);
}

static void
tcp6_input(struct nke *machine, struct mbuf *m, int off, uint8_t protocol)
{
	struct tcp_segment seg;
	const struct ip6_hdr *ip6;

	(void)protocol;
	machine->tcp->stat.tcps_rcvtotal++;
	m = check_header(machine, m, off);
	if (UNLIKELY(m == NULL))
		return;
	memset(&seg, 0, sizeof seg);
	ip6 = mtod(m, const struct ip6_hdr *);
	seg.ends.faddr = ip6->ip6_src;
	seg.ends.laddr = ip6->ip6_dst;
	if (UNLIKELY(!sum_good(machine, m, off, in6_pseudo(&seg.ends.faddr, &seg.ends.laddr, IPPROTO_TCP,
	    (uint32_t)(m->m_pkthdr.len - off)), false))) {
		machine->tcp->stat.tcps_rcvbadsum++;
		m_freem(m);
		return;
	}
	seg.machine = machine;
	seg.m = m;
	seg.off = off;
	seg.tos = (uint8_t)(ntohl(ip6->ip6_flow) >> 20);
	seg.ends.vflag = INP_IPV6;
	find_and_give(&seg);
}

const struct ip_transport tcp_transport = {.input = tcp_input, .error = tcp_error};
const struct ip_transport tcp6_transport = {.input = tcp6_input, .error = tcp_error};
