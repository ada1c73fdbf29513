/* The size of an object. */
#ifndef _SIZE_T
#define _SIZE_T

#include <machine/_types.h>

typedef __darwin_size_t size_t;

#endif
