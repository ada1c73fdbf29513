/* The host: the names of its handles only. host_self and its like are not here. */
#ifndef _KERN_HOST_H_
#define _KERN_HOST_H_

#include <mach/mach_types.h>

#endif
