/*
 * libnke's host API: making machines, running code and time in them, hearing what they say.
 *
 * A machine (nke_t) is one simulated kernel. A process holds as many as it likes; they share nothing,
 * and each may be used from any thread: a call enters the machine, waiting for its one CPU while
 * another thread is inside, and leaves it again.
 *
 * Conventions of every function in include/nke:
 *  - the types, errno values and socket addresses are the host's own, not Darwin's;
 *  - a function that can fail returns 0 or a positive errno value. For the machine that it was given,
 *    nke_error_text() then says at length what was wrong, where, and what was expected;
 *  - EFAULT means one thing: the machine has panicked, now or earlier (nke_panic_report());
 *  - strings and structs that are passed in are copied; what is returned belongs to the machine unless
 *    the function says otherwise;
 *  - "may block": in real time it may wait for the CPU while other threads are inside.
 */
#ifndef NKE_NKE_H
#define NKE_NKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nke_machine nke_t;
typedef struct nke_world nke_world_t;

enum nke_time {
	NKE_TIME_VIRTUAL,		/* the clock jumps to the next timer: deterministic */
	NKE_TIME_REAL			/* the clock is the host's */
};

/* One line of a machine's kernel log, without its newline. Valid during the call only. */
struct nke_log_record {
	uint64_t uptime_ns;		/* since the machine was made */
	uint64_t calendar_ns;		/* since 1970-01-01 UTC, by the machine's clock */
	int level;			/* syslog's: 3 error, 4 warning, 5 notice (printf), 7 debug */
	const char *kext;		/* name of the kext that spoke, "" for the kernel itself */
	const char *text;
};

/* What a machine is to be like. All zero is a good machine; set only what matters. */
struct nke_config {
	const char *name;		/* in reports; NULL: "nke0" */
	nke_world_t *world;		/* shares its clock with others; NULL: has one of its own */
	enum nke_time time;
	uint64_t calendar_start_ns;	/* virtual time: the date (since 1970) at uptime 0 */
	uint64_t seed;			/* of all randomness in the machine */
	bool sched_random;		/* hand the CPU over at one opportunity in four, chosen by seed */
	bool checked;			/* owners of packets, poisoned free memory, full backtraces */
	size_t mbuf_limit_bytes;	/* packets' memory; 0: 64 MiB */
	size_t heap_limit_bytes;	/* all other memory; 0: 256 MiB */
	uint64_t fail_alloc;		/* the n-th allocation (1-based) fails; 0: none */
	/*
	 * Called for every complete line, in order, on the thread that is inside the machine; must not
	 * call the machine. NULL: lines are dropped.
	 */
	void (*log)(void *ctx, const struct nke_log_record *);
	void *log_ctx;
};

/*
 * Makes a world: one clock and one order of things to come, for machines that talk to each other. Its
 * machines run one at a time; a call that blocks in one of them drives all of them. Of `config` (NULL:
 * all zero) `time`, `calendar_start_ns` and `sched_random` count, and not those of its machines; `seed` is
 * that of sched_random. Each machine's own randomness follows from its own `seed` and from how many machines
 * the world had before it.
 *
 * ENOMEM. EINVAL: `time` is none of the above.
 */
int nke_world_create(const struct nke_config *config, nke_world_t **w);
/* The world ends with its last machine, but its name is not valid any more. NULL is ignored. */
void nke_world_destroy(nke_world_t *w);

/*
 * Makes a machine, with lo0 and nothing else. `config` NULL: all zero. `*m` is to be given to
 * nke_destroy.
 *
 * ENOMEM: the host has no more memory (or fail_alloc struck). EINVAL: config->name is longer than 31
 * bytes or `time` is none of the above.
 */
int nke_create(const struct nke_config *config, nke_t **m);

/*
 * Ends a machine, also a panicked one, as pulling the plug would: stop routines of kexts that are
 * still loaded are not run (nke_kext_unload does that), their images are unmapped. No other thread may
 * be inside. NULL is ignored.
 */
void nke_destroy(nke_t *m);

/* The machine's name, as configured. */
const char *nke_name(const nke_t *m);

/*
 * The last error of this machine at length: one or more lines that name the thing, the place, what
 * was expected and what to do about it. "" when nothing failed yet. Valid until the next call that
 * fails on this machine.
 */
const char *nke_error_text(const nke_t *m);

/*
 * Runs fn(arg) on the calling thread with the machine's CPU, as kernel code, then whatever became
 * due. Panics of the machine end fn early. May block.
 *
 * EFAULT: the machine has panicked, before (fn was not called) or while fn ran.
 */
int nke_call(nke_t *m, void (*fn)(void *arg), void *arg);

/*
 * Lets virtual time pass up to and including uptime `until_ns`, running everything due on the way; an
 * uptime that has passed runs what is due now. UINT64_MAX: until no timer is left, the clock stays at
 * the last. In real time: runs what is due now and returns.
 *
 * EFAULT: panicked.
 */
int nke_run_until(nke_t *m, uint64_t until_ns);

/* The same for `ns` from now on. */
int nke_run_for(nke_t *m, uint64_t ns);

/*
 * While the clock is held, virtual time passes in nke_run_until and nke_run_for only: calls that wait do not
 * drive the machine's world, but wait until another thread does. Nothing gives EDEADLK then, and who calls
 * from one thread only must not wait. Counts for the whole world. EFAULT.
 */
int nke_hold_clock(nke_t *m, bool hold);

/* How many calls of other threads wait in the machine's world for something to happen. */
unsigned nke_waiting(const nke_t *m);

/* Nanoseconds since the machine was made, by its own clock. */
uint64_t nke_uptime(const nke_t *m);

/* Uptime at which the next timer is due; UINT64_MAX: none. */
uint64_t nke_next_event(const nke_t *m);

bool nke_panicked(const nke_t *m);

/*
 * What the machine said when it panicked: machine, kext, callback, packet, place, backtrace, one per
 * line. "" while all is well. Valid as long as the machine.
 */
const char *nke_panic_report(const nke_t *m);

/*
 * Turns SIGSEGV, SIGBUS, SIGFPE and SIGILL that kext code causes into panics of its machine. A
 * signal that comes from anywhere else goes to whoever handled it before, or has its default effect.
 * For the whole process, once; calling it again does nothing. Only the thread that calls it has an
 * alternate stack for the handler (stack overflows of other threads stay fatal).
 *
 * ENOMEM; EINVAL when the host refuses the handlers.
 */
int nke_catch_faults(void);

/* Version of the library, "0.1.0". */
const char *nke_version(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
