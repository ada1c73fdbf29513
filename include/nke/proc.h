/*
 * Who calls: the process that a thread of the host is in a machine. Kexts see it (proc_selfpid(),
 * proc_selfname(), kauth_getuid()), sockets remember it, and what needs privilege asks for its user.
 */
#ifndef NKE_PROC_H
#define NKE_PROC_H

#include <nke/nke.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct nke_process {
	int pid;			/* 1 or more, and not 100 */
	int ppid;
	const char *name;		/* NULL: ""; 32 characters, the short name has 16 */
	unsigned uid;			/* 0: the superuser, who may do everything */
	unsigned gid;
};

/*
 * From now on the calling thread is that process in this machine, until the next call or its end; NULL: the
 * default again, which is process 100, "nke", a child of process 1 with user and group 0. Threads that give
 * the same pid are one process: it has the name, parent, user and group that were given last. A process has
 * ended, and is not found by kexts any more, when no thread is it.
 *
 * Without uid 0, ports below 1024 (EACCES), raw sockets and changes to interfaces, routes and variables
 * (EPERM or EACCES), privileged kernel controls (EPERM) and devices of others (EACCES) are refused. A socket
 * keeps the privilege it was made with.
 *
 * EINVAL: pid is not positive, or 100. ENOMEM, EFAULT.
 */
int nke_proc_set(nke_t *m, const struct nke_process *process);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
