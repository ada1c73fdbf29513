/* Files' pages in memory: the words of ubc_msync. Its functions are not here, as there are no files. */
#ifndef _SYS_UBC_H_
#define _SYS_UBC_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/kernel_types.h>
#include <mach/memory_object_types.h>

#define UBC_PUSHDIRTY 0x01
#define UBC_PUSHALL 0x02
#define UBC_INVALIDATE 0x04
#define UBC_SYNC 0x08

#endif
