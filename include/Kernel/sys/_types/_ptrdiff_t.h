/* The difference of two pointers. */
#ifndef _PTRDIFF_T
#define _PTRDIFF_T

#include <machine/_types.h>

typedef __darwin_ptrdiff_t ptrdiff_t;

#endif
