/*
 * Routes, as simple as a host needs them: the machine's own addresses (lo0), peers of point-to-
 * point links, connected networks by the longest mask, and one default per IP version. Called by
 * the protocols' output; interfaces that go are forgotten. There is no routing table beyond that
 * and no routing socket.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/net/route_private.h"

static struct route_default *
default_of(struct nke *m, sa_family_t family)
{
	return family == AF_INET ? &m->routes->default4 :
	    family == AF_INET6 ? &m->routes->default6 : NULL;
}

errno_t
route_set_default(struct nke *m, sa_family_t family, struct ifnet *ifp,
    const struct sockaddr *gateway)
{
	struct route_default *d = default_of(m, family);
	const uint8_t *bytes;

	if (d == NULL || (gateway != NULL &&
	    (gateway->sa_family != family || sockaddr_bytes(gateway, &bytes) == 0)))
		return EINVAL;
	if (ifp != NULL && ifp->state != IFNET_ATTACHED)
		return ENXIO;
	memset(d, 0, sizeof *d);
	d->ifp = ifp;
	if (gateway != NULL)
		memcpy(&d->gateway, gateway, gateway->sa_len < sizeof d->gateway ?
		    gateway->sa_len : sizeof d->gateway);
	return 0;
}

void
route_set_loopback(struct nke *m, struct ifnet *lo0)
{
	m->routes->loopback = lo0;
}

void
route_forget(struct ifnet *ifp)
{
	struct route_state *rs = ifp->machine->routes;

	if (rs->default4.ifp == ifp)
		rs->default4.ifp = NULL;
	if (rs->default6.ifp == ifp)
		rs->default6.ifp = NULL;
	neighbor_forget(ifp);
}

static bool
is_multicast(const uint8_t *a, size_t n)
{
	return n == 4 ? (a[0] & 0xf0) == 0xe0 : a[0] == 0xff;
}

/* Multicast and limited broadcast without a route of their own: the default's interface, or any. */
static struct ifnet *
any_link(struct nke *m, sa_family_t family)
{
	const struct route_default *d = default_of(m, family);
	struct ifaddr *ifa;

	if (d->ifp != NULL)
		return d->ifp;
	TAILQ_FOREACH(ifa, &m->routes->all, all)
		if (ifa->addr.ss_family == family && !(ifa->ifp->flags & IFF_LOOPBACK) &&
		    (ifa->ifp->flags & (IFF_BROADCAST | IFF_MULTICAST)))
			return ifa->ifp;
	return NULL;
}

struct ifnet *
route_lookup(struct nke *m, const struct sockaddr *dst, struct sockaddr_storage *next_hop)
{
	static const uint8_t limited_broadcast[4] = {0xff, 0xff, 0xff, 0xff};
	const struct route_default *d = default_of(m, dst->sa_family);
	const uint8_t *a;
	size_t n = sockaddr_bytes(dst, &a);
	struct ifaddr *ifa;

	if (n == 0)
		return NULL;
	if (next_hop != NULL) {
		memset(next_hop, 0, sizeof *next_hop);
		memcpy(next_hop, dst, dst->sa_len < sizeof *next_hop ? dst->sa_len : sizeof *next_hop);
	}
	if (ifaddr_find(m, dst) != NULL)
		return m->routes->loopback;
	if ((ifa = ifaddr_find_dst(m, dst)) != NULL || (ifa = ifaddr_find_net(m, dst)) != NULL)
		return ifa->ifp;
	if (is_multicast(a, n) || (n == 4 && memcmp(a, limited_broadcast, 4) == 0))
		return any_link(m, dst->sa_family);
	if (d->ifp != NULL && d->gateway.ss_len != 0 && next_hop != NULL)
		*next_hop = d->gateway;
	return d->ifp;
}

/* ---- the subsystem ------------------------------------------------------------------------ */

static errno_t
route_init(struct nke *m)
{
	struct route_state *rs = kalloc(m, sizeof *rs);

	if (rs == NULL)
		return ENOMEM;
	TAILQ_INIT(&rs->all);
	TAILQ_INIT(&rs->neighbor_ages);
	m->routes = rs;
	return 0;
}

static void
route_fini(struct nke *m)
{
	m->routes = NULL;
}

const struct subsystem route_subsystem = {
	.name = "route",
	.init = route_init,
	.fini = route_fini,
};
