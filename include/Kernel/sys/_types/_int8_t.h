/* A signed integer of 8 bits. */
#ifndef _INT8_T
#define _INT8_T

#include <machine/_types.h>

typedef __int8_t int8_t;

#endif
