/*
 * IPv6's way in (RFC 8200): header checks, "is it for us?", then header by header: IP filters, the
 * header's handler, until the transport is reached.
 *
 * Called by DLIL with lists of packets (net_proto.input), by the IP filter engine with injected
 * ones. Every packet is consumed. What is for others goes to ip6_forward.c. Left out: group memberships
 * (left to the transports: every multicast is taken to be for us), jumbograms (RFC 2675: counted as bad
 * options, refused).
 *
 * Interface fact: filters are called once for each header of the chain, hop-by-hop options
 * excepted; a fragment is shown to them as one (protocol 44), and the datagram again when it is
 * whole.
 */
#include <netinet6/in6_var.h>
#include <string.h>

#include "dlil/dlil.h"
#include "ipfilter/ipfilter.h"
#include "src/kern/klog.h"
#include "src/kern/trace.h"
#include "src/net/replay.h"
#include "src/netinet/raw_input.h"
#include "src/netinet6/ip6_state.h"

/* ---- the header --------------------------------------------------------------------------- */

/* RFC 4291 2.7: what a multicast of the two smallest scopes is good for ends with the machine. */
static bool
multicast_possible(const struct in6_addr *dst, bool loopback)
{
	switch (IPV6_ADDR_MC_SCOPE(dst)) {
	case 0:
		return false;
	case IPV6_ADDR_SCOPE_INTFACELOCAL:
		return loopback;
	default:
		return true;
	}
}

/* Can a packet with these addresses have come by that interface? */
static bool
addresses_possible(const struct mbuf *m)
{
	const struct in6_addr *src = ip6_source(m), *dst = ip6_destination(m);
	const struct ifnet *ifp = m->m_pkthdr.rcvif;
	/* Without an interface: sent by the host of a capture, to itself. */
	bool loopback = ifp == NULL || (ifp->flags & IFF_LOOPBACK);

	if (IN6_IS_ADDR_MULTICAST(src) || IN6_IS_ADDR_UNSPECIFIED(dst))
		return false;
	if (IN6_IS_ADDR_MULTICAST(dst) && !multicast_possible(dst, loopback))
		return false;
	/* Mapped IPv4 addresses would pass for what they are not (RFC 4942 2.2). */
	if (IN6_IS_ADDR_V4MAPPED(src) || IN6_IS_ADDR_V4MAPPED(dst))
		return false;
	return loopback || (!IN6_IS_ADDR_LOOPBACK(src) && !IN6_IS_ADDR_LOOPBACK(dst));
}

static u_quad_t *
header_fault(struct ip6stat *st, const struct mbuf *m)
{
	const struct ip6_hdr *ip6 = mtod(m, const struct ip6_hdr *);

	if ((ip6->ip6_vfc & IPV6_VERSION_MASK) != IPV6_VERSION)
		return &st->ip6s_badvers;
	if (!addresses_possible(m))
		return &st->ip6s_badscope;
	if (IP6_HLEN + ip6_payload(m) > m->m_pkthdr.len)
		return &st->ip6s_tooshort;
	/* A length of 0 with hop-by-hop options is a jumbogram's, or nonsense. */
	if (ip6_payload(m) == 0 && ip6->ip6_nxt == IPPROTO_HOPOPTS)
		return &st->ip6s_badoptions;
	return NULL;
}

static void
trim(struct ip6stat *st, struct mbuf *m)
{
	int len = IP6_HLEN + ip6_payload(m);

	if (m->m_pkthdr.len <= len)
		return;
	st->ip6s_adj++;
	if ((m->m_pkthdr.csum_flags & (MBUF_CSUM_DID_DATA | MBUF_CSUM_PSEUDO_HDR)) ==
	    MBUF_CSUM_DID_DATA) {
		m->m_pkthdr.csum_flags &= ~(uint32_t)MBUF_CSUM_DID_DATA;
		st->ip6s_adj_hwcsum_clr++;
	}
	m_adj(m, len - m->m_pkthdr.len);
}

/* Contiguous and aligned. NULL: no memory, counted. */
static struct mbuf *
header_in_place(struct nke *machine, struct mbuf *m)
{
	struct ip6stat *st = &machine->ip6->stat;

	if (m->m_len < IP6_HLEN && (m = ip6_pullup(machine, m, &st->ip6s_toosmall)) == NULL)
		return NULL;
	return in_aligned(m) ? m : ip6_align(machine, m, &st->ip6s_toosmall);
}

bool
ip6_check_header(struct nke *machine, struct mbuf **mp)
{
	struct ip6stat *st = &machine->ip6->stat;
	struct mbuf *m = *mp;
	u_quad_t *fault;

	*mp = NULL;
	/* Who handed it in may have changed lengths of single mbufs only. */
	m->m_pkthdr.len = (int32_t)m_length(m);
	if (m->m_pkthdr.len < IP6_HLEN) {
		ip6_refuse(machine, m, &st->ip6s_toosmall);
		return false;
	}
	m = header_in_place(machine, m);
	if (m == NULL)
		return false;
	fault = header_fault(st, m);
	if (fault != NULL) {
		ip6_refuse(machine, m, fault);
		return false;
	}
	trim(st, m);
	*mp = m;
	return true;
}

/* ip6_check_header() for the common case, inline: one mbuf, no padding, plain unicast. */
static inline bool
ip6_header(struct nke *machine, struct mbuf **mp)
{
	struct mbuf *m = *mp;

	if (LIKELY(m->m_next == NULL && m->m_len == m->m_pkthdr.len && m->m_len > IP6_HLEN &&
	    in_aligned(m))) {
		const struct in6_addr *src = ip6_source(m), *dst = ip6_destination(m);

		/* Unspecified, loopback and mapped addresses start with zeros. */
		if (LIKELY(*(const uint8_t *)m->m_data >> 4 == 6 &&
		    IP6_HLEN + ip6_payload(m) == m->m_len && src->s6_addr[0] != 0xff &&
		    dst->s6_addr[0] != 0xff && src->s6_addr32[0] != 0 && dst->s6_addr32[0] != 0))
			return true;
	}
	return ip6_check_header(machine, mp);
}

bool
ip6_recheck(struct nke *machine, struct mbuf **mp)
{
	struct ip6stat *st = &machine->ip6->stat;
	struct mbuf *m = *mp;
	struct pkt_origin *origin = m->m_pkthdr.origin;

	*mp = NULL;
	m->m_pkthdr.len = (int32_t)m_length(m);
	if (m->m_pkthdr.len >= IP6_HLEN) {
		m = header_in_place(machine, m);
		if (m == NULL)
			return false;
		if (IP6_HLEN + ip6_payload(m) <= m->m_pkthdr.len) {
			trim(st, m);
			*mp = m;
			return true;
		}
	}
	st->ip6s_tooshort++;
	TRACE(machine, IP_DROP, m, offsetof(struct ip6stat, ip6s_tooshort), 0);
	if (!machine->ip6->said_length) {
		machine->ip6->said_length = true;
		klog(machine, 4,
		    "an IP filter passed on a packet of %d bytes that its ip6_plen does not "
		    "fit: dropped, as all such packets from now on",
		    m->m_pkthdr.len);
	}
	m_freem(m);
	if (origin != NULL)
		replay_verdict(machine, origin, PKT_DROPPED);
	return false;
}

/* ---- for us? ------------------------------------------------------------------------------ */

/*
 * A link-local address is ours on its link only; it is kept with the index of its interface inside.
 */
static bool
ours_on_link(struct nke *machine, const struct ifnet *ifp, const struct in6_addr *dst)
{
	struct in6_addr kept = *dst;
	const struct ifaddr *ifa;

	if (kept.s6_addr16[1] != 0)
		return false;
	if (ifp != NULL && !(ifp->flags & IFF_LOOPBACK))
		kept.s6_addr16[1] = htons(ifp->index);
	ifa = ifaddr_find_in6(machine, &kept);
	return ifa != NULL && !(ifa->ia6_flags & IN6_IFF_NOTREADY);
}

static bool
ip6_is_ours_slow(struct nke *machine, const struct mbuf *m, const struct in6_addr *dst)
{
	struct ip6_state *s = machine->ip6;
	struct ifaddr *ifa;

	if (IN6_IS_ADDR_MULTICAST(dst))
		return true;
	if (IN6_IS_ADDR_LINKLOCAL(dst))
		return ours_on_link(machine, m->m_pkthdr.rcvif, dst);
	ifa = ifaddr_find_in6(machine, dst);
	/* RFC 4862 5.4: not before it is known to be nobody else's. */
	if (ifa == NULL || (ifa->ia6_flags & IN6_IFF_NOTREADY))
		return false;
	ifaddr_retain(ifa);
	if (s->last_ours != NULL)
		ifaddr_drop(s->last_ours);
	s->last_ours = ifa;
	s->last_ours_addr = *dst;
	return true;
}

static inline bool
ip6_is_ours(struct nke *machine, const struct mbuf *m)
{
	const struct ip6_state *s = machine->ip6;
	const struct in6_addr *dst = ip6_destination(m);

	if (LIKELY(s->last_ours != NULL && IN6_ARE_ADDR_EQUAL(&s->last_ours_addr, dst) &&
	    s->last_ours->attached && !(s->last_ours->ia6_flags & IN6_IFF_NOTREADY)))
		return true;
	return ip6_is_ours_slow(machine, m, dst);
}

/* ---- header by header --------------------------------------------------------------------- */

static void
ip6_to_transport(struct nke *machine, struct mbuf *m, const struct ip6_place *p)
{
	struct ip6_state *s = machine->ip6;
	const struct ip_transport *t = s->transport[p->next];

	TRACE(machine, IP_DELIVER, m, p->next, p->off);
	if (t != NULL && machine->replay == NULL) {
		s->stat.ip6s_delivered++;
		t->input(machine, m, (int)p->off, p->next);
	} else if (machine->replay != NULL) {
		s->stat.ip6s_delivered++;
		replay_deliver(machine, m);
	} else if (rip6_wants(machine, p->next)) {
		s->stat.ip6s_delivered++;
		rip6_input(machine, m, (int)p->off, p->next);
	} else {
		ip6_no_transport(machine, m, p);
	}
}

/* The handler of an extension header: steps over it. False: refused. */
static bool
ip6_extension(struct nke *machine, struct mbuf *m, struct ip6_place *p)
{
	bool good = p->next == IPPROTO_ROUTING ? ip6_routing_good(m, p->off) :
	    ip6_options_good(m, p->off);

	if (!good || !ip6_step(m, p)) {
		ip6_refuse_extension(machine, m, p);
		return false;
	}
	return true;
}

/* Through the filters; NULL: none of it is left. */
static struct mbuf *
ip6_filter_in(struct nke *machine, struct mbuf *m, const struct ip6_place *p, ipfilter_t behind)
{
	errno_t error;

	if (ipf_input_untouched(machine, AF_INET6, &m, (int)p->off, p->next, behind, &error) &&
	    m->m_pkthdr.csum_flags == 0)
		return m;
	if (error != 0)
		return NULL;
	return ip6_recheck(machine, &m) ? m : NULL;
}

static void
ip6_headers(struct nke *machine, struct mbuf *m, struct ip6_place p, ipfilter_t behind)
{
	struct ip6stat *st = &machine->ip6->stat;

	for (unsigned nest = 0; nest <= IP6_NEST_LIMIT; nest++) {
		m->m_pkthdr.nexthdr_off = (uint16_t)p.named_at;
		if (UNLIKELY(!ipf_none(machine, AF_INET6)) &&
		    (m = ip6_filter_in(machine, m, &p, behind)) == NULL)
			return;
		switch (p.next) {
		case IPPROTO_HOPOPTS:		/* allowed right behind the fixed header only */
			ip6_refuse_extension(machine, m, &p);
			return;
		case IPPROTO_DSTOPTS:
		case IPPROTO_ROUTING:
			if (!ip6_extension(machine, m, &p))
				return;
			break;
		case IPPROTO_FRAGMENT: {
			int off = (int)p.off;

			m->m_pkthdr.nexthdr_off = (uint16_t)p.named_at;
			m = ip6_reass(machine, m, &off, &p.next, 0);
			if (m == NULL)
				return;
			p.off = (size_t)off;
			p.named_at = m->m_pkthdr.nexthdr_off;
			break;
		}
		default:
			ip6_to_transport(machine, m, &p);
			return;
		}
	}
	ip6_refuse(machine, m, &st->ip6s_toomanyhdr);
}

static inline void
ip6_input_one(struct nke *machine, struct mbuf *m)
{
	struct ip6_state *s = machine->ip6;
	struct ip6_place p;

	s->stat.ip6s_total++;
	TRACE(machine, IP_INPUT, m, m->m_pkthdr.rcvif != NULL ? m->m_pkthdr.rcvif->index : 0,
	    m->m_pkthdr.len);
	if (UNLIKELY(!ip6_header(machine, &m)))
		return;
	p = ip6_first_place(m);
	s->stat.ip6s_nxthist[p.next]++;
	if (UNLIKELY(!ip6_is_ours(machine, m))) {
		ip6_not_ours(machine, m);
		return;
	}
	if (UNLIKELY(p.next == IPPROTO_HOPOPTS) && !ip6_extension(machine, m, &p))
		return;
	ip6_headers(machine, m, p, NULL);
}

void
ip6_input(struct nke *machine, struct mbuf *list)
{
	struct mbuf *next;

	for (; list != NULL; list = next) {
		next = list->m_nextpkt;
		list->m_nextpkt = NULL;
		if (next != NULL)
			__builtin_prefetch(next->m_data);
		ip6_input_one(machine, list);
	}
}

/* ---- injected packets --------------------------------------------------------------------- */

void
ip6_inject_receive(struct nke *machine, struct mbuf *m)
{
	ipfilter_t behind = ipf_take_ref(m);
	struct in6_addr dst;
	struct ip6_place p;

	if (behind == NULL) {
		if (m->m_pkthdr.rcvif == NULL) {
			struct ifaddr *ifa = NULL;

			if (m_copydata(m, offsetof(struct ip6_hdr, ip6_dst), sizeof dst, &dst) == 0)
				ifa = ifaddr_find_in6(machine, &dst);
			m->m_pkthdr.rcvif = ifa != NULL ? ifa->ifp : dlil_loopback(machine);
			m->m_pkthdr.csum_flags = 0;
			m->m_pkthdr.csum_data = 0;
		}
		ip6_input(machine, m);
		return;
	}
	/* Interface fact: it starts again at the first header behind the fixed one. */
	if (!ip6_recheck(machine, &m))
		return;
	p = ip6_first_place(m);
	if (p.next == IPPROTO_HOPOPTS && !ip6_extension(machine, m, &p))
		return;
	ip6_headers(machine, m, p, behind);
}
