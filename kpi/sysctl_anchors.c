/*
 * The lists that SYSCTL_DECL() declares and the SYSCTL_ macros take the address of. Nothing is
 * ever linked into them: an address stands for a branch, and each machine has its own tree
 * (src/kern/sysctl.c). Hence they are constant, and a kext that links into one by itself is
 * caught; sys/sysctl.h, which promises Darwin's type, is not included here.
 */
#include <stddef.h>

#define ANCHOR(name)								\
	extern const void *const name __attribute__((visibility("default")));	\
	const void *const name = NULL

ANCHOR(sysctl__children);
#define X(parent, number, name) ANCHOR(sysctl_##parent##_##name##_children);
#include "src/kern/sysctl_nodes.h"
#undef X
