/* What the kernel keeps of a process that runs: the name only. */
#ifndef _SYS_USER_H_
#define _SYS_USER_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/param.h>
#include <sys/resource.h>
#include <sys/signal.h>
#include <sys/time.h>
#include <sys/ucred.h>
#include <sys/uio.h>

struct user;

#endif
