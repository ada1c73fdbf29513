/* Processor time. */
#ifndef _CLOCK_T
#define _CLOCK_T

#include <machine/_types.h>

typedef __darwin_clock_t clock_t;

#endif
