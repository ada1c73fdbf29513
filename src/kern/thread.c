/*
 * Threads: their structs, and the life of kernel threads, each of which is a host thread that runs
 * only while it holds its world's CPU.
 *
 * A kernel thread begins in kthread_main, parked until it is first given the CPU. Its stack is left
 * by returning, or by hc_throw to kthread_main: when it ends itself, goes on at a continuation, or
 * its machine panics or goes away. The struct is referenced by the thread itself until it has been
 * joined, and by whoever asked kernel_thread_start for it.
 */
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/klog.h"
#include "src/kern/panic.h"
#include "src/kern/world.h"

/* How long one that destroys a machine sleeps between two looks whether all have left it. */
#define UNWIND_PAUSE_NS	UINT64_C(1000000)

/* ---- structs ------------------------------------------------------------------------------ */

static void
time_out(void *arg)
{
	sched_clear_wait(arg, THREAD_TIMED_OUT);
}

struct thread *
thread_alloc(struct world *w)
{
	struct thread *t = hc_alloc_aligned(64, (sizeof *t + 63) & ~(size_t)63);

	if (t == NULL)
		return NULL;
	memset(t, 0, sizeof *t);
	t->parker = hc_parker_create();
	if (t->parker == NULL) {
		hc_free(t);
		return NULL;
	}
	t->world = w;
	t->refcount = 1;
	t->state = TH_IDLE;
	callout_init(&t->timer, NULL, time_out, t);
	t->timer.world = w;
	t->timer.timer = true;
	return t;
}

errno_t
thread_register(struct thread *t)
{
	struct world *w = t->world;
	errno_t error;

	w->threads++;
	error = callout_reserve(w);
	if (error != 0) {
		w->threads--;
		return error;
	}
	t->tid = ++w->next_tid;
	ksnprintf(t->name, sizeof t->name, "%s%llu",
	    t->host_thread ? "host" : t->worker ? "worker" : "kernel_thread", (unsigned long long)t->tid);
	TAILQ_INSERT_TAIL(&w->all, t, all);
	return 0;
}

void
thread_free(struct thread *t)
{
	if (t->tid != 0) {
		TAILQ_REMOVE(&t->world->all, t, all);
		t->world->threads--;
	}
	hc_parker_destroy(t->parker);
	hc_free(t);
}

void
kthread_reference(struct thread *t)
{
	t->refcount++;
}

void
kthread_release(struct thread *t)
{
	if (t->refcount == 0)
		kpanic("thread %p released more often than referenced", (void *)t);
	if (--t->refcount == 0)
		thread_free(t);
}

void
kthread_set_name(struct thread *t, const char *name)
{
	ksnprintf(t->name, sizeof t->name, "%s", name);
}

static bool
calls_of(const struct gate_frame *f, const struct kext *kext)
{
	while (f != NULL && f->kext != kext)
		f = f->outer;
	return f != NULL;
}

static bool
inside_kext(const struct thread *t, const struct kext *kext)
{
	const struct away *a = t->away;

	if (calls_of(t->gate, kext))
		return true;
	while (a != NULL && !calls_of(a->gate, kext))
		a = a->outer;
	return a != NULL;
}

bool
sched_inside_kext(const struct world *w, const struct kext *kext)
{
	const struct thread *t;

	TAILQ_FOREACH(t, &w->all, all) {
		if (inside_kext(t, kext))
			return true;
	}
	return false;
}

bool
sched_called_by_kext(const struct kext *kext)
{
	return inside_kext(curthread(), kext);
}

/* ---- the life of a kernel thread ---------------------------------------------------------- */

static void
describe_thread(const struct ledger_entry *entry, char *text, size_t size)
{
	const struct thread *t = CONTAINER_OF(entry, struct thread, ledger);

	ksnprintf(text, size, "kernel thread %llu \"%s\"%s%s", (unsigned long long)t->tid, t->name,
	    t->wait_event != NULL ? ", waiting for " : "", t->wait_event != NULL ? t->wait_message : "");
}

static void
run_start(void *arg)
{
	struct thread *t = arg;

	sched_check_unwind(t);
	GATE_CALL(t->owner, "thread", NULL, t->start(t->parameter, t->wait_result));
}

/* The host thread leaves without touching the struct again: whoever joins it frees it. */
void
thread_exit(struct thread *t)
{
	struct world *w = t->world;

	t->state = TH_DEAD;
	TAILQ_INSERT_TAIL(&w->zombies, t, queue);
	w->yields = 0;
	sched_switch_away(w);
	kern_thread = NULL;
}

static void
kthread_main(void *arg)
{
	struct thread *t = arg;
	bool returned;

	kern_thread = t;
	hc_park(t->parker, 0);
	do {
		t->injecting = 0;
		returned = hc_catch(&t->catcher, run_start, t);
		sched_unwound(t);
	} while (!returned && t->thrown == THROW_CONTINUE);
	ledger_strike(t->home, &t->ledger);
	t->machine = NULL;
	t->home->threads--;
	thread_exit(t);
}

errno_t
kthread_create_from(void (*fn)(void *, wait_result_t), void *parameter, void *pc,
    struct thread **out)
{
	struct nke *m = curmachine();
	struct world *w = m->world;
	struct thread *t;
	errno_t error;

	thread_reap(w);
	t = thread_alloc(w);
	if (t == NULL)
		return ENOMEM;
	t->machine = t->home = m;
	t->owner = gate_kext();
	t->start = fn;
	t->parameter = parameter;
	t->wait_result = THREAD_AWAKENED;
	t->refcount = 2;
	error = thread_register(t);
	if (error == 0 && (t->host = hc_thread_create(kthread_main, t)) == NULL)
		error = ENOMEM;
	if (error != 0) {
		thread_free(t);
		return error;
	}
	m->threads++;
	ledger_set_describe(m, LEDGER_THREAD, describe_thread);
	ledger_enter(m, &t->ledger, LEDGER_THREAD, pc);
	sched_make_runnable(t);
	*out = t;
	return 0;
}

errno_t
kthread_create(void (*fn)(void *, wait_result_t), void *parameter, struct thread **out)
{
	return kthread_create_from(fn, parameter, __builtin_return_address(0), out);
}

errno_t
kthread_terminate(struct thread *t)
{
	if (t->host_thread || t->worker)
		return EINVAL;
	t->doomed = true;
	if (t != curthread()) {
		if (t->wait_event != NULL && t->interruptible)
			sched_clear_wait(t, THREAD_INTERRUPTED);
		return 0;
	}
	if (t->locks_held != 0)
		kpanic("thread \"%s\" ends while it holds %u lock%s", t->name, t->locks_held,
		    t->locks_held == 1 ? "" : "s");
	t->thrown = THROW_TERMINATE;
	hc_throw(t->catcher);
}

void
kthread_continue(void (*fn)(void *, wait_result_t), void *parameter, wait_result_t result)
{
	struct thread *t = curthread();

	if (t->host_thread || t->worker)
		kpanic("thread_block was given a continuation by thread \"%s\", which is not a kernel "
		    "thread: it has to return to its caller", t->name);
	if (t->locks_held != 0)
		kpanic("thread \"%s\" goes on at a continuation while it holds %u lock%s", t->name,
		    t->locks_held, t->locks_held == 1 ? "" : "s");
	t->start = fn;
	t->parameter = parameter;
	t->wait_result = result;
	t->thrown = THROW_CONTINUE;
	hc_throw(t->catcher);
}

/* ---- the end ------------------------------------------------------------------------------ */

void
thread_reap(struct world *w)
{
	struct thread *t;

	while ((t = TAILQ_FIRST(&w->zombies)) != NULL) {
		TAILQ_REMOVE(&w->zombies, t, queue);
		hc_thread_join(t->host);
		t->host = NULL;
		kthread_release(t);
	}
}

/* Host threads and workers that are in the middle of the machine's code, `self` not counted. */
static bool
others_inside(const struct nke *m, const struct thread *self)
{
	struct thread *t;

	if (m->threads != 0 || m->hosts_inside > 1)
		return true;
	TAILQ_FOREACH(t, &m->world->all, all) {
		if (t != self && t->machine == m)
			return true;
	}
	return false;
}

/*
 * The caller is the thread that destroys the machine, exempt from being thrown out. Waits until
 * everyone else has left: kernel threads end, host threads and workers leave their call. Who is on a
 * visit in another machine of the world comes back first, which may take time.
 */
void
thread_unwind_machine(struct nke *m)
{
	struct thread *t, *next;
	unsigned rounds = 0;

	m->ending = true;
	sched_throw_all(m);
	while (others_inside(m, curthread())) {
		if (++rounds < YIELDS_ARE_IDLE)
			sched_pass();
		else
			(void)sched_block(NULL, machine_now(m) + UNWIND_PAUSE_NS, false,
			    "threads that are still inside");
	}
	thread_reap(m->world);
	TAILQ_FOREACH_SAFE(t, &m->world->all, all, next) {
		if (t->home == m)
			thread_free(t);
	}
}
