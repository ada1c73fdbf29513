/*
 * IPv6 on Ethernet (RFC 2464): the protocol that the built-in plumber attaches to interfaces of an
 * Ethernet kind. As in ether_inet.c, link addresses come from the neighbour table, which keeps the
 * packet while one is being asked for.
 */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>

#include "dlil/dlil_state.h"
#include "dlil/ether.h"
#include "src/net/neighbor.h"

static errno_t
ether_inet6_input(struct ifnet *ifp, protocol_family_t family, struct mbuf *list)
{
	const struct net_proto *np = dlil_net_proto(ifp->machine, family);

	if (np == NULL)
		return EPROTONOSUPPORT;
	np->input(ifp->machine, list);
	return 0;
}

/* RFC 2464 section 7: 33-33 and the last four bytes. */
static void
map_multicast(const struct in6_addr *group, uint8_t *lladdr)
{
	lladdr[0] = lladdr[1] = 0x33;
	memcpy(lladdr + 2, &group->s6_addr[12], 4);
}

static errno_t
ether_inet6_pre_output(struct ifnet *ifp, protocol_family_t family, struct mbuf **m,
    const struct sockaddr *dst, void *route, char *frame_type, char *lladdr)
{
	static const uint8_t type[2] = {0x86, 0xdd};
	struct sockaddr_in6 sin6;
	errno_t error;

	(void)family;
	(void)route;
	if ((ifp->flags & (IFF_UP | IFF_RUNNING)) != (IFF_UP | IFF_RUNNING))
		return ENETDOWN;
	if (dst == NULL || dst->sa_len < sizeof sin6)
		return EINVAL;
	if (dst->sa_family != AF_INET6)
		return EAFNOSUPPORT;
	memcpy(&sin6, dst, sizeof sin6);
	memcpy(frame_type, type, sizeof type);
	if (neighbor_cached6(ifp, &sin6.sin6_addr, (uint8_t *)lladdr))
		return 0;
	if (IN6_IS_ADDR_MULTICAST(&sin6.sin6_addr)) {
		(*m)->m_flags |= MBUF_MCAST;
		map_multicast(&sin6.sin6_addr, (uint8_t *)lladdr);
		return 0;
	}
	error = neighbor_resolve(ifp, m, dst, (uint8_t *)lladdr);
	if (error != 0 && error != EJUSTRETURN)
		ifp->stats.oerrors++;
	return error;
}

static errno_t
ether_inet6_resolve_multi(struct ifnet *ifp, const struct sockaddr *addr, struct sockaddr_dl *ll,
    size_t len)
{
	struct sockaddr_in6 sin6;

	(void)ifp;
	if (addr->sa_family != AF_INET6)
		return EAFNOSUPPORT;
	if (addr->sa_len < sizeof sin6)
		return EINVAL;
	memcpy(&sin6, addr, sizeof sin6);
	if (!IN6_IS_ADDR_MULTICAST(&sin6.sin6_addr))
		return EINVAL;
	if (len < __builtin_offsetof(struct sockaddr_dl, sdl_data) + ETHER_ADDR_LEN)
		return EMSGSIZE;
	ll->sdl_len = sizeof *ll;
	ll->sdl_family = AF_LINK;
	ll->sdl_alen = ETHER_ADDR_LEN;
	map_multicast(&sin6.sin6_addr, (uint8_t *)LLADDR(ll));
	return 0;
}

static errno_t
ether_plumb_inet6(struct ifnet *ifp, protocol_family_t family)
{
	uint8_t ip6[2] = {0x86, 0xdd};
	struct ifnet_demux_desc desc = {
		.type = DLIL_DESC_ETYPE2, .data = ip6, .datalen = sizeof ip6,
	};
	struct if_proto params = {
		.v2 = true,
		.core = true,
		.input_v2 = ether_inet6_input,
		.pre_output = ether_inet6_pre_output,
		.resolve_multi = ether_inet6_resolve_multi,
	};

	return dlil_attach_proto(ifp, family, &params, &desc, 1);
}

static void
ether_unplumb_inet6(struct ifnet *ifp, protocol_family_t family)
{
	(void)dlil_detach_proto(ifp, family);
}

errno_t
ether6_register_plumbers(struct nke *m)
{
	static const ifnet_family_t families[] = {
		IFNET_FAMILY_ETHERNET, IFNET_FAMILY_VLAN, IFNET_FAMILY_BOND,
	};
	errno_t error = 0;

	for (size_t i = 0; i < sizeof families / sizeof families[0] && error == 0; i++)
		error = dlil_register_plumber(m, PF_INET6, families[i], ether_plumb_inet6,
		    ether_unplumb_inet6, NULL, NULL);
	return error;
}
