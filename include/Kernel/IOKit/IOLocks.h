/*
 * IOKit's locks: mutex, recursive mutex, read-write lock and spin lock. They are kern/locks.h's
 * under other names, and the same rules hold.
 */
#ifndef _IOKIT_IOLOCKS_H_
#define _IOKIT_IOLOCKS_H_

#include <sys/cdefs.h>
#include <sys/appleapiopts.h>
#include <IOKit/IOTypes.h>
#include <kern/locks.h>

typedef struct _IOLock IOLock;
typedef struct _IORecursiveLock IORecursiveLock;
typedef struct _IORWLock IORWLock;
typedef struct _IOSimpleLock IOSimpleLock;
typedef long int IOInterruptState;

#define kIOLockStateUnlocked 0
#define kIOLockStateLocked 1

__BEGIN_DECLS

/* NULL without memory. */
IOLock *IOLockAlloc(void);
void IOLockFree(IOLock *lock);
lck_mtx_t *IOLockGetMachLock(IOLock *lock);
void IOLockLock(IOLock *lock);
boolean_t IOLockTryLock(IOLock *lock);
void IOLockUnlock(IOLock *lock);
/* Lets the lock go, sleeps until `event` is woken, takes it again; results as lck_mtx_sleep. */
int IOLockSleep(IOLock *lock, void *event, UInt32 interType);
int IOLockSleepDeadline(IOLock *lock, void *event, AbsoluteTime deadline, UInt32 interType);
void IOLockWakeup(IOLock *lock, void *event, bool oneThread);

IORecursiveLock *IORecursiveLockAlloc(void);
void IORecursiveLockFree(IORecursiveLock *lock);
lck_mtx_t *IORecursiveLockGetMachLock(IORecursiveLock *lock);
void IORecursiveLockLock(IORecursiveLock *lock);
boolean_t IORecursiveLockTryLock(IORecursiveLock *lock);
void IORecursiveLockUnlock(IORecursiveLock *lock);
boolean_t IORecursiveLockHaveLock(const IORecursiveLock *lock);
int IORecursiveLockSleep(IORecursiveLock *lock, void *event, UInt32 interType);
int IORecursiveLockSleepDeadline(IORecursiveLock *lock, void *event, AbsoluteTime deadline,
    UInt32 interType);
void IORecursiveLockWakeup(IORecursiveLock *lock, void *event, bool oneThread);

IORWLock *IORWLockAlloc(void);
void IORWLockFree(IORWLock *lock);
lck_rw_t *IORWLockGetMachLock(IORWLock *lock);
void IORWLockRead(IORWLock *lock);
void IORWLockWrite(IORWLock *lock);
void IORWLockUnlock(IORWLock *lock);

IOSimpleLock *IOSimpleLockAlloc(void);
void IOSimpleLockFree(IOSimpleLock *lock);
lck_spin_t *IOSimpleLockGetMachLock(IOSimpleLock *lock);
void IOSimpleLockInit(IOSimpleLock *lock);
void IOSimpleLockLock(IOSimpleLock *lock);
boolean_t IOSimpleLockTryLock(IOSimpleLock *lock);
void IOSimpleLockUnlock(IOSimpleLock *lock);

__END_DECLS

/* There are no interrupts; the state is only handed back. */
static inline IOInterruptState
IOSimpleLockLockDisableInterrupt(IOSimpleLock *lock)
{
	IOSimpleLockLock(lock);
	return 0;
}

static inline void
IOSimpleLockUnlockEnableInterrupt(IOSimpleLock *lock, IOInterruptState state)
{
	(void)state;
	IOSimpleLockUnlock(lock);
}

#endif
