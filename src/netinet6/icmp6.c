/*
 * ICMPv6's way in (RFC 4443, 8201): echo requests are answered, errors go to the transports whose packets
 * they quote, "packet too big" to the routing table too; neighbour discovery and listener discovery have
 * files of their own; what is not answered goes to raw sockets. Also the subsystem: state, registration,
 * net.inet6.icmp6.*.
 *
 * State: counters, switches and token buckets (icmp6_private.h). Way in: IP's transport number 58. Way
 * out: ip6_send, here (answers) and by icmp6_error.c. No timers.
 *
 * Limits against abuse: an error counts only when it quotes a packet from one of our addresses; answers to
 * what was sent to a group are limited; path MTU messages are bounded by the routing table's limit of
 * learned routes.
 *
 * Left out: node information (RFC 4620), router renumbering (RFC 2894), mobility; they go to raw sockets.
 */
#include <netinet6/in6_var.h>
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/sched.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_bounded.h"
#include "src/netinet/ip_state.h"
#include "src/netinet/raw_input.h"
#include "src/netinet6/icmp6_private.h"
#include "src/netinet6/mld6_private.h"
#include "src/netinet6/nd6.h"

#define ICMP6_HLEN	8

struct icmp6stat *
icmp6_statistics(struct nke *machine)
{
	return &machine->icmp6->stat;
}

/* ---- errors ------------------------------------------------------------------------------- */

/* What a message means to a socket. False: no such code. e->error 0: the transport need not know. */
static bool
meaning_of(struct ip_error *e)
{
	static const uint8_t unreachable[] = {
		[ICMP6_DST_UNREACH_NOROUTE] = EHOSTUNREACH,
		[ICMP6_DST_UNREACH_ADMIN] = ECONNREFUSED,
		[ICMP6_DST_UNREACH_BEYONDSCOPE] = ENOPROTOOPT,
		[ICMP6_DST_UNREACH_ADDR] = EHOSTDOWN,
		[ICMP6_DST_UNREACH_NOPORT] = ECONNREFUSED,
		[5] = ECONNREFUSED,	/* source address failed policy (RFC 4443 3.1) */
		[6] = EHOSTUNREACH,	/* reject route */
	};

	switch (e->type) {
	case ICMP6_DST_UNREACH:
		if (e->code >= sizeof unreachable)
			return false;
		e->error = unreachable[e->code];
		e->hard = e->error == ECONNREFUSED;
		return true;
	case ICMP6_PACKET_TOO_BIG:
		e->error = EMSGSIZE;	/* whatever the code says (RFC 4443 3.2) */
		return true;
	case ICMP6_TIME_EXCEEDED:
		e->error = e->code == ICMP6_TIME_EXCEED_TRANSIT ? EHOSTUNREACH : 0;
		e->hard = e->error != 0;	/* as BSD has it: packets go round in circles */
		return e->code <= ICMP6_TIME_EXCEED_REASSEMBLY;
	case ICMP6_PARAM_PROB:
		e->hard = e->code == ICMP6_PARAMPROB_NEXTHEADER;
		e->error = e->hard ? ECONNREFUSED : ENOPROTOOPT;
		return e->code <= ICMP6_PARAMPROB_OPTION;
	default:
		return false;
	}
}

static void
set_address(struct sockaddr_storage *ss, const struct in6_addr *a, const struct ifnet *ifp)
{
	struct sockaddr_in6 sin6 = {.sin6_len = sizeof sin6, .sin6_family = AF_INET6, .sin6_addr = *a};

	if (ip6_link_local(a) && ifp != NULL)
		sin6.sin6_scope_id = ifp->index;
	memset(ss, 0, sizeof *ss);
	memcpy(ss, &sin6, sizeof sin6);
}

/* Where the quoted packet's transport header is. False: its headers are not all there, or none of it. */
static bool
find_transport(const struct mbuf *m, struct ip6_place *p)
{
	struct ip6_frag f;

	for (unsigned n = 0; n < IP6_NEST_LIMIT; n++) {
		if (ip6_is_extension(p->next)) {
			if (!ip6_step(m, p))
				return false;
		} else if (p->next == IPPROTO_FRAGMENT) {
			if (m_copydata(m, p->off, sizeof f, &f) != 0 || (f.ip6f_offlg & IP6F_OFF_MASK))
				return false;
			p->next = f.ip6f_nxt;
			p->off += sizeof f;
		} else {
			return p->off < (size_t)m->m_pkthdr.len;
		}
	}
	return false;
}

/* What this machine itself found silent was not that host, but the gateway to it. */
static bool
behind_gateway(struct nke *machine, const struct sockaddr_storage *dst)
{
	struct rtentry *rt = rt_lookup(machine, (const struct sockaddr *)(const void *)dst, NULL, 0);
	bool is = rt != NULL && (rt->rt_flags & RTF_GATEWAY);

	rt_release(rt);
	return is;
}

/* An error goes to the transport whose packet it quotes. */
static void
icmp6_error_input(struct nke *machine, const struct mbuf *m, int off, const struct icmp6_hdr *h)
{
	struct ip_error e = {.type = h->icmp6_type, .code = h->icmp6_code, .m = m};
	const struct ifnet *ifp = m->m_pkthdr.rcvif;
	size_t at = (size_t)off + ICMP6_HLEN;
	struct ip6_place p = {.off = at + (size_t)IP6_HLEN};
	const struct ip_transport *t;
	struct ip6_hdr q;
	struct in6_addr src, dst;

	if (!meaning_of(&e)) {
		machine->icmp6->stat.icp6s_badcode++;
		return;
	}
	if (m_copydata(m, at, sizeof q, &q) != 0 || (q.ip6_vfc & IPV6_VERSION_MASK) != IPV6_VERSION) {
		machine->icmp6->stat.icp6s_tooshort++;
		return;
	}
	e.mtu = e.type == ICMP6_PACKET_TOO_BIG ? ntohl(h->icmp6_mtu) : 0;
	/* RFC 8201 4: every link takes that much. */
	if (e.error == EMSGSIZE && e.mtu < IPV6_MMTU)
		return;
	src = q.ip6_src;
	dst = q.ip6_dst;
	p.next = q.ip6_nxt;
	if (ifaddr_find_in6(machine, &src) == NULL)
		return;
	set_address(&e.src, &src, ifp);
	set_address(&e.dst, &dst, ifp);
	set_address(&e.from, ip6_source(m), ifp);
	if (e.error == EMSGSIZE && !IN6_IS_ADDR_MULTICAST(&dst) &&
	    rt_set_path_mtu(machine, (const struct sockaddr *)(const void *)&e.dst, e.mtu))
		machine->icmp6->stat.icp6s_pmtuchg++;
	if (e.error == EHOSTDOWN && ifaddr_find_in6(machine, ip6_source(m)) != NULL &&
	    behind_gateway(machine, &e.dst))
		e.error = EHOSTUNREACH;
	if (!find_transport(m, &p))
		return;
	e.protocol = p.next;
	e.off = p.off;
	e.len = (size_t)m->m_pkthdr.len - p.off;
	t = machine->ip6->transport[p.next];
	if (e.error != 0 && t != NULL && t->error != NULL)
		t->error(machine, &e);
}

/* ---- echo --------------------------------------------------------------------------------- */

/* Every node is a member of the groups of all nodes. */
bool
icmp6_is_member(const struct ifnet *ifp, const struct in6_addr *group)
{
	static const struct in6_addr nodes[] = {
		IN6ADDR_LINKLOCAL_ALLNODES_INIT, IN6ADDR_INTFACELOCAL_ALLNODES_INIT
	};
	struct sockaddr_in6 sin6 = {.sin6_len = sizeof sin6, .sin6_family = AF_INET6,
	    .sin6_addr = *group};

	return ifp == NULL || IN6_ARE_ADDR_EQUAL(group, &nodes[0]) ||
	    IN6_ARE_ADDR_EQUAL(group, &nodes[1]) ||
	    ip_local_member(ifp, (const struct sockaddr *)(const void *)&sin6);
}

/* RFC 4443 4.2. The request becomes the answer: its bytes are not copied. Consumes. */
static void
icmp6_echo(struct nke *machine, struct mbuf *m, int off)
{
	struct icmp6_state *s = machine->icmp6;
	struct ifnet *ifp = m->m_pkthdr.rcvif;
	struct in6_addr from = *ip6_source(m), to = *ip6_destination(m);
	bool group = IN6_IS_ADDR_MULTICAST(&to);
	const struct ifaddr *own = group ? NULL : ifaddr_find_in6(machine, &to);

	if (group && !icmp6_is_member(ifp, &to)) {
		machine->ip6->stat.ip6s_notmember++;
		m_freem(m);
		return;
	}
	if (IN6_IS_ADDR_UNSPECIFIED(&from) || (group && !in_bucket_take(&s->group_answers,
	    machine_now(machine), ICMP6_GROUP_ECHO_LIMIT))) {
		m_freem(m);
		return;
	}
	/* Extension headers of the request do not go back. */
	if (off > IP6_HLEN && (m = in_cut(machine, m, (size_t)IP6_HLEN, (size_t)(off - IP6_HLEN))) == NULL)
		return;
	if (m->m_len < IP6_HLEN + ICMP6_HLEN && (m = m_pullup(m, IP6_HLEN + ICMP6_HLEN)) == NULL)
		return;
	if (!in_aligned(m) && (m = in_align(machine, m)) == NULL)
		return;
	if ((m = in_writable(machine, m, IP6_HLEN + ICMP6_HLEN)) == NULL)
		return;
	memset(m->m_data, 0, (size_t)IP6_HLEN);
	*ip6_destination(m) = from;
	if (own != NULL && !(own->ia6_flags & IN6_IFF_ANYCAST))
		*ip6_source(m) = to;
	m->m_data[IP6_HLEN] = (char)ICMP6_ECHO_REPLY;
	m->m_data[IP6_HLEN + 1] = 0;
	/* A new packet: what was noted about the request does not hold for it. */
	m_tag_delete_chain(machine, m);
	m->m_flags &= (uint16_t)~(MBUF_BCAST | MBUF_MCAST | MBUF_LOOP | MBUF_PROMISC);
	m->m_pkthdr.rcvif = NULL;
	m->m_pkthdr.csum_flags = 0;
	m->m_pkthdr.csum_data = 0;
	s->stat.icp6s_reflect++;
	icmp6_send(machine, m, ifp);
}

/* ---- entry -------------------------------------------------------------------------------- */

/* A copy for raw sockets, while the message itself goes elsewhere. */
static void
copy_to_raw(struct nke *machine, struct mbuf *m, int off, uint8_t protocol)
{
	struct mbuf *copy;

	if (!rip6_wants(machine, protocol))
		return;
	copy = m_copym(m, 0, M_COPYALL, MBUF_DONTWAIT);
	if (copy != NULL)
		rip6_input(machine, copy, off, protocol);
}

/* Whose message it is, by type; true: it has taken it. */
static bool
icmp6_dispatch(struct nke *machine, struct mbuf *m, int off, const struct icmp6_hdr *h)
{
	switch (h->icmp6_type) {
	case ICMP6_ECHO_REQUEST:
		if (h->icmp6_code != 0)
			machine->icmp6->stat.icp6s_badcode++;
		icmp6_echo(machine, m, off);
		return true;
	case ND_ROUTER_SOLICIT:
	case ND_ROUTER_ADVERT:
	case ND_NEIGHBOR_SOLICIT:
	case ND_NEIGHBOR_ADVERT:
	case ND_REDIRECT:
		copy_to_raw(machine, m, off, IPPROTO_ICMPV6);
		nd6_input(machine, m, off);
		return true;
	case MLD_LISTENER_QUERY:
	case MLD_LISTENER_REPORT:
	case MLD_LISTENER_DONE:
	case MLDV2_LISTENER_REPORT:
		copy_to_raw(machine, m, off, IPPROTO_ICMPV6);
		mld_input(machine, m, off);
		return true;
	default:
		if (!(h->icmp6_type & ICMP6_INFOMSG_MASK))
			icmp6_error_input(machine, m, off, h);
		return false;
	}
}

static void
icmp6_input(struct nke *machine, struct mbuf *m, int off, uint8_t protocol)
{
	struct icmp6stat *st = &machine->icmp6->stat;
	uint32_t len = (uint32_t)(m->m_pkthdr.len - off);
	struct icmp6_hdr h;

	if (m_copydata(m, (size_t)off, sizeof h, &h) != 0) {
		st->icp6s_tooshort++;
		m_freem(m);
		return;
	}
	if (in_cksum_sum(m, (size_t)off, len, in6_pseudo(ip6_source(m), ip6_destination(m),
	    IPPROTO_ICMPV6, len)) != 0xffff) {
		st->icp6s_checksum++;
		m_freem(m);
		return;
	}
	st->icp6s_inhist[h.icmp6_type]++;
	if (icmp6_dispatch(machine, m, off, &h))
		return;
	rip6_input(machine, m, off, protocol);
}

/* ---- life --------------------------------------------------------------------------------- */

static errno_t
add_sysctls(struct nke *machine, struct icmp6_state *s)
{
	struct sysctl_oid_list *icmp6 = &sysctl__net_inet6_icmp6_children;
	static const struct sysctl_bounded switches[] = {
		{ICMPV6CTL_ERRPPSLIMIT, "errppslimit", offsetof(struct icmp6_state, limit), 0, 1000000},
		{ICMPV6CTL_REDIRACCEPT, "rediraccept", offsetof(struct icmp6_state, accept_redirects), 0,
		    1},
		{.name = NULL}
	};
	errno_t error = sysctl_add(machine, icmp6, ICMPV6CTL_STATS, "stats",
	    CTLTYPE_OPAQUE | CTLFLAG_RD, &s->stat, sizeof s->stat, in_sysctl_struct, "S,icmp6stat");

	return error != 0 ? error : sysctl_add_bounded(machine, icmp6, switches, s);
}

static errno_t
icmp6_init(struct nke *machine)
{
	static const struct ip_transport transport = {.input = icmp6_input};
	struct icmp6_state *s = kalloc(machine, sizeof *s);
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	machine->icmp6 = s;
	s->limit = ICMP6_RATE_LIMIT;
	s->accept_redirects = 1;
	error = add_sysctls(machine, s);
	if (error != 0) {
		kfree(machine, s);
		machine->icmp6 = NULL;
		return error;
	}
	ip_set_transport(machine, AF_INET6, IPPROTO_ICMPV6, &transport);
	return 0;
}

static void
icmp6_fini(struct nke *machine)
{
	kfree(machine, machine->icmp6);
	machine->icmp6 = NULL;
}

extern const struct subsystem icmp6_subsystem;
const struct subsystem icmp6_subsystem = {
	.name = "icmp6", .init = icmp6_init, .fini = icmp6_fini
};
