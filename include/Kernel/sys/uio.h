/* Descriptions of a transfer between kernel and caller: uio_t, and moving its bytes. */
#ifndef _SYS_UIO_H_
#define _SYS_UIO_H_

#include <sys/cdefs.h>
#include <sys/_types.h>
#include <sys/types.h>
#include <sys/_types/_size_t.h>
#include <sys/_types/_ssize_t.h>
#include <sys/_types/_off_t.h>
#include <sys/_types/_iovec_t.h>
#include <sys/kernel_types.h>

struct uio;

enum uio_rw { UIO_READ, UIO_WRITE };

#define UIO_NOCOPY 3

enum uio_seg {
	UIO_USERSPACE = 0,
	UIO_USERISPACE = 1,
	UIO_SYSSPACE = 2,
	UIO_PHYS_USERSPACE = 3,
	UIO_PHYS_SYSSPACE = 4,
	UIO_USERSPACE32 = 5,
	UIO_USERSPACE64 = 8,
	UIO_SYSSPACE32 = 11,
	UIO_PHYS_USERSPACE32 = 12,
	UIO_PHYS_USERSPACE64 = 13,
	UIO_PHYS_SYSSPACE32 = 14,
	UIO_PHYS_SYSSPACE64 = 15
};

#define UIO_SEG_IS_USER_SPACE(seg) \
	((seg) == UIO_USERSPACE64 || (seg) == UIO_USERSPACE32 || (seg) == UIO_USERSPACE || \
	 (seg) == UIO_USERISPACE)

#define UIO_MAXIOV 1024
#define UIO_SMALLIOV 8

__BEGIN_DECLS

/* Room for `iovcount` pieces, empty; NULL without memory. May sleep. */
uio_t uio_create(int iovcount, off_t offset, int spacetype, int iodirection);
/* Empties one and sets it up afresh. */
void uio_reset(uio_t uio, off_t offset, int spacetype, int iodirection);
uio_t uio_duplicate(uio_t uio);
void uio_free(uio_t uio);
/* 0, or -1 when there is no room. */
int uio_addiov(uio_t uio, user_addr_t base, user_size_t length);

/* The bytes still to move. */
user_ssize_t uio_resid(uio_t uio);
void uio_setresid(uio_t uio, user_ssize_t value);
int uio_iovcnt(uio_t uio);
off_t uio_offset(uio_t uio);
void uio_setoffset(uio_t uio, off_t value);
int uio_rw(uio_t uio);
void uio_setrw(uio_t uio, int value);
int uio_isuserspace(uio_t uio);
user_addr_t uio_curriovbase(uio_t uio);
user_size_t uio_curriovlen(uio_t uio);
int uio_getiov(uio_t uio, int index, user_addr_t *base, user_size_t *length);
/* Goes on by `count` bytes without moving them. */
void uio_update(uio_t uio, user_size_t count);

/* Moves up to n bytes between cp and the pieces, in the uio's direction. 0 or EFAULT. */
int uiomove(const char *cp, int n, uio_t uio);
int uiomove64(const __uint64_t cp, int n, uio_t uio);

__END_DECLS

#endif
