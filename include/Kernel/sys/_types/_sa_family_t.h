/* An address family. */
#ifndef _SA_FAMILY_T
#define _SA_FAMILY_T

#include <machine/_types.h>

typedef __uint8_t sa_family_t;

#endif
