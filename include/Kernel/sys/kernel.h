/* The clock's rate and the machine's name and times. */
#ifndef _SYS_KERNEL_H_
#define _SYS_KERNEL_H_

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/time.h>

__BEGIN_DECLS

/* Ticks per second, 100, and microseconds per tick. */
extern int hz;
extern int tick;
extern char hostname[256];
extern int hostnamelen;
extern char domainname[256];
extern int domainnamelen;

__END_DECLS

#endif
