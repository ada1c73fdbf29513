/* The length of a socket address. */
#ifndef _SOCKLEN_T
#define _SOCKLEN_T

#include <machine/_types.h>

typedef __darwin_socklen_t socklen_t;

#endif
