/*
 * IGMP, the host's half of versions 1 to 3 (RFC 1112, 2236, 3376): tells IPv4's multicast routers which
 * groups this machine's interfaces listen to.
 *
 * This file reads queries and reports, and makes messages; what is said when is in in_report.c. State:
 * counters and switches (igmp_private.h). Way in: IP's transport number 2; what has been looked at goes to
 * raw sockets. Way out: ip_send, time to live 1, router alert option (RFC 2113). Timers, and limits against
 * abuse: in_report.c's; a query that did not come with time to live 1 is from afar and ignored.
 *
 * Left out: the router's half, and DVMRP and PIM (for raw sockets).
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_bounded.h"
#include "src/netinet/igmp_private.h"
#include "src/netinet/ip_state.h"
#include "src/netinet/raw_input.h"

#define LINK_ROOM	16u		/* before the header, for an Ethernet header, aligned */
#define TENTH		UINT64_C(100000000)	/* ns: times are told in tenths of seconds */
#define V1_DELAY	100u		/* the longest time to answer version 1 */

struct igmpstat_v3 *
igmp_statistics(struct nke *machine)
{
	return &machine->igmp->stat;
}

/* ---- the way out -------------------------------------------------------------------------- */

/* A message to `dst`: `head`, then `len` bytes. */
static void
send_message(struct nke *machine, struct ifnet *ifp, struct in_addr dst, const void *head,
    size_t head_len, const void *data, size_t len)
{
	static const uint8_t router_alert[4] = {IPOPT_RA, 4, 0, 0};
	struct igmp_state *s = machine->igmp;
	struct ip_sender sender = {.bound = ifp, .has_mcast = true, .mcast_ttl = 1};
	struct mbuf *m = m_devget(machine, NULL, (size_t)IP_HLEN + head_len + len, LINK_ROOM);
	struct ip *ip;
	uint16_t sum;

	if (m == NULL)
		return;
	if (s->send_ra) {
		sender.options = router_alert;
		sender.options_len = sizeof router_alert;
	}
	/* RFC 3376 4.2.13: an interface without an address reports too. */
	if (ifaddr_first(ifp, AF_INET) == NULL)
		sender.flags |= IP_OUT_UNSPEC_SOURCE;
	ip = mtod(m, struct ip *);
	memset(ip, 0, sizeof *ip);
	ip->ip_tos = IPTOS_PREC_INTERNETCONTROL;
	ip->ip_p = IPPROTO_IGMP;
	ip->ip_dst = dst;
	memcpy(m->m_data + IP_HLEN, head, head_len);
	if (len != 0)
		memcpy(m->m_data + IP_HLEN + head_len, data, len);
	sum = in_cksum_part(m, (size_t)IP_HLEN, head_len + len);
	memcpy(m->m_data + IP_HLEN + offsetof(struct igmp, igmp_cksum), &sum, sizeof sum);
	s->stat.igps_snd_reports++;
	(void)ip_send(machine, m, &sender);
}

static void
igmp_send_records(struct nke *machine, struct ifnet *ifp, const void *records, size_t len,
    unsigned count)
{
	struct igmp_report h = {.ir_type = IGMP_v3_HOST_MEMBERSHIP_REPORT, .ir_numgrps = htons(count)};
	struct in_addr routers = {htonl(INADDR_ALLRPTS_GROUP)};

	send_message(machine, ifp, routers, &h, sizeof h, records, len);
}

static void
igmp_send_old(struct nke *machine, struct ifnet *ifp, const void *group, unsigned version, bool leave)
{
	struct in_addr routers = {htonl(INADDR_ALLRTRS_GROUP)};
	struct igmp h = {.igmp_type = IGMP_v2_HOST_MEMBERSHIP_REPORT};

	memcpy(&h.igmp_group, group, sizeof h.igmp_group);
	if (leave)
		h.igmp_type = IGMP_HOST_LEAVE_MESSAGE;
	else if (version == 1)
		h.igmp_type = IGMP_v1_HOST_MEMBERSHIP_REPORT;
	send_message(machine, ifp, leave ? routers : h.igmp_group, &h, sizeof h, NULL, 0);
}

/* Everybody is a member of 224.0.0.1 (RFC 3376 5). */
static bool
igmp_silent(const struct reporter *r, const void *group)
{
	struct in_addr a;

	memcpy(&a, group, sizeof a);
	return a.s_addr == htonl(INADDR_ALLHOSTS_GROUP) ||
	    (!r->machine->igmp->send_local && IN_LOCAL_GROUP(ntohl(a.s_addr)));
}

static const union in_any all_hosts = {.v6 = {{{0xe0, 0, 0, 1}}}};

static const struct report_ops igmp_ops = {
	.family = AF_INET,
	.asked_at = &all_hosts,
	.newest = 3,
	.oldest = 1,
	.oldest_leave = 2,
	.first_delay = IGMP_MAX_HOST_REPORT_DELAY * UINT64_C(1000000000),
	.silent = igmp_silent,
	.send_records = igmp_send_records,
	.send_old = igmp_send_old
};

/* ---- the way in --------------------------------------------------------------------------- */

/* RFC 3376 4.1.1, 4.1.7: small numbers as they are, large ones with an exponent. */
static uint32_t
decode(uint8_t code)
{
	return code < 128 ? code : (uint32_t)(IGMP_MANT(code) | 0x10) << (IGMP_EXP(code) + 3);
}

static bool
ignored(const struct igmp_state *s, unsigned version)
{
	return (version == 1 && !s->v1_enable) || (version == 2 && !s->v2_enable);
}

/* The part that only version 3 has. False: it does not fit the message. */
static bool
read_v3(struct igmp_state *s, const struct mbuf *m, int off, struct report_query *q)
{
	size_t len = (size_t)(m->m_pkthdr.len - off);
	struct igmpv3 h;
	unsigned n;

	m_copydata(m, (size_t)off, sizeof h, &h);
	n = ntohs(h.igmp_numsrc);
	if (IGMP_V3_QUERY_MINLEN + n * sizeof(struct in_addr) > len || (n != 0 && q->group == NULL))
		return false;
	s->stat.igps_rcv_v3_queries++;
	if (n != 0)
		s->stat.igps_rcv_gsr_queries++;
	q->max_delay = decode(h.igmp_code) * TENTH;
	q->robustness = IGMP_QRV(h.igmp_misc);
	q->interval = decode(h.igmp_qqi);
	if (n <= REPORT_QUERIED_MAX)
		for (q->source_count = 0; q->source_count < n; q->source_count++)
			m_copydata(m, (size_t)off + sizeof h + q->source_count * sizeof(struct in_addr),
			    sizeof(struct in_addr), &q->sources[q->source_count].v4);
	return true;
}

static void
igmp_query(struct nke *machine, const struct mbuf *m, int off)
{
	struct igmp_state *s = machine->igmp;
	const struct ip *ip = mtod(m, const struct ip *);
	size_t len = (size_t)(m->m_pkthdr.len - off);
	union in_any group = {.v6 = IN6ADDR_ANY_INIT};
	struct report_query q = {.version = 3};
	struct igmp h;

	m_copydata(m, (size_t)off, sizeof h, &h);
	group.v4 = h.igmp_group;
	if (len < IGMP_V3_QUERY_MINLEN)
		q.version = h.igmp_code == 0 ? 1 : 2;
	if (h.igmp_group.s_addr != INADDR_ANY)
		q.group = &group;
	/* RFC 3376 9.1: general queries are for all hosts; there are no others in version 1. */
	if ((len > IGMP_MINLEN && len < IGMP_V3_QUERY_MINLEN) ||
	    (q.group != NULL && (q.version == 1 || !IN_MULTICAST(ntohl(h.igmp_group.s_addr)))) ||
	    (q.group == NULL && ip->ip_dst.s_addr != htonl(INADDR_ALLHOSTS_GROUP)) ||
	    (q.version == 3 && !read_v3(s, m, off, &q))) {
		s->stat.igps_rcv_badqueries++;
		return;
	}
	if (q.version < 3) {
		s->stat.igps_rcv_v1v2_queries++;
		q.max_delay = (q.version == 1 ? V1_DELAY : h.igmp_code) * TENTH;
	}
	if (q.group == NULL)
		s->stat.igps_rcv_gen_queries++;
	else if (q.source_count == 0)
		s->stat.igps_rcv_group_queries++;
	if (!ignored(s, q.version))
		report_asked(&s->reporter, m->m_pkthdr.rcvif, &q);
}

/* Somebody else's report, in versions 1 and 2. */
static void
igmp_report(struct nke *machine, const struct mbuf *m, int off)
{
	struct igmp_state *s = machine->igmp;
	const struct ip *ip = mtod(m, const struct ip *);
	union in_any group = {.v6 = IN6ADDR_ANY_INIT};
	struct igmp h;

	m_copydata(m, (size_t)off, sizeof h, &h);
	s->stat.igps_rcv_reports++;
	if (!IN_MULTICAST(ntohl(h.igmp_group.s_addr)) || h.igmp_group.s_addr != ip->ip_dst.s_addr) {
		s->stat.igps_rcv_badreports++;
		return;
	}
	if (ifaddr_find_in4(machine, ip->ip_src.s_addr) != NULL)
		return;
	group.v4 = h.igmp_group;
	if (report_heard(&s->reporter, m->m_pkthdr.rcvif, &group))
		s->stat.igps_rcv_ourreports++;
}

static void
igmp_message(struct nke *machine, const struct mbuf *m, int off)
{
	struct igmp_state *s = machine->igmp;
	uint8_t type;

	m_copydata(m, (size_t)off, 1, &type);
	if (type != IGMP_HOST_MEMBERSHIP_QUERY && type != IGMP_v1_HOST_MEMBERSHIP_REPORT &&
	    type != IGMP_v2_HOST_MEMBERSHIP_REPORT)
		return;
	if (mtod(m, const struct ip *)->ip_ttl != 1) {
		s->stat.igps_rcv_badttl++;
		return;
	}
	if (off == IP_HLEN)
		s->stat.igps_rcv_nora++;
	if (m->m_pkthdr.rcvif == NULL || (m->m_pkthdr.rcvif->flags & IFF_LOOPBACK))
		return;
	if (type == IGMP_HOST_MEMBERSHIP_QUERY)
		igmp_query(machine, m, off);
	else
		igmp_report(machine, m, off);
}

static void
igmp_input(struct nke *machine, struct mbuf *m, int off, uint8_t protocol)
{
	struct igmpstat_v3 *st = &machine->igmp->stat;

	st->igps_rcv_total++;
	if (m->m_pkthdr.len - off < IGMP_MINLEN) {
		st->igps_rcv_tooshort++;
		m_freem(m);
		return;
	}
	if (in_cksum_part(m, (size_t)off, (size_t)(m->m_pkthdr.len - off)) != 0) {
		st->igps_rcv_badsum++;
		m_freem(m);
		return;
	}
	igmp_message(machine, m, off);
	rip_input(machine, m, off, protocol);
}

/* ---- life --------------------------------------------------------------------------------- */

static void
groups_changed(struct ifnet *ifp, struct in_multi *inm)
{
	report_changed(&ifp->machine->igmp->reporter, ifp, inm);
}

/* Every host is a member of 224.0.0.1 (RFC 1112 4), so that a driver that filters groups passes it on. */
void
igmp_address_changed(struct ifaddr *ifa, bool added)
{
	if (added && ifa->attached && ifa->ifp->machine->igmp != NULL)
		report_interface(&ifa->ifp->machine->igmp->reporter, ifa->ifp);
}

void
igmp_interface_gone(struct nke *machine, struct ifnet *ifp)
{
	if (machine->igmp != NULL)
		report_interface_gone(&machine->igmp->reporter, ifp);
}

/* What versions 1 and 2 counted. */
static int
handle_old_statistics SYSCTL_HANDLER_ARGS
{
	const struct igmpstat_v3 *st = arg1;
	struct igmpstat old = {
		.igps_rcv_total = (u_int)st->igps_rcv_total,
		.igps_rcv_tooshort = (u_int)st->igps_rcv_tooshort,
		.igps_rcv_badsum = (u_int)st->igps_rcv_badsum,
		.igps_rcv_queries = (u_int)(st->igps_rcv_v1v2_queries + st->igps_rcv_v3_queries),
		.igps_rcv_badqueries = (u_int)st->igps_rcv_badqueries,
		.igps_rcv_reports = (u_int)st->igps_rcv_reports,
		.igps_rcv_badreports = (u_int)st->igps_rcv_badreports,
		.igps_rcv_ourreports = (u_int)st->igps_rcv_ourreports,
		.igps_snd_reports = (u_int)st->igps_snd_reports
	};

	(void)oidp;
	(void)arg2;
	return SYSCTL_OUT(req, &old, sizeof old);
}

static errno_t
add_sysctls(struct nke *machine, struct igmp_state *s)
{
	static const struct sysctl_bounded switches[] = {
		{OID_AUTO, "default_version", offsetof(struct igmp_state, reporter.default_version), 1, 3},
		{OID_AUTO, "v1enable", offsetof(struct igmp_state, v1_enable), 0, 1},
		{OID_AUTO, "v2enable", offsetof(struct igmp_state, v2_enable), 0, 1},
		{OID_AUTO, "sendra", offsetof(struct igmp_state, send_ra), 0, 1},
		{OID_AUTO, "sendlocal", offsetof(struct igmp_state, send_local), 0, 1},
		{.name = NULL}
	};
	struct sysctl_oid_list *igmp = &sysctl__net_inet_igmp_children;
	errno_t error = sysctl_add_bounded(machine, igmp, switches, s);

	if (error == 0)
		error = sysctl_add(machine, igmp, 1, "stats", CTLTYPE_OPAQUE | CTLFLAG_RD, &s->stat, 0,
		    handle_old_statistics, "S,igmpstat");
	if (error == 0)
		error = sysctl_add(machine, igmp, OID_AUTO, "v3stats", CTLTYPE_OPAQUE | CTLFLAG_RD,
		    &s->stat, sizeof s->stat, in_sysctl_struct, "S,igmpstat_v3");
	return error;
}

static errno_t
igmp_init(struct nke *machine)
{
	static const struct ip_transport transport = {.input = igmp_input};
	struct igmp_state *s = kalloc(machine, sizeof *s);
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	s->stat.igps_version = IGPS_VERSION_3;
	s->stat.igps_len = IGPS_VERSION3_LEN;
	s->v1_enable = s->v2_enable = s->send_ra = s->send_local = 1;
	error = add_sysctls(machine, s);
	if (error != 0) {
		kfree(machine, s);
		return error;
	}
	machine->igmp = s;
	report_init(&s->reporter, machine, &igmp_ops);
	in_multi_set_reporter(machine, AF_INET, groups_changed);
	ip_set_transport(machine, AF_INET, IPPROTO_IGMP, &transport);
	return 0;
}

static void
igmp_quiesce(struct nke *machine)
{
	in_multi_set_reporter(machine, AF_INET, NULL);
	report_stop(&machine->igmp->reporter);
}

static void
igmp_fini(struct nke *machine)
{
	kfree(machine, machine->igmp);
	machine->igmp = NULL;
}

extern const struct subsystem igmp_subsystem;
const struct subsystem igmp_subsystem = {
	.name = "igmp", .init = igmp_init, .quiesce = igmp_quiesce, .fini = igmp_fini
};
