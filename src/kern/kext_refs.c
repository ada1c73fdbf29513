/* Which kext holds references to what: see kext_refs.h. */
#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/kext_refs.h"

static void
drop_record(struct nke *m, struct kext_ref *r)
{
	LIST_REMOVE(r, link);
	ledger_strike(m, &r->ledger);
	kfree(m, r);
}

static struct kext_ref *
find_record(struct nke *m, struct kext_refs *refs, const struct kext *kext)
{
	struct kext_ref *r, *next;

	LIST_FOREACH_SAFE(r, refs, link, next) {
		if (r->ledger.kext == kext)
			return r;
		if (r->ledger.kext == NULL)	/* its kext is gone */
			drop_record(m, r);
	}
	return NULL;
}

void
kext_refs_note(struct nke *m, struct kext_refs *refs, const void *object, enum ledger_kind kind, void *pc)
{
	struct kext *kext = gate_kext();
	struct kext_ref *r;

	if (kext == NULL)
		return;
	r = find_record(m, refs, kext);
	if (r == NULL) {
		r = kalloc(m, sizeof *r);
		if (r == NULL)
			return;
		r->object = object;
		LIST_INSERT_HEAD(refs, r, link);
		ledger_enter_for(m, kext, &r->ledger, kind, pc);
	}
	r->count++;
}

void
kext_refs_forget(struct nke *m, struct kext_refs *refs)
{
	struct kext *kext = gate_kext();
	struct kext_ref *r = kext != NULL ? find_record(m, refs, kext) : NULL;

	if (r != NULL && --r->count == 0)
		drop_record(m, r);
}

void
kext_refs_end(struct nke *m, struct kext_refs *refs)
{
	while (!LIST_EMPTY(refs))
		drop_record(m, LIST_FIRST(refs));
}
