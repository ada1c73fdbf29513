/* An unsigned integer of 16 bits, BSD's name. */
#ifndef _U_INT16_T
#define _U_INT16_T

#include <machine/_types.h>

typedef __uint16_t u_int16_t;

#endif
