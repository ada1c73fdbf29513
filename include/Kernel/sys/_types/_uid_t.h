/* A user's number. */
#ifndef _UID_T
#define _UID_T

#include <sys/_types.h>

typedef __darwin_uid_t uid_t;

#endif
