/*
 * The kernel's odds and ends: callouts, copies to and from a process, hash tables, functions that
 * only fail. With it come printf, panic, msleep's relatives and the rest, as kexts expect.
 */
#ifndef _SYS_SYSTM_H_
#define _SYS_SYSTM_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/time.h>
#include <sys/ioctl.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/kernel_types.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <kern/thread.h>
#include <kern/debug.h>
#include <libkern/libkern.h>

struct vnode;
struct __throttle_info_handle;
typedef struct __throttle_info_handle *throttle_info_handle_t;

typedef void (*timeout_fcn_t)(void *);

/* Checked in kexts built with INVARIANTS. `msg` comes with its own parentheses. */
#ifdef INVARIANTS
#define KASSERT(exp, msg) \
	do { \
		if (__improbable(!(exp))) \
			panic msg; \
	} while (0)
#else
#define KASSERT(exp, msg)
#endif

#define NO_FUNNEL 0
#define KERNEL_FUNNEL 1
#define NETWORK_FUNNEL 2

#define THROTTLE_IO_ENABLE 1
#define THROTTLE_IO_DISABLE 0

__BEGIN_DECLS

/*
 * Calls fcn(param) once, no sooner than after *ts, on a thread of the machine: it may sleep.
 * bsd_untimeout takes back the first that waits with that function and argument; it does not wait
 * for one that runs.
 */
void bsd_timeout(void (*fcn)(void *), void *param, struct timespec *ts);
void bsd_untimeout(void (*fcn)(void *), void *param);
/* 10.1 to 10.3: the same, after so many ticks of 1/hz second; no funnel is held in the call. */
void timeout(void (*fcn)(void *), void *param, int ticks);
void untimeout(void (*fcn)(void *), void *param);
extern funnel_t *kernel_flock;
extern funnel_t *network_flock;
boolean_t thread_funnel_switch(int oldfnl, int newfnl);

/* Absolute time of a length: tstoabstime panics on nothing, negative lengths give 0. */
uint64_t tvtoabstime(struct timeval *tv);
uint64_t tstoabstime(struct timespec *ts);

/*
 * A table of empty LIST heads, a power of two of them and at most `count`; *hashmask is that number
 * less one. May sleep. To be freed with _FREE(table, type).
 */
void *hashinit(int count, int type, u_long *hashmask);

/* As bcopy. */
void ovbcopy(const void *from, void *to, size_t len);
/* A byte or a word from or to the process: -1 for a bad address. */
int fubyte(user_addr_t addr);
int fuibyte(user_addr_t addr);
int subyte(user_addr_t addr, int byte);
int suibyte(user_addr_t addr, int byte);
long fuword(user_addr_t addr);
long fuiword(user_addr_t addr);
int suword(user_addr_t addr, long word);
int suiword(user_addr_t addr, long word);
/* 1 when the process may so access that memory, else 0. */
int useracc(user_addr_t addr, user_size_t len, int prot);

/* Functions to fill tables with: each does nothing but return its value, the first three 0. */
int nullop(void);
int nulldev(void);
void nullsys(void);
int errsys(void);
int enoioctl(void);
int enosys(void);
int enxio(void);
int eopnotsupp(void);
int einval(void);

__END_DECLS

#endif
