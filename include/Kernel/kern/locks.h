/*
 * Groups, attributes and the three kinds of lock. Locks hold one machine's kernel threads apart:
 * taking a contended mutex or read-write lock sleeps; nothing may sleep under a spin lock. The
 * machine has one CPU, so a lock is never contended unless its holder slept.
 *
 * alloc_init allocates what free gives back; init and destroy are for a lock in the caller's own
 * memory. Freeing or destroying a held lock, unlocking one that the caller does not hold, and
 * taking a mutex or a spin lock twice are panics.
 */
#ifndef _KERN_LOCKS_H_
#define _KERN_LOCKS_H_

#include <sys/cdefs.h>
#include <sys/types.h>
#include <mach/boolean.h>
#include <mach/mach_types.h>
#include <kern/kern_types.h>
#include <kern/lock_group.h>
#include <machine/locks.h>

typedef unsigned int lck_sleep_action_t;

/* What a sleep does with the lock: takes it again in the old mode unless told otherwise. */
#define LCK_SLEEP_DEFAULT 0x00
#define LCK_SLEEP_UNLOCK 0x01
#define LCK_SLEEP_SHARED 0x02
#define LCK_SLEEP_EXCLUSIVE 0x04
#define LCK_SLEEP_SPIN 0x08
#define LCK_SLEEP_PROMOTED_PRI 0x10
#define LCK_SLEEP_SPIN_ALWAYS 0x20
#define LCK_SLEEP_MASK 0x3f

typedef unsigned int lck_wake_action_t;

#define LCK_WAKE_DEFAULT 0x00
#define LCK_WAKE_DO_NOT_TRANSFER_PUSH 0x01

typedef struct __lck_attr__ lck_attr_t;
#define LCK_ATTR_NULL ((lck_attr_t *)0)

typedef unsigned int lck_rw_type_t;
#define LCK_RW_TYPE_SHARED 0x01
#define LCK_RW_TYPE_EXCLUSIVE 0x02

#define LCK_ASSERT_OWNED 1
#define LCK_ASSERT_NOTOWNED 2
#define LCK_MTX_ASSERT_OWNED LCK_ASSERT_OWNED
#define LCK_MTX_ASSERT_NOTOWNED LCK_ASSERT_NOTOWNED

__BEGIN_DECLS

/* Attributes: whether a lock is watched more closely. */

lck_attr_t *lck_attr_alloc_init(void);
void lck_attr_free(lck_attr_t *attr);
void lck_attr_setdefault(lck_attr_t *attr);
void lck_attr_setdebug(lck_attr_t *attr);
void lck_attr_cleardebug(lck_attr_t *attr);

/* Spin locks. */

lck_spin_t *lck_spin_alloc_init(lck_grp_t *grp, lck_attr_t *attr);
void lck_spin_init(lck_spin_t *lck, lck_grp_t *grp, lck_attr_t *attr);
void lck_spin_lock(lck_spin_t *lck);
void lck_spin_lock_grp(lck_spin_t *lck, lck_grp_t *grp);
void lck_spin_unlock(lck_spin_t *lck);
void lck_spin_destroy(lck_spin_t *lck, lck_grp_t *grp);
void lck_spin_free(lck_spin_t *lck, lck_grp_t *grp);
/*
 * Gives up the held lock, sleeps until `event` is woken (THREAD_AWAKENED), the deadline in
 * absolute time has come (THREAD_TIMED_OUT) or an interruptible thread is told to end
 * (THREAD_INTERRUPTED), and takes the lock again unless the action says LCK_SLEEP_UNLOCK. The
 * same for lck_mtx_sleep and lck_rw_sleep below.
 */
wait_result_t lck_spin_sleep(lck_spin_t *lck, lck_sleep_action_t action, event_t event,
    wait_interrupt_t interruptible);
wait_result_t lck_spin_sleep_grp(lck_spin_t *lck, lck_sleep_action_t action, event_t event,
    wait_interrupt_t interruptible, lck_grp_t *grp);
wait_result_t lck_spin_sleep_deadline(lck_spin_t *lck, lck_sleep_action_t action, event_t event,
    wait_interrupt_t interruptible, uint64_t deadline);

/* Mutexes. */

lck_mtx_t *lck_mtx_alloc_init(lck_grp_t *grp, lck_attr_t *attr);
void lck_mtx_init(lck_mtx_t *lck, lck_grp_t *grp, lck_attr_t *attr);
/* Sleeps while another thread holds it. */
void lck_mtx_lock(lck_mtx_t *lck);
void lck_mtx_unlock(lck_mtx_t *lck);
void lck_mtx_destroy(lck_mtx_t *lck, lck_grp_t *grp);
void lck_mtx_free(lck_mtx_t *lck, lck_grp_t *grp);
wait_result_t lck_mtx_sleep(lck_mtx_t *lck, lck_sleep_action_t action, event_t event,
    wait_interrupt_t interruptible);
wait_result_t lck_mtx_sleep_deadline(lck_mtx_t *lck, lck_sleep_action_t action, event_t event,
    wait_interrupt_t interruptible, uint64_t deadline);
/* Panics when the calling thread's hold on the lock is not as LCK_MTX_ASSERT_* says. */
void lck_mtx_assert(lck_mtx_t *lck, unsigned int type);

/* Read-write locks: many readers or one writer; a waiting writer holds new readers off. */

lck_rw_t *lck_rw_alloc_init(lck_grp_t *grp, lck_attr_t *attr);
void lck_rw_init(lck_rw_t *lck, lck_grp_t *grp, lck_attr_t *attr);
void lck_rw_lock(lck_rw_t *lck, lck_rw_type_t type);
/* Never sleeps: TRUE when taken. */
boolean_t lck_rw_try_lock(lck_rw_t *lck, lck_rw_type_t type);
void lck_rw_unlock(lck_rw_t *lck, lck_rw_type_t type);
void lck_rw_lock_shared(lck_rw_t *lck);
void lck_rw_unlock_shared(lck_rw_t *lck);
/* Lets a waiting writer go first; TRUE when it did let go. `force`: even if nobody waits. */
boolean_t lck_rw_lock_yield_shared(lck_rw_t *lck, boolean_t force);
void lck_rw_lock_exclusive(lck_rw_t *lck);
void lck_rw_unlock_exclusive(lck_rw_t *lck);
/* FALSE when another reader upgrades already: the shared lock is then gone. */
boolean_t lck_rw_lock_shared_to_exclusive(lck_rw_t *lck);
void lck_rw_lock_exclusive_to_shared(lck_rw_t *lck);
void lck_rw_destroy(lck_rw_t *lck, lck_grp_t *grp);
void lck_rw_free(lck_rw_t *lck, lck_grp_t *grp);
wait_result_t lck_rw_sleep(lck_rw_t *lck, lck_sleep_action_t action, event_t event,
    wait_interrupt_t interruptible);
wait_result_t lck_rw_sleep_deadline(lck_rw_t *lck, lck_sleep_action_t action, event_t event,
    wait_interrupt_t interruptible, uint64_t deadline);

__END_DECLS

#define LCK_MTX_ASSERT(lck, type) lck_mtx_assert((lck), (type))

/* Words of the lock tests, which are not here. */
#define FULL_CONTENDED 0
#define HALF_CONTENDED 1
#define MAX_CONDENDED 2

#endif
