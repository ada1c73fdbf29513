/*
 * Processes: who a thread acts for. An identity is a number, a name and a credential, given to host threads
 * by the harness (machine_set_process); nothing is executed in it. kpi/proc.c is the face for kexts; the
 * socket layer and devices ask here, too.
 *
 * Two are always there: process 0, "kernel_task", is kernel threads and whatever runs in soft interrupts and
 * callouts; process 100, "nke", is every host thread that was given no identity. Threads with the same number
 * share one process. It is found by its number as long as a thread is it, and lives as long as somebody
 * holds it.
 */
#ifndef NKE_KERN_PROC_H
#define NKE_KERN_PROC_H

#include <sys/param.h>

#include "src/kern/kext_refs.h"

#define PROC_HOST_PID	100

struct ucred;

struct proc {
	uint32_t magic;			/* PROC_MAGIC: anything else is no process */
	uint32_t references;		/* its threads', and what kexts and the core hold */
	uint32_t threads;		/* 0: it has ended; not counted for those that are always there */
	int pid, ppid;
	char comm[MAXCOMLEN + 1];	/* the short name */
	char name[2 * MAXCOMLEN + 1];
	struct ucred *cred;		/* one reference */
	struct nke *machine;
	TAILQ_ENTRY(proc) link;
	struct kext_refs kext_refs;	/* which kext holds references to it */
};
#define PROC_MAGIC	UINT32_C(0x9e0c0de5)

/* Whom the current thread acts for in the current machine: never NULL, valid while it does. */
struct proc *proc_current(void);
/* NULL: there is none of that number. Borrowed. */
struct proc *proc_by_pid(struct nke *, int pid);
struct proc *proc_kernel(struct nke *);
void proc_retain(struct proc *);
void proc_release(struct proc *);

static inline bool
proc_ended(const struct proc *p)
{
	return p->threads == 0;
}

#endif
