/* A signed integer as wide as a pointer. */
#ifndef _INTPTR_T
#define _INTPTR_T

#include <machine/_types.h>

typedef __darwin_intptr_t intptr_t;

#endif
