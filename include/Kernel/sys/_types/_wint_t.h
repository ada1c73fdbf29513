/* A wide character or its end mark. */
#ifndef _WINT_T
#define _WINT_T

#include <machine/_types.h>

typedef __darwin_wint_t wint_t;

#endif
