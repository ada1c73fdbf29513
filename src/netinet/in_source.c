/*
 * IPv4 source addresses: RFC 1122 3.3.4.3. The application's choice comes first and is not asked for here;
 * then the route's own address; then that of the network the next hop is in; then any of the interface. An
 * interface without an address of its own (an unnumbered link) sends from another one's.
 *
 * Called by IP's way out and by transports that connect. Addresses whose uniqueness is not known yet, or
 * known not to be (RFC 5227), are not used; link-local ones (RFC 3927 2.6.1) only when there is no other or
 * the destination is one.
 */
#include <net/route.h>
#include <netinet/in.h>
#include <netinet6/in6_var.h>
#include <string.h>

#include "src/net/ifaddr.h"
#include "src/net/route_private.h"
#include "src/net/rtable.h"

static uint32_t
address_of(const struct ifaddr *ifa)
{
	return ntohl(((const struct sockaddr_in *)(const void *)&ifa->addr)->sin_addr.s_addr);
}

static bool
usable(const struct ifaddr *ifa)
{
	return ifa->attached && ifa->addr.ss_family == AF_INET && !(ifa->ia6_flags & IN6_IFF_NOTREADY);
}

/* How good an address of the interface is for a next hop: the bits of its network that it shares, or less. */
static int
worth(const struct ifaddr *ifa, const struct sockaddr *hop, bool link_local)
{
	const uint8_t *mask;
	int bits = 0;

	if ((ifa->ifp->flags & IFF_POINTOPOINT) && ifa->dst.ss_len != 0 &&
	    memcmp((const char *)&ifa->dst + 4, (const char *)hop + 4, 4) == 0)
		return 64;
	if (ifaddr_in_network(ifa, hop) && sockaddr_bytes(sockaddr_of(&ifa->mask), &mask) == 4) {
		for (int i = 0; i < 4; i++)
			bits += __builtin_popcount(mask[i]);
		return 1 + bits;
	}
	return IN_LINKLOCAL(address_of(ifa)) == link_local ? 0 : -1;
}

static struct ifaddr *
best_of(struct ifnet *ifp, const struct sockaddr *hop, bool link_local)
{
	struct ifaddr *ifa, *best = NULL;
	int w, most = 0;

	TAILQ_FOREACH(ifa, &ifp->addresses, link) {
		if (!usable(ifa))
			continue;
		w = worth(ifa, hop, link_local);
		if (best == NULL || w > most) {
			best = ifa;
			most = w;
		}
	}
	return best;
}

/* Of another interface, for one that has none: not a loopback address, which must not leave. */
static struct ifaddr *
borrowed(struct nke *m, const struct ifnet *ifp)
{
	struct ifaddr *ifa;

	TAILQ_FOREACH(ifa, &m->routes->all, all)
		if (ifa->ifp != ifp && usable(ifa) && !(ifa->ifp->flags & IFF_LOOPBACK) &&
		    !IN_LINKLOCAL(address_of(ifa)))
			return ifa;
	return NULL;
}

struct ifaddr *
in_select_source(struct nke *m, struct ifnet *ifp, const struct rtentry *rt, const struct sockaddr *dst)
{
	const struct sockaddr *hop = dst;
	struct ifaddr *ifa;
	uint32_t addr;

	if (dst->sa_family != AF_INET || dst->sa_len < 8)
		return NULL;
	/* To ourselves, by lo0: from the same address. */
	ifa = ifaddr_find(m, dst);
	if (ifa != NULL && usable(ifa))
		return ifa;
	if (rt != NULL && (rt->rt_flags & RTF_GATEWAY) && rt->rt_gateway.ss_family == AF_INET)
		hop = sockaddr_of(&rt->rt_gateway);
	memcpy(&addr, (const char *)dst + 4, sizeof addr);
	if (rt != NULL && rt->rt_ifa != NULL && rt->rt_ifa->ifp == ifp && usable(rt->rt_ifa) &&
	    ifaddr_in_network(rt->rt_ifa, hop))
		return rt->rt_ifa;
	if (ifp == NULL)
		return NULL;
	ifa = best_of(ifp, hop, IN_LINKLOCAL(ntohl(addr)));
	return ifa != NULL ? ifa : borrowed(m, ifp);
}
