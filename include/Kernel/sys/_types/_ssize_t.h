/* A size or an error. */
#ifndef _SSIZE_T
#define _SSIZE_T

#include <machine/_types.h>

typedef __darwin_ssize_t ssize_t;

#endif
