/* All ioctls of descriptors, sockets and interfaces. A kernel has no ioctl() of its own. */
#ifndef _SYS_IOCTL_H_
#define _SYS_IOCTL_H_

#include <sys/ioccom.h>
#include <sys/filio.h>
#include <sys/sockio.h>
#include <sys/ttycom.h>

struct ttysize {
	unsigned short ts_lines;
	unsigned short ts_cols;
	unsigned short ts_xxx;
	unsigned short ts_yyy;
};

#endif
