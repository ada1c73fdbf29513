/* Microseconds, signed. */
#ifndef _SUSECONDS_T
#define _SUSECONDS_T

#include <sys/_types.h>

typedef __darwin_suseconds_t suseconds_t;

#endif
