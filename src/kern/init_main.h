/* The ordered list of a machine's subsystems; used by machine.c alone. */
#ifndef NKE_KERN_INIT_MAIN_H
#define NKE_KERN_INIT_MAIN_H

#include "src/kern/machine.h"

extern const struct subsystem *const subsystems[];	/* ends with NULL */

#endif
