/*
 * Open files of character devices: opening, moving data, closing. See device_file.h. Readiness for event
 * loops is in device_watch.c.
 *
 * Whatever is used after a call into the kext is held by reference: the file by the call, its special device
 * by the file, the table by the special device. A table that was taken away meanwhile is not called again.
 */
#include <miscfs/devfs/devfs.h>
#include <string.h>
#include <sys/fcntl.h>
#include <sys/filio.h>
#include <sys/stat.h>
#include <sys/vnode.h>

#include "src/kern/device_file.h"
#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/klog.h"
#include "src/kern/proc.h"
#include "src/kern/socketvar.h"
#include "src/kern/subr_prf.h"

#define FLAGS_SET	(O_NONBLOCK | O_APPEND | O_ASYNC)	/* what F_SETFL changes */
#define FLAGS_ONCE	(O_CREAT | O_EXCL | O_TRUNC | O_DIRECTORY | O_CLOEXEC)
#define IOCTL_INLINE	128u	/* so much of an ioctl's data is kept on the stack */

/* A thread inside a function of the device; on its stack. */
struct device_call {
	struct device_call *next;
	struct thread *thread;
};

/* ---- special devices ---------------------------------------------------------------------- */

static struct device_special *
find_special(struct nke *m, dev_t dev, const struct device_switch *calls)
{
	struct device_special *s;

	TAILQ_FOREACH(s, device_specials(m), link) {
		if (s->dev == dev && s->calls == calls)
			return s;
	}
	return NULL;
}

/* With a reference. NULL: no memory. Takes over the caller's reference of `calls`. */
static struct device_special *
hold_special(struct nke *m, dev_t dev, struct device_switch *calls)
{
	struct device_special *s = find_special(m, dev, calls);

	if (s != NULL) {
		device_switch_release(m, calls);
	} else {
		s = kalloc(m, sizeof *s);
		if (s == NULL) {
			device_switch_release(m, calls);
			return NULL;
		}
		s->dev = dev;
		s->calls = calls;
		TAILQ_INSERT_TAIL(device_specials(m), s, link);
	}
	s->references++;
	return s;
}

/* The minor number that a clone function gave is free again. */
static void
free_clone(struct nke *m, struct device_node *n, dev_t dev)
{
	if (!n->removed)
		GATE_CALL(n->kext, "devfs clone", NULL, (void)n->clone(dev, DEVFS_CLONE_FREE));
	device_node_release(m, n);
}

static void
drop_special(struct nke *m, struct device_special *s)
{
	if (--s->references != 0)
		return;
	TAILQ_REMOVE(device_specials(m), s, link);
	if (s->clone != NULL)
		free_clone(m, s->clone, s->dev);
	device_switch_release(m, s->calls);
	kfree(m, s);
}

/* EDEADLK: nothing can happen any more. */
static errno_t
lock_special(struct device_special *s)
{
	while (s->busy) {
		if (sched_block(s, 0, false, "another open or close of the device") == THREAD_RESTART)
			return EDEADLK;
	}
	s->busy = true;
	return 0;
}

static void
unlock_special(struct device_special *s)
{
	s->busy = false;
	sched_wakeup(s, false, THREAD_AWAKENED);
}

/* ---- opening ------------------------------------------------------------------------------ */

static errno_t
check_flags(int flags)
{
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return EINVAL;
	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return EEXIST;
	return flags & O_DIRECTORY ? ENOTDIR : 0;
}

/* The number to open behind a name: its own, or one that the clone function gives. */
static errno_t
choose_device(struct device_node *n, dev_t *dev)
{
	int unit;

	*dev = n->dev;
	if (n->block)
		return ENXIO;
	if (n->clone == NULL)
		return 0;
	GATE_CALL(n->kext, "devfs clone", NULL, unit = n->clone(n->dev, DEVFS_CLONE_ALLOC));
	if (unit == -1)
		return ENOMEM;
	*dev = (dev_t)makedev(major((uint32_t)n->dev), (uint32_t)unit);
	return 0;
}

/* Calls d_open, or d_close. */
static errno_t
open_or_close(struct device_special *s, bool open, int flags)
{
	const struct device_switch *d = s->calls;
	open_close_fcn_t *fn = open ? d->calls.d_open : d->calls.d_close;
	errno_t error;

	if (d->removed)
		return open ? ENXIO : 0;
	if (fn == NULL)
		return ENODEV;
	GATE_CALL(d->kext, open ? "d_open" : "d_close", NULL,
	    error = fn(s->dev, flags, S_IFCHR, proc_current()));
	return error;
}

static errno_t
open_special(struct device_special *s, int flags)
{
	errno_t error = lock_special(s);

	if (error != 0)
		return error;
	error = open_or_close(s, true, flags);
	if (error == 0 && s->calls->removed)
		error = ENXIO;
	if (error == 0) {
		s->files++;
		s->calls->files++;
	}
	unlock_special(s);
	return error;
}

/* A special device for `dev`, opened. `clone`: the node whose clone function chose it; NULL: none. */
static errno_t
open_device(struct nke *m, dev_t dev, struct device_node *clone, int flags, struct device_special **out)
{
	struct device_switch *calls = device_switch_hold(m, dev);
	struct device_special *s = calls != NULL ? hold_special(m, dev, calls) : NULL;
	errno_t error;

	if (s == NULL) {
		if (clone != NULL) {
			clone->references++;
			free_clone(m, clone, dev);
		}
		return calls == NULL ? ENXIO : ENOMEM;
	}
	if (clone != NULL && s->clone == NULL) {
		clone->references++;
		s->clone = clone;
	}
	error = open_special(s, flags);
	if (error != 0)
		drop_special(m, s);
	*out = s;
	return error;
}

errno_t
device_open(struct nke *m, const char *path, int oflags, struct device_file **out)
{
	int flags = FFLAGS(oflags & ~FLAGS_ONCE);
	struct device_file *f;
	struct device_node *n;
	dev_t dev;
	errno_t error = device_lookup(m, path, &n);

	if (error != 0)
		return error;
	error = check_flags(oflags);
	if (error == 0)
		error = device_node_access(n, proc_current(), flags);
	f = error == 0 ? kalloc(m, sizeof *f) : NULL;
	if (error == 0)
		error = f == NULL ? ENOMEM : choose_device(n, &dev);
	if (error == 0)
		error = open_device(m, dev, n->clone != NULL ? n : NULL, flags, &f->special);
	device_node_release(m, n);
	if (error != 0) {
		kfree(m, f);
		return error;
	}
	f->references = 1;
	f->flags = flags;
	f->opener = proc_current();
	proc_retain(f->opener);
	TAILQ_INIT(&f->watches);
	*out = f;
	return 0;
}

/* ---- closing ------------------------------------------------------------------------------ */

static void
free_file(struct nke *m, struct device_file *f)
{
	proc_release(f->opener);
	kfree(m, f);
}

errno_t
device_file_release(struct nke *m, struct device_file *f)
{
	struct device_special *s = f->special;
	errno_t error = 0;

	if (--f->references != 0)
		return 0;
	/* Who opens it and is stuck there is sent back, too: it ends. */
	while (lock_special(s) != 0)
		continue;
	s->calls->files--;
	if (--s->files == 0)
		error = open_or_close(s, false, f->flags);
	unlock_special(s);
	drop_special(m, s);
	free_file(m, f);
	return error;
}

void
device_files_cut(struct nke *m)
{
	struct select_wait *w;

	/* Of a machine that goes, nobody waits any more. */
	if (!m->up)
		return;
	TAILQ_FOREACH(w, device_waits(m), link)
		w->woken(w);
}

errno_t
device_file_close(struct nke *m, struct device_file *f)
{
	device_files_cut(m);
	for (const struct device_call *c = f->calls; c != NULL; c = c->next)
		if (c->thread->wait_event != NULL && c->thread->interruptible)
			sched_clear_wait(c->thread, THREAD_INTERRUPTED);
	return device_file_release(m, f);
}

void
device_file_forget(struct nke *m, struct device_file *f)
{
	struct device_special *s = f->special;

	s->calls->files--;
	if (--s->references == 0) {
		TAILQ_REMOVE(device_specials(m), s, link);
		if (s->clone != NULL)
			device_node_release(m, s->clone);
		device_switch_release(m, s->calls);
		kfree(m, s);
	}
	free_file(m, f);
}

void
device_files_describe(const struct device_switch *d, char *text, size_t size)
{
	struct nke *m = curmachine();
	const struct device_special *s;
	const char *before = ": ";

	TAILQ_FOREACH(s, device_specials(m), link) {
		size_t used = strlen(text);
		char name[160];

		if (s->calls != d || s->files == 0 || used >= size)
			continue;
		device_name(m, s->dev, name, sizeof name);
		ksnprintf(text + used, size - used, "%s%s is open, %u file%s", before, name, s->files,
		    s->files == 1 ? "" : "s");
		before = ", ";
	}
}

/* ---- calls -------------------------------------------------------------------------------- */

/* ENXIO: nothing may be called any more. Otherwise the file is held until end_call. */
static errno_t
begin_call(struct device_file *f, struct device_call *c)
{
	if (f->special->calls->removed)
		return ENXIO;
	c->thread = curthread();
	c->next = f->calls;
	/* cppcheck-suppress autoVariables ; taken off by end_call, before its frame goes */
	f->calls = c;
	f->references++;
	return 0;
}

/* What the call gave, or EBADF when it was interrupted because the file has been closed. */
static errno_t
end_call(struct nke *m, struct device_file *f, struct device_call *c, errno_t error)
{
	struct device_call **at = &f->calls;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	if (f->descriptors == 0 && (error == EINTR || error == ERESTART))
		error = EBADF;
	else if (error == ERESTART)
		error = EINTR;
	(void)device_file_release(m, f);
	return error;
}

static errno_t
call_transfer(struct device_file *f, struct uio *uio)
{
	const struct device_special *s = f->special;
	bool reads = uio->direction == UIO_READ;
	read_write_fcn_t *fn = reads ? s->calls->calls.d_read : s->calls->calls.d_write;
	int ioflag = (f->flags & O_NONBLOCK ? IO_NDELAY : 0) | (reads ? 0 : IO_UNIT) |
	    (!reads && (f->flags & O_APPEND) ? IO_APPEND : 0);
	errno_t error;

	if (fn == NULL)
		return ENODEV;
	GATE_CALL(s->calls->kext, reads ? "d_read" : "d_write", NULL, error = fn(s->dev, uio, ioflag));
	return error;
}

/* Fills the pieces; their bytes together. EINVAL. */
static errno_t
add_up(struct uio *uio, const struct iovec *iov, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (iov[i].iov_len > (size_t)(INT32_MAX - uio->resid) ||
		    (iov[i].iov_base == NULL && iov[i].iov_len != 0))
			return EINVAL;
		uio->pieces[i] = (struct uio_piece){(uintptr_t)iov[i].iov_base, iov[i].iov_len};
		uio->resid += (user_ssize_t)iov[i].iov_len;
	}
	uio->count = (int)count;
	return 0;
}

static errno_t
transfer(struct nke *m, struct device_file *f, struct uio *uio, size_t *done)
{
	user_ssize_t total = uio->resid;
	struct device_call call;
	errno_t error;

	/* An interface fact: reading nothing does not ask the device. */
	if (total == 0 && uio->direction == UIO_READ)
		return 0;
	error = begin_call(f, &call);
	if (error != 0)
		return error;
	error = call_transfer(f, uio);
	if (uio->resid >= 0 && uio->resid <= total)
		*done = (size_t)(total - uio->resid);
	f->offset += (off_t)*done;
	if (*done != 0 && (error == EINTR || error == ERESTART || error == EWOULDBLOCK || error == EDEADLK))
		error = 0;
	device_watch_moved(f);
	return end_call(m, f, &call, error);
}

errno_t
device_transfer(struct nke *m, struct device_file *f, enum uio_rw rw, const struct iovec *iov, unsigned count,
    size_t *done)
{
	struct uio_piece few[UIO_SMALLIOV], *pieces = few;
	struct uio uio = {.offset = f->offset, .space = UIO_USERSPACE, .direction = rw};
	errno_t error;

	*done = 0;
	if (!(f->flags & (rw == UIO_READ ? FREAD : FWRITE)))
		return EBADF;
	if (count > UIO_MAXIOV)
		return EINVAL;
	if (count > UIO_SMALLIOV && (pieces = kalloc(m, count * sizeof *pieces)) == NULL)
		return ENOMEM;
	uio.pieces = pieces;
	uio.room = (int)count;
	error = add_up(&uio, iov, count);
	if (error == 0)
		error = transfer(m, f, &uio, done);
	if (pieces != few)
		kfree(m, pieces);
	return error;
}

/* ---- control ------------------------------------------------------------------------------ */

static errno_t
call_ioctl(struct nke *m, struct device_file *f, unsigned long command, void *data)
{
	const struct device_special *s = f->special;
	ioctl_fcn_t *fn = s->calls->calls.d_ioctl;
	struct device_call call;
	errno_t error = begin_call(f, &call);

	if (error != 0)
		return error;
	error = ENODEV;
	if (fn != NULL)
		GATE_CALL(s->calls->kext, "d_ioctl", NULL,
		    error = fn(s->dev, command, data, f->flags, proc_current()));
	return end_call(m, f, &call, error);
}

/* The program's data goes into kernel memory and back, by the size and direction in the command. */
static errno_t
copied_ioctl(struct nke *m, struct device_file *f, unsigned long command, void *data)
{
	_Alignas(16) char few[IOCTL_INLINE];
	size_t size = IOCPARM_LEN(command);
	char *copy = size <= sizeof few ? few : kalloc(m, size);
	errno_t error;

	if (copy == NULL)
		return ENOMEM;
	memset(copy, 0, size < sizeof data ? sizeof data : size);
	if (size == 0 || (command & IOC_VOID))
		memcpy(copy, &data, sizeof data);	/* an interface fact: the argument itself */
	else if (command & IOC_IN)
		memcpy(copy, data, size);
	error = call_ioctl(m, f, command, copy);
	if (error == 0 && (command & IOC_OUT))
		memcpy(data, copy, size);
	if (copy != few)
		kfree(m, copy);
	return error;
}

static errno_t
set_flag(struct nke *m, struct device_file *f, int flag, unsigned long command, int on)
{
	f->flags = on ? f->flags | flag : f->flags & ~flag;
	return call_ioctl(m, f, command, &on);
}

errno_t
device_ioctl(struct nke *m, struct device_file *f, unsigned long command, void *data)
{
	int value;

	switch (command) {
	case FIOCLEX:
	case FIONCLEX:
		return 0;
	case FIONBIO:
	case FIOASYNC:
		memcpy(&value, data, sizeof value);
		return set_flag(m, f, command == FIONBIO ? O_NONBLOCK : O_ASYNC, command, value != 0);
	case FIODTYPE:
		value = f->special->calls->calls.d_type;
		memcpy(data, &value, sizeof value);
		return 0;
	default:
		return copied_ioctl(m, f, command, data);
	}
}

errno_t
device_set_flags(struct nke *m, struct device_file *f, int flags)
{
	bool async = (f->flags ^ flags) & O_ASYNC;
	errno_t error;

	f->flags = (f->flags & ~(O_APPEND)) | (flags & O_APPEND);
	error = set_flag(m, f, O_NONBLOCK, FIONBIO, (flags & O_NONBLOCK) != 0);
	if (error == 0 && async)
		error = set_flag(m, f, O_ASYNC, FIOASYNC, (flags & O_ASYNC) != 0);
	return error;
}

/* ---- readiness ---------------------------------------------------------------------------- */

static bool
call_select(const struct device_file *f, int which, struct select_wait *wait)
{
	const struct device_special *s = f->special;
	select_fcn_t *fn = s->calls->calls.d_select;
	struct proc *p = curthread()->host_thread ? proc_current() : f->opener;
	int ready = 1;

	if (fn != NULL)
		GATE_CALL(s->calls->kext, "d_select", NULL, ready = fn(s->dev, which, wait, p));
	return ready != 0;
}

unsigned
device_ready(struct nke *m, struct device_file *f, unsigned want, struct select_wait *wait)
{
	static const struct {
		unsigned ready;
		int which;
	} kinds[] = {{SO_READABLE, FREAD}, {SO_WRITABLE, FWRITE}, {SO_URGENT, 0}};
	struct device_call call;
	unsigned ready = 0;

	if (f->descriptors == 0 || begin_call(f, &call) != 0)
		return SO_HASERROR | SO_HANGUP;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if ((want & kinds[i].ready) && !f->special->calls->removed &&
		    call_select(f, kinds[i].which, wait))
			ready |= kinds[i].ready;
	}
	if (f->descriptors == 0 || f->special->calls->removed)
		ready |= SO_HASERROR | SO_HANGUP;
	(void)end_call(m, f, &call, 0);
	return ready;
}
