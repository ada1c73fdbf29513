/*
 * Processes, seen from a kext: who calls, what it is called; sleeping and waking. A process is a
 * caller's identity given by the harness; struct proc is opaque.
 */
#ifndef _SYS_PROC_H_
#define _SYS_PROC_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/select.h>
#include <sys/queue.h>
#include <sys/lock.h>
#include <sys/param.h>
#include <sys/event.h>
#include <sys/time.h>
#include <sys/signal.h>
#include <sys/kernel_types.h>
#include <sys/ucred.h>
#include <mach/boolean.h>
#include <mach/mach_types.h>
#include <kern/thread.h>
#include <kern/locks.h>

struct proc;
struct rusage;

/* What ps once read: as in sysctl's struct kinfo_proc. */
struct extern_proc {
	union {
		struct {
			struct proc *__p_forw;
			struct proc *__p_back;
		} p_st1;
		struct timeval __p_starttime;
	} p_un;
#define p_forw p_un.p_st1.__p_forw
#define p_back p_un.p_st1.__p_back
#define p_starttime p_un.__p_starttime
	struct vmspace *p_vmspace;
	struct sigacts *p_sigacts;
	int p_flag;
	char p_stat;
	pid_t p_pid;
	pid_t p_oppid;
	int p_dupfd;
	caddr_t user_stack;
	void *exit_thread;
	int p_debugger;
	boolean_t sigwait;
	u_int p_estcpu;
	int p_cpticks;
	fixpt_t p_pctcpu;
	void *p_wchan;
	char *p_wmesg;
	u_int p_swtime;
	u_int p_slptime;
	struct itimerval p_realtimer;
	struct timeval p_rtime;
	u_quad_t p_uticks;
	u_quad_t p_sticks;
	u_quad_t p_iticks;
	int p_traceflag;
	struct vnode *p_tracep;
	int p_siglist;
	struct vnode *p_textvp;
	int p_holdcnt;
	sigset_t p_sigmask;
	sigset_t p_sigignore;
	sigset_t p_sigcatch;
	u_char p_priority;
	u_char p_usrpri;
	char p_nice;
	char p_comm[MAXCOMLEN + 1];
	struct pgrp *p_pgrp;
	struct user *p_addr;
	u_short p_xstat;
	u_short p_acflag;
	struct rusage *p_ru;
};

#define SIDL 1
#define SRUN 2
#define SSLEEP 3
#define SSTOP 4
#define SZOMB 5

#define P_ADVLOCK 0x00000001
#define P_CONTROLT 0x00000002
#define P_LP64 0x00000004
#define P_NOCLDSTOP 0x00000008
#define P_PPWAIT 0x00000010
#define P_PROFIL 0x00000020
#define P_SELECT 0x00000040
#define P_CONTINUED 0x00000080
#define P_SUGID 0x00000100
#define P_SYSTEM 0x00000200
#define P_TIMEOUT 0x00000400
#define P_TRACED 0x00000800
#define P_DISABLE_ASLR 0x00001000
#define P_WEXIT 0x00002000
#define P_EXEC 0x00004000

__BEGIN_DECLS

/* The process on whose behalf this thread runs, process 0 for the machine's own threads. */
proc_t current_proc(void);
proc_t current_proc_EXTERNAL(void);
/* The same with a reference, to be dropped by proc_rele. */
proc_t proc_self(void);
/* With a reference, or NULL. */
proc_t proc_find(int pid);
/* Always 0. */
int proc_rele(proc_t p);

int proc_selfpid(void);
int proc_selfppid(void);
pid_t proc_selfpgrpid(void);
int proc_pid(proc_t p);
int proc_ppid(proc_t p);
int proc_original_ppid(proc_t p);
pid_t proc_pgrpid(proc_t p);
pid_t proc_sessionid(proc_t p);
/* Copies the short name (at most MAXCOMLEN) and ends it; an unknown process leaves `buf` alone. */
void proc_name(int pid, char *buf, int size);
void proc_selfname(char *buf, int size);
/* The longest name known, valid while the process is. */
char *proc_best_name(proc_t p);

/* 0 when the process is the superuser's, else EPERM. */
int proc_suser(proc_t p);
/* Borrowed: valid while the process is held and does not change it. */
kauth_cred_t proc_ucred(proc_t p);
int proc_is64bit(proc_t p);
int proc_is64bit_data(proc_t p);
int proc_is_classic(proc_t p);
int proc_exiting(proc_t p);
int proc_in_teardown(proc_t p);
int proc_issetugid(proc_t p);
int proc_forcequota(proc_t p);
int proc_noremotehang(proc_t p);
int proc_tbe(proc_t p);
int proc_chrooted(proc_t p);
/* Whether the second is the first's ancestor. */
int proc_isinferior(int pid, int ancestor);
void proc_signal(int pid, int signum);
/* The pending ones of `mask`. */
int proc_issignal(int pid, sigset_t mask);

/*
 * Sleeps until `chan` is woken (0), *ts has passed (EWOULDBLOCK; NULL waits for ever) or, with
 * PCATCH, the sleeper is interrupted (EINTR). `mtx`, if any, is let go meanwhile and taken again
 * unless PDROP is set.
 */
int msleep(void *chan, lck_mtx_t *mtx, int pri, const char *wmesg, struct timespec *ts);
/* 10.1 to 10.3: `timo` in ticks, 0 for ever; a held funnel is let go meanwhile. */
int tsleep(void *chan, int pri, const char *wmesg, int timo);
int sleep(void *chan, int pri) __KERNEL_SYMBOL(sleep);
/* Wake all, or the first, of those who sleep on `chan`. Never sleep. */
void wakeup(void *chan);
void wakeup_one(caddr_t chan);

__END_DECLS

#endif
