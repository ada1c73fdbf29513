/*
 * Addresses of interfaces as programs set and read them: IPv4. in_control.h says who calls this. The state
 * is ifaddr.c's; a driver is asked (SIOCSIFADDR) whether it starts with a new address, as on Darwin.
 */
#include <netinet/in.h>
#include <netinet/in_var.h>
#include <string.h>
#include <sys/sockio.h>

#include "dlil/dlil.h"
#include "src/net/ifaddr.h"
#include "src/net/route_private.h"
#include "src/netinet/in_control.h"

/* ---- what both families share ------------------------------------------------------------- */

/* The interface that the data begin with, referenced. ENXIO. */
static errno_t
named_interface(struct nke *m, const void *data, struct ifnet **ifp)
{
	char name[IFNAMSIZ + 1];

	memcpy(name, data, IFNAMSIZ);
	name[IFNAMSIZ] = '\0';
	*ifp = dlil_find_by_name(m, name);
	if (*ifp == NULL)
		return ENXIO;
	ifnet_retain(*ifp);
	return 0;
}

bool
in_control_dispatch(struct nke *m, const struct in_control_command *table, unsigned long command,
    void *data, errno_t *error)
{
	struct ifnet *ifp;

	while (table->handler != NULL && table->command != command)
		table++;
	if (table->handler == NULL)
		return false;
	*error = named_interface(m, data, &ifp);
	if (*error != 0)
		return true;
	*error = table->handler(ifp, command, data);
	ifnet_drop(ifp);
	return true;
}

errno_t
in_control_start(struct ifnet *ifp, struct ifaddr *ifa, unsigned long command)
{
	errno_t error = dlil_ioctl(ifp, ifa->addr.ss_family, command, ifa);

	if (error == 0 || error == EOPNOTSUPP)
		return 0;
	if (ifa->attached)
		(void)ifaddr_remove(ifp, sockaddr_of(&ifa->addr));
	return error;
}

/* ---- addresses ---------------------------------------------------------------------------- */

/* A program's address, whose length is often not set. EAFNOSUPPORT: it is another family's. */
static errno_t
take_address(const void *from, struct sockaddr_in *sin)
{
	memcpy(sin, from, sizeof *sin);
	if (sin->sin_family != AF_INET)
		return EAFNOSUPPORT;
	sin->sin_len = sizeof *sin;
	return 0;
}

static const struct sockaddr *
generic(const struct sockaddr_in *sin)
{
	return (const struct sockaddr *)(const void *)sin;
}

/* The one that is named, else the interface's first. NULL: it has none. */
static struct ifaddr *
find_address(struct ifnet *ifp, const struct ifreq *ifr)
{
	struct sockaddr_in sin;
	struct ifaddr *ifa;

	if (take_address(&ifr->ifr_addr, &sin) == 0) {
		ifa = ifaddr_find_in4(ifp->machine, sin.sin_addr.s_addr);
		if (ifa != NULL && ifa->ifp == ifp)
			return ifa;
	}
	return ifaddr_first(ifp, AF_INET);
}

static struct sockaddr_in
class_mask(const struct sockaddr_in *addr)
{
	uint32_t a = ntohl(addr->sin_addr.s_addr);
	struct sockaddr_in mask = {.sin_len = sizeof mask, .sin_family = AF_INET};

	mask.sin_addr.s_addr = htonl(IN_CLASSA(a) ? IN_CLASSA_NET : IN_CLASSB(a) ? IN_CLASSB_NET :
	    IN_CLASSC_NET);
	return mask;
}

/* Adds it, or changes what the interface has of it. */
static errno_t
set_address(struct ifnet *ifp, const struct sockaddr_in *addr, const struct sockaddr *mask,
    const struct sockaddr *dst, unsigned long command)
{
	struct ifaddr_request r = {.addr = generic(addr), .mask = mask, .dst = dst};
	struct ifaddr *ifa = ifaddr_find_in4(ifp->machine, addr->sin_addr.s_addr);
	errno_t error;

	if (IN_MULTICAST(ntohl(addr->sin_addr.s_addr)) || addr->sin_addr.s_addr == INADDR_BROADCAST)
		return EINVAL;
	if (ifa != NULL && ifa->ifp == ifp) {
		ifaddr_retain(ifa);
		error = ifaddr_change(ifa, mask, dst);
		if (error == 0)
			dlil_post_address(ifa, KEV_INET_CHANGED_ADDR);
	} else {
		error = ifaddr_add_request(ifp, &r, &ifa);
		if (error != 0)
			return error;
		error = in_control_start(ifp, ifa, command);
	}
	ifaddr_drop(ifa);
	return error;
}

/* SIOCAIFADDR: one more, with everything about it. */
static errno_t
add_alias(struct ifnet *ifp, unsigned long command, void *data)
{
	const struct ifaliasreq *req = data;
	struct sockaddr_in addr, mask, dst;
	bool has_dst = take_address(&req->ifra_broadaddr, &dst) == 0;
	errno_t error = take_address(&req->ifra_addr, &addr);

	if (error != 0)
		return error;
	if (!(ifp->flags & (IFF_BROADCAST | IFF_POINTOPOINT)))
		has_dst = false;
	memcpy(&mask, &req->ifra_mask, sizeof mask);
	if (mask.sin_len == 0)
		mask = class_mask(&addr);
	/* Masks come without a family, and short. */
	if (mask.sin_len > sizeof mask)
		return EINVAL;
	if (mask.sin_len < sizeof mask)
		memset((char *)&mask + mask.sin_len, 0, sizeof mask - mask.sin_len);
	mask.sin_len = sizeof mask;
	mask.sin_family = AF_INET;
	return set_address(ifp, &addr, generic(&mask), has_dst ? generic(&dst) : NULL, command);
}

/* SIOCSIFADDR: the interface's first address is this one from now on. */
static errno_t
set_first(struct ifnet *ifp, unsigned long command, void *data)
{
	const struct ifreq *ifr = data;
	struct sockaddr_in addr, mask;
	struct ifaddr *first = ifaddr_first(ifp, AF_INET), *there;
	errno_t error = take_address(&ifr->ifr_addr, &addr);

	if (error != 0)
		return error;
	mask = class_mask(&addr);
	there = ifaddr_find_in4(ifp->machine, addr.sin_addr.s_addr);
	if (there != NULL && there->ifp != ifp)
		return EEXIST;
	if (first != NULL && first != there)
		(void)ifaddr_remove(ifp, sockaddr_of(&first->addr));
	return set_address(ifp, &addr, generic(&mask), NULL, command);
}

static errno_t
delete_address(struct ifnet *ifp, unsigned long command, void *data)
{
	const struct ifreq *ifr = data;
	struct sockaddr_in addr;
	struct ifaddr *ifa;

	(void)command;
	/* Without an address: the first. */
	if (take_address(&ifr->ifr_addr, &addr) == 0 && addr.sin_addr.s_addr != INADDR_ANY)
		return ifaddr_remove(ifp, generic(&addr));
	ifa = ifaddr_first(ifp, AF_INET);
	return ifa != NULL ? ifaddr_remove(ifp, sockaddr_of(&ifa->addr)) : EADDRNOTAVAIL;
}

static errno_t
copy_out(const struct sockaddr_storage *ss, struct ifreq *ifr)
{
	if (ss->ss_len == 0)
		memset(&ifr->ifr_addr, 0, sizeof ifr->ifr_addr);
	else
		memcpy(&ifr->ifr_addr, ss, sizeof ifr->ifr_addr);
	return 0;
}

static errno_t
read_address(struct ifnet *ifp, unsigned long command, void *data)
{
	struct ifreq *ifr = data;
	const struct ifaddr *ifa = find_address(ifp, ifr);

	if (ifa == NULL)
		return EADDRNOTAVAIL;
	switch (command) {
	case SIOCGIFADDR:
	case OSIOCGIFADDR:
		return copy_out(&ifa->addr, ifr);
	case SIOCGIFNETMASK:
	case OSIOCGIFNETMASK:
		return copy_out(&ifa->mask, ifr);
	case SIOCGIFBRDADDR:
	case OSIOCGIFBRDADDR:
		return ifp->flags & IFF_BROADCAST ? copy_out(&ifa->dst, ifr) : EINVAL;
	default:
		return ifp->flags & IFF_POINTOPOINT ? copy_out(&ifa->dst, ifr) : EINVAL;
	}
}

/* SIOCSIFNETMASK, SIOCSIFBRDADDR, SIOCSIFDSTADDR: of the interface's first address. */
static errno_t
change_address(struct ifnet *ifp, unsigned long command, void *data)
{
	const struct ifreq *ifr = data;
	struct ifaddr *ifa = ifaddr_first(ifp, AF_INET);
	uint32_t code = command == SIOCSIFNETMASK ? KEV_INET_SIFNETMASK :
	    command == SIOCSIFBRDADDR ? KEV_INET_SIFBRDADDR : KEV_INET_SIFDSTADDR;
	struct sockaddr_in sin;
	errno_t error;

	memcpy(&sin, &ifr->ifr_addr, sizeof sin);
	if (sin.sin_family == AF_UNSPEC && command == SIOCSIFNETMASK)
		sin.sin_family = AF_INET;
	error = take_address(&sin, &sin);
	if (error != 0)
		return error;
	if (ifa == NULL)
		return EADDRNOTAVAIL;
	if ((command == SIOCSIFBRDADDR && !(ifp->flags & IFF_BROADCAST)) ||
	    (command == SIOCSIFDSTADDR && !(ifp->flags & IFF_POINTOPOINT)))
		return EINVAL;
	ifaddr_retain(ifa);
	if (command == SIOCSIFDSTADDR)
		error = dlil_ioctl(ifp, PF_INET, command, ifa);
	if (error == EOPNOTSUPP)
		error = 0;
	if (error == 0 && ifa->attached)
		error = command == SIOCSIFNETMASK ? ifaddr_change(ifa, generic(&sin), NULL) :
		    ifaddr_change(ifa, NULL, generic(&sin));
	if (error == 0)
		dlil_post_address(ifa, code);
	ifaddr_drop(ifa);
	return error;
}

/* ---- the list of interfaces --------------------------------------------------------------- */

/* Entries are as long as their addresses; what does not fit any more is left out. */
static errno_t
list_interfaces(struct nke *m, void *data)
{
	struct ifconf conf;
	struct ifreq entry;
	size_t room, used = 0, size;
	const struct ifaddr *ifa;
	struct sockaddr_storage form;

	memcpy(&conf, data, sizeof conf);
	if (conf.ifc_len < 0)
		return EINVAL;
	room = (size_t)conf.ifc_len;
	TAILQ_FOREACH(ifa, &m->routes->all, all) {
		memset(&entry, 0, sizeof entry);
		strlcpy(entry.ifr_name, ifa->ifp->xname, sizeof entry.ifr_name);
		ifaddr_kernel_form(sockaddr_of(&ifa->addr), &form);
		size = offsetof(struct ifreq, ifr_addr) + (form.ss_len > sizeof entry.ifr_addr ? form.ss_len :
		    sizeof entry.ifr_addr);
		if (conf.ifc_buf != NULL) {
			if (used + size > room)
				break;
			memcpy(conf.ifc_buf + used, &entry, offsetof(struct ifreq, ifr_addr));
			memcpy(conf.ifc_buf + used + offsetof(struct ifreq, ifr_addr), &form,
			    size - offsetof(struct ifreq, ifr_addr));
		}
		used += size;
	}
	conf.ifc_len = (int)used;
	memcpy(data, &conf, sizeof conf);
	return 0;
}

/* ---- dispatch ----------------------------------------------------------------------------- */

static const struct in_control_command commands[] = {
	{SIOCAIFADDR, add_alias},
	{SIOCSIFADDR, set_first},
	{SIOCDIFADDR, delete_address},
	{SIOCSIFNETMASK, change_address},
	{SIOCSIFBRDADDR, change_address},
	{SIOCSIFDSTADDR, change_address},
	{SIOCGIFADDR, read_address},
	{SIOCGIFNETMASK, read_address},
	{SIOCGIFBRDADDR, read_address},
	{SIOCGIFDSTADDR, read_address},
	{OSIOCGIFADDR, read_address},
	{OSIOCGIFNETMASK, read_address},
	{OSIOCGIFBRDADDR, read_address},
	{OSIOCGIFDSTADDR, read_address},
	{0, NULL}
};

errno_t
in_control(struct nke *m, unsigned long command, void *data)
{
	errno_t error;

	if (data == NULL)
		return EINVAL;
	if (command == SIOCGIFCONF || command == OSIOCGIFCONF)
		return list_interfaces(m, data);
	if (in_control_dispatch(m, commands, command, data, &error))
		return error;
	return ifioctl(m, command, data);
}
