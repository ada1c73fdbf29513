/*
 * IPv6's way out (RFC 8200): header, extension headers, IP filters, route, scope, source address,
 * checksums, fragmentation, interface.
 *
 * Called by transports (ip6_send), by the core's own senders and the IP filter engine (ip6_output,
 * ip6_inject_send); ip6_play.c has the way of captured packets, ip6_forward.c that of other machines'.
 * Interface fact: other than with IPv4 the filters come before the route, so they may choose another
 * destination; and a link-local destination carries the index of its interface in bytes 2 and 3 until
 * here.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "ipfilter/ipfilter.h"
#include "src/kern/trace.h"
#include "src/netinet/ip_state.h"
#include "src/netinet6/ip6_state.h"

#define LINK_ROOM	16u		/* before the header, for an Ethernet header, aligned */
#define CSUM_DATA6	((uint32_t)(MBUF_CSUM_REQ_TCPIPV6 | MBUF_CSUM_REQ_UDPIPV6))

/* One datagram on its way. */
struct ip6_out {
	struct nke *machine;
	const struct ip_sender *sender;	/* never NULL; `flags` are its own */
	struct ipf_pktopts *options;	/* the same, as filters see it; never NULL */
	uint32_t flags;			/* IP_OUT_* */
	bool socket;			/* ip6_send: a source is selected, or it is an error */
	bool usual_hlim;		/* the sender says no hop limit */
	struct ifnet *ifp;
	struct rtentry *rt;		/* referenced; NULL: groups, the link, this machine */
	uint32_t mtu;			/* of the path */
	struct sockaddr_in6 next_hop;
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
fill_header(struct ip6_out *o, struct mbuf *m)
{
	struct ip6_state *s = o->machine->ip6;
	struct ip6_hdr *ip6 = mtod(m, struct ip6_hdr *);

	if (o->flags & IP_OUT_RAW) {
		int len = IP6_HLEN + ip6_payload(m);

		s->stat.ip6s_rawout++;
		if ((ip6->ip6_vfc & IPV6_VERSION_MASK) != IPV6_VERSION || len > m->m_pkthdr.len)
			return EINVAL;
		m_adj(m, len - m->m_pkthdr.len);
		return 0;
	}
	s->stat.ip6s_localout++;
	ip6->ip6_vfc = (u_int8_t)((ip6->ip6_vfc & ~IPV6_VERSION_MASK) | IPV6_VERSION);
	ip6->ip6_plen = htons(m->m_pkthdr.len - IP6_HLEN);
	o->usual_hlim = ip6->ip6_hlim == 0;
	if (o->usual_hlim)
		ip6->ip6_hlim = (u_int8_t)s->default_hlim;
	if (to_multicast(m) && o->sender->has_mcast) {
		o->usual_hlim = false;
		ip6->ip6_hlim = o->sender->mcast_ttl;	/* 0: to members here */
	}
	return 0;
}

/* ---- extension headers -------------------------------------------------------------------- */

/* One header to be inserted: its bytes, by its own length. Returns how many; 0: none. */
static size_t
put_extension(const void *header, uint8_t protocol, uint8_t *to, uint8_t **named_at)
{
	struct ip6_ext e;
	size_t len;

	if (header == NULL)
		return 0;
	memcpy(&e, header, sizeof e);
	len = ((size_t)e.ip6e_len + 1) << 3;
	memcpy(to, header, len);
	to[0] = **named_at;
	**named_at = protocol;
	*named_at = to;
	return len;
}

static size_t
extension_bytes(const void *header)
{
	return header == NULL ? 0 : ((size_t)((const struct ip6_ext *)header)->ip6e_len + 1) << 3;
}

/*
 * Puts the sender's headers behind the fixed one, in the order of RFC 8200 4.1. The type 0 routing
 * header is not sent (RFC 5095). On errors *mp is what is left to be freed.
 */
static errno_t
insert_extensions(const struct ip6_out *o, struct mbuf **mp)
{
	const struct ip6_options *x = o->sender->options6;
	const struct ip6_rthdr *routing = x->routing;
	size_t n = extension_bytes(x->hop) + extension_bytes(x->dst1) + extension_bytes(x->routing) +
	    extension_bytes(x->dst2);
	struct mbuf *m = *mp, *front;
	uint8_t *at, *named_at;

	if (routing != NULL && routing->ip6r_type == IPV6_RTHDR_TYPE_0)
		return EINVAL;
	if (n == 0)
		return 0;
	if ((size_t)m->m_pkthdr.len - (size_t)IP6_HLEN + n > IPV6_MAXPACKET || n > IP6_CHAIN_MAX)
		return EMSGSIZE;
	front = m_devget(o->machine, NULL, (size_t)IP6_HLEN + n, LINK_ROOM);
	if (front == NULL) {
		o->machine->ip6->stat.ip6s_odropped++;
		return ENOBUFS;
	}
	memcpy(front->m_data, m->m_data, (size_t)IP6_HLEN);
	m_adj(m, IP6_HLEN);
	n += (size_t)m->m_pkthdr.len;
	*mp = in_put_in_front(front, m);
	mtod(front, struct ip6_hdr *)->ip6_plen = htons(n);
	named_at = (uint8_t *)front->m_data + offsetof(struct ip6_hdr, ip6_nxt);
	at = (uint8_t *)front->m_data + IP6_HLEN;
	at += put_extension(x->hop, IPPROTO_HOPOPTS, at, &named_at);
	at += put_extension(x->dst1, IPPROTO_DSTOPTS, at, &named_at);
	at += put_extension(x->routing, IPPROTO_ROUTING, at, &named_at);
	(void)put_extension(x->dst2, IPPROTO_DSTOPTS, at, &named_at);
	return 0;
}

/* ---- filters ------------------------------------------------------------------------------ */

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

uint32_t
ip6_take_scope(struct in6_addr *a)
{
	uint32_t scope = 0;

	if (ip6_link_local(a)) {
		scope = ntohs(a->s6_addr16[1]);
		a->s6_addr16[1] = 0;
	}
	return scope;
}

/* The sender says by its interface which link it means. */
static void
give_scope(const struct ip_sender *s, struct in6_addr *dst)
{
	const struct ifnet *ifp = s->bound;

	if (ifp == NULL && s->has_mcast && IN6_IS_ADDR_MULTICAST(dst))
		ifp = s->mcast_ifp;
	if (ifp != NULL && ip6_link_local(dst) && dst->s6_addr16[1] == 0)
		dst->s6_addr16[1] = htons(ifp->index);
}

static const struct sockaddr *
generic(const struct sockaddr_in6 *sin6)
{
	return (const struct sockaddr *)(const void *)sin6;
}

static void
set_hop(struct sockaddr_in6 *sin6, const struct in6_addr *a, uint32_t scope)
{
	memset(sin6, 0, sizeof *sin6);
	sin6->sin6_len = sizeof *sin6;
	sin6->sin6_family = AF_INET6;
	sin6->sin6_addr = *a;
	sin6->sin6_scope_id = scope;
}

/* The next hop's link-local address is on the link of its route. */
static void
hop_from_gateway(struct sockaddr_in6 *hop, const struct rtentry *rt)
{
	memcpy(hop, &rt->rt_gateway, sizeof *hop);
	if (ip6_link_local(&hop->sin6_addr)) {
		(void)ip6_take_scope(&hop->sin6_addr);
		hop->sin6_scope_id = rt->rt_ifp->index;
	}
}

static errno_t
no_route(const struct ip6_out *o, errno_t error)
{
	o->machine->ip6->stat.ip6s_noroute++;
	return error;
}

/* By the table, through the sender's cache if it has one. o->rt is referenced. */
static errno_t
choose_by_table(struct ip6_out *o)
{
	const struct sockaddr *dst = generic(&o->next_hop);
	struct rtentry *rt;
	errno_t error = EHOSTUNREACH;

	if (o->sender->route != NULL) {
		rt = route_get(o->machine, o->sender->route, dst, o->sender->bound);
		if (rt != NULL)
			rt_retain(rt);
	} else {
		rt = rt_lookup(o->machine, dst, o->sender->bound, RT_REPORT);
	}
	o->rt = rt;
	if (rt != NULL)
		error = ip_route_refuses(rt);
	if (rt != NULL && error == 0 && (o->flags & IP_OUT_DONTROUTE) && (rt->rt_flags & RTF_GATEWAY))
		error = ENETUNREACH;
	if (error != 0)
		return error == EJUSTRETURN ? error : no_route(o, error);
	o->ifp = rt->rt_ifp;
	o->mtu = rt_mtu(rt);
	if ((rt->rt_flags & RTF_GATEWAY) && rt->rt_gateway.ss_family == AF_INET6)
		hop_from_gateway(&o->next_hop, rt);
	else if (ip6_link_local(&o->next_hop.sin6_addr))
		o->next_hop.sin6_scope_id = o->ifp->index;
	return 0;
}

/* A group whose interface the sender does not say. */
static struct ifnet *
link_for_group(struct nke *machine, const struct sockaddr *dst)
{
	struct rtentry *rt = rt_lookup(machine, dst, NULL, 0);
	struct ifnet *ifp = NULL;

	if (rt != NULL && !(rt->rt_flags & (RTF_REJECT | RTF_BLACKHOLE)))
		ifp = rt->rt_ifp;
	rt_release(rt);
	return ifp != NULL ? ifp : ip_any_link(machine, AF_INET6);
}

/* The interface and next hop; what is addressed to this machine goes through lo0. */
static errno_t
choose_route(struct ip6_out *o, struct mbuf *m)
{
	const struct ip_sender *s = o->sender;
	struct in6_addr *dst = ip6_destination(m);
	bool ours = ifaddr_find_in6(o->machine, dst) != NULL;
	uint32_t scope = ip6_take_scope(dst), from = ip6_take_scope(ip6_source(m));
	errno_t error = 0;

	if (scope == 0 && ip6_link_local(dst))
		scope = from;
	set_hop(&o->next_hop, dst, ip6_link_local(dst) ? scope : 0);
	if (ours) {
		o->ifp = dlil_loopback(o->machine);
		/* For the cache's sake: the next one need not ask again. */
		if (s->route != NULL && s->bound == NULL)
			(void)route_get(o->machine, s->route, generic(&o->next_hop), NULL);
	} else if (scope != 0) {
		o->ifp = dlil_find_by_index(o->machine, scope);
	} else if (to_multicast(m)) {
		o->ifp = s->bound != NULL ? s->bound : s->has_mcast ? s->mcast_ifp : NULL;
		if (o->ifp == NULL)
			o->ifp = link_for_group(o->machine, generic(&o->next_hop));
	} else {
		error = choose_by_table(o);
	}
	if (error == 0 && o->ifp == NULL)
		error = no_route(o, EHOSTUNREACH);
	if (error == 0 && to_multicast(m) && !(o->ifp->flags & IFF_MULTICAST))
		error = no_route(o, ENETUNREACH);
	if (error == 0 && o->mtu == 0)
		o->mtu = ifnet_family_mtu(o->ifp, AF_INET6);
	if ((o->flags & IP_OUT_MINMTU) && o->mtu > IPV6_MMTU)
		o->mtu = IPV6_MMTU;
	if (error == 0 && ip6_link_local(dst))
		o->next_hop.sin6_scope_id = o->ifp->index;
	return error;
}

/*
 * A source for what has none: the destination itself if it is ours, else RFC 6724's choice. A complete
 * header (IP_OUT_RAW) keeps the unspecified address, as duplicate address detection needs.
 */
static errno_t
choose_source(const struct ip6_out *o, struct mbuf *m)
{
	struct in6_addr *src = ip6_source(m);
	const struct ifaddr *ifa;
	struct sockaddr_in6 dst;

	if ((o->flags & (IP_OUT_RAW | IP_OUT_UNSPEC_SOURCE)) || !IN6_IS_ADDR_UNSPECIFIED(src))
		return 0;
	set_hop(&dst, ip6_destination(m), 0);
	/* What goes through lo0 to one of our addresses comes from it too. */
	if ((o->ifp->flags & IFF_LOOPBACK) && ifaddr_find_in6(o->machine, &dst.sin6_addr) != NULL) {
		*src = dst.sin6_addr;
		return 0;
	}
	if (ip6_link_local(&dst.sin6_addr))
		dst.sin6_scope_id = o->ifp->index;
	ifa = in6_select_source(o->machine, o->ifp, o->rt, generic(&dst));
	if (ifa == NULL)
		return o->socket ? EADDRNOTAVAIL : 0;
	*src = ((const struct sockaddr_in6 *)(const void *)&ifa->addr)->sin6_addr;
	(void)ip6_take_scope(src);
	return 0;
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
	uint32_t here = m->m_pkthdr.csum_flags & CSUM_DATA6 & ~(fragmenting ? 0 : if_offload_now(ifp));

	if (here == 0)
		return;
	in6_finalize_cksum(m, 0, here);
	m->m_pkthdr.csum_flags &= ~here;
}

/*
 * Members on this machine hear what it sends to their group: after the filters, once, as if it had come
 * by the interface that it leaves by.
 */
static void
loop_multicast(const struct ip6_out *o, struct mbuf *m)
{
	struct ifnet *lo = dlil_loopback(o->machine);
	struct sockaddr_in6 group;
	struct mbuf *n;

	set_hop(&group, ip6_destination(m), 0);
	if ((o->sender->has_mcast && !o->sender->mcast_loop) || (o->ifp->flags & IFF_LOOPBACK) ||
	    !ip_local_member(o->ifp, generic(&group)))
		return;
	n = m_dup(m, MBUF_DONTWAIT);
	if (n == NULL)
		return;
	/* An interface-local group never comes by a link. */
	if (!IN6_IS_ADDR_MC_INTFACELOCAL(&group.sin6_addr))
		n->m_pkthdr.rcvif = o->ifp;
	finish_checksums(lo, n, false);
	(void)dlil_output(lo, PF_INET6, n, NULL, generic(&group), false);
}

static errno_t
transmit(const struct ip6_out *o, struct mbuf *m)
{
	bool tso = (m->m_pkthdr.csum_flags & CSUM_TSO6) && (if_offload_now(o->ifp) & IFNET_TSO_IPV6);
	bool fits = (uint32_t)m->m_pkthdr.len <= o->mtu || tso;
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
	if (!fits && (o->flags & IP_OUT_DONTFRAG)) {
		o->machine->ip6->stat.ip6s_cantfrag++;
		m_freem(m);
		return EMSGSIZE;
	}
	finish_checksums(o->ifp, m, !fits);
	if (!fits)
		error = ip6_fragment(o->machine, m, o->mtu, &list);
	if (error != 0)
		return error;
	return dlil_output(o->ifp, PF_INET6, list, NULL, generic(&o->next_hop), false);
}

/* ---- entry -------------------------------------------------------------------------------- */

static errno_t
output(struct ip6_out *o, struct mbuf *m)
{
	ipfilter_t behind = ipf_take_ref(m);
	errno_t error;

	TRACE(o->machine, IP_OUTPUT, m, m->m_pkthdr.len, 0);
	error = take_header(o->machine, &m);
	if (error == 0)
		error = fill_header(o, m);
	if (error == 0 && UNLIKELY(o->sender->options6 != NULL))
		error = insert_extensions(o, &m);
	if (error != 0)
		goto done;
	give_scope(o->sender, ip6_destination(m));
	if (UNLIKELY(!ipf_none(o->machine, AF_INET6)) && !(o->flags & IP_OUT_NO_FILTERS)) {
		error = run_filters(o, &m, behind);
		if (error != 0)
			goto done;
	}
	error = choose_route(o, m);
	if (error == 0)
		error = choose_source(o, m);
	if (error == 0)
		error = check_addresses(o, m);
	if (error != 0)
		goto done;
	if (o->usual_hlim && o->ifp->hlim6 != 0)
		mtod(m, struct ip6_hdr *)->ip6_hlim = o->ifp->hlim6;
	error = transmit(o, m);
	m = NULL;
done:
	m_freem(m);
	rt_release(o->rt);
	return error == EJUSTRETURN ? 0 : error;
}

errno_t
ip6_output(struct nke *machine, struct mbuf *m, uint32_t flags, ipf_pktopts_t options)
{
	struct ipf_pktopts none = {0};
	struct ip_sender s = {.flags = flags};
	struct ip6_out o = {.machine = machine, .sender = &s, .flags = flags,
	    .options = options != NULL ? options : &none};

	ip_sender_of(machine, o.options, &s);
	return output(&o, m);
}

errno_t
ip6_inject_send(struct nke *machine, struct mbuf *m, ipf_pktopts_t options)
{
	return ip6_output(machine, m, IP_OUT_RAW, options);
}

/*
 * The short way: to where this sender's last datagram went, in one packet, with nobody watching. False:
 * nothing was done. Addresses that are special in any way start with zeros or 0xfe and 0xff.
 */
static inline bool
send_again(struct nke *machine, struct mbuf *m, const struct ip_sender *s, errno_t *error)
{
	const struct route *ro = s->route;
	struct rtentry *rt = ro != NULL ? ro->ro_rt : NULL;
	const struct in6_addr *src, *dst;
	struct sockaddr_in6 hop = {.sin6_len = sizeof hop, .sin6_family = AF_INET6};
	struct ip6_hdr *ip6;

	if (rt == NULL || s->flags != 0 || s->options6 != NULL || ro->ro_ifp != s->bound ||
	    ro->ro_generation != rt_generation(machine) || !ipf_none(machine, AF_INET6) ||
	    m->m_len < IP6_HLEN || !in_aligned(m) || !m_writable(m))
		return false;
	dst = ip6_destination(m);
	src = ip6_source(m);
	if (!IN6_ARE_ADDR_EQUAL(dst, &ro->ro_dst) || dst->s6_addr[0] >= 0xfe ||
	    src->s6_addr[0] >= 0xfe || dst->s6_addr32[0] == 0 || src->s6_addr32[0] == 0 ||
	    (uint32_t)m->m_pkthdr.len > rt_mtu(rt) || ip_route_refuses(rt) != 0)
		return false;
	TRACE(machine, IP_OUTPUT, m, m->m_pkthdr.len, 0);
	m->m_pkthdr.inject_ref = NULL;
	machine->ip6->stat.ip6s_localout++;
	ip6 = mtod(m, struct ip6_hdr *);
	ip6->ip6_vfc = (u_int8_t)((ip6->ip6_vfc & ~IPV6_VERSION_MASK) | IPV6_VERSION);
	ip6->ip6_plen = htons(m->m_pkthdr.len - IP6_HLEN);
	if (ip6->ip6_hlim == 0)
		ip6->ip6_hlim = rt->rt_ifp->hlim6 != 0 ? rt->rt_ifp->hlim6 :
		    (u_int8_t)machine->ip6->default_hlim;
	finish_checksums(rt->rt_ifp, m, false);
	hop.sin6_addr = *dst;
	hop.sin6_scope_id = ro->ro_zone;
	if ((rt->rt_flags & RTF_GATEWAY) && rt->rt_gateway.ss_family == AF_INET6)
		hop_from_gateway(&hop, rt);
	*error = dlil_output(rt->rt_ifp, PF_INET6, m, NULL, generic(&hop), false);
	return true;
}

errno_t
ip6_send(struct nke *machine, struct mbuf *m, const struct ip_sender *s)
{
	struct ipf_pktopts options;
	struct ip6_out o = {.machine = machine, .sender = s, .flags = s->flags, .options = &options,
	    .socket = true};
	errno_t error;

	if (send_again(machine, m, s, &error))
		return error;
	ip_options_of(s, &options);
	return output(&o, m);
}
