/*
 * Open files of character devices: what open, read, write, ioctl, poll and close of a program come to,
 * and the calls of the kext's functions that follow from them. Called through descriptors (filedesc.h,
 * filecalls.c).
 *
 * Every open is a file of its own, and calls d_open; d_close is called once, when the last file of the same
 * device number is closed, as with BSD. Opening and closing one device number happen one at a time. A file
 * lives as long as it has a descriptor or somebody is inside a call on it; who sleeps interruptibly
 * (PCATCH) in one when its last descriptor is closed is woken by EINTR, and the last to leave closes.
 */
#ifndef NKE_KERN_DEVICE_FILE_H
#define NKE_KERN_DEVICE_FILE_H

#include "src/kern/device.h"
#include "src/kern/sched.h"
#include "src/kern/uio.h"

struct device_call;
struct device_watch;
struct iovec;

/* A device that is open: one for each device number. */
struct device_special {
	TAILQ_ENTRY(device_special) link;
	dev_t dev;
	struct device_switch *calls;	/* held */
	struct device_node *clone;	/* whose clone function gave `dev`, held; NULL: none */
	uint32_t references;		/* files, and who is opening one */
	uint32_t files;
	bool busy;			/* somebody is opening or closing it */
};

struct device_file {
	uint32_t references;		/* one for all descriptors, one per call */
	uint32_t descriptors;
	struct device_special *special;
	struct proc *opener;		/* held */
	int flags;			/* FREAD, FWRITE, O_NONBLOCK, O_APPEND ... */
	off_t offset;
	struct device_call *calls;	/* who is inside */
	TAILQ_HEAD(, device_watch) watches;
};

/*
 * Opens what `path` names, with Darwin's O_* flags; one reference, no descriptor yet. Those of device_lookup;
 * EACCES; ENXIO: no table stands behind the name, or it is a block device; EEXIST, ENOTDIR, EINVAL: by the
 * flags; ENOMEM; EDEADLK; and what the kext's d_open says.
 */
errno_t device_open(struct nke *, const char *path, int flags, struct device_file **);
/* Gives up a reference; with the last one the device is closed. What d_close says. */
errno_t device_file_release(struct nke *, struct device_file *);
/* Its last descriptor has gone: who sleeps inside leaves; releases. */
errno_t device_file_close(struct nke *, struct device_file *);
/* The same without calling anybody: the machine goes. */
void device_file_forget(struct nke *, struct device_file *);

/*
 * Moves at most what the `count` pieces hold; *done is a success when it is not 0 and the rest would have had
 * to wait. EBADF: not open for that, or closed while it slept; ENXIO: the kext has taken its table away;
 * ENODEV: the device cannot do that; EINVAL: more than 2 GiB; ENOMEM; and what the kext says.
 */
errno_t device_transfer(struct nke *, struct device_file *, enum uio_rw, const struct iovec *, unsigned count,
    size_t *done);
/* `data` has the size that the command says. As above, and what the kext says (ENOTTY). */
errno_t device_ioctl(struct nke *, struct device_file *, unsigned long command, void *data);
/* O_NONBLOCK, O_APPEND and O_ASYNC; the device is told (FIONBIO), and what it says is returned. */
errno_t device_set_flags(struct nke *, struct device_file *, int flags);

/*
 * Which of SO_READABLE, SO_WRITABLE, SO_URGENT in `want` it is now; what it is not is recorded in `wait`
 * (NULL: nothing is). One whose table has gone, or that was closed meanwhile, is SO_HASERROR and
 * SO_HANGUP. May sleep.
 */
unsigned device_ready(struct nke *, struct device_file *, unsigned want, struct select_wait *wait);

/* ---- watching (device_watch.c) ------------------------------------------------------------ */

/* As fd_watch. A second one for the same descriptor takes the place of the first. ENOMEM. */
errno_t device_watch(struct nke *, struct device_file *, int fd, void (*fn)(void *, int, unsigned), void *ctx,
    unsigned *ready);
/* That of the descriptor, if there is one. Never sleeps. */
void device_unwatch(struct nke *, struct device_file *, int fd);
/* Something was moved, or not: what was ready may not be so any more. */
void device_watch_moved(struct device_file *);

/* ---- for device.c ------------------------------------------------------------------------- */

/* A table has been taken away, or a file closed: whoever waits looks again. */
void device_files_cut(struct nke *);
/* Appends which files are open: ": /dev/tun0 open 2 times". */
void device_files_describe(const struct device_switch *, char *text, size_t size);

#endif
