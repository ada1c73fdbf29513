/* A number of blocks of a file system. */
#ifndef _FSBLKCNT_T
#define _FSBLKCNT_T

#include <sys/_types.h>

typedef __darwin_fsblkcnt_t fsblkcnt_t;

#endif
