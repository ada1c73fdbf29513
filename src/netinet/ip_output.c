/*
 * IPv4's way out (RFC 791, RFC 1122 3.2, 3.3): header, route, source address, IP filters,
 * checksums, fragmentation, interface.
 *
 * Called by transports (ip_output) and by the IP filter engine (ip_inject_send); ip_play.c has the
 * way of captured packets. The interface is chosen before the filters and stays, whatever they do
 * to the destination; it is referenced while they run.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "ipfilter/ipfilter.h"
#include "src/kern/trace.h"
#include "src/netinet/ip_state.h"

#define CSUM_DATA	((uint32_t)(MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_UDP))

/* One datagram on its way. */
struct ip_out {
	struct nke *machine;
	uint32_t flags;			/* IP_OUT_* */
	ipf_pktopts_t options;		/* never NULL */
	struct ifnet *ifp;
	struct sockaddr_storage next_hop;
	bool multicast;
};

/* ---- header ------------------------------------------------------------------------------- */

/*
 * Never the same twice within 65536 datagrams (RFC 6864), nor simply the next number. Odd factors
 * and the key permute the counter.
 */
static uint16_t
ip_new_id(struct ip_state *s)
{
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

static errno_t
fill_header(const struct ip_out *o, struct mbuf *m)
{
	struct ip_state *s = o->machine->ip;
	struct ip *ip = mtod(m, struct ip *);

	if (o->flags & IP_OUT_RAW) {
		int len = ntohs(ip->ip_len);

		s->stat.ips_rawout++;
		if (ip->ip_v != IPVERSION || len < ip->ip_hl << 2 || ip->ip_hl < IP_HLEN >> 2 ||
		    len > m->m_pkthdr.len)
			return EINVAL;
		m_adj(m, len - m->m_pkthdr.len);
		return 0;
	}
	s->stat.ips_localout++;
	ip->ip_v = IPVERSION;
	if (ip->ip_hl == 0)
		ip->ip_hl = IP_HLEN >> 2;
	ip->ip_len = htons(m->m_pkthdr.len);
	ip->ip_off &= htons(IP_DF);
	ip->ip_id = ip_new_id(s);
	if (ip->ip_ttl == 0)
		ip->ip_ttl = IPDEFTTL;	/* RFC 1122 3.2.1.7: never sent as 0 */
	if (IN_MULTICAST(ntohl(ip->ip_dst.s_addr)) && (o->options->ippo_flags & IPPOF_MCAST_OPTS))
		ip->ip_ttl = o->options->ippo_mcast_ttl;	/* 0: to members here */
	return 0;
}

/* ---- route -------------------------------------------------------------------------------- */

static void
set_hop(struct sockaddr_storage *ss, struct in_addr a)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)(void *)ss;

	memset(ss, 0, sizeof *ss);
	sin->sin_len = sizeof *sin;
	sin->sin_family = AF_INET;
	sin->sin_addr = a;
}

/* The interface and next hop; what is addressed to this machine goes through lo0. */
static errno_t
choose_route(struct ip_out *o, const struct ip *ip)
{
	struct sockaddr_storage dst;

	set_hop(&dst, ip->ip_dst);
	o->next_hop = dst;
	o->multicast = IN_MULTICAST(ntohl(ip->ip_dst.s_addr));
	if (o->multicast && (o->options->ippo_flags & IPPOF_MCAST_OPTS) &&
	    o->options->ippo_mcast_ifnet != NULL) {
		o->ifp = o->options->ippo_mcast_ifnet;
		return 0;
	}
	if (ifaddr_find_in4(o->machine, ip->ip_dst.s_addr) != NULL)
		o->ifp = dlil_loopback(o->machine);
	else
		o->ifp = route_lookup(
		    o->machine, (const struct sockaddr *)(const void *)&dst, &o->next_hop);
	if (o->ifp == NULL) {
		o->machine->ip->stat.ips_noroute++;
		return EHOSTUNREACH;
	}
	return 0;
}

static void
choose_source(const struct ip_out *o, struct ip *ip)
{
	const struct ifaddr *ifa;

	if (ip->ip_src.s_addr != INADDR_ANY)
		return;
	/* What goes through lo0 to one of our addresses comes from it too. */
	ifa = ifaddr_find_in4(o->machine, ip->ip_dst.s_addr);
	if (ifa == NULL)
		ifa = ifaddr_first(o->ifp, AF_INET);
	if (ifa != NULL)
		ip->ip_src = ((const struct sockaddr_in *)(const void *)&ifa->addr)->sin_addr;
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
static void
fix_link_local_ttl(struct ip *ip)
{
	if (IN_LINKLOCAL(ntohl(ip->ip_src.s_addr)) || IN_LINKLOCAL(ntohl(ip->ip_dst.s_addr)))
		ip->ip_ttl = MAXTTL;
}

/* ---- filters ------------------------------------------------------------------------------ */

/* EJUSTRETURN: nothing is left to be done. */
static errno_t
run_filters(const struct ip_out *o, struct mbuf **mp, ipfilter_t behind)
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
finish_checksums(const struct ip_out *o, struct mbuf *m, bool fragmenting)
{
	struct ip *ip = mtod(m, struct ip *);
	uint32_t offload = fragmenting ? 0 : o->ifp->offload;
	uint32_t here = m->m_pkthdr.csum_flags & CSUM_DATA & ~offload;

	if (here != 0) {
		in_finalize_cksum(m, 0, here);
		m->m_pkthdr.csum_flags &= ~here;
	}
	ip->ip_sum = 0;
	m->m_pkthdr.csum_flags &= ~(uint32_t)MBUF_CSUM_REQ_IP;
	if (offload & IFNET_CSUM_IP)
		m->m_pkthdr.csum_flags |= MBUF_CSUM_REQ_IP;
	else
		ip->ip_sum = in_cksum(m, 0, (size_t)ip->ip_hl << 2);
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

/* Members on this machine hear what it sends to their group: after the filters, once. */
static void
loop_multicast(const struct ip_out *o, const struct mbuf *m)
{
	struct sockaddr_storage group;
	struct ip_out copy = *o;
	struct mbuf *n;

	set_hop(&group, mtod(m, const struct ip *)->ip_dst);
	if (((o->options->ippo_flags & IPPOF_MCAST_OPTS) && !o->options->ippo_mcast_loop) ||
	    (o->ifp->flags & IFF_LOOPBACK) ||
	    !ip_local_member(o->ifp, (const struct sockaddr *)(const void *)&group))
		return;
	n = m_dup((struct mbuf *)(uintptr_t)m, MBUF_DONTWAIT);
	if (n == NULL)
		return;
	copy.ifp = dlil_loopback(o->machine);
	finish_checksums(&copy, n, false);
	(void)dlil_output(
	    copy.ifp, PF_INET, n, NULL, (const struct sockaddr *)(const void *)&group, false);
}

static errno_t
send(const struct ip_out *o, struct mbuf *m)
{
	const struct sockaddr *hop = (const struct sockaddr *)(const void *)&o->next_hop;
	bool tso = (m->m_pkthdr.csum_flags & CSUM_TSO4) && (o->ifp->offload & IFNET_TSO_IPV4);
	bool fits = (uint32_t)m->m_pkthdr.len <= o->ifp->mtu || tso;
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
	if (!fits && (mtod(m, const struct ip *)->ip_off & htons(IP_DF))) {
		o->machine->ip->stat.ips_cantfrag++;
		m_freem(m);
		return EMSGSIZE;
	}
	finish_checksums(o, m, !fits);
	if (!fits)
		error = ip_fragment(o->machine, m, o->ifp->mtu, &list);
	if (error != 0)
		return error;
	return dlil_output(o->ifp, PF_INET, list, NULL, hop, false);
}

/* ---- entry -------------------------------------------------------------------------------- */

errno_t
ip_output(struct nke *machine, struct mbuf *m, uint32_t flags, ipf_pktopts_t options)
{
	struct ipf_pktopts none = {0};
	struct ip_out o = {
	    .machine = machine, .flags = flags, .options = options ? options : &none};
	ipfilter_t behind = ipf_take_ref(m);
	errno_t error;

	TRACE(machine, IP_OUTPUT, m, m->m_pkthdr.len, 0);
	error = take_header(machine, &m);
	if (error != 0)
		goto drop;
	error = fill_header(&o, m);
	if (error != 0)
		goto drop;
	error = choose_route(&o, mtod(m, const struct ip *));
	if (error != 0)
		goto drop;
	choose_source(&o, mtod(m, struct ip *));
	error = check_destination(&o, m);
	if (error != 0)
		goto drop;
	fix_link_local_ttl(mtod(m, struct ip *));
	if (UNLIKELY(!ipf_none(machine, AF_INET)) && !(flags & IP_OUT_NO_FILTERS)) {
		error = run_filters(&o, &m, behind);
		if (error != 0)
			goto drop;
	}
	return send(&o, m);
drop:
	m_freem(m);
	return error == EJUSTRETURN ? 0 : error;
}

errno_t
ip_inject_send(struct nke *machine, struct mbuf *m, ipf_pktopts_t options)
{
	return ip_output(machine, m, IP_OUT_RAW | IP_OUT_BROADCAST, options);
}
