/*
 * The interface filter engine: per interface a list of filters, oldest first for everything. DLIL
 * calls it through dlil_filter_ops; kpi/kpi_interfacefilter.c fills it.
 */
#ifndef NKE_IFFILTER_H
#define NKE_IFFILTER_H

#include <net/kpi_interfacefilter.h>

#include "src/kern/filter_counters.h"
#include "src/kern/ledger.h"
#include "src/net/if_private.h"

struct iff_entry {
	TAILQ_ENTRY(iff_entry) link;	/* of its interface */
	TAILQ_ENTRY(iff_entry) all;	/* of the machine */
	struct ifnet *ifp;
	struct iff_filter filter;
	uint32_t id;			/* never reused: what an interface_filter_t really is */
	bool leaving;			/* not called any more; goes when no walk is left */
	bool awaited;			/* by a thread in iff_detach, which will finish it */
	bool gone;			/* iff_detached has been called */
	struct kext *owner;
	struct filter_counters counters;
	struct ledger_entry ledger;
};

struct iff_state {
	TAILQ_HEAD(, iff_entry) all;
	uint32_t last_id;
};

/* Appends a filter. ENOENT: no interface; ENXIO: not attached; ENOMEM. `pc`: for the ledger. */
errno_t iff_attach(struct ifnet *, const struct iff_filter *, struct kext *owner, void *pc,
    uint32_t *id);
/*
 * Detaches it: iff_detached is called in this thread before it returns; only when it is called from
 * within a callback of the same interface, iff_detached comes after the last such callback has
 * returned. Unknown ids are ignored.
 */
void iff_detach(struct nke *, uint32_t id);

#endif
