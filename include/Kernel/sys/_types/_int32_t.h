/* A signed integer of 32 bits. */
#ifndef _INT32_T
#define _INT32_T

#include <machine/_types.h>

typedef __int32_t int32_t;

#endif
