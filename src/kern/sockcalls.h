/*
 * The system calls on sockets: what the host's half (src/host/socket.c) calls in the core, by descriptor.
 * The rest of the door, and its rules, are in corecalls.h.
 *
 * Included by both sides: plain C types only. Families, types, levels, options, flags and errors are
 * Darwin's numbers, addresses have Darwin's layout (length first); the host translates. Every function
 * enters the machine and may be called from any thread. Beside what is named, each can return EBADF (no
 * such descriptor, or it was closed while the call slept), EFAULT (the machine has panicked), ENOMEM,
 * and those that sleep EDEADLK (in virtual time nothing can ever happen any more).
 */
#ifndef NKE_KERN_SOCKCALLS_H
#define NKE_KERN_SOCKCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nke;

/* As struct iovec everywhere. */
struct core_iovec {
	void *base;
	size_t len;
};

struct core_message {
	void *name;			/* NULL: none, or not wanted */
	uint32_t namelen;		/* receiving: in the room, out what it would have been */
	const struct core_iovec *iov;
	unsigned iovcnt;		/* 1 to 1,024 */
	void *control;			/* NULL: none, or not wanted: descriptors in it are closed then */
	uint32_t controllen;		/* receiving: in the room, out what was written */
	int flags;			/* received: MSG_TRUNC, MSG_CTRUNC, MSG_EOR ... */
};

/* ---- life --------------------------------------------------------------------------------- */

/* EMFILE, ENOBUFS, EAFNOSUPPORT, EPROTONOSUPPORT, EPROTOTYPE. */
int sock_call_socket(struct nke *, int family, int type, int protocol, int *fd);
/* The same for two that are connected; EOPNOTSUPP: not in this family. */
int sock_call_socketpair(struct nke *, int family, int type, int protocol, int fds[2]);
/* The number goes, and with its last one the socket. May linger (SO_LINGER). */
int sock_call_close(struct nke *, int fd);
/* The lowest free number not below `min` for the same socket. EINVAL, EMFILE. */
int sock_call_dup(struct nke *, int fd, int min, int *out);

/* ---- names and connections ----------------------------------------------------------------- */

/* An address of more than 255 bytes: ENAMETOOLONG; of less than 2: EINVAL. */
int sock_call_bind(struct nke *, int fd, const void *name, uint32_t namelen);
int sock_call_connect(struct nke *, int fd, const void *name, uint32_t namelen);
int sock_call_listen(struct nke *, int fd, int backlog);
/* `name` may be NULL; *namelen: in the room, out what it would have been. The rest of it is cut off. */
int sock_call_accept(struct nke *, int fd, void *name, uint32_t *namelen, int *out);
int sock_call_getsockname(struct nke *, int fd, void *name, uint32_t *namelen);
int sock_call_getpeername(struct nke *, int fd, void *name, uint32_t *namelen);
int sock_call_shutdown(struct nke *, int fd, int how);

/* ---- data --------------------------------------------------------------------------------- */

/* `to` NULL: the peer. *done: bytes; what a stream took before it would have had to wait is a success. */
int sock_call_sendto(struct nke *, int fd, const void *data, size_t len, int flags, const void *to,
    uint32_t tolen, size_t *done);
int sock_call_sendmsg(struct nke *, int fd, const struct core_message *, int flags, size_t *done);
/* `from` may be NULL; *done 0 without an error: the end of a stream, or an empty message. */
int sock_call_recvfrom(struct nke *, int fd, void *data, size_t len, int flags, void *from,
    uint32_t *fromlen, size_t *done);
int sock_call_recvmsg(struct nke *, int fd, struct core_message *, int flags, size_t *done);

/* ---- options ------------------------------------------------------------------------------ */

int sock_call_setsockopt(struct nke *, int fd, int level, int name, const void *value,
    uint32_t len);
/* *len: in the room, out the size of the value. */
int sock_call_getsockopt(struct nke *, int fd, int level, int name, void *value, uint32_t *len);
/* `data` has the size that the command says; NULL: EINVAL unless that is 0. */
int sock_call_ioctl(struct nke *, int fd, unsigned long command, void *data);
int sock_call_set_nonblocking(struct nke *, int fd, bool on);

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
int sock_call_poll(struct nke *, struct core_pollfd *, unsigned count, int64_t timeout_ns,
    unsigned *found);
/*
 * From now on fn(ctx, fd, ready) is called whenever the descriptor may have become more ready, as an
 * edge-triggered event loop wants it; *ready says what it is already. One per descriptor: a new one takes the
 * place of the old, fn NULL takes it away, and so does closing the descriptor. Called on the machine's CPU
 * from whatever thread has it, in the middle of protocol code: it must be short, and must not call into any
 * machine.
 */
typedef void core_ready_fn(void *ctx, int fd, unsigned ready);
int sock_call_watch(struct nke *, int fd, core_ready_fn *fn, void *ctx, unsigned *ready);

#endif
