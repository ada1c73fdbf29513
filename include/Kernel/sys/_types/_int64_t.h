/* A signed integer of 64 bits: long long. */
#ifndef _INT64_T
#define _INT64_T

#include <machine/_types.h>

typedef __int64_t int64_t;

#endif
