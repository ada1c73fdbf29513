/*
 * Panics: a kext (or the core) broke a rule that a kernel cannot go on from.
 *
 * The report names machine, kext, callback, packet and place; the machine is dead afterwards and the
 * host call that was in progress returns. Nothing else in the process is affected.
 */
#ifndef NKE_KERN_PANIC_H
#define NKE_KERN_PANIC_H

#include "src/kern/machine.h"

#define PANIC_REPORT_SIZE	8192u

/* Never returns. The text is one sentence: what was done to what, and what was expected. */
_Noreturn void kpanic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The core's own invariants. */
#define KASSERTX(cond, ...) do { if (__builtin_expect(!(cond), 0)) kpanic(__VA_ARGS__); } while (0)

#endif
