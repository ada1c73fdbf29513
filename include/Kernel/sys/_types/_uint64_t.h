/* An unsigned integer of 64 bits: unsigned long long. */
#ifndef _UINT64_T
#define _UINT64_T

#include <machine/_types.h>

typedef __uint64_t uint64_t;

#endif
