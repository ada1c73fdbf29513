/* A Mach port; nothing more than its number here. */
#ifndef _MACH_PORT_T
#define _MACH_PORT_T

#include <sys/_types.h>

typedef __darwin_mach_port_t mach_port_t;

#endif
