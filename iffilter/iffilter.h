/*
 * The interface filter engine: per interface a list of filters, oldest first for everything. DLIL
 * calls it through dlil_filter_ops; kpi/kpi_interfacefilter.c fills it.
 */
#ifndef NKE_IFFILTER_H
#define NKE_IFFILTER_H

#include "src/net/if_filter.h"

struct iff_state {
	TAILQ_HEAD(, iff_entry) all;
	uint32_t last_id;
};

/* Appends a filter. ENOENT: no interface; ENXIO: not attached; ENOMEM. `pc`: for the ledger. */
errno_t iff_attach(struct ifnet *, const struct iff_filter *, struct kext *owner, void *pc,
    uint32_t *id);
/* The interface of that filter; NULL: there is no such filter. */
struct ifnet *iff_interface(struct nke *, uint32_t id);
/*
 * Detaches it: iff_detached is called in this thread before it returns; only when it is called from
 * within a callback of the same interface, iff_detached comes after the last such callback has
 * returned. Unknown ids are ignored.
 */
void iff_detach(struct nke *, uint32_t id);

#endif
