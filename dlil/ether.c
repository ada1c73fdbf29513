/*
 * Ethernet media: which protocol a frame is for, the table of demux descriptors behind that, the
 * framer, and the check of multicast addresses. For interfaces that the host makes, and, as
 * net/if_ether.h, for those of kexts that want them; an Ethernet driver that brings its own functions
 * must only get on with the protocol attachments (ether_inet.c, ether_inet6.c).
 *
 * Frames: Ethernet II by type; 802.3 (type field up to 1500) by LLC service access points or SNAP
 * (IEEE 802.2); 802.1Q tags, in the frame or in the packet header: with a VLAN id the frame is
 * PF_VLAN's, a priority tag (id 0) is removed.
 */
#include <net/if_types.h>
#include <net/if_vlan_var.h>
#include <netinet/in.h>

#include "dlil/ether.h"
#include "src/kern/heap.h"

#define ETHER_DESCS_MAX	1024u		/* of one interface */

/* ---- demux -------------------------------------------------------------------------------- */

void
ether_strip_fcs(struct mbuf *m)
{
	m->m_flags &= (uint16_t)~MBUF_HASFCS;
	if (m->m_pkthdr.len >= ETHER_CRC_LEN)
		m_adj(m, -ETHER_CRC_LEN);
}

static errno_t
find_desc(const struct ether_state *es, uint8_t type, const uint8_t *data, size_t len,
    protocol_family_t *family)
{
	for (uint32_t i = 0; es != NULL && i < es->count; i++) {
		if (es->descs[i].type == type && memcmp(es->descs[i].data, data, len) == 0) {
			*family = es->descs[i].family;
			return 0;
		}
	}
	return ENOENT;
}

/* IEEE 802.2: DSAP, SSAP, control; 0xaa 0xaa 0x03 is followed by organisation and type (SNAP). */
static errno_t
demux_llc(const struct ether_state *es, const struct mbuf *m, protocol_family_t *family)
{
	static const uint8_t snap[3] = {0xaa, 0xaa, 0x03};
	uint8_t llc[8];

	if (m_copydata(m, 0, 3, llc) != 0)
		return ENOENT;
	if (memcmp(llc, snap, sizeof snap) == 0) {
		if (m_copydata(m, 0, 8, llc) != 0)
			return ENOENT;
		return find_desc(es, DLIL_DESC_SNAP, llc + 3, 5, family);
	}
	return find_desc(es, DLIL_DESC_SAP, llc, 3, family);
}

static errno_t
demux_type(const struct ether_state *es, const struct mbuf *m, uint16_t type,
    protocol_family_t *family)
{
	if (ntohs(type) <= ETHERMTU)
		return demux_llc(es, m, family);
	return find_desc(es, DLIL_DESC_ETYPE2, (const uint8_t *)&type, sizeof type, family);
}

protocol_family_t
ether_family_of_type(const struct ifnet *ifp, uint16_t type)
{
	protocol_family_t family = 0;

	(void)find_desc(ifp->media, DLIL_DESC_ETYPE2, (const uint8_t *)&type, sizeof type, &family);
	return family;
}

/*
 * Takes the four bytes of a priority tag out: the addresses move up to the type behind the tag, so
 * that the header is in front of the data again. In a shared buffer they stay where they are.
 */
static uint16_t
remove_priority_tag(struct mbuf *m, char **frame)
{
	uint16_t inner;

	memcpy(&inner, m->m_data + 2, sizeof inner);
	if (*frame + ETHER_HDR_LEN == m->m_data && m_writable(m) && *frame >= m_start(m)) {
		memmove(*frame + ETHER_VLAN_ENCAP_LEN, *frame, 2 * ETHER_ADDR_LEN);
		*frame += ETHER_VLAN_ENCAP_LEN;
	}
	m_adj(m, ETHER_VLAN_ENCAP_LEN);
	m->m_pkthdr.csum_flags = 0;	/* what the hardware summed included the tag */
	return inner;
}

errno_t
ether_demux_other(struct ifnet *ifp, struct mbuf *m, char **frame, protocol_family_t *family)
{
	const struct ether_state *es = ifp->media;
	uint16_t type = ether_type_at(*frame), tag;

	if (m->m_pkthdr.csum_flags & CSUM_VLAN_TAG_VALID) {
		if (EVL_VLANOFTAG(m->m_pkthdr.vlan_tag) != 0) {
			*family = PF_VLAN;
			return 0;
		}
		m->m_pkthdr.csum_flags &= ~(uint32_t)CSUM_VLAN_TAG_VALID;
		m->m_pkthdr.vlan_tag = 0;
	} else if (type == htons(ETHERTYPE_VLAN)) {
		if (m->m_len < ETHER_VLAN_ENCAP_LEN)
			return ENOENT;
		memcpy(&tag, m->m_data, sizeof tag);
		if (EVL_VLANOFTAG(ntohs(tag)) != 0) {
			*family = PF_VLAN;
			return 0;
		}
		type = remove_priority_tag(m, frame);
	}
	return demux_type(es, m, type, family);
}

errno_t
ether_demux(struct ifnet *ifp, struct mbuf *m, char *frame, protocol_family_t *family)
{
	return ether_demux_frame(ifp, m, &frame, family);
}

/* ---- the table ---------------------------------------------------------------------------- */

static errno_t
check_desc(const struct ether_state *es, const struct ifnet_demux_desc *d)
{
	protocol_family_t taken;

	switch (d->type) {
	case DLIL_DESC_ETYPE2:
		if (d->datalen != 2)
			return EINVAL;
		break;
	case DLIL_DESC_SAP:
		if (d->datalen != 3)
			return EINVAL;
		break;
	case DLIL_DESC_SNAP:
		/* Interface fact: a second owner of a SNAP type is not noticed. */
		return d->datalen == 5 ? 0 : EINVAL;
	default:
		return ENOTSUP;
	}
	return find_desc(es, (uint8_t)d->type, d->data, d->datalen, &taken) == 0 ? EADDRINUSE : 0;
}

static errno_t
reserve(struct nke *m, struct ether_state *es, uint32_t count)
{
	struct ether_desc *bigger;
	uint32_t capacity;

	if (count > ETHER_DESCS_MAX - es->count)
		return ENOMEM;
	if (es->count + count <= es->capacity)
		return 0;
	capacity = es->count + count + 4;
	bigger = kalloc(m, capacity * sizeof *bigger);
	if (bigger == NULL)
		return ENOMEM;
	if (es->count != 0)
		memcpy(bigger, es->descs, es->count * sizeof *bigger);
	kfree(m, es->descs);
	es->descs = bigger;
	es->capacity = capacity;
	return 0;
}

/* IPv4 and IPv6 are found without a walk. */
static void
set_shortcuts(struct ether_state *es)
{
	static const uint8_t ip[2] = {0x08, 0x00}, ip6[2] = {0x86, 0xdd};

	es->inet = es->inet6 = 0;
	(void)find_desc(es, DLIL_DESC_ETYPE2, ip, sizeof ip, &es->inet);
	(void)find_desc(es, DLIL_DESC_ETYPE2, ip6, sizeof ip6, &es->inet6);
}

errno_t
ether_add_proto(struct ifnet *ifp, protocol_family_t family, const struct ifnet_demux_desc *descs,
    u_int32_t count)
{
	struct nke *m = ifp->machine;
	struct ether_state *es = ifp->media;
	uint32_t before;
	errno_t error;

	if (es == NULL && (es = ifp->media = kalloc(m, sizeof *es)) == NULL)
		return ENOMEM;
	before = es->count;
	if ((error = reserve(m, es, count)) != 0)
		return error;
	for (uint32_t i = 0; i < count; i++) {
		struct ether_desc *d = &es->descs[es->count];

		if ((error = check_desc(es, &descs[i])) != 0) {
			es->count = before;
			return error;
		}
		d->family = family;
		d->type = (uint8_t)descs[i].type;
		memset(d->data, 0, sizeof d->data);
		memcpy(d->data, descs[i].data, descs[i].datalen);
		es->count++;
	}
	set_shortcuts(es);
	return 0;
}

errno_t
ether_del_proto(struct ifnet *ifp, protocol_family_t family)
{
	struct ether_state *es = ifp->media;
	uint32_t kept = 0;

	if (es == NULL)
		return 0;
	for (uint32_t i = 0; i < es->count; i++)
		if (es->descs[i].family != family)
			es->descs[kept++] = es->descs[i];
	es->count = kept;
	set_shortcuts(es);
	if (kept == 0) {
		kfree(ifp->machine, es->descs);
		es->descs = NULL;
		es->capacity = 0;
	}
	return 0;
}

/* ---- framer and multicast ----------------------------------------------------------------- */

/* A broadcaster that does not hear itself gets a copy by lo0; the copy is no captured frame. */
static void
loop_copy(struct ifnet *ifp, struct mbuf *m, const struct sockaddr *dst)
{
	struct mbuf *copy = m_dup(m, MBUF_DONTWAIT);

	if (copy == NULL)
		return;
	copy->m_pkthdr.origin = NULL;
	(void)dlil_output(dlil_loopback(ifp->machine), dst->sa_family, copy, NULL, dst, false);
}

errno_t
ether_frameout(struct ifnet *ifp, struct mbuf **mp, const struct sockaddr *dst, const char *lladdr,
    const char *frame_type)
{
	struct mbuf *m = *mp;

	if ((ifp->flags & IFF_SIMPLEX) && (m->m_flags & MBUF_BCAST) && dst != NULL) {
		loop_copy(ifp, m, dst);
	} else if (dst != NULL && ifp->lladdr_len == ETHER_ADDR_LEN &&
	    memcmp(lladdr, ifp->lladdr, ETHER_ADDR_LEN) == 0) {
		(void)dlil_output(dlil_loopback(ifp->machine), dst->sa_family, m, NULL, dst, false);
		return EJUSTRETURN;
	}
	*mp = m = m_prepend(m, ETHER_HDR_LEN, MBUF_DONTWAIT);
	if (m == NULL)
		return ENOBUFS;
	memcpy(m->m_data, lladdr, ETHER_ADDR_LEN);
	memcpy(m->m_data + ETHER_ADDR_LEN, ifp->lladdr, ETHER_ADDR_LEN);
	memcpy(m->m_data + 2 * ETHER_ADDR_LEN, frame_type, ETHER_TYPE_LEN);
	return 0;
}

errno_t
ether_check_multi(struct ifnet *ifp, const struct sockaddr *sa)
{
	const uint8_t *addr;

	(void)ifp;
	if (sa->sa_family == AF_UNSPEC)
		addr = (const uint8_t *)sa->sa_data;
	else if (sa->sa_family == AF_LINK)
		addr = CONST_LLADDR((const struct sockaddr_dl *)(const void *)sa);
	else
		return EOPNOTSUPP;
	return ETHER_IS_MULTICAST(addr) ? 0 : EADDRNOTAVAIL;
}

void
ether_media(struct ifnet_init_params *p)
{
	p->family = IFNET_FAMILY_ETHERNET;
	p->type = IFT_ETHER;
	p->demux = ether_demux;
	p->add_proto = ether_add_proto;
	p->del_proto = ether_del_proto;
	p->framer = ether_frameout;
	p->check_multi = ether_check_multi;
	p->broadcast_addr = ether_broadcast;
	p->broadcast_len = sizeof ether_broadcast;
}
