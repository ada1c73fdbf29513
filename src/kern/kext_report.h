/* Naming what a kext owns; for kext.c. */
#ifndef NKE_KERN_KEXT_REPORT_H
#define NKE_KERN_KEXT_REPORT_H

#include "src/kern/kext.h"

/* Appends to a text; what does not fit is cut. */
void kext_say(struct kext_text *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* How many objects and, in checked mode, packets it owns. */
unsigned kext_leaks(struct nke *, const struct kext *);
/*
 * One line per object that the kext owns, with the place it was made, into `text` and, with `log`, the
 * log. Blocks of memory from one place share a line, and so do its packets (known in checked mode only).
 */
void kext_report(struct nke *, struct kext *, bool log, struct kext_text *);
/* The same, to `text` only, for those of its objects through which it can be called. */
void kext_report_holders(struct nke *, struct kext *, struct kext_text *);

#endif
