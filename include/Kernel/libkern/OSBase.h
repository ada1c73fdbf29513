/* Words of libkern's declarations. */
#ifndef _LIBKERN_OSBASE_H_
#define _LIBKERN_OSBASE_H_

#include <sys/cdefs.h>
#include <stdint.h>

#define OS_INLINE static inline

#endif
