/*
 * IOKit/IOLocks.h: the locks of kern/locks.h under IOKit's names. A handle is the lock itself,
 * but for the recursive lock, which counts how often its owner has taken it.
 */
#include <IOKit/IOLocks.h>
#include <kern/sched_prim.h>

#include "src/kern/heap.h"
#include "src/kern/lock.h"
#include "src/kern/panic.h"

static lck_mtx_t *
mutex(IOLock *lock)
{
	return (lck_mtx_t *)lock;
}

static lck_rw_t *
rw(IORWLock *lock)
{
	return (lck_rw_t *)lock;
}

static lck_spin_t *
spin(IOSimpleLock *lock)
{
	return (lck_spin_t *)lock;
}

/* ---- mutexes ------------------------------------------------------------------------------ */

IOLock *
IOLockAlloc(void)
{
	return (IOLock *)lck_mtx_alloc_init(LCK_GRP_NULL, LCK_ATTR_NULL);
}

void
IOLockFree(IOLock *lock)
{
	lck_mtx_free(mutex(lock), LCK_GRP_NULL);
}

lck_mtx_t *
IOLockGetMachLock(IOLock *lock)
{
	return mutex(lock);
}

void
IOLockLock(IOLock *lock)
{
	lck_mtx_lock(mutex(lock));
}

boolean_t
IOLockTryLock(IOLock *lock)
{
	return lock_try((struct lock_word *)lock, LOCK_MUTEX);
}

void
IOLockUnlock(IOLock *lock)
{
	lck_mtx_unlock(mutex(lock));
}

int
IOLockSleep(IOLock *lock, void *event, UInt32 interType)
{
	return lck_mtx_sleep(mutex(lock), LCK_SLEEP_DEFAULT, event, (wait_interrupt_t)interType);
}

int
IOLockSleepDeadline(IOLock *lock, void *event, AbsoluteTime deadline, UInt32 interType)
{
	return lck_mtx_sleep_deadline(mutex(lock), LCK_SLEEP_DEFAULT, event,
	    (wait_interrupt_t)interType, deadline);
}

void
IOLockWakeup(IOLock *lock, void *event, bool oneThread)
{
	(void)lock;
	thread_wakeup_prim(event, oneThread, THREAD_AWAKENED);
}

/* ---- recursive mutexes -------------------------------------------------------------------- */

struct _IORecursiveLock {
	lck_mtx_t *mutex;
	const struct thread *owner;
	uint32_t count;
};

IORecursiveLock *
IORecursiveLockAlloc(void)
{
	struct nke *m = curmachine();
	IORecursiveLock *lock = heap_alloc(m, sizeof *lock, HEAP_ZERO, HEAP_LOCK);

	if (lock == NULL)
		return NULL;
	lock->mutex = lck_mtx_alloc_init(LCK_GRP_NULL, LCK_ATTR_NULL);
	if (lock->mutex != NULL)
		return lock;
	heap_free(m, lock, HEAP_LOCK);
	return NULL;
}

void
IORecursiveLockFree(IORecursiveLock *lock)
{
	struct nke *m = curmachine();
	void *pc = __builtin_return_address(0);

	heap_check(m, lock, HEAP_LOCK, pc);
	lck_mtx_free(lock->mutex, LCK_GRP_NULL);
	heap_free_for(m, lock, HEAP_LOCK, pc);
}

lck_mtx_t *
IORecursiveLockGetMachLock(IORecursiveLock *lock)
{
	return lock->mutex;
}

boolean_t
IORecursiveLockHaveLock(const IORecursiveLock *lock)
{
	return lock->owner == curthread();
}

void
IORecursiveLockLock(IORecursiveLock *lock)
{
	if (lock->owner != curthread()) {
		lck_mtx_lock(lock->mutex);
		lock->owner = curthread();
	}
	lock->count++;
}

boolean_t
IORecursiveLockTryLock(IORecursiveLock *lock)
{
	if (lock->owner != curthread()) {
		if (!lock_try((struct lock_word *)lock->mutex, LOCK_MUTEX))
			return 0;
		lock->owner = curthread();
	}
	lock->count++;
	return 1;
}

void
IORecursiveLockUnlock(IORecursiveLock *lock)
{
	if (lock->owner != curthread())
		kpanic("IORecursiveLockUnlock: the thread does not hold the lock %p", (void *)lock);
	if (--lock->count > 0)
		return;
	lock->owner = NULL;
	lck_mtx_unlock(lock->mutex);
}

/* Lets the lock go however often it was taken, and takes it as often again. */
int
IORecursiveLockSleepDeadline(IORecursiveLock *lock, void *event, AbsoluteTime deadline,
    UInt32 interType)
{
	uint32_t count = lock->count;
	int result;

	if (lock->owner != curthread())
		kpanic("IORecursiveLockSleep: the thread does not hold the lock %p", (void *)lock);
	lock->owner = NULL;
	lock->count = 0;
	if (deadline == 0)
		result = lck_mtx_sleep(lock->mutex, LCK_SLEEP_DEFAULT, event,
		    (wait_interrupt_t)interType);
	else
		result = lck_mtx_sleep_deadline(lock->mutex, LCK_SLEEP_DEFAULT, event,
		    (wait_interrupt_t)interType, deadline);
	lock->owner = curthread();
	lock->count = count;
	return result;
}

int
IORecursiveLockSleep(IORecursiveLock *lock, void *event, UInt32 interType)
{
	return IORecursiveLockSleepDeadline(lock, event, 0, interType);
}

void
IORecursiveLockWakeup(IORecursiveLock *lock, void *event, bool oneThread)
{
	(void)lock;
	thread_wakeup_prim(event, oneThread, THREAD_AWAKENED);
}

/* ---- read-write locks --------------------------------------------------------------------- */

IORWLock *
IORWLockAlloc(void)
{
	return (IORWLock *)lck_rw_alloc_init(LCK_GRP_NULL, LCK_ATTR_NULL);
}

void
IORWLockFree(IORWLock *lock)
{
	lck_rw_free(rw(lock), LCK_GRP_NULL);
}

lck_rw_t *
IORWLockGetMachLock(IORWLock *lock)
{
	return rw(lock);
}

void
IORWLockRead(IORWLock *lock)
{
	lck_rw_lock_shared(rw(lock));
}

void
IORWLockWrite(IORWLock *lock)
{
	lck_rw_lock_exclusive(rw(lock));
}

void
IORWLockUnlock(IORWLock *lock)
{
	if (lock_readers((struct lock_word *)lock) > 0)
		lck_rw_unlock_shared(rw(lock));
	else
		lck_rw_unlock_exclusive(rw(lock));
}

/* ---- spin locks --------------------------------------------------------------------------- */

IOSimpleLock *
IOSimpleLockAlloc(void)
{
	return (IOSimpleLock *)lck_spin_alloc_init(LCK_GRP_NULL, LCK_ATTR_NULL);
}

void
IOSimpleLockFree(IOSimpleLock *lock)
{
	lck_spin_free(spin(lock), LCK_GRP_NULL);
}

lck_spin_t *
IOSimpleLockGetMachLock(IOSimpleLock *lock)
{
	return spin(lock);
}

void
IOSimpleLockInit(IOSimpleLock *lock)
{
	lck_spin_init(spin(lock), LCK_GRP_NULL, LCK_ATTR_NULL);
}

void
IOSimpleLockLock(IOSimpleLock *lock)
{
	lck_spin_lock(spin(lock));
}

boolean_t
IOSimpleLockTryLock(IOSimpleLock *lock)
{
	return lock_try((struct lock_word *)lock, LOCK_SPIN);
}

void
IOSimpleLockUnlock(IOSimpleLock *lock)
{
	lck_spin_unlock(spin(lock));
}
