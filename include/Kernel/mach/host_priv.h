/* What only the superuser may ask of a host. Its functions (host_reboot and the like) are not here. */
#ifndef _MACH_HOST_PRIV_H_
#define _MACH_HOST_PRIV_H_

#include <mach/host_info.h>
#include <mach/kern_return.h>
#include <mach/mach_types.h>
#include <mach/port.h>
#include <mach/std_types.h>

#endif
