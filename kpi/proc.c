/*
 * sys/proc.h and kern/task.h: sleeping and waking, and processes (src/kern/proc.h), as kexts see them.
 */
#include <kern/task.h>
#include <string.h>
#include <sys/kauth.h>
#include <sys/proc.h>
#include <sys/systm.h>

#include "src/kern/kauth.h"
#include "src/kern/klog.h"
#include "src/kern/kpi_rule.h"
#include "src/kern/lock.h"
#include "src/kern/panic.h"
#include "src/kern/proc.h"
#include "src/kern/sched.h"

#define NS_PER_TICK	10000000u	/* hz is 100 */

struct task {
	bool kernel;
};

static const struct task user_task = {false}, the_kernel_task = {true};

extern __attribute__((visibility("default"))) const struct task *const constant_kernel_task
    __asm__("kernel_task");
const struct task *const constant_kernel_task = &the_kernel_task;

/* ---- sleeping and waking ------------------------------------------------------------------ */

static int
sleep_until(void *chan, lck_mtx_t *mtx, int pri, const char *wmesg, uint64_t deadline)
{
	struct lock_word *l = (struct lock_word *)(void *)mtx;
	const char *message = wmesg != NULL ? wmesg : "msleep";
	char name[160];
	wait_result_t result;

	if (l != NULL && !lock_mine(l)) {
		lock_describe(l, LOCK_MUTEX, name, sizeof name);
		kpanic("msleep (%s) was called by thread \"%s\" without holding %s", message,
		    curthread()->name, name);
	}
	sched_assert_wait(chan, deadline, (pri & PCATCH) != 0, message);
	if (l != NULL)
		lock_release(l, LOCK_MUTEX);
	result = sched_thread_block();
	if (l != NULL && !(pri & PDROP))
		lock_acquire(l, LOCK_MUTEX);
	switch (result) {
	case THREAD_AWAKENED:
		return 0;
	case THREAD_TIMED_OUT:
		return EWOULDBLOCK;
	case THREAD_RESTART:
		return EDEADLK;
	default:
		return EINTR;
	}
}

static uint64_t
deadline_after(uint64_t interval)
{
	uint64_t now = machine_now(curmachine());

	return now + interval < now ? UINT64_MAX : now + interval;
}

int
msleep(void *chan, lck_mtx_t *mtx, int pri, const char *wmesg, struct timespec *ts)
{
	bool forever = ts == NULL || (ts->tv_sec == 0 && ts->tv_nsec == 0);

	return sleep_until(chan, mtx, pri, wmesg, forever ? 0 : deadline_after(tstoabstime(ts)));
}

int
tsleep(void *chan, int pri, const char *wmesg, int timo)
{
	return sleep_until(chan, NULL, pri, wmesg,
	    timo > 0 ? deadline_after((uint64_t)timo * NS_PER_TICK) : 0);
}

int
sleep(void *chan, int pri)
{
	return sleep_until(chan, NULL, pri, "sleep", 0);
}

void
wakeup(void *chan)
{
	sched_wakeup(chan, false, THREAD_AWAKENED);
	sched_preempt_point();
}

void
wakeup_one(caddr_t chan)
{
	sched_wakeup(chan, true, THREAD_AWAKENED);
	sched_preempt_point();
}

/* ---- processes ---------------------------------------------------------------------------- */

static struct proc *
valid(const char *function, proc_t p)
{
	if (p == NULL || p->magic != PROC_MAGIC)
		kpanic("%s: %p is no process", function, (void *)p);
	return p;
}

proc_t
current_proc(void)
{
	return proc_current();
}

proc_t
current_proc_EXTERNAL(void)
{
	return proc_current();
}

/* One reference more, of the kext that calls. */
static proc_t
hold(struct proc *p, void *pc)
{
	proc_retain(p);
	kext_refs_note(p->machine, &p->kext_refs, p, LEDGER_PROCESS_REF, pc);
	return p;
}

proc_t
proc_self(void)
{
	return hold(proc_current(), __builtin_return_address(0));
}

proc_t
proc_find(int pid)
{
	struct proc *p;

	KPI_RULES(KPI_SLEEPS, NULL);
	p = proc_by_pid(curmachine(), pid);
	return p != NULL ? hold(p, __builtin_return_address(0)) : NULL;
}

int
proc_rele(proc_t p)
{
	kext_refs_forget(curmachine(), &valid("proc_rele", p)->kext_refs);
	proc_release(p);
	return 0;
}

int
proc_selfpid(void)
{
	return proc_current()->pid;
}

int
proc_selfppid(void)
{
	return proc_current()->ppid;
}

pid_t
proc_selfpgrpid(void)
{
	return proc_current()->pid;
}

int
proc_pid(proc_t p)
{
	return p != NULL ? valid("proc_pid", p)->pid : -1;
}

int
proc_ppid(proc_t p)
{
	return p != NULL ? valid("proc_ppid", p)->ppid : -1;
}

int
proc_original_ppid(proc_t p)
{
	return proc_ppid(p);
}

pid_t
proc_pgrpid(proc_t p)
{
	return proc_pid(p);
}

pid_t
proc_sessionid(proc_t p)
{
	return proc_pid(p);
}

static void
copy_name(const struct proc *p, char *buf, int size)
{
	if (p != NULL && size > 0)
		strlcpy(buf, p->comm, (size_t)size);
}

void
proc_name(int pid, char *buf, int size)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	copy_name(proc_by_pid(curmachine(), pid), buf, size);
}

void
proc_selfname(char *buf, int size)
{
	copy_name(proc_current(), buf, size);
}

char *
proc_best_name(proc_t p)
{
	return valid("proc_best_name", p)->name;
}

int
proc_suser(proc_t p)
{
	return cred_uid(valid("proc_suser", p)->cred) == 0 ? 0 : EPERM;
}

kauth_cred_t
proc_ucred(proc_t p)
{
	return valid("proc_ucred", p)->cred;
}

int
proc_is64bit(proc_t p)
{
	(void)p;
	return sizeof(void *) == 8;
}

int
proc_is64bit_data(proc_t p)
{
	return proc_is64bit(p);
}

/* No thread is it any more: it lives because somebody holds it. */
int
proc_exiting(proc_t p)
{
	return proc_ended(valid("proc_exiting", p));
}

/* What no process is or does. */
#define NEVER(name)								\
	int									\
	name(proc_t p)								\
	{									\
		(void)p;							\
		return 0;							\
	}

NEVER(proc_is_classic)
NEVER(proc_in_teardown)
NEVER(proc_issetugid)
NEVER(proc_forcequota)
NEVER(proc_noremotehang)
NEVER(proc_tbe)
NEVER(proc_chrooted)

/* From parent to parent, as far as the parents are processes of the machine. */
int
proc_isinferior(int pid, int ancestor)
{
	const struct proc *p = proc_by_pid(curmachine(), pid);

	for (int steps = 0; p != NULL && p->pid != 0 && steps < 1000; steps++) {
		if (p->pid == ancestor || p->ppid == ancestor || ancestor == 0)
			return 1;
		p = proc_by_pid(curmachine(), p->ppid);
	}
	return 0;
}

/* A process of the host takes no signals from a machine. */
void
proc_signal(int pid, int signum)
{
	klog(curmachine(), 4, "proc_signal: signal %d for process %d is not delivered", signum, pid);
}

int
proc_issignal(int pid, sigset_t mask)
{
	(void)pid;
	(void)mask;
	return 0;
}

/* ---- tasks -------------------------------------------------------------------------------- */

task_t
current_task(void)
{
	return (task_t)(uintptr_t)(proc_current()->pid == 0 ? &the_kernel_task : &user_task);
}
