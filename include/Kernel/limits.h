/* The ranges of C's integer types, and the system's own limits. */
#ifndef _LIMITS_H_
#define _LIMITS_H_

#include <machine/limits.h>
#include <sys/syslimits.h>

#endif
