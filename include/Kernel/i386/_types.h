/* The same on every architecture: see machine/_types.h. */
#ifndef _I386__TYPES_H_
#define _I386__TYPES_H_

#include <machine/_types.h>

#endif
