/*
 * kern/locks.h: mutexes, read-write locks, spin locks, their groups and attributes. Called by kexts;
 * the locks themselves are src/kern/lock.c.
 *
 * What an alloc_init function made is entered in the ledger; a lock embedded in the kext's own
 * memory is not. Every operation is a point where sched=random may let another thread run.
 */
#include <kern/locks.h>
#include <kern/sched_prim.h>

#include "src/kern/heap.h"
#include "src/kern/klog.h"
#include "src/kern/kpi_rule.h"
#include "src/kern/lock.h"
#include "src/kern/panic.h"
#include "src/kern/sched.h"

struct allocated_lock {
	union {
		struct lock_word word;
		lck_spin_t spin;	/* the largest of the three */
	};
	struct ledger_entry ledger;
	enum lock_kind kind;
};

struct lock_attribute {
	struct ledger_entry ledger;
	bool debug, statistics;
};

_Static_assert(sizeof(struct lock_word) <= sizeof(lck_mtx_t), "a mutex has room for the lock");
_Static_assert(sizeof(struct lock_word) <= sizeof(lck_rw_t), "a read-write lock has room for it");

static struct lock_word *
word(void *lck)
{
	return lck;
}

/* ---- making and unmaking ------------------------------------------------------------------ */

static void
describe_lock(const struct ledger_entry *entry, char *text, size_t size)
{
	const struct allocated_lock *a = CONTAINER_OF(entry, struct allocated_lock, ledger);

	lock_describe(&a->word, a->kind, text, size);
}

static void *
lock_alloc(lck_grp_t *grp, enum lock_kind kind, void *pc)
{
	struct nke *m = curmachine();
	struct allocated_lock *a = heap_alloc(m, sizeof *a, HEAP_ZERO, HEAP_LOCK);

	if (a == NULL)
		return NULL;
	a->kind = kind;
	lock_init(&a->word, (struct lock_group *)grp);
	ledger_set_describe(m, LEDGER_LOCK, describe_lock);
	ledger_enter(m, &a->ledger, LEDGER_LOCK, pc);
	return &a->word;
}

/* A group other than the lock's own is a slip that a Mac lives with: its counts are off. */
static void
check_group(struct lock_word *l, enum lock_kind kind, const lck_grp_t *grp)
{
	char name[160];

	if (l->state != LOCK_FREE || l->group == NULL || l->group == (const struct lock_group *)grp)
		return;
	lock_describe(l, kind, name, sizeof name);
	klog(curmachine(), 4, "%s is given back with another group", name);
}

static void
lock_end(void *lck, enum lock_kind kind, const lck_grp_t *grp)
{
	check_group(word(lck), kind, grp);
	lock_destroy(word(lck), kind);
}

static void
lock_free(void *lck, enum lock_kind kind, const lck_grp_t *grp, void *pc)
{
	struct allocated_lock *a = lck;
	struct nke *m = curmachine();

	if (lck == NULL)
		kpanic("a lock was to be freed, but the pointer is NULL");
	heap_check(m, lck, HEAP_LOCK, pc);
	lock_end(lck, kind, grp);
	ledger_strike(m, &a->ledger);
	heap_free_for(m, lck, HEAP_LOCK, pc);
}

/* ---- groups and attributes ---------------------------------------------------------------- */

lck_grp_t *
lck_grp_alloc_init(const char *name, lck_grp_attr_t *attr)
{
	(void)attr;
	return (lck_grp_t *)lock_group_create(curmachine(), name, __builtin_return_address(0));
}

void
lck_grp_free(lck_grp_t *grp)
{
	struct lock_group *g = (struct lock_group *)grp;

	if (g == NULL)
		kpanic("lck_grp_free was given NULL instead of a lock group");
	heap_check(curmachine(), g, HEAP_LOCK, __builtin_return_address(0));
	ledger_strike(curmachine(), &g->ledger);
	lock_group_release(g);
}

static void *
attribute_alloc(void *pc)
{
	struct nke *m = curmachine();
	struct lock_attribute *a = heap_alloc(m, sizeof *a, HEAP_ZERO, HEAP_LOCK);

	if (a != NULL)
		ledger_enter(m, &a->ledger, LEDGER_LOCK_ATTR, pc);
	return a;
}

static void
attribute_free(void *attr, void *pc)
{
	struct lock_attribute *a = attr;
	struct nke *m = curmachine();

	if (a == NULL)
		return;
	heap_check(m, a, HEAP_LOCK, pc);
	ledger_strike(m, &a->ledger);
	heap_free_for(m, a, HEAP_LOCK, pc);
}

lck_grp_attr_t *
lck_grp_attr_alloc_init(void)
{
	return attribute_alloc(__builtin_return_address(0));
}

void
lck_grp_attr_free(lck_grp_attr_t *attr)
{
	attribute_free(attr, __builtin_return_address(0));
}

void
lck_grp_attr_setdefault(lck_grp_attr_t *attr)
{
	((struct lock_attribute *)attr)->statistics = false;
}

void
lck_grp_attr_setstat(lck_grp_attr_t *attr)
{
	((struct lock_attribute *)attr)->statistics = true;
}

lck_attr_t *
lck_attr_alloc_init(void)
{
	return attribute_alloc(__builtin_return_address(0));
}

void
lck_attr_free(lck_attr_t *attr)
{
	attribute_free(attr, __builtin_return_address(0));
}

void
lck_attr_setdefault(lck_attr_t *attr)
{
	((struct lock_attribute *)attr)->debug = false;
}

void
lck_attr_setdebug(lck_attr_t *attr)
{
	((struct lock_attribute *)attr)->debug = true;
}

void
lck_attr_cleardebug(lck_attr_t *attr)
{
	((struct lock_attribute *)attr)->debug = false;
}

/* ---- sleeping with a lock ----------------------------------------------------------------- */

/* How a lock was held, so that it can be let go and taken again. */
enum hold { HOLD_EXCLUSIVE, HOLD_SHARED };

static void
retake(void *lck, enum lock_kind kind, enum hold hold)
{
	if (hold == HOLD_SHARED)
		lock_acquire_shared(word(lck));
	else
		lock_acquire(word(lck), kind);
}

static void
let_go(void *lck, enum lock_kind kind, enum hold hold)
{
	if (hold == HOLD_SHARED)
		lock_release_shared(word(lck));
	else
		lock_release(word(lck), kind);
}

static void
check_held(const void *lck, enum lock_kind kind, enum hold hold, const char *function)
{
	const struct lock_word *l = lck;
	char name[160];

	if (hold == HOLD_SHARED ? lock_readers(l) != 0 : lock_mine(l))
		return;
	lock_describe(l, kind, name, sizeof name);
	kpanic("%s was called by thread \"%s\" without holding %s", function, curthread()->name, name);
}

static wait_result_t
sleep_with(void *lck, enum lock_kind kind, lck_sleep_action_t action, event_t event,
    wait_interrupt_t interruptible, uint64_t deadline, const char *function)
{
	enum hold hold = kind == LOCK_RW && lock_readers(word(lck)) != 0 ? HOLD_SHARED : HOLD_EXCLUSIVE;
	enum hold after = hold;
	wait_result_t result;

	if ((action & ~(lck_sleep_action_t)LCK_SLEEP_MASK) != 0)
		kpanic("%s was given the unknown action 0x%x", function, action);
	check_held(lck, kind, hold, function);
	if (kind == LOCK_RW && (action & LCK_SLEEP_SHARED))
		after = HOLD_SHARED;
	else if (kind == LOCK_RW && (action & LCK_SLEEP_EXCLUSIVE))
		after = HOLD_EXCLUSIVE;
	(void)sched_assert_wait(event, deadline, interruptible != THREAD_UNINT, function);
	let_go(lck, kind, hold);
	result = sched_thread_block();
	if (!(action & LCK_SLEEP_UNLOCK))
		retake(lck, kind, after);
	return result;
}

/* ---- mutexes ------------------------------------------------------------------------------ */

lck_mtx_t *
lck_mtx_alloc_init(lck_grp_t *grp, lck_attr_t *attr)
{
	(void)attr;
	return lock_alloc(grp, LOCK_MUTEX, __builtin_return_address(0));
}

void
lck_mtx_init(lck_mtx_t *lck, lck_grp_t *grp, lck_attr_t *attr)
{
	(void)attr;
	lock_init(word(lck), (struct lock_group *)grp);
}

void
lck_mtx_lock(lck_mtx_t *lck)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	lock_acquire(word(lck), LOCK_MUTEX);
}

void
lck_mtx_unlock(lck_mtx_t *lck)
{
	lock_release(word(lck), LOCK_MUTEX);
	sched_preempt_point();
}

void
lck_mtx_destroy(lck_mtx_t *lck, lck_grp_t *grp)
{
	lock_end(lck, LOCK_MUTEX, grp);
}

void
lck_mtx_free(lck_mtx_t *lck, lck_grp_t *grp)
{
	lock_free(lck, LOCK_MUTEX, grp, __builtin_return_address(0));
}

wait_result_t
lck_mtx_sleep(lck_mtx_t *lck, lck_sleep_action_t action, event_t event,
    wait_interrupt_t interruptible)
{
	return sleep_with(lck, LOCK_MUTEX, action, event, interruptible, 0, "lck_mtx_sleep");
}

wait_result_t
lck_mtx_sleep_deadline(lck_mtx_t *lck, lck_sleep_action_t action, event_t event,
    wait_interrupt_t interruptible, uint64_t deadline)
{
	return sleep_with(lck, LOCK_MUTEX, action, event, interruptible, deadline,
	    "lck_mtx_sleep_deadline");
}

void
lck_mtx_assert(lck_mtx_t *lck, unsigned int type)
{
	bool mine = lock_mine(word(lck));
	char name[160];

	if (type == LCK_MTX_ASSERT_OWNED ? mine : type == LCK_MTX_ASSERT_NOTOWNED && !mine)
		return;
	lock_describe(word(lck), LOCK_MUTEX, name, sizeof name);
	if (type == LCK_MTX_ASSERT_OWNED || type == LCK_MTX_ASSERT_NOTOWNED)
		kpanic("lck_mtx_assert: %s is %sheld by thread \"%s\"", name, mine ? "" : "not ",
		    curthread()->name);
	kpanic("lck_mtx_assert was given the unknown type %u", type);
}

/* ---- read-write locks --------------------------------------------------------------------- */

lck_rw_t *
lck_rw_alloc_init(lck_grp_t *grp, lck_attr_t *attr)
{
	(void)attr;
	return lock_alloc(grp, LOCK_RW, __builtin_return_address(0));
}

void
lck_rw_init(lck_rw_t *lck, lck_grp_t *grp, lck_attr_t *attr)
{
	(void)attr;
	lock_init(word(lck), (struct lock_group *)grp);
}

void
lck_rw_lock_shared(lck_rw_t *lck)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	lock_acquire_shared(word(lck));
}

void
lck_rw_unlock_shared(lck_rw_t *lck)
{
	lock_release_shared(word(lck));
	sched_preempt_point();
}

void
lck_rw_lock_exclusive(lck_rw_t *lck)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	lock_acquire(word(lck), LOCK_RW);
}

void
lck_rw_unlock_exclusive(lck_rw_t *lck)
{
	lock_release(word(lck), LOCK_RW);
	sched_preempt_point();
}

static void
check_type(lck_rw_type_t type, const char *function)
{
	if (type != LCK_RW_TYPE_SHARED && type != LCK_RW_TYPE_EXCLUSIVE)
		kpanic("%s was given the unknown type %u", function, type);
}

void
lck_rw_lock(lck_rw_t *lck, lck_rw_type_t type)
{
	check_type(type, "lck_rw_lock");
	if (type == LCK_RW_TYPE_SHARED)
		lck_rw_lock_shared(lck);
	else
		lck_rw_lock_exclusive(lck);
}

void
lck_rw_unlock(lck_rw_t *lck, lck_rw_type_t type)
{
	check_type(type, "lck_rw_unlock");
	if (type == LCK_RW_TYPE_SHARED)
		lck_rw_unlock_shared(lck);
	else
		lck_rw_unlock_exclusive(lck);
}

boolean_t
lck_rw_try_lock(lck_rw_t *lck, lck_rw_type_t type)
{
	check_type(type, "lck_rw_try_lock");
	sched_preempt_point();
	return type == LCK_RW_TYPE_SHARED ? lock_try_shared(word(lck)) : lock_try(word(lck), LOCK_RW);
}

boolean_t
lck_rw_lock_yield_shared(lck_rw_t *lck, boolean_t force)
{
	check_held(lck, LOCK_RW, HOLD_SHARED, "lck_rw_lock_yield_shared");
	if (!force && !(word(lck)->state & (LOCK_WAITERS | LOCK_UPGRADE)))
		return FALSE;
	lock_release_shared(word(lck));
	sched_pass();
	lock_acquire_shared(word(lck));
	return TRUE;
}

boolean_t
lck_rw_lock_shared_to_exclusive(lck_rw_t *lck)
{
	return lock_upgrade(word(lck));
}

void
lck_rw_lock_exclusive_to_shared(lck_rw_t *lck)
{
	lock_downgrade(word(lck));
}

void
lck_rw_destroy(lck_rw_t *lck, lck_grp_t *grp)
{
	lock_end(lck, LOCK_RW, grp);
}

void
lck_rw_free(lck_rw_t *lck, lck_grp_t *grp)
{
	lock_free(lck, LOCK_RW, grp, __builtin_return_address(0));
}

wait_result_t
lck_rw_sleep(lck_rw_t *lck, lck_sleep_action_t action, event_t event, wait_interrupt_t interruptible)
{
	return sleep_with(lck, LOCK_RW, action, event, interruptible, 0, "lck_rw_sleep");
}

wait_result_t
lck_rw_sleep_deadline(lck_rw_t *lck, lck_sleep_action_t action, event_t event,
    wait_interrupt_t interruptible, uint64_t deadline)
{
	return sleep_with(lck, LOCK_RW, action, event, interruptible, deadline, "lck_rw_sleep_deadline");
}

/* ---- spin locks --------------------------------------------------------------------------- */

lck_spin_t *
lck_spin_alloc_init(lck_grp_t *grp, lck_attr_t *attr)
{
	(void)attr;
	return lock_alloc(grp, LOCK_SPIN, __builtin_return_address(0));
}

void
lck_spin_init(lck_spin_t *lck, lck_grp_t *grp, lck_attr_t *attr)
{
	(void)attr;
	lock_init(word(lck), (struct lock_group *)grp);
}

void
lck_spin_lock(lck_spin_t *lck)
{
	sched_preempt_point();
	lock_acquire(word(lck), LOCK_SPIN);
}

void
lck_spin_lock_grp(lck_spin_t *lck, lck_grp_t *grp)
{
	(void)grp;
	lck_spin_lock(lck);
}

void
lck_spin_unlock(lck_spin_t *lck)
{
	lock_release(word(lck), LOCK_SPIN);
	sched_preempt_point();
}

void
lck_spin_destroy(lck_spin_t *lck, lck_grp_t *grp)
{
	lock_end(lck, LOCK_SPIN, grp);
}

void
lck_spin_free(lck_spin_t *lck, lck_grp_t *grp)
{
	lock_free(lck, LOCK_SPIN, grp, __builtin_return_address(0));
}

wait_result_t
lck_spin_sleep(lck_spin_t *lck, lck_sleep_action_t action, event_t event,
    wait_interrupt_t interruptible)
{
	return sleep_with(lck, LOCK_SPIN, action, event, interruptible, 0, "lck_spin_sleep");
}

wait_result_t
lck_spin_sleep_grp(lck_spin_t *lck, lck_sleep_action_t action, event_t event,
    wait_interrupt_t interruptible, lck_grp_t *grp)
{
	(void)grp;
	return lck_spin_sleep(lck, action, event, interruptible);
}

wait_result_t
lck_spin_sleep_deadline(lck_spin_t *lck, lck_sleep_action_t action, event_t event,
    wait_interrupt_t interruptible, uint64_t deadline)
{
	return sleep_with(lck, LOCK_SPIN, action, event, interruptible, deadline,
	    "lck_spin_sleep_deadline");
}
