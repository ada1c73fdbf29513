/* The null pointer. */
#ifndef _SYS__TYPES__NULL_H_
#define _SYS__TYPES__NULL_H_

#include <sys/_types.h>

#ifndef NULL
#define NULL __DARWIN_NULL
#endif

#endif
