/* The same on every architecture: see machine/endian.h. */
#ifndef _I386_ENDIAN_H_
#define _I386_ENDIAN_H_

#include <machine/endian.h>

#endif
