/*
 * Processes, see proc.h. A machine keeps which host thread is whom in a table by host thread; it is looked at
 * only when somebody asks, and only if any identity was ever given. A host thread that ends says nothing to
 * the machine: its entry goes when the table is next looked through (forget_ended).
 */
#include <string.h>
#include <sys/kauth.h>

#include "src/kern/heap.h"
#include "src/kern/kauth.h"
#include "src/kern/klog.h"
#include "src/kern/panic.h"
#include "src/kern/proc.h"
#include "src/kern/subr_prf.h"
#include "src/kern/thread.h"

#define BUCKETS		64u

/* A host thread is a process. */
struct identity {
	TAILQ_ENTRY(identity) link;
	hc_self_t *thread;		/* retained */
	struct proc *proc;		/* retained */
};

TAILQ_HEAD(identity_list, identity);

struct proc_state {
	struct proc kernel, host;
	TAILQ_HEAD(, proc) procs;	/* those with threads, the two included */
	struct identity_list threads[BUCKETS];
};

/* ---- holding ------------------------------------------------------------------------------ */

void
proc_retain(struct proc *p)
{
	if (p->magic != PROC_MAGIC)
		kpanic("%p is no process", (void *)p);
	p->references++;
}

void
proc_release(struct proc *p)
{
	if (p->magic != PROC_MAGIC)
		kpanic("%p is no process, or has been released as often as it was found", (void *)p);
	if (p->references <= p->threads)
		kpanic("process %d \"%s\" is released more often than it was found", p->pid, p->comm);
	if (--p->references != 0)
		return;
	p->magic = 0;
	kext_refs_end(p->machine, &p->kext_refs);
	kauth_cred_release(p->machine, p->cred);
	kfree(p->machine, p);
}

/* One thread less is it. */
static void
drop_thread(struct proc_state *s, struct proc *p)
{
	if (--p->threads == 0)
		TAILQ_REMOVE(&s->procs, p, link);
	proc_release(p);
}

/* ---- which thread is whom ------------------------------------------------------------------ */

static struct identity_list *
bucket(struct proc_state *s, const hc_self_t *thread)
{
	uintptr_t h = (uintptr_t)thread;

	return &s->threads[(h >> 4 ^ h >> 10) % BUCKETS];
}

static struct identity *
identity_of(struct proc_state *s, const hc_self_t *thread)
{
	struct identity *i;

	TAILQ_FOREACH(i, bucket(s, thread), link) {
		if (i->thread == thread)
			return i;
	}
	return NULL;
}

static void
forget(struct nke *m, struct identity *i)
{
	struct proc_state *s = m->procs;

	TAILQ_REMOVE(bucket(s, i->thread), i, link);
	drop_thread(s, i->proc);
	hc_self_release(i->thread);
	kfree(m, i);
}

static void
forget_ended(struct nke *m)
{
	struct proc_state *s = m->procs;
	struct identity *i, *next;

	for (unsigned b = 0; b < BUCKETS && m->identified; b++) {
		TAILQ_FOREACH_SAFE(i, &s->threads[b], link, next) {
			if (hc_self_ended(i->thread))
				forget(m, i);
		}
	}
}

struct proc *
proc_current(void)
{
	const struct thread *t = curthread();
	struct proc_state *s = t->machine->procs;
	const struct identity *i;
	const hc_self_t *self;

	if (!t->host_thread || t->current_softintr != NULL || t->current_callout != NULL)
		return &s->kernel;
	if (!t->machine->identified || (self = hc_self(false)) == NULL)
		return &s->host;
	i = identity_of(s, self);
	return i != NULL ? i->proc : &s->host;
}

static struct proc *
find(struct proc_state *s, int pid)
{
	struct proc *p;

	TAILQ_FOREACH(p, &s->procs, link) {
		if (p->pid == pid)
			return p;
	}
	return NULL;
}

struct proc *
proc_by_pid(struct nke *m, int pid)
{
	forget_ended(m);
	return find(m->procs, pid);
}

struct proc *
proc_kernel(struct nke *m)
{
	return &m->procs->kernel;
}

/* ---- giving an identity -------------------------------------------------------------------- */

static void
name_process(struct proc *p, const char *name)
{
	strlcpy(p->name, name, sizeof p->name);
	strlcpy(p->comm, name, sizeof p->comm);
}

/* With a reference for the caller; not yet listed. */
static struct proc *
make_process(struct nke *m, int pid)
{
	struct proc *p = kalloc(m, sizeof *p);

	if (p == NULL)
		return NULL;
	p->magic = PROC_MAGIC;
	p->references = 1;
	p->pid = pid;
	p->machine = m;
	LIST_INIT(&p->kext_refs);
	return p;
}

/* The calling thread is `p` from now on; takes a reference of its own. `self` is retained. */
static errno_t
become(struct nke *m, hc_self_t *self, struct proc *p)
{
	struct proc_state *s = m->procs;
	struct identity *i = identity_of(s, self);

	if (i == NULL) {
		i = kalloc(m, sizeof *i);
		if (i == NULL)
			return ENOMEM;
		i->thread = self;
		hc_self_retain(self);
		TAILQ_INSERT_TAIL(bucket(s, self), i, link);
		m->identified = true;
	} else if (i->proc == p) {
		return 0;
	} else {
		drop_thread(s, i->proc);
	}
	i->proc = p;
	proc_retain(p);
	if (p->threads++ == 0)
		TAILQ_INSERT_TAIL(&s->procs, p, link);
	return 0;
}

static errno_t
set_identity(struct nke *m, const struct core_process *what)
{
	hc_self_t *self = hc_self(true);
	struct ucred *cred = kauth_cred_make(m, what->uid, what->gid), *old;
	struct proc *p = find(m->procs, what->pid);
	errno_t error;

	if (p != NULL)
		proc_retain(p);
	else
		p = make_process(m, what->pid);
	error = p == NULL || self == NULL || cred == NULL ? ENOMEM : become(m, self, p);
	if (error == 0) {
		old = p->cred;
		p->cred = cred;
		cred = old;
		p->ppid = what->ppid;
		name_process(p, what->name);
	}
	kauth_cred_release(m, cred);
	if (p != NULL)
		proc_release(p);
	return error;
}

struct process_call {
	struct nke *machine;
	const struct core_process *process;
	errno_t error;
};

static void
do_set_process(void *arg)
{
	struct process_call *c = arg;
	struct nke *m = c->machine;
	const hc_self_t *self = hc_self(false);
	struct identity *i;

	forget_ended(m);
	if (c->process != NULL) {
		c->error = set_identity(m, c->process);
		return;
	}
	i = self != NULL ? identity_of(m->procs, self) : NULL;
	if (i != NULL)
		forget(m, i);
}

int
machine_set_process(struct nke *m, const struct core_process *process)
{
	struct process_call c = {m, process, 0};
	int error;

	if (process != NULL && (process->pid <= 0 || process->pid == PROC_HOST_PID))
		return EINVAL;
	error = machine_call(m, do_set_process, &c);
	return error != 0 ? error : c.error;
}

/* ---- life --------------------------------------------------------------------------------- */

/* One that is always there: its own reference and its own thread are never given back. */
static void
make_permanent(struct nke *m, struct proc *p, int pid, int ppid, const char *name)
{
	*p = (struct proc){.magic = PROC_MAGIC, .references = 1, .threads = 1, .pid = pid, .ppid = ppid,
	    .cred = kauth_root(m), .machine = m};
	LIST_INIT(&p->kext_refs);
	name_process(p, name);
	TAILQ_INSERT_TAIL(&m->procs->procs, p, link);
}

static void
describe_reference(const struct ledger_entry *entry, char *text, size_t size)
{
	const struct kext_ref *r = CONTAINER_OF(entry, struct kext_ref, ledger);
	const struct proc *p = r->object;

	ksnprintf(text, size, "%u reference%s to process %d \"%s\"", r->count, r->count == 1 ? "" : "s",
	    p->pid, p->comm);
}

static errno_t
proc_init(struct nke *m)
{
	struct proc_state *s = kalloc(m, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	TAILQ_INIT(&s->procs);
	for (unsigned b = 0; b < BUCKETS; b++)
		TAILQ_INIT(&s->threads[b]);
	m->procs = s;
	ledger_set_describe(m, LEDGER_PROCESS_REF, describe_reference);
	make_permanent(m, &s->kernel, 0, 0, "kernel_task");
	make_permanent(m, &s->host, PROC_HOST_PID, 1, "nke");
	return 0;
}

/* Processes that a kext still holds stay with the heap, and what the ledger has of them. */
static void
proc_fini(struct nke *m)
{
	struct proc_state *s = m->procs;

	kext_refs_end(m, &s->kernel.kext_refs);
	kext_refs_end(m, &s->host.kext_refs);

	for (unsigned b = 0; b < BUCKETS; b++)
		while (!TAILQ_EMPTY(&s->threads[b]))
			forget(m, TAILQ_FIRST(&s->threads[b]));
	kfree(m, s);
	m->procs = NULL;
}

extern const struct subsystem proc_subsystem;
const struct subsystem proc_subsystem = {.name = "proc", .init = proc_init, .fini = proc_fini};
