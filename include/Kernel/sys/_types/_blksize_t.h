/* The size of a block. */
#ifndef _BLKSIZE_T
#define _BLKSIZE_T

#include <sys/_types.h>

typedef __darwin_blksize_t blksize_t;

#endif
