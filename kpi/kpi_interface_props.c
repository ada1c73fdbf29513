/* net/kpi_interface.h, second part: properties of an interface. */
#include <net/kpi_interface.h>
#include <string.h>

#include "dlil/dlil.h"
#include "src/kern/kpi_rule.h"
#include "src/kern/panic.h"

/* ---- identity ----------------------------------------------------------------------------- */

void *
ifnet_softc(ifnet_t interface)
{
	return interface != NULL ? interface->softc : NULL;
}

const char *
ifnet_name(ifnet_t interface)
{
	return interface != NULL ? interface->name : NULL;
}

ifnet_family_t
ifnet_family(ifnet_t interface)
{
	return interface != NULL ? interface->family : 0;
}

u_int32_t
ifnet_unit(ifnet_t interface)
{
	return interface != NULL ? interface->unit : 0xffffffffu;
}

u_int32_t
ifnet_index(ifnet_t interface)
{
	return interface != NULL ? interface->index : 0xffffffffu;
}

u_int8_t
ifnet_type(ifnet_t interface)
{
	return interface != NULL ? interface->type : 0;
}

/* ---- flags and capabilities --------------------------------------------------------------- */

u_int16_t
ifnet_flags(ifnet_t interface)
{
	return interface != NULL ? interface->flags : 0;
}

errno_t
ifnet_set_flags(ifnet_t interface, u_int16_t new_flags, u_int16_t mask)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	return interface != NULL ? dlil_set_flags(interface, new_flags, mask) : EINVAL;
}

u_int32_t
ifnet_capabilities_supported(ifnet_t interface)
{
	return interface != NULL ? interface->capabilities : 0;
}

errno_t
ifnet_set_capabilities_supported(ifnet_t interface, u_int32_t new_caps, u_int32_t mask)
{
	uint32_t caps;

	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	if (interface == NULL)
		return EINVAL;
	caps = (new_caps & mask) | (interface->capabilities & ~mask);
	if (caps & ~(uint32_t)IFCAP_VALID)
		return EINVAL;
	interface->capabilities = caps;
	return 0;
}

u_int32_t
ifnet_capabilities_enabled(ifnet_t interface)
{
	return interface != NULL ? interface->capenable : 0;
}

errno_t
ifnet_set_capabilities_enabled(ifnet_t interface, u_int32_t new_caps, u_int32_t mask)
{
	uint32_t caps;
	errno_t error = 0;

	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	if (interface == NULL)
		return EINVAL;
	caps = (new_caps & mask) | (interface->capenable & ~mask);
	if ((caps & ~(uint32_t)IFCAP_VALID) || (caps & ~interface->capabilities))
		error = EINVAL;
	else
		interface->capenable = caps;
	/* Interface fact: the event is posted even when nothing changed. */
	dlil_post_event(interface, KEV_DL_SUBCLASS, KEV_DL_IFCAP_CHANGED, NULL, 0, true);
	return error;
}

/* ---- offloads ----------------------------------------------------------------------------- */

#define OFFLOAD_CSUM_PARTIAL	0x1000u
#define OFFLOAD_CSUM		(IFNET_CSUM_IP | IFNET_CSUM_TCP | IFNET_CSUM_UDP | \
				 IFNET_CSUM_FRAGMENT | IFNET_CSUM_TCPIPV6 | IFNET_CSUM_UDPIPV6)
#define OFFLOAD_KNOWN		(OFFLOAD_CSUM | IFNET_IP_FRAGMENT | IFNET_IPV6_FRAGMENT | \
				 OFFLOAD_CSUM_PARTIAL | IFNET_VLAN_TAGGING | IFNET_VLAN_MTU | \
				 IFNET_MULTIPAGES | IFNET_TSO_IPV4 | IFNET_TSO_IPV6 | \
				 IFNET_TX_STATUS | IFNET_HW_TIMESTAMP | IFNET_SW_TIMESTAMP)

static uint32_t
offload_capabilities(uint32_t offload)
{
	static const struct {
		uint32_t offload, capability;
	} map[] = {
		{OFFLOAD_CSUM, IFCAP_HWCSUM},
		{OFFLOAD_CSUM_PARTIAL, IFCAP_CSUM_PARTIAL},
		{IFNET_VLAN_TAGGING, IFCAP_VLAN_HWTAGGING},
		{IFNET_VLAN_MTU, IFCAP_VLAN_MTU},
		{IFNET_TSO_IPV4, IFCAP_TSO4},
		{IFNET_TSO_IPV6, IFCAP_TSO6},
		{IFNET_TX_STATUS, IFCAP_TXSTATUS},
		{IFNET_HW_TIMESTAMP, IFCAP_HW_TIMESTAMP},
		{IFNET_SW_TIMESTAMP, IFCAP_SW_TIMESTAMP},
	};
	uint32_t caps = 0;

	for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
		if (offload & map[i].offload)
			caps |= map[i].capability;
	return caps;
}

ifnet_offload_t
ifnet_offload(ifnet_t interface)
{
	return interface != NULL ? interface->offload : 0;
}

errno_t
ifnet_set_offload(ifnet_t interface, ifnet_offload_t offload)
{
	uint32_t caps;

	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	if (interface == NULL)
		return EINVAL;
	interface->offload = offload & OFFLOAD_KNOWN;
	caps = offload_capabilities(interface->offload);
	if (caps != 0) {
		(void)ifnet_set_capabilities_supported(interface, caps, IFCAP_VALID);
		(void)ifnet_set_capabilities_enabled(interface, caps, IFCAP_VALID);
	}
	return 0;
}

/* Where the family's largest TSO packet is kept. */
static errno_t
tso_mtu(struct ifnet *ifp, sa_family_t family, uint32_t **mtu)
{
	uint32_t needed;

	if (family == AF_INET) {
		needed = IFNET_TSO_IPV4;
		*mtu = &ifp->tso_v4_mtu;
	} else if (family == AF_INET6) {
		needed = IFNET_TSO_IPV6;
		*mtu = &ifp->tso_v6_mtu;
	} else {
		return EPROTONOSUPPORT;
	}
	return ifp->offload & needed ? 0 : EINVAL;
}

errno_t
ifnet_set_tso_mtu(ifnet_t interface, sa_family_t family, u_int32_t mtu_len)
{
	uint32_t *mtu;
	errno_t error;

	if (interface == NULL || mtu_len < interface->mtu)
		return EINVAL;
	error = tso_mtu(interface, family, &mtu);
	if (error == 0)
		*mtu = mtu_len;
	return error;
}

errno_t
ifnet_get_tso_mtu(ifnet_t interface, sa_family_t family, u_int32_t *mtu_len)
{
	uint32_t *mtu;
	errno_t error;

	if (interface == NULL || mtu_len == NULL)
		return EINVAL;
	error = tso_mtu(interface, family, &mtu);
	if (error == 0)
		*mtu_len = *mtu;
	return error;
}

/* ---- wake flags, the driver's MIB data ---------------------------------------------------- */

u_int32_t
ifnet_get_wake_flags(ifnet_t interface)
{
	return interface != NULL ? interface->wake_flags : 0;
}

errno_t
ifnet_set_wake_flags(ifnet_t interface, u_int32_t properties, u_int32_t mask)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	if (interface == NULL || (properties & mask & ~(uint32_t)IFNET_WAKE_ON_MAGIC_PACKET) != 0)
		return EINVAL;
	interface->wake_flags = (properties & mask) | (interface->wake_flags & ~mask);
	dlil_post_event(interface, KEV_DL_SUBCLASS, KEV_DL_WAKEFLAGS_CHANGED, NULL, 0, true);
	return 0;
}

errno_t
ifnet_set_link_mib_data(ifnet_t interface, void *mib_data, u_int32_t mib_len)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	if (interface == NULL)
		return EINVAL;
	interface->link_mib = mib_data;
	interface->link_mib_len = mib_len;
	return 0;
}

errno_t
ifnet_get_link_mib_data(ifnet_t interface, void *mib_data, u_int32_t *mib_len)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	if (interface == NULL || mib_len == NULL)
		return EINVAL;
	if (*mib_len < interface->link_mib_len)
		return EMSGSIZE;
	if (interface->link_mib == NULL)
		return ENOTSUP;
	*mib_len = interface->link_mib_len;
	memcpy(mib_data, interface->link_mib, *mib_len);
	return 0;
}

u_int32_t
ifnet_get_link_mib_data_length(ifnet_t interface)
{
	return interface != NULL ? interface->link_mib_len : 0;
}

/* ---- numbers ------------------------------------------------------------------------------ */

u_int32_t
ifnet_mtu(ifnet_t interface)
{
	return interface != NULL ? interface->mtu : 0;
}

errno_t
ifnet_set_mtu(ifnet_t interface, u_int32_t mtu)
{
	if (interface == NULL)
		return EINVAL;
	interface->mtu = mtu;
	return 0;
}

u_int8_t
ifnet_addrlen(ifnet_t interface)
{
	return interface != NULL ? interface->addrlen : 0;
}

errno_t
ifnet_set_addrlen(ifnet_t interface, u_int8_t addrlen)
{
	if (interface == NULL)
		return EINVAL;
	interface->addrlen = addrlen;
	return 0;
}

u_int8_t
ifnet_hdrlen(ifnet_t interface)
{
	return interface != NULL ? interface->hdrlen : 0;
}

errno_t
ifnet_set_hdrlen(ifnet_t interface, u_int8_t hdrlen)
{
	if (interface == NULL)
		return EINVAL;
	interface->hdrlen = hdrlen;
	return 0;
}

u_int32_t
ifnet_metric(ifnet_t interface)
{
	return interface != NULL ? interface->metric : 0;
}

errno_t
ifnet_set_metric(ifnet_t interface, u_int32_t metric)
{
	if (interface == NULL)
		return EINVAL;
	interface->metric = metric;
	return 0;
}

/* Interface fact: what does not fit 32 bits reads as the largest that does. */
u_int64_t
ifnet_baudrate(ifnet_t interface)
{
	if (interface == NULL)
		return 0;
	return interface->baudrate > 0xffffffffu ? 0xffffffffu : interface->baudrate;
}

errno_t
ifnet_set_baudrate(ifnet_t interface, u_int64_t baudrate)
{
	if (interface == NULL)
		return EINVAL;
	interface->baudrate = baudrate;
	return 0;
}

/* ---- link address, promiscuity ------------------------------------------------------------ */

errno_t
ifnet_set_promiscuous(ifnet_t interface, int on)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	KASSERTX(interface != NULL, "ifnet_set_promiscuous: the interface is NULL");
	return dlil_set_promiscuous(interface, on != 0);
}

errno_t
ifnet_set_lladdr(ifnet_t interface, const void *lladdr, size_t lladdr_len)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	return interface != NULL ? dlil_set_lladdr(interface, lladdr, lladdr_len) : EINVAL;
}

errno_t
ifnet_lladdr_copy_bytes(ifnet_t interface, void *lladdr, size_t length)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	if (interface == NULL || lladdr == NULL)
		return EINVAL;
	KASSERTX(interface->has_lladdr, "ifnet_lladdr_copy_bytes: %s has no link address before its "
	    "first ifnet_attach", interface->xname);
	if (length != interface->lladdr_len) {
		memset(lladdr, 0, length);
		return EMSGSIZE;
	}
	memcpy(lladdr, interface->lladdr, length);
	return 0;
}

errno_t
ifnet_llbroadcast_copy_bytes(ifnet_t interface, void *addr, size_t bufferlen, size_t *out_len)
{
	if (interface == NULL || addr == NULL || out_len == NULL)
		return EINVAL;
	*out_len = interface->broadcast_len;
	if (bufferlen < interface->broadcast_len)
		return EMSGSIZE;
	if (interface->broadcast_len == 0)
		return ENXIO;
	memcpy(addr, interface->broadcast, interface->broadcast_len);
	return 0;
}
