/*
 * IPv6 neighbour discovery (RFC 4861): the machine's and the interfaces' state, the clock of everything that
 * is due there, and the frame of messages in and out. nd6.h says what is where.
 *
 * In:  icmp6.c -> nd6_input: hop limit 255, code, length and every option are checked here, once for all;
 *      what came in fragments, atomic ones too, is dropped (RFC 6980).
 * Out: nd6_send -> ip6_send, hop limit 255, by the interface it is about.
 * Time: one callout for all; whoever has something due says when, and is asked in turn.
 * Limits: ND6_MESSAGE_MAX bytes, net.inet6.ip6.maxifprefixes and maxifdefrouters, the table of neighbours'.
 * Left out: secure discovery (RFC 3971), optimistic addresses (RFC 4429), temporary addresses (RFC 8981),
 * proxies, mobile IPv6, resolvers in advertisements (RFC 8106), routes in advertisements (RFC 4191 2.3).
 */
#include <net/if_types.h>
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/kern/sysctl_bounded.h"
#include "src/netinet/in_multi.h"
#include "src/netinet/ip_private.h"
#include "src/netinet6/icmp6_private.h"
#include "src/netinet6/ip6_state.h"
#include "src/netinet6/nd6.h"

const struct in6_addr nd6_all_nodes = {.s6_addr = {0xff, 0x02, [15] = 1}};
const struct in6_addr nd6_all_routers = {.s6_addr = {0xff, 0x02, [15] = 2}};

/* ---- addresses ---------------------------------------------------------------------------- */

void
nd6_sockaddr(const struct ifnet *ifp, const struct in6_addr *a, struct sockaddr_in6 *sin6)
{
	memset(sin6, 0, sizeof *sin6);
	sin6->sin6_len = sizeof *sin6;
	sin6->sin6_family = AF_INET6;
	sin6->sin6_addr = *a;
	if (ip6_link_local(a))
		sin6->sin6_scope_id = ifp->index;
}

struct in6_addr
nd6_address_of(const struct ifaddr *ifa)
{
	struct in6_addr a = ((const struct sockaddr_in6 *)(const void *)&ifa->addr)->sin6_addr;

	if (IN6_IS_ADDR_LINKLOCAL(&a))
		a.s6_addr16[1] = 0;
	return a;
}

struct ifaddr *
nd6_own(struct ifnet *ifp, const struct in6_addr *a)
{
	struct ifaddr *ifa = ifaddr_find_in6_zone(ifp->machine, a, IN6_IS_ADDR_LINKLOCAL(a) ? ifp->index : 0);

	return ifa != NULL && ifa->ifp == ifp ? ifa : NULL;
}

struct ifaddr *
nd6_own_linklocal(struct ifnet *ifp)
{
	struct ifaddr *ifa;

	TAILQ_FOREACH(ifa, &ifp->addresses, link) {
		if (ifa->addr.ss_family == AF_INET6 && !(ifa->ia6_flags & IN6_IFF_NOTREADY)) {
			const struct in6_addr own = nd6_address_of(ifa);

			if (IN6_IS_ADDR_LINKLOCAL(&own))
				return ifa;
		}
	}
	return NULL;
}

static bool
same_prefix(const struct in6_addr *a, const struct in6_addr *b, unsigned len)
{
	uint8_t rest = (uint8_t)(0xff00 >> (len & 7));

	return memcmp(a, b, len / 8) == 0 &&
	    ((len & 7) == 0 || ((a->s6_addr[len / 8] ^ b->s6_addr[len / 8]) & rest) == 0);
}

bool
nd6_on_link(struct ifnet *ifp, const struct in6_addr *a)
{
	const struct nd6_prefix *p;
	struct sockaddr_in6 sin6;

	if (IN6_IS_ADDR_LINKLOCAL(a))
		return true;
	nd6_sockaddr(ifp, a, &sin6);
	if (ifaddr_on_link(ifp, nd6_sa(&sin6)))
		return true;
	if (ifp->nd6 == NULL)
		return false;
	TAILQ_FOREACH(p, &ifp->nd6->prefixes, link)
		if (same_prefix(&p->prefix, a, p->len))
			return true;
	return false;
}

/* ---- interfaces --------------------------------------------------------------------------- */

bool
nd6_capable(const struct ifnet *ifp)
{
	return (ifp->type == IFT_ETHER || ifp->type == IFT_L2VLAN || ifp->type == IFT_IEEE8023ADLAG) &&
	    ifp->lladdr_len == 6 && ifp->machine->replay == NULL &&
	    (ifp->flags & (IFF_MULTICAST | IFF_LOOPBACK | IFF_NOARP)) == IFF_MULTICAST;
}

/* RFC 4861 6.3.2: uniform between half and one and a half of the base, made anew every few hours. */
void
nd6_recompute_reachable(struct nd6_if *nd)
{
	struct nke *m = nd->ifp->machine;
	uint32_t base = nd->base_reachable_ms;

	nd->reachable_ms = (uint32_t)nd6_random(m, base / 2, base + base / 2);
	if (nd->reachable_ms == 0)
		nd->reachable_ms = 1;
	nd->recompute = machine_now(m) + 7200 * ND6_SECOND;
}

struct nd6_if *
nd6_interface(struct ifnet *ifp)
{
	struct nke *m = ifp->machine;
	struct nd6_if *nd = ifp->nd6;

	if (nd != NULL)
		return nd;
	if (m->nd6 == NULL || !nd6_capable(ifp) || ifp->state != IFNET_ATTACHED)
		return NULL;
	nd = kalloc(m, sizeof *nd);
	if (nd == NULL)
		return NULL;
	nd->ifp = ifp;
	nd->base_reachable_ms = ND6_REACHABLE_MS;
	nd->retrans_ms = ND6_RETRANS_MS;
	nd->solicit_due = ND6_NEVER;
	nd->fresh = true;
	TAILQ_INIT(&nd->addresses);
	TAILQ_INIT(&nd->routers);
	TAILQ_INIT(&nd->prefixes);
	nd6_recompute_reachable(nd);
	ifp->nd6 = nd;
	TAILQ_INSERT_TAIL(&m->nd6->interfaces, nd, link);
	(void)in_multi_join(ifp, AF_INET6, &nd6_all_nodes, &nd->all_nodes);
	return nd;
}

static void
forget_interface(struct nd6_if *nd)
{
	struct ifnet *ifp = nd->ifp;
	struct nke *m = ifp->machine;

	nd6_adv_forget(nd);
	nd6_rtr_forget(nd);
	nd6_dad_forget(nd);
	if (nd->all_nodes != NULL)
		in_multi_leave(nd->all_nodes);
	TAILQ_REMOVE(&m->nd6->interfaces, nd, link);
	ifp->nd6 = NULL;
	ifp->mtu6 = 0;
	ifp->hlim6 = 0;
	kfree(m, nd);
}

uint8_t
nd6_hop_limit(const struct ifnet *ifp)
{
	return ifp->hlim6 != 0 ? ifp->hlim6 : (uint8_t)ifp->machine->ip6->default_hlim;
}

bool
nd6_interface_info(const struct ifnet *ifp, struct nd_ifinfo *info)
{
	const struct nd6_if *nd = ifp->nd6;

	memset(info, 0, sizeof *info);
	if (nd == NULL)
		return false;
	info->linkmtu = ifnet_family_mtu(ifp, AF_INET6);
	info->maxmtu = ifp->mtu;
	info->basereachable = nd->base_reachable_ms;
	info->reachable = nd->reachable_ms / 1000;
	info->retrans = nd->retrans_ms;
	info->flags = ND6_IFF_PERFORMNUD | ND6_IFF_DAD;
	info->recalctm = 7200;
	info->chlim = nd6_hop_limit(ifp);
	info->receivedra = nd->heard;
	return true;
}

/* ---- time --------------------------------------------------------------------------------- */

uint64_t
nd6_random(struct nke *m, uint64_t least, uint64_t most)
{
	uint64_t r = (uint64_t)prng_u32(m) << 32 | prng_u32(m);

	return most > least ? least + r % (most - least + 1) : least;
}

uint64_t
nd6_deadline(const struct nke *m, uint32_t seconds)
{
	return seconds == ND6_INFINITE_LIFETIME ? ND6_NEVER : machine_now(m) + seconds * ND6_SECOND;
}

void
nd6_arm(struct nke *m, uint64_t due)
{
	struct nd6_state *s = m->nd6;

	if (due < s->armed)
		s->armed = callout_reset(&s->timer, due) == 0 ? due : UINT64_MAX;
}

/* Does one thing that is due; whatever it sends may run kexts, so nothing of before is kept. */
static bool
do_one(struct nd6_state *s, uint64_t now, uint64_t *next)
{
	struct nd6_if *nd;

	*next = ND6_NEVER;
	TAILQ_FOREACH(nd, &s->interfaces, link) {
		if (nd6_dad_due(nd, now, next) || nd6_rtr_due(nd, now, next) || nd6_adv_due(nd, now, next))
			return true;
		/* Only counts when it is asked for, so it need not wake anybody. */
		if (nd->recompute <= now)
			nd6_recompute_reachable(nd);
	}
	return false;
}

static void
timer(void *arg)
{
	struct nke *m = arg;
	struct nd6_state *s = m->nd6;
	uint64_t now = machine_now(m), next;

	s->armed = 0;			/* nobody else arms it meanwhile */
	while (do_one(s, now, &next))
		;
	s->armed = UINT64_MAX;
	nd6_arm(m, next);
}

bool
nd6_may_log(struct nke *m)
{
	uint64_t now = machine_now(m);

	if (m->nd6->said != 0 && now - m->nd6->said < ND6_SECOND)
		return false;
	m->nd6->said = now != 0 ? now : 1;
	return true;
}

/* ---- the way out -------------------------------------------------------------------------- */

size_t
nd6_put_lladdr(uint8_t *to, uint8_t type, const struct ifnet *ifp)
{
	to[0] = type;
	to[1] = 1;
	memcpy(to + 2, ifp->lladdr, 6);
	return 8;
}

void
nd6_send(struct ifnet *ifp, const struct in6_addr *src, const struct in6_addr *dst, void *message,
    size_t len)
{
	struct ip_sender sender = {
		.bound = ifp, .mcast_ifp = ifp, .has_mcast = true, .mcast_ttl = 255,
		.flags = src == NULL ? IP_OUT_UNSPEC_SOURCE : 0,
	};
	struct ip6_hdr ip6 = {.ip6_dst = *dst};
	struct icmp6_hdr *icmp6 = message;
	struct nke *machine = ifp->machine;
	struct mbuf *m;

	if (machine->replay != NULL)
		return;
	ip6.ip6_vfc = IPV6_VERSION;
	ip6.ip6_nxt = IPPROTO_ICMPV6;
	ip6.ip6_hlim = 255;
	if (src != NULL)
		ip6.ip6_src = *src;
	m = m_devget(machine, NULL, sizeof ip6 + len, 16);
	if (m == NULL)
		return;
	icmp6->icmp6_cksum = 0;
	memcpy(m->m_data, &ip6, sizeof ip6);
	memcpy(m->m_data + sizeof ip6, message, len);
	icmp6->icmp6_cksum = (uint16_t)~in_cksum_sum(m, sizeof ip6, len, in6_pseudo(ip6_source(m),
	    ip6_destination(m), IPPROTO_ICMPV6, (uint32_t)len));
	memcpy(m->m_data + sizeof ip6, message, sizeof *icmp6);
	icmp6_statistics(machine)->icp6s_outhist[icmp6->icmp6_type]++;
	(void)ip6_send(machine, m, &sender);
}

/* ---- the way in --------------------------------------------------------------------------- */

void
nd6_bad(struct nke *machine, uint8_t type)
{
	struct icmp6stat *st = icmp6_statistics(machine);

	switch (type) {
	case ND_ROUTER_SOLICIT:
		st->icp6s_badrs++;
		break;
	case ND_ROUTER_ADVERT:
		st->icp6s_badra++;
		break;
	case ND_NEIGHBOR_SOLICIT:
		st->icp6s_badns++;
		break;
	case ND_NEIGHBOR_ADVERT:
		st->icp6s_badna++;
		break;
	default:
		st->icp6s_badredirect++;
		break;
	}
}

const uint8_t *
nd6_next_option(const struct nd6_message *p, uint8_t type, const uint8_t *after)
{
	const uint8_t *end = p->data + p->len, *o;

	for (o = after != NULL ? after + after[1] * 8 : p->data + p->options; o < end; o += o[1] * 8)
		if (o[0] == type)
			return o;
	return NULL;
}

const uint8_t *
nd6_option(const struct nd6_message *p, uint8_t type, size_t *len)
{
	const uint8_t *o = nd6_next_option(p, type, NULL);

	if (o != NULL && len != NULL)
		*len = o[1] * 8u;
	return o;
}

const uint8_t *
nd6_lladdr_option(const struct nd6_message *p, uint8_t type)
{
	size_t len;
	const uint8_t *o = nd6_option(p, type, &len);

	return o != NULL && len == 8 && !(o[2] & 1) ? o + 2 : NULL;
}

/* Bytes in front of the options; 0: no such message. */
static size_t
fixed_length(uint8_t type)
{
	switch (type) {
	case ND_ROUTER_SOLICIT:
		return sizeof(struct nd_router_solicit);
	case ND_ROUTER_ADVERT:
		return sizeof(struct nd_router_advert);
	case ND_NEIGHBOR_SOLICIT:
		return sizeof(struct nd_neighbor_solicit);
	case ND_NEIGHBOR_ADVERT:
		return sizeof(struct nd_neighbor_advert);
	case ND_REDIRECT:
		return sizeof(struct nd_redirect);
	default:
		return 0;
	}
}

/* Every option has a length, and all of it is there (RFC 4861 6.1, 7.1, 8.1). */
static bool
options_well_formed(const uint8_t *data, size_t off, size_t len)
{
	while (off < len) {
		if (len - off < 8 || data[off + 1] == 0 || data[off + 1] * 8u > len - off)
			return false;
		off += data[off + 1] * 8u;
	}
	return true;
}

static void
dispatch(const struct nd6_message *p)
{
	switch (p->data[0]) {
	case ND_ROUTER_SOLICIT:
		nd6_rtr_solicit_input(p);
		break;
	case ND_ROUTER_ADVERT:
		nd6_rtr_advert_input(p);
		break;
	case ND_NEIGHBOR_SOLICIT:
		nd6_solicit_input(p);
		break;
	case ND_NEIGHBOR_ADVERT:
		nd6_advert_input(p);
		break;
	case ND_REDIRECT:
		nd6_redirect_input(p);
		break;
	}
}

/* `data` is a copy, aligned. */
static void
check_and_dispatch(struct nd6_message *p, uint8_t hop_limit)
{
	uint8_t type = p->data[0];

	p->options = fixed_length(type);
	if (hop_limit != 255 || p->options == 0 || p->len < p->options || p->data[1] != 0) {
		nd6_bad(p->machine, type);
		return;
	}
	if (!options_well_formed(p->data, p->options, p->len)) {
		icmp6_statistics(p->machine)->icp6s_nd_badopt++;
		nd6_bad(p->machine, type);
		return;
	}
	dispatch(p);
}

void
nd6_input(struct nke *machine, struct mbuf *m, int off)
{
	uint64_t copy[ND6_MESSAGE_MAX / 8];
	struct ifnet *ifp = m->m_pkthdr.rcvif;
	struct nd6_message p = {.machine = machine, .ifp = ifp, .data = (const uint8_t *)copy};
	struct ip6_hdr ip6;

	if (machine->replay != NULL || ifp == NULL || ifp->state != IFNET_ATTACHED ||
	    (p.nd = ifp->nd6) == NULL)
		goto out;
	/* RFC 6980 5: who looks at packets on the way cannot see what is in fragments. */
	if (m->m_pkthdr.fragmented)
		goto out;
	p.len = (size_t)(m->m_pkthdr.len - off);
	if (m->m_pkthdr.len < off || p.len < 8 || m_copydata(m, 0, sizeof ip6, &ip6) != 0)
		goto out;
	if (p.len > sizeof copy || m_copydata(m, (size_t)off, p.len, copy) != 0) {
		icmp6_statistics(machine)->icp6s_tooshort++;
		goto out;
	}
	p.src = ip6.ip6_src;
	p.dst = ip6.ip6_dst;
	(void)ip6_take_scope(&p.src);
	(void)ip6_take_scope(&p.dst);
	check_and_dispatch(&p, ip6.ip6_hlim);
out:
	m_freem(m);
}

/* ---- the link ----------------------------------------------------------------------------- */

static void
link_came(struct nd6_if *nd)
{
	nd->fresh = true;
	nd6_dad_restart(nd);
	if (nd->autoconf)
		nd6_rtr_solicit(nd);
}

/* Nobody could hear the questions of an interface that was down. */
void
nd6_interface_up(struct ifnet *ifp)
{
	struct nd6_if *nd = ifp->nd6;

	if (nd == NULL)
		return;
	nd6_dad_resume(nd);
	if (nd->autoconf && nd->solicits == 0 && TAILQ_EMPTY(&nd->routers))
		nd6_rtr_solicit(nd);
}

/* After the address changed: neighbours learn it at once (RFC 4861 7.2.6). */
static void
announce_all(struct nd6_if *nd)
{
	struct nd6_address *a;

	TAILQ_FOREACH(a, &nd->addresses, link)
		a->announce = true;
	nd6_arm(nd->ifp->machine, machine_now(nd->ifp->machine));
}

static errno_t
hear_link(void *arg, const struct kern_event_msg *msg)
{
	struct nke *m = arg;
	const struct net_event_data *data = (const void *)msg->event_data;
	struct nd6_if *nd;

	if (msg->total_size < KEV_MSG_HEADER_SIZE + sizeof *data)
		return 0;
	TAILQ_FOREACH(nd, &m->nd6->interfaces, link)
		if (nd->ifp->unit == data->if_unit && strncmp(nd->ifp->name, data->if_name, IFNAMSIZ) == 0)
			break;
	if (nd == NULL)
		return 0;
	if (msg->event_code == KEV_DL_LINK_ON)
		link_came(nd);
	else if (msg->event_code == KEV_DL_LINK_ADDRESS_CHANGED)
		announce_all(nd);
	return 0;
}

void
nd6_interface_gone(struct ifnet *ifp)
{
	if (ifp->nd6 != NULL)
		forget_interface(ifp->nd6);
}

/* ---- the subsystem ------------------------------------------------------------------------ */

#define NUMBER(number, name, member, min, max)	\
	{number, #name, offsetof(struct nd6_state, member), min, max}

static const struct sysctl_bounded icmp6_numbers[] = {
	NUMBER(ICMPV6CTL_ND6_DELAY, nd6_delay, delay, 1, 3600),
	NUMBER(ICMPV6CTL_ND6_UMAXTRIES, nd6_umaxtries, umaxtries, 1, 100),
	NUMBER(ICMPV6CTL_ND6_MMAXTRIES, nd6_mmaxtries, mmaxtries, 1, 100),
	NUMBER(ICMPV6CTL_ND6_MAXQLEN, nd6_maxqueuelen, maxqueuelen, 1, 1024),
	{0, NULL, 0, 0, 0}
};

static const struct sysctl_bounded ip6_numbers[] = {
	NUMBER(IPV6CTL_DAD_COUNT, dad_count, dad_count, 0, 100),
	NUMBER(OID_AUTO, maxifprefixes, max_prefixes, 0, 1024),
	NUMBER(OID_AUTO, maxifdefrouters, max_routers, 0, 1024),
	{0, NULL, 0, 0, 0}
};

static errno_t
nd6_init(struct nke *m)
{
	struct nd6_state *s = kalloc(m, sizeof *s);
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	*s = (struct nd6_state){
		.delay = 5, .umaxtries = 3, .mmaxtries = 3, .maxqueuelen = 16, .maxqueue_total = 1024,
		.dad_count = 1, .max_prefixes = 16, .max_routers = 16, .armed = UINT64_MAX,
	};
	TAILQ_INIT(&s->interfaces);
	callout_init(&s->timer, m, timer, m);
	m->nd6 = s;
	error = sysctl_add_bounded(m, &sysctl__net_inet6_icmp6_children, icmp6_numbers, s);
	if (error == 0)
		error = sysctl_add_bounded(m, &sysctl__net_inet6_ip6_children, ip6_numbers, s);
	if (error != 0)
		return error;
	s->listener = (struct kev_listener){
		.filter = {KEV_VENDOR_APPLE, KEV_NETWORK_CLASS, KEV_DL_SUBCLASS},
		.event = hear_link, .arg = m,
	};
	kev_listen(m, &s->listener);
	neighbor_set_ops(m, AF_INET6, &nd6_neighbor_ops);
	return 0;
}

static void
nd6_quiesce(struct nke *m)
{
	static const struct neighbor_ops none = {.solicit = NULL};
	struct nd6_if *nd;

	neighbor_set_ops(m, AF_INET6, &none);
	kev_unlisten(m, &m->nd6->listener);
	callout_drain(&m->nd6->timer);
	while ((nd = TAILQ_FIRST(&m->nd6->interfaces)) != NULL)
		forget_interface(nd);
}

/* Its variables point into the state, which is left to the heap. */
static void
nd6_fini(struct nke *m)
{
	m->nd6 = NULL;
}

extern const struct subsystem nd6_subsystem;
const struct subsystem nd6_subsystem = {
	.name = "nd6", .init = nd6_init, .quiesce = nd6_quiesce, .fini = nd6_fini
};
