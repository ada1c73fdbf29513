/* A process's, user's or group's number. */
#ifndef _ID_T
#define _ID_T

#include <sys/_types.h>

typedef __darwin_id_t id_t;

#endif
