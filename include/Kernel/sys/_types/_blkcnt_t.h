/* A number of blocks of a file. */
#ifndef _BLKCNT_T
#define _BLKCNT_T

#include <sys/_types.h>

typedef __darwin_blkcnt_t blkcnt_t;

#endif
