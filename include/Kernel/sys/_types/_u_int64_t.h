/* An unsigned integer of 64 bits, BSD's name. */
#ifndef _U_INT64_T
#define _U_INT64_T

#include <machine/_types.h>

typedef __uint64_t u_int64_t;

#endif
