/* A number of links. */
#ifndef _NLINK_T
#define _NLINK_T

#include <machine/_types.h>

typedef __uint16_t nlink_t;

#endif
