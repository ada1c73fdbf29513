/* net/kpi_interface.h, last part: multicast groups of interfaces. */
#include <net/kpi_interface.h>
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/heap.h"
#include "src/kern/kpi_rule.h"

errno_t
ifnet_resolve_multicast(ifnet_t ifp, const struct sockaddr *proto_addr, struct sockaddr *ll_addr,
    size_t ll_len)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, ifp);
	return dlil_resolve_multicast(ifp, proto_addr, ll_addr, ll_len);
}

errno_t
ifnet_add_multicast(ifnet_t interface, const struct sockaddr *maddr, ifmultiaddr_t *multicast)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	if (interface == NULL || maddr == NULL)
		return EINVAL;
	if (maddr->sa_family != AF_LINK && maddr->sa_family != AF_UNSPEC)
		return EINVAL;
	return dlil_multicast_join(interface, maddr, multicast);
}

errno_t
ifnet_remove_multicast(ifmultiaddr_t multicast)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, multicast != NULL ? multicast->ifp : NULL);
	if (multicast == NULL || multicast->addr.ss_family != AF_LINK)
		return EINVAL;
	return dlil_multicast_leave(multicast);
}

errno_t
ifnet_get_multicast_list(ifnet_t interface, ifmultiaddr_t **addresses)
{
	struct ifmultiaddr *ifma, **list;
	uint32_t n = 0;

	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	if (interface == NULL || addresses == NULL)
		return EINVAL;
	TAILQ_FOREACH(ifma, &interface->multicast, link)
		n++;
	list = kalloc(interface->machine, (n + 1) * sizeof *list);
	if (list == NULL)
		return ENOMEM;
	n = 0;
	TAILQ_FOREACH(ifma, &interface->multicast, link) {
		ifmultiaddr_retain(ifma);
		list[n++] = ifma;
	}
	*addresses = list;
	return 0;
}

void
ifnet_free_multicast_list(ifmultiaddr_t *multicasts)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	if (multicasts == NULL)
		return;
	for (ifmultiaddr_t *p = multicasts; *p != NULL; p++)
		ifmultiaddr_drop(*p);
	kfree(curmachine(), multicasts);
}

errno_t
ifmaddr_reference(ifmultiaddr_t ifmaddr)
{
	if (ifmaddr == NULL)
		return EINVAL;
	ifmultiaddr_retain(ifmaddr);
	return 0;
}

errno_t
ifmaddr_release(ifmultiaddr_t ifmaddr)
{
	if (ifmaddr == NULL)
		return EINVAL;
	ifmultiaddr_drop(ifmaddr);
	return 0;
}

static errno_t
copy_out(const struct sockaddr_storage *ss, struct sockaddr *out, u_int32_t size)
{
	if (ss->ss_len == 0)
		return ENOTSUP;
	memcpy(out, ss, ss->ss_len < size ? ss->ss_len : size);
	return ss->ss_len > size ? EMSGSIZE : 0;
}

errno_t
ifmaddr_address(ifmultiaddr_t ifmaddr, struct sockaddr *out_multicast, u_int32_t addr_size)
{
	if (ifmaddr == NULL || out_multicast == NULL)
		return EINVAL;
	return copy_out(&ifmaddr->addr, out_multicast, addr_size);
}

errno_t
ifmaddr_lladdress(ifmultiaddr_t ifmaddr, struct sockaddr *out_link_layer_multicast,
    u_int32_t addr_size)
{
	if (ifmaddr == NULL || out_link_layer_multicast == NULL)
		return EINVAL;
	if (ifmaddr->ll == NULL)
		return ENOTSUP;
	return copy_out(&ifmaddr->ll->addr, out_link_layer_multicast, addr_size);
}

ifnet_t
ifmaddr_ifnet(ifmultiaddr_t ifmaddr)
{
	return ifmaddr != NULL ? ifmaddr->ifp : NULL;
}
