/*
 * Forwarding of IPv6 (RFC 8200, RFC 4291 2.5, RFC 4443 3, RFC 4861 8.2): what comes by one link and is for
 * somebody else leaves by another. Routers do not cut packets.
 *
 * Called by ip6_input for packets that are not for this machine, when net.inet6.ip6.forwarding is set; else
 * they are counted and let go. Interface fact: IP filters do not see forwarded IPv6 packets. State: the
 * route of the last one (ip6_state.forward_route). No timers, nothing is kept.
 *
 * Left out: multicast routing, policy.
 */
#include <netinet/icmp6.h>
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/trace.h"
#include "src/netinet/ip_state.h"
#include "src/netinet/tcp_gso.h"
#include "src/netinet6/icmp6_private.h"

#define DOUBTED_PACKETS	256u		/* as in ip_forward.c */

/* One packet on its way through. */
struct passage {
	struct nke *machine;
	struct rtentry *rt;		/* referenced */
	struct ifnet *ifp;
	struct sockaddr_in6 next_hop;
};

/* RFC 4291 2.5.2, 2.5.3: addresses that no router passes on. */
static bool
may_be_forwarded(struct nke *machine, const struct mbuf *m)
{
	const struct in6_addr *src = ip6_source(m), *dst = ip6_destination(m);

	if (!machine->ip6->forwarding || machine->replay != NULL || m->m_pkthdr.rcvif == NULL ||
	    (m->m_flags & (MBUF_BCAST | MBUF_MCAST)))
		return false;
	if (IN6_IS_ADDR_UNSPECIFIED(src) || IN6_IS_ADDR_LOOPBACK(src) || IN6_IS_ADDR_MULTICAST(src) ||
	    IN6_IS_ADDR_LOOPBACK(dst) || IN6_IS_ADDR_LINKLOCAL(dst))
		return false;
	/* Nobody but us sends from our addresses; ours that are not in use yet take nothing. */
	return ifaddr_find_in6_zone(machine, src, m->m_pkthdr.rcvif->index) == NULL &&
	    ifaddr_find_in6(machine, dst) == NULL;
}

/* The way on. False: there is none, the packet has been consumed and its sender told. */
static bool
choose_route(struct passage *p, struct mbuf *m)
{
	struct ip6_state *s = p->machine->ip6;
	struct sockaddr_in6 *hop = &p->next_hop;
	struct rtentry *rt;
	errno_t error;

	hop->sin6_len = sizeof *hop;
	hop->sin6_family = AF_INET6;
	hop->sin6_addr = *ip6_destination(m);
	rt = route_get(p->machine, &s->forward_route, (const struct sockaddr *)(const void *)hop, NULL);
	error = rt == NULL ? ENETUNREACH : ip_route_refuses(rt);
	if (error == EJUSTRETURN || (error == 0 && (rt->rt_ifp->flags & IFF_LOOPBACK))) {
		ip6_refuse(p->machine, m, &s->stat.ip6s_cantforward);
		return false;
	}
	if (error == 0 && !(rt->rt_ifp->flags & IFF_UP))
		error = EHOSTUNREACH;
	if (error != 0) {
		s->stat.ip6s_cantforward++;
		s->stat.ip6s_noroute++;
		icmp6_error(p->machine, m, ICMP6_DST_UNREACH, error == EHOSTUNREACH ?
		    ICMP6_DST_UNREACH_ADDR : ICMP6_DST_UNREACH_NOROUTE, 0);
		return false;
	}
	rt_retain(rt);
	p->rt = rt;
	p->ifp = rt->rt_ifp;
	if ((rt->rt_flags & RTF_GATEWAY) && rt->rt_gateway.ss_family == AF_INET6) {
		memcpy(hop, &rt->rt_gateway, sizeof *hop);
		if (ip6_link_local(&hop->sin6_addr)) {
			(void)ip6_take_scope(&hop->sin6_addr);
			hop->sin6_scope_id = p->ifp->index;
		}
	}
	return true;
}

/* ---- redirects ---------------------------------------------------------------------------- */

static bool
on_link(const struct ifnet *ifp, const struct in6_addr *a)
{
	struct sockaddr_in6 sin6 = {.sin6_len = sizeof sin6, .sin6_family = AF_INET6, .sin6_addr = *a};

	return IN6_IS_ADDR_LINKLOCAL(a) ||
	    ifaddr_on_link(ifp, (const struct sockaddr *)(const void *)&sin6);
}

/* RFC 4861 8.2: the sender is a neighbour, and could have sent it to the next hop itself. */
static bool
redirect_is_due(const struct passage *p, const struct mbuf *m)
{
	bool gateway = p->rt->rt_flags & RTF_GATEWAY;

	return p->ifp == m->m_pkthdr.rcvif && p->machine->ip6->send_redirects &&
	    !(p->rt->rt_flags & (RTF_DYNAMIC | RTF_MODIFIED)) && on_link(p->ifp, ip6_source(m)) &&
	    !IN6_ARE_ADDR_EQUAL(ip6_source(m), &p->next_hop.sin6_addr) &&
	    (!gateway || IN6_IS_ADDR_LINKLOCAL(&p->next_hop.sin6_addr));
}

/* ---- entry -------------------------------------------------------------------------------- */

/* Options that every router on the way looks at. False: refused, consumed. */
static bool
hop_by_hop_good(struct nke *machine, struct mbuf *m)
{
	struct ip6_place p = ip6_first_place(m);

	if (p.next != IPPROTO_HOPOPTS || ip6_options_good(m, p.off))
		return true;
	ip6_refuse_extension(machine, m, &p);
	return false;
}

static void
send_on(const struct passage *p, struct mbuf *m)
{
	struct ip6_state *s = p->machine->ip6;
	struct mbuf *copy = NULL;
	errno_t error;

	if (s->forward_doubt != 0) {
		s->forward_doubt--;
		copy = m_copym(m, 0, M_COPYALL, MBUF_DONTWAIT);
	}
	error = dlil_output(p->ifp, PF_INET6, m, NULL,
	    (const struct sockaddr *)(const void *)&p->next_hop, false);
	if (error == 0) {
		s->stat.ip6s_forward++;
	} else if (error == EHOSTUNREACH || error == EHOSTDOWN || error == ENETDOWN || error == ENXIO) {
		s->stat.ip6s_cantforward++;
		s->forward_doubt = DOUBTED_PACKETS;
		if (copy != NULL) {
			icmp6_error(p->machine, copy, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR, 0);
			return;
		}
	}
	m_freem(copy);
}

static void
forward_one(struct nke *machine, struct mbuf *m)
{
	struct passage p = {.machine = machine};
	struct ip6_state *s = machine->ip6;
	uint32_t mtu;

	if (!may_be_forwarded(machine, m)) {
		ip6_refuse(machine, m, &s->stat.ip6s_cantforward);
		return;
	}
	if (!hop_by_hop_good(machine, m))
		return;
	if (mtod(m, const struct ip6_hdr *)->ip6_hlim <= IPV6_HLIMDEC) {
		s->stat.ip6s_cantforward++;
		icmp6_error(machine, m, ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_TRANSIT, 0);
		return;
	}
	if (!choose_route(&p, m))
		return;
	TRACE(machine, IP_FORWARD, m, m->m_pkthdr.rcvif->index, p.ifp->index);
	/* RFC 4007 9: a link-local source ends with its link. */
	if (IN6_IS_ADDR_LINKLOCAL(ip6_source(m)) && p.ifp != m->m_pkthdr.rcvif) {
		s->stat.ip6s_cantforward++;
		s->stat.ip6s_badscope++;
		icmp6_error(machine, m, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_BEYONDSCOPE, 0);
		goto done;
	}
	if (UNLIKELY(redirect_is_due(&p, m)))
		icmp6_redirect_output(machine, m, &p.next_hop.sin6_addr);
	mtu = rt_mtu(p.rt);
	if ((uint32_t)m->m_pkthdr.len > mtu) {
		s->stat.ip6s_cantforward++;
		icmp6_error(machine, m, ICMP6_PACKET_TOO_BIG, 0, mtu);
		goto done;
	}
	m = ip6_writable(machine, m, &s->stat.ip6s_odropped);
	if (m == NULL)
		goto done;
	TRACE(machine, IP_OUTPUT, m, m->m_pkthdr.len, 0);
	mtod(m, struct ip6_hdr *)->ip6_hlim -= IPV6_HLIMDEC;
	/* What the receiving hardware found out is not for the sending one; what was left out still is. */
	m->m_pkthdr.csum_flags &= MBUF_CSUM_REQ_TCPIPV6 | MBUF_CSUM_REQ_UDPIPV6;
	m->m_pkthdr.csum_data = 0;
	if (UNLIKELY((m->m_pkthdr.csum_flags & ~if_offload_now(p.ifp)) != 0))
		(void)in6_finalize_cksum(m, 0, m->m_pkthdr.csum_flags & ~if_offload_now(p.ifp));
	send_on(&p, m);
done:
	rt_release(p.rt);
}

void
ip6_not_ours(struct nke *machine, struct mbuf *m)
{
	struct mbuf *next;

	if (LIKELY(!tcp_gso_is_large(m))) {
		forward_one(machine, m);
		return;
	}
	for (m = tcp_gso_cut(machine, m, 0); m != NULL; m = next) {
		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		forward_one(machine, m);
	}
}
