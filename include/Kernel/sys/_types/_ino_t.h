/* A file's serial number. */
#ifndef _INO_T
#define _INO_T

#include <sys/_types.h>

typedef __darwin_ino_t ino_t;

#endif
