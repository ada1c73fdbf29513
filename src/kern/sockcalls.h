/*
 * The system calls on sockets: what the host's half (src/host/socket.c) calls in the core, by descriptor.
 * Those for all descriptors (close, ioctl, poll ...) are in filecalls.h.
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

#include "src/kern/filecalls.h"

struct nke;

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
/* *len: in the room, out the size of the value. `value` NULL: only the size, where the protocol tells it. */
int sock_call_getsockopt(struct nke *, int fd, int level, int name, void *value, uint32_t *len);

#endif
