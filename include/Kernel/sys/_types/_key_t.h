/* The key of a System V object. */
#ifndef _KEY_T
#define _KEY_T

#include <machine/_types.h>

typedef __int32_t key_t;

#endif
