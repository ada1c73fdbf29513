/* A number of files of a file system. */
#ifndef _FSFILCNT_T
#define _FSFILCNT_T

#include <sys/_types.h>

typedef __darwin_fsfilcnt_t fsfilcnt_t;

#endif
