/* The spin locks before those of kern/locks.h: the name only, their functions are not here. */
#ifndef _KERN_SIMPLE_LOCK_H_
#define _KERN_SIMPLE_LOCK_H_

#include <mach/boolean.h>
#include <kern/kern_types.h>

typedef struct slock *usimple_lock_t;
#define simple_lock_t usimple_lock_t

#endif
