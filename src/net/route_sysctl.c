/*
 * The table for programs that read it by sysctl: net.routetable (CTL_NET, PF_ROUTE), whose name goes on with
 * 0, a family (0: all), what (NET_RT_*) and an argument. The value is messages as on routing sockets, one
 * behind the other (rtmsg.h). And the table's own variables, below net.inet.ip.
 */
#include <netinet/in.h>

#include "src/kern/sysctl.h"
#include "src/kern/sysctl_bounded.h"
#include "src/net/ifaddr.h"
#include "src/net/neighbor.h"
#include "src/net/route_private.h"
#include "src/net/rtable_private.h"
#include "src/net/rtmsg.h"

#define CLONES_MOST	1000000		/* what rtmaxcache can be set to */
#define EXPIRE_MOST	(10 * 365 * 86400)	/* seconds */

struct dump {
	struct nke *machine;
	struct sysctl_req *req;
	sa_family_t family;
	int what;			/* NET_RT_* */
	int argument;
	int error;
	struct rtmsg msg;
};

static bool
put(struct dump *d)
{
	d->error = SYSCTL_OUT(d->req, d->msg.bytes, d->msg.len);
	return d->error == 0;
}

/* ---- routes ------------------------------------------------------------------------------- */

static bool
put_route(struct rtentry *rt, void *ctx)
{
	struct dump *d = ctx;

	if ((d->what == NET_RT_FLAGS || d->what == NET_RT_FLAGS_PRIV) &&
	    !(rt->rt_flags & (uint32_t)d->argument))
		return true;
	if (d->what == NET_RT_DUMP2)
		rtmsg_route2(&d->msg, rt);
	else
		rtmsg_route(&d->msg, rt, RTM_GET, false);
	return put(d);
}

static bool
put_neighbor(struct neighbor *n, void *ctx)
{
	struct dump *d = ctx;

	rtmsg_neighbor(&d->msg, n, RTM_GET);
	if ((d->what == NET_RT_FLAGS || d->what == NET_RT_FLAGS_PRIV) &&
	    !(rtmsg_header(&d->msg)->rtm_flags & d->argument))
		return true;
	return put(d);
}

static int
dump_routes(struct dump *d)
{
	rt_walk(d->machine, d->family, put_route, d);
	/* Their messages are of the older kind only. */
	if (d->error == 0 && d->what != NET_RT_DUMP2)
		neighbor_walk(d->machine, d->family, put_neighbor, d);
	return d->error;
}

/* ---- interfaces --------------------------------------------------------------------------- */

static bool
put_interface(struct dump *d, const struct ifnet *ifp)
{
	bool second = d->what == NET_RT_IFLIST2;
	const struct ifmultiaddr *ifma;
	const struct ifaddr *ifa;

	rtmsg_interface(&d->msg, ifp, second ? RTM_IFINFO2 : RTM_IFINFO, true);
	if (!put(d))
		return false;
	TAILQ_FOREACH(ifa, &ifp->addresses, link) {
		if (ifa->addr.ss_family == AF_LINK || (d->family != 0 && ifa->addr.ss_family != d->family))
			continue;
		rtmsg_address(&d->msg, ifa, RTM_NEWADDR, false);
		if (!put(d))
			return false;
	}
	if (!second)
		return true;
	TAILQ_FOREACH(ifma, &ifp->multicast, link) {
		if (d->family != 0 && ifma->addr.ss_family != d->family)
			continue;
		rtmsg_multicast(&d->msg, ifma, RTM_NEWMADDR2);
		if (!put(d))
			return false;
	}
	return true;
}

static int
dump_interfaces(struct dump *d)
{
	const struct ifaddr *ifa;

	TAILQ_FOREACH(ifa, &d->machine->routes->all, all)
		if (ifa->addr.ss_family == AF_LINK &&
		    (d->argument == 0 || ifa->ifp->index == (uint32_t)d->argument) &&
		    !put_interface(d, ifa->ifp))
			break;
	return d->error;
}

/* ---- the tree ----------------------------------------------------------------------------- */

/* arg1 are the numbers behind the branch, arg2 how many. */
static int
handle_routetable SYSCTL_HANDLER_ARGS
{
	const int *name = arg1;
	struct dump d = {.machine = curmachine(), .req = req};
	int none = 0;

	(void)oidp;
	if (req->newptr != 0)
		return EPERM;
	if (arg2 != 4 || name[1] < 0 || name[1] >= AF_MAX)
		return EINVAL;
	d.family = (sa_family_t)name[1];
	d.what = name[2];
	d.argument = name[3];
	switch (d.what) {
	case NET_RT_DUMP:
	case NET_RT_DUMP2:
	case NET_RT_FLAGS:
	case NET_RT_FLAGS_PRIV:
		return dump_routes(&d);
	case NET_RT_IFLIST:
	case NET_RT_IFLIST2:
		return dump_interfaces(&d);
	case NET_RT_STAT:
		return SYSCTL_OUT(req, &d.machine->rtable->stat, sizeof d.machine->rtable->stat);
	case NET_RT_TRASH:
		return SYSCTL_OUT(req, &none, sizeof none);
	default:
		return ENOTSUP;
	}
}

static const struct sysctl_bounded variables[] = {
	{IPCTL_RTEXPIRE, "rtexpire", offsetof(struct rtable, expire_seconds), 1, EXPIRE_MOST},
	{IPCTL_RTMAXCACHE, "rtmaxcache", offsetof(struct rtable, clone_max), 0, CLONES_MOST},
	{0, NULL, 0, 0, 0},
};

/* Names the branch, which has a handler instead of children. */
static const struct sysctl_oid_list routetable_children;

errno_t
route_sysctl_init(struct nke *m)
{
	errno_t error = sysctl_add(m, &sysctl__net_children, PF_ROUTE, "routetable",
	    CTLTYPE_NODE | CTLFLAG_RD | CTLFLAG_LOCKED, (void *)(uintptr_t)&routetable_children, 0,
	    handle_routetable, "");

	if (error == 0)
		error = sysctl_add_bounded(m, &sysctl__net_inet_ip_children, variables, m->rtable);
	return error;
}
