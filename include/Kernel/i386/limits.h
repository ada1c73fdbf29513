/* The same on every architecture: see machine/limits.h. */
#ifndef _I386_LIMITS_H_
#define _I386_LIMITS_H_

#include <machine/limits.h>

#endif
