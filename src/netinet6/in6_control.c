/*
 * Addresses of interfaces as programs set and read them: IPv6. src/netinet/in_control.h says who calls this.
 * Addresses of one link only are shown in Darwin's kernel form (ifaddr_kernel_form) and taken in both.
 *
 * Left out: prefixes and their lists (SIOC*PREFIX_IN6), the old SIOCSIFADDR_IN6 and its kin (EINVAL, as on
 * Darwin), statistics of an interface (SIOCGIFSTAT_IN6), the policy table's ioctls.
 */
#include <netinet/in.h>
#include <netinet/in_var.h>
#include <string.h>
#include <sys/sockio.h>

#include "dlil/dlil.h"
#include "src/kern/sched.h"
#include "src/kern/socketvar.h"
#include "src/net/ifaddr.h"
#include "src/net/route_private.h"
#include "src/net/rtable_private.h"
#include "src/netinet/in_control.h"
#include "src/netinet6/nd6.h"

/* Flags that a program may set. */
#define PROGRAM_FLAGS	(IN6_IFF_ANYCAST | IN6_IFF_NODAD | IN6_IFF_AUTOCONF | IN6_IFF_TEMPORARY | \
			 IN6_IFF_DYNAMIC | IN6_IFF_SECURED | IN6_IFF_OPTIMISTIC)

static errno_t
take_address(const struct sockaddr_in6 *from, struct sockaddr_in6 *sin6)
{
	*sin6 = *from;
	if (sin6->sin6_family != AF_INET6)
		return EAFNOSUPPORT;
	sin6->sin6_len = sizeof *sin6;
	return 0;
}

static const struct sockaddr *
generic(const struct sockaddr_in6 *sin6)
{
	return (const struct sockaddr *)(const void *)sin6;
}

/* The interface's own address of that name. */
static struct ifaddr *
find_address(struct ifnet *ifp, const struct sockaddr_in6 *sin6)
{
	struct ifaddr *ifa = ifaddr_find_in6_zone(ifp->machine, &sin6->sin6_addr,
	    in6_has_zone(sin6->sin6_addr.s6_addr) ? ifp->index : 0);

	return ifa != NULL && ifa->ifp == ifp ? ifa : NULL;
}

/* ---- adding ------------------------------------------------------------------------------- */

/* A mask without holes. 0 bytes of it: a host. */
static errno_t
take_mask(const struct sockaddr_in6 *from, struct sockaddr_in6 *mask)
{
	unsigned n = 0;

	*mask = *from;
	if (mask->sin6_len == 0)
		memset(&mask->sin6_addr, 0xff, sizeof mask->sin6_addr);
	mask->sin6_len = sizeof *mask;
	mask->sin6_family = AF_INET6;
	while (n < 128 && (mask->sin6_addr.s6_addr[n / 8] & (0x80 >> n % 8)))
		n++;
	for (; n < 128; n++)
		if (mask->sin6_addr.s6_addr[n / 8] & (0x80 >> n % 8))
			return EINVAL;
	return 0;
}

static errno_t
check_alias(const struct ifnet *ifp, const struct in6_aliasreq *req, const struct sockaddr_in6 *addr)
{
	const struct in6_addrlifetime *life = &req->ifra_lifetime;

	if (IN6_IS_ADDR_MULTICAST(&addr->sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&addr->sin6_addr) ||
	    IN6_IS_ADDR_V4MAPPED(&addr->sin6_addr))
		return EADDRNOTAVAIL;
	if (IN6_IS_ADDR_LOOPBACK(&addr->sin6_addr) && !(ifp->flags & IFF_LOOPBACK))
		return EADDRNOTAVAIL;
	if (life->ia6t_vltime != UINT32_MAX && life->ia6t_pltime > life->ia6t_vltime)
		return EINVAL;
	if (req->ifra_dstaddr.sin6_family == AF_INET6 && !(ifp->flags & (IFF_POINTOPOINT | IFF_LOOPBACK)))
		return EINVAL;
	return 0;
}

static errno_t
change_alias(struct ifaddr *ifa, const struct in6_aliasreq *req)
{
	const struct in6_addrlifetime *life = &req->ifra_lifetime;

	if (life->ia6t_vltime == 0)
		return ifaddr_remove(ifa->ifp, sockaddr_of(&ifa->addr));
	ifaddr_retain(ifa);
	ifaddr_set_flags(ifa, (uint32_t)req->ifra_flags & PROGRAM_FLAGS, 0);
	ifaddr_set_lifetime(ifa, life->ia6t_pltime, life->ia6t_vltime);
	dlil_post_address(ifa, KEV_INET6_CHANGED_ADDR);
	ifaddr_drop(ifa);
	return 0;
}

static errno_t
add_alias(struct ifnet *ifp, unsigned long command, void *data)
{
	const struct in6_aliasreq *req = data;
	struct sockaddr_in6 addr, mask, dst;
	bool has_dst = take_address(&req->ifra_dstaddr, &dst) == 0;
	struct ifaddr_request r = {
		.addr = generic(&addr), .mask = generic(&mask), .dst = has_dst ? generic(&dst) : NULL,
		.flags = (uint32_t)req->ifra_flags & PROGRAM_FLAGS, .limited = true,
		.preferred = req->ifra_lifetime.ia6t_pltime, .valid = req->ifra_lifetime.ia6t_vltime,
	};
	struct ifaddr *ifa;
	errno_t error = take_address(&req->ifra_addr, &addr);

	if (error == 0)
		error = take_mask(&req->ifra_prefixmask, &mask);
	if (error == 0)
		error = check_alias(ifp, req, &addr);
	if (error != 0)
		return error;
	ifa = find_address(ifp, &addr);
	if (ifa != NULL)
		return change_alias(ifa, req);
	if (r.valid == 0)
		return 0;		/* an address that is over already */
	error = ifaddr_add_request(ifp, &r, &ifa);
	if (error != 0)
		return error;
	error = in_control_start(ifp, ifa, command);
	ifaddr_drop(ifa);
	return error;
}

/* ---- reading ------------------------------------------------------------------------------ */

static void
copy_out(const struct sockaddr_storage *ss, struct in6_ifreq *ifr)
{
	struct sockaddr_storage form;

	ifaddr_kernel_form(sockaddr_of(ss), &form);
	memcpy(&ifr->ifr_ifru.ifru_addr, &form, sizeof ifr->ifr_ifru.ifru_addr);
}

/* Seconds from now until then, rounded up; UINT32_MAX: never. */
static uint32_t
remaining(const struct nke *m, uint64_t until)
{
	uint64_t now = machine_now(m);

	if (until == 0)
		return UINT32_MAX;
	return until > now ? (uint32_t)((until - now + 999999999) / 1000000000) : 0;
}

static errno_t
read_address(const struct ifaddr *ifa, unsigned long command, struct in6_ifreq *ifr)
{
	const struct nke *m = ifa->ifp->machine;
	struct in6_addrlifetime life;

	switch (command) {
	case SIOCGIFADDR_IN6:
		copy_out(&ifa->addr, ifr);
		return 0;
	case SIOCGIFNETMASK_IN6:
		memcpy(&ifr->ifr_ifru.ifru_addr, &ifa->mask, sizeof ifr->ifr_ifru.ifru_addr);
		return 0;
	case SIOCGIFDSTADDR_IN6:
		if (!(ifa->ifp->flags & IFF_POINTOPOINT))
			return EINVAL;
		copy_out(&ifa->dst, ifr);
		return 0;
	case SIOCGIFAFLAG_IN6:
		ifr->ifr_ifru.ifru_flags6 = (int)ifa->ia6_flags;
		return 0;
	default:
		memset(&life, 0, sizeof life);
		life.ia6t_expire = rt_calendar(m, ifa->ia6_valid);
		life.ia6t_preferred = rt_calendar(m, ifa->ia6_preferred);
		life.ia6t_vltime = remaining(m, ifa->ia6_valid);
		life.ia6t_pltime = remaining(m, ifa->ia6_preferred);
		ifr->ifr_ifru.ifru_lifetime = life;
		return 0;
	}
}

/* The address that is named; when none is, for SIOCGIFADDR_IN6, the first. */
static errno_t
read_named(struct ifnet *ifp, unsigned long command, void *data)
{
	struct in6_ifreq *ifr = data;
	struct sockaddr_in6 sin6;
	struct ifaddr *ifa = NULL;

	if (take_address(&ifr->ifr_ifru.ifru_addr, &sin6) == 0)
		ifa = find_address(ifp, &sin6);
	if (ifa == NULL && command == SIOCGIFADDR_IN6)
		ifa = ifaddr_first(ifp, AF_INET6);
	return ifa != NULL ? read_address(ifa, command, ifr) : EADDRNOTAVAIL;
}

static errno_t
delete_address(struct ifnet *ifp, unsigned long command, void *data)
{
	const struct in6_ifreq *ifr = data;
	struct sockaddr_in6 sin6;
	struct ifaddr *ifa;
	errno_t error = take_address(&ifr->ifr_ifru.ifru_addr, &sin6);

	(void)command;
	if (error != 0)
		return error;
	ifa = find_address(ifp, &sin6);
	return ifa != NULL ? ifaddr_remove(ifp, sockaddr_of(&ifa->addr)) : EADDRNOTAVAIL;
}

static errno_t
stop_link_local(struct ifnet *ifp)
{
	struct ifaddr *ifa;

	TAILQ_FOREACH(ifa, &ifp->addresses, link)
		if (ifa->addr.ss_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(
		    &((const struct sockaddr_in6 *)(const void *)&ifa->addr)->sin6_addr))
			return ifaddr_remove(ifp, sockaddr_of(&ifa->addr));
	return 0;
}

static errno_t
attach_protocol(struct ifnet *ifp, unsigned long command, void *data)
{
	(void)data;
	if (command == SIOCPROTOATTACH_IN6)
		return dlil_plumb(ifp, PF_INET6);
	return ifaddr_first(ifp, AF_INET6) != NULL ? EBUSY : dlil_unplumb(ifp, PF_INET6);
}

static errno_t
configure_itself(struct ifnet *ifp, unsigned long command, void *data)
{
	(void)data;
	switch (command) {
	case SIOCLL_START:
		return nd6_linklocal_start(ifp);
	case SIOCLL_STOP:
		return stop_link_local(ifp);
	case SIOCAUTOCONF_START:
		return nd6_autoconf_start(ifp);
	default:
		nd6_autoconf_stop(ifp);
		return 0;
	}
}

/* Darwin knows the old ones' numbers and refuses them. */
static errno_t
refuse_old(struct ifnet *ifp, unsigned long command, void *data)
{
	(void)ifp;
	(void)command;
	(void)data;
	return EINVAL;
}

/* ---- dispatch ----------------------------------------------------------------------------- */

static const struct in_control_command commands[] = {
	{SIOCAIFADDR_IN6, add_alias},
	{SIOCDIFADDR_IN6, delete_address},
	{SIOCPROTOATTACH_IN6, attach_protocol},
	{SIOCPROTODETACH_IN6, attach_protocol},
	{SIOCLL_START, configure_itself},
	{SIOCLL_STOP, configure_itself},
	{SIOCAUTOCONF_START, configure_itself},
	{SIOCAUTOCONF_STOP, configure_itself},
	{SIOCGNBRINFO_IN6, nd6_ioctl},
	{SIOCGDRLST_IN6, nd6_ioctl},
	{SIOCGPRLST_IN6, nd6_ioctl},
	{SIOCGIFINFO_IN6, nd6_ioctl},
	{OSIOCGIFINFO_IN6, nd6_ioctl},
	{SIOCSNDFLUSH_IN6, nd6_ioctl},
	{SIOCSPFXFLUSH_IN6, nd6_ioctl},
	{SIOCSRTRFLUSH_IN6, nd6_ioctl},
	{SIOCSIFADDR_IN6, refuse_old},
	{SIOCSIFDSTADDR_IN6, refuse_old},
	{SIOCSIFNETMASK_IN6, refuse_old},
	{SIOCGIFADDR_IN6, read_named},
	{SIOCGIFDSTADDR_IN6, read_named},
	{SIOCGIFNETMASK_IN6, read_named},
	{SIOCGIFAFLAG_IN6, read_named},
	{SIOCGIFALIFETIME_IN6, read_named},
	{0, NULL}
};

errno_t
in6_control(struct nke *m, unsigned long command, void *data)
{
	errno_t error;

	if (data == NULL)
		return EINVAL;
	if (in_control_dispatch(m, commands, command, data, &error))
		return error;
	return in_control(m, command, data);
}

/* What only the superuser may do: everything that does not ask something. */
static bool
needs_privilege(unsigned long command)
{
	switch (command) {
	case SIOCSIFMEDIA:
	case SIOCPROTOATTACH_IN6:
	case SIOCPROTODETACH_IN6:
	case SIOCLL_START:
	case SIOCLL_STOP:
	case SIOCAUTOCONF_START:
	case SIOCAUTOCONF_STOP:
	case SIOCSNDFLUSH_IN6:
	case SIOCSPFXFLUSH_IN6:
	case SIOCSRTRFLUSH_IN6:
		return true;
	default:
		return !(command & IOC_OUT);
	}
}

/* Of sockets whose own protocol does not know the ioctl. */
static errno_t
socket_ioctl(struct socket *so, unsigned long command, void *data)
{
	if (needs_privilege(command) && !(so->so_state & SS_PRIV))
		return EPERM;
	return in6_control(sotomachine(so), command, data);
}

static errno_t
in_control_init(struct nke *m)
{
	so_set_interface_ioctl(m, socket_ioctl);
	return 0;
}

const struct subsystem in_control_subsystem = {
	.name = "in_control",
	.init = in_control_init,
};
