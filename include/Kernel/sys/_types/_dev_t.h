/* A device's number. */
#ifndef _DEV_T
#define _DEV_T

#include <sys/_types.h>

typedef __darwin_dev_t dev_t;

#endif
