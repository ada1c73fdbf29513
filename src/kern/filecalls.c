/*
 * System calls on descriptors of any kind, and on devices: see filecalls.h.
 *
 * Each call is one entry into the machine with its arguments in a struct on the caller's stack. Inside it
 * turns the number into a socket or a file, which it holds referenced, so that closing the number meanwhile
 * does no harm.
 */
#include <string.h>
#include <sys/fcntl.h>
#include <sys/filio.h>

#include "src/kern/device_file.h"
#include "src/kern/filecalls.h"
#include "src/kern/heap.h"
#include "src/kern/poll.h"
#include "src/kern/sockcalls_private.h"

_Static_assert(CORE_O_WRONLY == O_WRONLY && CORE_O_RDWR == O_RDWR && CORE_O_NONBLOCK == O_NONBLOCK &&
    CORE_O_APPEND == O_APPEND && CORE_O_ASYNC == O_ASYNC && CORE_O_CREAT == O_CREAT &&
    CORE_O_TRUNC == O_TRUNC && CORE_O_EXCL == O_EXCL && CORE_O_DIRECTORY == O_DIRECTORY,
    "flags have the same bits on both sides of the door");

/* ---- devices ------------------------------------------------------------------------------ */

struct open_call {
	struct nke *machine;
	const char *path;
	int flags;
	int fd;
	errno_t error;
};

static void
do_open(void *arg)
{
	struct open_call *c = arg;
	struct nke *m = c->machine;
	struct device_file *f;

	c->error = fd_available(m) == 0 ? EMFILE : device_open(m, c->path, c->flags, &f);
	if (c->error != 0)
		return;
	c->error = fd_alloc_file(m, f, 0, &c->fd);
	if (c->error != 0)
		(void)device_file_release(m, f);
}

int
file_call_open(struct nke *m, const char *path, int flags, int *fd)
{
	struct open_call c = {m, path, flags, -1, 0};
	int error = path != NULL ? machine_call(m, do_open, &c) : EINVAL;

	*fd = c.fd;
	return error != 0 ? error : c.error;
}

struct transfer_call {
	struct nke *machine;
	int fd;
	enum uio_rw rw;
	const struct core_iovec *iov;
	unsigned count;
	size_t done;
	errno_t error;
};

/* The descriptor's device, referenced. EBADF; EOPNOTSUPP: it is a socket. */
static struct device_file *
hold_file(struct nke *m, int fd, errno_t *error)
{
	struct device_file *f = fd_file(m, fd);

	*error = f != NULL ? 0 : fd_socket(m, fd) != NULL ? EOPNOTSUPP : EBADF;
	if (f != NULL)
		f->references++;
	return f;
}

static void
do_transfer(void *arg)
{
	struct transfer_call *c = arg;
	struct device_file *f = hold_file(c->machine, c->fd, &c->error);

	if (f == NULL)
		return;
	c->error = device_transfer(c->machine, f, c->rw, (const struct iovec *)(const void *)c->iov, c->count,
	    &c->done);
	(void)device_file_release(c->machine, f);
}

static int
transfer(struct nke *m, int fd, enum uio_rw rw, const struct core_iovec *iov, unsigned count, size_t *done)
{
	struct transfer_call c = {m, fd, rw, iov, count, 0, 0};
	int error = machine_call(m, do_transfer, &c);

	*done = c.done;
	return error != 0 ? error : c.error;
}

int
file_call_read(struct nke *m, int fd, const struct core_iovec *iov, unsigned count, size_t *done)
{
	return transfer(m, fd, UIO_READ, iov, count, done);
}

int
file_call_write(struct nke *m, int fd, const struct core_iovec *iov, unsigned count, size_t *done)
{
	return transfer(m, fd, UIO_WRITE, iov, count, done);
}

/* ---- any descriptor ------------------------------------------------------------------------ */

struct fd_call {
	struct nke *machine;
	int fd;
	int value;
	int out;
	unsigned long command;
	void *data;
	errno_t error;
};

/* Enters with the call's own function. */
static int
call_fd(struct fd_call *c, void (*fn)(void *))
{
	int error = machine_call(c->machine, fn, c);

	return error != 0 ? error : c->error;
}

static void
do_close(void *arg)
{
	struct fd_call *c = arg;

	c->error = fd_close(c->machine, c->fd);
}

int
file_call_close(struct nke *m, int fd)
{
	struct fd_call c = {.machine = m, .fd = fd};

	return call_fd(&c, do_close);
}

static void
do_dup(void *arg)
{
	struct fd_call *c = arg;

	c->error = fd_dup(c->machine, c->fd, c->value, &c->out);
}

int
file_call_dup(struct nke *m, int fd, int min, int *out)
{
	struct fd_call c = {.machine = m, .fd = fd, .value = min, .out = -1};
	int error = call_fd(&c, do_dup);

	*out = c.out;
	return error;
}

static void
do_ioctl(void *arg)
{
	struct fd_call *c = arg;
	struct nke *m = c->machine;
	struct socket *so = sock_call_hold(m, c->fd, &c->error);
	struct device_file *f;

	if (so != NULL) {
		c->error = soioctl(so, c->command, c->data);
		so_release(so);
		return;
	}
	f = hold_file(m, c->fd, &c->error);
	if (f != NULL) {
		c->error = device_ioctl(m, f, c->command, c->data);
		(void)device_file_release(m, f);
	}
}

int
file_call_ioctl(struct nke *m, int fd, unsigned long command, void *data)
{
	struct fd_call c = {.machine = m, .fd = fd, .command = command, .data = data};

	if (data == NULL && IOCPARM_LEN(command) != 0)
		return EINVAL;
	return call_fd(&c, do_ioctl);
}

int
file_call_set_nonblocking(struct nke *m, int fd, bool on)
{
	int value = on;

	return file_call_ioctl(m, fd, FIONBIO, &value);
}

static void
do_flags(void *arg)
{
	struct fd_call *c = arg;
	int flags;

	c->error = fd_flags(c->machine, c->fd, &flags);
	if (c->error == 0)
		c->out = OFLAGS(flags);
}

int
file_call_flags(struct nke *m, int fd, int *flags)
{
	struct fd_call c = {.machine = m, .fd = fd};
	int error = call_fd(&c, do_flags);

	*flags = c.out;
	return error;
}

static errno_t
set_socket_flags(struct socket *so, int flags)
{
	int nonblocking = (flags & O_NONBLOCK) != 0, async = (flags & O_ASYNC) != 0;
	errno_t error = soioctl(so, FIONBIO, &nonblocking);

	return error != 0 ? error : soioctl(so, FIOASYNC, &async);
}

static void
do_set_flags(void *arg)
{
	struct fd_call *c = arg;
	struct nke *m = c->machine;
	struct socket *so = sock_call_hold(m, c->fd, &c->error);
	struct device_file *f;

	if (so != NULL) {
		c->error = set_socket_flags(so, c->value);
		so_release(so);
		return;
	}
	f = hold_file(m, c->fd, &c->error);
	if (f != NULL) {
		c->error = device_set_flags(m, f, c->value);
		(void)device_file_release(m, f);
	}
}

int
file_call_set_flags(struct nke *m, int fd, int flags)
{
	struct fd_call c = {.machine = m, .fd = fd, .value = flags};

	return call_fd(&c, do_set_flags);
}

/* ---- readiness ---------------------------------------------------------------------------- */

_Static_assert(CORE_READY_READ == SO_READABLE && CORE_READY_WRITE == SO_WRITABLE &&
    CORE_READY_ERROR == SO_HASERROR && CORE_READY_HANGUP == SO_HANGUP &&
    CORE_READY_URGENT == SO_URGENT, "readiness has the same bits on both sides of the door");

struct poll_call {
	struct nke *machine;
	struct core_pollfd *fds;
	unsigned count;
	int64_t timeout;
	unsigned found;
	errno_t error;
};

static bool
is_invalid(const struct core_pollfd *fd, const struct poll_item *item)
{
	return fd->fd >= 0 && item->so == NULL && item->file == NULL;
}

/* Numbers into what they stand for; how many of them stand for nothing. */
static unsigned
find_items(struct poll_call *c, struct poll_item *items)
{
	unsigned invalid = 0;

	for (unsigned i = 0; i < c->count; i++) {
		int fd = c->fds[i].fd;

		items[i] = (struct poll_item){.want = c->fds[i].want};
		if (fd >= 0 && (items[i].so = fd_socket(c->machine, fd)) == NULL)
			items[i].file = fd_file(c->machine, fd);
		invalid += is_invalid(&c->fds[i], &items[i]);
	}
	return invalid;
}

static uint64_t
deadline_of(struct nke *m, int64_t timeout)
{
	uint64_t now = machine_now(m);

	if (timeout == 0)
		return 0;
	if (timeout < 0 || (uint64_t)timeout >= UINT64_MAX - now)
		return UINT64_MAX;
	return now + (uint64_t)timeout;
}

#define POLL_INLINE	16u

static void
do_poll(void *arg)
{
	struct poll_call *c = arg;
	struct poll_item few[POLL_INLINE], *all = few;
	unsigned invalid;

	if (c->count > POLL_INLINE) {
		all = kalloc(c->machine, c->count * sizeof *all);
		if (all == NULL) {
			c->error = ENOMEM;
			return;
		}
	}
	invalid = find_items(c, all);
	c->error = poll_items(c->machine, all, c->count,
	    invalid != 0 ? 0 : deadline_of(c->machine, c->timeout), &c->found);
	c->found += invalid;
	for (unsigned i = 0; i < c->count; i++)
		c->fds[i].ready = is_invalid(&c->fds[i], &all[i]) ? CORE_READY_INVALID :
		    all[i].ready;
	if (all != few)
		kfree(c->machine, all);
}

int
file_call_poll(struct nke *m, struct core_pollfd *fds, unsigned count, int64_t timeout_ns,
    unsigned *found)
{
	struct poll_call c = {m, fds, count, timeout_ns, 0, 0};
	int error;

	*found = 0;
	if (count > FD_MOST)
		return EINVAL;
	error = machine_call(m, do_poll, &c);
	*found = c.found;
	return error != 0 ? error : c.error;
}

struct watch_call {
	struct nke *machine;
	int fd;
	core_ready_fn *fn;
	void *ctx;
	unsigned ready;
	errno_t error;
};

static void
do_watch(void *arg)
{
	struct watch_call *c = arg;

	c->error = fd_watch(c->machine, c->fd, c->fn, c->ctx, &c->ready);
}

int
file_call_watch(struct nke *m, int fd, core_ready_fn *fn, void *ctx, unsigned *ready)
{
	struct watch_call c = {m, fd, fn, ctx, 0, 0};
	int error = machine_call(m, do_watch, &c);

	if (ready != NULL)
		*ready = c.ready;
	return error != 0 ? error : c.error;
}
