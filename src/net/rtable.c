/*
 * The routing table: its entries, adding, changing, deleting, looking up. rtable.h says what a route is and
 * who calls this; the index is the trie of rtrie.c.
 *
 * An entry is counted: one reference is the table's as long as RTF_UP is set, the others are users'. It
 * refers to its interface, address and parent. Every change but a clone's coming moves the generation on,
 * which makes cached answers (struct route) be asked for again; an entry that leaves the table loses RTF_UP,
 * which does the same.
 *
 * Of the routes with one prefix at most one has no RTF_IFSCOPE, which is what ordinary look-ups find; those
 * with it are found by look-ups for their interface only.
 */
#include <net/if_dl.h>
#include <netinet/in.h>
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/sched.h"
#include "src/net/ifaddr.h"
#include "src/net/route_private.h"
#include "src/net/rtable_private.h"

/* ---- an entry ----------------------------------------------------------------------------- */

struct rtentry *
rtable_alloc(struct nke *m)
{
	struct rtentry *rt = kalloc(m, sizeof *rt);

	if (rt != NULL) {
		rt->rt_machine = m;
		rt->rt_refcnt = 1;
	}
	return rt;
}

void
rt_retain(struct rtentry *rt)
{
	rt->rt_refcnt++;
}

/* An interface that is referenced is not used again for another one; nothing else hangs on the count. */
static void
drop_interface(struct rtentry *rt)
{
	if (rt->rt_ifp != NULL)
		rt->rt_ifp->refcount--;
	if (rt->rt_ifa != NULL)
		ifaddr_drop(rt->rt_ifa);
	rt->rt_ifp = NULL;
	rt->rt_ifa = NULL;
}

void
rt_release(struct rtentry *rt)
{
	struct rtentry *parent;

	while (rt != NULL && --rt->rt_refcnt == 0) {
		parent = rt->rt_parent;
		drop_interface(rt);
		kfree(rt->rt_machine, rt);
		rt = parent;
	}
	if (rt != NULL && rt->rt_list == RT_CLONES && rt->rt_refcnt == 1)
		rt_clone_idle(rt);
}

void
rtable_set_interface(struct rtentry *rt, struct ifnet *ifp, struct ifaddr *ifa)
{
	if (ifp != NULL)
		ifp->refcount++;
	if (ifa != NULL)
		ifaddr_retain(ifa);
	drop_interface(rt);
	rt->rt_ifp = ifp;
	rt->rt_ifa = ifa;
}

/* On the link: an AF_LINK address that names the interface. */
static void
link_gateway(const struct ifnet *ifp, struct sockaddr_storage *ss)
{
	struct sockaddr_dl *sdl = (struct sockaddr_dl *)(void *)ss;

	memset(ss, 0, sizeof *ss);
	sdl->sdl_len = sizeof *sdl;
	sdl->sdl_family = AF_LINK;
	sdl->sdl_index = (u_short)ifp->index;
	sdl->sdl_type = ifp->type;
}

void
rtable_set_gateway(struct rtentry *rt, const struct sockaddr *gateway)
{
	struct rt_key k;

	if (gateway == NULL || gateway->sa_family == AF_LINK) {
		rt->rt_flags &= ~(uint32_t)RTF_GATEWAY;
		link_gateway(rt->rt_ifp, &rt->rt_gateway);
		/* One that says more than which link: a neighbour's link address. */
		if (gateway != NULL && gateway->sa_len > 8 && gateway->sa_len <= sizeof rt->rt_gateway)
			memcpy(&rt->rt_gateway, gateway, gateway->sa_len);
		((struct sockaddr_dl *)(void *)&rt->rt_gateway)->sdl_index = (u_short)rt->rt_ifp->index;
		return;
	}
	rt->rt_flags |= RTF_GATEWAY;
	if (rt_key_on(gateway, rt->rt_ifp, &k))
		rt_key_address(&k, gateway->sa_family, &rt->rt_gateway);
}

void
rtable_set_metrics(struct rtentry *rt, const struct rt_metrics *from, uint32_t inits)
{
	struct rt_metrics *to = &rt->rt_rmx;

	if (from == NULL)
		return;
	if (inits & RTV_MTU) {
		to->rmx_mtu = from->rmx_mtu;
		rt->rt_mtu_until = 0;
	}
	if (inits & RTV_HOPCOUNT)
		to->rmx_hopcount = from->rmx_hopcount;
	if (inits & RTV_EXPIRE) {
		to->rmx_expire = from->rmx_expire;
		rt->rt_until = rt_uptime(rt->rt_machine, from->rmx_expire);
	}
	if (inits & RTV_RPIPE)
		to->rmx_recvpipe = from->rmx_recvpipe;
	if (inits & RTV_SPIPE)
		to->rmx_sendpipe = from->rmx_sendpipe;
	if (inits & RTV_SSTHRESH)
		to->rmx_ssthresh = from->rmx_ssthresh;
	if (inits & RTV_RTT)
		to->rmx_rtt = from->rmx_rtt;
	if (inits & RTV_RTTVAR)
		to->rmx_rttvar = from->rmx_rttvar;
}

uint32_t
rt_mtu(const struct rtentry *rt)
{
	uint32_t mtu = rt->rt_rmx.rmx_mtu, link = ifnet_family_mtu(rt->rt_ifp, rt->rt_dst.ss_family);

	return mtu != 0 && mtu < link ? mtu : link;
}

/* ---- looking up --------------------------------------------------------------------------- */

/* Of the routes with one prefix: the one that counts for packets that leave by `ifp` (NULL: any). */
static inline struct rtentry *
pick(const struct rt_node *n, const struct ifnet *ifp)
{
	struct rtentry *rt = n->routes, *found = NULL;

	if (ifp == NULL)
		return rt == NULL || (rt->rt_flags & RTF_IFSCOPE) ? NULL : rt;
	for (; rt != NULL; rt = rt->rt_next)
		if (rt->rt_ifp == ifp && (found == NULL || (rt->rt_flags & RTF_IFSCOPE)))
			found = rt;
	return found;
}

/* An address that is good on one link only, and nobody says which: the first one that is in its network. */
static const struct ifnet *
default_zone(struct nke *m, const struct sockaddr *dst)
{
	const struct ifaddr *ifa = ifaddr_find_net(m, dst);

	return ifa != NULL ? ifa->ifp : NULL;
}

static struct rtentry *
lookup(struct nke *m, const struct sockaddr *dst, const struct ifnet *ifp, int family)
{
	struct rt_key k;
	struct rt_node *n;
	struct rtentry *rt;

	if (!rt_key_on(dst, ifp, &k))
		return NULL;
	if (__builtin_expect(family == 1 && k.w[0] >> 54 == 0xfe80u >> 6 && (k.w[0] >> 32 & 0xffff) == 0, 0))
		(void)rt_key_on(dst, default_zone(m, dst), &k);
	for (n = rtrie_match(m->rtable->root[family], &k); n != NULL; n = n->parent)
		if ((rt = pick(n, ifp)) != NULL)
			return rt;
	return NULL;
}

struct rtentry *
rt_lookup(struct nke *m, const struct sockaddr *dst, struct ifnet *ifp, int flags)
{
	int family = rt_family_index(dst->sa_family);
	struct rtentry *rt = family >= 0 ? lookup(m, dst, ifp, family) : NULL;

	if (__builtin_expect(rt == NULL, 0)) {
		m->rtable->stat.rts_unreach++;
		if (flags & RT_REPORT)
			rt_tell_addresses(m, RTM_MISS, dst, NULL, NULL, RTF_DONE, ENETUNREACH);
		return NULL;
	}
	if (flags & RT_CLONE) {
		if (rt->rt_flags & RTF_PRCLONING)
			return rt_clone(rt, dst, 0);
		if (rt->rt_list == RT_CLONES)
			rt_clone_touch(rt);
	}
	rt->rt_refcnt++;
	return rt;
}

struct rtentry *
rtable_find(struct nke *m, const struct sockaddr *dst, unsigned prefix, const struct ifnet *ifp)
{
	int family = rt_family_index(dst->sa_family);
	struct rt_key k, mask = rtrie_mask(prefix);
	struct rt_node *n;

	if (family < 0 || !rt_key_on(dst, ifp, &k))
		return NULL;
	k.w[0] &= mask.w[0];
	k.w[1] &= mask.w[1];
	n = rtrie_find(m->rtable->root[family], &k, prefix);
	return n != NULL ? pick(n, ifp) : NULL;
}

/* ---- in and out of the table -------------------------------------------------------------- */

/* Not configured by anybody, so that what is takes its place. */
static bool
makes_room(const struct rtentry *rt)
{
	return rt->rt_list == RT_CLONES || ((rt->rt_flags & (RTF_MULTICAST | RTF_BROADCAST)) &&
	    !(rt->rt_flags & RTF_STATIC));
}

static bool
same_place(const struct rtentry *a, const struct rtentry *b)
{
	return ((a->rt_flags ^ b->rt_flags) & RTF_IFSCOPE) == 0 &&
	    (!(a->rt_flags & RTF_IFSCOPE) || a->rt_ifscope == b->rt_ifscope);
}

errno_t
rtable_insert(struct rtentry *rt, const struct rt_key *k)
{
	struct nke *m = rt->rt_machine;
	struct rt_node **root = &m->rtable->root[rt_family_index(rt->rt_dst.ss_family)];
	struct rt_node *n = rtrie_insert(m, root, k, rt->rt_plen);
	struct rtentry **link, *other;

	if (n == NULL)
		return ENOBUFS;
	for (other = n->routes; other != NULL && !same_place(rt, other); other = other->rt_next)
		continue;
	if (other != NULL && makes_room(other) && !makes_room(rt)) {
		/* The node stays for the new one, whatever goes with the old one. */
		rt->rt_next = n->routes;
		n->routes = rt;
		rtable_remove(other);
		n->routes = rt->rt_next;
	} else if (other != NULL) {
		return EEXIST;
	}
	link = &n->routes;
	if (rt->rt_flags & RTF_IFSCOPE)
		while (*link != NULL)
			link = &(*link)->rt_next;
	rt->rt_next = *link;
	*link = rt;
	rt->rt_node = n;
	rt->rt_flags |= RTF_UP;
	rt->rt_refcnt++;
	m->rtable->count++;
	rt_list(rt);
	return 0;
}

void
rtable_remove(struct rtentry *rt)
{
	struct nke *m = rt->rt_machine;
	struct rtentry **link = &rt->rt_node->routes;

	if (!(rt->rt_flags & RTF_UP))
		return;
	while (*link != rt)
		link = &(*link)->rt_next;
	*link = rt->rt_next;
	rt->rt_flags &= ~(uint32_t)RTF_UP;
	rt_unlist(rt);
	if (rt->rt_node->routes == NULL)
		rtrie_prune(m, &m->rtable->root[rt_family_index(rt->rt_dst.ss_family)], rt->rt_node);
	rt->rt_node = NULL;
	m->rtable->count--;
	m->rtable->generation++;
	rt_clone_orphans(rt);
	rt_release(rt);
}

/* ---- requests ----------------------------------------------------------------------------- */

/* Which link a gateway is on: a peer's, its own, that of its network or of a route without gateway. */
static struct ifnet *
link_of(struct nke *m, const struct sockaddr *gateway)
{
	struct ifaddr *ifa;
	struct rtentry *rt;
	struct sockaddr_dl sdl;

	if (gateway->sa_family == AF_LINK) {
		if (gateway->sa_len < offsetof(struct sockaddr_dl, sdl_type))
			return NULL;
		memcpy(&sdl, gateway, offsetof(struct sockaddr_dl, sdl_type));
		return ifaddr_interface(m, sdl.sdl_index);
	}
	if ((ifa = ifaddr_find_dst(m, gateway)) != NULL || (ifa = ifaddr_find(m, gateway)) != NULL)
		return ifa->ifp;
	rt = lookup(m, gateway, NULL, rt_family_index(gateway->sa_family));
	return rt != NULL && !(rt->rt_flags & (RTF_GATEWAY | RTF_REJECT | RTF_BLACKHOLE)) ? rt->rt_ifp : NULL;
}

static errno_t
find_interface(struct nke *m, const struct rt_request *r, struct ifnet **ifp)
{
	*ifp = r->ifp;
	if (*ifp == NULL && r->ifa != NULL)
		*ifp = r->ifa->ifp;
	if (*ifp == NULL && (r->flags & (RTF_REJECT | RTF_BLACKHOLE)))
		*ifp = m->routes->loopback;
	if (*ifp == NULL && r->gateway == NULL)
		return EINVAL;
	if (*ifp == NULL)
		*ifp = link_of(m, r->gateway);
	if (*ifp == NULL) {
		m->rtable->stat.rts_badrtgwroute++;
		return ENETUNREACH;
	}
	return (*ifp)->state == IFNET_ATTACHED ? 0 : ENXIO;
}

static errno_t
check_request(const struct rt_request *r)
{
	const struct sockaddr *gw = r->gateway;
	struct rt_key k;

	if (r->dst == NULL || !rt_key(r->dst, &k) || r->prefix > rt_host_bits(r->dst->sa_family))
		return EINVAL;
	if (gw == NULL || gw->sa_family == AF_LINK)
		return 0;
	return gw->sa_family == r->dst->sa_family && rt_key(gw, &k) && !rt_key_multicast(&k, gw->sa_family) ?
	    0 : EINVAL;
}

/* Sets interface, address, gateway and metrics. */
static errno_t
apply(struct rtentry *rt, const struct rt_request *r)
{
	bool gateway = r->gateway != NULL && r->gateway->sa_family != AF_LINK;
	struct ifaddr *ifa = r->ifa;
	struct ifnet *ifp;
	errno_t error = find_interface(rt->rt_machine, r, &ifp);

	if (error != 0)
		return error;
	if (ifa == NULL)
		ifa = ifaddr_best(ifp, gateway ? r->gateway : r->dst);
	rtable_set_interface(rt, ifp, ifa);
	/* A gateway that is one of our own addresses: the network is on that interface's link. */
	if (gateway && ifaddr_find(rt->rt_machine, r->gateway) != NULL)
		gateway = false;
	rtable_set_gateway(rt, gateway || (r->gateway != NULL && r->gateway->sa_family == AF_LINK) ?
	    r->gateway : NULL);
	rtable_set_metrics(rt, r->metrics, r->inits);
	return 0;
}

#define REQUEST_FLAGS	(RT_PROGRAM_FLAGS | RTF_DYNAMIC | RTF_MODIFIED | RTF_LOCAL | RTF_BROADCAST | \
			 RTF_MULTICAST | RTF_PINNED | RTF_PROXY | RTF_ROUTER | RTF_LLINFO)

static void
set_flags(struct rtentry *rt, uint32_t asked)
{
	uint32_t flags = rt->rt_flags & ~(uint32_t)REQUEST_FLAGS;

	flags |= asked & REQUEST_FLAGS;
	if (rt->rt_plen == rt_host_bits(rt->rt_dst.ss_family))
		flags |= RTF_HOST;
	else if ((flags & RTF_GATEWAY) && !(flags & (RTF_REJECT | RTF_BLACKHOLE)))
		flags |= RTF_PRCLONING;
	if (flags & RTF_HOST)
		flags &= ~(uint32_t)(RTF_PRCLONING | RTF_CLONING);
	rt->rt_flags = flags;
	rt->rt_ifscope = flags & RTF_IFSCOPE ? rt->rt_ifp->index : 0;
}

errno_t
rtable_add(struct nke *m, const struct rt_request *r, struct rtentry **out)
{
	struct rt_key k, mask;
	struct rtentry *rt;
	errno_t error = check_request(r);

	if (error != 0)
		return error;
	rt = rtable_alloc(m);
	if (rt == NULL)
		return ENOBUFS;
	rt->rt_plen = (uint8_t)r->prefix;
	error = apply(rt, r);
	if (error == 0) {
		mask = rtrie_mask(r->prefix);
		(void)rt_key_on(r->dst, rt->rt_ifp, &k);
		k.w[0] &= mask.w[0];
		k.w[1] &= mask.w[1];
		rt_key_address(&k, r->dst->sa_family, &rt->rt_dst);
		set_flags(rt, r->flags);
		error = rtable_insert(rt, &k);
	}
	if (error == 0) {
		m->rtable->generation++;
		rt_clone_outranked(rt);
		if (out != NULL)
			*out = rt;
	}
	if (error != 0 || out == NULL)
		rt_release(rt);
	return error;
}

errno_t
rt_add(struct nke *m, const struct rt_request *r, struct rtentry **out)
{
	struct rtentry *rt;
	errno_t error = rtable_add(m, r, &rt);

	if (error != 0)
		return error;
	rt_tell_route(rt, RTM_ADD);
	rt_default_changed(rt);
	if (out != NULL)
		*out = rt;
	else
		rt_release(rt);
	return 0;
}

errno_t
rt_delete(struct nke *m, const struct sockaddr *dst, unsigned prefix, struct ifnet *ifp)
{
	struct rtentry *rt;

	if (rt_family_index(dst->sa_family) < 0 || prefix > rt_host_bits(dst->sa_family))
		return EINVAL;
	rt = rtable_find(m, dst, prefix, ifp);
	if (rt == NULL)
		return ESRCH;
	rt_retain(rt);
	rtable_remove(rt);
	rt_tell_route(rt, RTM_DELETE);
	rt_default_changed(rt);
	rt_release(rt);
	return 0;
}

errno_t
rtable_change(struct nke *m, const struct rt_request *r, struct rtentry **out)
{
	struct rt_request full = *r;
	struct sockaddr_storage gateway;
	struct rtentry *rt;
	errno_t error = check_request(r);

	if (error != 0)
		return error;
	rt = rtable_find(m, r->dst, r->prefix, r->flags & RTF_IFSCOPE ? r->ifp : NULL);
	if (rt == NULL || ((rt->rt_flags ^ r->flags) & RTF_IFSCOPE))
		return ESRCH;
	if (r->gateway != NULL || r->ifp != NULL || r->ifa != NULL) {
		gateway = rt->rt_gateway;
		if (r->gateway == NULL && (rt->rt_flags & RTF_GATEWAY))
			full.gateway = rt_sa(&gateway);
		error = apply(rt, &full);
		if (error != 0)
			return error;
		set_flags(rt, (rt->rt_flags & REQUEST_FLAGS & ~(uint32_t)RTF_PRCLONING) | r->flags);
	} else {
		rtable_set_metrics(rt, r->metrics, r->inits);
	}
	rt_list(rt);
	rt_clone_orphans(rt);
	m->rtable->generation++;
	rt_retain(rt);
	*out = rt;
	return 0;
}

errno_t
rt_change(struct nke *m, const struct rt_request *r)
{
	struct rtentry *rt;
	errno_t error = rtable_change(m, r, &rt);

	if (error != 0)
		return error;
	rt_tell_route(rt, RTM_CHANGE);
	rt_default_changed(rt);
	rt_release(rt);
	return 0;
}

/* ---- all of them -------------------------------------------------------------------------- */

void
rt_walk(struct nke *m, sa_family_t family, bool (*fn)(struct rtentry *, void *ctx), void *ctx)
{
	struct rt_node *n;
	struct rtentry *rt;

	for (int i = 0; i < 2; i++) {
		if (family != 0 && rt_family_index(family) != i)
			continue;
		for (n = m->rtable->root[i]; n != NULL; n = rtrie_next(n))
			for (rt = n->routes; rt != NULL; rt = rt->rt_next)
				if (!fn(rt, ctx))
					return;
	}
}

void
rtable_doom(struct rtentry *rt, struct rtentry **list)
{
	rt_retain(rt);
	rt->rt_doomed = *list;
	*list = rt;
}

void
rtable_remove_doomed(struct rtentry *list)
{
	struct rtentry *rt, *gone = NULL;

	/* First all of them, then the word: who hears it may change the table. */
	while ((rt = list) != NULL) {
		list = rt->rt_doomed;
		if (rt->rt_flags & RTF_UP) {
			rtable_remove(rt);
			rt->rt_doomed = gone;
			gone = rt;
		} else {
			rt_release(rt);
		}
	}
	while ((rt = gone) != NULL) {
		gone = rt->rt_doomed;
		rt_tell_route(rt, RTM_DELETE);
		rt_default_changed(rt);
		rt_release(rt);
	}
}

struct doom {
	bool (*fn)(const struct rtentry *, const void *);
	const void *ctx;
	struct rtentry *list;
};

static bool
doom(struct rtentry *rt, void *ctx)
{
	struct doom *d = ctx;

	if (d->fn(rt, d->ctx))
		rtable_doom(rt, &d->list);
	return true;
}

void
rtable_delete_if(struct nke *m, bool (*fn)(const struct rtentry *, const void *), const void *ctx)
{
	struct doom d = {.fn = fn, .ctx = ctx};

	rt_walk(m, 0, doom, &d);
	rtable_remove_doomed(d.list);
}

uint32_t
rt_generation(const struct nke *m)
{
	return m->rtable->generation;
}
