/* Reading and setting variables by name from within the kernel. */
#ifndef _LIBKERN_SYSCTL_H_
#define _LIBKERN_SYSCTL_H_

#include <sys/cdefs.h>
#include <sys/types.h>

__BEGIN_DECLS

/*
 * Copies the old value to oldp (*oldlenp its room, then its length) and sets the new one, either of
 * which may be NULL. ENOENT, ENOMEM, EPERM as sysctl(3). May sleep.
 */
int sysctlbyname(const char *name, void *oldp, size_t *oldlenp, void *newp, size_t newlen)
    __KERNEL_SYMBOL(sysctlbyname);

__END_DECLS

#endif
