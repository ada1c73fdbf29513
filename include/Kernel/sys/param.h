/* Sizes, limits and sleep priorities, and small arithmetic. */
#ifndef _SYS_PARAM_H_
#define _SYS_PARAM_H_

#include <sys/appleapiopts.h>

#define BSD 199506
#define BSD4_3 1
#define BSD4_4 1
#define NeXTBSD 1995064
#define NeXTBSD4_0 0

#include <sys/_types.h>
#include <sys/_types/_null.h>
#include <sys/types.h>
#include <sys/syslimits.h>

#define MAXCOMLEN 16
#define MAXINTERP 64
#define MAXLOGNAME 255
#define MAXUPRC CHILD_MAX
#define NCARGS ARG_MAX
#define NGROUPS NGROUPS_MAX
#define NOFILE 256
#define NOGROUP 65535
#define MAXHOSTNAMELEN 256
#define MAXDOMNAMELEN 256

#include <sys/errno.h>
#include <sys/time.h>
#include <sys/resource.h>
#include <sys/ucred.h>
#include <sys/uio.h>
#include <sys/signal.h>
#include <machine/param.h>
#include <machine/limits.h>

/* What msleep takes: a priority, and flags. Above PZERO a signal can end the sleep with PCATCH. */
#define PSWP 0
#define PVM 4
#define PINOD 8
#define PRIBIO 16
#define PVFS 20
#define PZERO 22
#define PSOCK 24
#define PWAIT 32
#define PLOCK 36
#define PPAUSE 40
#define PUSER 50
#define MAXPRI 127
#define PRIMASK 0x0ff
#define PCATCH 0x100
#define PTTYBLOCK 0x200
#define PDROP 0x400
#define PSPIN 0x800

#define NBPW sizeof(int)
#define CMASK 022
#define NODEV (dev_t)(-1)

#define CLBYTES (CLSIZE * NBPG)
#define CLOFSET (CLSIZE * NBPG - 1)
#define claligned(x) ((((int)(x)) & CLOFSET) == 0)
#define CLOFF CLOFSET
#define CLSHIFT (PGSHIFT + CLSIZELOG2)
#define CBLOCK 64
#define CBQSIZE (CBLOCK / NBBY)
#define CBSIZE (CBLOCK - sizeof(struct cblock *) - CBQSIZE)
#define CROUND (CBLOCK - 1)

#define MAXPATHLEN PATH_MAX
#define MAXSYMLINKS 32
#define MAXBSIZE (1024 * 1024)
#define MAXFRAG 8

#define setbit(a, i) (((char *)(a))[(i) / NBBY] |= 1 << ((i) % NBBY))
#define clrbit(a, i) (((char *)(a))[(i) / NBBY] &= ~(1 << ((i) % NBBY)))
#define isset(a, i) (((char *)(a))[(i) / NBBY] & (1 << ((i) % NBBY)))
#define isclr(a, i) ((((char *)(a))[(i) / NBBY] & (1 << ((i) % NBBY))) == 0)

#ifndef howmany
#define howmany(x, y) ((((x) % (y)) == 0) ? ((x) / (y)) : (((x) / (y)) + 1))
#endif
#define roundup(x, y) ((((x) % (y)) == 0) ? (x) : ((x) + ((y) - ((x) % (y)))))
#define powerof2(x) ((((x) - 1) & (x)) == 0)

#ifndef MIN
#define MIN(a, b) (((a) < (b)) ? (a) : (b))
#endif
#ifndef MAX
#define MAX(a, b) (((a) > (b)) ? (a) : (b))
#endif

#define FSHIFT 11
#define FSCALE (1 << FSHIFT)

#endif
