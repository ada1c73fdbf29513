/* An unsigned integer of 32 bits. */
#ifndef _UINT32_T
#define _UINT32_T

#include <machine/_types.h>

typedef __uint32_t uint32_t;

#endif
