/*
 * ICMPv6 errors and redirects that this machine sends (RFC 4443 2.4, 3; RFC 4861 8.2).
 *
 * Called by transports (no such port), IPv6 input (headers, options, reassembly), forwarding, and
 * neighbours that do not answer. A replayed machine says nothing.
 *
 * Limits against abuse: no errors about errors and redirects, nor about what was sent to or from more than
 * one host, except that a packet is too big and that an option is not known (RFC 4443 2.4 e);
 * net.inet6.icmp6.errppslimit a second in all, redirects apart from the others.
 */
#include <netinet6/in6_var.h>
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/sched.h"
#include "src/netinet6/icmp6_private.h"
#include "src/netinet6/nd6.h"

#define LINK_ROOM	16u		/* before the header, for an Ethernet header, aligned */
#define ICMP6_HLEN	8u
#define REDIRECT_LEN	40u
#define QUOTE_MAX	(IPV6_MMTU - (size_t)IP6_HLEN - ICMP6_HLEN)	/* the error fits every link */
#define QUOTE_REDIRECT	(IPV6_MMTU - (size_t)IP6_HLEN - REDIRECT_LEN - 16u)

/* ---- may it be said? ---------------------------------------------------------------------- */

/* The message that the packet carries is an error or a redirect. One too short to tell is taken for one. */
static bool
carries_an_error(const struct mbuf *m)
{
	struct ip6_place p = ip6_first_place(m);
	struct ip6_frag f;
	uint8_t type;

	for (unsigned n = 0; n < IP6_NEST_LIMIT; n++) {
		if (ip6_is_extension(p.next)) {
			if (!ip6_step(m, &p))
				return false;
		} else if (p.next == IPPROTO_FRAGMENT) {
			if (m_copydata(m, p.off, sizeof f, &f) != 0)
				return false;
			if (f.ip6f_offlg & IP6F_OFF_MASK)
				return f.ip6f_nxt == IPPROTO_ICMPV6;
			p.next = f.ip6f_nxt;
			p.off += sizeof f;
		} else {
			break;
		}
	}
	if (p.next != IPPROTO_ICMPV6)
		return false;
	return m_copydata(m, p.off, 1, &type) != 0 || !(type & ICMP6_INFOMSG_MASK) ||
	    type == ND_REDIRECT;
}

static bool
may_be_sent(const struct mbuf *m, uint8_t type, uint8_t code)
{
	const struct in6_addr *src = ip6_source(m), *dst = ip6_destination(m);
	bool even_to_groups = type == ICMP6_PACKET_TOO_BIG ||
	    (type == ICMP6_PARAM_PROB && code == ICMP6_PARAMPROB_OPTION);
	bool to_many = IN6_IS_ADDR_MULTICAST(dst) || (m->m_flags & (MBUF_BCAST | MBUF_MCAST));

	if (to_many && !even_to_groups)
		return false;
	if (IN6_IS_ADDR_MULTICAST(dst) && !icmp6_is_member(m->m_pkthdr.rcvif, dst))
		return false;
	return !IN6_IS_ADDR_UNSPECIFIED(src) && !IN6_IS_ADDR_MULTICAST(src) && !carries_an_error(m);
}

static void
count_error(struct icmp6errstat *e, uint8_t type, uint8_t code)
{
	u_quad_t *unreach[] = {&e->icp6errs_dst_unreach_noroute, &e->icp6errs_dst_unreach_admin,
	    &e->icp6errs_dst_unreach_beyondscope, &e->icp6errs_dst_unreach_addr,
	    &e->icp6errs_dst_unreach_noport};
	u_quad_t *exceeded[] = {&e->icp6errs_time_exceed_transit, &e->icp6errs_time_exceed_reassembly};
	u_quad_t *problem[] = {&e->icp6errs_paramprob_header, &e->icp6errs_paramprob_nextheader,
	    &e->icp6errs_paramprob_option};

	if (type == ICMP6_DST_UNREACH && code <= ICMP6_DST_UNREACH_NOPORT)
		(*unreach[code])++;
	else if (type == ICMP6_PACKET_TOO_BIG)
		e->icp6errs_packet_too_big++;
	else if (type == ICMP6_TIME_EXCEEDED && code <= ICMP6_TIME_EXCEED_REASSEMBLY)
		(*exceeded[code])++;
	else if (type == ICMP6_PARAM_PROB && code <= ICMP6_PARAMPROB_OPTION)
		(*problem[code])++;
	else if (type == ND_REDIRECT)
		e->icp6errs_redirect++;
	else
		e->icp6errs_unknown++;
}

/* ---- making and sending ------------------------------------------------------------------- */

void
icmp6_send(struct nke *machine, struct mbuf *m, struct ifnet *ifp)
{
	struct ip_sender sender = {.flags = 0};
	struct in6_addr *src = ip6_source(m), *dst = ip6_destination(m);
	struct ip6_hdr *ip6 = mtod(m, struct ip6_hdr *);
	uint32_t len = (uint32_t)(m->m_pkthdr.len - IP6_HLEN);
	struct sockaddr_in6 to = {.sin6_len = sizeof to, .sin6_family = AF_INET6, .sin6_addr = *dst};
	const struct ifaddr *ifa = NULL;
	struct rtentry *rt = NULL;
	uint16_t sum;

	if (ip6_link_local(dst))
		sender.bound = ifp;
	else
		rt = rt_lookup(machine, (const struct sockaddr *)(const void *)&to, NULL, 0);
	if (IN6_IS_ADDR_UNSPECIFIED(src)) {
		to.sin6_scope_id = sender.bound != NULL ? sender.bound->index : 0;
		if (sender.bound != NULL || rt != NULL)
			ifa = in6_select_source(machine, rt != NULL ? rt->rt_ifp : sender.bound, rt,
			    (const struct sockaddr *)(const void *)&to);
		if (ifa != NULL)
			*src = ((const struct sockaddr_in6 *)(const void *)&ifa->addr)->sin6_addr;
	}
	rt_release(rt);
	(void)ip6_take_scope(src);
	if (IN6_IS_ADDR_UNSPECIFIED(src)) {
		machine->ip6->stat.ip6s_sources_none++;
		m_freem(m);
		return;
	}
	ip6->ip6_flow = 0;
	ip6->ip6_nxt = IPPROTO_ICMPV6;
	machine->icmp6->stat.icp6s_outhist[(uint8_t)m->m_data[IP6_HLEN]]++;
	memset(m->m_data + IP6_HLEN + 2, 0, sizeof sum);
	sum = (uint16_t)~in_cksum_sum(m, (size_t)IP6_HLEN, len,
	    in6_pseudo(src, dst, IPPROTO_ICMPV6, len));
	memcpy(m->m_data + IP6_HLEN + 2, &sum, sizeof sum);
	(void)ip6_send(machine, m, &sender);
}

/* Of this machine, to the sender of m: the address m was for, if it is ours, else any that fits. */
static void
address_back(struct nke *machine, const struct mbuf *m, struct mbuf *n)
{
	const struct in6_addr *dst = ip6_destination(m);
	const struct ifaddr *ifa = IN6_IS_ADDR_MULTICAST(dst) ? NULL : ifaddr_find_in6(machine, dst);

	memset(n->m_data, 0, (size_t)IP6_HLEN);
	*ip6_destination(n) = *ip6_source(m);
	if (ifa != NULL && !(ifa->ia6_flags & IN6_IFF_ANYCAST))
		*ip6_source(n) = *dst;
}

static void
send_error(struct nke *machine, const struct mbuf *m, uint8_t type, uint8_t code, uint32_t info)
{
	size_t len = (size_t)m->m_pkthdr.len < QUOTE_MAX ? (size_t)m->m_pkthdr.len : QUOTE_MAX;
	struct mbuf *n = m_devget(machine, NULL, (size_t)IP6_HLEN + ICMP6_HLEN + len, LINK_ROOM);
	struct icmp6_hdr h = {.icmp6_type = type, .icmp6_code = code};

	if (n == NULL) {
		machine->ip6->stat.ip6s_odropped++;
		return;
	}
	h.icmp6_data32[0] = htonl(info);
	address_back(machine, m, n);
	memcpy(n->m_data + IP6_HLEN, &h, sizeof h);
	m_copydata(m, 0, len, n->m_data + IP6_HLEN + ICMP6_HLEN);
	count_error(&machine->icmp6->stat.icp6s_outerrhist, type, code);
	icmp6_send(machine, n, m->m_pkthdr.rcvif);
}

void
icmp6_error(struct nke *machine, struct mbuf *m, uint8_t type, uint8_t code, uint32_t info)
{
	struct icmp6_state *s = machine->icmp6;

	m = icmp_error_cause(machine, m, IP6_HLEN);
	if (m == NULL)
		return;
	s->stat.icp6s_error++;
	if (!may_be_sent(m, type, code))
		s->stat.icp6s_canterror++;
	else if (!in_bucket_take(&s->errors, machine_now(machine), s->limit))
		s->stat.icp6s_toofreq++;
	else
		send_error(machine, m, type, code, info);
	m_freem(m);
}

/* ---- redirects ---------------------------------------------------------------------------- */

/* The target's link address, if it is known. Bytes written to `o`, which has room for 8. */
static size_t
target_option(struct ifnet *ifp, const struct in6_addr *target, uint8_t *o)
{
	struct sockaddr_in6 sin6 = {.sin6_len = sizeof sin6, .sin6_family = AF_INET6,
	    .sin6_addr = *target};

	if (ip6_link_local(target))
		sin6.sin6_scope_id = ifp->index;
	if (ifp->addrlen != 6 || !neighbor_lookup(ifp->machine, ifp,
	    (const struct sockaddr *)(const void *)&sin6, o + 2))
		return 0;
	o[0] = ND_OPT_TARGET_LINKADDR;
	o[1] = 1;
	return 8;
}

void
icmp6_redirect_output(struct nke *machine, const struct mbuf *m, const struct in6_addr *target)
{
	struct icmp6_state *s = machine->icmp6;
	struct ifnet *ifp = m->m_pkthdr.rcvif;
	size_t quote = (size_t)m->m_pkthdr.len < QUOTE_REDIRECT ? (size_t)m->m_pkthdr.len :
	    QUOTE_REDIRECT, first;
	struct nd_opt_rd_hdr option = {.nd_opt_rh_type = ND_OPT_REDIRECTED_HEADER};
	const struct ifaddr *own = nd6_own_linklocal(ifp);
	struct nd_redirect rd;
	uint8_t link[8];
	struct mbuf *n;
	char *at;

	memset(&rd, 0, sizeof rd);
	if (own == NULL || !may_be_sent(m, ND_REDIRECT, 0))
		return;
	first = target_option(ifp, target, link);
	quote &= ~(size_t)7;
	if (!in_bucket_take(&s->redirects, machine_now(machine), s->limit)) {
		s->stat.icp6s_toofreq++;
		return;
	}
	n = m_devget(machine, NULL, (size_t)IP6_HLEN + REDIRECT_LEN + first + sizeof option + quote,
	    LINK_ROOM);
	if (n == NULL) {
		machine->ip6->stat.ip6s_odropped++;
		return;
	}
	memset(n->m_data, 0, (size_t)IP6_HLEN);
	mtod(n, struct ip6_hdr *)->ip6_hlim = IPV6_MAXHLIM;
	/* The address by which hosts know this router. */
	*ip6_source(n) = nd6_address_of(own);
	*ip6_destination(n) = *ip6_source(m);
	rd.nd_rd_type = ND_REDIRECT;
	rd.nd_rd_target = *target;
	rd.nd_rd_dst = *ip6_destination(m);
	option.nd_opt_rh_len = (u_int8_t)((sizeof option + quote) >> 3);
	at = n->m_data + IP6_HLEN;
	memcpy(at, &rd, sizeof rd);
	at += REDIRECT_LEN;
	memcpy(at, link, first);
	memcpy(at + first, &option, sizeof option);
	m_copydata(m, 0, quote, at + first + sizeof option);
	machine->ip6->stat.ip6s_redirectsent++;
	count_error(&s->stat.icp6s_outerrhist, ND_REDIRECT, 0);
	icmp6_send(machine, n, ifp);
}
