/*
 * sys/kpi_mbuf.h: fields of mbufs and packet headers. Called by kexts, from anywhere; nothing here
 * sleeps or allocates.
 */
#include <stdint.h>

#include "kpi/kpi_mbuf.h"

/* ---- data --------------------------------------------------------------------------------- */

void *
mbuf_data(mbuf_t m)
{
	KPI_LIVE(m);
	KPI_TOUCH(m);
	return m->m_data;
}

void *
mbuf_datastart(mbuf_t m)
{
	KPI_LIVE(m);
	KPI_TOUCH(m);
	return m_start(m);
}

errno_t
mbuf_setdata(mbuf_t m, void *data, size_t len)
{
	uintptr_t start, at = (uintptr_t)data;

	KPI_LIVE(m);
	start = (uintptr_t)m_start(m);
	if (at < start || at - start > m_capacity(m) || len > m_capacity(m) - (at - start))
		return EINVAL;
	KPI_TOUCH(m);
	m->m_data = data;
	m->m_len = (int32_t)len;
	return 0;
}

errno_t
mbuf_align_32(mbuf_t m, size_t len)
{
	size_t room;

	KPI_LIVE(m);
	if ((m->m_flags & M_EXT) && mbuf_mclhasreference(m))
		return ENOTSUP;
	room = m_capacity(m);
	if ((size_t)m->m_len > room || len > room - (size_t)m->m_len)
		kpanic("mbuf_align_32: %zu bytes more than the %d that mbuf %p has: there is room for %zu in "
		    "all", len, m->m_len, (void *)m, room);
	KPI_TOUCH(m);
	/* Interface fact: what is there already counts, although the data moves away from it. */
	m->m_data = m_start(m) + ((room - (size_t)m->m_len - len) & ~(size_t)3);
	return 0;
}

addr64_t
mbuf_data_to_physical(void *ptr)
{
	return mbuf_zone_contains(curmachine(), ptr) ? (addr64_t)(uintptr_t)ptr : 0;
}

size_t
mbuf_leadingspace(const mbuf_t m)
{
	KPI_LIVE(m);
	return m_leadingspace(m);
}

size_t
mbuf_trailingspace(const mbuf_t m)
{
	KPI_LIVE(m);
	return m_trailingspace(m);
}

size_t
mbuf_len(const mbuf_t m)
{
	KPI_LIVE(m);
	return (size_t)m->m_len;
}

void
mbuf_setlen(mbuf_t m, size_t len)
{
	KPI_LIVE(m);
	if (KPI_UNLIKELY(len > INT32_MAX))
		kpanic("mbuf_setlen: %zu bytes for mbuf %p, whose buffer has %zu", len, (void *)m,
		    m_capacity(m));
	KPI_TOUCH(m);
	m->m_len = (int32_t)len;
}

size_t
mbuf_maxlen(const mbuf_t m)
{
	KPI_LIVE(m);
	return m_capacity(m);
}

errno_t
mbuf_adjustlen(mbuf_t m, int amount)
{
	int64_t len;

	KPI_LIVE(m);
	len = (int64_t)m->m_len + amount;
	if (len < 0 || (amount > 0 && m->m_data + len > m_start(m) + m_capacity(m)))
		return EINVAL;
	KPI_TOUCH(m);
	m->m_len = (int32_t)len;
	return 0;
}

/* ---- links, type, flags ------------------------------------------------------------------- */

mbuf_t
mbuf_next(const mbuf_t m)
{
	KPI_LIVE(m);
	return m->m_next;
}

errno_t
mbuf_setnext(mbuf_t m, mbuf_t next)
{
	KPI_LIVE(m);
	if (next != NULL && (next->m_nextpkt != NULL || next->m_type == MBUF_TYPE_FREE))
		return EINVAL;
	KPI_TOUCH(m);
	m->m_next = next;
	return 0;
}

mbuf_t
mbuf_nextpkt(const mbuf_t m)
{
	KPI_LIVE(m);
	return m->m_nextpkt;
}

void
mbuf_setnextpkt(mbuf_t m, mbuf_t nextpkt)
{
	KPI_LIVE(m);
	m->m_nextpkt = nextpkt;
}

mbuf_type_t
mbuf_type(const mbuf_t m)
{
	/* No check: looking at a freed mbuf's type is how one would find out. */
	return m->m_type;
}

errno_t
mbuf_settype(mbuf_t m, mbuf_type_t type)
{
	KPI_LIVE(m);
	if ((uint16_t)type == MBUF_TYPE_FREE)
		return EINVAL;
	m_settype(m, (int)type);
	return 0;
}

mbuf_flags_t
mbuf_flags(const mbuf_t m)
{
	KPI_LIVE(m);
	return m->m_flags & M_PUBLIC;
}

/* Interface fact: when the header cannot be turned on, the other flags have changed all the same. */
static errno_t
change_flags(struct mbuf *m, mbuf_flags_t flags, mbuf_flags_t mask)
{
	mbuf_flags_t wanted = (m->m_flags & ~mask) | (flags & mask);
	bool had = m->m_flags & M_PKTHDR, has = wanted & M_PKTHDR;

	m->m_flags = (uint16_t)((wanted & ~(mbuf_flags_t)M_PKTHDR) | (m->m_flags & M_PKTHDR));
	if (had == has)
		return 0;
	if (had) {
		m_tag_delete_chain(curmachine(), m);
		m->m_flags &= (uint16_t)~M_PKTHDR;
		return 0;
	}
	if (!(m->m_flags & M_EXT)) {
		if (m->m_data != m->m_dat || m->m_len != 0)
			return EBUSY;
		m->m_data = m->m_pktdat;
	}
	m->m_flags |= M_PKTHDR;
	m->m_pkthdr = (struct pkthdr){0};
	return 0;
}

errno_t
mbuf_setflags(mbuf_t m, mbuf_flags_t flags)
{
	KPI_LIVE(m);
	if ((flags & ~(mbuf_flags_t)M_PUBLIC) || ((flags ^ m->m_flags) & M_EXT))
		return EINVAL;
	return change_flags(m, flags, M_PUBLIC);
}

errno_t
mbuf_setflags_mask(mbuf_t m, mbuf_flags_t flags, mbuf_flags_t mask)
{
	KPI_LIVE(m);
	if (mask & ~(mbuf_flags_t)(M_PUBLIC & ~M_EXT))
		return EINVAL;
	return change_flags(m, flags, mask);
}

int
mbuf_mclhasreference(mbuf_t m)
{
	KPI_LIVE(m);
	return (m->m_flags & M_EXT) && m->m_ext.ref->was_shared;
}

/* ---- packet header ------------------------------------------------------------------------ */

errno_t
mbuf_copy_pkthdr(mbuf_t dest, const mbuf_t src)
{
	KPI_LIVE(dest);
	KPI_LIVE(src);
	if (!(src->m_flags & M_PKTHDR))
		return EINVAL;
	if (dest == src)
		return 0;
	KPI_TOUCH(dest);
	m_transfer_pkthdr(dest, src);
	return 0;
}

size_t
mbuf_pkthdr_len(const mbuf_t m)
{
	KPI_LIVE(m);
	return (m->m_flags & M_PKTHDR) && m->m_pkthdr.len > 0 ? (size_t)m->m_pkthdr.len : 0;
}

void
mbuf_pkthdr_setlen(mbuf_t m, size_t len)
{
	KPI_LIVE(m);
	KPI_HEADER(m);
	KPI_TOUCH(m);
	m->m_pkthdr.len = (int32_t)(len < INT32_MAX ? len : INT32_MAX);
}

void
mbuf_pkthdr_adjustlen(mbuf_t m, int amount)
{
	KPI_LIVE(m);
	KPI_HEADER(m);
	KPI_TOUCH(m);
	m->m_pkthdr.len = (int32_t)((uint32_t)m->m_pkthdr.len + (uint32_t)amount);
}

ifnet_t
mbuf_pkthdr_rcvif(const mbuf_t m)
{
	KPI_LIVE(m);
	return m->m_flags & M_PKTHDR ? m->m_pkthdr.rcvif : NULL;
}

errno_t
mbuf_pkthdr_setrcvif(mbuf_t m, ifnet_t ifp)
{
	KPI_LIVE(m);
	KPI_HEADER(m);
	m->m_pkthdr.rcvif = ifp;
	return 0;
}

void *
mbuf_pkthdr_header(const mbuf_t m)
{
	KPI_LIVE(m);
	if (!(m->m_flags & M_PKTHDR))
		return NULL;
	KPI_TOUCH(m);
	return m->m_pkthdr.header;
}

void
mbuf_pkthdr_setheader(mbuf_t m, void *header)
{
	KPI_LIVE(m);
	KPI_HEADER(m);
	m->m_pkthdr.header = header;
}

/* ---- traffic class ------------------------------------------------------------------------ */

mbuf_traffic_class_t
mbuf_get_traffic_class(mbuf_t m)
{
	if (m == NULL || !(m->m_flags & M_PKTHDR))
		return MBUF_TC_BE;
	return (mbuf_traffic_class_t)m->m_pkthdr.traffic_class;
}

errno_t
mbuf_set_traffic_class(mbuf_t m, mbuf_traffic_class_t tc)
{
	if (m == NULL || !(m->m_flags & M_PKTHDR) || (u_int32_t)tc > MBUF_TC_VO)
		return EINVAL;
	m->m_pkthdr.traffic_class = (uint8_t)tc;
	return 0;
}

int
mbuf_is_traffic_class_privileged(mbuf_t m)
{
	return m != NULL && (m->m_flags & M_PKTHDR) && m->m_pkthdr.traffic_class_privileged != 0;
}

/* ---- sizes and counters ------------------------------------------------------------------- */

u_int32_t
mbuf_get_mlen(void)
{
	return MLEN;
}

u_int32_t
mbuf_get_mhlen(void)
{
	return MHLEN;
}

u_int32_t
mbuf_get_minclsize(void)
{
	return MINCLSIZE;
}

void
mbuf_stats(struct mbuf_stat *stats)
{
	mbuf_zone_stat(curmachine(), stats);
}
