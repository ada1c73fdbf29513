/*
 * Interface ioctls of a process, by name: what the stack handles itself (flags, metric, MTU,
 * multicast, link address, attaching and detaching IPv4), asking filters, protocol and driver where
 * they have a say, and posting the events that belong to it. Addresses are the protocols' business.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/sockio.h>

#include "dlil/dlil_state.h"
#include "src/net/ifaddr.h"

/* Bits of if_flags that a process cannot change. */
#define IFF_CANTCHANGE	(IFF_BROADCAST | IFF_POINTOPOINT | IFF_RUNNING | IFF_OACTIVE | \
			 IFF_SIMPLEX | IFF_MULTICAST | IFF_ALLMULTI)

static void
post_kernel(struct ifnet *ifp, uint32_t code)
{
	dlil_post_event(ifp, KEV_DL_SUBCLASS, code, NULL, 0, true);
}

static errno_t
set_flags(struct ifnet *ifp, struct ifreq *ifr)
{
	(void)dlil_set_flags(ifp, (uint16_t)ifr->ifr_flags, (uint16_t)~IFF_CANTCHANGE);
	/* Interface fact: the driver's refusal is not the caller's, and the event is posted anyway. */
	(void)dlil_ioctl(ifp, 0, SIOCSIFFLAGS, ifr);
	post_kernel(ifp, KEV_DL_SIFFLAGS);
	return 0;
}

static errno_t
set_mtu(struct ifnet *ifp, struct ifreq *ifr)
{
	errno_t error;

	if (ifr->ifr_mtu < IF_MINMTU || ifr->ifr_mtu > IF_MAXMTU)
		return EINVAL;
	error = dlil_ioctl(ifp, 0, SIOCSIFMTU, ifr);
	if (error != 0)
		return error;
	ifp->mtu = (uint32_t)ifr->ifr_mtu;
	ifp->lastchange = machine_now(ifp->machine);
	post_kernel(ifp, KEV_DL_SIFMTU);
	return 0;
}

static errno_t
change_multicast(struct ifnet *ifp, unsigned long command, struct ifreq *ifr)
{
	struct ifmultiaddr *ifma;
	errno_t error;

	if (!(ifp->flags & IFF_MULTICAST))
		return EOPNOTSUPP;
	if (ifr->ifr_addr.sa_family != AF_LINK && ifr->ifr_addr.sa_family != AF_UNSPEC)
		return EINVAL;
	if (ifr->ifr_addr.sa_len > sizeof ifr->ifr_addr)
		return EINVAL;
	if (command == SIOCADDMULTI) {
		error = dlil_multicast_join(ifp, &ifr->ifr_addr, NULL);
	} else {
		ifma = dlil_multicast_find(ifp, &ifr->ifr_addr);
		error = ifma != NULL ? dlil_multicast_leave(ifma) : ENOENT;
	}
	if (error == 0)
		post_kernel(ifp, command == SIOCADDMULTI ? KEV_DL_ADDMULTI : KEV_DL_DELMULTI);
	return error;
}

static errno_t
set_lladdr(struct ifnet *ifp, const struct ifreq *ifr)
{
	if (ifr->ifr_addr.sa_len > sizeof ifr->ifr_addr.sa_data)
		return EINVAL;
	return dlil_set_lladdr(ifp, ifr->ifr_addr.sa_data, ifr->ifr_addr.sa_len);
}

static errno_t
detach_ipv4(struct ifnet *ifp)
{
	if (ifaddr_first(ifp, AF_INET) != NULL)
		return EBUSY;
	return dlil_unplumb(ifp, PF_INET);
}

/* The driver's: its success is announced. */
static errno_t
pass_on(struct ifnet *ifp, unsigned long command, void *data)
{
	errno_t error = dlil_ioctl(ifp, 0, command, data);

	if (error != 0)
		return error;
	if (command == SIOCSIFPHYS)
		post_kernel(ifp, KEV_DL_SIFPHYS);
	else if (command == SIOCSIFMEDIA)
		post_kernel(ifp, KEV_DL_SIFMEDIA);
	else if (command == SIOCSIFGENERIC)
		post_kernel(ifp, KEV_DL_SIFGENERIC);
	return 0;
}

static errno_t
handle(struct ifnet *ifp, unsigned long command, struct ifreq *ifr)
{
	switch (command) {
	case SIOCGIFFLAGS:
		ifr->ifr_flags = (short)ifp->flags;
		return 0;
	case SIOCSIFFLAGS:
		return set_flags(ifp, ifr);
	case SIOCGIFMETRIC:
		ifr->ifr_metric = (int)ifp->metric;
		return 0;
	case SIOCSIFMETRIC:
		ifp->metric = (uint32_t)ifr->ifr_metric;
		post_kernel(ifp, KEV_DL_SIFMETRICS);
		return 0;
	case SIOCGIFMTU:
		ifr->ifr_mtu = (int)ifp->mtu;
		return 0;
	case SIOCSIFMTU:
		return set_mtu(ifp, ifr);
	case SIOCGIFCAP:
		ifr->ifr_reqcap = (int)ifp->capabilities;
		ifr->ifr_curcap = (int)ifp->capenable;
		return 0;
	case SIOCGIFWAKEFLAGS:
		ifr->ifr_wake_flags = ifp->wake_flags;
		return 0;
	case SIOCADDMULTI:
	case SIOCDELMULTI:
		return change_multicast(ifp, command, ifr);
	case SIOCSIFLLADDR:
		return set_lladdr(ifp, ifr);
	case SIOCPROTOATTACH:
		return dlil_plumb(ifp, PF_INET);
	case SIOCPROTODETACH:
		return detach_ipv4(ifp);
	default:
		return pass_on(ifp, command, ifr);
	}
}

errno_t
ifioctl(struct nke *m, unsigned long command, void *data)
{
	char name[IFNAMSIZ + 1];
	struct ifnet *ifp;
	errno_t error;

	if (data == NULL || IOCPARM_LEN(command) < IFNAMSIZ)
		return EINVAL;
	memcpy(name, data, IFNAMSIZ);
	name[IFNAMSIZ] = '\0';
	ifp = dlil_find_by_name(m, name);
	if (ifp == NULL)
		return ENXIO;
	ifnet_retain(ifp);
	error = handle(ifp, command, data);
	ifnet_drop(ifp);
	return error;
}
