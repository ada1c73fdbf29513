/*
 * sys/kpi_mbuf.h: making and freeing mbufs, clusters and packets. Called by kexts. In checked mode what
 * is made here belongs to the kext that calls until it hands it on.
 */
#include <stdint.h>

#include "kpi/kpi_mbuf.h"

/* ---- mbufs -------------------------------------------------------------------------------- */

errno_t
mbuf_get(mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf)
{
	KPI_MAY_WAIT(how);
	*mbuf = m_get(curmachine(), (int)how, (int)type);
	if (*mbuf == NULL)
		return ENOMEM;
	kpi_own(*mbuf, KPI_CALLER);
	return 0;
}

errno_t
mbuf_gethdr(mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf)
{
	KPI_MAY_WAIT(how);
	*mbuf = m_gethdr(curmachine(), (int)how, (int)type);
	if (*mbuf == NULL)
		return ENOMEM;
	kpi_own(*mbuf, KPI_CALLER);
	return 0;
}

errno_t
mbuf_getpacket(mbuf_how_t how, mbuf_t *mbuf)
{
	KPI_MAY_WAIT(how);
	*mbuf = m_getpacket(curmachine(), (int)how);
	if (*mbuf == NULL)
		return how == MBUF_WAITOK ? ENOMEM : EWOULDBLOCK;
	kpi_own(*mbuf, KPI_CALLER);
	return 0;
}

mbuf_t
mbuf_free(mbuf_t mbuf)
{
	return m_free_for(mbuf, KPI_CALLER);
}

void
mbuf_freem(mbuf_t mbuf)
{
	m_freem_for(mbuf, KPI_CALLER);
}

int
mbuf_freem_list(mbuf_t mbuf)
{
	return (int)m_freem_list_for(mbuf, KPI_CALLER);
}

/* ---- clusters ----------------------------------------------------------------------------- */

/* The cluster size for `size` bytes; 0 when none is large enough. */
static size_t
cluster_for(size_t size)
{
	if (size > M16KCLBYTES)
		return 0;
	return size <= MCLBYTES ? MCLBYTES : size <= MBIGCLBYTES ? MBIGCLBYTES : M16KCLBYTES;
}

static bool
is_cluster_size(size_t size)
{
	return size == MCLBYTES || size == MBIGCLBYTES || size == M16KCLBYTES;
}

errno_t
mbuf_alloccluster(mbuf_how_t how, size_t *size, caddr_t *addr)
{
	struct m_ext_ref *ref;

	KPI_MAY_WAIT(how);
	if (size == NULL || *size == 0 || addr == NULL)
		return EINVAL;
	*addr = NULL;
	*size = cluster_for(*size);
	if (*size == 0)
		return ENOMEM;
	ref = mcl_alloc(curmachine(), *size);
	if (ref == NULL)
		return ENOMEM;
	ref->raw = true;
	*addr = ref->buf;
	return 0;
}

void
mbuf_freecluster(caddr_t addr, size_t size)
{
	struct m_ext_ref *ref;

	if (!is_cluster_size(size))
		kpanic("mbuf_freecluster: %p has %zu bytes; clusters have 2048, 4096 or 16384", (void *)addr,
		    size);
	ref = mcl_lookup(curmachine(), addr, size);
	if (ref->refs == 0)
		kpanic("mbuf_freecluster: cluster %p freed twice", (void *)addr);
	if (!ref->raw)
		kpanic("mbuf_freecluster: cluster %p belongs to an mbuf, free that", (void *)addr);
	mcl_release(curmachine(), ref);
}

errno_t
mbuf_attachcluster(mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf, caddr_t extbuf,
    void (*extfree)(caddr_t buf, u_int size, caddr_t arg), size_t extsize, caddr_t extarg)
{
	struct nke *machine = curmachine();
	struct m_ext_ref *ref, *old = NULL;
	struct mbuf *m;

	KPI_MAY_WAIT(how);
	/* A length of an mbuf has 31 bits. */
	if (mbuf == NULL || extbuf == NULL || extfree == NULL || extsize == 0 || extsize > INT32_MAX)
		return EINVAL;
	if (*mbuf == NULL) {
		*mbuf = m_gethdr(machine, (int)how, (int)type);
		if (*mbuf == NULL)
			return ENOMEM;
		kpi_own(*mbuf, KPI_CALLER);
	}
	m = *mbuf;
	KPI_LIVE(m);
	if (m->m_flags & M_EXT)
		old = m->m_ext.ref;
	ref = mcl_foreign(machine, extbuf, (uint32_t)extsize, extfree, extarg, KPI_CALLER);
	if (ref == NULL) {
		m_free_for(m, KPI_CALLER);
		*mbuf = NULL;
		return ENOMEM;
	}
	m_ext_attach(m, ref);
	KPI_TOUCH(m);
	if (old != NULL)
		mcl_release(machine, old);
	return 0;
}

errno_t
mbuf_getcluster(mbuf_how_t how, mbuf_type_t type, size_t size, mbuf_t *mbuf)
{
	struct nke *machine = curmachine();
	struct mbuf *made = NULL;

	KPI_MAY_WAIT(how);
	if (mbuf == NULL || !is_cluster_size(size))
		return EINVAL;
	if (*mbuf == NULL) {
		made = m_get(machine, (int)how, (int)type);
		if (made == NULL)
			return ENOMEM;
		*mbuf = made;
		kpi_own(made, KPI_CALLER);
	}
	KPI_LIVE(*mbuf);
	if (!m_clget(machine, *mbuf, (int)how, size)) {
		if (made != NULL) {
			m_free(made);
			*mbuf = NULL;
		}
		return ENOMEM;
	}
	KPI_TOUCH(*mbuf);
	return 0;
}

errno_t
mbuf_mclget(mbuf_how_t how, mbuf_type_t type, mbuf_t *mbuf)
{
	bool made = mbuf != NULL && *mbuf == NULL;
	errno_t error = mbuf_getcluster(how, type, MCLBYTES, mbuf);

	if (error == 0 && made)
		kpi_own(*mbuf, KPI_CALLER);
	return error;
}

/* ---- packets of a given size -------------------------------------------------------------- */

/* How many pieces a packet of `len` bytes has; `limit` is the most there may be, 0: no limit. */
static size_t
count_chunks(size_t len, unsigned limit)
{
	if (len <= MHLEN)
		return 1;
	if (len <= MINCLSIZE)
		return limit == 1 ? 1 : 2;
	return (len - 1) / M16KCLBYTES + 1;
}

/* A packet of `chunks` pieces for `len` bytes; NULL when there is no memory. */
static struct mbuf *
get_packet(struct nke *machine, int how, size_t len, size_t chunks)
{
	const bool plain = len <= MHLEN || (len <= MINCLSIZE && chunks == 2);
	struct mbuf *top = NULL, **link = &top;

	for (; chunks != 0; chunks--) {
		struct mbuf *n = top == NULL ? m_gethdr(machine, how, MBUF_TYPE_DATA) :
		    m_get(machine, how, MBUF_TYPE_DATA);

		if (n == NULL)
			goto nomem;
		*link = n;
		link = &n->m_next;
		if (plain)
			continue;
		if (!m_clget(machine, n, how, len < M16KCLBYTES ? cluster_for(len) : M16KCLBYTES))
			goto nomem;
		len -= len < M16KCLBYTES ? len : M16KCLBYTES;
	}
	return top;
nomem:
	m_freem(top);
	return NULL;
}

static errno_t
get_packets(unsigned count, mbuf_how_t how, size_t len, unsigned *maxchunks, mbuf_t *mbuf, void *pc)
{
	const unsigned limit = maxchunks != NULL ? *maxchunks : 0;
	const size_t chunks = count_chunks(len, limit);
	struct mbuf *top = NULL, **link = &top;

	*mbuf = NULL;
	if (limit != 0 && chunks > limit)
		return ENOBUFS;
	for (; count != 0; count--) {
		*link = get_packet(curmachine(), (int)how, len, chunks);
		if (*link == NULL) {
			m_freem_list(top);
			return ENOMEM;
		}
		kpi_own(*link, pc);
		link = &(*link)->m_nextpkt;
	}
	if (maxchunks != NULL)
		*maxchunks = (unsigned)chunks;
	*mbuf = top;
	return 0;
}

errno_t
mbuf_allocpacket(mbuf_how_t how, size_t packetlen, unsigned int *maxchunks, mbuf_t *mbuf)
{
	KPI_MAY_WAIT(how);
	if (packetlen == 0)
		return EINVAL;
	return get_packets(1, how, packetlen, maxchunks, mbuf, KPI_CALLER);
}

errno_t
mbuf_allocpacket_list(unsigned int numpkts, mbuf_how_t how, size_t packetlen,
    unsigned int *maxchunks, mbuf_t *mbuf)
{
	KPI_MAY_WAIT(how);
	if (numpkts == 0 || packetlen == 0)
		return EINVAL;
	return get_packets(numpkts, how, packetlen, maxchunks, mbuf, KPI_CALLER);
}
