/* An unsigned integer of 8 bits. */
#ifndef _UINT8_T
#define _UINT8_T

#include <machine/_types.h>

typedef __uint8_t uint8_t;

#endif
