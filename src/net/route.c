/*
 * A sender's cached route, and the older, simpler way to ask the table: an interface and a next hop. Also
 * where the state of addresses, routes and neighbours comes up with the machine.
 */
#include <netinet/in.h>
#include <string.h>

#include "src/kern/heap.h"
#include "src/net/neighbor.h"
#include "src/net/route_private.h"
#include "src/net/rtable_private.h"

/* ---- the cache of a sender ---------------------------------------------------------------- */

void
route_clear(struct route *ro)
{
	struct rtentry *rt = ro->ro_rt;

	ro->ro_rt = NULL;
	rt_release(rt);
}

void
route_share(struct route *to, const struct route *from)
{
	bool noclone = to->ro_noclone;

	if (from->ro_rt == NULL)
		return;
	rt_retain(from->ro_rt);
	*to = *from;
	to->ro_noclone = noclone;
}

/* Ports do not count. */
static inline bool
same_destination(const struct route *ro, sa_family_t family, const struct in6_addr *a, uint32_t zone)
{
	return ro->ro_family == family && ro->ro_zone == zone && memcmp(&ro->ro_dst, a, sizeof *a) == 0;
}

/* What is kept of a destination. */
static inline struct in6_addr
address_and_zone(const struct sockaddr *dst, uint32_t *zone)
{
	struct in6_addr a = {{.__u6_addr32 = {0, 0, 0, 0}}};
	struct sockaddr_in6 sin6;

	*zone = 0;
	if (dst->sa_family == AF_INET) {
		memcpy(&a.s6_addr32[3], (const char *)dst + offsetof(struct sockaddr_in, sin_addr), 4);
		return a;
	}
	memcpy(&sin6, dst, sizeof sin6);
	*zone = sin6.sin6_scope_id;
	return sin6.sin6_addr;
}

struct rtentry *
route_get(struct nke *m, struct route *ro, const struct sockaddr *dst, struct ifnet *ifp)
{
	struct rtentry *rt = ro->ro_rt;
	const uint8_t *bytes;
	struct in6_addr a;
	uint32_t zone;

	if (sockaddr_bytes(dst, &bytes) == 0)
		return NULL;
	a = address_and_zone(dst, &zone);
	if (rt != NULL && ro->ro_generation == m->rtable->generation && (rt->rt_flags & RTF_UP) &&
	    ro->ro_ifp == ifp && same_destination(ro, dst->sa_family, &a, zone))
		return rt;
	/* The new one first: a clone that only we use is found again, not made anew. */
	rt = rt_lookup(m, dst, ifp, ro->ro_noclone ? RT_REPORT : RT_CLONE | RT_REPORT);
	route_clear(ro);
	ro->ro_rt = rt;
	ro->ro_generation = m->rtable->generation;
	ro->ro_ifp = ifp;
	ro->ro_dst = a;
	ro->ro_zone = zone;
	ro->ro_family = dst->sa_family;
	ro->ro_plain = false;
	return rt;
}

/* ---- interface and next hop --------------------------------------------------------------- */

struct ifnet *
route_lookup(struct nke *m, const struct sockaddr *dst, struct sockaddr_storage *next_hop)
{
	struct rtentry *rt = rt_lookup(m, dst, NULL, 0);
	struct ifnet *ifp;

	if (next_hop != NULL) {
		memset(next_hop, 0, sizeof *next_hop);
		memcpy(next_hop, dst, dst->sa_len < sizeof *next_hop ? dst->sa_len : sizeof *next_hop);
	}
	if (rt == NULL || (rt->rt_flags & (RTF_REJECT | RTF_BLACKHOLE))) {
		rt_release(rt);
		return NULL;
	}
	if ((rt->rt_flags & RTF_GATEWAY) && next_hop != NULL)
		*next_hop = rt->rt_gateway;
	/* Its interface stays for the caller's call: interfaces go in a soft interrupt. */
	ifp = rt->rt_ifp;
	rt_release(rt);
	return ifp;
}

errno_t
route_set_default(struct nke *m, sa_family_t family, struct ifnet *ifp, const struct sockaddr *gateway)
{
	const struct rt_key zero = {{0, 0}};
	struct sockaddr_storage any = {.ss_family = family};
	struct rt_request r = {
		.dst = rt_sa(&any), .gateway = gateway, .ifp = ifp, .flags = RTF_STATIC,
	};
	const uint8_t *bytes;
	errno_t error;

	if (rt_family_index(family) < 0 || (gateway != NULL &&
	    (gateway->sa_family != family || sockaddr_bytes(gateway, &bytes) == 0)))
		return EINVAL;
	if (ifp != NULL && ifp->state != IFNET_ATTACHED)
		return ENXIO;
	rt_key_address(&zero, family, &any);
	if (rtable_find(m, r.dst, 0, NULL) != NULL && (error = rt_delete(m, r.dst, 0, NULL)) != 0)
		return error;
	return ifp != NULL ? rt_add(m, &r, NULL) : 0;
}

void
route_set_loopback(struct nke *m, struct ifnet *lo0)
{
	m->routes->loopback = lo0;
}

void
route_forget(struct ifnet *ifp)
{
	rt_forget_interface(ifp);
	neighbor_forget(ifp);
}

/* ---- the subsystem ------------------------------------------------------------------------ */

static errno_t
route_init(struct nke *m)
{
	struct route_state *rs = kalloc(m, sizeof *rs);

	m->rtable = kalloc(m, sizeof *m->rtable);
	if (rs == NULL || m->rtable == NULL) {
		kfree(m, m->rtable);
		kfree(m, rs);
		m->rtable = NULL;
		return ENOMEM;
	}
	TAILQ_INIT(&rs->all);
	m->routes = rs;
	ifaddr_time_init(m);
	rt_clone_init(m);
	return route_sysctl_init(m);
}

/* What is in them goes with the heap. */
static void
route_fini(struct nke *m)
{
	callout_drain(&m->routes->lifetimes);
	callout_drain(&m->rtable->sweep);
	m->routes = NULL;
	m->rtable = NULL;
}

const struct subsystem route_subsystem = {
	.name = "route",
	.init = route_init,
	.fini = route_fini,
};
