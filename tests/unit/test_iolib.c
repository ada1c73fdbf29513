/* kpi/IOLib.c, IOLocks.c, semaphore.c, debug.c, OSDebug.c, uio.c, conf.c, vnode.c, pexpert.c */
#include <IOKit/IOLib.h>
#include <IOKit/IOPlatformExpert.h>
#include <kern/assert.h>
#include <kern/debug.h>
#include <kern/task.h>
#include <libkern/OSDebug.h>
#include <mach/semaphore.h>
#include <mach/task.h>
#include <miscfs/devfs/devfs.h>
#include <string.h>
#include <sys/conf.h>
#include <sys/errno.h>
#include <sys/kernel.h>
#include <sys/uio.h>
#include <sys/vnode.h>
#include <vm/vm_kern.h>

#include "src/kern/sched.h"
#include "tests/unit/ktest.h"

KTEST(memory)
{
	char *p = IOMallocZero(10);
	vm_offset_t pages = 0;

	CHECK_EQ(p[9], 0);
	IOFree(p, 10);
	p = IOMallocAligned(100, 256);
	CHECK_EQ((uintptr_t)p % 256, 0);
	IOFreeAligned(p, 100);
	p = IOMallocPageable(5000, 0);
	CHECK_EQ((uintptr_t)p % 4096, 0);
	IOFreePageable(p, 5000);
	CHECK(IOMalloc(0) == NULL);
	IOFree(NULL, 10);
	CHECK_EQ(kmem_alloc(kernel_map, &pages, 5000), KERN_SUCCESS);
	CHECK_EQ(((char *)pages)[8191], 0);
	kmem_free(kernel_map, pages, 5000);
}

KTEST_PANICS(a_wrong_size_is_named, "wrong size: 9 bytes, but it has 10")
{
	IOFree(IOMalloc(10), 9);
}

KTEST_PANICS(a_wrong_family_is_named, "was allocated with IOMallocAligned")
{
	IOFree(IOMallocAligned(10, 16), 10);
}

KTEST(sleeping_takes_its_time)
{
	uint64_t before = machine_now(curmachine());

	IOSleep(20);
	CHECK_EQ(machine_now(curmachine()) - before, 20000000);
	IOSleepWithLeeway(5, 1000);
	CHECK_EQ(machine_now(curmachine()) - before, 25000000);
	IODelay(7);
	CHECK_EQ(machine_now(curmachine()) - before, 25007000);
	IOSleep(0);
	CHECK_EQ(machine_now(curmachine()) - before, 25007000);
}

KTEST(names_and_numbers)
{
	static const IONamedValue table[] = {{1, "one"}, {2, "two"}, {0, NULL}};
	int value = 0;

	CHECK_STR(IOFindNameForValue(2, table), "two");
	CHECK_STR(IOFindNameForValue(31, table), "0x1f (UNDEFINED)");
	CHECK_EQ(IOFindValueForName("one", table, &value), kIOReturnSuccess);
	CHECK_EQ(value, 1);
	CHECK_EQ(IOFindValueForName("six", table, &value), kIOReturnBadArgument);
	CHECK_EQ(IOSizeToAlignment(4096), 12);
	CHECK_EQ(IOSizeToAlignment(4097), 13);
	CHECK_EQ(IOAlignmentToSize(12), 4096);
	CHECK_EQ(IOFixedMultiply(0x18000, 0x20000), 0x30000);
	CHECK_EQ(IOFixedDivide(-0x30000, 0x20000), -0x18000);
}

static int steps;
static semaphore_t semaphore;

static void
thread_body(void *arg)
{
	(void)arg;
	steps++;
	IOSleep(10);
	steps++;
	semaphore_signal(semaphore);
	IOExitThread();
}

KTEST(threads_and_semaphores)
{
	mach_timespec_t millisecond = {0, 1000000}, none = {0, 0}, second = {1, 0};

	steps = 0;
	CHECK_EQ(semaphore_create(kernel_task, &semaphore, SYNC_POLICY_FIFO, 1), KERN_SUCCESS);
	CHECK_EQ(semaphore_wait(semaphore), KERN_SUCCESS);
	CHECK_EQ(semaphore_timedwait(semaphore, none), KERN_OPERATION_TIMED_OUT);
	CHECK(IOCreateThread(thread_body, NULL) != NULL);
	CHECK_EQ(semaphore_timedwait(semaphore, millisecond), KERN_OPERATION_TIMED_OUT);
	CHECK_EQ(steps, 1);
	CHECK_EQ(semaphore_timedwait(semaphore, second), KERN_SUCCESS);
	CHECK_EQ(steps, 2);
	semaphore_signal(semaphore);
	semaphore_signal(semaphore);
	CHECK_EQ(semaphore_wait(semaphore), KERN_SUCCESS);
	CHECK_EQ(semaphore_wait(semaphore), KERN_SUCCESS);
	CHECK_EQ(semaphore_create(kernel_task, &semaphore, SYNC_POLICY_FIFO, -1), KERN_INVALID_ARGUMENT);
	CHECK_EQ(semaphore_destroy(kernel_task, semaphore), KERN_SUCCESS);
}

static void
destroyer(void *arg)
{
	(void)arg;
	IOSleep(1);
	semaphore_destroy(kernel_task, semaphore);
}

KTEST(a_semaphore_may_be_destroyed_under_its_waiter)
{
	CHECK_EQ(semaphore_create(kernel_task, &semaphore, SYNC_POLICY_FIFO, 0), KERN_SUCCESS);
	CHECK(IOCreateThread(destroyer, NULL) != NULL);
	CHECK_EQ(semaphore_wait(semaphore), KERN_TERMINATED);
}

KTEST(locks)
{
	IOLock *lock = IOLockAlloc();
	IORWLock *rw = IORWLockAlloc();
	IOSimpleLock *spin = IOSimpleLockAlloc();

	IOLockLock(lock);
	CHECK(!IOLockTryLock(lock));
	IOLockUnlock(lock);
	CHECK(IOLockTryLock(lock));
	IOLockUnlock(lock);
	IOLockFree(lock);
	IORWLockRead(rw);
	IORWLockRead(rw);
	IORWLockUnlock(rw);
	IORWLockUnlock(rw);
	IORWLockWrite(rw);
	IORWLockUnlock(rw);
	IORWLockFree(rw);
	IOSimpleLockLock(spin);
	IOSimpleLockUnlock(spin);
	CHECK(IOSimpleLockTryLock(spin));
	IOSimpleLockUnlock(spin);
	IOSimpleLockFree(spin);
}

static IORecursiveLock *recursive;

static void
waker(void *arg)
{
	IORecursiveLockLock(recursive);
	steps = 1;
	IORecursiveLockWakeup(recursive, arg, true);
	IORecursiveLockUnlock(recursive);
}

KTEST(recursive_locks)
{
	static int event;

	steps = 0;
	recursive = IORecursiveLockAlloc();
	CHECK(!IORecursiveLockHaveLock(recursive));
	IORecursiveLockLock(recursive);
	CHECK(IORecursiveLockTryLock(recursive));
	CHECK(IORecursiveLockHaveLock(recursive));
	CHECK(IOCreateThread(waker, &event) != NULL);
	CHECK_EQ(IORecursiveLockSleep(recursive, &event, THREAD_UNINT), THREAD_AWAKENED);
	CHECK_EQ(steps, 1);
	IORecursiveLockUnlock(recursive);
	CHECK(IORecursiveLockHaveLock(recursive));
	IORecursiveLockUnlock(recursive);
	CHECK(!IORecursiveLockHaveLock(recursive));
	IORecursiveLockFree(recursive);
}

KTEST_PANICS(a_recursive_lock_of_another, "does not hold the lock")
{
	IORecursiveLockUnlock(IORecursiveLockAlloc());
}

KTEST_PANICS(a_panic_carries_its_text, "ring 3 of 4 is broken")
{
	panic("ring %d of %d is broken\n", 3, 4);
}

KTEST_PANICS(an_assertion_names_its_place, "assertion failed: a == b, at file.c:12")
{
	Assert("file.c", 12, "a == b");
}

KTEST(backtraces)
{
	void *pcs[4];

	CHECK(OSBacktrace(pcs, 4) >= 1);
	OSReportWithBacktrace("here is %d", 5);
	CHECK(ktest_log_contains("here is 5\n"));
}

KTEST(transfers_between_buffers)
{
	char a[4], b[8], source[] = "abcdefgh";
	uio_t u = uio_create(2, 100, UIO_SYSSPACE, UIO_READ);
	user_addr_t base;
	user_size_t length;

	CHECK_EQ(uio_addiov(u, (user_addr_t)(uintptr_t)a, 3), 0);
	CHECK_EQ(uio_addiov(u, (user_addr_t)(uintptr_t)b, 8), 0);
	CHECK_EQ(uio_addiov(u, 0, 1), -1);
	CHECK_EQ(uio_resid(u), 11);
	CHECK_EQ(uiomove(source, 5, u), 0);
	CHECK_EQ(memcmp(a, "abc", 3), 0);
	CHECK_EQ(memcmp(b, "de", 2), 0);
	CHECK_EQ(uio_resid(u), 6);
	CHECK_EQ(uio_offset(u), 105);
	CHECK_EQ(uio_iovcnt(u), 1);
	CHECK_EQ(uio_getiov(u, 0, &base, &length), 0);
	CHECK_EQ(length, 6);
	CHECK_EQ(uio_getiov(u, 1, &base, &length), -1);
	uio_update(u, 4);
	CHECK_EQ(uio_curriovlen(u), 2);
	CHECK_EQ(uiomove(source, 8, u), 0);
	CHECK_EQ(memcmp(b + 6, "ab", 2), 0);
	CHECK_EQ(uio_resid(u), 0);
	uio_free(u);
}

KTEST(devices_and_files)
{
	struct cdevsw table = {.d_type = 3};
	char name[16];
	vnode_t vp;
	void *node;
	int major = cdevsw_add(-1, &table);

	CHECK(major >= 0);
	CHECK_EQ(cdevsw_add(major, &table), -1);
	node = devfs_make_node(makedev((unsigned)major, 0), DEVFS_CHAR, 0, 0, 0600, "unit%d", 1);
	CHECK(node != NULL);
	devfs_remove(node);
	CHECK_EQ(cdevsw_remove(major, &table), major);
	CHECK_EQ(cdevsw_remove(major, &table), -1);
	CHECK_EQ(vnode_open("/etc/hosts", 1, 0, 0, &vp, vfs_context_current()), ENOENT);
	CHECK(ktest_log_contains("/etc/hosts"));
	CHECK(PEGetModelName(name, sizeof name));
	CHECK_STR(name, "libnke");
	populate_model_name(name);
	CHECK_EQ(hz, 100);
}

KTEST_SUITE(iolib, T(memory), T(a_wrong_size_is_named), T(a_wrong_family_is_named),
    T(sleeping_takes_its_time), T(names_and_numbers), T(threads_and_semaphores),
    T(a_semaphore_may_be_destroyed_under_its_waiter), T(locks), T(recursive_locks),
    T(a_recursive_lock_of_another), T(a_panic_carries_its_text), T(an_assertion_names_its_place),
    T(backtraces), T(transfers_between_buffers), T(devices_and_files));
