/*
 * The descriptors of a machine: small numbers that stand for sockets and open devices. One table per
 * machine, whatever process its callers are. Used by the system calls (filecalls.c, sockcalls.c), by
 * PF_LOCAL, which passes descriptors of sockets, and by sys/file.h (kpi/file.c).
 *
 * A socket counts its descriptors and the messages that carry one (so_fdcount); with the last of them it is
 * closed. A kext's sockets have none and are closed by the kext. A kext that is told a program's number may
 * hold the socket by it (sys/file.h).
 */
#ifndef NKE_KERN_FILEDESC_H
#define NKE_KERN_FILEDESC_H

#include "src/kern/socketvar.h"

struct device_file;

#define FD_FIRST	3		/* as in a process that has its three streams */
#define FD_MOST		(1 << 20)
#define FD_DEFAULT	262144		/* kern.maxfiles */

/* The lowest free number for it; one more descriptor of the socket. EMFILE, ENOMEM. */
errno_t fd_alloc(struct nke *, struct socket *, int *fd);
/* The same, but not below `min`. EINVAL: that is no possible number. */
errno_t fd_alloc_from(struct nke *, struct socket *, int min, int *fd);
/* NULL: EBADF. No reference: retain it before anything that may sleep. */
struct socket *fd_socket(const struct nke *, int fd);
/* A number for an open device, not below `min`. EINVAL, EMFILE, ENOMEM. */
errno_t fd_alloc_file(struct nke *, struct device_file *, int min, int *fd);
/* NULL: EBADF, or a socket. No reference. */
struct device_file *fd_file(const struct nke *, int fd);
/* FREAD, FWRITE, FNONBLOCK, FASYNC of what the number stands for. EBADF. */
errno_t fd_flags(const struct nke *, int fd, int *flags);
/*
 * Keeps the descriptor's socket open, for the kext that called from pc, until fd_drop of the number, whatever
 * becomes of the descriptor. EBADF; ENOTSOCK; ENOMEM.
 */
errno_t fd_hold(struct nke *, int fd, void *pc, struct socket **);
/* The newest hold of the number ends. EBADF: there is none. May sleep: it may close the socket. */
errno_t fd_drop(struct nke *, int fd);
/* One more number for the same thing, not below `min`. EBADF, EINVAL, EMFILE, ENOMEM. */
errno_t fd_dup(struct nke *, int fd, int min, int *out);
/*
 * Frees the number; what it stood for is closed when it was its last one. EBADF, and what soclose or the
 * device's d_close says.
 */
errno_t fd_close(struct nke *, int fd);
/* Gives up one count of so_fdcount, without a number. */
errno_t fd_release(struct socket *);
/*
 * fn(ctx, fd, ready) at every change: see file_call_watch; *ready: what it is now. NULL: not any more. EBADF,
 * ENOMEM. May sleep when it is a device.
 */
errno_t fd_watch(struct nke *, int fd, void (*fn)(void *ctx, int fd, unsigned ready), void *ctx,
    unsigned *ready);
/* How many more numbers there are. */
unsigned fd_available(const struct nke *);

/* uipc_sysctl.c: kern.maxfiles, kern.num_files. */
errno_t filedesc_sysctl_init(struct nke *, int *limit, int *open);

#endif
