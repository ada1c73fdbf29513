/* The widest unsigned integer. */
#ifndef _UINTMAX_T
#define _UINTMAX_T

typedef unsigned long uintmax_t;

#endif
