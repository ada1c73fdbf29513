/*
 * How an ioctl's number is put together: direction in the top three bits, size of the argument,
 * group letter, number within the group. Included by every header that defines ioctls.
 */
#ifndef _SYS_IOCCOM_H_
#define _SYS_IOCCOM_H_

#include <sys/types.h>

#define IOCPARM_MASK		0x1fff
#define IOCPARM_MAX		(IOCPARM_MASK + 1)
#define IOCPARM_LEN(x)		(((x) >> 16) & IOCPARM_MASK)
#define IOCBASECMD(x)		((x) & ~(IOCPARM_MASK << 16))
#define IOCGROUP(x)		(((x) >> 8) & 0xff)

#define IOC_VOID		((__uint32_t)0x20000000)
#define IOC_OUT			((__uint32_t)0x40000000)
#define IOC_IN			((__uint32_t)0x80000000)
#define IOC_INOUT		(IOC_IN | IOC_OUT)
#define IOC_DIRMASK		((__uint32_t)0xe0000000)

#define _IOC(dir, group, num, len) \
	((dir) | (((len) & IOCPARM_MASK) << 16) | ((group) << 8) | (num))
#define _IO(g, n)		_IOC(IOC_VOID, (g), (n), 0)
#define _IOR(g, n, t)		_IOC(IOC_OUT, (g), (n), sizeof(t))
#define _IOW(g, n, t)		_IOC(IOC_IN, (g), (n), sizeof(t))
#define _IOWR(g, n, t)		_IOC(IOC_INOUT, (g), (n), sizeof(t))

#endif
