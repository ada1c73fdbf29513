/*
 * What a machine does about the options of a packet that it gets (RFC 791 3.1, RFC 1122 3.2.1.8, RFC 1812
 * 5.2.4.1): writes itself into record route and time stamp, goes one step on in a source route.
 *
 * Called by ip_input for packets for this machine and, when it forwards, for others. Source routes are
 * refused unless switched on: they let strangers send by ways, and with addresses, that they should not
 * have (net.inet.ip.sourceroute, net.inet.ip.accept_sourceroute). A replayed machine changes nothing.
 *
 * Left out: a route that has arrived is not kept for the answers.
 */
#include <netinet/ip_icmp.h>
#include <string.h>

#include "src/kern/sched.h"
#include "src/netinet/ip_state.h"

#define DAY_MS		UINT64_C(86400000)
#define ADDR		sizeof(struct in_addr)
#define TS_HEAD		4u		/* bytes of a time stamp option before its entries */
#define ROUTE_HEAD	3u
#define STEPS_MAX	(MAX_IPOPTLEN / ADDR)

/* One packet's options. */
struct walk {
	struct nke *machine;
	struct mbuf *m;
	bool ours;			/* its destination is one of our addresses */
	bool many;			/* a group's or everybody's */
	bool changed;
	/* What is to be done when it is refused. */
	uint8_t type, code;		/* of the ICMP error; ICMP_MAXTYPE + 1: nothing is said */
	uint32_t pointer;
	uint32_t *counter;
};

static struct ip *
header(const struct walk *w)
{
	return mtod(w->m, struct ip *);
}

/* ---- refusing: all return false ----------------------------------------------------------- */

static bool
malformed(struct walk *w, const uint8_t *at)
{
	w->type = ICMP_PARAMPROB;
	w->code = ICMP_PARAMPROB_ERRATPTR;
	w->pointer = (uint32_t)(at - (const uint8_t *)w->m->m_data);
	w->counter = &w->machine->ip->stat.ips_badoptions;
	return false;
}

/* Routers say that they do not take it, hosts nothing. */
static bool
no_such_way(struct walk *w)
{
	w->type = w->machine->ip->forwarding ? ICMP_UNREACH : ICMP_MAXTYPE + 1;
	w->code = ICMP_UNREACH_SRCFAIL;
	w->counter = &w->machine->ip->stat.ips_cantforward;
	return false;
}

/* ---- addresses ---------------------------------------------------------------------------- */

static const struct in_addr *
address_of(const struct ifaddr *ifa)
{
	return &((const struct sockaddr_in *)(const void *)&ifa->addr)->sin_addr;
}

static bool
is_ours(struct nke *machine, struct in_addr a)
{
	return ifaddr_find_in4(machine, a.s_addr) != NULL;
}

/* Our address by which packets leave for `to`. False: they do not. */
static bool
address_towards(struct nke *machine, struct in_addr to, struct in_addr *out)
{
	struct sockaddr_in sin = {.sin_len = sizeof sin, .sin_family = AF_INET, .sin_addr = to};
	const struct sockaddr *dst = (const struct sockaddr *)(const void *)&sin;
	struct rtentry *rt;
	const struct ifaddr *ifa = ifaddr_find_in4(machine, to.s_addr);

	if (ifa == NULL) {
		rt = rt_lookup(machine, dst, NULL, 0);
		if (rt != NULL && ip_route_refuses(rt) == 0)
			ifa = in_select_source(machine, rt->rt_ifp, rt, dst);
		rt_release(rt);
	}
	if (ifa != NULL)
		*out = *address_of(ifa);
	return ifa != NULL;
}

/* ---- the options -------------------------------------------------------------------------- */

/* The first entry that is free, as an offset; 0: there is none; below `least`: it is nonsense. */
static size_t
next_entry(const uint8_t *o, size_t len, size_t size)
{
	size_t at = (size_t)o[IPOPT_OFFSET] - 1;

	return at + size <= len ? at : 0;
}

static bool
record_route(struct walk *w, uint8_t *o, size_t len)
{
	struct in_addr here;
	size_t at;

	if (len < ROUTE_HEAD || o[IPOPT_OFFSET] < IPOPT_MINOFF)
		return malformed(w, o + IPOPT_OFFSET);
	at = next_entry(o, len, ADDR);
	if (at != 0 && address_towards(w->machine, header(w)->ip_dst, &here)) {
		memcpy(o + at, &here, ADDR);
		o[IPOPT_OFFSET] += (uint8_t)ADDR;
		w->changed = true;
	}
	return true;
}

static void
write_time(const struct walk *w, uint8_t *at)
{
	uint32_t ms = htonl((uint32_t)(world_calendar_now(w->machine->world) / 1000000 % DAY_MS));

	memcpy(at, &ms, sizeof ms);
}

static bool
time_stamp(struct walk *w, uint8_t *o, size_t len)
{
	struct sockaddr_in from = {.sin_len = sizeof from, .sin_family = AF_INET,
	    .sin_addr = header(w)->ip_src};
	uint8_t flag = len < TS_HEAD ? 0xff : o[3] & 0xf;
	size_t size = flag == IPOPT_TS_TSONLY ? sizeof(n_time) : ADDR + sizeof(n_time), at;
	const struct ifaddr *ifa;
	struct in_addr here;

	if (len < TS_HEAD || o[IPOPT_OFFSET] < TS_HEAD + 1)
		return malformed(w, o + IPOPT_OFFSET);
	if (flag != IPOPT_TS_TSONLY && flag != IPOPT_TS_TSANDADDR && flag != IPOPT_TS_PRESPEC)
		return malformed(w, o + 3);
	w->changed = true;
	at = next_entry(o, len, size);
	if (at == 0) {
		/* No room: counted in the option, as far as that goes. */
		if (o[3] >> 4 == 0xf)
			return malformed(w, o);
		o[3] = (uint8_t)(o[3] + 0x10);
		return true;
	}
	if (flag == IPOPT_TS_TSANDADDR) {
		ifa = w->m->m_pkthdr.rcvif != NULL ? ifaddr_best(w->m->m_pkthdr.rcvif,
		    (const struct sockaddr *)(const void *)&from) : NULL;
		if (ifa == NULL)
			return true;
		memcpy(o + at, address_of(ifa), ADDR);
	} else if (flag == IPOPT_TS_PRESPEC) {
		memcpy(&here, o + at, ADDR);
		if (!is_ours(w->machine, here))
			return true;
	}
	write_time(w, o + at + size - sizeof(n_time));
	o[IPOPT_OFFSET] = (uint8_t)(o[IPOPT_OFFSET] + size);
	return true;
}

/* Is it on a link that this machine has an address on? */
static bool
connected(struct nke *machine, struct in_addr a)
{
	struct sockaddr_in sin = {.sin_len = sizeof sin, .sin_family = AF_INET, .sin_addr = a};
	const struct sockaddr *sa = (const struct sockaddr *)(const void *)&sin;

	return ifaddr_find_dst(machine, sa) != NULL || ifaddr_find_net(machine, sa) != NULL;
}

/* The packet has come to the end of one stretch: the next entry becomes its destination. */
static bool
source_route(struct walk *w, uint8_t *o, size_t len)
{
	const struct ip_state *s = w->machine->ip;
	struct in_addr next, here;
	size_t at;

	if (len < ROUTE_HEAD || o[IPOPT_OFFSET] < IPOPT_MINOFF)
		return malformed(w, o + IPOPT_OFFSET);
	if (!w->ours)
		return (o[IPOPT_OPTVAL] == IPOPT_LSRR && !w->many) || no_such_way(w);
	for (unsigned step = 0; step < STEPS_MAX && w->ours; step++) {
		at = next_entry(o, len, ADDR);
		if (at == 0)
			return s->accept_source_route || no_such_way(w);
		memcpy(&next, o + at, ADDR);
		if (!s->forwarding || !s->source_route || IN_MULTICAST(ntohl(next.s_addr)) ||
		    (o[IPOPT_OPTVAL] == IPOPT_SSRR && !connected(w->machine, next)) ||
		    !address_towards(w->machine, next, &here))
			return no_such_way(w);
		memcpy(o + at, &here, ADDR);
		o[IPOPT_OFFSET] += (uint8_t)ADDR;
		header(w)->ip_dst = next;
		w->ours = is_ours(w->machine, next);
		w->changed = true;
	}
	return true;
}

static bool
one_option(struct walk *w, uint8_t *o, size_t len)
{
	switch (o[IPOPT_OPTVAL]) {
	case IPOPT_RR:
		return record_route(w, o, len);
	case IPOPT_TS:
		return time_stamp(w, o, len);
	case IPOPT_LSRR:
	case IPOPT_SSRR:
		return source_route(w, o, len);
	default:
		return true;
	}
}

static bool
all_options(struct walk *w, int hlen)
{
	uint8_t *o = (uint8_t *)w->m->m_data + IP_HLEN, *end = (uint8_t *)w->m->m_data + hlen;
	size_t len;

	for (; o < end && *o != IPOPT_EOL; o += len) {
		if (*o == IPOPT_NOP) {
			len = 1;
			continue;
		}
		if (end - o < 2)
			return malformed(w, o);
		len = o[IPOPT_OLEN];
		if (len < 2 || len > (size_t)(end - o))
			return malformed(w, o + IPOPT_OLEN);
		if (!one_option(w, o, len))
			return false;
	}
	return true;
}

/* ---- entry -------------------------------------------------------------------------------- */

/* What a capture's filters saw before it was replayed is what they see now. */
static bool
only_check(struct nke *machine, struct mbuf *m, int hlen)
{
	struct ipstat *st = &machine->ip->stat;

	switch (ip_options_check(mtod(m, const uint8_t *) + IP_HLEN, (size_t)(hlen - IP_HLEN))) {
	case IP_OPTIONS_BAD:
		ip_refuse(machine, m, &st->ips_badoptions);
		return false;
	case IP_OPTIONS_SOURCE_ROUTE:
		ip_refuse(machine, m, &st->ips_cantforward);
		return false;
	case IP_OPTIONS_GOOD:
		break;
	}
	return true;
}

bool
ip_dooptions(struct nke *machine, struct mbuf **mp, int hlen)
{
	struct ip_state *s = machine->ip;
	struct walk w = {.machine = machine};
	struct in_addr dst = mtod(*mp, const struct ip *)->ip_dst;
	bool good;

	if (machine->replay != NULL)
		return only_check(machine, *mp, hlen);
	w.ours = is_ours(machine, dst);
	w.many = !w.ours && (IN_MULTICAST(ntohl(dst.s_addr)) || dst.s_addr == htonl(INADDR_BROADCAST) ||
	    dst.s_addr == INADDR_ANY || ifaddr_find_broadcast4(machine, NULL, dst.s_addr) != NULL);
	/* Others' packets are none of a host's business. */
	if (!w.ours && !w.many && !s->forwarding)
		return true;
	*mp = w.m = ip_writable(machine, *mp, (size_t)hlen, &s->stat.ips_toosmall);
	if (w.m == NULL)
		return false;
	good = all_options(&w, hlen);
	if (w.changed) {
		header(&w)->ip_sum = 0;
		header(&w)->ip_sum = in_cksum_part(w.m, 0, (size_t)hlen);
	}
	if (good)
		return true;
	*mp = NULL;
	if (w.type > ICMP_MAXTYPE) {
		ip_refuse(machine, w.m, w.counter);
	} else {
		(*w.counter)++;
		icmp_error(machine, w.m, w.type, w.code, w.pointer);
	}
	return false;
}
