/* net/kpi_interface.h, fourth part: addresses of interfaces. */
#include <net/kpi_interface.h>
#include <net/route.h>
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/kern/kpi_rule.h"
#include "src/net/ifaddr.h"

/* ---- lists -------------------------------------------------------------------------------- */

static uint32_t
collect(struct ifnet *ifp, sa_family_t family, struct ifaddr **list)
{
	struct ifaddr *ifa;
	uint32_t n = 0;

	TAILQ_FOREACH(ifa, &ifp->addresses, link) {
		if (family != 0 && ifa->addr.ss_family != family)
			continue;
		if (list != NULL) {
			ifaddr_retain(ifa);
			list[n] = ifa;
		}
		n++;
	}
	return n;
}

/* Of one interface, or of all that are attached; counts only when there is no list. */
static uint32_t
collect_all(struct ifnet *one, sa_family_t family, struct ifaddr **list)
{
	struct ifnet *ifp;
	uint32_t n = 0;

	if (one != NULL)
		return collect(one, family, list);
	TAILQ_FOREACH(ifp, dlil_interfaces(curmachine()), link)
		n += collect(ifp, family, list != NULL ? list + n : NULL);
	return n;
}

errno_t
ifnet_get_address_list_family(ifnet_t interface, ifaddr_t **addresses, sa_family_t family)
{
	struct ifaddr **list;
	uint32_t n;

	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	if (addresses == NULL)
		return EINVAL;
	*addresses = NULL;
	n = collect_all(interface, family, NULL);
	if (n == 0)
		return ENXIO;
	list = kalloc(curmachine(), (n + 1) * sizeof *list);
	if (list == NULL)
		return ENOMEM;
	(void)collect_all(interface, family, list);
	*addresses = list;
	return 0;
}

errno_t
ifnet_get_address_list(ifnet_t interface, ifaddr_t **addresses)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	return ifnet_get_address_list_family(interface, addresses, 0);
}

void
ifnet_free_address_list(ifaddr_t *addresses)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	if (addresses == NULL)
		return;
	for (ifaddr_t *p = addresses; *p != NULL; p++)
		ifaddr_drop(*p);
	kfree(curmachine(), addresses);
}

/* ---- one address -------------------------------------------------------------------------- */

errno_t
ifaddr_reference(ifaddr_t ifaddr)
{
	if (ifaddr == NULL)
		return EINVAL;
	ifaddr_retain(ifaddr);
	return 0;
}

errno_t
ifaddr_release(ifaddr_t ifaddr)
{
	if (ifaddr == NULL)
		return EINVAL;
	ifaddr_drop(ifaddr);
	return 0;
}

/* Interface fact: what does not fit is cut, and the caller told. IPv6 zones are in the kernel's form. */
static errno_t
copy_out(const struct sockaddr_storage *ss, struct sockaddr *out, u_int32_t size)
{
	struct sockaddr_storage form;

	if (ss->ss_len == 0)
		return ENOTSUP;
	ifaddr_kernel_form((const struct sockaddr *)(const void *)ss, &form);
	memcpy(out, &form, form.ss_len < size ? form.ss_len : size);
	return form.ss_len > size ? EMSGSIZE : 0;
}

errno_t
ifaddr_address(ifaddr_t ifaddr, struct sockaddr *out_addr, u_int32_t addr_size)
{
	if (ifaddr == NULL || out_addr == NULL)
		return EINVAL;
	return copy_out(&ifaddr->addr, out_addr, addr_size);
}

sa_family_t
ifaddr_address_family(ifaddr_t address)
{
	return address != NULL ? address->addr.ss_family : 0;
}

errno_t
ifaddr_dstaddress(ifaddr_t ifaddr, struct sockaddr *out_dstaddr, u_int32_t dstaddr_size)
{
	if (ifaddr == NULL || out_dstaddr == NULL)
		return EINVAL;
	return copy_out(&ifaddr->dst, out_dstaddr, dstaddr_size);
}

errno_t
ifaddr_netmask(ifaddr_t ifaddr, struct sockaddr *out_netmask, u_int32_t netmask_size)
{
	if (ifaddr == NULL || out_netmask == NULL)
		return EINVAL;
	return copy_out(&ifaddr->mask, out_netmask, netmask_size);
}

ifnet_t
ifaddr_ifnet(ifaddr_t ifaddr)
{
	return ifaddr != NULL ? ifaddr->ifp : NULL;
}

/* ---- look-ups ----------------------------------------------------------------------------- */

static ifaddr_t
retained(struct ifaddr *ifa)
{
	if (ifa != NULL)
		ifaddr_retain(ifa);
	return ifa;
}

ifaddr_t
ifaddr_withaddr(const struct sockaddr *address)
{
	struct nke *m = curmachine();
	struct ifaddr *ifa;
	uint32_t v4;

	KPI_RULES(KPI_SLEEPS, NULL);
	if (address == NULL)
		return NULL;
	ifa = ifaddr_find(m, address);
	if (ifa == NULL && address->sa_family == AF_INET && address->sa_len >= 8) {
		memcpy(&v4, (const uint8_t *)address + 4, sizeof v4);
		ifa = ifaddr_find_broadcast4(m, NULL, v4);
	}
	return retained(ifa);
}

ifaddr_t
ifaddr_withdstaddr(const struct sockaddr *destination)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return destination != NULL ? retained(ifaddr_find_dst(curmachine(), destination)) : NULL;
}

ifaddr_t
ifaddr_withnet(const struct sockaddr *net)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return net != NULL ? retained(ifaddr_find_net(curmachine(), net)) : NULL;
}

/*
 * As a route is given its address: by where it leads, else by its gateway, else as packets would
 * go.
 */
ifaddr_t
ifaddr_withroute(int flags, const struct sockaddr *destination, const struct sockaddr *gateway)
{
	struct nke *m = curmachine();
	struct ifaddr *ifa = NULL;
	struct ifnet *ifp;

	KPI_RULES(KPI_SLEEPS, NULL);
	if (destination == NULL || gateway == NULL)
		return NULL;
	if (flags & RTF_GATEWAY) {
		ifa = ifaddr_find_dst(m, gateway);
	} else {
		if (flags & RTF_HOST)
			ifa = ifaddr_find_dst(m, destination);
		if (ifa == NULL)
			ifa = ifaddr_find(m, gateway);
	}
	if (ifa == NULL)
		ifa = ifaddr_find_net(m, gateway);
	if (ifa == NULL && (ifp = route_lookup(m, destination, NULL)) != NULL)
		ifa = ifaddr_best(ifp, destination);
	return retained(ifa);
}

ifaddr_t
ifaddr_findbestforaddr(const struct sockaddr *addr, ifnet_t interface)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	if (addr == NULL || interface == NULL)
		return NULL;
	return retained(ifaddr_best(interface, addr));
}
