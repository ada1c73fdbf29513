/*
 * sys/kpi_mbuf.h: tags. Called by kexts. A tag is named by the id of its kext's string and a type; a
 * packet has at most one of each.
 */
#include "kpi/kpi_mbuf.h"
#include "src/kern/string_id.h"

errno_t
mbuf_tag_id_find(const char *name, mbuf_tag_id_t *out_id)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	if (name == NULL || out_id == NULL)
		return EINVAL;
	return string_id_find(curmachine(), name, STRING_ID_MBUF_TAG, out_id);
}

static bool
can_have(const struct mbuf *m, mbuf_tag_id_t id)
{
	return m != NULL && (m->m_flags & M_PKTHDR) &&
	    string_id_valid(curmachine(), id, STRING_ID_MBUF_TAG);
}

errno_t
mbuf_tag_allocate(mbuf_t mbuf, mbuf_tag_id_t id, mbuf_tag_type_t type, size_t length,
    mbuf_how_t how, void **data_p)
{
	struct m_tag *t;

	if (data_p != NULL)
		*data_p = NULL;
	if (!can_have(mbuf, id) || length == 0 || length > UINT16_MAX || data_p == NULL)
		return EINVAL;
	KPI_LIVE(mbuf);
	KPI_MAY_WAIT(how);
	if (m_tag_find(mbuf, id, type) != NULL)
		return EEXIST;
	t = m_tag_add(curmachine(), mbuf, id, type, length);
	if (t == NULL)
		return how == MBUF_WAITOK ? ENOMEM : EWOULDBLOCK;
	*data_p = m_tag_data(t);
	return 0;
}

errno_t
mbuf_tag_find(mbuf_t mbuf, mbuf_tag_id_t id, mbuf_tag_type_t type, size_t *length,
    void **data_p)
{
	struct m_tag *t;

	if (length != NULL)
		*length = 0;
	if (data_p != NULL)
		*data_p = NULL;
	if (!can_have(mbuf, id) || length == NULL || data_p == NULL)
		return EINVAL;
	t = m_tag_find(mbuf, id, type);
	if (t == NULL)
		return ENOENT;
	*length = t->len;
	*data_p = m_tag_data(t);
	return 0;
}

void
mbuf_tag_free(mbuf_t mbuf, mbuf_tag_id_t id, mbuf_tag_type_t type)
{
	struct m_tag *t;

	if (!can_have(mbuf, id))
		return;
	t = m_tag_find(mbuf, id, type);
	if (t != NULL)
		m_tag_delete(curmachine(), mbuf, t);
}
