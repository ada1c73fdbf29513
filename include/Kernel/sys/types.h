/* The types of the BSD layer: sizes, identities, files, times, devices. */
#ifndef _SYS_TYPES_H_
#define _SYS_TYPES_H_

#include <sys/_types/_null.h>
#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <machine/types.h>
#include <stdint.h>
#include <sys/_types.h>
#include <machine/endian.h>

#include <sys/_types/_u_char.h>
#include <sys/_types/_u_short.h>
#include <sys/_types/_u_int.h>
#ifndef _U_LONG
#define _U_LONG
typedef unsigned long u_long;
#endif
typedef unsigned short ushort;
typedef unsigned int uint;
typedef u_int64_t u_quad_t;
typedef int64_t quad_t;
typedef quad_t *qaddr_t;

#include <sys/_types/_caddr_t.h>
typedef int32_t daddr_t;
#include <sys/_types/_dev_t.h>
typedef u_int32_t fixpt_t;
#include <sys/_types/_blkcnt_t.h>
#include <sys/_types/_blksize_t.h>
#include <sys/_types/_gid_t.h>
#include <sys/_types/_in_addr_t.h>
#include <sys/_types/_in_port_t.h>
#include <sys/_types/_ino_t.h>
#include <sys/_types/_ino64_t.h>
#include <sys/_types/_key_t.h>
#include <sys/_types/_mode_t.h>
#include <sys/_types/_nlink_t.h>
#include <sys/_types/_id_t.h>
#include <sys/_types/_pid_t.h>
#include <sys/_types/_off_t.h>
typedef int32_t segsz_t;
typedef int32_t swblk_t;
#include <sys/_types/_uid_t.h>
#include <sys/_types/_clock_t.h>
#include <sys/_types/_size_t.h>
#include <sys/_types/_rsize_t.h>
#include <sys/_types/_ssize_t.h>
#include <sys/_types/_time_t.h>
#include <sys/_types/_useconds_t.h>
#include <sys/_types/_suseconds_t.h>
#include <sys/_types/_errno_t.h>
#include <sys/_types/_fsblkcnt_t.h>
#include <sys/_types/_fsfilcnt_t.h>
#include <sys/_types/_fd_def.h>

#define NBBY 8
#define NFDBITS __DARWIN_NFDBITS
#define howmany(x, y) __DARWIN_howmany(x, y)
typedef __int32_t fd_mask;

/* A device number is eight bits of major and 24 of minor. */
static inline __int32_t
major(__uint32_t dev)
{
	return (__int32_t)((dev >> 24) & 0xff);
}

static inline __int32_t
minor(__uint32_t dev)
{
	return (__int32_t)(dev & 0xffffff);
}

static inline dev_t
makedev(__uint32_t maj, __uint32_t min)
{
	return (dev_t)((maj << 24) | min);
}

#endif
