/*
 * Forwarding of IPv4 (RFC 1812 5): what comes by one link and is for somebody else leaves by another.
 *
 * Called by ip_input for packets that are not for this machine, when net.inet.ip.forwarding is set; else
 * they are counted and let go. Interface fact: IP filters see forwarded packets on the way out only. State:
 * the route of the last one (ip_state.forward_route). No timers, nothing is kept.
 *
 * Left out: multicast routing, directed broadcasts (RFC 2644), policy.
 */
#include <netinet/ip_icmp.h>
#include <string.h>

#include "dlil/dlil.h"
#include "ipfilter/ipfilter.h"
#include "src/kern/trace.h"
#include "src/netinet/ip_state.h"
#include "src/netinet/tcp_gso.h"

#define QUOTE_MAX	576u		/* bytes of a packet that an ICMP error may need */
/*
 * After a packet that the link did not take, so many are copied before they are sent, so that their
 * senders can be told if it does not take them either.
 */
#define DOUBTED_PACKETS	256u

/* RFC 1812 5.3.7, 4.2.3.1, RFC 3927 7: addresses that no router passes on. */
static bool
address_travels(uint32_t a)
{
	return !IN_ZERONET(a) && !IN_LOOPBACK(a) && !IN_MULTICAST(a) && !IN_EXPERIMENTAL(a) &&
	    !IN_LINKLOCAL(a);
}

static bool
may_be_forwarded(struct nke *machine, const struct mbuf *m)
{
	const struct ip *ip = mtod(m, const struct ip *);

	if (!machine->ip->forwarding || machine->replay != NULL || m->m_pkthdr.rcvif == NULL ||
	    (m->m_flags & (MBUF_BCAST | MBUF_MCAST)))
		return false;
	if (!address_travels(ntohl(ip->ip_src.s_addr)) || !address_travels(ntohl(ip->ip_dst.s_addr)))
		return false;
	/* Nobody but us sends from our addresses; broadcasts end at the router. */
	return ifaddr_find_in4(machine, ip->ip_src.s_addr) == NULL &&
	    ifaddr_find_broadcast4(machine, NULL, ip->ip_src.s_addr) == NULL &&
	    ifaddr_find_broadcast4(machine, NULL, ip->ip_dst.s_addr) == NULL;
}

/* ---- route -------------------------------------------------------------------------------- */

static uint8_t
unreachable_code(errno_t error)
{
	return error == ENETUNREACH ? ICMP_UNREACH_NET : ICMP_UNREACH_HOST;
}

/*
 * The way on; o->rt is referenced. False: there is none, the packet has been consumed and its sender told
 * (RFC 1812 5.2.7.1).
 */
static bool
choose_route(struct ip_out *o, struct mbuf *m)
{
	struct ip_state *s = o->machine->ip;
	struct sockaddr_in *hop = &o->next_hop;
	struct rtentry *rt;
	errno_t error;

	hop->sin_len = sizeof *hop;
	hop->sin_family = AF_INET;
	hop->sin_addr = mtod(m, const struct ip *)->ip_dst;
	rt = route_get(o->machine, &s->forward_route, (const struct sockaddr *)(const void *)hop, NULL);
	error = rt == NULL ? ENETUNREACH : ip_route_refuses(rt);
	if (error == EJUSTRETURN || (error == 0 && (rt->rt_ifp->flags & IFF_LOOPBACK))) {
		ip_refuse(o->machine, m, &s->stat.ips_cantforward);
		return false;
	}
	if (error == 0 && !(rt->rt_ifp->flags & IFF_UP))
		error = EHOSTUNREACH;
	if (error != 0) {
		s->stat.ips_noroute++;
		icmp_error(o->machine, m, ICMP_UNREACH, unreachable_code(error), 0);
		return false;
	}
	rt_retain(rt);
	o->rt = rt;
	o->ifp = rt->rt_ifp;
	o->mtu = rt_mtu(rt);
	if ((rt->rt_flags & RTF_GATEWAY) && rt->rt_gateway.ss_family == AF_INET)
		memcpy(hop, &rt->rt_gateway, sizeof *hop);
	return true;
}

/* ---- redirects ---------------------------------------------------------------------------- */

static bool
on_link(const struct ifnet *ifp, struct in_addr a)
{
	struct sockaddr_in sin = {.sin_len = sizeof sin, .sin_family = AF_INET, .sin_addr = a};

	return ifaddr_on_link(ifp, (const struct sockaddr *)(const void *)&sin);
}

/* RFC 1812 5.2.7.2: the sender could have sent it to the next hop itself. */
static bool
redirect_is_due(const struct ip_out *o, const struct mbuf *m)
{
	const struct ip *ip = mtod(m, const struct ip *);
	size_t options = ((size_t)ip->ip_hl << 2) - (size_t)IP_HLEN;

	return o->ifp == m->m_pkthdr.rcvif && o->machine->ip->send_redirects &&
	    !(o->rt->rt_flags & (RTF_DYNAMIC | RTF_MODIFIED)) && on_link(o->ifp, ip->ip_src) &&
	    on_link(o->ifp, o->next_hop.sin_addr) && o->next_hop.sin_addr.s_addr != ip->ip_src.s_addr &&
	    ip_options_check((const uint8_t *)ip + IP_HLEN, options) == IP_OPTIONS_GOOD;
}

static void
send_redirect(const struct ip_out *o, struct mbuf *m)
{
	size_t len = (size_t)m->m_pkthdr.len;
	struct mbuf *copy = m_copym(m, 0, len < QUOTE_MAX ? len : QUOTE_MAX, MBUF_DONTWAIT);

	if (copy == NULL)
		return;
	o->machine->ip->stat.ips_redirectsent++;
	icmp_error(o->machine, copy, ICMP_REDIRECT, ICMP_REDIRECT_HOST, o->next_hop.sin_addr.s_addr);
}

/* ---- sending ------------------------------------------------------------------------------ */

static bool
too_big(const struct ip_out *o, const struct mbuf *m)
{
	return (uint32_t)m->m_pkthdr.len > o->mtu &&
	    (mtod(m, const struct ip *)->ip_off & htons(IP_DF));
}

static void
say_too_big(const struct ip_out *o, struct mbuf *m)
{
	o->machine->ip->stat.ips_cantfrag++;
	icmp_error(o->machine, m, ICMP_UNREACH, ICMP_UNREACH_NEEDFRAG, o->mtu);
}

/* Filters, fragments, link. Consumes. */
static void
send_on(const struct ip_out *o, struct mbuf *m)
{
	struct ip_state *s = o->machine->ip;
	size_t len = (size_t)m->m_pkthdr.len;
	struct mbuf *copy = NULL;
	errno_t error;

	if (!ipf_none(o->machine, AF_INET)) {
		error = ip_filter_out(o, &m, NULL);
		if (error != 0) {
			m_freem(m);
			return;
		}
		if (too_big(o, m)) {
			say_too_big(o, m);
			return;
		}
	}
	if (s->forward_doubt != 0) {
		s->forward_doubt--;
		copy = m_copym(m, 0, len < QUOTE_MAX ? len : QUOTE_MAX, MBUF_DONTWAIT);
	}
	error = ip_transmit(o, m);
	if (error == 0) {
		s->stat.ips_forward++;
	} else if (error == EHOSTUNREACH || error == EHOSTDOWN || error == ENETDOWN || error == ENXIO) {
		s->stat.ips_cantforward++;
		s->forward_doubt = DOUBTED_PACKETS;
		if (copy != NULL) {
			icmp_error(o->machine, copy, ICMP_UNREACH, ICMP_UNREACH_HOST, 0);
			return;
		}
	}
	m_freem(copy);
}

static void
forward_one(struct nke *machine, struct mbuf *m, int hlen)
{
	const struct ip_sender nothing = {.flags = IP_OUT_FORWARDING};
	struct ipf_pktopts options = {0};
	struct ip_out o = {.machine = machine, .sender = &nothing, .options = &options,
	    .flags = IP_OUT_FORWARDING};
	struct ip_state *s = machine->ip;

	if (!may_be_forwarded(machine, m)) {
		ip_refuse(machine, m, &s->stat.ips_cantforward);
		return;
	}
	if (mtod(m, const struct ip *)->ip_ttl <= IPTTLDEC) {
		s->stat.ips_cantforward++;
		icmp_error(machine, m, ICMP_TIMXCEED, ICMP_TIMXCEED_INTRANS, 0);
		return;
	}
	if (!choose_route(&o, m))
		return;
	TRACE(machine, IP_FORWARD, m, m->m_pkthdr.rcvif->index, o.ifp->index);
	if (UNLIKELY(redirect_is_due(&o, m)))
		send_redirect(&o, m);
	if (too_big(&o, m)) {
		say_too_big(&o, m);
		goto done;
	}
	m = ip_writable(machine, m, (size_t)hlen, &s->stat.ips_odropped);
	if (m == NULL)
		goto done;
	TRACE(machine, IP_OUTPUT, m, m->m_pkthdr.len, 0);
	mtod(m, struct ip *)->ip_ttl -= IPTTLDEC;
	/* What the receiving hardware found out is not for the sending one; what was left out still is. */
	m->m_pkthdr.csum_flags &= MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_UDP;
	m->m_pkthdr.csum_data = 0;
	send_on(&o, m);
done:
	rt_release(o.rt);
}

void
ip_not_ours(struct nke *machine, struct mbuf *m, int hlen)
{
	struct mbuf *next;

	if (LIKELY(!tcp_gso_is_large(m))) {
		forward_one(machine, m, hlen);
		return;
	}
	for (m = tcp_gso_cut(machine, m, 0); m != NULL; m = next) {
		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		forward_one(machine, m, hlen);
	}
}
