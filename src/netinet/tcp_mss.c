/*
 * The maximum segment size: what we tell the peer, what follows from what it tells us (RFC 9293 3.7.1,
 * RFC 6691), the initial window that depends on it (RFC 6928, RFC 3390, RFC 5681 3.1), and what a smaller
 * path MTU changes (RFC 1191, RFC 8201).
 *
 * Called when SYNs are sent and come (tcp_send.c, tcp_syncache.c, tcp_synsent.c), and by ICMP (tcp_notify.c)
 * or the way out (EMSGSIZE). State: t_maxseg, t_peermss. The path's MTU is the routing table's and
 * the host cache's. No timers here; black holes are found by tcp_timer.c.
 *
 * Limits: neither a peer nor a router can make segments smaller than net.inet.tcp.minmss; IPv6's path is
 * never taken for less than 1280 octets. Over an IPv4 path that is narrower still, segments go without DF
 * (tcp_send.c).
 */
#include <string.h>

#include "src/netinet/tcp_private.h"

static inline uint32_t
headers(uint8_t vflag)
{
	size_t ip = vflag == INP_IPV4 ? sizeof(struct ip) : sizeof(struct ip6_hdr);

	return (uint32_t)(ip + sizeof(struct tcphdr));
}

static inline uint32_t
default_mss(const struct nke *machine, uint8_t vflag)
{
	const struct tcp_config *c = &machine->tcp->config;

	return (uint32_t)(vflag == INP_IPV4 ? c->mssdflt : c->v6mssdflt);
}

/* ---- the path ----------------------------------------------------------------------------- */

static void
destination(const struct in_ends *e, uint32_t zone, struct sockaddr_storage *ss)
{
	struct sockaddr_in6 sin6 = {.sin6_len = sizeof sin6, .sin6_family = AF_INET6};
	struct sockaddr_in sin = {.sin_len = sizeof sin, .sin_family = AF_INET};

	memset(ss, 0, sizeof *ss);
	if (e->vflag == INP_IPV4) {
		sin.sin_addr.s_addr = e->faddr.s6_addr32[3];
		memcpy(ss, &sin, sizeof sin);
	} else {
		sin6.sin6_addr = e->faddr;
		sin6.sin6_scope_id = zone;
		memcpy(ss, &sin6, sizeof sin6);
	}
}

/*
 * What the path is known to carry; or what our end of it takes, which the peer is told: its packets may go
 * another way (RFC 1191 3.1, RFC 8201 5.4).
 */
enum which { OF_PATH, OF_LINK };

static uint32_t
route_mtu(const struct rtentry *rt, enum which which)
{
	/* What ICMP has said of the path, the route that it was cloned from has not. */
	if (which == OF_LINK && rt->rt_mtu_until != 0 && rt->rt_parent != NULL)
		rt = rt->rt_parent;
	return rt_mtu(rt);
}

/*
 * Octets of a packet to that peer. 0: there is no route. A connection keeps its route; a listener has many
 * peers, and the answer to the last one goes next.
 */
static uint32_t
mtu_to(struct nke *machine, struct inpcb *inp, const struct in_ends *e, enum which which)
{
	bool connected = inp != NULL && inp->inp_fport != 0;
	struct ifnet *bound = inp != NULL ? inp->inp_boundif : NULL;
	struct tcp_hostinfo host;
	struct sockaddr_storage ss;
	const struct sockaddr *dst = (const struct sockaddr *)(const void *)&ss;
	const struct rtentry *rt;
	uint32_t mtu = 0, zone = connected ? inp->inp_fzone : 0;

	if (zone == 0 && e->vflag == INP_IPV6 && in6_zoned(&e->faddr) && e->ifp != NULL)
		zone = e->ifp->index;
	destination(e, zone, &ss);
	rt = route_get(machine, connected ? &inp->inp_route : &machine->tcp->reply_route, dst, bound);
	if (rt != NULL)
		mtu = route_mtu(rt, which);
	/* IPV6_USE_MIN_MTU (RFC 3542 11.1). */
	if (e->vflag == INP_IPV6 && inp != NULL && (inp->inp_flags & INP_MINMTU) && mtu > IPV6_MMTU)
		mtu = IPV6_MMTU;
	/* A link-local peer needs no route: its link is enough. */
	if (mtu == 0 && e->ifp != NULL && zone != 0)
		mtu = ifnet_family_mtu(e->ifp, AF_INET6);
	if (which == OF_PATH && mtu != 0 && tcp_hostcache_get(machine, &e->faddr, e->vflag, &host) &&
	    host.mtu != 0 && host.mtu < mtu)
		mtu = host.mtu;
	return mtu;
}

/* Is the peer on one of our links? Without path MTU discovery only such get large segments. */
static uint32_t
mss_to(struct nke *machine, struct inpcb *inp, const struct in_ends *e, enum which which)
{
	uint32_t mtu = mtu_to(machine, inp, e, which), mss;

	if (mtu <= headers(e->vflag))
		return default_mss(machine, e->vflag);
	mss = mtu - headers(e->vflag);
	if (!machine->tcp->config.path_mtu_discovery && mss > default_mss(machine, e->vflag) &&
	    inp != NULL && inp->inp_route.ro_rt != NULL &&
	    (inp->inp_route.ro_rt->rt_flags & RTF_GATEWAY))
		mss = default_mss(machine, e->vflag);
	return mss;
}

static uint16_t
before_handshake(struct nke *machine, struct inpcb *inp, const struct in_ends *e, enum which which)
{
	uint32_t mss = mss_to(machine, inp, e, which);

	if (inp != NULL && inp->inp_ppcb != NULL && (intotcpcb(inp)->t_flags & TF_MSS_SET) &&
	    intotcpcb(inp)->t_user->usermss < mss)
		mss = intotcpcb(inp)->t_user->usermss;
	return (uint16_t)(mss < IP_MAXPACKET - headers(e->vflag) ? mss : IP_MAXPACKET - headers(e->vflag));
}

uint16_t
tcp_mss_to_tell(struct nke *machine, struct inpcb *inp, const struct in_ends *e)
{
	/* RFC 6691: what we can take, whatever the path can. FreeBSD tells IPv6 peers what the path takes. */
	bool base = e->vflag == INP_IPV6 && inp != NULL && inp->inp_ppcb != NULL &&
	    (intotcpcb(inp)->t_uflags & TFU_BASE);

	return before_handshake(machine, inp, e, base ? OF_PATH : OF_LINK);
}

uint16_t
tcp_mss_of_syn(struct nke *machine, struct inpcb *inp, const struct in_ends *e)
{
	return before_handshake(machine, inp, e, OF_PATH);
}

/* ---- what it means for a connection ------------------------------------------------------- */

static inline uint32_t
header_len(const uint8_t *header)
{
	return header != NULL ? (header[1] + 1u) * 8 : 0;
}

/* Octets that options take from every segment: IP's, and the timestamp with its padding. */
static uint32_t
usual_options(const struct tcpcb *tp)
{
	const uint32_t both = TF_REQ_TSTMP | TF_RCVD_TSTMP;
	const struct inpcb *inp = tp->t_inpcb;
	const struct in6_pktopts *sticky = inp->inp_options6;
	uint32_t len = (tp->t_flags & both) == both ? TCPOLEN_TSTAMP_APPA : 0;

	if (inp->inp_vflag == INP_IPV4)
		return len + inp->inp_options_len;
	if (LIKELY(sticky == NULL))
		return len;
	return len + header_len(sticky->hop) + header_len(sticky->dst1) + header_len(sticky->routing) +
	    header_len(sticky->dst2);
}

static void
set_maxseg(struct tcpcb *tp, uint32_t mss)
{
	uint32_t options = usual_options(tp);

	tp->t_maxseg = mss > options + TCP_LEAST_MAXSEG ? mss - options : TCP_LEAST_MAXSEG;
}

/* Whole segments fit into the buffers; as BSD counts them, options included. */
static void
round_buffers(struct tcpcb *tp, uint32_t mss)
{
	struct socket *so = tptosocket(tp);
	uint32_t size = so->so_snd.sb_hiwat;

	if (size < tp->t_maxseg)
		tp->t_maxseg = size > TCP_LEAST_MAXSEG ? size : TCP_LEAST_MAXSEG;
	else if (size > mss && size % mss != 0)
		(void)sbreserve(&so->so_snd, size + mss - size % mss);
	size = so->so_rcv.sb_hiwat;
	if (size > mss && size % mss != 0)
		(void)sbreserve(&so->so_rcv, size + mss - size % mss);
}

static void
choose_tso(struct tcpcb *tp)
{
	const struct inpcb *inp = tp->t_inpcb;
	const struct rtentry *rt = inp->inp_route.ro_rt;
	uint32_t needed = inp->inp_vflag == INP_IPV4 ? IFNET_TSO_IPV4 : IFNET_TSO_IPV6;

	tp->t_flags &= ~(uint32_t)TF_TSO;
	if (rt != NULL && (if_offload_now(rt->rt_ifp) & needed) && tptomachine(tp)->tcp->config.tso &&
	    inp->inp_options_len == 0 && inp->inp_options6 == NULL)
		tp->t_flags |= TF_TSO;
}

void
tcp_mss(struct tcpcb *tp, uint16_t offered)
{
	struct nke *machine = tptomachine(tp);
	struct in_ends e = tcp_ends(tp);
	uint32_t least = (uint32_t)machine->tcp->config.minmss, mss = offered, mine;

	tp->t_peermss = offered;
	if (mss == 0)
		mss = default_mss(machine, e.vflag);
	else if (mss < least)
		mss = least;
	mine = mss_to(machine, tp->t_inpcb, &e, OF_PATH);
	if (mine < mss)
		mss = mine;
	if ((tp->t_flags & TF_MSS_SET) && tp->t_user->usermss < mss)
		mss = tp->t_user->usermss;
	set_maxseg(tp, mss);
	round_buffers(tp, mss);
	choose_tso(tp);
	/* 1: our SYN was lost (tcp_timer.c). */
	if (tp->snd_cwnd != 1)
		tp->snd_cwnd = tcp_initial_window(tp);
}

uint32_t
tcp_initial_window(const struct tcpcb *tp)
{
	const struct tcp_config *c = &tptomachine(tp)->tcp->config;
	uint32_t mss = tp->t_maxseg, n = (uint32_t)c->initcwnd_segments, most;

	/* RFC 5681 3.1: one segment when the SYN or SYN-ACK was lost. */
	if (tp->snd_cwnd == 1)
		return mss;
	if (c->initcwnd_segments > 0) {
		most = n * 1460 > 2 * mss ? n * 1460 : 2 * mss;		/* RFC 6928 section 2 */
		return n * mss < most ? n * mss : most;
	}
	if (c->rfc3390) {
		most = 4380 > 2 * mss ? 4380 : 2 * mss;
		return 4 * mss < most ? 4 * mss : most;
	}
	return mss > 2190 ? 2 * mss : mss > 1095 ? 3 * mss : 4 * mss;
}

/* ---- the path gets narrower --------------------------------------------------------------- */

bool
tcp_mtu_shrink(struct tcpcb *tp, uint32_t mtu)
{
	uint8_t vflag = tp->t_inpcb->inp_vflag;
	uint32_t least = IPV6_MMTU, before = tp->t_maxseg;
	struct tcp_sent *e;

	if (vflag == INP_IPV4)
		least = (uint32_t)tptomachine(tp)->tcp->config.minmss + headers(vflag);
	if (mtu < least)
		mtu = least;
	if (mtu - headers(vflag) >= before + usual_options(tp) || tp->t_state < TCPS_SYN_SENT)
		return false;
	set_maxseg(tp, mtu - headers(vflag));
	if (tp->t_maxseg >= before)
		return false;
	tcp_statistics(tptomachine(tp))->tcps_mturesent++;
	tp->t_flags &= ~(uint32_t)TF_TSO;
	/* They were dropped on the way, and not by congestion: sent again at once, in smaller pieces. */
	TAILQ_FOREACH(e, &tp->t_sent, by_seq)
		if (e->end - e->seq > tp->t_maxseg && !(e->flags & (SENT_SACKED | SENT_LOST)))
			tcp_sent_mark_lost(tp, e);
	return true;
}

void
tcp_mtu_changed(struct tcpcb *tp, uint32_t mtu)
{
	if (tcp_mtu_shrink(tp, mtu))
		(void)tcp_output(tp);
}
