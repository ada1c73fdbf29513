/*
 * References to an object of the core by kext, for the ledger: one record per kext that holds any, with a
 * count. The object has a list of them. A reference that one kext takes and another gives back confuses the
 * records, not the object.
 */
#ifndef NKE_KERN_KEXT_REFS_H
#define NKE_KERN_KEXT_REFS_H

#include "src/kern/ledger.h"

struct kext_ref {
	LIST_ENTRY(kext_ref) link;
	const void *object;
	uint32_t count;
	struct ledger_entry ledger;
};
LIST_HEAD(kext_refs, kext_ref);

/*
 * The kext that calls got a reference to `object`, whose list it is; nothing outside kexts. `pc` as in
 * ledger_enter. Without memory the ledger knows one reference less.
 */
void kext_refs_note(struct nke *, struct kext_refs *, const void *object, enum ledger_kind, void *pc);
/* It gave one back. */
void kext_refs_forget(struct nke *, struct kext_refs *);
/* The object goes. */
void kext_refs_end(struct nke *, struct kext_refs *);

#endif
