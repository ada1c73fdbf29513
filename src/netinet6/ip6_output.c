/*
 * IPv6's way out (RFC 8200): header, IP filters, route, scope, source address, checksums,
 * fragmentation, interface.
 *
 * Called by transports (ip6_output) and by the IP filter engine (ip6_inject_send); ip6_play.c has
 * the way of captured packets. Interface fact: other than with IPv4 the filters come before the
 * route, so they may choose another destination; and a link-local destination carries the index of
 * its interface in bytes 2 and 3 until here.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "ipfilter/ipfilter.h"
#include "src/kern/trace.h"
#include "src/netinet/ip_state.h"
#include "src/netinet6/ip6_state.h"

#define CSUM_DATA6	((uint32_t)(MBUF_CSUM_REQ_TCPIPV6 | MBUF_CSUM_REQ_UDPIPV6))

/* One datagram on its way. */
struct ip6_out {
	struct nke *machine;
	uint32_t flags;			/* IP_OUT_* */
	ipf_pktopts_t options;		/* never NULL */
	struct ifnet *ifp;
	struct sockaddr_storage next_hop;
};

static bool
to_multicast(const struct mbuf *m)
{
	return IN6_IS_ADDR_MULTICAST(ip6_destination(m));
}

/* ---- header ------------------------------------------------------------------------------- */

/* Makes the fixed header contiguous, aligned and writable. On errors *mp is what is to be freed. */
static errno_t
take_header(struct nke *machine, struct mbuf **mp)
{
	u_quad_t *lost = &machine->ip6->stat.ip6s_odropped;
	struct mbuf *m = *mp;

	m->m_pkthdr.len = (int32_t)m_length(m);
	if (m->m_pkthdr.len < IP6_HLEN)
		return EINVAL;
	if (m->m_pkthdr.len - IP6_HLEN > IPV6_MAXPACKET)
		return EMSGSIZE;	/* would be a jumbogram */
	if (m->m_len < IP6_HLEN && (*mp = m = ip6_pullup(machine, m, lost)) == NULL)
		return ENOBUFS;
	if (!in_aligned(m) && (*mp = m = ip6_align(machine, m, lost)) == NULL)
		return ENOBUFS;
	*mp = ip6_writable(machine, m, lost);
	return *mp != NULL ? 0 : ENOBUFS;
}

static errno_t
fill_header(const struct ip6_out *o, struct mbuf *m)
{
	struct ip6stat *st = &o->machine->ip6->stat;
	struct ip6_hdr *ip6 = mtod(m, struct ip6_hdr *);

	if (o->flags & IP_OUT_RAW) {
		int len = IP6_HLEN + ip6_payload(m);

		st->ip6s_rawout++;
		if ((ip6->ip6_vfc & IPV6_VERSION_MASK) != IPV6_VERSION || len > m->m_pkthdr.len)
			return EINVAL;
		m_adj(m, len - m->m_pkthdr.len);
		return 0;
	}
	st->ip6s_localout++;
	ip6->ip6_vfc = (u_int8_t)((ip6->ip6_vfc & ~IPV6_VERSION_MASK) | IPV6_VERSION);
	ip6->ip6_plen = htons(m->m_pkthdr.len - IP6_HLEN);
	if (ip6->ip6_hlim == 0)
		ip6->ip6_hlim = IPV6_DEFHLIM;
	if (to_multicast(m) && (o->options->ippo_flags & IPPOF_MCAST_OPTS))
		ip6->ip6_hlim = o->options->ippo_mcast_ttl;	/* 0: to members here */
	return 0;
}

static errno_t
run_filters(const struct ip6_out *o, struct mbuf **mp, ipfilter_t behind)
{
	errno_t error;

	/* Segmentation by hardware is off while there are filters. */
	if ((*mp)->m_pkthdr.csum_flags & CSUM_TSO6)
		return EMSGSIZE;
	error = ipf_output(o->machine, AF_INET6, mp, o->options, 0, behind);
	if (error != 0)
		return error;
	if (!ip6_recheck(o->machine, mp))
		return EINVAL;
	return take_header(o->machine, mp);
}

/* ---- route and scope ---------------------------------------------------------------------- */

/* The interface index in a link-local address, which is taken out; 0: none. */
static uint32_t
take_scope(struct in6_addr *a)
{
	uint32_t scope = 0;

	if (ip6_link_local(a)) {
		scope = ntohs(a->s6_addr16[1]);
		a->s6_addr16[1] = 0;
	}
	return scope;
}

static void
set_hop(struct sockaddr_storage *ss, const struct in6_addr *a, uint32_t scope)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)(void *)ss;

	memset(ss, 0, sizeof *ss);
	sin6->sin6_len = sizeof *sin6;
	sin6->sin6_family = AF_INET6;
	sin6->sin6_addr = *a;
	sin6->sin6_scope_id = scope;
}

/* The interface and next hop; what is addressed to this machine goes through lo0. */
static errno_t
choose_route(struct ip6_out *o, struct mbuf *m)
{
	struct in6_addr *dst = ip6_destination(m);
	bool ours = ifaddr_find_in6(o->machine, dst) != NULL;
	uint32_t scope = take_scope(dst), from = take_scope(ip6_source(m));
	const struct ipf_pktopts *opts = o->options;
	struct sockaddr_storage to;

	if (scope == 0 && ip6_link_local(dst))
		scope = from;
	if (ours)
		o->ifp = dlil_loopback(o->machine);
	else if (scope != 0)
		o->ifp = dlil_find_by_index(o->machine, scope);
	else if (to_multicast(m) && (opts->ippo_flags & IPPOF_MCAST_OPTS))
		o->ifp = opts->ippo_mcast_ifnet;
	set_hop(&to, dst, o->ifp != NULL && ip6_link_local(dst) ? o->ifp->index : 0);
	o->next_hop = to;
	if (o->ifp == NULL && scope == 0)
		o->ifp = route_lookup(
		    o->machine, (const struct sockaddr *)(const void *)&to, &o->next_hop);
	if (o->ifp == NULL) {
		o->machine->ip6->stat.ip6s_noroute++;
		return EHOSTUNREACH;
	}
	return 0;
}

/*
 * A source for what has none (RFC 6724, rules 1 and 2 only): the destination itself if it is ours,
 * else an address of the interface, of the destination's scope if there is one. A complete header
 * (IP_OUT_RAW) keeps the unspecified address, as duplicate address detection needs.
 */
static void
choose_source(const struct ip6_out *o, struct mbuf *m)
{
	const struct in6_addr *dst = ip6_destination(m);
	struct in6_addr *src = ip6_source(m);
	const struct in6_addr *best = NULL;
	const struct ifaddr *ifa;

	if ((o->flags & IP_OUT_RAW) || !IN6_IS_ADDR_UNSPECIFIED(src))
		return;
	if (ifaddr_find_in6(o->machine, dst) != NULL) {
		*src = *dst;
		return;
	}
	TAILQ_FOREACH(ifa, &o->ifp->addresses, link) {
		const struct in6_addr *a =
		    &((const struct sockaddr_in6 *)(const void *)&ifa->addr)->sin6_addr;

		if (ifa->addr.ss_family != AF_INET6)
			continue;
		if (best == NULL || (!ip6_link_local(best) != !ip6_link_local(dst) &&
		    !ip6_link_local(a) == !ip6_link_local(dst)))
			best = a;
	}
	if (best == NULL)
		return;
	*src = *best;
	(void)take_scope(src);
}

static errno_t
check_addresses(const struct ip6_out *o, struct mbuf *m)
{
	const struct in6_addr *src = ip6_source(m), *dst = ip6_destination(m);

	if (IN6_IS_ADDR_UNSPECIFIED(dst) || IN6_IS_ADDR_MULTICAST(src) ||
	    ((IN6_IS_ADDR_LOOPBACK(src) || IN6_IS_ADDR_LOOPBACK(dst)) &&
	    !(o->ifp->flags & IFF_LOOPBACK))) {
		o->machine->ip6->stat.ip6s_badscope++;
		return EADDRNOTAVAIL;
	}
	if (to_multicast(m))
		m->m_flags |= MBUF_MCAST;
	return 0;
}

/* ---- checksums and sending ---------------------------------------------------------------- */

static void
finish_checksums(const struct ifnet *ifp, struct mbuf *m, bool fragmenting)
{
	uint32_t here = m->m_pkthdr.csum_flags & CSUM_DATA6 & ~(fragmenting ? 0 : ifp->offload);

	if (here == 0)
		return;
	in6_finalize_cksum(m, 0, here);
	m->m_pkthdr.csum_flags &= ~here;
}

/* Members on this machine hear what it sends to their group: after the filters, once. */
static void
loop_multicast(const struct ip6_out *o, struct mbuf *m)
{
	struct ifnet *lo = dlil_loopback(o->machine);
	struct sockaddr_storage group;
	struct mbuf *n;

	set_hop(&group, ip6_destination(m), 0);
	if (((o->options->ippo_flags & IPPOF_MCAST_OPTS) && !o->options->ippo_mcast_loop) ||
	    (o->ifp->flags & IFF_LOOPBACK) ||
	    !ip_local_member(o->ifp, (const struct sockaddr *)(const void *)&group))
		return;
	n = m_dup(m, MBUF_DONTWAIT);
	if (n == NULL)
		return;
	finish_checksums(lo, n, false);
	(void)dlil_output(
	    lo, PF_INET6, n, NULL, (const struct sockaddr *)(const void *)&group, false);
}

static errno_t
send(const struct ip6_out *o, struct mbuf *m)
{
	const struct sockaddr *hop = (const struct sockaddr *)(const void *)&o->next_hop;
	bool tso = (m->m_pkthdr.csum_flags & CSUM_TSO6) && (o->ifp->offload & IFNET_TSO_IPV6);
	bool fits = (uint32_t)m->m_pkthdr.len <= o->ifp->mtu || tso;
	struct mbuf *list = m;
	errno_t error = 0;

	if (to_multicast(m)) {
		loop_multicast(o, m);
		if (mtod(m, const struct ip6_hdr *)->ip6_hlim == 0 ||
		    (IN6_IS_ADDR_MC_INTFACELOCAL(ip6_destination(m)) &&
			!(o->ifp->flags & IFF_LOOPBACK))) {
			m_freem(m);
			return 0;
		}
	}
	finish_checksums(o->ifp, m, !fits);
	if (!fits)
		error = ip6_fragment(o->machine, m, o->ifp->mtu, &list);
	if (error != 0)
		return error;
	return dlil_output(o->ifp, PF_INET6, list, NULL, hop, false);
}

/* ---- entry -------------------------------------------------------------------------------- */

errno_t
ip6_output(struct nke *machine, struct mbuf *m, uint32_t flags, ipf_pktopts_t options)
{
	struct ipf_pktopts none = {0};
	struct ip6_out o = {
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
	if (UNLIKELY(!ipf_none(machine, AF_INET6)) && !(flags & IP_OUT_NO_FILTERS)) {
		error = run_filters(&o, &m, behind);
		if (error != 0)
			goto drop;
	}
	error = choose_route(&o, m);
	if (error != 0)
		goto drop;
	choose_source(&o, m);
	error = check_addresses(&o, m);
	if (error != 0)
		goto drop;
	return send(&o, m);
drop:
	m_freem(m);
	return error == EJUSTRETURN ? 0 : error;
}

errno_t
ip6_inject_send(struct nke *machine, struct mbuf *m, ipf_pktopts_t options)
{
	return ip6_output(machine, m, IP_OUT_RAW, options);
}
