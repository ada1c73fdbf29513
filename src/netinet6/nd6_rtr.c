/*
 * What routers say (RFC 4861 section 6.3, RFC 4191 2.2): routers to send to by default, prefixes that are on
 * the link, parameters of the link. Addresses are made from prefixes in nd6_slaac.c.
 *
 * Only where the host switched autoconfiguration on, and not on a machine that forwards, is anything of it
 * taken. The best router (preference, then one that answers, then the first) is the default route, unless
 * the host configured one; it is looked for again when neighbour discovery finds that it does not answer.
 *
 * In:  nd6_rtr_advert_input. Out: solicitations, MAX_RTR_SOLICITATIONS of them (nd6_rtr_solicit).
 * Time: lifetimes of routers and prefixes. Limits: maxifdefrouters and maxifprefixes of an interface; an MTU
 * counts between 1280 and the interface's, a hop limit when it is no lower than the present one.
 */
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/kern/klog.h"
#include "src/net/rtable.h"
#include "src/netinet6/icmp6_private.h"
#include "src/netinet6/nd6.h"

#define REACHABLE_MS_MAX	3600000u	/* RFC 4861 6.3.4: no more than an hour */
#define RETRANS_MS_MAX		3600000u

static void
lower(uint64_t *next, uint64_t due)
{
	if (due < *next)
		*next = due;
}

/* ---- the default route -------------------------------------------------------------------- */

static const struct sockaddr_in6 any6 = {.sin6_len = sizeof any6, .sin6_family = AF_INET6};

static bool
better(const struct nd6_router *a, const struct nd6_router *b)
{
	if (b == NULL)
		return true;
	if (a->unreachable != b->unreachable)
		return !a->unreachable;
	return a->preference > b->preference;
}

static struct nd6_router *
best_router(struct nke *m, struct ifnet **ifp)
{
	struct nd6_router *best = NULL, *r;
	struct nd6_if *nd;

	TAILQ_FOREACH(nd, &m->nd6->interfaces, link) {
		TAILQ_FOREACH(r, &nd->routers, link) {
			if (better(r, best)) {
				best = r;
				*ifp = nd->ifp;
			}
		}
	}
	return best;
}

static errno_t
install(struct nke *m, struct ifnet *ifp, const struct in6_addr *router)
{
	struct sockaddr_in6 gateway = {0};
	struct rt_request request = {
		.dst = nd6_sa(&any6), .gateway = nd6_sa(&gateway), .ifp = ifp,
		.flags = RTF_UP | RTF_GATEWAY | RTF_DYNAMIC,
	};

	nd6_sockaddr(ifp, router, &gateway);
	return rt_add(m, &request, NULL);
}

/* Is the default route still the one that we made? The host may have put another in its place. */
static bool
default_is_ours(struct nke *m)
{
	const struct nd6_state *s = m->nd6;
	struct rtentry *rt = rt_lookup(m, nd6_sa(&any6), NULL, 0);
	struct in6_addr gateway;
	bool ours = false;

	if (rt != NULL && rt->rt_plen == 0 && rt->rt_ifp == s->default_ifp &&
	    (rt->rt_flags & RTF_GATEWAY) && rt->rt_gateway.ss_family == AF_INET6) {
		gateway = ((const struct sockaddr_in6 *)(const void *)&rt->rt_gateway)->sin6_addr;
		if (IN6_IS_ADDR_LINKLOCAL(&gateway))
			gateway.s6_addr16[1] = 0;
		ours = IN6_ARE_ADDR_EQUAL(&gateway, &s->default_router);
	}
	rt_release(rt);
	return ours;
}

/* Makes the best router the default route. */
static void
select_router(struct nke *m)
{
	struct nd6_state *s = m->nd6;
	struct ifnet *ifp = NULL;
	const struct nd6_router *best = best_router(m, &ifp);
	bool ours = s->default_ifp != NULL && default_is_ours(m);
	struct in6_addr addr;

	if (ours && best != NULL && s->default_ifp == ifp &&
	    IN6_ARE_ADDR_EQUAL(&s->default_router, &best->addr))
		return;
	if (ours)
		(void)rt_delete(m, nd6_sa(&any6), 0, NULL);
	s->default_ifp = NULL;
	if (best == NULL)
		return;
	addr = best->addr;
	if (install(m, ifp, &addr) != 0)
		return;			/* the host's own stays */
	s->default_ifp = ifp;
	s->default_router = addr;
	dlil_post_event(ifp, KEV_INET6_SUBCLASS, KEV_INET6_DEFROUTER, NULL, 0, false);
}

/* ---- routers ------------------------------------------------------------------------------ */

static struct nd6_router *
find_router(const struct nd6_if *nd, const struct in6_addr *a)
{
	struct nd6_router *r;

	TAILQ_FOREACH(r, &nd->routers, link)
		if (IN6_ARE_ADDR_EQUAL(&r->addr, a))
			return r;
	return NULL;
}

static void
forget_router(struct nd6_if *nd, struct nd6_router *r)
{
	TAILQ_REMOVE(&nd->routers, r, link);
	nd->router_count--;
	kfree(nd->ifp->machine, r);
}

/* RFC 4191 2.1; the reserved value is medium. */
static int
preference_of(uint8_t flags)
{
	switch (flags & ND_RA_FLAG_RTPREF_MASK) {
	case ND_RA_FLAG_RTPREF_HIGH:
		return 1;
	case ND_RA_FLAG_RTPREF_LOW:
		return -1;
	default:
		return 0;
	}
}

static struct nd6_router *
new_router(struct nd6_if *nd, const struct in6_addr *a)
{
	struct nke *m = nd->ifp->machine;
	struct nd6_router *r;

	if (nd->router_count >= (unsigned)m->nd6->max_routers || (r = kalloc(m, sizeof *r)) == NULL)
		return NULL;
	r->addr = *a;
	TAILQ_INSERT_TAIL(&nd->routers, r, link);
	nd->router_count++;
	return r;
}

static void
note_lifetime(struct nd6_if *nd, const struct in6_addr *from, const struct nd_router_advert *ra)
{
	struct nke *m = nd->ifp->machine;
	struct nd6_router *r = find_router(nd, from);
	uint16_t lifetime = ntohs(ra->nd_ra_router_lifetime);

	if (lifetime == 0) {
		if (r != NULL)
			forget_router(nd, r);
		return;
	}
	if (r == NULL && (r = new_router(nd, from)) == NULL)
		return;
	r->lifetime = lifetime;
	r->flags = ra->nd_ra_flags_reserved;
	r->preference = preference_of(r->flags);
	r->until = nd6_deadline(m, lifetime);
	nd6_arm(m, r->until);
}

void
nd6_rtr_reachable(struct ifnet *ifp, const struct in6_addr *a, bool reachable)
{
	struct nd6_router *r = ifp->nd6 != NULL ? find_router(ifp->nd6, a) : NULL;

	if (r == NULL || r->unreachable == !reachable)
		return;
	r->unreachable = !reachable;
	select_router(ifp->machine);
}

/* ---- prefixes ----------------------------------------------------------------------------- */

static void
mask_prefix(struct in6_addr *a, unsigned len)
{
	for (unsigned i = 0; i < 16; i++)
		if (len < (i + 1) * 8)
			a->s6_addr[i] &= (uint8_t)(len <= i * 8 ? 0 : 0xff00 >> (len - i * 8));
}

static struct nd6_prefix *
find_prefix(const struct nd6_if *nd, const struct nd6_prefix *like)
{
	struct nd6_prefix *p;

	TAILQ_FOREACH(p, &nd->prefixes, link)
		if (p->len == like->len && IN6_ARE_ADDR_EQUAL(&p->prefix, &like->prefix))
			return p;
	return NULL;
}

/* The network is reached without a router; an address in it has brought the route already. */
static void
route_prefix(struct nd6_if *nd, struct nd6_prefix *p)
{
	struct sockaddr_in6 dst = {0};
	struct rt_request request = {
		.dst = nd6_sa(&dst), .prefix = p->len, .ifp = nd->ifp, .flags = RTF_UP,
	};

	nd6_sockaddr(nd->ifp, &p->prefix, &dst);
	if (!p->routed)
		p->routed = rt_add(nd->ifp->machine, &request, NULL) == 0;
}

static void
forget_prefix(struct nd6_if *nd, struct nd6_prefix *p)
{
	struct nke *m = nd->ifp->machine;
	struct sockaddr_in6 dst;

	TAILQ_REMOVE(&nd->prefixes, p, link);
	nd->prefix_count--;
	nd6_sockaddr(nd->ifp, &p->prefix, &dst);
	if (p->routed)
		(void)rt_delete(m, nd6_sa(&dst), p->len, NULL);
	kfree(m, p);
}

static void
note_on_link(struct nd6_if *nd, const struct nd6_prefix *said)
{
	struct nke *m = nd->ifp->machine;
	struct nd6_prefix *p = find_prefix(nd, said);

	if (said->valid == 0) {
		if (p != NULL)
			forget_prefix(nd, p);
		return;
	}
	if (p == NULL) {
		if (nd->prefix_count >= (unsigned)m->nd6->max_prefixes || (p = kalloc(m, sizeof *p)) == NULL)
			return;
		*p = *said;
		TAILQ_INSERT_TAIL(&nd->prefixes, p, link);
		nd->prefix_count++;
	}
	p->flags = said->flags;
	p->valid = said->valid;
	p->preferred = said->preferred;
	p->until = nd6_deadline(m, said->valid);
	nd6_arm(m, p->until);
	route_prefix(nd, p);
}

/* RFC 4861 6.3.4, RFC 4862 5.5.3 (a) to (c). */
static void
handle_prefix(struct nd6_if *nd, const uint8_t *option)
{
	struct nd_opt_prefix_info pi;
	struct nd6_prefix said;

	memcpy(&pi, option, sizeof pi);
	memset(&said, 0, sizeof said);
	said.prefix = pi.nd_opt_pi_prefix;
	said.len = pi.nd_opt_pi_prefix_len;
	said.flags = pi.nd_opt_pi_flags_reserved & (ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO);
	said.valid = ntohl(pi.nd_opt_pi_valid_time);
	said.preferred = ntohl(pi.nd_opt_pi_preferred_time);
	if (said.len > 128 || IN6_IS_ADDR_LINKLOCAL(&said.prefix) || IN6_IS_ADDR_MULTICAST(&said.prefix) ||
	    said.preferred > said.valid)
		return;
	mask_prefix(&said.prefix, said.len);
	if (said.flags & ND_OPT_PI_FLAG_AUTO)
		nd6_slaac_prefix(nd, &said);
	if (said.flags & ND_OPT_PI_FLAG_ONLINK)
		note_on_link(nd, &said);
}

/* ---- the way in --------------------------------------------------------------------------- */

static void
note_parameters(struct nd6_if *nd, const struct nd_router_advert *ra)
{
	uint32_t reachable = ntohl(ra->nd_ra_reachable), retrans = ntohl(ra->nd_ra_retransmit);

	/* A lower one is not believed: it would end every connection to beyond the link. */
	if (ra->nd_ra_curhoplimit > nd6_hop_limit(nd->ifp))
		nd->ifp->hlim6 = ra->nd_ra_curhoplimit;
	if (reachable != 0 && reachable <= REACHABLE_MS_MAX && reachable != nd->base_reachable_ms) {
		nd->base_reachable_ms = reachable;
		nd6_recompute_reachable(nd);
	}
	if (retrans != 0 && retrans <= RETRANS_MS_MAX)
		nd->retrans_ms = retrans;
}

static void
note_mtu(const struct nd6_message *p)
{
	struct nd_opt_mtu mtu;
	size_t len;
	const uint8_t *o = nd6_option(p, ND_OPT_MTU, &len);
	uint32_t value;

	if (o == NULL || len != sizeof mtu)
		return;
	memcpy(&mtu, o, sizeof mtu);
	value = ntohl(mtu.nd_opt_mtu_mtu);
	if (value >= IPV6_MMTU && value <= p->ifp->mtu)
		p->ifp->mtu6 = value;
}

/* The router is a neighbour, and says that it forwards. */
static void
note_neighbor(const struct nd6_message *p)
{
	const uint8_t *lladdr = nd6_lladdr_option(p, ND_OPT_SOURCE_LINKADDR);
	struct sockaddr_in6 sin6;

	nd6_sockaddr(p->ifp, &p->src, &sin6);
	if (lladdr != NULL)
		(void)neighbor_update(p->ifp, nd6_sa(&sin6), lladdr,
		    NEIGHBOR_MAY_CREATE | NEIGHBOR_MAY_OVERRIDE);
	nd6_note_router(p->ifp, &p->src, true);
}

void
nd6_rtr_advert_input(const struct nd6_message *p)
{
	struct nd6_if *nd = p->nd;
	struct nd_router_advert ra;
	const uint8_t *o = NULL;

	if (!IN6_IS_ADDR_LINKLOCAL(&p->src)) {
		nd6_bad(p->machine, ND_ROUTER_ADVERT);
		return;
	}
	if (!nd->autoconf || p->machine->ip6->forwarding || nd6_own(p->ifp, &p->src) != NULL)
		return;
	memcpy(&ra, p->data, sizeof ra);
	if (ra.nd_ra_router_lifetime != 0) {
		nd->solicits = 0;	/* RFC 4861 6.3.7 */
		nd->solicit_due = ND6_NEVER;
	}
	nd->heard = true;
	note_neighbor(p);
	note_parameters(nd, &ra);
	note_mtu(p);
	while (p->ifp->nd6 == nd && (o = nd6_next_option(p, ND_OPT_PREFIX_INFORMATION, o)) != NULL)
		if (o[1] * 8u == sizeof(struct nd_opt_prefix_info))
			handle_prefix(nd, o);
	/* What an address did may have taken the interface with it. */
	if (p->ifp->nd6 != nd)
		return;
	note_lifetime(nd, &p->src, &ra);
	select_router(p->machine);
}

/* ---- asking ------------------------------------------------------------------------------- */

void
nd6_rtr_solicit(struct nd6_if *nd)
{
	struct nke *m = nd->ifp->machine;

	if (m->ip6->forwarding)
		return;
	nd->solicits = MAX_RTR_SOLICITATIONS;
	nd->solicit_due = machine_now(m) + nd6_random(m, 0, MAX_RTR_SOLICITATION_DELAY * ND6_SECOND);
	nd6_arm(m, nd->solicit_due);
}

static void
send_solicit(struct nd6_if *nd)
{
	struct {
		struct nd_router_solicit rs;
		uint8_t option[8];
	} msg;
	struct ifnet *ifp = nd->ifp;
	const struct ifaddr *own = nd6_own_linklocal(ifp);
	struct in6_addr src;

	nd->solicit_due = --nd->solicits != 0 ?
	    machine_now(ifp->machine) + RTR_SOLICITATION_INTERVAL * ND6_SECOND : ND6_NEVER;
	if (own == NULL)
		return;
	src = nd6_address_of(own);
	memset(&msg, 0, sizeof msg);
	msg.rs.nd_rs_type = ND_ROUTER_SOLICIT;
	(void)nd6_put_lladdr(msg.option, ND_OPT_SOURCE_LINKADDR, ifp);
	nd6_send(ifp, &src, &nd6_all_routers, &msg, sizeof msg);
}

/* ---- time --------------------------------------------------------------------------------- */

bool
nd6_rtr_due(struct nd6_if *nd, uint64_t now, uint64_t *next)
{
	struct nd6_router *r;
	struct nd6_prefix *p;

	if (nd->solicit_due <= now) {
		send_solicit(nd);
		return true;
	}
	lower(next, nd->solicit_due);
	TAILQ_FOREACH(r, &nd->routers, link) {
		if (r->until <= now) {
			forget_router(nd, r);
			select_router(nd->ifp->machine);
			return true;
		}
		lower(next, r->until);
	}
	TAILQ_FOREACH(p, &nd->prefixes, link) {
		if (p->until <= now) {
			forget_prefix(nd, p);
			return true;
		}
		lower(next, p->until);
	}
	return false;
}

static void
forget_routers(struct nd6_if *nd)
{
	struct nd6_router *r;

	while ((r = TAILQ_FIRST(&nd->routers)) != NULL)
		forget_router(nd, r);
}

static void
forget_prefixes(struct nd6_if *nd)
{
	struct nd6_prefix *p;

	while ((p = TAILQ_FIRST(&nd->prefixes)) != NULL)
		forget_prefix(nd, p);
}

void
nd6_rtr_forget(struct nd6_if *nd)
{
	nd->solicits = 0;
	nd->solicit_due = ND6_NEVER;
	forget_routers(nd);
	forget_prefixes(nd);
	select_router(nd->ifp->machine);
}

void
nd6_rtr_flush(struct nke *m, bool routers, bool prefixes)
{
	struct nd6_if *nd;

	TAILQ_FOREACH(nd, &m->nd6->interfaces, link) {
		if (routers)
			forget_routers(nd);
		if (prefixes)
			forget_prefixes(nd);
	}
	select_router(m);
}

/* ---- lists for the host ------------------------------------------------------------------- */

size_t
nd6_routers(struct nke *m, struct in6_defrouter *out, size_t max)
{
	const struct nd6_state *s = m->nd6;
	const struct nd6_router *r;
	const struct nd6_if *nd;
	size_t n = 0;

	TAILQ_FOREACH(nd, &s->interfaces, link) {
		TAILQ_FOREACH(r, &nd->routers, link) {
			if (n++ >= max)
				continue;
			memset(out, 0, sizeof *out);
			nd6_sockaddr(nd->ifp, &r->addr, &out->rtaddr);
			out->flags = r->flags;
			if (nd->ifp == s->default_ifp && IN6_ARE_ADDR_EQUAL(&r->addr, &s->default_router))
				out->stateflags = NDDRF_INSTALLED;
			out->rtlifetime = r->lifetime;
			out->expire = r->until / ND6_SECOND;
			out->if_index = (u_short)nd->ifp->index;
			out++;
		}
	}
	return n;
}

size_t
nd6_prefixes(struct nke *m, struct in6_prefix *out, size_t max)
{
	const struct nd6_prefix *p;
	const struct nd6_if *nd;
	size_t n = 0;

	TAILQ_FOREACH(nd, &m->nd6->interfaces, link) {
		TAILQ_FOREACH(p, &nd->prefixes, link) {
			if (n++ >= max)
				continue;
			memset(out, 0, sizeof *out);
			nd6_sockaddr(nd->ifp, &p->prefix, &out->prefix);
			out->raflags.onlink = (p->flags & ND_OPT_PI_FLAG_ONLINK) != 0;
			out->raflags.autonomous = (p->flags & ND_OPT_PI_FLAG_AUTO) != 0;
			out->prefixlen = p->len;
			out->origin = PR_ORIG_RA;
			out->vltime = p->valid;
			out->pltime = p->preferred;
			out->expire = p->until == ND6_NEVER ? 0 : p->until / ND6_SECOND;
			out->flags = NDPRF_ONLINK;
			out->if_index = (u_short)nd->ifp->index;
			out++;
		}
	}
	return n;
}
