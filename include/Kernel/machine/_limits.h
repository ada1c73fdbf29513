/* The same on every architecture: see i386/_limits.h. */
#ifndef _MACHINE__LIMITS_H_
#define _MACHINE__LIMITS_H_

#include <i386/_limits.h>

#endif
