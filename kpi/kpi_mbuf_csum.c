/*
 * sys/kpi_mbuf.h: what hardware does with packets: checksums, VLAN tags, segmentation. Called by kexts.
 *
 * Requested (way out) and performed (way in) checksums share the low 16 bits of one word and one
 * value, and each family of functions overwrites the other's: an interface fact.
 */
#include <netinet/ip_var.h>
#include <stddef.h>
#include <stdint.h>

#include "kpi/kpi_mbuf.h"
#include "src/netinet/ip_private.h"

#define CSUM_LOW	0xffffu
#define CSUM_PARTIAL	0x1000u		/* private: sum of a part of the packet */
#define CSUM_REQUESTED	(MBUF_CSUM_REQ_IP | MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_UDP |	\
			 MBUF_CSUM_REQ_TCPIPV6 | MBUF_CSUM_REQ_UDPIPV6 | CSUM_PARTIAL)
#define CSUM_PERFORMED	(MBUF_CSUM_DID_IP | MBUF_CSUM_IP_GOOD | MBUF_CSUM_DID_DATA |	\
			 MBUF_CSUM_PSEUDO_HDR | CSUM_PARTIAL)

void
mbuf_inbound_modified(mbuf_t mbuf)
{
	KPI_LIVE(mbuf);
	KPI_HEADER(mbuf);
	KPI_TOUCH(mbuf);
	mbuf->m_pkthdr.csum_flags = 0;
}

void
mbuf_outbound_finalize(mbuf_t mbuf, u_int32_t protocol_family, size_t protocol_offset)
{
	errno_t error = 0;

	KPI_LIVE(mbuf);
	KPI_HEADER(mbuf);
	if (protocol_family != PF_INET && protocol_family != PF_INET6)
		return;
	KPI_TOUCH(mbuf);
	if (protocol_offset > INT32_MAX)
		error = EINVAL;
	else if (protocol_family == PF_INET)
		error = in_finalize_cksum(mbuf, (uint32_t)protocol_offset, CSUM_REQUESTED);
	else
		error = in6_finalize_cksum(mbuf, (uint32_t)protocol_offset, CSUM_REQUESTED);
	if (error != 0)
		kpanic("mbuf_outbound_finalize: mbuf %p has %zu bytes, too few for the headers expected at "
		    "offset %zu", (void *)mbuf, m_length(mbuf), protocol_offset);
}

/* ---- VLAN --------------------------------------------------------------------------------- */

errno_t
mbuf_set_vlan_tag(mbuf_t mbuf, u_int16_t vlan)
{
	KPI_LIVE(mbuf);
	KPI_HEADER(mbuf);
	mbuf->m_pkthdr.csum_flags |= CSUM_VLAN_TAG_VALID;
	mbuf->m_pkthdr.vlan_tag = vlan;
	return 0;
}

errno_t
mbuf_get_vlan_tag(mbuf_t mbuf, u_int16_t *vlan)
{
	KPI_LIVE(mbuf);
	if (!(mbuf->m_flags & M_PKTHDR) || !(mbuf->m_pkthdr.csum_flags & CSUM_VLAN_TAG_VALID))
		return ENXIO;
	*vlan = mbuf->m_pkthdr.vlan_tag;
	return 0;
}

errno_t
mbuf_clear_vlan_tag(mbuf_t mbuf)
{
	KPI_LIVE(mbuf);
	KPI_HEADER(mbuf);
	mbuf->m_pkthdr.csum_flags &= ~CSUM_VLAN_TAG_VALID;
	mbuf->m_pkthdr.vlan_tag = 0;
	return 0;
}

/* ---- flags -------------------------------------------------------------------------------- */

errno_t
mbuf_get_csum_requested(mbuf_t mbuf, mbuf_csum_request_flags_t *request, u_int32_t *value)
{
	KPI_LIVE(mbuf);
	KPI_HEADER(mbuf);
	*request = mbuf->m_pkthdr.csum_flags & CSUM_REQUESTED;
	if (value != NULL)
		*value = mbuf->m_pkthdr.csum_data;
	return 0;
}

errno_t
mbuf_clear_csum_requested(mbuf_t mbuf)
{
	KPI_LIVE(mbuf);
	KPI_HEADER(mbuf);
	mbuf->m_pkthdr.csum_flags &= ~CSUM_LOW;
	mbuf->m_pkthdr.csum_data = 0;
	return 0;
}

errno_t
mbuf_get_tso_requested(mbuf_t mbuf, mbuf_tso_request_flags_t *request, u_int32_t *value)
{
	if (mbuf == NULL || request == NULL || value == NULL || !(mbuf->m_flags & M_PKTHDR))
		return EINVAL;
	KPI_LIVE(mbuf);
	*request = mbuf->m_pkthdr.csum_flags & (MBUF_TSO_IPV4 | MBUF_TSO_IPV6);
	if (*request != 0)
		*value = mbuf->m_pkthdr.tso_segsz;
	return 0;
}

errno_t
mbuf_set_csum_performed(mbuf_t mbuf, mbuf_csum_performed_flags_t flags, u_int32_t value)
{
	KPI_LIVE(mbuf);
	KPI_HEADER(mbuf);
	mbuf->m_pkthdr.csum_flags = (mbuf->m_pkthdr.csum_flags & ~CSUM_LOW) | (flags & CSUM_PERFORMED);
	mbuf->m_pkthdr.csum_data = value;
	return 0;
}

errno_t
mbuf_clear_csum_performed(mbuf_t mbuf)
{
	return mbuf_clear_csum_requested(mbuf);
}

/* ---- sums --------------------------------------------------------------------------------- */

/* Interface fact: offset and length are added as 32-bit numbers. */
static bool
has_range(const struct mbuf *m, u_int32_t offset, u_int32_t length)
{
	u_int32_t have = m->m_flags & M_PKTHDR ? (u_int32_t)m->m_pkthdr.len : 0;

	return length != 0 && have >= offset + length;
}

errno_t
mbuf_inet_cksum(mbuf_t mbuf, int protocol, u_int32_t offset, u_int32_t length, u_int16_t *csum)
{
	uint32_t pseudo = 0;
	struct ip ip;

	if (mbuf == NULL || csum == NULL || !has_range(mbuf, offset, length))
		return EINVAL;
	KPI_LIVE(mbuf);
	if (protocol != 0) {
		if (m_copydata(mbuf, 0, sizeof ip, &ip) != 0)
			return EINVAL;
		pseudo = in_pseudo(ip.ip_src, ip.ip_dst, (uint8_t)protocol, length);
	}
	*csum = (u_int16_t)~in_cksum_sum(mbuf, offset, length, pseudo);
	return 0;
}

u_int16_t
in_cksum(mbuf_t m, int len)
{
	KPI_LIVE(m);
	return in_cksum_part(m, 0, len > 0 ? (size_t)len : 0);
}

errno_t
mbuf_inet6_cksum(mbuf_t mbuf, int protocol, u_int32_t offset, u_int32_t length, u_int16_t *csum)
{
	uint32_t pseudo = 0;
	struct in6_addr addr[2];

	if (mbuf == NULL || csum == NULL || !has_range(mbuf, offset, length))
		return EINVAL;
	KPI_LIVE(mbuf);
	if (protocol != 0) {
		if (m_copydata(mbuf, offsetof(struct ip6_hdr, ip6_src), sizeof addr, addr) != 0)
			return EINVAL;
		pseudo = in6_pseudo(&addr[0], &addr[1], (uint8_t)protocol, length);
	}
	*csum = (u_int16_t)~in_cksum_sum(mbuf, offset, length, pseudo);
	return 0;
}
