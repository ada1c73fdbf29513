/* What IOKit's headers take for granted: Mach's types, threads, waiting, locks, libkern. */
#ifndef _IOKIT_SYSTEM_H_
#define _IOKIT_SYSTEM_H_

#include <sys/cdefs.h>
#include <mach/mach_types.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <IOKit/assert.h>
#include <kern/kern_types.h>
#include <kern/thread.h>
#include <kern/debug.h>
#include <kern/task.h>
#include <kern/sched_prim.h>
#include <kern/locks.h>
#include <libkern/libkern.h>

#endif
