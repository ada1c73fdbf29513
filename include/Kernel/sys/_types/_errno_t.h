/* A number from sys/errno.h, 0 for success. */
#ifndef _ERRNO_T
#define _ERRNO_T

typedef int errno_t;

#endif
