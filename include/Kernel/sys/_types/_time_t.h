/* Seconds. */
#ifndef _TIME_T
#define _TIME_T

#include <machine/_types.h>

typedef __darwin_time_t time_t;

#endif
