/* Sizes of pages, mbufs and clusters. */
#ifndef _MACHINE_PARAM_H_
#define _MACHINE_PARAM_H_

#include <machine/types.h>

#ifndef __DARWIN_ALIGN
#define __DARWIN_ALIGNBYTES (sizeof(__darwin_size_t) - 1)
#define __DARWIN_ALIGN(p) \
	((__darwin_size_t)((__darwin_size_t)(p) + __DARWIN_ALIGNBYTES) & ~__DARWIN_ALIGNBYTES)
#define __DARWIN_ALIGNBYTES32 (sizeof(__uint32_t) - 1)
#define __DARWIN_ALIGN32(p) \
	((__darwin_size_t)((__darwin_size_t)(p) + __DARWIN_ALIGNBYTES32) & ~__DARWIN_ALIGNBYTES32)
#endif
#define ALIGNBYTES __DARWIN_ALIGNBYTES
#define ALIGN(p) __DARWIN_ALIGN(p)

#define NBPG 4096
#define PGOFSET (NBPG - 1)
#define PGSHIFT 12

#define DEV_BSIZE 512
#define DEV_BSHIFT 9
#define BLKDEV_IOSIZE 2048
#define MAXPHYS (128 * 1024)

#define CLSIZE 1
#define CLSIZELOG2 0

#ifndef MSIZE
#define MSIZESHIFT 8
#define MSIZE (1 << MSIZESHIFT)
#endif
#ifndef MCLSHIFT
#define MCLSHIFT 11
#endif
#define MCLBYTES (1 << MCLSHIFT)
#define MCLOFSET (MCLBYTES - 1)
#define MBIGCLSHIFT 12
#define MBIGCLBYTES (1 << MBIGCLSHIFT)
#define MBIGCLOFSET (MBIGCLBYTES - 1)
#define M16KCLSHIFT 14
#define M16KCLBYTES (1 << M16KCLSHIFT)
#define M16KCLOFSET (M16KCLBYTES - 1)
#define NMBCLUSTERS ((1024 * 1024) / MCLBYTES)

#define btodb(bytes, size) ((unsigned)(bytes) / (size))
#define dbtob(db, size) ((unsigned)(db) * (size))
#define bdbtofsb(bn) ((bn) / (BLKDEV_IOSIZE / DEV_BSIZE))

#endif
