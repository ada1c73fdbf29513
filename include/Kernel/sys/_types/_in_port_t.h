/* A port in network order. */
#ifndef _IN_PORT_T
#define _IN_PORT_T

#include <machine/_types.h>

typedef __uint16_t in_port_t;

#endif
