/*
 * sys/kpi_mbuf.h: copying, cutting and joining packets. Called by kexts. What each function leaves of
 * its argument when it fails is said in the header of the core's function it calls (src/kern/mbuf.h).
 */
#include "kpi/kpi_mbuf.h"

errno_t
mbuf_copym(const mbuf_t src, size_t offset, size_t len, mbuf_how_t how, mbuf_t *new_mbuf)
{
	KPI_LIVE(src);
	KPI_MAY_WAIT(how);
	*new_mbuf = m_copym(src, offset, len, (int)how);
	if (*new_mbuf == NULL)
		return ENOMEM;
	kpi_own(*new_mbuf, KPI_CALLER);
	return 0;
}

errno_t
mbuf_dup(const mbuf_t src, mbuf_how_t how, mbuf_t *new_mbuf)
{
	KPI_LIVE(src);
	KPI_MAY_WAIT(how);
	*new_mbuf = m_dup(src, (int)how);
	if (*new_mbuf == NULL)
		return ENOMEM;
	kpi_own(*new_mbuf, KPI_CALLER);
	return 0;
}

errno_t
mbuf_prepend(mbuf_t *mbuf, size_t len, mbuf_how_t how)
{
	KPI_LIVE(*mbuf);
	KPI_MAY_WAIT(how);
	*mbuf = m_prepend(*mbuf, len, (int)how);
	if (*mbuf == NULL)
		return ENOMEM;
	KPI_TOUCH(*mbuf);
	return 0;
}

errno_t
mbuf_split(mbuf_t src, size_t offset, mbuf_how_t how, mbuf_t *new_mbuf)
{
	KPI_LIVE(src);
	KPI_MAY_WAIT(how);
	*new_mbuf = m_split(src, offset, (int)how);
	if (*new_mbuf == NULL)
		return ENOMEM;
	KPI_TOUCH(src);
	KPI_TOUCH(*new_mbuf);
	kpi_own(*new_mbuf, KPI_CALLER);
	return 0;
}

errno_t
mbuf_pullup(mbuf_t *mbuf, size_t len)
{
	KPI_LIVE(*mbuf);
	*mbuf = m_pullup(*mbuf, len);
	if (*mbuf == NULL)
		return ENOMEM;
	KPI_TOUCH(*mbuf);
	return 0;
}

errno_t
mbuf_pulldown(mbuf_t src, size_t *offset, size_t len, mbuf_t *location)
{
	size_t at;

	KPI_LIVE(src);
	*location = m_pulldown(src, *offset, len, &at);
	if (*location == NULL)
		return ENOMEM;
	*offset = at;
	KPI_TOUCH(*location);
	return 0;
}

void
mbuf_adj(mbuf_t mbuf, int len)
{
	if (mbuf == NULL)
		return;
	KPI_LIVE(mbuf);
	KPI_TOUCH(mbuf);
	m_adj(mbuf, len);
}

mbuf_t
mbuf_concatenate(mbuf_t dst, mbuf_t src)
{
	if (dst == NULL)
		return NULL;
	KPI_LIVE(dst);
	if (src != NULL)
		KPI_LIVE(src);
	KPI_TOUCH(dst);
	return m_concatenate(dst, src);
}

errno_t
mbuf_copydata(const mbuf_t mbuf, size_t offset, size_t length, void *out_data)
{
	KPI_LIVE(mbuf);
	return m_copydata(mbuf, offset, length, out_data);
}

errno_t
mbuf_copyback(mbuf_t mbuf, size_t offset, size_t length, const void *data, mbuf_how_t how)
{
	if (mbuf == NULL || length == 0 || data == NULL)
		return EINVAL;
	KPI_LIVE(mbuf);
	KPI_MAY_WAIT(how);
	KPI_TOUCH(mbuf);
	return m_copyback(mbuf, offset, length, data, (int)how);
}
