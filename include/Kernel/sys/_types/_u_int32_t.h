/* An unsigned integer of 32 bits, BSD's name. */
#ifndef _U_INT32_T
#define _U_INT32_T

#include <machine/_types.h>

typedef __uint32_t u_int32_t;

#endif
