/*
 * The one door between the core and the real operating system.
 *
 * The core calls nothing else that it does not define itself; a port is one new implementation of
 * these functions (src/host). Only the compiler's own headers are used here, because both sides
 * include it: the core with Darwin's types, the host with libc's.
 */
#ifndef NKE_HOSTCALLS_H
#define NKE_HOSTCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- memory ------------------------------------------------------------------------------- */

/* `size` bytes aligned to 16, not zeroed; NULL when the host has no more. Release with hc_free. */
void *hc_alloc(size_t size);
/* `size` bytes aligned to `align` (a power of two, at least 16). Release with hc_free. */
void *hc_alloc_aligned(size_t align, size_t size);
void hc_free(void *p);

/* ---- time and randomness ------------------------------------------------------------------ */

uint64_t hc_monotonic_ns(void);	/* nanoseconds since some fixed point; never goes back */
uint64_t hc_calendar_ns(void);	/* nanoseconds since 1970-01-01 UTC */
void hc_random(void *buf, size_t len);

/*
 * A cheap, monotonic tick counter for measuring callbacks (the CPU's cycle counter where there is
 * one) and what a tick is worth: nanoseconds = ticks * hc_ticks_to_ns.
 */
#if defined(__x86_64__)
static inline uint64_t
hc_ticks(void)
{
	return __builtin_ia32_rdtsc();
}
#else
uint64_t hc_ticks(void);
#endif
double hc_ns_per_tick(void);

/* ---- threads ------------------------------------------------------------------------------ */

typedef struct hc_mutex hc_mutex_t;	/* plain, not recursive */
typedef struct hc_parker hc_parker_t;	/* where one thread waits to be let go on */
typedef struct hc_thread hc_thread_t;

hc_mutex_t *hc_mutex_create(void);
void hc_mutex_destroy(hc_mutex_t *);
void hc_mutex_lock(hc_mutex_t *);
void hc_mutex_unlock(hc_mutex_t *);

hc_parker_t *hc_parker_create(void);
void hc_parker_destroy(hc_parker_t *);
/*
 * Waits until hc_unpark has been called once more than this has returned (an unpark that comes
 * first is kept), or until hc_monotonic_ns() reaches `deadline_ns` (0: no deadline). True when
 * unparked, false when the deadline came first.
 */
bool hc_park(hc_parker_t *, uint64_t deadline_ns);
void hc_unpark(hc_parker_t *);

/* Starts fn(arg) on a new host thread. NULL when the host has no more threads. */
hc_thread_t *hc_thread_create(void (*fn)(void *), void *arg);
void hc_thread_join(hc_thread_t *);

/*
 * The calling host thread as a thing that others can hold and ask about: no two threads that anybody still
 * knows are the same one, also when one has ended. Borrowed: valid while the thread lives or it is retained.
 * NULL: it has none yet and `make` is false, or there is no memory.
 */
typedef struct hc_self hc_self_t;
hc_self_t *hc_self(bool make);
void hc_self_retain(hc_self_t *);
void hc_self_release(hc_self_t *);
bool hc_self_ended(const hc_self_t *);

/* ---- leaving the core in a hurry ---------------------------------------------------------- */

/*
 * Runs fn(arg). True when it returned; false when hc_throw(*slot) was called below it. `*slot` is
 * the innermost catch of this thread and is restored in both cases. Used for panics only.
 */
bool hc_catch(void **slot, void (*fn)(void *), void *arg);
_Noreturn void hc_throw(void *catcher);
/* Nothing to throw to: say so and end the process. */
_Noreturn void hc_abort(const char *why);

/* ---- debugging ---------------------------------------------------------------------------- */

/* Up to `max` return addresses of the caller's stack, innermost first. */
unsigned hc_backtrace(void **pcs, unsigned max);
/* "image`function+0x12" or "0x7f.." of a code address, always terminated. */
void hc_symbolize(const void *pc, char *buf, size_t size);

#endif
