/* Moving bytes between a process and the kernel: copyin, copyout and their like are in libkern/libkern.h. */
#ifndef _LIBKERN_COPYIO_H_
#define _LIBKERN_COPYIO_H_

#include <libkern/libkern.h>

#endif
