/*
 * Ethernet, inside DLIL: the demux that the input path calls without detours, and the table behind
 * it.
 */
#ifndef NKE_DLIL_ETHER_H
#define NKE_DLIL_ETHER_H

#include <net/dlil.h>
#include <net/ethernet.h>
#include <net/if_ether.h>
#include <string.h>

#include "dlil/dlil.h"

struct ether_desc {
	protocol_family_t family;
	uint8_t type;			/* DLIL_DESC_* */
	uint8_t data[5];
};

/* ifnet.media of an Ethernet interface; NULL until the first protocol is added. */
struct ether_state {
	protocol_family_t inet, inet6;	/* who has types 0x0800 and 0x86dd, 0 nobody */
	uint32_t count, capacity;
	struct ether_desc *descs;
};

static const uint8_t ether_broadcast[ETHER_ADDR_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

errno_t ether_demux_other(struct ifnet *, struct mbuf *, char **frame, protocol_family_t *);
/* Who has that Ethernet type (network order) on the interface; 0 nobody. */
protocol_family_t ether_family_of_type(const struct ifnet *, uint16_t type);
void ether_strip_fcs(struct mbuf *);

static inline uint16_t
ether_type_at(const void *frame)
{
	uint16_t type;

	memcpy(&type, (const uint8_t *)frame + 2 * ETHER_ADDR_LEN, sizeof type);
	return type;
}

static inline void
ether_mark_destination(const struct ifnet *ifp, struct mbuf *m, const uint8_t *eh)
{
	if (eh[0] & 1)
		m->m_flags |= memcmp(eh, ether_broadcast, ETHER_ADDR_LEN) == 0 ?
		    MBUF_BCAST : MBUF_MCAST;
	else if (memcmp(eh, ifp->lladdr, ETHER_ADDR_LEN) != 0)
		m->m_flags |= MBUF_PROMISC;
}

/* Untagged IPv4 and IPv6 are decided here, everything else in ether_demux_other. */
static inline errno_t
ether_demux_frame(struct ifnet *ifp, struct mbuf *m, char **frame, protocol_family_t *family)
{
	const struct ether_state *es = ifp->media;
	const uint8_t *eh = (const uint8_t *)*frame;
	uint16_t type = ether_type_at(eh);

	ether_mark_destination(ifp, m, eh);
	if (__builtin_expect(m->m_flags & MBUF_HASFCS, 0))
		ether_strip_fcs(m);
	if (__builtin_expect(es != NULL && !(m->m_pkthdr.csum_flags & CSUM_VLAN_TAG_VALID), 1)) {
		if (type == htons(ETHERTYPE_IP) && es->inet != 0) {
			*family = es->inet;
			return 0;
		}
		if (type == htons(ETHERTYPE_IPV6) && es->inet6 != 0) {
			*family = es->inet6;
			return 0;
		}
	}
	return ether_demux_other(ifp, m, frame, family);
}

#endif
