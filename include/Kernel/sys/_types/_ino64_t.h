/* A file's serial number, 64 bits. */
#ifndef _INO64_T
#define _INO64_T

#include <sys/_types.h>

typedef __darwin_ino64_t ino64_t;

#endif
