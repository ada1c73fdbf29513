/*
 * This machine as a router that advertises itself (RFC 4861 section 6.2), where the host said so.
 *
 * Out: advertisements to all nodes at random intervals, three at short ones at first, and when asked; never
 *      more often than every MIN_DELAY_BETWEEN_RAS, whoever asks how often (6.2.6). They are sent from the
 *      interface's link-local address, and only while net.inet6.ip6.forwarding is on.
 * In:  solicitations, which also make the one who asks a (stale) neighbour.
 * Left out: checking what other routers say for consistency (6.2.7), routes and resolvers in options.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/netinet/in_multi.h"
#include "src/netinet6/icmp6_private.h"
#include "src/netinet6/nd6.h"

/* RFC 4861 section 10. */
#define MAX_INITIAL_RTR_ADVERT_INTERVAL	(16 * ND6_SECOND)
#define MAX_INITIAL_RTR_ADVERTISEMENTS	3u
#define MIN_DELAY_BETWEEN_RAS		(3 * ND6_SECOND)
#define MAX_RA_DELAY_TIME		(500 * ND6_MS)

#define ADVERT_MAX	(sizeof(struct nd_router_advert) + 8 + sizeof(struct nd_opt_mtu) + \
			 ND6_ADV_PREFIXES_MAX * sizeof(struct nd_opt_prefix_info))

/* ---- the message -------------------------------------------------------------------------- */

static size_t
put_mtu(uint8_t *to, uint32_t mtu)
{
	struct nd_opt_mtu o = {.nd_opt_mtu_type = ND_OPT_MTU, .nd_opt_mtu_len = 1};

	if (mtu == 0)
		return 0;
	o.nd_opt_mtu_mtu = htonl(mtu);
	memcpy(to, &o, sizeof o);
	return sizeof o;
}

static size_t
put_prefix(uint8_t *to, const struct nd6_adv_prefix *p)
{
	struct nd_opt_prefix_info o;

	memset(&o, 0, sizeof o);
	o.nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION;
	o.nd_opt_pi_len = sizeof o / 8;
	o.nd_opt_pi_prefix_len = p->len;
	o.nd_opt_pi_flags_reserved = p->flags & (ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO);
	o.nd_opt_pi_valid_time = htonl(p->valid);
	o.nd_opt_pi_preferred_time = htonl(p->preferred);
	o.nd_opt_pi_prefix = p->prefix;
	memcpy(to, &o, sizeof o);
	return sizeof o;
}

static void
send_advert(struct nd6_if *nd, const struct in6_addr *src)
{
	const struct nd6_advertise *what = &nd->adv->what;
	struct nd_router_advert ra;
	uint8_t msg[ADVERT_MAX];
	size_t len = sizeof ra;

	memset(&ra, 0, sizeof ra);
	ra.nd_ra_type = ND_ROUTER_ADVERT;
	ra.nd_ra_curhoplimit = what->hop_limit;
	ra.nd_ra_flags_reserved = what->flags;
	ra.nd_ra_router_lifetime = nd->adv->stopping ? 0 : htons(what->lifetime);
	ra.nd_ra_reachable = htonl(what->reachable_ms);
	ra.nd_ra_retransmit = htonl(what->retrans_ms);
	memcpy(msg, &ra, sizeof ra);
	len += nd6_put_lladdr(msg + len, ND_OPT_SOURCE_LINKADDR, nd->ifp);
	len += put_mtu(msg + len, what->mtu);
	for (unsigned i = 0; i < what->prefix_count && !nd->adv->stopping; i++)
		len += put_prefix(msg + len, &what->prefixes[i]);
	nd6_send(nd->ifp, src, &nd6_all_nodes, msg, len);
}

/* ---- time --------------------------------------------------------------------------------- */

static void
set_due(struct nd6_if *nd, uint64_t due)
{
	nd->adv->due = due;
	nd6_arm(nd->ifp->machine, due);
}

static uint64_t
interval(struct nd6_if *nd)
{
	const struct nd6_adv *adv = nd->adv;
	uint64_t wait = nd6_random(nd->ifp->machine, adv->what.min_interval * ND6_SECOND,
	    adv->what.max_interval * ND6_SECOND);

	if (adv->sent < MAX_INITIAL_RTR_ADVERTISEMENTS && wait > MAX_INITIAL_RTR_ADVERT_INTERVAL)
		wait = MAX_INITIAL_RTR_ADVERT_INTERVAL;
	return wait;
}

static void
stopped(struct nd6_if *nd)
{
	struct nd6_adv *adv = nd->adv;

	nd->adv = NULL;
	if (adv->all_routers != NULL)
		in_multi_leave(adv->all_routers);
	kfree(nd->ifp->machine, adv);
}

bool
nd6_adv_due(struct nd6_if *nd, uint64_t now, uint64_t *next)
{
	struct nd6_adv *adv = nd->adv;
	const struct ifaddr *own;
	struct ifnet *ifp = nd->ifp;
	struct in6_addr src;

	if (adv == NULL)
		return false;
	if (adv->due > now) {
		if (adv->due < *next)
			*next = adv->due;
		return false;
	}
	own = nd6_own_linklocal(ifp);
	if (own != NULL && (ifp->machine->ip6->forwarding || adv->stopping)) {
		adv->last = now;
		if (adv->sent < MAX_INITIAL_RTR_ADVERTISEMENTS)
			adv->sent++;
		set_due(nd, now + interval(nd));
		src = nd6_address_of(own);
		send_advert(nd, &src);
	} else {
		/* No address yet, or no router (yet). */
		set_due(nd, now + (own == NULL ? ND6_SECOND : interval(nd)));
	}
	if (ifp->nd6 == nd && nd->adv == adv && adv->stopping)
		stopped(nd);
	return true;
}

/* ---- the way in --------------------------------------------------------------------------- */

/* RFC 4861 6.1.1, 6.2.6. */
void
nd6_rtr_solicit_input(const struct nd6_message *p)
{
	const uint8_t *lladdr = nd6_lladdr_option(p, ND_OPT_SOURCE_LINKADDR);
	bool unspecified = IN6_IS_ADDR_UNSPECIFIED(&p->src);
	struct nd6_adv *adv = p->nd->adv;
	struct sockaddr_in6 sin6;
	uint64_t due;

	if (unspecified && nd6_option(p, ND_OPT_SOURCE_LINKADDR, NULL) != NULL) {
		nd6_bad(p->machine, ND_ROUTER_SOLICIT);
		return;
	}
	if (adv == NULL || !p->machine->ip6->forwarding || nd6_own(p->ifp, &p->src) != NULL)
		return;
	if (!unspecified && lladdr != NULL && nd6_on_link(p->ifp, &p->src)) {
		nd6_sockaddr(p->ifp, &p->src, &sin6);
		(void)neighbor_update(p->ifp, nd6_sa(&sin6), lladdr,
		    NEIGHBOR_MAY_CREATE | NEIGHBOR_MAY_OVERRIDE);
		nd6_note_router(p->ifp, &p->src, false);
	}
	due = machine_now(p->machine) + nd6_random(p->machine, 0, MAX_RA_DELAY_TIME);
	if (adv->last != 0 && due < adv->last + MIN_DELAY_BETWEEN_RAS)
		due = adv->last + MIN_DELAY_BETWEEN_RAS;
	if (p->nd->adv == adv && due < adv->due)
		set_due(p->nd, due);
}

/* ---- switching it on and off -------------------------------------------------------------- */

static bool
prefix_valid(const struct nd6_adv_prefix *p)
{
	return p->len <= 128 && p->preferred <= p->valid && !IN6_IS_ADDR_LINKLOCAL(&p->prefix) &&
	    !IN6_IS_ADDR_MULTICAST(&p->prefix);
}

/* RFC 4861 6.2.1. */
static bool
fill_in(const struct ifnet *ifp, const struct nd6_advertise *what, struct nd6_advertise *out)
{
	*out = *what;
	if (out->max_interval == 0)
		out->max_interval = 600;
	if (out->min_interval == 0)
		out->min_interval = out->max_interval > 9 ? out->max_interval * 33 / 100 : 3;
	if (out->max_interval < 4 || out->max_interval > 1800 ||
	    out->min_interval < 3 || out->min_interval > out->max_interval * 3 / 4 ||
	    (out->lifetime != 0 && (out->lifetime < out->max_interval || out->lifetime > 9000)) ||
	    out->reachable_ms > 3600000 || out->prefix_count > ND6_ADV_PREFIXES_MAX ||
	    (out->mtu != 0 && (out->mtu < IPV6_MMTU || out->mtu > ifp->mtu)))
		return false;
	for (unsigned i = 0; i < out->prefix_count; i++)
		if (!prefix_valid(&out->prefixes[i]))
			return false;
	return true;
}

static errno_t
stop(struct ifnet *ifp)
{
	struct nd6_if *nd = ifp->nd6;

	if (nd == NULL || nd->adv == NULL)
		return 0;
	nd->adv->stopping = true;
	set_due(nd, machine_now(ifp->machine));
	return 0;
}

errno_t
nd6_advertise(struct ifnet *ifp, const struct nd6_advertise *what)
{
	struct nke *m = ifp->machine;
	struct nd6_advertise filled;
	struct nd6_if *nd;
	errno_t error;

	if (what == NULL)
		return stop(ifp);
	if (!fill_in(ifp, what, &filled))
		return EINVAL;
	error = nd6_linklocal_start(ifp);
	if (error != 0 && error != EEXIST)
		return error;
	nd = nd6_interface(ifp);
	if (nd == NULL)
		return ifp->state == IFNET_ATTACHED ? ENOMEM : ENXIO;
	if (nd->adv == NULL) {
		nd->adv = kalloc(m, sizeof *nd->adv);
		if (nd->adv == NULL)
			return ENOMEM;
		(void)in_multi_join(ifp, AF_INET6, &nd6_all_routers, &nd->adv->all_routers);
	}
	nd->adv->what = filled;
	nd->adv->stopping = false;
	nd->adv->sent = 0;
	set_due(nd, machine_now(m));
	return 0;
}

void
nd6_adv_forget(struct nd6_if *nd)
{
	if (nd->adv != NULL)
		stopped(nd);
}
