/*
 * The gate: the one place through which the core calls into kext code.
 *
 * Every callback of a kext is wrapped in GATE_CALL. The frame it leaves on the thread's gate stack
 * answers "whose code is this?" for the ledger, the log and panic reports; on return the gate checks
 * that the callback gave back every lock it took. Cost: a few stores, and two looks at the tick counter,
 * by which the kext knows what it has cost. What filters do with packets passes the gate by
 * gate_enter_on, and is counted and timed by their engines (filter_counters.h).
 *
 *	errno_t error;
 *	GATE_CALL(filter->owner, "iff_input", m, error = filter->iff_input(cookie, ifp, proto, &m, &fh));
 */
#ifndef NKE_KERN_GATE_H
#define NKE_KERN_GATE_H

#include "src/kern/hostcalls.h"
#include "src/kern/kext.h"
#include "src/kern/mbuf.h"
#include "src/kern/thread.h"

struct gate_frame {
	struct gate_frame *outer;
	struct kext *kext;		/* NULL: a client linked in statically, without a kext */
	const char *callback;		/* "iff_input" */
	const struct mbuf *packet;	/* what it was called for; NULL none. May be freed by now */
	const void *object;		/* the interface or socket it is about; NULL: none, or not told */
	uint64_t packet_number;		/* of the capture, 0 none; stays valid */
	uint16_t locks_held;
};

/* Panics: names the kext, the callback and the locks still held. */
_Noreturn void gate_locks_kept(const struct gate_frame *);

static inline uint64_t
gate_packet_number(const struct mbuf *m)
{
	return m != NULL && (m->m_flags & M_PKTHDR) ? m->m_pkthdr.packet_number : 0;
}

static inline void
gate_enter_on(struct thread *t, struct gate_frame *f, struct kext *kext, const char *callback,
    const struct mbuf *packet, uint64_t packet_number)
{
	f->outer = t->gate;
	f->kext = kext;
	f->callback = callback;
	f->packet = packet;
	f->object = NULL;
	f->packet_number = packet_number;
	f->locks_held = t->locks_held;
	t->gate = f;
}

static inline void
gate_leave_on(struct thread *t, struct gate_frame *f)
{
	if (__builtin_expect(t->locks_held != f->locks_held, 0))
		gate_locks_kept(f);
	t->gate = f->outer;
}

static inline void
gate_enter(struct gate_frame *f, struct kext *kext, const char *callback, const struct mbuf *packet,
    uint64_t packet_number)
{
	gate_enter_on(curthread(), f, kext, callback, packet, packet_number);
}

static inline void
gate_leave(struct gate_frame *f)
{
	gate_leave_on(curthread(), f);
}

#define GATE_CALL(kext, callback, packet, ...)	GATE_CALL_ABOUT(kext, callback, NULL, packet, __VA_ARGS__)

/* Ticks that the calling thread has had the CPU for: what it waits for others does not count. */
static inline uint64_t
gate_ticks(const struct kext *kext)
{
	return kext != NULL ? hc_ticks() - curthread()->parked_ticks : 0;
}

/* The kext is told what it has cost since gate_ticks() was `start`. */
static inline void
gate_charge(const struct gate_frame *f, uint64_t start)
{
	if (f->kext != NULL)
		kext_called(f->kext, gate_ticks(f->kext) - start);
}

/* The same for a callback during which a Mac holds a lock of `about`: see kpi_rule.h. */
#define GATE_CALL_ABOUT(kext, callback, about, packet, ...) do {			\
	struct gate_frame gate_frame_;							\
	const uint64_t gate_start_ = gate_ticks(kext);					\
	gate_enter(&gate_frame_, (kext), (callback), (packet), gate_packet_number(packet));	\
	gate_frame_.object = (about);							\
	__VA_ARGS__;									\
	gate_leave(&gate_frame_);							\
	gate_charge(&gate_frame_, gate_start_);						\
} while (0)

/* The kext whose code runs (or called us); NULL in the core's own code. */
static inline struct kext *
gate_kext(void)
{
	const struct gate_frame *f = curthread()->gate;

	return f != NULL ? f->kext : NULL;
}

#endif
