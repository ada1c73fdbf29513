/* The same on every architecture: see libkern/machine/OSByteOrder.h. */
#ifndef _LIBKERN_I386_OSBYTEORDER_H_
#define _LIBKERN_I386_OSBYTEORDER_H_

#include <libkern/machine/OSByteOrder.h>

#endif
