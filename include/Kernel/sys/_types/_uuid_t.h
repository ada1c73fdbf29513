/* A universally unique identifier: 16 bytes. */
#ifndef _UUID_T
#define _UUID_T

#include <sys/_types.h>

typedef __darwin_uuid_t uuid_t;

#endif
