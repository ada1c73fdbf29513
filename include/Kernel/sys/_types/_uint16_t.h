/* An unsigned integer of 16 bits. */
#ifndef _UINT16_T
#define _UINT16_T

#include <machine/_types.h>

typedef __uint16_t uint16_t;

#endif
