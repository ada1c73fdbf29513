/* The handlers that variables are made with, and the variables every machine has. */
#ifndef NKE_KERN_SYSCTL_LEAVES_H
#define NKE_KERN_SYSCTL_LEAVES_H

#include "src/kern/machine.h"

errno_t sysctl_add_leaves(struct nke *);

#endif
