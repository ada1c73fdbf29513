/*
 * The descriptors of a machine: small numbers that stand for sockets. One table per machine, as there is
 * one process in it. Used by the system calls (sockcalls.c) and by PF_LOCAL, which passes descriptors.
 *
 * A socket counts its descriptors and the messages that carry one (so_fdcount); with the last of them it is
 * closed. A kext's sockets have none and are closed by the kext.
 */
#ifndef NKE_KERN_FILEDESC_H
#define NKE_KERN_FILEDESC_H

#include "src/kern/socketvar.h"

#define FD_FIRST	3		/* as in a process that has its three streams */
#define FD_MOST		(1 << 20)
#define FD_DEFAULT	262144		/* kern.maxfiles */

/* The lowest free number for it; one more descriptor of the socket. EMFILE, ENOMEM. */
errno_t fd_alloc(struct nke *, struct socket *, int *fd);
/* The same, but not below `min`. EINVAL: that is no possible number. */
errno_t fd_alloc_from(struct nke *, struct socket *, int min, int *fd);
/* NULL: EBADF. No reference: retain it before anything that may sleep. */
struct socket *fd_socket(const struct nke *, int fd);
/* Frees the number; the socket is closed when it was its last one. EBADF, and what soclose says. */
errno_t fd_close(struct nke *, int fd);
/* Gives up one count of so_fdcount, without a number. */
errno_t fd_release(struct socket *);
/* fn(ctx, fd, ready) at every change: see sock_call_watch. NULL: not any more. EBADF, ENOMEM. */
errno_t fd_watch(struct nke *, int fd, void (*fn)(void *ctx, int fd, unsigned ready), void *ctx);
/* How many more numbers there are. */
unsigned fd_available(const struct nke *);

/* uipc_sysctl.c: kern.maxfiles, kern.num_files. */
errno_t filedesc_sysctl_init(struct nke *, int *limit, int *open);

#endif
