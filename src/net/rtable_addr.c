/*
 * Routes that come and go by themselves: with an address of an interface its own host route by lo0, its
 * network and, on point-to-point links, its peer; and where multicast and limited broadcast go when nobody
 * said so: by the default route's interface, or the first that can.
 *
 * Two interfaces may have the same network, or two addresses of one interface be in it. The first gets the
 * route that everybody uses, the others one with RTF_IFSCOPE; when it goes, the next takes its place.
 *
 * Called by ifaddr.c (addresses), DLIL (interfaces), rtable.c (after every change).
 */
#include <netinet/in.h>
#include <string.h>

#include "src/net/ifaddr.h"
#include "src/net/route_private.h"
#include "src/net/rtable_private.h"

/* ---- multicast and limited broadcast ------------------------------------------------------ */

static struct sockaddr_storage
address4(uint32_t addr)
{
	const struct rt_key k = {{(uint64_t)addr << 32, 0}};
	struct sockaddr_storage ss;

	rt_key_address(&k, AF_INET, &ss);
	return ss;
}

static struct sockaddr_storage
address6(uint64_t high)
{
	const struct rt_key k = {{high, 0}};
	struct sockaddr_storage ss;

	rt_key_address(&k, AF_INET6, &ss);
	return ss;
}

/* The default's interface; else the first with an address of the family that reaches several neighbours. */
static struct ifnet *
any_link(struct nke *m, sa_family_t family)
{
	struct sockaddr_storage any = family == AF_INET ? address4(0) : address6(0);
	const struct rtentry *rt = rtable_find(m, rt_sa(&any), 0, NULL);
	const struct ifaddr *ifa;

	if (rt != NULL && !(rt->rt_flags & (RTF_REJECT | RTF_BLACKHOLE)) &&
	    rt->rt_ifp->state == IFNET_ATTACHED)
		return rt->rt_ifp;
	TAILQ_FOREACH(ifa, &m->routes->all, all)
		if (ifa->addr.ss_family == family && !(ifa->ifp->flags & IFF_LOOPBACK) &&
		    ifa->ifp->state == IFNET_ATTACHED && (ifa->ifp->flags & (IFF_BROADCAST | IFF_MULTICAST)))
			return ifa->ifp;
	return NULL;
}

/* Makes the route to `dst` lead out of `ifp` (NULL: nowhere), unless it is somebody else's. */
static void
lead(struct nke *m, const struct sockaddr_storage *dst, unsigned prefix, uint32_t flags, struct ifnet *ifp)
{
	struct rt_request r = {.dst = rt_sa(dst), .prefix = prefix, .ifp = ifp, .flags = flags};
	struct rtentry *rt = rtable_find(m, rt_sa(dst), prefix, NULL);

	if (rt != NULL && ((rt->rt_flags & RTF_STATIC) || !(rt->rt_flags & flags) || rt->rt_ifp == ifp))
		return;
	if (rt != NULL) {
		rt_retain(rt);
		rtable_remove(rt);
		rt_tell_route(rt, RTM_DELETE);
		rt_release(rt);
	}
	/* Without memory there is no such route; the next change tries again. */
	if (ifp != NULL && rtable_add(m, &r, &rt) == 0) {
		rt_tell_route(rt, RTM_ADD);
		rt_release(rt);
	}
}

static void
lead_multicast(struct nke *m, sa_family_t family)
{
	struct ifnet *ifp = any_link(m, family);
	struct sockaddr_storage dst;

	if (family == AF_INET) {
		dst = address4(INADDR_UNSPEC_GROUP);
		lead(m, &dst, 4, RTF_MULTICAST, ifp);
		dst = address4(INADDR_BROADCAST);
		lead(m, &dst, 32, RTF_BROADCAST, ifp);
	} else {
		dst = address6(UINT64_C(0xff) << 56);
		lead(m, &dst, 8, RTF_MULTICAST, ifp);
	}
}

void
rt_default_changed(const struct rtentry *rt)
{
	struct rt_key k;

	if (rt->rt_plen == 0 || (rt_key(rt_sa(&rt->rt_dst), &k) &&
	    (rt_key_multicast(&k, rt->rt_dst.ss_family) || k.w[0] == UINT64_C(0xffffffff) << 32)))
		lead_multicast(rt->rt_machine, rt->rt_dst.ss_family);
}

/* ---- addresses ---------------------------------------------------------------------------- */

static unsigned
mask_bits(const struct ifaddr *ifa)
{
	const uint8_t *mask;
	size_t n = sockaddr_bytes(rt_sa(&ifa->mask), &mask);
	unsigned bits = 0;

	while (bits < n * 8 && (mask[bits / 8] & (0x80 >> bits % 8)))
		bits++;
	return n != 0 ? bits : rt_host_bits(ifa->addr.ss_family);
}

/* An on-link route by the address's interface: for all, or if there is one for who is bound to it. */
static errno_t
connect(struct ifaddr *ifa, const struct sockaddr *dst, unsigned prefix, uint32_t flags)
{
	struct nke *m = ifa->ifp->machine;
	struct rt_request r = {
		.dst = dst, .prefix = prefix, .ifp = ifa->ifp, .ifa = ifa, .flags = flags,
	};
	struct rtentry *rt, *old;
	errno_t error = rtable_add(m, &r, &rt);

	old = error == EEXIST ? rtable_find(m, dst, prefix, NULL) : NULL;
	if (error == EEXIST && (old == NULL || old->rt_ifp != ifa->ifp)) {
		r.flags |= RTF_IFSCOPE;
		error = rtable_add(m, &r, &rt);
	} else if (error == 0) {
		old = rtable_find(m, dst, prefix, ifa->ifp);
		if (old != NULL && old != rt)
			rtable_remove(old);
	}
	if (error == EEXIST)
		return 0;
	if (error != 0)
		return error;
	rt_tell_route(rt, RTM_ADD);
	rt_release(rt);
	return 0;
}

/* Its network and, for IPv6, the link's multicast; its peer. */
static errno_t
connect_link(struct ifaddr *ifa)
{
	const struct sockaddr *addr = rt_sa(&ifa->addr);
	unsigned bits = mask_bits(ifa);
	struct sockaddr_storage group;
	errno_t error = 0;

	if (bits < rt_host_bits(addr->sa_family))
		error = connect(ifa, addr, bits, RTF_CLONING);
	if (error == 0 && (ifa->ifp->flags & IFF_POINTOPOINT) && ifa->dst.ss_len != 0)
		error = connect(ifa, rt_sa(&ifa->dst), rt_host_bits(addr->sa_family), 0);
	if (error == 0 && addr->sa_family == AF_INET6) {
		group = address6(UINT64_C(0xff02) << 48 | (uint64_t)(ifa->ifp->index & 0xffff) << 32);
		error = connect(ifa, rt_sa(&group), 32, RTF_MULTICAST);
	}
	return error;
}

static errno_t
connect_own(struct ifaddr *ifa)
{
	struct nke *m = ifa->ifp->machine;
	struct rt_request r = {
		.dst = rt_sa(&ifa->addr), .prefix = rt_host_bits(ifa->addr.ss_family),
		.ifp = m->routes->loopback, .ifa = ifa, .flags = RTF_LOCAL,
	};
	struct rtentry *rt;
	errno_t error;

	/* A link-local address keeps its interface's zone on the way through lo0. */
	if (r.ifp == NULL)
		return 0;
	error = rtable_add(m, &r, &rt);
	if (error == 0) {
		rt_tell_route(rt, RTM_ADD);
		rt_release(rt);
	}
	return error == EEXIST ? 0 : error;
}

errno_t
rt_address_added(struct ifaddr *ifa)
{
	errno_t error;

	if (rt_family_index(ifa->addr.ss_family) < 0)
		return 0;
	error = connect_own(ifa);
	if (error == 0)
		error = connect_link(ifa);
	if (error != 0) {
		rt_forget_address(ifa);
		return ENOBUFS;
	}
	lead_multicast(ifa->ifp->machine, ifa->addr.ss_family);
	return 0;
}

/* ---- and away ----------------------------------------------------------------------------- */

/* Another address of its interface that reaches the gateway; any of the family for routes without. */
static struct ifaddr *
heir(const struct rtentry *rt, const struct ifaddr *old)
{
	bool gateway = rt->rt_flags & RTF_GATEWAY;
	struct ifaddr *ifa;

	TAILQ_FOREACH(ifa, &old->ifp->addresses, link)
		if (ifa != old && ifa->attached && ifa->addr.ss_family == rt->rt_dst.ss_family &&
		    (!gateway || ifaddr_in_network(ifa, rt_sa(&rt->rt_gateway))))
			return ifa;
	return NULL;
}

static bool
configured(const struct rtentry *rt)
{
	return (rt->rt_flags & (RTF_STATIC | RTF_GATEWAY | RTF_DYNAMIC | RTF_WASCLONED)) != 0;
}

/*
 * What was made for the address goes with it. A route that only sends from it takes another address; one by
 * way of a gateway that no other address reaches goes too.
 */
static bool
goes_with(const struct rtentry *rt, const void *ctx)
{
	const struct ifaddr *ifa = ctx;

	if (rt->rt_ifa != ifa)
		return false;
	return !configured(rt) || ((rt->rt_flags & RTF_GATEWAY) && heir(rt, ifa) == NULL &&
	    ifaddr_in_network(ifa, rt_sa(&rt->rt_gateway)));
}

static bool
was_made_for(const struct rtentry *rt, const void *ctx)
{
	return rt->rt_ifa == ctx && !configured(rt);
}

static bool
bequeath(struct rtentry *rt, void *ctx)
{
	const struct ifaddr *ifa = ctx;

	if (rt->rt_ifa == ifa)
		rtable_set_interface(rt, rt->rt_ifp, heir(rt, ifa));
	return true;
}

/* Addresses whose networks were hidden, or served, by those of the one that goes. */
static void
connect_others(struct nke *m, const struct ifaddr *gone)
{
	struct ifaddr *ifa, *next;

	TAILQ_FOREACH_SAFE(ifa, &m->routes->all, all, next)
		if (ifa != gone && ifa->attached && ifa->addr.ss_family == gone->addr.ss_family &&
		    ifa->ifp->state == IFNET_ATTACHED)
			(void)connect_link(ifa);
}

void
rt_forget_address(struct ifaddr *ifa)
{
	struct nke *m = ifa->ifp->machine;

	if (rt_family_index(ifa->addr.ss_family) < 0)
		return;
	rtable_delete_if(m, goes_with, ifa);
	rt_walk(m, ifa->addr.ss_family, bequeath, ifa);
	m->rtable->generation++;
	connect_others(m, ifa);
	lead_multicast(m, ifa->addr.ss_family);
}

void
rt_address_changing(struct ifaddr *ifa)
{
	struct nke *m = ifa->ifp->machine;

	rtable_delete_if(m, was_made_for, ifa);
	m->rtable->generation++;
	connect_others(m, ifa);
}

static bool
leaves_by(const struct rtentry *rt, const void *ctx)
{
	return rt->rt_ifp == ctx || (rt->rt_ifa != NULL && rt->rt_ifa->ifp == ctx);
}

void
rt_forget_interface(struct ifnet *ifp)
{
	struct nke *m = ifp->machine;

	rtable_delete_if(m, leaves_by, ifp);
	lead_multicast(m, AF_INET);
	lead_multicast(m, AF_INET6);
}

void
rt_interface_changed(struct ifnet *ifp, uint32_t changed)
{
	struct nke *m = ifp->machine;

	if (changed & (IFF_BROADCAST | IFF_MULTICAST | IFF_LOOPBACK | IFF_POINTOPOINT)) {
		lead_multicast(m, AF_INET);
		lead_multicast(m, AF_INET6);
	}
	if (changed & (IFF_UP | IFF_RUNNING))
		rt_tell_interface(ifp);
}
