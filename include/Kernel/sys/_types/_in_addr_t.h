/* An IPv4 address in network order. */
#ifndef _IN_ADDR_T
#define _IN_ADDR_T

#include <machine/_types.h>

typedef __uint32_t in_addr_t;

#endif
