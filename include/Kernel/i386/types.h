/* The same on every architecture: see machine/types.h. */
#ifndef _I386_TYPES_H_
#define _I386_TYPES_H_

#include <machine/types.h>

#endif
