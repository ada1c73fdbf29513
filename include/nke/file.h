/*
 * Devices of a machine, for programs of the host: character devices that kexts offer under /dev.
 *
 * The functions are the host's own with `nke_` in front and the machine as one more first argument: -1 with
 * errno on failure. Descriptors are those of nke/socket.h, where nke_read, nke_write, nke_close, nke_dup,
 * nke_poll, nke_watch and nke_set_nonblocking are, which work on devices as on sockets. A call that the kext
 * lets wait drives the machine's world in virtual time until it goes on, as with sockets.
 *
 * Errors: EBADF, EFAULT, ENOMEM and EDEADLK as in nke/socket.h; ENXIO: the kext has taken the device away;
 * and whatever the kext's functions return. What is for sockets only gives ENOTSOCK on a device.
 */
#ifndef NKE_FILE_H
#define NKE_FILE_H

#include <fcntl.h>

#include <nke/socket.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * Opens a device, "/dev/tun0"; its descriptor. `flags`: O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK, O_APPEND.
 * As the calling thread's process (nke/proc.h), whose user must be allowed to by the node's owner and
 * permissions.
 *
 * ENOENT: no kext has named such a device (a machine has no other files). ENXIO: there is a name and nothing
 * behind it. EACCES, EISDIR, ENOTDIR, EMFILE.
 */
int nke_open(nke_t *m, const char *path, int flags);

/* Several pieces of memory in one call; sockets as well. EINVAL: none, more than 1,024, or over 2 GiB. */
ssize_t nke_readv(nke_t *m, int fd, const struct iovec *pieces, int count);
ssize_t nke_writev(nke_t *m, int fd, const struct iovec *pieces, int count);

/*
 * A command with the host's number, made by the host's _IOR, _IOW, _IOWR and _IO from <sys/ioctl.h>: so a
 * header that a kext shares with its programs can be included by both. `argument` points to what the
 * number says; for _IO it is passed on as it is. The struct behind it must have the same layout on both
 * sides. FIONBIO, FIONREAD, FIOASYNC, FIOCLEX and FIONCLEX are the host's, too; of sockets these and what
 * a kext's protocol knows. ENOTTY: the device, or socket, does not know it. ENODEV: the device knows
 * none.
 */
int nke_ioctl(nke_t *m, int fd, unsigned long command, void *argument);
/* The same with Darwin's number, as include/Kernel/sys/ioccom.h makes it. */
int nke_darwin_ioctl(nke_t *m, int fd, unsigned long command, void *argument);

/*
 * F_DUPFD, F_DUPFD_CLOEXEC, F_GETFL and F_SETFL (O_NONBLOCK, O_APPEND, O_ASYNC) with the host's names;
 * F_GETFD and F_SETFD are there and mean nothing. A device is told of O_NONBLOCK by FIONBIO: when it does
 * not know that command, F_SETFL fails as it says, and the flag is set (d_read and d_write get
 * IO_NDELAY). EINVAL: another command.
 */
int nke_fcntl(nke_t *m, int fd, int command, ...);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
