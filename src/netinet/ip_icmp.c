/*
 * ICMP's way in (RFC 792, 950, 1122 3.2.2, 1191, 1812 4.3): requests are answered, errors go to the
 * transports whose packets they quote, redirects and path MTU messages to the routing table; what is not
 * answered goes to raw sockets. Also the subsystem: state, registration, net.inet.icmp.*.
 *
 * State: counters, switches and token buckets (icmp_private.h). Way in: IP's transport number 1. Way out:
 * ip_send, by icmp_reflect.c (answers) and icmp_error.c (errors). No timers.
 *
 * Limits against abuse: an error counts only when it quotes a packet from one of our addresses; answers to
 * what was sent to a group or to everybody are limited, and can be switched off; redirects and path MTU
 * messages are bounded by the routing table's limit of learned routes.
 *
 * Left out: router discovery (RFC 1256), source quench (RFC 6633 says to ignore it), information and
 * domain name messages (RFC 6918); all of them go to raw sockets.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/sched.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_bounded.h"
#include "src/netinet/icmp_private.h"
#include "src/netinet/raw_input.h"

#define DAY_MS		UINT64_C(86400000)

struct icmpstat *
icmp_statistics(struct nke *machine)
{
	return &machine->icmp->stat;
}

/* ---- errors ------------------------------------------------------------------------------- */

/* What the codes of "unreachable" mean to a socket; RFC 1122 4.2.3.9 says which are final. */
static const struct {
	uint8_t error;
	bool hard;
} unreachable[] = {
	[ICMP_UNREACH_NET] = {EHOSTUNREACH, false},
	[ICMP_UNREACH_HOST] = {EHOSTUNREACH, false},
	[ICMP_UNREACH_PROTOCOL] = {ECONNREFUSED, true},
	[ICMP_UNREACH_PORT] = {ECONNREFUSED, true},
	[ICMP_UNREACH_NEEDFRAG] = {EMSGSIZE, false},
	[ICMP_UNREACH_SRCFAIL] = {EHOSTUNREACH, false},
	[ICMP_UNREACH_NET_UNKNOWN] = {EHOSTUNREACH, false},
	[ICMP_UNREACH_HOST_UNKNOWN] = {EHOSTUNREACH, false},
	[ICMP_UNREACH_ISOLATED] = {EHOSTUNREACH, false},
	[ICMP_UNREACH_NET_PROHIB] = {ECONNREFUSED, true},
	[ICMP_UNREACH_HOST_PROHIB] = {ECONNREFUSED, true},
	[ICMP_UNREACH_TOSNET] = {EHOSTUNREACH, false},
	[ICMP_UNREACH_TOSHOST] = {EHOSTUNREACH, false},
	[ICMP_UNREACH_FILTER_PROHIB] = {ECONNREFUSED, true},
	/* RFC 1812 5.3.3.3: of a precedence, not of the host. */
	[ICMP_UNREACH_HOST_PRECEDENCE] = {EHOSTUNREACH, false},
	[ICMP_UNREACH_PRECEDENCE_CUTOFF] = {EHOSTUNREACH, false},
};

/* False: no such code. e->error 0: the transport need not know. */
static bool
meaning_of(struct ip_error *e)
{
	switch (e->type) {
	case ICMP_UNREACH:
		if (e->code > ICMP_UNREACH_PRECEDENCE_CUTOFF)
			return false;
		e->error = unreachable[e->code].error;
		e->hard = unreachable[e->code].hard;
		return true;
	case ICMP_TIMXCEED:
		e->error = e->code == ICMP_TIMXCEED_INTRANS ? EHOSTUNREACH : 0;
		/* Against RFC 1122 4.2.3.9, as BSD has it: packets go round in circles. */
		e->hard = e->error != 0;
		return e->code <= ICMP_TIMXCEED_REASS;
	case ICMP_PARAMPROB:
		e->error = ENOPROTOOPT;
		return e->code <= ICMP_PARAMPROB_LENGTH;
	default:
		return true;
	}
}

static void
set_address(struct sockaddr_storage *ss, struct in_addr a)
{
	struct sockaddr_in sin = {.sin_len = sizeof sin, .sin_family = AF_INET, .sin_addr = a};

	memset(ss, 0, sizeof *ss);
	memcpy(ss, &sin, sizeof sin);
}

/*
 * The header that the message at `off` quotes, with 8 bytes of data behind it at least. False: it does not,
 * or the packet was never ours.
 */
static bool
quoted(struct nke *machine, const struct mbuf *m, int off, struct ip *q)
{
	size_t at = (size_t)off + ICMP_MINLEN;

	if (m_copydata(m, at, sizeof *q, q) != 0 || q->ip_v != IPVERSION || q->ip_hl << 2 < IP_HLEN ||
	    at + ((size_t)q->ip_hl << 2) + 8 > (size_t)m->m_pkthdr.len) {
		machine->icmp->stat.icps_badlen++;
		return false;
	}
	return ifaddr_find_in4(machine, q->ip_src.s_addr) != NULL &&
	    !IN_MULTICAST(ntohl(q->ip_dst.s_addr)) && (q->ip_off & htons(IP_OFFMASK)) == 0;
}

/* RFC 1191 7.1: what a router that does not say its MTU may have meant. */
static uint32_t
guess_mtu(uint32_t len)
{
	static const uint16_t plateaus[] = {
		32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68
	};

	for (size_t i = 0; i < sizeof plateaus / sizeof *plateaus; i++)
		if (plateaus[i] < len)
			return plateaus[i];
	return 68;
}

static void
learn_path_mtu(struct nke *machine, struct ip_error *e, uint32_t said, uint32_t len)
{
	e->mtu = said;
	if (e->mtu == 0)
		e->mtu = guess_mtu(len);
	if (e->mtu < len)
		(void)rt_set_path_mtu(machine, (const struct sockaddr *)(const void *)&e->dst, e->mtu);
}

/* An error goes to the transport whose packet it quotes. */
static void
icmp_error_input(struct nke *machine, const struct mbuf *m, int off, const struct icmp *icmp)
{
	struct ip_error e = {.type = icmp->icmp_type, .code = icmp->icmp_code, .m = m};
	const struct ip_transport *t;
	struct ip q;

	if (!meaning_of(&e)) {
		machine->icmp->stat.icps_badcode++;
		return;
	}
	if (!quoted(machine, m, off, &q))
		return;
	e.protocol = q.ip_p;
	e.off = (size_t)off + ICMP_MINLEN + ((size_t)q.ip_hl << 2);
	e.len = (size_t)m->m_pkthdr.len - e.off;
	set_address(&e.dst, q.ip_dst);
	set_address(&e.src, q.ip_src);
	set_address(&e.from, mtod(m, const struct ip *)->ip_src);
	if (e.error == EMSGSIZE)
		learn_path_mtu(machine, &e, ntohs(icmp->icmp_nextmtu), ntohs(q.ip_len));
	t = machine->ip->transport[q.ip_p];
	if (e.error != 0 && t != NULL && t->error != NULL)
		t->error(machine, &e);
}

/* RFC 1122 3.2.2.2: a better first hop. Routers find their ways themselves (RFC 1812 5.2.7.2). */
static void
icmp_redirect_input(struct nke *machine, const struct mbuf *m, int off, const struct icmp *icmp)
{
	struct sockaddr_storage dst, gateway, source;
	struct ip q;

	if (icmp->icmp_code > ICMP_REDIRECT_TOSHOST) {
		machine->icmp->stat.icps_badcode++;
		return;
	}
	if (machine->icmp->drop_redirect || machine->ip->forwarding || m->m_pkthdr.rcvif == NULL ||
	    !quoted(machine, m, off, &q))
		return;
	set_address(&dst, q.ip_dst);
	set_address(&gateway, icmp->icmp_gwaddr);
	set_address(&source, mtod(m, const struct ip *)->ip_src);
	rt_redirect(machine, (const struct sockaddr *)(const void *)&dst,
	    (const struct sockaddr *)(const void *)&gateway,
	    (const struct sockaddr *)(const void *)&source, m->m_pkthdr.rcvif);
}

/* ---- requests ----------------------------------------------------------------------------- */

/* Was it sent to more than this machine? Then it may be answered only so often, or not at all. */
static bool
to_many(struct nke *machine, const struct mbuf *m)
{
	const struct ip *ip = mtod(m, const struct ip *);

	return (m->m_flags & (MBUF_BCAST | MBUF_MCAST)) || IN_MULTICAST(ntohl(ip->ip_dst.s_addr)) ||
	    ifaddr_find_in4(machine, ip->ip_dst.s_addr) == NULL;
}

/* Of the group that it was sent to, if it was. */
static bool
is_member(const struct mbuf *m)
{
	struct sockaddr_in group = {.sin_len = sizeof group, .sin_family = AF_INET,
	    .sin_addr = mtod(m, const struct ip *)->ip_dst};

	return !IN_MULTICAST(ntohl(group.sin_addr.s_addr)) ||
	    group.sin_addr.s_addr == htonl(INADDR_ALLHOSTS_GROUP) || m->m_pkthdr.rcvif == NULL ||
	    ip_local_member(m->m_pkthdr.rcvif, (const struct sockaddr *)(const void *)&group);
}

static bool
may_answer(struct nke *machine, const struct mbuf *m, uint32_t *refused)
{
	struct icmp_state *s = machine->icmp;

	if (!to_many(machine, m))
		return true;
	if (!is_member(m)) {
		machine->ip->stat.ips_notmember++;
		return false;
	}
	if (s->group_echo && in_bucket_take(&s->group_answers, machine_now(machine),
	    ICMP_GROUP_ECHO_LIMIT))
		return true;
	(*refused)++;
	return false;
}

/* Milliseconds since midnight, UTC (RFC 792). */
static uint32_t
time_of_day(const struct nke *machine)
{
	return htonl((uint32_t)(world_calendar_now(machine->world) / 1000000 % DAY_MS));
}

static void
icmp_timestamp_input(struct nke *machine, struct mbuf *m, int off)
{
	uint32_t times[2] = {time_of_day(machine), time_of_day(machine)};

	/* Received and sent; it stays the machine's if memory runs out. */
	if (m_copyback(m, (size_t)off + ICMP_MINLEN + sizeof(n_time), sizeof times, times,
	    MBUF_DONTWAIT) != 0) {
		m_freem(m);
		return;
	}
	icmp_reflect(machine, m, off, ICMP_TSTAMPREPLY, true);
}

/* RFC 950; RFC 1122 3.2.2.9: only if told to. */
static void
icmp_mask_input(struct nke *machine, struct mbuf *m, int off)
{
	const struct ip *ip = mtod(m, const struct ip *);
	struct sockaddr_in from = {.sin_len = sizeof from, .sin_family = AF_INET,
	    .sin_addr = ip->ip_src};
	const struct ifaddr *ifa = NULL;

	if (m->m_pkthdr.rcvif != NULL)
		ifa = ifaddr_best(m->m_pkthdr.rcvif, (const struct sockaddr *)(const void *)&from);
	if (ifa == NULL || m_copyback(m, (size_t)off + ICMP_MINLEN, sizeof(struct in_addr),
	    &((const struct sockaddr_in *)(const void *)&ifa->mask)->sin_addr, MBUF_DONTWAIT) != 0) {
		m_freem(m);
		return;
	}
	icmp_reflect(machine, m, off, ICMP_MASKREPLY, true);
}

/* True: it was a request, and is dealt with. */
static bool
icmp_request_input(struct nke *machine, struct mbuf *m, int off, uint8_t type)
{
	struct icmp_state *s = machine->icmp;
	int len = m->m_pkthdr.len - off;

	switch (type) {
	case ICMP_ECHO:
		if (may_answer(machine, m, &s->stat.icps_bmcastecho)) {
			icmp_reflect(machine, m, off, ICMP_ECHOREPLY, false);
			return true;
		}
		break;
	case ICMP_TSTAMP:
		if (!s->timestamp)
			return false;
		if (len < (int)ICMP_TSLEN) {
			s->stat.icps_badlen++;
		} else if (may_answer(machine, m, &s->stat.icps_bmcasttstamp)) {
			icmp_timestamp_input(machine, m, off);
			return true;
		}
		break;
	case ICMP_MASKREQ:
		if (!s->mask_reply)
			return false;
		if (len < ICMP_MASKLEN) {
			s->stat.icps_badlen++;
		} else {
			icmp_mask_input(machine, m, off);
			return true;
		}
		break;
	default:
		return false;
	}
	m_freem(m);
	return true;
}

/* ---- entry -------------------------------------------------------------------------------- */

static void
icmp_input(struct nke *machine, struct mbuf *m, int off, uint8_t protocol)
{
	struct icmpstat *st = &machine->icmp->stat;
	int len = m->m_pkthdr.len - off;
	struct icmp icmp;

	if (len < ICMP_MINLEN) {
		st->icps_tooshort++;
		m_freem(m);
		return;
	}
	if (in_cksum_part(m, (size_t)off, (size_t)len) != 0) {
		st->icps_checksum++;
		m_freem(m);
		return;
	}
	m_copydata(m, (size_t)off, ICMP_MINLEN, &icmp);
	if (icmp.icmp_type <= ICMP_MAXTYPE)
		st->icps_inhist[icmp.icmp_type]++;
	if (icmp_request_input(machine, m, off, icmp.icmp_type))
		return;
	switch (icmp.icmp_type) {
	case ICMP_UNREACH:
	case ICMP_TIMXCEED:
	case ICMP_PARAMPROB:
		icmp_error_input(machine, m, off, &icmp);
		break;
	case ICMP_REDIRECT:
		icmp_redirect_input(machine, m, off, &icmp);
		break;
	default:
		break;
	}
	rip_input(machine, m, off, protocol);
}

/* ---- life --------------------------------------------------------------------------------- */

static errno_t
add_sysctls(struct nke *machine, struct icmp_state *s)
{
	struct sysctl_oid_list *icmp = &sysctl__net_inet_icmp_children;
	static const struct sysctl_bounded switches[] = {
		{ICMPCTL_MASKREPL, "maskrepl", offsetof(struct icmp_state, mask_reply), 0, 1},
		{ICMPCTL_ICMPLIM, "icmplim", offsetof(struct icmp_state, limit), 0, 1000000},
		{ICMPCTL_TIMESTAMP, "timestamp", offsetof(struct icmp_state, timestamp), 0, 1},
		{OID_AUTO, "bmcastecho", offsetof(struct icmp_state, group_echo), 0, 1},
		{OID_AUTO, "drop_redirect", offsetof(struct icmp_state, drop_redirect), 0, 1},
		{.name = NULL}
	};
	errno_t error = sysctl_add(machine, icmp, ICMPCTL_STATS, "stats", CTLTYPE_OPAQUE | CTLFLAG_RD,
	    &s->stat, sizeof s->stat, in_sysctl_struct, "S,icmpstat");

	return error != 0 ? error : sysctl_add_bounded(machine, icmp, switches, s);
}

static errno_t
icmp_init(struct nke *machine)
{
	static const struct ip_transport transport = {.input = icmp_input};
	struct icmp_state *s = kalloc(machine, sizeof *s);
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	machine->icmp = s;
	s->limit = ICMP_RATE_LIMIT;
	s->group_echo = 1;
	error = add_sysctls(machine, s);
	if (error != 0) {
		kfree(machine, s);
		machine->icmp = NULL;
		return error;
	}
	ip_set_transport(machine, AF_INET, IPPROTO_ICMP, &transport);
	return 0;
}

static void
icmp_fini(struct nke *machine)
{
	kfree(machine, machine->icmp);
	machine->icmp = NULL;
}

extern const struct subsystem icmp_subsystem;
const struct subsystem icmp_subsystem = {
	.name = "icmp", .init = icmp_init, .fini = icmp_fini
};
