/*
 * The system calls on descriptors of any kind, and on devices: what the host's half (src/host/file.c,
 * socket.c, ready.c) calls in the core. The rest of the door, and its rules, are in corecalls.h.
 *
 * Included by both sides: plain C types only. Flags, commands and errors are Darwin's numbers; the host
 * translates. Every function enters the machine and may be called from any thread. Beside what is named,
 * each can return EBADF (no such descriptor, or it was closed while the call slept), EFAULT (the machine
 * has panicked), ENOMEM, and those that sleep EDEADLK (in virtual time nothing can ever happen any more).
 * A device adds whatever its kext says.
 */
#ifndef NKE_KERN_FILECALLS_H
#define NKE_KERN_FILECALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nke;

/* As struct iovec everywhere. */
struct core_iovec {
	void *base;
	size_t len;
};

/* ---- devices ------------------------------------------------------------------------------ */

/* Of open's flags, which are what file_call_flags gives. */
#define CORE_O_WRONLY	0x0001
#define CORE_O_RDWR	0x0002
#define CORE_O_NONBLOCK	0x0004
#define CORE_O_APPEND	0x0008
#define CORE_O_ASYNC	0x0040
#define CORE_O_CREAT	0x0200
#define CORE_O_TRUNC	0x0400
#define CORE_O_EXCL	0x0800
#define CORE_O_DIRECTORY 0x100000

/*
 * Opens what a kext has named under /dev. ENOENT: no such name; ENXIO: no device stands behind it; EACCES,
 * EISDIR, ENOTDIR, ENAMETOOLONG, EEXIST, EINVAL, EMFILE.
 */
int file_call_open(struct nke *, const char *path, int flags, int *fd);
/*
 * Devices only: ENOTSOCK, the other way round, is what calls on sockets say of them; these say EOPNOTSUPP of
 * sockets. *done: bytes. EBADF: also when it is not open for that. ENXIO: the device has gone.
 */
int file_call_read(struct nke *, int fd, const struct core_iovec *, unsigned count, size_t *done);
int file_call_write(struct nke *, int fd, const struct core_iovec *, unsigned count, size_t *done);

/* ---- any descriptor ------------------------------------------------------------------------ */

/* The number goes, and with its last one what it stood for. May linger (SO_LINGER). */
int file_call_close(struct nke *, int fd);
/* The lowest free number not below `min` for the same thing. EINVAL, EMFILE. */
int file_call_dup(struct nke *, int fd, int min, int *out);
/* `data` has the size that the command says; NULL: EINVAL unless that is 0. ENOTTY: not a command for it. */
int file_call_ioctl(struct nke *, int fd, unsigned long command, void *data);
/* CORE_O_*, how it was opened and what was set since; sockets are CORE_O_RDWR. */
int file_call_flags(struct nke *, int fd, int *flags);
/* Of these only CORE_O_NONBLOCK, CORE_O_APPEND and CORE_O_ASYNC count. */
int file_call_set_flags(struct nke *, int fd, int flags);
int file_call_set_nonblocking(struct nke *, int fd, bool on);

/* ---- readiness ---------------------------------------------------------------------------- */

#define CORE_READY_READ		0x01
#define CORE_READY_WRITE	0x02
#define CORE_READY_ERROR	0x04	/* always looked for, as HANGUP and INVALID */
#define CORE_READY_HANGUP	0x08
#define CORE_READY_URGENT	0x10
#define CORE_READY_INVALID	0x20	/* no such descriptor */

struct core_pollfd {
	int fd;				/* negative: not looked at */
	unsigned want;			/* CORE_READY_* */
	unsigned ready;
};
/*
 * Waits until one is ready, at most `timeout_ns` (0: not at all; negative: for ever). *found: how many.
 */
int file_call_poll(struct nke *, struct core_pollfd *, unsigned count, int64_t timeout_ns,
    unsigned *found);
/*
 * From now on fn(ctx, fd, ready) is called whenever the descriptor may have become more ready, as an
 * edge-triggered event loop wants it; *ready says what it is already. One per descriptor: a new one takes the
 * place of the old, fn NULL takes it away, and so does closing the descriptor. Called on the machine's CPU
 * from whatever thread has it, in the middle of protocol code: it must be short, and must not call into any
 * machine.
 */
typedef void core_ready_fn(void *ctx, int fd, unsigned ready);
int file_call_watch(struct nke *, int fd, core_ready_fn *fn, void *ctx, unsigned *ready);

#endif
