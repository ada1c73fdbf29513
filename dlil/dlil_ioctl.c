/*
 * ioctls of an interface on their way to filters, protocol and driver; the flags; promiscuous mode.
 * Callers: the KPI, DLIL itself (to tell drivers of flags and multicast changes), ifioctl.
 */
#include <sys/sockio.h>

#include "dlil/dlil_state.h"
#include "src/kern/gate.h"
#include "src/net/neighbor.h"
#include "src/net/rtable.h"

static bool
ask_protocol(struct ifnet *ifp, protocol_family_t family, unsigned long command, void *argument,
    errno_t *result)
{
	struct if_proto *p = family != 0 ? dlil_find_proto(ifp, family) : NULL;
	errno_t answer;

	if (p == NULL || p->ioctl == NULL)
		return false;
	dlil_proto_retain(p);
	GATE_CALL(p->owner, "proto_ioctl", NULL, answer = p->ioctl(ifp, family, command, argument));
	dlil_proto_release(p);
	return dlil_ioctl_merge(result, answer);
}

errno_t
dlil_ioctl(struct ifnet *ifp, protocol_family_t family, unsigned long command, void *argument)
{
	const struct dlil_filter_ops *ops;
	errno_t result = EOPNOTSUPP, answer;
	bool stop = false;

	if (ifp == NULL || command == 0)
		return EINVAL;
	if (!ifnet_io_begin(ifp))
		return EOPNOTSUPP;
	ops = &ifp->machine->dlil->filters;
	if (!TAILQ_EMPTY(&ifp->filters))
		result = ops->ioctl(ifp, family, command, argument, &stop);
	if (!stop && !ask_protocol(ifp, family, command, argument, &result)) {
		GATE_CALL_ABOUT(ifp->owner, "if_ioctl", ifp, NULL,
		    answer = ifp->ioctl(ifp, command, argument));
		(void)dlil_ioctl_merge(&result, answer);
	}
	ifnet_io_end(ifp);
	return result == EJUSTRETURN ? 0 : result;
}

errno_t
dlil_driver_ioctl(struct ifnet *ifp, unsigned long command, void *argument)
{
	(void)ifp;
	(void)argument;
	return command == SIOCSIFFLAGS || command == SIOCADDMULTI || command == SIOCDELMULTI ||
	    command == SIOCSIFMTU ? 0 : EOPNOTSUPP;
}

errno_t
dlil_tell_flags(struct ifnet *ifp)
{
	struct ifreq ifr = {.ifr_flags = (short)ifp->flags};

	strlcpy(ifr.ifr_name, ifp->xname, sizeof ifr.ifr_name);
	return dlil_ioctl(ifp, 0, SIOCSIFFLAGS, &ifr);
}

errno_t
dlil_set_flags(struct ifnet *ifp, uint16_t new_flags, uint16_t mask)
{
	const uint16_t runs = IFF_UP | IFF_RUNNING;
	uint16_t changed = ifp->flags;

	ifp->flags = (uint16_t)((new_flags & mask) | (ifp->flags & ~mask));
	ifp->lastchange = machine_now(ifp->machine);
	changed ^= ifp->flags;
	if (changed != 0 && ifp->state != IFNET_EMBRYONIC)
		rt_interface_changed(ifp, changed);
	if ((changed & runs) != 0 && (ifp->flags & runs) == runs)
		neighbor_interface_up(ifp);
	return 0;
}

static void
change_promiscuous(struct ifnet *ifp, bool on)
{
	ifp->promiscuous += on ? 1u : UINT32_MAX;
	(void)dlil_set_flags(ifp, ifp->promiscuous != 0 ? IFF_PROMISC : 0, IFF_PROMISC);
}

errno_t
dlil_set_promiscuous(struct ifnet *ifp, bool on)
{
	uint16_t old_flags = ifp->flags;
	errno_t error;

	if (!on && ifp->promiscuous == 0)
		return 0;
	change_promiscuous(ifp, on);
	if (ifp->flags == old_flags || !(ifp->flags & IFF_UP))
		return 0;
	error = dlil_tell_flags(ifp);
	if (error != 0)
		change_promiscuous(ifp, !on);
	return error;
}
