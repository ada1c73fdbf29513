/*
 * IPv4's way out (RFC 791, RFC 1122 3.2, 3.3): header, options, route, source address, IP filters,
 * checksums, fragmentation, interface.
 *
 * Called by transports (ip_send), by the core's own senders and the IP filter engine (ip_output,
 * ip_inject_send); ip_play.c has the way of captured packets, ip_forward.c that of other machines'. The
 * interface is chosen before the filters and stays, whatever they do to the destination; interface and
 * route are referenced while they run.
 *
 * A sender that keeps its route (struct ip_sender.route) takes a short way when nothing has changed since
 * its last datagram: send_again().
 */
#include <string.h>

#include "dlil/dlil.h"
#include "ipfilter/ipfilter.h"
#include "src/kern/trace.h"
#include "src/netinet/ip_state.h"

#define CSUM_DATA	((uint32_t)(MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_UDP))

/* ---- header ------------------------------------------------------------------------------- */

uint16_t
ip_new_id(struct nke *machine)
{
	struct ip_state *s = machine->ip;
	uint16_t id = (uint16_t)(++s->id * 40503u ^ s->id_key);

	return id != 0 ? id : (uint16_t)(++s->id * 40503u ^ s->id_key);
}

/* Makes the header contiguous, writable and sane. On errors *mp is what is left to be freed. */
static errno_t
take_header(struct nke *machine, struct mbuf **mp)
{
	struct ipstat *st = &machine->ip->stat;
	struct mbuf *m = *mp;
	int hlen;

	m->m_pkthdr.len = (int32_t)m_length(m);
	if (m->m_pkthdr.len < IP_HLEN)
		return EINVAL;
	if (m->m_pkthdr.len > IP_MAXPACKET)
		return EMSGSIZE;
	if (m->m_len < IP_HLEN &&
	    (*mp = m = ip_pullup(machine, m, (size_t)IP_HLEN, &st->ips_odropped)) == NULL)
		return ENOBUFS;
	if (!in_aligned(m) && (*mp = m = ip_align(machine, m, &st->ips_odropped)) == NULL)
		return ENOBUFS;
	hlen = mtod(m, const struct ip *)->ip_hl << 2;
	if (hlen != 0 && (hlen < IP_HLEN || hlen > m->m_pkthdr.len))
		return EINVAL;
	if (m->m_len < hlen &&
	    (*mp = m = ip_pullup(machine, m, (size_t)hlen, &st->ips_odropped)) == NULL)
		return ENOBUFS;
	*mp = ip_writable(machine, m, (size_t)(hlen != 0 ? hlen : IP_HLEN), &st->ips_odropped);
	return *mp != NULL ? 0 : ENOBUFS;
}

/* A header that the sender has made: only checked. A socket's without identification gets one. */
static errno_t
check_raw_header(const struct ip_out *o, struct mbuf *m)
{
	struct ip *ip = mtod(m, struct ip *);
	int len = ntohs(ip->ip_len);

	o->machine->ip->stat.ips_rawout++;
	if (ip->ip_v != IPVERSION || len < ip->ip_hl << 2 || ip->ip_hl < IP_HLEN >> 2 ||
	    len > m->m_pkthdr.len)
		return EINVAL;
	m_adj(m, len - m->m_pkthdr.len);
	if (o->socket && ip->ip_id == 0)
		ip->ip_id = ip_new_id(o->machine);
	return 0;
}

static errno_t
fill_header(const struct ip_out *o, struct mbuf *m)
{
	struct ip_state *s = o->machine->ip;
	struct ip *ip = mtod(m, struct ip *);

	if (o->flags & IP_OUT_RAW)
		return check_raw_header(o, m);
	s->stat.ips_localout++;
	ip->ip_v = IPVERSION;
	if (ip->ip_hl == 0)
		ip->ip_hl = IP_HLEN >> 2;
	ip->ip_len = htons(m->m_pkthdr.len);
	ip->ip_off &= htons(IP_DF);
	if (o->flags & IP_OUT_DONTFRAG)
		ip->ip_off |= htons(IP_DF);
	ip->ip_id = ip_new_id(o->machine);
	if (ip->ip_ttl == 0)
		ip->ip_ttl = (u_char)s->default_ttl;	/* RFC 1122 3.2.1.7: never sent as 0 */
	if (IN_MULTICAST(ntohl(ip->ip_dst.s_addr)) && o->sender->has_mcast)
		ip->ip_ttl = o->sender->mcast_ttl;	/* 0: to members here */
	return 0;
}

/* ---- route -------------------------------------------------------------------------------- */

static const struct sockaddr *
generic(const struct sockaddr_in *sin)
{
	return (const struct sockaddr *)(const void *)sin;
}

static void
set_hop(struct sockaddr_in *sin, struct in_addr a)
{
	memset(sin, 0, sizeof *sin);
	sin->sin_len = sizeof *sin;
	sin->sin_family = AF_INET;
	sin->sin_addr = a;
}

struct ifnet *
ip_any_link(struct nke *machine, sa_family_t family)
{
	struct ifnet *ifp;

	TAILQ_FOREACH(ifp, dlil_interfaces(machine), link)
		if (!(ifp->flags & IFF_LOOPBACK) && (ifp->flags & (IFF_BROADCAST | IFF_MULTICAST)) &&
		    ifaddr_first(ifp, family) != NULL)
			return ifp;
	return NULL;
}

/* What is on a link that this machine has an address on, and nothing else (SO_DONTROUTE). */
static errno_t
choose_connected(struct ip_out *o)
{
	struct ifaddr *ifa = ifaddr_find_dst(o->machine, generic(&o->next_hop));

	if (ifa == NULL)
		ifa = ifaddr_find_net(o->machine, generic(&o->next_hop));
	if (ifa == NULL || (o->sender->bound != NULL && ifa->ifp != o->sender->bound)) {
		o->machine->ip->stat.ips_noroute++;
		return ENETUNREACH;
	}
	o->ifp = ifa->ifp;
	return 0;
}

errno_t
ip_route_refuses(const struct rtentry *rt)
{
	if (rt->rt_flags & RTF_BLACKHOLE)
		return EJUSTRETURN;
	if (rt->rt_flags & RTF_REJECT)
		return rt->rt_flags & RTF_HOST ? EHOSTUNREACH : ENETUNREACH;
	return 0;
}

/* By the table, through the sender's cache if it has one. o->rt is referenced. */
static errno_t
choose_by_table(struct ip_out *o)
{
	const struct sockaddr *dst = generic(&o->next_hop);
	struct rtentry *rt;
	errno_t error;

	if (o->sender->route != NULL) {
		rt = route_get(o->machine, o->sender->route, dst, o->sender->bound);
		if (rt != NULL)
			rt_retain(rt);
	} else {
		rt = rt_lookup(o->machine, dst, o->sender->bound, RT_REPORT);
	}
	if (rt == NULL) {
		o->machine->ip->stat.ips_noroute++;
		return EHOSTUNREACH;
	}
	o->rt = rt;
	error = ip_route_refuses(rt);
	if (error != 0) {
		if (error != EJUSTRETURN)
			o->machine->ip->stat.ips_noroute++;
		return error;
	}
	o->ifp = rt->rt_ifp;
	o->mtu = rt_mtu(rt);
	if ((rt->rt_flags & RTF_GATEWAY) && rt->rt_gateway.ss_family == AF_INET)
		memcpy(&o->next_hop, &rt->rt_gateway, sizeof o->next_hop);
	return 0;
}

/* Where a group or everybody is, when the sender does not say: never beyond a gateway. */
static struct ifnet *
link_for_many(struct nke *machine, const struct sockaddr *dst)
{
	struct rtentry *rt = rt_lookup(machine, dst, NULL, 0);
	struct ifnet *ifp = NULL;

	if (rt != NULL && !(rt->rt_flags & (RTF_REJECT | RTF_BLACKHOLE)))
		ifp = rt->rt_ifp;
	rt_release(rt);
	return ifp != NULL ? ifp : ip_any_link(machine, dst->sa_family);
}

/* The interface and next hop; what is addressed to this machine goes through lo0. */
static errno_t
choose_route(struct ip_out *o, const struct ip *ip)
{
	const struct ip_sender *s = o->sender;
	errno_t error = 0;

	set_hop(&o->next_hop, ip->ip_dst);
	o->multicast = IN_MULTICAST(ntohl(ip->ip_dst.s_addr));
	if (o->multicast || ip->ip_dst.s_addr == htonl(INADDR_BROADCAST)) {
		o->ifp = s->bound;
		if (o->ifp == NULL && o->multicast && s->has_mcast)
			o->ifp = s->mcast_ifp;
		if (o->ifp == NULL)
			o->ifp = link_for_many(o->machine, generic(&o->next_hop));
		if (o->ifp == NULL)
			error = EHOSTUNREACH;
		else if (o->multicast && !(o->ifp->flags & IFF_MULTICAST))
			error = ENETUNREACH;
		if (error != 0)
			o->machine->ip->stat.ips_noroute++;
	} else if (ifaddr_find_in4(o->machine, ip->ip_dst.s_addr) != NULL) {
		o->ifp = dlil_loopback(o->machine);
		/* For the cache's sake: the next one need not ask again. */
		if (s->route != NULL && s->bound == NULL)
			(void)route_get(o->machine, s->route, generic(&o->next_hop), NULL);
	} else if (o->flags & IP_OUT_DONTROUTE) {
		error = choose_connected(o);
	} else {
		error = choose_by_table(o);
	}
	if (error == 0 && o->mtu == 0)
		o->mtu = o->ifp->mtu;
	return error;
}

static errno_t
choose_source(const struct ip_out *o, struct ip *ip)
{
	struct sockaddr_in dst;
	const struct ifaddr *ifa;

	if (ip->ip_src.s_addr != INADDR_ANY || (o->flags & IP_OUT_UNSPEC_SOURCE))
		return 0;
	/* What goes through lo0 to one of our addresses comes from it too. */
	ifa = ifaddr_find_in4(o->machine, ip->ip_dst.s_addr);
	if (ifa == NULL) {
		set_hop(&dst, ip->ip_dst);
		ifa = in_select_source(o->machine, o->ifp, o->rt, generic(&dst));
	}
	if (ifa == NULL)
		return o->socket ? EADDRNOTAVAIL : 0;
	ip->ip_src = ((const struct sockaddr_in *)(const void *)&ifa->addr)->sin_addr;
	return 0;
}

/* May a datagram with these addresses leave by that interface? */
static errno_t
check_destination(const struct ip_out *o, struct mbuf *m)
{
	const struct ip *ip = mtod(m, const struct ip *);

	if ((ip_loopback_net(ip->ip_src) || ip_loopback_net(ip->ip_dst)) &&
	    !(o->ifp->flags & IFF_LOOPBACK)) {
		o->machine->ip->stat.ips_badaddr++;
		return EADDRNOTAVAIL;
	}
	if (o->multicast) {
		m->m_flags |= MBUF_MCAST;
		return 0;
	}
	if (ip->ip_dst.s_addr != htonl(INADDR_BROADCAST) &&
	    ifaddr_find_broadcast4(o->machine, o->ifp, ip->ip_dst.s_addr) == NULL)
		return 0;
	if (!(o->ifp->flags & IFF_BROADCAST))
		return EADDRNOTAVAIL;
	if (!(o->flags & IP_OUT_BROADCAST))
		return EACCES;
	if ((uint32_t)m->m_pkthdr.len > o->ifp->mtu)
		return EMSGSIZE;
	m->m_flags |= MBUF_BCAST;
	return 0;
}

/*
 * Link-local addresses are good on one link only (RFC 3927 7): sent so that the receiver can tell.
 */
static bool
link_local(const struct ip *ip)
{
	return IN_LINKLOCAL(ntohl(ip->ip_src.s_addr)) || IN_LINKLOCAL(ntohl(ip->ip_dst.s_addr));
}

/* ---- filters ------------------------------------------------------------------------------ */

errno_t
ip_filter_out(const struct ip_out *o, struct mbuf **mp, ipfilter_t behind)
{
	errno_t error;
	int hlen;

	/* Segmentation by hardware is off while there are filters. */
	if ((*mp)->m_pkthdr.csum_flags & CSUM_TSO4)
		return EMSGSIZE;
	ifnet_retain(o->ifp);
	error = ipf_output(o->machine, AF_INET, mp, o->options, 0, behind);
	if (o->ifp->state != IFNET_ATTACHED && error == 0)
		error = ENXIO;
	ifnet_drop(o->ifp);
	if (error != 0)
		return error;
	if ((*mp)->m_len < IP_HLEN) {
		hlen = IP_HLEN;
	} else {
		hlen = (*(const uint8_t *)(*mp)->m_data & 0xf) << 2;
		if (hlen < IP_HLEN)
			return EINVAL;
	}
	if (!ip_recheck(o->machine, mp, hlen))
		return EINVAL;
	return take_header(o->machine, mp);
}

/* ---- checksums and sending ---------------------------------------------------------------- */

static void
finish_checksums(const struct ifnet *ifp, struct mbuf *m, bool fragmenting)
{
	struct ip *ip = mtod(m, struct ip *);
	uint32_t offload = fragmenting ? 0 : if_offload_now(ifp);
	uint32_t here = m->m_pkthdr.csum_flags & CSUM_DATA & ~offload;

	if (here != 0) {
		in_finalize_cksum(m, 0, here);
		m->m_pkthdr.csum_flags &= ~here;
	}
	ip->ip_sum = 0;
	m->m_pkthdr.csum_flags &= ~(uint32_t)MBUF_CSUM_REQ_IP;
	if (offload & IFNET_CSUM_IP)
		m->m_pkthdr.csum_flags |= MBUF_CSUM_REQ_IP;
	else if (ip->ip_hl == IP_HLEN >> 2)
		ip->ip_sum = ip_plain_sum(ip);
	else
		ip->ip_sum = in_cksum_part(m, 0, (size_t)ip->ip_hl << 2);
}

bool
ip_local_member(const struct ifnet *ifp, const struct sockaddr *group)
{
	const struct ifmultiaddr *ifma;
	size_t off = group->sa_family == AF_INET ? offsetof(struct sockaddr_in, sin_addr) :
	    offsetof(struct sockaddr_in6, sin6_addr);
	size_t len = group->sa_family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);

	TAILQ_FOREACH(ifma, &ifp->multicast, link)
		if (ifma->addr.ss_family == group->sa_family &&
		    memcmp((const char *)&ifma->addr + off, (const char *)group + off, len) == 0)
			return true;
	return false;
}

/*
 * Members on this machine hear what it sends to their group: after the filters, once, as if it had come
 * by the interface that it leaves by.
 */
static void
loop_multicast(const struct ip_out *o, struct mbuf *m)
{
	struct ifnet *lo = dlil_loopback(o->machine);
	struct sockaddr_in group;
	struct mbuf *n;

	set_hop(&group, mtod(m, const struct ip *)->ip_dst);
	if ((o->sender->has_mcast && !o->sender->mcast_loop) || (o->ifp->flags & IFF_LOOPBACK) ||
	    !ip_local_member(o->ifp, generic(&group)))
		return;
	n = m_dup(m, MBUF_DONTWAIT);
	if (n == NULL)
		return;
	n->m_pkthdr.rcvif = o->ifp;
	finish_checksums(lo, n, false);
	(void)dlil_output(lo, PF_INET, n, NULL, generic(&group), false);
}

/* RFC 1122 3.3.1.4: a silent gateway does not mean that the host beyond it is down. */
static errno_t
for_sender(errno_t error, bool gateway)
{
	return error == EHOSTDOWN && gateway ? EHOSTUNREACH : error;
}

errno_t
ip_transmit(const struct ip_out *o, struct mbuf *m)
{
	bool gateway = o->rt != NULL && (o->rt->rt_flags & RTF_GATEWAY);
	bool tso = (m->m_pkthdr.csum_flags & CSUM_TSO4) && (if_offload_now(o->ifp) & IFNET_TSO_IPV4);
	bool fits = (uint32_t)m->m_pkthdr.len <= o->mtu || tso;
	struct mbuf *list = m;
	errno_t error = 0;

	if (o->multicast) {
		loop_multicast(o, m);
		/* Time to live 0: not beyond this machine. */
		if (mtod(m, const struct ip *)->ip_ttl == 0) {
			m_freem(m);
			return 0;
		}
	}
	if (!fits && ((mtod(m, const struct ip *)->ip_off & htons(IP_DF)) ||
	    (o->flags & IP_OUT_DONTFRAG))) {
		o->machine->ip->stat.ips_cantfrag++;
		m_freem(m);
		return EMSGSIZE;
	}
	finish_checksums(o->ifp, m, !fits);
	if (!fits)
		error = ip_fragment(o->machine, m, o->mtu, &list);
	if (error != 0)
		return error;
	return for_sender(dlil_output(o->ifp, PF_INET, list, NULL, generic(&o->next_hop), false), gateway);
}

/* ---- entry -------------------------------------------------------------------------------- */

/* The next datagram of this sender may take the short way: send_again(). */
static void
remember_plain(const struct ip_out *o, const struct mbuf *m)
{
	const struct ip *ip = mtod(m, const struct ip *);
	struct route *ro = o->sender->route;

	if (ro->ro_rt == NULL || ro->ro_rt->rt_ifp != o->ifp || ip_route_refuses(ro->ro_rt) != 0 ||
	    ro->ro_dst.s6_addr32[3] != ip->ip_dst.s_addr || ro->ro_family != AF_INET ||
	    (m->m_flags & (MBUF_BCAST | MBUF_MCAST)) || IN_LINKLOCAL(ntohl(ip->ip_dst.s_addr)))
		return;
	ro->ro_plain = true;
}

static errno_t
output(struct ip_out *o, struct mbuf *m)
{
	ipfilter_t behind = ipf_take_ref(m);
	bool keeps = o->sender->route != NULL && o->sender->options_len == 0;
	errno_t error;

	TRACE(o->machine, IP_OUTPUT, m, m->m_pkthdr.len, 0);
	error = take_header(o->machine, &m);
	if (error == 0)
		error = fill_header(o, m);
	if (error == 0 && UNLIKELY(o->sender->options_len != 0))
		error = ip_options_insert(o->machine, &m, o->sender->options, o->sender->options_len);
	if (error == 0)
		error = choose_route(o, mtod(m, const struct ip *));
	if (error == 0)
		error = choose_source(o, mtod(m, struct ip *));
	if (error == 0)
		error = check_destination(o, m);
	if (error != 0)
		goto done;
	if (link_local(mtod(m, const struct ip *)))
		mtod(m, struct ip *)->ip_ttl = MAXTTL;
	if (UNLIKELY(o->flags & IP_OUT_DONTROUTE) && !(o->flags & IP_OUT_RAW) && !o->multicast)
		mtod(m, struct ip *)->ip_ttl = 1;
	if (keeps)
		remember_plain(o, m);
	if (UNLIKELY(!ipf_none(o->machine, AF_INET)) && !(o->flags & IP_OUT_NO_FILTERS)) {
		error = ip_filter_out(o, &m, behind);
		if (error != 0)
			goto done;
	}
	error = ip_transmit(o, m);
	m = NULL;
done:
	m_freem(m);
	rt_release(o->rt);
	return error == EJUSTRETURN ? 0 : error;
}

void
ip_sender_of(struct nke *machine, const struct ipf_pktopts *options, struct ip_sender *s)
{
	if (options->ippo_flags & IPPOF_MCAST_OPTS) {
		s->has_mcast = true;
		s->mcast_ifp = options->ippo_mcast_ifnet;
		s->mcast_ttl = options->ippo_mcast_ttl;
		s->mcast_loop = options->ippo_mcast_loop;
	}
	if (options->ippo_flags & IPPOF_BOUND_IF)
		s->bound = dlil_find_by_index(machine, options->ippo_flags >> IPPOF_SHIFT_IFSCOPE);
}

void
ip_options_of(const struct ip_sender *s, struct ipf_pktopts *options)
{
	memset(options, 0, sizeof *options);
	if (s->has_mcast) {
		options->ippo_flags |= IPPOF_MCAST_OPTS;
		options->ippo_mcast_ifnet = s->mcast_ifp;
		options->ippo_mcast_ttl = s->mcast_ttl;
		options->ippo_mcast_loop = s->mcast_loop;
	}
	if (s->bound != NULL)
		options->ippo_flags |= IPPOF_BOUND_IF | s->bound->index << IPPOF_SHIFT_IFSCOPE;
}

errno_t
ip_output(struct nke *machine, struct mbuf *m, uint32_t flags, ipf_pktopts_t options)
{
	struct ipf_pktopts none = {0};
	struct ip_sender s = {.flags = flags};
	struct ip_out o = {.machine = machine, .sender = &s, .flags = flags,
	    .options = options != NULL ? options : &none};

	ip_sender_of(machine, o.options, &s);
	return output(&o, m);
}

errno_t
ip_inject_send(struct nke *machine, struct mbuf *m, ipf_pktopts_t options)
{
	return ip_output(machine, m, IP_OUT_RAW | IP_OUT_BROADCAST, options);
}

/*
 * The short way: to where this sender's last datagram went, in one packet, with nobody watching. False:
 * nothing was done.
 */
static inline bool
send_again(struct nke *machine, struct mbuf *m, const struct ip_sender *s, errno_t *error)
{
	const struct route *ro = s->route;
	struct rtentry *rt = ro != NULL ? ro->ro_rt : NULL;
	struct sockaddr_in hop;
	struct ifnet *ifp;
	bool gateway;
	struct ip *ip;

	if (rt == NULL || (s->flags & ~IP_OUT_BROADCAST) || s->options_len != 0 ||
	    !ipf_none(machine, AF_INET) || m->m_len < IP_HLEN || !in_aligned(m) || !m_writable(m))
		return false;
	ip = mtod(m, struct ip *);
	ifp = rt->rt_ifp;
	if (!ro->ro_plain || ip->ip_dst.s_addr != ro->ro_dst.s6_addr32[3] ||
	    ro->ro_generation != rt_generation(machine) || ro->ro_ifp != s->bound ||
	    ip->ip_src.s_addr == INADDR_ANY || (ip->ip_hl != 0 && ip->ip_hl != IP_HLEN >> 2) ||
	    IN_LINKLOCAL(ntohl(ip->ip_src.s_addr)) || (uint32_t)m->m_pkthdr.len > rt_mtu(rt) ||
	    (ip_loopback_net(ip->ip_src) && !(ifp->flags & IFF_LOOPBACK)))
		return false;
	TRACE(machine, IP_OUTPUT, m, m->m_pkthdr.len, 0);
	m->m_pkthdr.inject_ref = NULL;
	machine->ip->stat.ips_localout++;
	*(uint8_t *)ip = IP_VHL_BORING;
	ip->ip_len = htons(m->m_pkthdr.len);
	ip->ip_off &= htons(IP_DF);
	ip->ip_id = ip_new_id(machine);
	if (ip->ip_ttl == 0)
		ip->ip_ttl = (u_char)machine->ip->default_ttl;
	finish_checksums(ifp, m, false);
	gateway = (rt->rt_flags & RTF_GATEWAY) && rt->rt_gateway.ss_family == AF_INET;
	if (gateway)
		memcpy(&hop, &rt->rt_gateway, sizeof hop);
	else
		set_hop(&hop, ip->ip_dst);
	*error = for_sender(dlil_output(ifp, PF_INET, m, NULL, generic(&hop), false), gateway);
	return true;
}

errno_t
ip_send(struct nke *machine, struct mbuf *m, const struct ip_sender *s)
{
	struct ipf_pktopts options;
	struct ip_out o = {.machine = machine, .sender = s, .flags = s->flags, .options = &options,
	    .socket = true};
	errno_t error;

	if (send_again(machine, m, s, &error))
		return error;
	ip_options_of(s, &options);
	return output(&o, m);
}
