/*
 * Who hears of changes to routes, interfaces and addresses: the routing sockets and whoever else listens. As
 * long as nobody does, a change costs one branch.
 *
 * Hearing may call into a kext (a socket's upcall), which may do anything: a listener that goes meanwhile is
 * taken off when the last walk over the list has ended.
 */
#include <netinet/in.h>

#include "src/kern/mbuf.h"
#include "src/net/ifaddr.h"
#include "src/net/rtable_private.h"
#include "src/net/rtmsg.h"

void
rt_listen(struct nke *m, struct rt_listener *l)
{
	l->gone = false;
	LIST_INSERT_HEAD(&m->rtable->listeners, l, link);
}

static void
sweep_listeners(struct rtable *t)
{
	struct rt_listener *l, *next;

	LIST_FOREACH_SAFE(l, &t->listeners, link, next) {
		if (!l->gone)
			continue;
		LIST_REMOVE(l, link);
		l->free(l);
	}
	t->listeners_leave = false;
}

void
rt_unlisten(struct nke *m, struct rt_listener *l)
{
	l->gone = true;
	m->rtable->listeners_leave = true;
	if (m->rtable->telling == 0)
		sweep_listeners(m->rtable);
}

void
rt_tell(struct nke *m, const struct rtmsg *msg, sa_family_t family, const struct rt_listener *except)
{
	struct rtable *t = m->rtable;
	struct rt_listener *l;
	struct mbuf *packet;

	t->telling++;
	LIST_FOREACH(l, &t->listeners, link) {
		if (l == except || l->gone || (l->family != 0 && family != 0 && l->family != family))
			continue;
		packet = m_devget(m, msg->bytes, msg->len, 0);
		if (packet != NULL)
			l->hear(l, packet);
	}
	if (--t->telling == 0 && t->listeners_leave)
		sweep_listeners(t);
}

void
rt_tell_route(const struct rtentry *rt, int type)
{
	struct rtmsg msg;

	if (!rt_heard(rt->rt_machine))
		return;
	rtmsg_route(&msg, rt, type, false);
	rtmsg_header(&msg)->rtm_flags |= RTF_DONE;
	rt_tell(rt->rt_machine, &msg, rt->rt_dst.ss_family, NULL);
}

void
rt_tell_addresses(struct nke *m, int type, const struct sockaddr *dst, const struct sockaddr *gateway,
    const struct sockaddr *author, int flags, errno_t error)
{
	struct rtmsg msg;

	if (!rt_heard(m))
		return;
	rtmsg_plain(&msg, type, flags, error);
	rtmsg_add(&msg, RTAX_DST, dst);
	rtmsg_add(&msg, RTAX_GATEWAY, gateway);
	rtmsg_add(&msg, RTAX_AUTHOR, author);
	rt_tell(m, &msg, dst->sa_family, NULL);
}

void
rt_tell_address(const struct ifaddr *ifa, int type)
{
	struct rtmsg msg;

	if (!rt_heard(ifa->ifp->machine))
		return;
	rtmsg_address(&msg, ifa, type, true);
	rt_tell(ifa->ifp->machine, &msg, ifa->addr.ss_family, NULL);
}

void
rt_tell_interface(const struct ifnet *ifp)
{
	struct rtmsg msg;

	if (!rt_heard(ifp->machine))
		return;
	rtmsg_interface(&msg, ifp, RTM_IFINFO, false);
	rt_tell(ifp->machine, &msg, 0, NULL);
}

void
rt_tell_multicast(const struct ifmultiaddr *ifma, int type)
{
	struct rtmsg msg;

	if (!rt_heard(ifma->ifp->machine))
		return;
	rtmsg_multicast(&msg, ifma, type);
	rt_tell(ifma->ifp->machine, &msg, ifma->addr.ss_family == AF_LINK ? 0 : ifma->addr.ss_family, NULL);
}
