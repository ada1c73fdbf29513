/* An offset in a file. */
#ifndef _OFF_T
#define _OFF_T

#include <sys/_types.h>

typedef __darwin_off_t off_t;

#endif
