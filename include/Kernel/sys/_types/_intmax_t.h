/* The widest signed integer. */
#ifndef _INTMAX_T
#define _INTMAX_T

typedef long intmax_t;

#endif
