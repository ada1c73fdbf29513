/*
 * BSD's allocator. With M_WAITOK it may sleep and gives NULL only when the harness makes it fail;
 * what one kext allocates the ledger knows by type and caller.
 */
#ifndef _SYS_MALLOC_H_
#define _SYS_MALLOC_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/types.h>

#define M_WAITOK 0x0000
#define M_NOWAIT 0x0001
#define M_ZERO 0x0004
#define M_NULL 0x0008

#define M_FREE 0
#define M_MBUF 1
#define M_DEVBUF 2
#define M_SOCKET 3
#define M_PCB 4
#define M_RTABLE 5
#define M_HTABLE 6
#define M_FTABLE 7
#define M_IFADDR 9
#define M_SOOPTS 10
#define M_SONAME 11
#define M_LOCKF 40
#define M_IPMOPTS 53
#define M_IPMADDR 54
#define M_IFMADDR 55
#define M_MRTABLE 56
#define M_HFSMNT 75
#define M_TEMP 80
#define M_UDFNODE 84
#define M_UDFMNT 85
#define M_KAUTH 100

__BEGIN_DECLS

/* `type` is one of the M_ numbers above, `flags` of M_WAITOK, M_NOWAIT, M_ZERO. */
void *_MALLOC(size_t size, int type, int flags);
void _FREE(void *addr, int type);
/* As realloc: `addr` may be NULL; on NULL the old block stays. */
void *_REALLOC(void *addr, size_t size, int type, int flags);
/* For objects of one size: _FREE_ZONE wants the size again and panics when it is another. */
void *_MALLOC_ZONE(size_t size, int type, int flags);
void _FREE_ZONE(void *elem, size_t size, int type);

__END_DECLS

#define MALLOC(space, cast, size, type, flags) (space) = (cast)_MALLOC(size, type, flags)
#define FREE(addr, type) _FREE((void *)(addr), type)
#define REALLOC(space, cast, addr, size, type, flags) \
	(space) = (cast)_REALLOC(addr, size, type, flags)
#define MALLOC_ZONE(space, cast, size, type, flags) \
	(space) = (cast)_MALLOC_ZONE(size, type, flags)
#define FREE_ZONE(addr, size, type) _FREE_ZONE((void *)(addr), size, type)

#endif
