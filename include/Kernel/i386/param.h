/* The same on every architecture: see machine/param.h. */
#ifndef _I386_PARAM_H_
#define _I386_PARAM_H_

#include <machine/param.h>

#endif
