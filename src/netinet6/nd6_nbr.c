/*
 * Neighbours in IPv6: solicitations, advertisements and redirects (RFC 4861 sections 7 and 8, RFC 4862 5.4).
 *
 * A solicitation makes a stale entry for who asks (7.2.3), an advertisement never makes one (7.2.5), so a
 * table is filled only by stations that ask for our addresses; the oldest stale entry makes room. What is on
 * no link of ours is not believed (CVE-2008-2476). Redirects are taken from the router that is used only, and
 * not by routers (8.2).
 */
#include <string.h>

#include "src/netinet/ip_private.h"
#include "src/netinet6/icmp6_private.h"
#include "src/netinet6/ip6_state.h"
#include "src/netinet6/nd6.h"

/* ---- advertising -------------------------------------------------------------------------- */

/* RFC 4291 2.7.1: ff02::1:ff and the low 24 bits. */
struct in6_addr
nd6_solicited_node(const struct in6_addr *a)
{
	struct in6_addr group = {.s6_addr = {0xff, 0x02, [11] = 1, [12] = 0xff}};

	memcpy(&group.s6_addr[13], &a->s6_addr[13], 3);
	return group;
}

static void
send_advert(struct ifnet *ifp, const struct in6_addr *target, const struct in6_addr *to, uint8_t flags)
{
	struct {
		struct nd_neighbor_advert na;
		uint8_t option[8];
	} msg;

	memset(&msg, 0, sizeof msg);
	msg.na.nd_na_type = ND_NEIGHBOR_ADVERT;
	if (ifp->machine->ip6->forwarding)
		flags |= ND_NA_FLAG_ROUTER;
	msg.na.nd_na_flags_reserved = flags;
	msg.na.nd_na_target = *target;
	(void)nd6_put_lladdr(msg.option, ND_OPT_TARGET_LINKADDR, ifp);
	nd6_send(ifp, target, to, &msg, sizeof msg);
}

void
nd6_announce(struct ifaddr *ifa)
{
	const struct in6_addr a = nd6_address_of(ifa);

	if (!(ifa->ia6_flags & (IN6_IFF_NOTREADY | IN6_IFF_ANYCAST)))
		send_advert(ifa->ifp, &a, &nd6_all_nodes, ND_NA_FLAG_OVERRIDE);
}

void
nd6_note_router(struct ifnet *ifp, const struct in6_addr *a, bool router)
{
	struct sockaddr_in6 sin6;
	struct neighbor *n;

	nd6_sockaddr(ifp, a, &sin6);
	n = neighbor_find(ifp, nd6_sa(&sin6));
	if (n != NULL)
		n->flags = (uint8_t)(router ? n->flags | NEIGHBOR_ROUTER : n->flags & ~NEIGHBOR_ROUTER);
}

/* ---- solicitations ------------------------------------------------------------------------ */

/* RFC 4861 7.1.1. */
static bool
solicit_valid(const struct nd6_message *p, const struct in6_addr *target)
{
	const struct in6_addr group = nd6_solicited_node(target);

	if (IN6_IS_ADDR_MULTICAST(target) || IN6_IS_ADDR_UNSPECIFIED(target))
		return false;
	if (!IN6_IS_ADDR_UNSPECIFIED(&p->src))
		return true;
	return IN6_ARE_ADDR_EQUAL(&p->dst, &group) && nd6_option(p, ND_OPT_SOURCE_LINKADDR, NULL) == NULL;
}

static const uint8_t *
nonce_of(const struct nd6_message *p)
{
	size_t len;
	const uint8_t *o = nd6_option(p, ND_OPT_NONCE, &len);

	return o != NULL && len == 8 ? o + 2 : NULL;
}

/* The one who asks is a neighbour: its address is taken down, stale (7.2.3). */
static void
learn_asker(const struct nd6_message *p, const uint8_t *lladdr)
{
	struct sockaddr_in6 sin6;

	if (lladdr == NULL)
		return;
	nd6_sockaddr(p->ifp, &p->src, &sin6);
	(void)neighbor_update(p->ifp, nd6_sa(&sin6), lladdr, NEIGHBOR_MAY_CREATE | NEIGHBOR_MAY_OVERRIDE);
}

void
nd6_solicit_input(const struct nd6_message *p)
{
	struct nd_neighbor_solicit ns;
	struct in6_addr target;
	struct ifaddr *ifa;
	uint8_t flags;

	memcpy(&ns, p->data, sizeof ns);
	target = ns.nd_ns_target;
	if (!solicit_valid(p, &target)) {
		nd6_bad(p->machine, ND_NEIGHBOR_SOLICIT);
		return;
	}
	ifa = nd6_own(p->ifp, &target);
	if (ifa == NULL || (ifa->ia6_flags & IN6_IFF_DUPLICATED))
		return;
	if (ifa->ia6_flags & IN6_IFF_TENTATIVE) {
		/* From an address, it is only somebody's question for a neighbour (RFC 4862 5.4.3). */
		if (IN6_IS_ADDR_UNSPECIFIED(&p->src))
			nd6_dad_heard(ifa, nonce_of(p), false, NULL);
		return;
	}
	flags = ifa->ia6_flags & IN6_IFF_ANYCAST ? 0 : ND_NA_FLAG_OVERRIDE;
	if (IN6_IS_ADDR_UNSPECIFIED(&p->src)) {
		send_advert(p->ifp, &target, &nd6_all_nodes, flags);
		return;
	}
	if (!nd6_on_link(p->ifp, &p->src) || nd6_own(p->ifp, &p->src) != NULL)
		return;
	learn_asker(p, nd6_lladdr_option(p, ND_OPT_SOURCE_LINKADDR));
	send_advert(p->ifp, &target, &p->src, flags | ND_NA_FLAG_SOLICITED);
}

/* ---- advertisements ----------------------------------------------------------------------- */

/* A router that says it is none any more is not to be used (7.2.5). */
static void
note_router_flag(const struct nd6_message *p, bool was, const struct in6_addr *target, bool router)
{
	nd6_note_router(p->ifp, target, router);
	if (was && !router)
		nd6_rtr_reachable(p->ifp, target, false);
}

static void
handle_advert(const struct nd6_message *p, const struct nd_neighbor_advert *na)
{
	const struct in6_addr target = na->nd_na_target;
	const uint8_t *lladdr = nd6_lladdr_option(p, ND_OPT_TARGET_LINKADDR);
	uint8_t flags = (uint8_t)na->nd_na_flags_reserved, known[6];
	unsigned how = 0;
	struct sockaddr_in6 sin6;
	struct neighbor *n;
	bool was;

	nd6_sockaddr(p->ifp, &target, &sin6);
	n = neighbor_find(p->ifp, nd6_sa(&sin6));
	if (n == NULL || n->state == NEIGHBOR_FAILED)
		return;
	if (lladdr == NULL) {
		/* Only an answer to a question that named the known address may leave it out. */
		if (n->state == NEIGHBOR_INCOMPLETE)
			return;
		memcpy(known, n->lladdr, sizeof known);
		lladdr = known;
	}
	if (flags & ND_NA_FLAG_OVERRIDE)
		how |= NEIGHBOR_MAY_OVERRIDE;
	if (flags & ND_NA_FLAG_SOLICITED)
		how |= NEIGHBOR_CONFIRMS;
	was = n->flags & NEIGHBOR_ROUTER;
	/* One that may not replace what is known changes nothing else (7.2.5 I). */
	if (neighbor_update(p->ifp, nd6_sa(&sin6), lladdr, how) == 0)
		note_router_flag(p, was, &target, flags & ND_NA_FLAG_ROUTER);
}

void
nd6_advert_input(const struct nd6_message *p)
{
	struct nd_neighbor_advert na;
	struct in6_addr target;
	struct ifaddr *ifa;

	memcpy(&na, p->data, sizeof na);
	target = na.nd_na_target;
	if (IN6_IS_ADDR_MULTICAST(&target) || IN6_IS_ADDR_UNSPECIFIED(&target) ||
	    (IN6_IS_ADDR_MULTICAST(&p->dst) && ((uint8_t)na.nd_na_flags_reserved & ND_NA_FLAG_SOLICITED))) {
		nd6_bad(p->machine, ND_NEIGHBOR_ADVERT);
		return;
	}
	ifa = nd6_own(p->ifp, &target);
	if (ifa != NULL)
		nd6_dad_heard(ifa, NULL, true, nd6_lladdr_option(p, ND_OPT_TARGET_LINKADDR));
	else
		handle_advert(p, &na);
}

/* ---- redirects ---------------------------------------------------------------------------- */

/* RFC 4861 8.1. */
static bool
redirect_valid(const struct nd6_message *p, const struct in6_addr *target, const struct in6_addr *dst)
{
	return IN6_IS_ADDR_LINKLOCAL(&p->src) && !IN6_IS_ADDR_MULTICAST(dst) &&
	    (IN6_IS_ADDR_LINKLOCAL(target) || IN6_ARE_ADDR_EQUAL(target, dst)) &&
	    !IN6_IS_ADDR_MULTICAST(target) && !IN6_IS_ADDR_UNSPECIFIED(target);
}

/* Is `src` the router by which `dst` is reached now? */
static bool
is_first_hop(const struct nd6_message *p, const struct in6_addr *dst)
{
	struct sockaddr_in6 to;
	struct in6_addr gateway;
	struct rtentry *rt;
	bool is = false;

	nd6_sockaddr(p->ifp, dst, &to);
	rt = rt_lookup(p->machine, nd6_sa(&to), NULL, 0);
	if (rt != NULL && rt->rt_ifp == p->ifp && (rt->rt_flags & RTF_GATEWAY) &&
	    rt->rt_gateway.ss_family == AF_INET6) {
		gateway = ((const struct sockaddr_in6 *)(const void *)&rt->rt_gateway)->sin6_addr;
		if (IN6_IS_ADDR_LINKLOCAL(&gateway))
			gateway.s6_addr16[1] = 0;
		is = IN6_ARE_ADDR_EQUAL(&gateway, &p->src);
	}
	rt_release(rt);
	return is;
}

void
nd6_redirect_input(const struct nd6_message *p)
{
	const uint8_t *lladdr = nd6_lladdr_option(p, ND_OPT_TARGET_LINKADDR);
	struct sockaddr_in6 to, gateway, source;
	struct in6_addr target, dst;
	struct nd_redirect rd;

	memcpy(&rd, p->data, sizeof rd);
	target = rd.nd_rd_target;
	dst = rd.nd_rd_dst;
	if (!redirect_valid(p, &target, &dst) || !is_first_hop(p, &dst)) {
		nd6_bad(p->machine, ND_REDIRECT);
		return;
	}
	if (p->machine->ip6->forwarding || !p->machine->icmp6->accept_redirects)
		return;
	nd6_sockaddr(p->ifp, &target, &gateway);
	nd6_sockaddr(p->ifp, &dst, &to);
	nd6_sockaddr(p->ifp, &p->src, &source);
	if (lladdr != NULL)
		(void)neighbor_update(p->ifp, nd6_sa(&gateway), lladdr,
		    NEIGHBOR_MAY_CREATE | NEIGHBOR_MAY_OVERRIDE);
	if (!IN6_ARE_ADDR_EQUAL(&target, &dst))
		nd6_note_router(p->ifp, &target, true);
	rt_redirect(p->machine, nd6_sa(&to), nd6_sa(&gateway), nd6_sa(&source), p->ifp);
}

/* ---- what the table of neighbours asks ---------------------------------------------------- */

/* The address of the packet that waits if it is ours there (7.2.2), else one of the neighbour's scope. */
static bool
choose_source(const struct neighbor *n, const struct in6_addr *dst, struct in6_addr *src)
{
	const struct ifaddr *ifa = NULL;
	struct sockaddr_in6 sin6;

	if (n->held != NULL &&
	    m_copydata(n->held, offsetof(struct ip6_hdr, ip6_src), sizeof *src, src) == 0) {
		(void)ip6_take_scope(src);
		ifa = nd6_own(n->ifp, src);
		if (ifa != NULL && !(ifa->ia6_flags & IN6_IFF_NOTREADY))
			return true;
	}
	nd6_sockaddr(n->ifp, dst, &sin6);
	ifa = in6_select_source(n->ifp->machine, n->ifp, NULL, nd6_sa(&sin6));
	if (ifa == NULL || ifa->ifp != n->ifp || (ifa->ia6_flags & IN6_IFF_NOTREADY))
		ifa = nd6_own_linklocal(n->ifp);
	if (ifa == NULL)
		return false;
	*src = nd6_address_of(ifa);
	return true;
}

static void
nd6_solicit(struct neighbor *n, unsigned attempt, bool unicast)
{
	struct {
		struct nd_neighbor_solicit ns;
		uint8_t option[8];
	} msg;
	struct in6_addr target, to, src;

	(void)attempt;
	memcpy(&target, n->addr, sizeof target);
	if (!choose_source(n, &target, &src))
		return;
	memset(&msg, 0, sizeof msg);
	msg.ns.nd_ns_type = ND_NEIGHBOR_SOLICIT;
	msg.ns.nd_ns_target = target;
	(void)nd6_put_lladdr(msg.option, ND_OPT_SOURCE_LINKADDR, n->ifp);
	to = unicast ? target : nd6_solicited_node(&target);
	nd6_send(n->ifp, &src, &to, &msg, sizeof msg);
}

static void
nd6_unreachable(struct neighbor *n, struct mbuf *m)
{
	struct sockaddr_in6 gateway;
	struct in6_addr a;

	memcpy(&a, n->addr, sizeof a);
	nd6_sockaddr(n->ifp, &a, &gateway);
	rt_gateway_silent(n->ifp, nd6_sa(&gateway));
	nd6_rtr_reachable(n->ifp, &a, false);
	if (m != NULL)
		icmp6_error(n->ifp->machine, m, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR, 0);
}

static void
nd6_resolved(struct neighbor *n)
{
	struct in6_addr a;

	memcpy(&a, n->addr, sizeof a);
	nd6_rtr_reachable(n->ifp, &a, true);
}

static void
nd6_timing(struct ifnet *ifp, struct neighbor_timing *t)
{
	const struct nd6_state *s = ifp->machine->nd6;
	const struct nd6_if *nd = ifp->nd6;

	t->retry = (nd != NULL ? nd->retrans_ms : ND6_RETRANS_MS) * ND6_MS;
	t->reachable = (nd != NULL ? nd->reachable_ms : ND6_REACHABLE_MS) * ND6_MS;
	if (nd != NULL) {
		t->attempts = (unsigned)s->mmaxtries;
		t->probes = (unsigned)s->umaxtries;
	}
	t->delay = (uint64_t)s->delay * ND6_SECOND;
	t->stale = ND6_STALE_AFTER;
	t->held = (uint32_t)s->maxqueuelen;
	t->held_total = (uint32_t)s->maxqueue_total;
	t->down = EHOSTUNREACH;
}

const struct neighbor_ops nd6_neighbor_ops = {
	.solicit = nd6_solicit,
	.unreachable = nd6_unreachable,
	.timing = nd6_timing,
	.resolved = nd6_resolved,
	.address_changed = nd6_address_changed,
	.interface_gone = nd6_interface_gone,
	.interface_up = nd6_interface_up,
};
