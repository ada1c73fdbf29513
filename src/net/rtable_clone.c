/*
 * Host routes that nobody configured: cloned by use, made by a path MTU message (RFC 1191, RFC 8201) or by a
 * redirect (RFC 1122 3.2.2.2, RFC 4861 8); and everything in the table that has a time limit.
 *
 * State: the clones of a machine are in one list, least recently used first, the others with a limit in a
 * second one. One callout is armed for whatever becomes too old next; while every clone is in use and
 * nothing has a limit there is none, so that a world in virtual time comes to rest.
 *
 * Limits: clone_max clones (net.inet.ip.rtmaxcache): a new one takes the place of the oldest that nobody
 * uses; if the oldest are all in use, none is made, and the parent serves. That bounds redirects as well.
 * Path MTUs and redirects are forgotten after ten minutes, unused clones after net.inet.ip.rtexpire seconds.
 *
 * Left out: redirects for type of service, which RFC 1812 5.2.7.2 has routers not send.
 */
#include <netinet/in.h>

#include "src/kern/sched.h"
#include "src/net/ifaddr.h"
#include "src/net/route_private.h"
#include "src/net/rtable_private.h"

#define NSEC		UINT64_C(1000000000)
#define EVICT_TRIES	16		/* of the oldest clones, one of these must be unused */
#define IP_MIN_MTU	68u		/* RFC 791 3.2 */
#define IP6_MIN_MTU	1280u		/* RFC 8200 5 */

/* ---- time --------------------------------------------------------------------------------- */

static uint64_t
expiry_of(const struct rtentry *rt)
{
	const struct rtable *t = rt->rt_machine->rtable;
	uint64_t at = rt->rt_until != 0 ? rt->rt_until : UINT64_MAX, idle;

	if (rt->rt_list == RT_CLONES && rt->rt_refcnt == 1) {
		idle = rt->rt_used + (uint64_t)t->expire_seconds * NSEC;
		at = idle < at ? idle : at;
	}
	return at;
}

static uint64_t
deadline_of(const struct rtentry *rt)
{
	uint64_t at = expiry_of(rt);

	return rt->rt_mtu_until != 0 && rt->rt_mtu_until < at ? rt->rt_mtu_until : at;
}

/* Arms the callout unless it comes early enough: it looks for the next deadline itself. */
static void
arm(struct rtable *t, uint64_t at)
{
	if (at != UINT64_MAX && (!callout_pending(&t->sweep) || at < t->sweep.deadline))
		(void)callout_reset(&t->sweep, at);
}

/* Forgets path MTUs; collects what goes. */
static void
sweep_list(struct rtable *t, struct rtentry_list *list, uint64_t now, uint64_t *next,
    struct rtentry **doomed)
{
	struct rtentry *rt, *following;

	TAILQ_FOREACH_SAFE(rt, list, rt_link, following) {
		uint64_t at;

		if (rt->rt_mtu_until != 0 && rt->rt_mtu_until <= now) {
			rt->rt_mtu_until = 0;
			rt->rt_rmx.rmx_mtu = rt->rt_parent != NULL ? rt->rt_parent->rt_rmx.rmx_mtu : 0;
			rt->rt_rmx.rmx_expire = rt_calendar(rt->rt_machine, rt->rt_until);
			t->generation++;
		}
		at = deadline_of(rt);
		if (at <= now)
			rtable_doom(rt, doomed);
		else if (at < *next)
			*next = at;
		else if (rt->rt_list == RT_TIMED && at == UINT64_MAX)
			rt_unlist(rt);
	}
}

static void
sweep(void *arg)
{
	struct nke *m = arg;
	struct rtable *t = m->rtable;
	uint64_t now = machine_now(m), next = UINT64_MAX;
	struct rtentry *doomed = NULL;

	sweep_list(t, &t->clones, now, &next, &doomed);
	sweep_list(t, &t->timed, now, &next, &doomed);
	rtable_remove_doomed(doomed);
	arm(t, next);
}

void
rt_clone_init(struct nke *m)
{
	struct rtable *t = m->rtable;

	TAILQ_INIT(&t->clones);
	TAILQ_INIT(&t->timed);
	t->clone_max = RT_CLONES_MAX;
	t->expire_seconds = RT_EXPIRE;
	callout_init(&t->sweep, m, sweep, m);
}

void
rt_list(struct rtentry *rt)
{
	struct rtable *t = rt->rt_machine->rtable;

	if (!(rt->rt_flags & RTF_UP))
		return;
	if (rt->rt_list == RT_UNLISTED) {
		if (rt->rt_parent != NULL) {
			rt->rt_list = RT_CLONES;
			rt->rt_used = machine_now(rt->rt_machine);
			TAILQ_INSERT_TAIL(&t->clones, rt, rt_link);
			t->clone_count++;
			rt->rt_parent->rt_clones++;
		} else if (rt->rt_until != 0 || rt->rt_mtu_until != 0) {
			rt->rt_list = RT_TIMED;
			TAILQ_INSERT_TAIL(&t->timed, rt, rt_link);
		}
	}
	if (rt->rt_list != RT_UNLISTED)
		arm(t, deadline_of(rt));
}

void
rt_unlist(struct rtentry *rt)
{
	struct rtable *t = rt->rt_machine->rtable;

	if (rt->rt_list == RT_CLONES) {
		TAILQ_REMOVE(&t->clones, rt, rt_link);
		t->clone_count--;
		rt->rt_parent->rt_clones--;
	} else if (rt->rt_list == RT_TIMED) {
		TAILQ_REMOVE(&t->timed, rt, rt_link);
	}
	rt->rt_list = RT_UNLISTED;
}

void
rt_clone_touch(struct rtentry *rt)
{
	struct rtable *t = rt->rt_machine->rtable;

	rt->rt_used = machine_now(rt->rt_machine);
	if (TAILQ_NEXT(rt, rt_link) != NULL) {
		TAILQ_REMOVE(&t->clones, rt, rt_link);
		TAILQ_INSERT_TAIL(&t->clones, rt, rt_link);
	}
}

void
rt_clone_idle(struct rtentry *rt)
{
	rt->rt_used = machine_now(rt->rt_machine);
	arm(rt->rt_machine->rtable, deadline_of(rt));
}

/* ---- making and dropping ------------------------------------------------------------------ */

/* Room for one more: false when the limit is reached and the oldest are all in use. */
static bool
make_room(struct rtable *t)
{
	struct rtentry *rt = TAILQ_FIRST(&t->clones);

	if (t->clone_max <= 0)
		return false;
	for (int i = 0; t->clone_count >= (uint32_t)t->clone_max; i++) {
		if (rt == NULL || i == EVICT_TRIES)
			return false;
		if (rt->rt_refcnt == 1) {
			rtable_remove(rt);
			rt = TAILQ_FIRST(&t->clones);
		} else {
			rt = TAILQ_NEXT(rt, rt_link);
		}
	}
	return true;
}

/* As rt_clone; NULL when there can be none. */
static struct rtentry *
make_clone(struct rtentry *parent, const struct sockaddr *dst, uint32_t flags)
{
	struct nke *m = parent->rt_machine;
	struct rt_key k;
	struct rtentry *rt;

	if (!rt_key_on(dst, parent->rt_ifp, &k) || rt_key_multicast(&k, dst->sa_family) ||
	    !make_room(m->rtable) || (rt = rtable_alloc(m)) == NULL)
		return NULL;
	rt->rt_plen = (uint8_t)rt_host_bits(dst->sa_family);
	rt_key_address(&k, dst->sa_family, &rt->rt_dst);
	rtable_set_interface(rt, parent->rt_ifp, parent->rt_ifa);
	rt->rt_gateway = parent->rt_gateway;
	rt->rt_rmx = parent->rt_rmx;
	rt->rt_rmx.rmx_expire = 0;
	rt->rt_rmx.rmx_pksent = 0;
	rt->rt_flags = (parent->rt_flags & ~(uint32_t)(RTF_UP | RTF_CLONING | RTF_PRCLONING | RTF_STATIC)) |
	    RTF_HOST | RTF_WASCLONED | flags;
	rt->rt_ifscope = parent->rt_ifscope;
	rt->rt_parent = parent;
	rt_retain(parent);
	if (rtable_insert(rt, &k) != 0) {
		rt_release(rt);
		return NULL;
	}
	return rt;
}

struct rtentry *
rt_clone(struct rtentry *parent, const struct sockaddr *dst, uint32_t flags)
{
	struct rtentry *rt = make_clone(parent, dst, flags);

	if (rt == NULL) {
		rt_retain(parent);
		return parent;
	}
	/* Interface fact: who resolves names of routes outside the kernel is told of each clone. */
	if (parent->rt_flags & RTF_XRESOLVE)
		rt_tell_addresses(rt->rt_machine, RTM_RESOLVE, dst, rt_sa(&rt->rt_gateway), NULL,
		    (int)rt->rt_flags, 0);
	return rt;
}

/* Removing one clone never removes another: they have no clones of their own. */
void
rt_clone_orphans(struct rtentry *parent)
{
	struct rtentry *rt, *next;

	if (parent->rt_clones == 0)
		return;
	TAILQ_FOREACH_SAFE(rt, &parent->rt_machine->rtable->clones, rt_link, next)
		if (rt->rt_parent == parent)
			rtable_remove(rt);
}

static bool
covers(const struct rtentry *net, const struct rtentry *host)
{
	struct rt_key a, b, mask = rtrie_mask(net->rt_plen);

	return net->rt_dst.ss_family == host->rt_dst.ss_family && rt_key(rt_sa(&net->rt_dst), &a) &&
	    rt_key(rt_sa(&host->rt_dst), &b) &&
	    (((a.w[0] ^ b.w[0]) & mask.w[0]) | ((a.w[1] ^ b.w[1]) & mask.w[1])) == 0;
}

void
rt_clone_outranked(const struct rtentry *net)
{
	struct rtentry *rt, *next;

	TAILQ_FOREACH_SAFE(rt, &net->rt_machine->rtable->clones, rt_link, next)
		if (rt->rt_parent->rt_plen < net->rt_plen && covers(net, rt))
			rtable_remove(rt);
}

/* ---- path MTU ----------------------------------------------------------------------------- */

bool
rt_set_path_mtu(struct nke *m, const struct sockaddr *dst, uint32_t mtu)
{
	struct rtentry *rt = rt_lookup(m, dst, NULL, 0), *host;
	uint32_t least = dst->sa_family == AF_INET ? IP_MIN_MTU : IP6_MIN_MTU;

	if (mtu < least)
		mtu = least;
	if (rt == NULL || (rt->rt_flags & (RTF_LOCAL | RTF_REJECT | RTF_BLACKHOLE | RTF_MULTICAST)) ||
	    (rt->rt_rmx.rmx_locks & RTV_MTU) || mtu >= rt_mtu(rt)) {
		rt_release(rt);
		return false;
	}
	if (!(rt->rt_flags & RTF_HOST)) {
		host = make_clone(rt, dst, 0);
		rt_release(rt);
		if (host == NULL)
			return false;
		rt = host;
	}
	rt->rt_rmx.rmx_mtu = mtu;
	rt->rt_mtu_until = machine_now(m) + RT_PATH_MTU_SECONDS * NSEC;
	rt->rt_rmx.rmx_expire = rt_calendar(m, rt->rt_mtu_until);
	rt_list(rt);
	m->rtable->generation++;
	rt_release(rt);
	return true;
}

/* ---- redirects ---------------------------------------------------------------------------- */

static bool
same_on(const struct ifnet *ifp, const struct sockaddr *a, const struct sockaddr *b)
{
	struct rt_key x, y;

	return a->sa_family == b->sa_family && rt_key_on(a, ifp, &x) && rt_key_on(b, ifp, &y) &&
	    x.w[0] == y.w[0] && x.w[1] == y.w[1];
}

/* RFC 1122 3.2.2.2: from the present first hop only, towards a neighbour; RFC 4861 8.1 adds to it. */
static bool
redirect_is_good(const struct rtentry *rt, const struct sockaddr *dst, const struct sockaddr *gateway,
    const struct sockaddr *source, const struct ifnet *ifp)
{
	struct nke *m = rt->rt_machine;
	struct rt_key g;
	const uint8_t *bytes;
	uint32_t v4;
	bool neighbor = same_on(ifp, dst, gateway);

	if (rt->rt_ifp != ifp || !(rt->rt_flags & RTF_GATEWAY) ||
	    !same_on(ifp, rt_sa(&rt->rt_gateway), source))
		return false;
	if ((rt->rt_flags & (RTF_HOST | RTF_STATIC)) == (RTF_HOST | RTF_STATIC))
		return false;		/* configured for that host alone: knows better */
	if (!rt_key_on(gateway, ifp, &g) || rt_key_multicast(&g, gateway->sa_family) ||
	    ifaddr_find(m, gateway) != NULL || ifaddr_find(m, dst) != NULL)
		return false;
	if (gateway->sa_family == AF_INET6)	/* a router by its link-local address, or the host itself */
		return neighbor || g.w[0] >> 54 == 0xfe80u >> 6;
	(void)sockaddr_bytes(gateway, &bytes);
	memcpy(&v4, bytes, sizeof v4);
	return ifaddr_on_link(ifp, gateway) && ifaddr_find_broadcast4(m, NULL, v4) == NULL;
}

/* The host route that the redirect is about: referenced, NULL when there is no room. */
static struct rtentry *
redirected_route(struct rtentry *rt, const struct sockaddr *dst)
{
	struct rtstat *stat = &rt->rt_machine->rtable->stat;

	if (!(rt->rt_flags & RTF_HOST)) {
		stat->rts_dynamic++;
		return make_clone(rt, dst, RTF_DYNAMIC);
	}
	stat->rts_newgateway++;
	rt->rt_flags |= RTF_MODIFIED;
	rt_retain(rt);
	return rt;
}

void
rt_redirect(struct nke *m, const struct sockaddr *dst, const struct sockaddr *gateway,
    const struct sockaddr *source, struct ifnet *ifp)
{
	int family = rt_family_index(dst->sa_family);
	struct rt_key k;
	struct rtentry *rt, *host = NULL;

	if (family < 0 || gateway->sa_family != dst->sa_family || source->sa_family != dst->sa_family ||
	    !rt_key(dst, &k) || rt_key_multicast(&k, dst->sa_family) ||
	    (rt = rt_lookup(m, dst, NULL, 0)) == NULL) {
		m->rtable->stat.rts_badredirect++;
		return;
	}
	if (redirect_is_good(rt, dst, gateway, source, ifp))
		host = redirected_route(rt, dst);
	rt_release(rt);
	if (host == NULL) {
		m->rtable->stat.rts_badredirect++;
		return;
	}
	rtable_set_gateway(host, same_on(ifp, dst, gateway) ? NULL : gateway);
	host->rt_until = machine_now(m) + RT_REDIRECT_SECONDS * NSEC;
	host->rt_rmx.rmx_expire = rt_calendar(m, host->rt_until);
	rt_list(host);
	m->rtable->generation++;
	rt_tell_addresses(m, RTM_REDIRECT, dst, gateway, source, (int)host->rt_flags | RTF_DONE, 0);
	rt_release(host);
}

void
rt_gateway_silent(struct ifnet *ifp, const struct sockaddr *gateway)
{
	struct rtentry *rt, *doomed = NULL;

	TAILQ_FOREACH(rt, &ifp->machine->rtable->clones, rt_link)
		if ((rt->rt_flags & (RTF_DYNAMIC | RTF_MODIFIED)) && (rt->rt_flags & RTF_GATEWAY) &&
		    rt->rt_until != 0 && rt->rt_ifp == ifp && same_on(ifp, rt_sa(&rt->rt_gateway), gateway))
			rtable_doom(rt, &doomed);
	rtable_remove_doomed(doomed);
}

void
rt_losing(struct rtentry *rt)
{
	struct nke *m = rt->rt_machine;

	rt_tell_route(rt, RTM_LOSING);
	if ((rt->rt_flags & RTF_UP) && (rt->rt_flags & (RTF_DYNAMIC | RTF_MODIFIED)) &&
	    rt->rt_list == RT_CLONES) {
		rt_retain(rt);
		rtable_remove(rt);
		rt_release(rt);
	}
	m->rtable->generation++;	/* the next packet asks for a route again */
}
