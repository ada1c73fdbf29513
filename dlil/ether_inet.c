/*
 * IPv4 on Ethernet: the protocol that the built-in plumber attaches to every interface of an
 * Ethernet kind, a kext's too. It owns the Ethernet types of IPv4 and of ARP (so filters see ARP
 * frames as PF_INET, an interface fact).
 *
 * Out: the link address of the next hop comes from the neighbour table, which keeps the packet while
 * it is being asked for. In: IPv4 goes to its net_proto, ARP to who registered for it.
 */
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/sockio.h>

#include "dlil/dlil_state.h"
#include "dlil/ether.h"
#include "src/net/ifaddr.h"
#include "src/net/neighbor.h"

/* ---- in ----------------------------------------------------------------------------------- */

static bool
is_ip(const struct mbuf *m)
{
	const void *frame = m->m_pkthdr.header;

	return frame != NULL && ether_type_at(frame) == htons(ETHERTYPE_IP);
}

static bool
is_arp(const struct mbuf *m)
{
	const void *frame = m->m_pkthdr.header;

	return frame != NULL && ether_type_at(frame) == htons(ETHERTYPE_ARP);
}

/* A replayed machine only looks on: ARP is nobody's there. */
static void
take_other(struct ifnet *ifp, struct mbuf *m)
{
	struct nke *machine = ifp->machine;

	if (machine->replay == NULL && machine->dlil->arp_input != NULL && is_arp(m))
		machine->dlil->arp_input(ifp, m);
	else
		dlil_unclaimed(ifp, m, m->m_pkthdr.header);
}

/* Nearly every list is all IPv4 and passes as it is; others are taken apart. */
static struct mbuf *
without_arp(struct ifnet *ifp, struct mbuf *list)
{
	struct mbuf *kept = NULL, **end = &kept, *m, *next;

	for (m = list; m != NULL; m = next) {
		next = m->m_nextpkt;
		m->m_nextpkt = NULL;
		if (is_ip(m)) {
			*end = m;
			end = &m->m_nextpkt;
		} else {
			take_other(ifp, m);
		}
	}
	return kept;
}

static errno_t
ether_inet_input(struct ifnet *ifp, protocol_family_t family, struct mbuf *list)
{
	const struct net_proto *np = dlil_net_proto(ifp->machine, family);
	const struct mbuf *m;

	if (np == NULL)
		return EPROTONOSUPPORT;
	for (m = list; m != NULL && is_ip(m); m = m->m_nextpkt)
		;
	if (__builtin_expect(m != NULL, 0) && (list = without_arp(ifp, list)) == NULL)
		return 0;
	np->input(ifp->machine, list);
	return 0;
}

/* ---- out ---------------------------------------------------------------------------------- */

/* RFC 1112 section 6.4: 01-00-5e and the low 23 bits. */
static void
map_multicast(uint32_t addr_be, uint8_t *lladdr)
{
	const uint8_t *a = (const uint8_t *)&addr_be;

	lladdr[0] = 0x01;
	lladdr[1] = 0x00;
	lladdr[2] = 0x5e;
	lladdr[3] = a[1] & 0x7f;
	lladdr[4] = a[2];
	lladdr[5] = a[3];
}

/* Broadcast addresses are never in the table of neighbours, so that is looked at first. */
static errno_t
resolve(struct ifnet *ifp, struct mbuf **mp, const struct sockaddr *dst, uint8_t *lladdr)
{
	struct mbuf *m = *mp;
	uint32_t addr;
	errno_t error;

	if (dst->sa_len < 8)
		return EINVAL;
	memcpy(&addr, (const uint8_t *)dst + 4, sizeof addr);
	if (!(m->m_flags & MBUF_BCAST) && neighbor_cached4(ifp, addr, lladdr))
		return 0;
	if (IN_MULTICAST(ntohl(addr)) && !(m->m_flags & MBUF_BCAST)) {
		m->m_flags |= MBUF_MCAST;
		map_multicast(addr, lladdr);
		return 0;
	}
	if (!(m->m_flags & MBUF_BCAST) && neighbor_usable(ifp, dst, lladdr))
		return 0;
	if ((m->m_flags & MBUF_BCAST) || addr == INADDR_BROADCAST ||
	    ifaddr_find_broadcast4(ifp->machine, ifp, addr) != NULL) {
		m->m_flags |= MBUF_BCAST;
		memcpy(lladdr, ether_broadcast, ETHER_ADDR_LEN);
		return 0;
	}
	error = neighbor_resolve(ifp, mp, dst, lladdr);
	if (error != 0 && error != EJUSTRETURN)
		ifp->stats.oerrors++;
	return error;
}

/* A sender that knows the frame's header gives it as the address (AF_UNSPEC). */
static void
use_header(const struct sockaddr *dst, char *frame_type, char *lladdr)
{
	const struct ether_header *eh = (const struct ether_header *)(const void *)dst->sa_data;

	memcpy(lladdr, eh->ether_dhost, ETHER_ADDR_LEN);
	memcpy(frame_type, &eh->ether_type, ETHER_TYPE_LEN);
}

static errno_t
ether_inet_pre_output(struct ifnet *ifp, protocol_family_t family, struct mbuf **m,
    const struct sockaddr *dst, void *route, char *frame_type, char *lladdr)
{
	static const uint8_t type[2] = {0x08, 0x00};

	(void)family;
	(void)route;
	if ((ifp->flags & (IFF_UP | IFF_RUNNING)) != (IFF_UP | IFF_RUNNING))
		return ENETDOWN;
	if (dst == NULL)
		return EINVAL;
	if (dst->sa_family == AF_UNSPEC) {
		(*m)->m_flags &= (uint16_t)~MBUF_MCAST;
		use_header(dst, frame_type, lladdr);
		return 0;
	}
	if (dst->sa_family != AF_INET)
		return EAFNOSUPPORT;
	memcpy(frame_type, type, sizeof type);
	return resolve(ifp, m, dst, (uint8_t *)lladdr);
}

/* ---- ARP ---------------------------------------------------------------------------------- */

static bool
ipv4_bytes(const struct sockaddr *sa, u_char out[4])
{
	if (sa == NULL || sa->sa_family != AF_INET || sa->sa_len < 8)
		return false;
	memcpy(out, (const uint8_t *)sa + 4, 4);
	return true;
}

static bool
link_bytes(const struct sockaddr_dl *sdl, u_char out[ETHER_ADDR_LEN])
{
	if (sdl == NULL || sdl->sdl_alen != ETHER_ADDR_LEN)
		return false;
	memcpy(out, CONST_LLADDR(sdl), ETHER_ADDR_LEN);
	return true;
}

/* The body; `target_hw` NULL: unknown. EINVAL: an address is not IPv4, or nothing to send from. */
static errno_t
fill_arp(struct ifnet *ifp, struct ether_arp *ea, u_short op, const struct sockaddr_dl *sender_hw,
    const struct sockaddr *sender_proto, const struct sockaddr_dl *target_hw,
    const struct sockaddr *target_proto)
{
	const struct ifaddr *own = ifaddr_first(ifp, AF_INET);

	memset(ea, 0, sizeof *ea);
	ea->arp_hrd = htons(ARPHRD_ETHER);
	ea->arp_pro = htons(ETHERTYPE_IP);
	ea->arp_hln = ETHER_ADDR_LEN;
	ea->arp_pln = sizeof ea->arp_spa;
	ea->arp_op = htons(op);
	if (!link_bytes(sender_hw, ea->arp_sha))
		memcpy(ea->arp_sha, ifp->lladdr, ETHER_ADDR_LEN);
	if (sender_proto == NULL && own != NULL)
		sender_proto = (const struct sockaddr *)(const void *)&own->addr;
	(void)link_bytes(target_hw, ea->arp_tha);
	return ipv4_bytes(sender_proto, ea->arp_spa) && ipv4_bytes(target_proto, ea->arp_tpa) ? 0 : EINVAL;
}

/* To `target_hw`, or to everybody when it is NULL. */
static errno_t
ether_inet_send_arp(struct ifnet *ifp, u_short op, const struct sockaddr_dl *sender_hw,
    const struct sockaddr *sender_proto, const struct sockaddr_dl *target_hw,
    const struct sockaddr *target_proto)
{
	struct sockaddr dst = {.sa_len = sizeof dst, .sa_family = AF_UNSPEC};
	struct ether_header eh = {.ether_type = htons(ETHERTYPE_ARP)};
	struct ether_arp ea;
	struct mbuf *m;
	errno_t error = fill_arp(ifp, &ea, op, sender_hw, sender_proto, target_hw, target_proto);

	if (error != 0)
		return error;
	m = m_devget(ifp->machine, &ea, sizeof ea, ETHER_HDR_LEN + 2);
	if (m == NULL)
		return ENOBUFS;
	if (!link_bytes(target_hw, eh.ether_dhost))
		memcpy(eh.ether_dhost, ether_broadcast, ETHER_ADDR_LEN);
	memcpy(dst.sa_data, &eh, sizeof eh);
	return dlil_output(ifp, PF_INET, m, NULL, &dst, false);
}

static errno_t
ether_inet_resolve_multi(struct ifnet *ifp, const struct sockaddr *addr, struct sockaddr_dl *ll,
    size_t len)
{
	uint32_t group;

	(void)ifp;
	if (addr->sa_family != AF_INET)
		return EAFNOSUPPORT;
	if (addr->sa_len < 8)
		return EINVAL;
	memcpy(&group, (const uint8_t *)addr + 4, sizeof group);
	if (!IN_MULTICAST(ntohl(group)))
		return EINVAL;
	if (len < __builtin_offsetof(struct sockaddr_dl, sdl_data) + ETHER_ADDR_LEN)
		return EMSGSIZE;
	ll->sdl_len = sizeof *ll;
	ll->sdl_family = AF_LINK;
	ll->sdl_alen = ETHER_ADDR_LEN;
	map_multicast(group, (uint8_t *)LLADDR(ll));
	return 0;
}

/* An address makes the interface run: the driver is asked to start. */
static errno_t
ether_inet_ioctl(struct ifnet *ifp, protocol_family_t family, unsigned long command, void *argument)
{
	(void)family;
	(void)argument;
	if (command != SIOCSIFADDR && command != SIOCAIFADDR)
		return EOPNOTSUPP;
	if (ifp->flags & IFF_RUNNING)
		return 0;
	(void)dlil_set_flags(ifp, IFF_UP, IFF_UP);
	return dlil_tell_flags(ifp);
}

/* ---- plumbing ----------------------------------------------------------------------------- */

static errno_t
ether_plumb_inet(struct ifnet *ifp, protocol_family_t family)
{
	uint8_t ip[2] = {0x08, 0x00}, arp[2] = {0x08, 0x06};
	struct ifnet_demux_desc descs[2] = {
		{.type = DLIL_DESC_ETYPE2, .data = ip, .datalen = sizeof ip},
		{.type = DLIL_DESC_ETYPE2, .data = arp, .datalen = sizeof arp},
	};
	struct if_proto params = {
		.v2 = true,
		.core = true,
		.input_v2 = ether_inet_input,
		.pre_output = ether_inet_pre_output,
		.ioctl = ether_inet_ioctl,
		.resolve_multi = ether_inet_resolve_multi,
		.send_arp = ether_inet_send_arp,
	};

	return dlil_attach_proto(ifp, family, &params, descs, 2);
}

static void
ether_unplumb_inet(struct ifnet *ifp, protocol_family_t family)
{
	(void)dlil_detach_proto(ifp, family);
}

errno_t
ether_register_plumbers(struct nke *m)
{
	static const ifnet_family_t families[] = {
		IFNET_FAMILY_ETHERNET, IFNET_FAMILY_VLAN, IFNET_FAMILY_BOND,
	};
	errno_t error = 0;

	neighbor_set_output(m, dlil_output);
	for (size_t i = 0; i < sizeof families / sizeof families[0] && error == 0; i++)
		error = dlil_register_plumber(m, PF_INET, families[i], ether_plumb_inet,
		    ether_unplumb_inet, NULL, NULL);
	return error;
}
