/*
 * Events of an interface. Path F goes through its filters, protocols and driver to the kernel event
 * sockets; the driver's half of that only while it is attached. Path K goes to the sockets alone.
 * Which event takes which path is an interface fact; callers say it.
 */
#include <netinet/in.h>
#include <netinet/in_var.h>
#include <string.h>

#include "dlil/dlil_state.h"
#include "src/kern/gate.h"
#include "src/kern/kern_event.h"
#include "src/net/ifaddr.h"
#include "src/net/neighbor.h"

#define EVENT_DATA_MAX	200u		/* what a kernel event can carry */

static void
tell_protocols(struct ifnet *ifp, const struct kev_msg *msg)
{
	struct if_proto *p;
	uint32_t seq = 0;

	/* A callback may attach and detach protocols: the next one is found by its number. */
	while ((p = dlil_next_proto(ifp, seq)) != NULL) {
		seq = p->seq;
		if (p->event == NULL)
			continue;
		dlil_proto_retain(p);
		GATE_CALL(p->owner, "proto_event", NULL, p->event(ifp, p->family, msg));
		dlil_proto_release(p);
	}
}

errno_t
dlil_post(struct ifnet *ifp, const struct kev_msg *msg)
{
	const struct dlil_filter_ops *ops = &ifp->machine->dlil->filters;

	ifp->io_refs++;			/* also while detaching: the filters stay until we are done */
	if (!TAILQ_EMPTY(&ifp->filters))
		ops->event(ifp, msg);
	if (ifp->state == IFNET_ATTACHED) {
		tell_protocols(ifp, msg);
		if (ifp->event != NULL && ifp->state == IFNET_ATTACHED)
			GATE_CALL_ABOUT(ifp->owner, "if_event", ifp, NULL, ifp->event(ifp, msg));
	}
	ifnet_io_end(ifp);
	return kev_post(ifp->machine, msg);
}

/* Event data begins with the interface's identity, which is filled in here. */
static void
post_data(struct ifnet *ifp, uint32_t subclass, uint32_t code, struct net_event_data *data,
    size_t len, bool kernel_sockets_only)
{
	struct kev_msg msg = {
		.vendor_code = KEV_VENDOR_APPLE,
		.kev_class = KEV_NETWORK_CLASS,
		.kev_subclass = subclass,
		.event_code = code,
	};

	memset(data, 0, sizeof *data);
	data->if_family = ifp->family;
	data->if_unit = ifp->unit;
	memcpy(data->if_name, ifp->name, sizeof data->if_name);
	msg.dv[0].data_ptr = data;
	msg.dv[0].data_length = (uint32_t)len;
	if (kernel_sockets_only)
		(void)kev_post(ifp->machine, &msg);
	else
		(void)dlil_post(ifp, &msg);
}

void
dlil_post_event(struct ifnet *ifp, uint32_t subclass, uint32_t code, const void *extra,
    uint32_t extra_len, bool kernel_sockets_only)
{
	struct {
		struct net_event_data identity;
		uint8_t extra[EVENT_DATA_MAX - sizeof(struct net_event_data)];
	} data;

	if (extra_len > sizeof data.extra)
		extra_len = sizeof data.extra;
	if (extra_len != 0)
		memcpy(data.extra, extra, extra_len);
	post_data(ifp, subclass, code, &data.identity, sizeof data.identity + extra_len,
	    kernel_sockets_only);
}

/* ---- addresses ---------------------------------------------------------------------------- */

static uint32_t
class_mask(uint32_t addr)
{
	return IN_CLASSA(addr) ? IN_CLASSA_NET : IN_CLASSB(addr) ? IN_CLASSB_NET : IN_CLASSC_NET;
}

static void
post_in(struct ifaddr *ifa, uint32_t code)
{
	const struct sockaddr_in *addr = (const struct sockaddr_in *)(const void *)&ifa->addr;
	const struct sockaddr_in *mask = (const struct sockaddr_in *)(const void *)&ifa->mask;
	const struct sockaddr_in *dst = (const struct sockaddr_in *)(const void *)&ifa->dst;
	uint32_t a = ntohl(addr->sin_addr.s_addr);
	struct kev_in_data e = {.ia_addr = addr->sin_addr};

	e.ia_netmask = class_mask(a);
	e.ia_net = a & e.ia_netmask;
	e.ia_subnetmask = ntohl(mask->sin_addr.s_addr);
	e.ia_subnet = a & e.ia_subnetmask;
	if (ifa->dst.ss_len != 0) {
		if (ifa->ifp->flags & IFF_BROADCAST)
			e.ia_netbroadcast = dst->sin_addr;
		else
			e.ia_dstaddr = dst->sin_addr;
	}
	post_data(ifa->ifp, KEV_INET_SUBCLASS, code, &e.link_data, sizeof e, false);
}

static void
post_in6(struct ifaddr *ifa, uint32_t code)
{
	struct kev_in6_data e;
	struct sockaddr_storage form;

	memset(&e, 0, sizeof e);
	ifaddr_kernel_form((const struct sockaddr *)(const void *)&ifa->addr, &form);
	memcpy(&e.ia_addr, &form, sizeof e.ia_addr);
	memcpy(&e.ia_prefixmask, &ifa->mask, sizeof e.ia_prefixmask);
	memcpy(&e.ia_dstaddr, &ifa->dst, sizeof e.ia_dstaddr);
	e.ia6_flags = ifa->ia6_flags;
	e.ia_net = e.ia_addr;
	for (int i = 0; i < 16; i++) {
		uint8_t mask = e.ia_prefixmask.sin6_addr.s6_addr[i];

		e.ia_net.sin6_addr.s6_addr[i] &= mask;
		e.ia_plen += (uint32_t)__builtin_popcount(mask);
	}
	post_data(ifa->ifp, KEV_INET6_SUBCLASS, code, &e.link_data, sizeof e, false);
}

void
dlil_post_address(struct ifaddr *ifa, uint32_t code)
{
	if (ifa->addr.ss_family == AF_INET6)
		post_in6(ifa, code);
	else if (ifa->addr.ss_family == AF_INET)
		post_in(ifa, code);
}

static uint32_t
code_of_in6(const struct ifaddr *ifa, bool added)
{
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)(const void *)&ifa->addr;

	if (!added)
		return KEV_INET6_ADDR_DELETED;
	if (IN6_IS_ADDR_LINKLOCAL(&sin6->sin6_addr))
		return KEV_INET6_NEW_LL_ADDR;
	return ifa->ia6_flags & IN6_IFF_AUTOCONF ? KEV_INET6_NEW_RTADV_ADDR : KEV_INET6_NEW_USER_ADDR;
}

void
dlil_address_changed(struct ifaddr *ifa, bool added)
{
	if (ifa->addr.ss_family == AF_INET6) {
		/* First, so that what is posted says whether it is tentative. */
		neighbor_address_changed(ifa, added);
		post_in6(ifa, code_of_in6(ifa, added));
	} else if (ifa->addr.ss_family == AF_INET) {
		const struct net_proto *np = dlil_net_proto(ifa->ifp->machine, PF_INET);

		post_in(ifa, added ? KEV_INET_NEW_ADDR : KEV_INET_ADDR_DELETED);
		neighbor_address_changed(ifa, added);
		if (np != NULL && np->address_changed != NULL)
			np->address_changed(ifa, added);
	}
}
