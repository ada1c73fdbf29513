/* Old sources find the locks here. */
#ifndef _KERN_LOCK_H_
#define _KERN_LOCK_H_

#include <kern/locks.h>
#include <kern/simple_lock.h>

#endif
