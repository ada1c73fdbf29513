/* The size of an object, for functions that check it. */
#ifndef _RSIZE_T
#define _RSIZE_T

#include <machine/_types.h>

typedef __darwin_size_t rsize_t;

#endif
