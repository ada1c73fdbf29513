/* Disk buffers: the name only. */
#ifndef _SYS_BUF_H_
#define _SYS_BUF_H_

#include <sys/cdefs.h>
#include <sys/kernel_types.h>

struct buf;

#endif
