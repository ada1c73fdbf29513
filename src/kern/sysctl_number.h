/* The exchange of a number; sysctl_io_number() of the KPI is this. */
#ifndef NKE_KERN_SYSCTL_NUMBER_H
#define NKE_KERN_SYSCTL_NUMBER_H

#include <stdbool.h>
#include <sys/errno.h>
#include <sys/sysctl.h>

/*
 * Gives the caller `value`, a number of `size` (4 or 8) bytes, and takes a new one to `variable`
 * (NULL: it cannot be set, EPERM). A caller with 4 bytes may read and set a number of 8: ERANGE
 * when it does not fit. *changed (may be NULL) becomes 1 when the variable was set, else 0.
 */
int sysctl_number(struct sysctl_req *, long long value, size_t size, void *variable, int *changed);

#endif
