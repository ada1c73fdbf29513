/* The type behind mach/boolean.h: x86_64's, whatever the architecture. */
#ifndef _MACH_MACHINE_BOOLEAN_H_
#define _MACH_MACHINE_BOOLEAN_H_

typedef unsigned int boolean_t;

#endif
