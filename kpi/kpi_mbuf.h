/* What the files of the mbuf KPI share. */
#ifndef NKE_KPI_MBUF_H
#define NKE_KPI_MBUF_H

#include "src/kern/gate.h"
#include "src/kern/kpi_rule.h"
#include "src/kern/mbuf.h"
#include "src/kern/panic.h"

#define KPI_UNLIKELY(x)	__builtin_expect((x), 0)

/* The caller's place, for reports. */
#define KPI_CALLER	__builtin_return_address(0)

/* A freed mbuf handed to a KPI function is named, in any mode: it costs one comparison. */
#define KPI_LIVE(m) do {								\
	if (KPI_UNLIKELY((m)->m_type == MBUF_TYPE_FREE))				\
		m_used_after_free((m), __func__);					\
} while (0)

/* The kext has its hands on the data, or changes the shape. */
#define KPI_TOUCH(m)	((void)((m)->m_flags |= M_TOUCHED))

/*
 * Writing packet header fields of an mbuf that has none would, on a Mac, change data bytes, unless
 * they are in a cluster.
 */
#define KPI_HEADER(m) do {								\
	if (KPI_UNLIKELY(!((m)->m_flags & (M_PKTHDR | M_EXT))))				\
		kpanic("%s: mbuf %p has no packet header, its data lies in that place",	\
		    __func__, (void *)(m));						\
} while (0)

/* Where a Mac may sleep for memory. */
#define KPI_MAY_WAIT(how) do {								\
	if ((how) == MBUF_WAITOK)							\
		KPI_RULES(KPI_SLEEPS, NULL);						\
} while (0)

/* A packet that is new in the hands of the kext that calls. */
static inline void
kpi_own(struct mbuf *m, void *pc)
{
	if (KPI_UNLIKELY(curmachine()->checked))
		m_set_owner(m, gate_kext(), pc);
}

#endif
