/*
 * What a program's descriptor stands for: a kext is given the number, by a kernel control's option or a
 * device's ioctl, and finds the socket. A machine has one table of descriptors, whoever asks.
 */
#ifndef _SYS_FILE_H_
#define _SYS_FILE_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/fcntl.h>
#include <sys/unistd.h>
#include <sys/queue.h>
#include <sys/kernel_types.h>

__BEGIN_DECLS

/*
 * *so is the descriptor's socket, which stays until file_drop, even if the program closes the descriptor
 * meanwhile. EBADF: that is no open descriptor; ENOTSOCK: it is a device's; EINVAL: `so` is NULL; ENOMEM.
 * Never sleeps. The kext that drops it not is named with the socket when it is to be unloaded.
 */
int file_socket(int fd, socket_t *so);
/* *vp stays NULL: a machine has no files. EBADF, or EINVAL: it is no file. */
int file_vnode(int fd, struct vnode **vp);
int file_vnode_withvid(int fd, struct vnode **vp, uint32_t *vid);
/* *flags becomes FREAD, FWRITE and FNONBLOCK as they are now. EBADF. Takes no hold. */
int file_flags(int fd, int *flags);
/*
 * Gives up what one file_socket of the number gave; the socket is closed if its last descriptor is closed
 * meanwhile, and file_drop waits for its callbacks then. EBADF: nothing of that number is held.
 */
int file_drop(int fd);

__END_DECLS

#endif
