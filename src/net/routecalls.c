/* The core's half of routecalls.h: what the host configures and reads, on the machine's CPU. */
#include <netinet/in.h>
#include <netinet6/in6_var.h>
#include <string.h>

#include "src/kern/sched.h"
#include "src/net/ifaddr.h"
#include "src/net/route_private.h"
#include "src/net/routecalls.h"
#include "src/net/rtable_private.h"

_Static_assert(CORE_METRIC_MTU == RTV_MTU && CORE_METRIC_HOPCOUNT == RTV_HOPCOUNT &&
    CORE_METRIC_EXPIRE == RTV_EXPIRE && CORE_METRIC_RECVPIPE == RTV_RPIPE &&
    CORE_METRIC_SENDPIPE == RTV_SPIPE && CORE_METRIC_SSTHRESH == RTV_SSTHRESH &&
    CORE_METRIC_RTT == RTV_RTT && CORE_METRIC_RTTVAR == RTV_RTTVAR, "the same bits on both sides");

#define NSEC	UINT64_C(1000000000)

/* ---- translation -------------------------------------------------------------------------- */

static void
give_address(const struct sockaddr_storage *ss, uint8_t bytes[16], uint32_t *zone)
{
	struct sockaddr_in6 sin6;
	const uint8_t *p;
	size_t n = sockaddr_bytes(sockaddr_of(ss), &p);

	memset(bytes, 0, 16);
	memcpy(bytes, p, n);
	if (zone == NULL)
		return;
	*zone = 0;
	if (n == 16) {
		memcpy(&sin6, ss, sizeof sin6);
		*zone = sin6.sin6_scope_id;
	}
}

/* ENXIO: no such interface, or the name does not end. */
static errno_t
take_interface(struct nke *m, const char name[16], struct ifnet **ifp)
{
	size_t len = strnlen(name, 16);

	*ifp = NULL;
	if (len == 0)
		return 0;
	if (len < 16)
		*ifp = ifaddr_interface_named(m, name, len);
	return *ifp != NULL ? 0 : ENXIO;
}

/* ---- routes ------------------------------------------------------------------------------- */

struct call {
	struct nke *machine;
	const struct core_route *route;
	struct core_route *out;
	const struct core_address *address;
	int family;
	bool (*route_fn)(void *, const struct core_route *);
	bool (*address_fn)(void *, const struct core_address *);
	void *ctx;
	errno_t error;
};

static int
enter(struct call *c, void (*fn)(void *))
{
	int error = machine_call(c->machine, fn, c);

	return error != 0 ? error : c->error;
}

struct taken {
	struct sockaddr_storage dst, gateway;
	struct rt_metrics metrics;
	struct rt_request request;
};

static errno_t
take_route(struct nke *m, const struct core_route *r, struct taken *t)
{
	errno_t error = sockaddr_make(r->family, r->dst, r->dst_zone, &t->dst);

	memset(&t->request, 0, sizeof t->request);
	memset(&t->metrics, 0, sizeof t->metrics);
	if (error == 0 && r->has_gateway)
		error = sockaddr_make(r->family, r->gateway, r->gateway_zone, &t->gateway);
	if (error == 0)
		error = take_interface(m, r->interface, &t->request.ifp);
	if (error != 0)
		return error;
	t->request.dst = sockaddr_of(&t->dst);
	t->request.prefix = r->prefix;
	t->request.gateway = r->has_gateway ? sockaddr_of(&t->gateway) : NULL;
	t->request.flags = (r->flags & RT_PROGRAM_FLAGS) | RTF_STATIC;
	t->request.metrics = &t->metrics;
	t->request.inits = r->metrics;
	t->metrics.rmx_mtu = r->mtu;
	t->metrics.rmx_hopcount = r->hopcount;
	t->metrics.rmx_recvpipe = r->recvpipe;
	t->metrics.rmx_sendpipe = r->sendpipe;
	t->metrics.rmx_ssthresh = r->ssthresh;
	t->metrics.rmx_rtt = r->rtt;
	t->metrics.rmx_rttvar = r->rttvar;
	t->metrics.rmx_expire = r->expire > INT32_MAX ? INT32_MAX : r->expire < 0 ? 0 : (int32_t)r->expire;
	return 0;
}

static void
give_route(const struct rtentry *rt, struct core_route *r)
{
	const struct rt_metrics *rmx = &rt->rt_rmx;

	memset(r, 0, sizeof *r);
	r->family = rt->rt_dst.ss_family;
	give_address(&rt->rt_dst, r->dst, &r->dst_zone);
	r->prefix = rt->rt_plen;
	r->has_gateway = rt->rt_flags & RTF_GATEWAY;
	if (r->has_gateway)
		give_address(&rt->rt_gateway, r->gateway, &r->gateway_zone);
	strlcpy(r->interface, rt->rt_ifp->xname, sizeof r->interface);
	r->flags = rt->rt_flags;
	r->mtu = rt_mtu(rt);
	r->hopcount = rmx->rmx_hopcount;
	r->recvpipe = rmx->rmx_recvpipe;
	r->sendpipe = rmx->rmx_sendpipe;
	r->ssthresh = rmx->rmx_ssthresh;
	r->rtt = rmx->rmx_rtt;
	r->rttvar = rmx->rmx_rttvar;
	r->expire = rmx->rmx_expire;
	r->metrics = (rmx->rmx_mtu != 0 ? CORE_METRIC_MTU : 0) |
	    (rmx->rmx_hopcount != 0 ? CORE_METRIC_HOPCOUNT : 0) |
	    (rmx->rmx_expire != 0 ? CORE_METRIC_EXPIRE : 0) |
	    (rmx->rmx_recvpipe != 0 ? CORE_METRIC_RECVPIPE : 0) |
	    (rmx->rmx_sendpipe != 0 ? CORE_METRIC_SENDPIPE : 0) |
	    (rmx->rmx_ssthresh != 0 ? CORE_METRIC_SSTHRESH : 0) |
	    (rmx->rmx_rtt != 0 ? CORE_METRIC_RTT : 0) | (rmx->rmx_rttvar != 0 ? CORE_METRIC_RTTVAR : 0);
}

static void
do_route_add(void *arg)
{
	struct call *c = arg;
	struct taken t;

	c->error = take_route(c->machine, c->route, &t);
	if (c->error == 0)
		c->error = rt_add(c->machine, &t.request, NULL);
}

int
machine_route_add(struct nke *m, const struct core_route *r)
{
	return enter(&(struct call){.machine = m, .route = r}, do_route_add);
}

static void
do_route_delete(void *arg)
{
	struct call *c = arg;
	struct taken t;

	c->error = take_route(c->machine, c->route, &t);
	if (c->error == 0)
		c->error = rt_delete(c->machine, t.request.dst, t.request.prefix,
		    t.request.flags & RTF_IFSCOPE ? t.request.ifp : NULL);
}

int
machine_route_delete(struct nke *m, const struct core_route *r)
{
	return enter(&(struct call){.machine = m, .route = r}, do_route_delete);
}

static void
do_route_change(void *arg)
{
	struct call *c = arg;
	struct taken t;

	c->error = take_route(c->machine, c->route, &t);
	if (c->error == 0)
		c->error = rt_change(c->machine, &t.request);
}

int
machine_route_change(struct nke *m, const struct core_route *r)
{
	return enter(&(struct call){.machine = m, .route = r}, do_route_change);
}

static void
do_route_get(void *arg)
{
	struct call *c = arg;
	struct taken t;
	struct rtentry *rt;

	c->out->has_gateway = false;
	c->error = take_route(c->machine, c->out, &t);
	if (c->error != 0)
		return;
	rt = rt_lookup(c->machine, t.request.dst, t.request.ifp, 0);
	if (rt == NULL) {
		c->error = ESRCH;
		return;
	}
	give_route(rt, c->out);
	rt_release(rt);
}

int
machine_route_get(struct nke *m, struct core_route *r)
{
	return enter(&(struct call){.machine = m, .out = r}, do_route_get);
}

static bool
tell_route(struct rtentry *rt, void *ctx)
{
	const struct call *c = ctx;
	struct core_route r;

	give_route(rt, &r);
	return c->route_fn(c->ctx, &r);
}

static void
do_routes(void *arg)
{
	struct call *c = arg;

	if (c->family != 0 && rt_family_index((sa_family_t)c->family) < 0)
		c->error = EAFNOSUPPORT;
	else
		rt_walk(c->machine, (sa_family_t)c->family, tell_route, c);
}

int
machine_routes(struct nke *m, int family, bool (*fn)(void *, const struct core_route *), void *ctx)
{
	return enter(&(struct call){.machine = m, .family = family, .route_fn = fn, .ctx = ctx}, do_routes);
}

/* ---- addresses ---------------------------------------------------------------------------- */

static void
do_address_add(void *arg)
{
	struct call *c = arg;
	const struct core_address *a = c->address;
	struct sockaddr_storage addr = {0}, mask = {0}, peer = {0};
	struct ifaddr_request r = {
		.addr = sockaddr_of(&addr), .mask = sockaddr_of(&mask),
		.dst = a->has_peer ? sockaddr_of(&peer) : NULL, .flags = a->flags,
		.limited = a->family == AF_INET6, .preferred = a->preferred, .valid = a->valid,
	};
	struct ifnet *ifp;
	uint8_t bits[16] = {0};

	c->error = sockaddr_make(a->family, a->addr, 0, &addr);
	if (c->error == 0 && a->prefix > rt_host_bits((sa_family_t)a->family))
		c->error = EINVAL;
	if (c->error == 0)
		c->error = take_interface(c->machine, a->interface, &ifp);
	if (c->error != 0)
		return;
	for (unsigned i = 0; i < a->prefix; i++)
		bits[i / 8] |= (uint8_t)(0x80 >> i % 8);
	(void)sockaddr_make(a->family, bits, 0, &mask);
	(void)sockaddr_make(a->family, a->peer, 0, &peer);
	if (ifp == NULL)
		c->error = ENXIO;
	else if (a->family == AF_INET6 && (a->valid == 0 || a->preferred > a->valid))
		c->error = EINVAL;
	else
		c->error = ifaddr_add_request(ifp, &r, NULL);
}

int
machine_address_add(struct nke *m, const struct core_address *a)
{
	return enter(&(struct call){.machine = m, .address = a}, do_address_add);
}

static void
do_address_remove(void *arg)
{
	struct call *c = arg;
	struct sockaddr_storage addr;
	struct ifnet *ifp;

	c->error = sockaddr_make(c->address->family, c->address->addr, 0, &addr);
	if (c->error == 0)
		c->error = take_interface(c->machine, c->address->interface, &ifp);
	if (c->error == 0)
		c->error = ifp != NULL ? ifaddr_remove(ifp, sockaddr_of(&addr)) : ENXIO;
}

int
machine_address_remove(struct nke *m, const struct core_address *a)
{
	return enter(&(struct call){.machine = m, .address = a}, do_address_remove);
}

static uint32_t
seconds_left(const struct nke *m, uint64_t until)
{
	uint64_t now = machine_now(m);

	if (until == 0)
		return CORE_FOREVER;
	return until > now ? (uint32_t)((until - now + NSEC - 1) / NSEC) : 0;
}

static void
give_ifaddr(const struct ifaddr *ifa, struct core_address *a)
{
	const struct nke *m = ifa->ifp->machine;
	const uint8_t *mask;
	size_t n = sockaddr_bytes(sockaddr_of(&ifa->mask), &mask);

	memset(a, 0, sizeof *a);
	strlcpy(a->interface, ifa->ifp->xname, sizeof a->interface);
	a->family = ifa->addr.ss_family;
	give_address(&ifa->addr, a->addr, NULL);
	for (size_t i = 0; i < n; i++)
		a->prefix += (unsigned)__builtin_popcount(mask[i]);
	a->has_peer = ifa->dst.ss_len != 0;
	if (a->has_peer)
		give_address(&ifa->dst, a->peer, NULL);
	a->flags = ifa->ia6_flags;
	a->preferred = seconds_left(m, ifa->ia6_preferred);
	a->valid = seconds_left(m, ifa->ia6_valid);
}

static void
do_addresses(void *arg)
{
	struct call *c = arg;
	const struct ifaddr *ifa;
	struct core_address a;

	TAILQ_FOREACH(ifa, &c->machine->routes->all, all) {
		if (rt_family_index(ifa->addr.ss_family) < 0)
			continue;
		give_ifaddr(ifa, &a);
		if (!c->address_fn(c->ctx, &a))
			return;
	}
}

int
machine_addresses(struct nke *m, bool (*fn)(void *, const struct core_address *), void *ctx)
{
	return enter(&(struct call){.machine = m, .address_fn = fn, .ctx = ctx}, do_addresses);
}
