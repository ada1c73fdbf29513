/*
 * References to interfaces by kext: one record per kext and interface in the ledger, with a count.
 * A reference that one kext takes and another gives back confuses the records, not the interface.
 */
#include "kpi/kpi_interface_refs.h"

#include "src/kern/gate.h"
#include "src/kern/heap.h"

static void
drop_record(struct ifnet *ifp, struct ifnet_ref *r)
{
	LIST_REMOVE(r, link);
	ledger_strike(ifp->machine, &r->ledger);
	kfree(ifp->machine, r);
}

static struct ifnet_ref *
find_record(struct ifnet *ifp, const struct kext *kext)
{
	struct ifnet_ref *r, *next;

	LIST_FOREACH_SAFE(r, &ifp->kext_refs, link, next) {
		if (r->ledger.kext == kext)
			return r;
		if (r->ledger.kext == NULL)	/* its kext is gone */
			drop_record(ifp, r);
	}
	return NULL;
}

void
kpi_ifnet_record(struct ifnet *ifp, void *pc)
{
	struct kext *kext = gate_kext();
	struct ifnet_ref *r;

	if (kext == NULL)
		return;
	r = find_record(ifp, kext);
	if (r == NULL) {
		r = kalloc(ifp->machine, sizeof *r);
		if (r == NULL)
			return;		/* the ledger knows one reference less */
		r->ifp = ifp;
		LIST_INSERT_HEAD(&ifp->kext_refs, r, link);
		ledger_enter_for(ifp->machine, kext, &r->ledger, LEDGER_INTERFACE_REF, pc);
	}
	r->count++;
}

void
kpi_ifnet_forget(struct ifnet *ifp)
{
	struct kext *kext = gate_kext();
	struct ifnet_ref *r = kext != NULL ? find_record(ifp, kext) : NULL;

	if (r != NULL && --r->count == 0)
		drop_record(ifp, r);
}
