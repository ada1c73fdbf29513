/* The clock's rate and the machine's name and times. */
#ifndef _SYS_KERNEL_H_
#define _SYS_KERNEL_H_

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/time.h>

__BEGIN_DECLS

/* Ticks per second, 100, and microseconds per tick. */
extern int hz __KERNEL_SYMBOL(hz);
extern int tick __KERNEL_SYMBOL(tick);
extern char hostname[256] __KERNEL_SYMBOL(hostname);
extern int hostnamelen __KERNEL_SYMBOL(hostnamelen);
extern char domainname[256] __KERNEL_SYMBOL(domainname);
extern int domainnamelen __KERNEL_SYMBOL(domainnamelen);

__END_DECLS

#endif
