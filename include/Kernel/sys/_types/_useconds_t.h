/* Microseconds. */
#ifndef _USECONDS_T
#define _USECONDS_T

#include <sys/_types.h>

typedef __darwin_useconds_t useconds_t;

#endif
