/* A file's type and permissions. */
#ifndef _MODE_T
#define _MODE_T

#include <sys/_types.h>

typedef __darwin_mode_t mode_t;

#endif
