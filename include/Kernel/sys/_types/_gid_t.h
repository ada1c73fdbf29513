/* A group's number. */
#ifndef _GID_T
#define _GID_T

#include <sys/_types.h>

typedef __darwin_gid_t gid_t;

#endif
