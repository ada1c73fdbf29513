/*
 * Multicast listener discovery, the host's half of versions 1 and 2 (RFC 2710, 3590, 3810): tells IPv6's
 * multicast routers which groups this machine's interfaces listen to.
 *
 * This file reads queries and reports, and makes messages; what is said when is in in_report.c. State:
 * counters and switches (mld6_private.h). Way in: mld_input, from icmp6.c. Way out: ip6_send, hop limit 1,
 * router alert option (RFC 2711), from the interface's link-local address, or from nowhere while it has none
 * (RFC 3590). Timers, and limits against abuse: in_report.c's; what did not come from the link is ignored.
 *
 * Left out: the router's half.
 */
#include <netinet/icmp6.h>
#include <netinet6/in6_var.h>
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_bounded.h"
#include "src/netinet6/icmp6_private.h"
#include "src/netinet6/mld6_private.h"
#include "src/netinet6/nd6.h"

#define LINK_ROOM	16u		/* before the header, for an Ethernet header, aligned */
#define MS		UINT64_C(1000000)
#define V1_LEN		24u		/* of a message of version 1 */
#define V2_QUERY_LEN	28u
#define REPORT_HEAD	8u

/* ---- the way out -------------------------------------------------------------------------- */

/* A message to `dst`: `head`, then `len` bytes. */
static void
send_message(struct nke *machine, struct ifnet *ifp, const struct in6_addr *dst, const void *head,
    size_t head_len, const void *data, size_t len)
{
	static const uint8_t router_alert[8] = {
		0, 0, IP6OPT_ROUTER_ALERT, 2, 0, IP6OPT_RTALERT_MLD, IP6OPT_PADN, 0
	};
	const struct ip6_options headers = {.hop = router_alert};
	struct ip_sender sender = {.bound = ifp, .has_mcast = true, .mcast_ttl = 1,
	    .flags = IP_OUT_UNSPEC_SOURCE, .options6 = &headers};
	struct mbuf *m = m_devget(machine, NULL, (size_t)IP6_HLEN + head_len + len, LINK_ROOM);
	const struct ifaddr *own = nd6_own_linklocal(ifp);
	uint16_t sum;

	if (m == NULL)
		return;
	memset(m->m_data, 0, (size_t)IP6_HLEN);
	mtod(m, struct ip6_hdr *)->ip6_nxt = IPPROTO_ICMPV6;
	if (own != NULL)
		*ip6_source(m) = nd6_address_of(own);
	*ip6_destination(m) = *dst;
	memcpy(m->m_data + IP6_HLEN, head, head_len);
	if (len != 0)
		memcpy(m->m_data + (size_t)IP6_HLEN + head_len, data, len);
	sum = (uint16_t)~in_cksum_sum(m, (size_t)IP6_HLEN, head_len + len, in6_pseudo(ip6_source(m), dst,
	    IPPROTO_ICMPV6, (uint32_t)(head_len + len)));
	memcpy(m->m_data + IP6_HLEN + 2, &sum, sizeof sum);
	machine->mld->stat.mlds_snd_reports++;
	machine->icmp6->stat.icp6s_outhist[*(const uint8_t *)head]++;
	(void)ip6_send(machine, m, &sender);
}

static void
mld_send_records(struct nke *machine, struct ifnet *ifp, const void *records, size_t len,
    unsigned count)
{
	static const struct in6_addr routers = IN6ADDR_LINKLOCAL_ALLV2ROUTERS_INIT;
	struct icmp6_hdr h = {.icmp6_type = MLDV2_LISTENER_REPORT};

	h.icmp6_data16[1] = htons(count);
	send_message(machine, ifp, &routers, &h, sizeof h, records, len);
}

static void
mld_send_old(struct nke *machine, struct ifnet *ifp, const void *group, unsigned version, bool leave)
{
	static const struct in6_addr routers = IN6ADDR_LINKLOCAL_ALLROUTERS_INIT;
	struct mld_hdr h;
	struct in6_addr a;

	(void)version;
	memcpy(&a, group, sizeof a);
	memset(&h, 0, sizeof h);
	h.mld_type = leave ? MLD_LISTENER_DONE : MLD_LISTENER_REPORT;
	h.mld_addr = a;
	send_message(machine, ifp, leave ? &routers : &a, &h, sizeof h, NULL, 0);
}

/* RFC 3810 6: never the group of all nodes, nor what does not leave the interface. */
static bool
mld_silent(const struct reporter *r, const void *group)
{
	static const struct in6_addr all_nodes = IN6ADDR_LINKLOCAL_ALLNODES_INIT;
	struct in6_addr a;

	(void)r;
	memcpy(&a, group, sizeof a);
	return IN6_ARE_ADDR_EQUAL(&a, &all_nodes) ||
	    IPV6_ADDR_MC_SCOPE(&a) <= IPV6_ADDR_SCOPE_INTFACELOCAL;
}

static const struct report_ops mld_ops = {
	.family = AF_INET6,
	.newest = 2,
	.oldest = 1,
	.oldest_leave = 1,
	.first_delay = UINT64_C(10000000000),	/* RFC 2710 7.10 */
	.silent = mld_silent,
	.send_records = mld_send_records,
	.send_old = mld_send_old
};

/* ---- the way in --------------------------------------------------------------------------- */

/* RFC 3810 5.1.3, 5.1.9: small numbers as they are, large ones with an exponent. */
static uint32_t
decode16(uint16_t code)
{
	return code < 0x8000 ? code : (uint32_t)((code & 0xfff) | 0x1000) << ((code >> 12 & 7) + 3);
}
static uint32_t
decode8(uint8_t code)
{
	return code < 128 ? code : (uint32_t)((code & 0xf) | 0x10) << ((code >> 4 & 7) + 3);
}

/* RFC 3810 6.2: only messages with hop-by-hop options that say so are for routers and listeners. */
static bool
has_router_alert(const struct mbuf *m)
{
	size_t off = (size_t)IP6_HLEN, end;
	struct ip6_ext e;
	struct ip6_opt o;

	if (mtod(m, const struct ip6_hdr *)->ip6_nxt != IPPROTO_HOPOPTS ||
	    m_copydata(m, off, sizeof e, &e) != 0)
		return false;
	end = off + (((size_t)e.ip6e_len + 1) << 3);
	for (off += sizeof e; off + sizeof o <= end; off += o.ip6o_type == IP6OPT_PAD1 ? 1 :
	    sizeof o + o.ip6o_len) {
		if (m_copydata(m, off, sizeof o, &o) != 0)
			return false;
		if (o.ip6o_type == IP6OPT_ROUTER_ALERT)
			return true;
	}
	return false;
}

/* The part that only version 2 has. False: it does not fit the message. */
static bool
read_v2(struct mld_state *s, const struct mbuf *m, int off, struct report_query *q)
{
	size_t len = (size_t)(m->m_pkthdr.len - off);
	struct mld_hdr h;
	uint8_t rest[4];
	unsigned n;

	m_copydata(m, (size_t)off, sizeof h, &h);
	m_copydata(m, (size_t)off + sizeof h, sizeof rest, rest);
	n = (unsigned)(rest[2] << 8 | rest[3]);
	if (V2_QUERY_LEN + n * sizeof(struct in6_addr) > len || (n != 0 && q->group == NULL))
		return false;
	s->stat.mlds_rcv_v2_queries++;
	if (n != 0)
		s->stat.mlds_rcv_gsr_queries++;
	q->max_delay = decode16(ntohs(h.mld_maxdelay)) * MS;
	q->robustness = rest[0] & 7;
	q->interval = decode8(rest[1]);
	if (n <= REPORT_QUERIED_MAX)
		for (q->source_count = 0; q->source_count < n; q->source_count++)
			m_copydata(m, (size_t)off + V2_QUERY_LEN +
			    q->source_count * sizeof(struct in6_addr), sizeof(struct in6_addr),
			    &q->sources[q->source_count].v6);
	return true;
}

static void
mld_query(struct nke *machine, const struct mbuf *m, int off)
{
	static const struct in6_addr all_nodes = IN6ADDR_LINKLOCAL_ALLNODES_INIT;
	struct mld_state *s = machine->mld;
	size_t len = (size_t)(m->m_pkthdr.len - off);
	struct report_query q = {.version = len >= V2_QUERY_LEN ? 2 : 1};
	struct in6_addr group;
	struct mld_hdr h;

	m_copydata(m, (size_t)off, sizeof h, &h);
	group = h.mld_addr;
	if (!IN6_IS_ADDR_UNSPECIFIED(&group))
		q.group = &group;
	if ((len > V1_LEN && len < V2_QUERY_LEN) || (q.group != NULL && !IN6_IS_ADDR_MULTICAST(&group)) ||
	    (q.group == NULL && !IN6_ARE_ADDR_EQUAL(ip6_destination(m), &all_nodes)) ||
	    (q.version == 2 && !read_v2(s, m, off, &q))) {
		s->stat.mlds_rcv_badqueries++;
		return;
	}
	if (q.version == 1) {
		s->stat.mlds_rcv_v1_queries++;
		q.max_delay = ntohs(h.mld_maxdelay) * MS;
		if (!s->v1_enable)
			return;
	}
	if (q.group == NULL)
		s->stat.mlds_rcv_gen_queries++;
	else if (q.source_count == 0)
		s->stat.mlds_rcv_group_queries++;
	report_asked(&s->reporter, m->m_pkthdr.rcvif, &q);
}

/* Somebody else's report, in version 1. */
static void
mld_report(struct nke *machine, const struct mbuf *m, int off)
{
	struct mld_state *s = machine->mld;
	struct in6_addr group;
	struct mld_hdr h;

	m_copydata(m, (size_t)off, sizeof h, &h);
	group = h.mld_addr;
	s->stat.mlds_rcv_reports++;
	if (!IN6_IS_ADDR_MULTICAST(&group) || !IN6_ARE_ADDR_EQUAL(&group, ip6_destination(m))) {
		s->stat.mlds_rcv_badreports++;
		return;
	}
	if (ifaddr_find_in6(machine, ip6_source(m)) == NULL &&
	    report_heard(&s->reporter, m->m_pkthdr.rcvif, &group))
		s->stat.mlds_rcv_ourreports++;
}

void
mld_input(struct nke *machine, struct mbuf *m, int off)
{
	struct mldstat *st = &machine->mld->stat;
	const struct in6_addr *src = ip6_source(m);
	uint8_t type;

	st->mlds_rcv_total++;
	m_copydata(m, (size_t)off, 1, &type);
	if (type == MLD_LISTENER_DONE || type == MLDV2_LISTENER_REPORT || m->m_pkthdr.rcvif == NULL ||
	    (m->m_pkthdr.rcvif->flags & IFF_LOOPBACK))
		goto out;
	if ((size_t)(m->m_pkthdr.len - off) < V1_LEN)
		st->mlds_rcv_tooshort++;
	else if (mtod(m, const struct ip6_hdr *)->ip6_hlim != 1 || (!IN6_IS_ADDR_LINKLOCAL(src) &&
	    !(type == MLD_LISTENER_REPORT && IN6_IS_ADDR_UNSPECIFIED(src))))
		st->mlds_rcv_badscope++;
	else if (!has_router_alert(m))
		st->mlds_rcv_nora++;
	else if (type == MLD_LISTENER_QUERY)
		mld_query(machine, m, off);
	else
		mld_report(machine, m, off);
out:
	m_freem(m);
}

/* ---- life --------------------------------------------------------------------------------- */

struct mldstat *
mld_statistics(struct nke *machine)
{
	return &machine->mld->stat;
}

static void
groups_changed(struct ifnet *ifp, struct in_multi *inm)
{
	report_changed(&ifp->machine->mld->reporter, ifp, inm);
}

void
mld_address_usable(struct ifnet *ifp)
{
	if (ifp->machine->mld != NULL)
		report_again(&ifp->machine->mld->reporter, ifp);
}

void
mld_interface_gone(struct nke *machine, struct ifnet *ifp)
{
	if (machine->mld != NULL)
		report_interface_gone(&machine->mld->reporter, ifp);
}

static errno_t
add_sysctls(struct nke *machine, struct mld_state *s)
{
	static const struct sysctl_bounded switches[] = {
		{OID_AUTO, "mld_default_version", offsetof(struct mld_state, reporter.default_version), 1,
		    2},
		{OID_AUTO, "mld_v1enable", offsetof(struct mld_state, v1_enable), 0, 1},
		{.name = NULL}
	};
	struct sysctl_oid_list *icmp6 = &sysctl__net_inet6_icmp6_children;
	errno_t error = sysctl_add_bounded(machine, icmp6, switches, s);

	if (error == 0)
		error = sysctl_add(machine, icmp6, OID_AUTO, "mld_stats", CTLTYPE_OPAQUE | CTLFLAG_RD,
		    &s->stat, sizeof s->stat, in_sysctl_struct, "S,mldstat");
	return error;
}

static errno_t
mld_init(struct nke *machine)
{
	struct mld_state *s = kalloc(machine, sizeof *s);
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	s->v1_enable = 1;
	error = add_sysctls(machine, s);
	if (error != 0) {
		kfree(machine, s);
		return error;
	}
	machine->mld = s;
	report_init(&s->reporter, machine, &mld_ops);
	in_multi_set_reporter(machine, AF_INET6, groups_changed);
	return 0;
}

static void
mld_quiesce(struct nke *machine)
{
	in_multi_set_reporter(machine, AF_INET6, NULL);
	report_stop(&machine->mld->reporter);
}

static void
mld_fini(struct nke *machine)
{
	kfree(machine, machine->mld);
	machine->mld = NULL;
}

extern const struct subsystem mld_subsystem;
const struct subsystem mld_subsystem = {
	.name = "mld", .init = mld_init, .quiesce = mld_quiesce, .fini = mld_fini
};
