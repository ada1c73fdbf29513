/* Old locks went into kern/locks.h; this name remains. */
#ifndef _SYS_LOCK_H_
#define _SYS_LOCK_H_

#include <sys/appleapiopts.h>
#include <sys/types.h>
#include <sys/cdefs.h>
#include <kern/locks.h>

struct slock {
	volatile unsigned int lock_data[10];
};

#endif
