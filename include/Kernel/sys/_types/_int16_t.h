/* A signed integer of 16 bits. */
#ifndef _INT16_T
#define _INT16_T

#include <machine/_types.h>

typedef __int16_t int16_t;

#endif
