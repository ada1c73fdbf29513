/*
 * The engine of mutexes, read-write locks and spin locks. kpi/locks.c is its face for kexts; the
 * core itself needs no locks.
 *
 * A lock is two words of the caller's memory and needs no other: the first says who holds it, the
 * second which group it belongs to. Waiters are found through the scheduler's wait queues, first
 * come first served: the holder that lets go hands the lock to the first waiter.
 */
#ifndef NKE_KERN_LOCK_H
#define NKE_KERN_LOCK_H

#include "src/kern/ledger.h"
#include "src/kern/machine.h"
#include "src/kern/thread.h"

struct lock_group {
	struct ledger_entry ledger;
	struct nke *machine;
	uint32_t references;		/* its locks, and its maker until lck_grp_free */
	uint32_t locks;
	uint64_t taken, contended;
	char name[64];
};

/* The first word: LOCK_FREE, LOCK_DESTROYED, or a thread or a number of readers, and flags. */
struct lock_word {
	uintptr_t state;
	struct lock_group *group;	/* NULL: never initialised, or no group given */
};
_Static_assert(sizeof(struct lock_word) == 16 || sizeof(void *) != 8, "lck_mtx_t has 16 bytes");

#define LOCK_FREE	((uintptr_t)0)
#define LOCK_WAITERS	((uintptr_t)1)	/* somebody is queued */
#define LOCK_SHARED	((uintptr_t)2)	/* held by readers: their number is in the bits from 6 on */
#define LOCK_UPGRADE	((uintptr_t)4)	/* a reader waits to become the writer */
#define LOCK_FLAGS	((uintptr_t)63)
#define LOCK_READER	((uintptr_t)64)
#define LOCK_DESTROYED	((uintptr_t)0xdead1000)

enum lock_kind { LOCK_MUTEX, LOCK_RW, LOCK_SPIN };
enum lock_mode { LOCK_EXCLUSIVE_MODE, LOCK_SHARED_MODE, LOCK_UPGRADE_MODE };

void lock_init(struct lock_word *, struct lock_group *);
/* Panics when it is held or was destroyed already. */
void lock_destroy(struct lock_word *, enum lock_kind);

void lock_acquire(struct lock_word *, enum lock_kind);
bool lock_try(struct lock_word *, enum lock_kind);
void lock_release(struct lock_word *, enum lock_kind);

void lock_acquire_shared(struct lock_word *);
bool lock_try_shared(struct lock_word *);
void lock_release_shared(struct lock_word *);
/* False when another reader is waiting to upgrade: the lock is let go then. */
bool lock_upgrade(struct lock_word *);
void lock_downgrade(struct lock_word *);

static inline struct thread *
lock_owner(const struct lock_word *l)
{
	return l->state & LOCK_SHARED ? NULL : (struct thread *)(l->state & ~LOCK_FLAGS);
}
static inline bool
lock_mine(const struct lock_word *l)
{
	return l->state != LOCK_FREE && lock_owner(l) == curthread();
}
static inline uintptr_t
lock_readers(const struct lock_word *l)
{
	return l->state & LOCK_SHARED ? l->state / LOCK_READER : 0;
}
/* `mutex 0x7f.. of group "sc"`, also for memory that is no lock any more. */
void lock_describe(const struct lock_word *, enum lock_kind, char *text, size_t size);
/* Who holds the lock that a thread waits for (thread.wait_lock); NULL: readers, or nobody. */
const struct thread *lock_holder(const void *lock);

struct lock_group *lock_group_create(struct nke *, const char *name, void *pc);
void lock_group_release(struct lock_group *);

#endif
