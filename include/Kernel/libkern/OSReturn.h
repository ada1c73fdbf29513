/* libkern's results. */
#ifndef _LIBKERN_OSRETURN_H_
#define _LIBKERN_OSRETURN_H_

#include <sys/cdefs.h>
#include <mach/error.h>

typedef kern_return_t OSReturn;

#ifndef sys_libkern
#define sys_libkern err_system(0x37)
#endif
#define sub_libkern_common err_sub(0)
#define sub_libkern_metaclass err_sub(1)
#define sub_libkern_reserved err_sub(-1)
#define libkern_common_err(r) (sys_libkern | sub_libkern_common | (r))
#define libkern_metaclass_err(r) (sys_libkern | sub_libkern_metaclass | (r))

#define kOSReturnSuccess KERN_SUCCESS
#define kOSReturnError libkern_common_err(1)

#endif
