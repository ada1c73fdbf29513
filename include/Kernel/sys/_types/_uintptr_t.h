/* An unsigned integer as wide as a pointer. */
#ifndef _UINTPTR_T
#define _UINTPTR_T

typedef unsigned long uintptr_t;

#endif
