/* The same on every architecture: see machine/machine_routines.h. */
#ifndef _I386_MACHINE_ROUTINES_H_
#define _I386_MACHINE_ROUTINES_H_

#include <machine/machine_routines.h>

#endif
