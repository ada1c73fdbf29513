/*
 * The engine of locks (lock.h). With one CPU a lock is contended only when its holder slept or was
 * made to yield; whoever wants it then sleeps on the scheduler's wait queue of the lock's address
 * (plus one, so that nobody's own wakeup on that address is taken for it) and is handed the lock.
 *
 * Read-write locks are fair: a reader that comes after a waiting writer waits behind it.
 */
#include "src/kern/heap.h"
#include "src/kern/klog.h"
#include "src/kern/lock.h"
#include "src/kern/panic.h"
#include "src/kern/world.h"

static const char *const kind_names[] = {"mutex", "read-write lock", "spin lock"};

/* ---- what is said about a lock ------------------------------------------------------------ */

static bool
thread_known(const struct thread *who)
{
	struct thread *t;

	TAILQ_FOREACH(t, &curthread()->world->all, all) {
		if (t == who)
			return true;
	}
	return false;
}

static bool
plausible(const struct lock_word *l)
{
	if (l->state == LOCK_FREE || l->state == LOCK_DESTROYED)
		return true;
	if (l->state & LOCK_SHARED)
		return lock_readers(l) != 0 && lock_readers(l) < 65536;
	return thread_known(lock_owner(l));
}

void
lock_describe(const struct lock_word *l, enum lock_kind kind, char *text, size_t size)
{
	if (plausible(l) && l->state != LOCK_DESTROYED && l->group != NULL)
		ksnprintf(text, size, "%s %p of group \"%s\"", kind_names[kind], (const void *)l,
		    l->group->name);
	else
		ksnprintf(text, size, "%s %p", kind_names[kind], (const void *)l);
}

const struct thread *
lock_holder(const void *lock)
{
	const struct lock_word *l = lock;

	return l->state != LOCK_FREE && plausible(l) && l->state != LOCK_DESTROYED ? lock_owner(l) : NULL;
}

static _Noreturn void complain(const struct lock_word *, enum lock_kind, const char *what);

static _Noreturn void
complain(const struct lock_word *l, enum lock_kind kind, const char *what)
{
	const struct thread *holder = lock_holder(l);
	char name[160];

	lock_describe(l, kind, name, sizeof name);
	if (l->state == LOCK_DESTROYED)
		kpanic("%s %s, but it has been destroyed", name, what);
	if (!plausible(l))
		kpanic("%s %s, but there is no lock: freed, overwritten or never initialised memory (it "
		    "reads 0x%lx)", name, what, (unsigned long)l->state);
	if (holder != NULL)
		kpanic("%s %s by thread \"%s\", but it is held by %s \"%s\"", name, what,
		    curthread()->name, holder == curthread() ? "that same thread," : "thread",
		    holder->name);
	kpanic("%s %s by thread \"%s\", but %s", name, what, curthread()->name,
	    lock_readers(l) != 0 ? "readers hold it" : "nobody holds it");
}

/* ---- life --------------------------------------------------------------------------------- */

void
lock_init(struct lock_word *l, struct lock_group *group)
{
	l->state = LOCK_FREE;
	l->group = group;
	if (group != NULL) {
		group->references++;
		group->locks++;
	}
}

void
lock_destroy(struct lock_word *l, enum lock_kind kind)
{
	struct lock_group *group = l->group;

	if (l->state != LOCK_FREE)
		complain(l, kind, "was to be destroyed");
	l->state = LOCK_DESTROYED;
	l->group = NULL;
	if (group != NULL) {
		group->locks--;
		lock_group_release(group);
	}
}

/* ---- waiting ------------------------------------------------------------------------------ */

static const void *
lock_event(const struct lock_word *l)
{
	return (const char *)l + 1;
}

/* Returns when the lock has been handed over to this thread. */
static void
wait_for(struct lock_word *l, enum lock_kind kind, enum lock_mode mode)
{
	struct thread *t = curthread();
	const void *event = mode == LOCK_UPGRADE_MODE ? (const char *)l + 2 : lock_event(l);
	wait_result_t result;
	char name[160];

	if (l->group != NULL)
		l->group->contended++;
	if (mode != LOCK_UPGRADE_MODE)
		l->state |= LOCK_WAITERS;
	sched_assert_wait(event, 0, false, kind_names[kind]);
	t->wait_lock = l;
	t->wait_mode = (uint8_t)mode;
	result = sched_thread_block();
	if (result == THREAD_AWAKENED)
		return;
	lock_describe(l, kind, name, sizeof name);
	kpanic("deadlock: thread \"%s\" waits for %s%s%s, and nothing can happen any more", t->name, name,
	    lock_holder(l) != NULL ? " held by thread " : "",
	    lock_holder(l) != NULL ? lock_holder(l)->name : "");
}

static void
check_can_wait(const struct lock_word *l, enum lock_kind kind)
{
	if (!plausible(l) || l->state == LOCK_DESTROYED || lock_mine(l))
		complain(l, kind, "was to be taken");
	if (kind == LOCK_SPIN)
		complain(l, kind, "was to be taken, on the only CPU,");
}

/* Hands a lock that has become free to the first waiter, or to the readers at the queue's head. */
static void
hand_over(struct lock_word *l)
{
	struct thread *next = sched_first_waiter(lock_event(l));

	l->state = LOCK_FREE;
	if (next != NULL && next->wait_mode == LOCK_EXCLUSIVE_MODE) {
		l->state = (uintptr_t)next;
		sched_clear_wait(next, THREAD_AWAKENED);
		next = sched_first_waiter(lock_event(l));
	} else {
		while (next != NULL && next->wait_mode == LOCK_SHARED_MODE) {
			l->state = (l->state | LOCK_SHARED) + LOCK_READER;
			sched_clear_wait(next, THREAD_AWAKENED);
			next = sched_first_waiter(lock_event(l));
		}
	}
	if (next != NULL)
		l->state |= LOCK_WAITERS;
}

/* ---- mutexes, spin locks, writers --------------------------------------------------------- */

static inline void
count_taken(struct lock_word *l, enum lock_kind kind)
{
	struct thread *t = curthread();

	t->locks_held++;
	t->spins_held = (uint16_t)(t->spins_held + (kind == LOCK_SPIN));
	if (l->group != NULL)
		l->group->taken++;
}

static inline void
count_released(enum lock_kind kind)
{
	struct thread *t = curthread();

	t->locks_held--;
	t->spins_held = (uint16_t)(t->spins_held - (kind == LOCK_SPIN));
}

void
lock_acquire(struct lock_word *l, enum lock_kind kind)
{
	if (__builtin_expect(l->state == LOCK_FREE, 1)) {
		l->state = (uintptr_t)curthread();
	} else {
		check_can_wait(l, kind);
		wait_for(l, kind, LOCK_EXCLUSIVE_MODE);
	}
	count_taken(l, kind);
}

bool
lock_try(struct lock_word *l, enum lock_kind kind)
{
	if (l->state != LOCK_FREE) {
		if (!plausible(l) || l->state == LOCK_DESTROYED)
			complain(l, kind, "was to be tried");
		return false;
	}
	l->state = (uintptr_t)curthread();
	count_taken(l, kind);
	return true;
}

void
lock_release(struct lock_word *l, enum lock_kind kind)
{
	if (__builtin_expect(l->state == (uintptr_t)curthread(), 1))
		l->state = LOCK_FREE;
	else if (l->state == ((uintptr_t)curthread() | LOCK_WAITERS))
		hand_over(l);
	else
		complain(l, kind, "was to be given back");
	count_released(kind);
}

/* ---- readers ------------------------------------------------------------------------------ */

void
lock_acquire_shared(struct lock_word *l)
{
	if (!lock_try_shared(l)) {
		check_can_wait(l, LOCK_RW);
		wait_for(l, LOCK_RW, LOCK_SHARED_MODE);
		count_taken(l, LOCK_RW);
	}
}

bool
lock_try_shared(struct lock_word *l)
{
	bool readers = (l->state & (LOCK_SHARED | LOCK_WAITERS | LOCK_UPGRADE)) == LOCK_SHARED;

	if (l->state != LOCK_FREE && !(readers && plausible(l))) {
		if (!plausible(l) || l->state == LOCK_DESTROYED)
			complain(l, LOCK_RW, "was to be taken shared");
		return false;
	}
	l->state = (l->state | LOCK_SHARED) + LOCK_READER;
	count_taken(l, LOCK_RW);
	return true;
}

void
lock_release_shared(struct lock_word *l)
{
	struct thread *upgrader;

	if (!(l->state & LOCK_SHARED) || !plausible(l))
		complain(l, LOCK_RW, "was to be given back shared");
	l->state -= LOCK_READER;
	if (lock_readers(l) == 0) {
		if (l->state & LOCK_WAITERS)
			hand_over(l);
		else
			l->state = LOCK_FREE;
	} else if (lock_readers(l) == 1 && (l->state & LOCK_UPGRADE)) {
		upgrader = sched_first_waiter((const char *)l + 2);
		if (upgrader != NULL) {		/* not thrown out meanwhile */
			l->state = (uintptr_t)upgrader | (l->state & LOCK_WAITERS);
			sched_clear_wait(upgrader, THREAD_AWAKENED);
		}
	}
	count_released(LOCK_RW);
}

bool
lock_upgrade(struct lock_word *l)
{
	if (!(l->state & LOCK_SHARED) || !plausible(l))
		complain(l, LOCK_RW, "was to be upgraded");
	if (l->state & LOCK_UPGRADE) {
		lock_release_shared(l);
		return false;
	}
	if (lock_readers(l) == 1) {
		l->state = (uintptr_t)curthread() | (l->state & LOCK_WAITERS);
	} else {
		l->state |= LOCK_UPGRADE;
		wait_for(l, LOCK_RW, LOCK_UPGRADE_MODE);
	}
	return true;
}

void
lock_downgrade(struct lock_word *l)
{
	struct thread *next;

	if (!lock_mine(l))
		complain(l, LOCK_RW, "was to be downgraded");
	l->state = LOCK_READER | LOCK_SHARED;
	while ((next = sched_first_waiter(lock_event(l))) != NULL &&
	    next->wait_mode == LOCK_SHARED_MODE) {
		l->state += LOCK_READER;
		sched_clear_wait(next, THREAD_AWAKENED);
	}
	if (next != NULL)
		l->state |= LOCK_WAITERS;
}

/* ---- groups ------------------------------------------------------------------------------- */

static void
describe_group(const struct ledger_entry *entry, char *text, size_t size)
{
	const struct lock_group *g = CONTAINER_OF(entry, struct lock_group, ledger);

	ksnprintf(text, size, "lock group \"%s\" with %u lock%s", g->name, g->locks,
	    g->locks == 1 ? "" : "s");
}

struct lock_group *
lock_group_create(struct nke *m, const char *name, void *pc)
{
	struct lock_group *g = heap_alloc(m, sizeof *g, HEAP_ZERO, HEAP_LOCK);

	if (g == NULL)
		return NULL;
	g->machine = m;
	g->references = 1;
	ksnprintf(g->name, sizeof g->name, "%s", name != NULL ? name : "");
	ledger_set_describe(m, LEDGER_LOCK_GROUP, describe_group);
	ledger_enter(m, &g->ledger, LEDGER_LOCK_GROUP, pc);
	return g;
}

void
lock_group_release(struct lock_group *g)
{
	if (--g->references == 0)
		heap_free(g->machine, g, HEAP_LOCK);
}
