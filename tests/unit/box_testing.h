/*
 * A mailbox as a kext's character device would be, and a program that uses it by descriptor: for tests of
 * devices. It holds one message, which a reader waits for.
 */
#ifndef NKE_TESTS_BOX_TESTING_H
#define NKE_TESTS_BOX_TESTING_H

#include <miscfs/devfs/devfs.h>
#include <string.h>
#include <sys/conf.h>
#include <sys/fcntl.h>
#include <sys/filio.h>
#include <sys/proc.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/systm.h>
#include <sys/uio.h>
#include <sys/vnode.h>

#include "src/kern/device_file.h"
#include "src/kern/filecalls.h"
#include "src/kern/kext.h"
#include "src/kern/socketvar.h"
#include "src/kern/sockcalls.h"
#include "tests/unit/trail.h"

#define BOX_GET	_IOR('b', 1, int)
#define BOX_PUT	_IOW('b', 2, int)
#define BOX_ADD	_IOWR('b', 3, int)
#define BOX_RAW	_IO('b', 4)
struct big {
	char bytes[1000];
};
#define BOX_BIG	_IOWR('b', 5, struct big)

static struct {
	char text[64];
	int len;			/* 0: empty */
	int value;
	errno_t open_error, close_error;
	int last_flags, last_mode, last_ioflag;
	dev_t last_dev;
	int last_pid;
	bool uninterruptible, wakes_in_select, sleeps_in_select;
	struct selinfo readers, writers;
	int units;			/* that the clone function has given out */
	int freed;
} box;

/* ---- the kext ------------------------------------------------------------------------------ */

static int
box_open(dev_t dev, int flags, int devtype, struct proc *p)
{
	mark('o');
	box.last_dev = dev;
	box.last_flags = flags;
	box.last_mode = devtype;
	box.last_pid = proc_pid(p);
	return box.open_error;
}

static int
box_close(dev_t dev, int flags, int devtype, struct proc *p)
{
	(void)p;
	mark('c');
	box.last_dev = dev;
	box.last_flags = flags;
	box.last_mode = devtype;
	return box.close_error;
}

static int
box_read(dev_t dev, struct uio *uio, int ioflag)
{
	int error = 0;

	(void)dev;
	mark('r');
	box.last_ioflag = ioflag;
	CHECK(uio_isuserspace(uio));
	while (box.len == 0) {
		if (ioflag & IO_NDELAY)
			return EWOULDBLOCK;
		error = msleep(&box.len, NULL, box.uninterruptible ? PZERO : PZERO | PCATCH, "box", NULL);
		if (error != 0)
			return error;
	}
	error = uiomove(box.text, box.len, uio);
	box.len = 0;
	selwakeup(&box.writers);
	return error;
}

static inline void
deliver(const char *text)
{
	box.len = (int)strlen(text);
	memcpy(box.text, text, (size_t)box.len);
	wakeup(&box.len);
	selwakeup(&box.readers);
}

static int
box_write(dev_t dev, struct uio *uio, int ioflag)
{
	char text[sizeof box.text] = "";
	int len = (int)uio_resid(uio), error;

	(void)dev;
	mark('w');
	box.last_ioflag = ioflag;
	if (box.len != 0)
		return EWOULDBLOCK;
	if (len > (int)sizeof text - 1)
		len = (int)sizeof text - 1;
	error = uiomove(text, len, uio);
	if (error == 0)
		deliver(text);
	return error;
}

static int
box_ioctl(dev_t dev, u_long cmd, caddr_t data, int fflag, struct proc *p)
{
	struct big *big;

	(void)dev, (void)p;
	box.last_flags = fflag;
	switch (cmd) {
	case FIONBIO:
		mark(*(int *)(void *)data ? 'N' : 'n');
		return 0;
	case BOX_GET:
		CHECK_EQ(*(int *)(void *)data, 0);
		*(int *)(void *)data = box.value;
		return 0;
	case BOX_PUT:
		box.value = *(int *)(void *)data;
		*(int *)(void *)data = -1;	/* goes nowhere */
		return 0;
	case BOX_ADD:
		*(int *)(void *)data += box.value;
		return box.value < 0 ? ERANGE : 0;
	case BOX_RAW:
		box.value = (int)*(intptr_t *)(void *)data;
		return 0;
	case BOX_BIG:
		big = (struct big *)(void *)data;
		big->bytes[sizeof big->bytes - 1]++;
		return 0;
	default:
		return ENOTTY;
	}
}

static int
box_select(dev_t dev, int which, void *wql, struct proc *p)
{
	(void)dev;
	if (box.sleeps_in_select)
		(void)tsleep(&box, PZERO, "select", 1);
	if (box.wakes_in_select)
		selwakeup(&box.readers);
	if (which == FREAD && box.len == 0) {
		selrecord(p, &box.readers, wql);
		return 0;
	}
	if (which == FWRITE && box.len != 0) {
		selrecord(p, &box.writers, wql);
		return 0;
	}
	return which != 0;
}

static inline int
box_clone(dev_t dev, int action)
{
	(void)dev;
	if (action == DEVFS_CLONE_FREE) {
		box.freed = minor(dev);
		mark('f');
		return 0;
	}
	mark('a');
	return box.units < 5 ? 10 + box.units++ : -1;
}

static const struct cdevsw table = {
	.d_open = box_open, .d_close = box_close, .d_read = box_read, .d_write = box_write,
	.d_ioctl = box_ioctl, .d_stop = eno_stop, .d_reset = eno_reset, .d_select = box_select,
	.d_mmap = eno_mmap, .d_strategy = eno_strat, .d_type = D_TTY,
};
static int box_major;
static void *box_node;

static inline void
make_box(void)
{
	memset(&box, 0, sizeof box);
	fresh_trail();
	box_major = cdevsw_add(-1, &table);
	CHECK(box_major >= 0);
	box_node = devfs_make_node(makedev((unsigned)box_major, 7), DEVFS_CHAR, 0, 0, 0660, "box%d", 0);
	CHECK(box_node != NULL);
}

static inline void
remove_box(void)
{
	devfs_remove(box_node);
	CHECK_EQ(cdevsw_remove(box_major, &table), box_major);
}

/* ---- the program --------------------------------------------------------------------------- */

static inline int
try_open(const char *path, int flags)
{
	int fd, error = file_call_open(curmachine(), path, flags, &fd);

	if (error == 0)
		(void)file_call_close(curmachine(), fd);
	return error;
}

static inline int
open_box(int flags)
{
	int fd;

	CHECK_EQ(file_call_open(curmachine(), "/dev/box0", flags, &fd), 0);
	return fd;
}

static inline int
put(int fd, const char *text)
{
	struct core_iovec iov = {(void *)(uintptr_t)text, strlen(text)};
	size_t done;
	int error = file_call_write(curmachine(), fd, &iov, 1, &done);

	CHECK_EQ(done, error == 0 ? iov.len : 0);
	return error;
}

static char got[64];

static inline int
get(int fd)
{
	struct core_iovec iov = {got, sizeof got - 1};
	size_t done;
	int error = file_call_read(curmachine(), fd, &iov, 1, &done);

	got[done] = '\0';
	return error;
}

static inline int
close_fd(int fd)
{
	return file_call_close(curmachine(), fd);
}

static int waiting_fd;

static inline int
control(int fd, unsigned long command, void *data)
{
	return file_call_ioctl(curmachine(), fd, command, data);
}

static inline void
read_and_note_error(void *arg, wait_result_t result)
{
	(void)result;
	*(int *)arg = get(waiting_fd);
}

static inline void
deliver_later(void *arg, wait_result_t result)
{
	(void)arg, (void)result;
	sleep_for(500 * MS);
	deliver("in time");
}

static inline unsigned
poll_one(int fd, unsigned want, int64_t timeout_ns)
{
	struct core_pollfd p = {fd, want, 0};
	unsigned found;

	CHECK_EQ(file_call_poll(curmachine(), &p, 1, timeout_ns, &found), 0);
	CHECK_EQ(found, p.ready != 0);
	return p.ready;
}

static unsigned told;

static inline void
note_ready(void *ctx, int fd, unsigned ready)
{
	(void)fd;
	*(unsigned *)ctx += 1;
	told |= ready;
}

#endif
