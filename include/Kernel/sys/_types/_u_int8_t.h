/* An unsigned integer of 8 bits, BSD's name. */
#ifndef _U_INT8_T
#define _U_INT8_T

#include <machine/_types.h>

typedef __uint8_t u_int8_t;

#endif
