/* The same on every architecture: see machine/locks.h. */
#ifndef _I386_LOCKS_H_
#define _I386_LOCKS_H_

#include <machine/locks.h>

#endif
