/* Telling select(2) that something is ready. */
#ifndef _SYS_SELECT_H_
#define _SYS_SELECT_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/_types.h>
#include <sys/types.h>
#include <sys/kernel_types.h>
#include <sys/_types/_fd_def.h>
#include <sys/_types/_timespec.h>
#include <sys/_types/_timeval.h>
#include <sys/_types/_time_t.h>
#include <sys/_types/_suseconds_t.h>
#include <sys/_types/_sigset_t.h>

/*
 * Who selects on a thing: it lies in the thing. Its size is the kernel's secret, so a kext that has
 * one defines the structure itself, with room for at least 64 bytes, and calls selthreadclear first.
 */
#ifdef NKE_CORE
struct selinfo {
	void *si_opaque[8];
};
#else
struct selinfo;
#endif

__BEGIN_DECLS

/* Notes that `selector` waits; `s` must be kept until selthreadclear. */
void selrecord(proc_t selector, struct selinfo *s, void *wql);
/* Wakes those who wait. Never sleeps. */
void selwakeup(struct selinfo *s);
/* Forgets them. */
void selthreadclear(struct selinfo *s);

__END_DECLS

#endif
