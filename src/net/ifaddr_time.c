/*
 * Flags of addresses and how long they live (RFC 4862 5.5.4): deprecated when the preferred lifetime is
 * over, removed when the valid one is. One callout for all of a machine, armed for the next that is due.
 * Set by neighbour discovery (duplicates, autoconfiguration) and by ioctls.
 */
#include <net/route.h>
#include <netinet/in.h>
#include <netinet6/in6_var.h>

#include "src/kern/callout.h"
#include "src/kern/sched.h"
#include "src/net/route_private.h"
#include "src/net/rtable.h"

#define NSEC	UINT64_C(1000000000)

void
ifaddr_set_flags(struct ifaddr *ifa, uint32_t set, uint32_t clear)
{
	uint32_t flags = (ifa->ia6_flags & ~clear) | set;

	if (flags == ifa->ia6_flags)
		return;
	ifa->ia6_flags = flags;
	if (ifa->attached)
		rt_tell_address(ifa, RTM_NEWADDR);
}

static void
arm(struct route_state *rs)
{
	const struct ifaddr *ifa;
	uint64_t next = UINT64_MAX;

	TAILQ_FOREACH(ifa, &rs->all, all) {
		if (ifa->ia6_valid != 0 && ifa->ia6_valid < next)
			next = ifa->ia6_valid;
		if (ifa->ia6_preferred != 0 && !(ifa->ia6_flags & IN6_IFF_DEPRECATED) &&
		    ifa->ia6_preferred < next)
			next = ifa->ia6_preferred;
	}
	if (next == UINT64_MAX)
		(void)callout_stop(&rs->lifetimes);
	else
		(void)callout_reset(&rs->lifetimes, next);
}

/* One whose time is up; NULL: none. */
static struct ifaddr *
overdue(struct route_state *rs, uint64_t now)
{
	struct ifaddr *ifa;

	TAILQ_FOREACH(ifa, &rs->all, all)
		if ((ifa->ia6_valid != 0 && ifa->ia6_valid <= now) || (ifa->ia6_preferred != 0 &&
		    ifa->ia6_preferred <= now && !(ifa->ia6_flags & IN6_IFF_DEPRECATED)))
			return ifa;
	return NULL;
}

/* Telling of one may change the list: each time from the start. */
static void
expire(void *arg)
{
	struct nke *m = arg;
	uint64_t now = machine_now(m);
	struct ifaddr *ifa;

	while ((ifa = overdue(m->routes, now)) != NULL) {
		ifaddr_retain(ifa);
		if (ifa->ia6_valid != 0 && ifa->ia6_valid <= now)
			(void)ifaddr_remove(ifa->ifp, sockaddr_of(&ifa->addr));
		else
			ifaddr_set_flags(ifa, IN6_IFF_DEPRECATED, 0);
		ifaddr_drop(ifa);
	}
	arm(m->routes);
}

static uint64_t
until(uint64_t now, uint32_t seconds)
{
	return seconds == UINT32_MAX ? 0 : now + seconds * NSEC + (seconds == 0);
}

void
ifaddr_set_lifetime(struct ifaddr *ifa, uint32_t preferred, uint32_t valid)
{
	struct nke *m = ifa->ifp->machine;

	ifa->ia6_valid = until(machine_now(m), valid);
	ifaddr_set_preferred(ifa, preferred);
}

void
ifaddr_set_preferred(struct ifaddr *ifa, uint32_t preferred)
{
	struct nke *m = ifa->ifp->machine;
	uint64_t at = until(machine_now(m), preferred);

	if (ifa->ia6_valid != 0 && (at == 0 || at > ifa->ia6_valid))
		at = ifa->ia6_valid;
	ifa->ia6_preferred = at;
	if (preferred == 0)
		ifaddr_set_flags(ifa, IN6_IFF_DEPRECATED, 0);
	else
		ifaddr_set_flags(ifa, 0, IN6_IFF_DEPRECATED);
	arm(m->routes);
}

void
ifaddr_time_init(struct nke *m)
{
	callout_init(&m->routes->lifetimes, m, expire, m);
}
