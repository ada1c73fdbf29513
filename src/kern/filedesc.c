/*
 * The descriptor table: see filedesc.h. It owns the numbers, not what they stand for: that is held by
 * so_fdcount of sockets and `descriptors` of open devices. Free numbers are the zeros of a bitmap; `hint`
 * is the first word that may have one, so that the lowest is found without looking at those that are
 * taken. What only few have, a watcher or a device, is in a table of its own (`more`), made with the first.
 *
 * As a subsystem it comes last and goes first: what is still open is closed while every protocol is there.
 */
#include <string.h>
#include <sys/fcntl.h>

#include "src/kern/device_file.h"
#include "src/kern/filedesc.h"
#include "src/kern/heap.h"
#include "src/kern/panic.h"
#include "src/kern/sched.h"
#include "src/kern/uipc_local.h"

#define WORD_BITS	64u
#define TABLE_FIRST	64u		/* numbers that there is room for at first */

/* Who is to be told of a socket's readiness. */
struct fd_watch {
	struct so_watcher watcher;
	int fd;
	void (*fn)(void *ctx, int fd, unsigned ready);
	void *ctx;
};

union fd_more {
	struct fd_watch *watch;		/* of a socket; NULL: nobody */
	struct device_file *file;	/* without a socket; NULL: free */
};

/* A kext's file_socket: it counts in so_retaincnt, and is a reference besides. */
struct fd_hold {
	SLIST_ENTRY(fd_hold) link;
	struct socket *so;
	int fd;			/* may be closed meanwhile, and stand for something else */
};

struct filedesc {
	struct socket **sockets;	/* `size` of them; NULL: free, or an open device */
	union fd_more *more;		/* as many; NULL: nobody watches, and no device is open */
	uint64_t *taken;		/* a bit for each */
	unsigned size;			/* a multiple of WORD_BITS */
	unsigned hint;
	int limit;			/* kern.maxfiles: how many may be open */
	int open;
	SLIST_HEAD(, fd_hold) holds;	/* the newest first */
};

/* ---- numbers ------------------------------------------------------------------------------ */

static errno_t
grow(struct nke *m, struct filedesc *f)
{
	unsigned size = f->size != 0 ? f->size * 2 : TABLE_FIRST;
	struct socket **sockets = kalloc(m, size * sizeof *sockets);
	union fd_more *more = f->more != NULL ? kalloc(m, size * sizeof *more) : NULL;
	uint64_t *taken = kalloc(m, size / WORD_BITS * sizeof *taken);

	if (sockets == NULL || taken == NULL || (more == NULL && f->more != NULL)) {
		kfree(m, sockets);
		kfree(m, more);
		kfree(m, taken);
		return ENOMEM;
	}
	if (f->size != 0) {
		memcpy(sockets, f->sockets, f->size * sizeof *sockets);
		memcpy(taken, f->taken, f->size / WORD_BITS * sizeof *taken);
	} else {
		taken[0] = (UINT64_C(1) << FD_FIRST) - 1;
	}
	if (more != NULL)
		memcpy(more, f->more, f->size * sizeof *more);
	kfree(m, f->sockets);
	kfree(m, f->more);
	kfree(m, f->taken);
	f->sockets = sockets;
	f->more = more;
	f->taken = taken;
	f->size = size;
	return 0;
}

/* The lowest free number that is not below `min`; the table's size when it has none. */
static unsigned
lowest_free(struct filedesc *f, unsigned min)
{
	unsigned words = f->size / WORD_BITS, w = min / WORD_BITS;
	uint64_t below = (UINT64_C(1) << (min % WORD_BITS)) - 1;

	if (w < f->hint) {
		w = f->hint;
		below = 0;
	}
	for (; w < words; w++, below = 0) {
		uint64_t free = ~(f->taken[w] | below);

		if (free != 0)
			return w * WORD_BITS + (unsigned)__builtin_ctzll(free);
		if (w == f->hint && f->taken[w] == UINT64_MAX)
			f->hint++;
	}
	return f->size > min ? f->size : min;
}

/* Takes the lowest free number that is not below `min`. */
static errno_t
take_number(struct nke *m, int min, unsigned *number)
{
	struct filedesc *f = m->sockets->files;
	unsigned n;

	if (min < 0 || min >= FD_MOST)
		return EINVAL;
	if (f->open >= f->limit)
		return EMFILE;
	n = lowest_free(f, (unsigned)min);
	if (n >= FD_MOST)
		return EMFILE;
	while (n >= f->size) {
		errno_t error = grow(m, f);

		if (error != 0)
			return error;
		n = lowest_free(f, (unsigned)min);
	}
	f->taken[n / WORD_BITS] |= UINT64_C(1) << (n % WORD_BITS);
	f->open++;
	*number = n;
	return 0;
}

static void
give_back(struct filedesc *f, unsigned n)
{
	f->taken[n / WORD_BITS] &= ~(UINT64_C(1) << (n % WORD_BITS));
	if (n / WORD_BITS < f->hint)
		f->hint = n / WORD_BITS;
	f->open--;
}

/* Makes the table `more`, unless it is there. */
static errno_t
need_more(struct nke *m, struct filedesc *f)
{
	if (f->more == NULL)
		f->more = kalloc(m, f->size * sizeof *f->more);
	return f->more != NULL ? 0 : ENOMEM;
}

errno_t
fd_alloc_from(struct nke *m, struct socket *so, int min, int *fd)
{
	unsigned n;
	errno_t error = take_number(m, min, &n);

	if (error != 0)
		return error;
	m->sockets->files->sockets[n] = so;
	so->so_fdcount++;
	*fd = (int)n;
	return 0;
}

errno_t
fd_alloc_file(struct nke *m, struct device_file *file, int min, int *fd)
{
	struct filedesc *f = m->sockets->files;
	unsigned n;
	errno_t error = take_number(m, min, &n);

	if (error != 0)
		return error;
	error = need_more(m, f);
	if (error != 0) {
		give_back(f, n);
		return error;
	}
	f->more[n].file = file;
	file->descriptors++;
	*fd = (int)n;
	return 0;
}

errno_t
fd_alloc(struct nke *m, struct socket *so, int *fd)
{
	return fd_alloc_from(m, so, 0, fd);
}

struct socket *
fd_socket(const struct nke *m, int fd)
{
	const struct filedesc *f = m->sockets->files;

	return (unsigned)fd < f->size ? f->sockets[fd] : NULL;
}

struct device_file *
fd_file(const struct nke *m, int fd)
{
	const struct filedesc *f = m->sockets->files;

	return (unsigned)fd < f->size && f->sockets[fd] == NULL && f->more != NULL ? f->more[fd].file : NULL;
}

errno_t
fd_dup(struct nke *m, int fd, int min, int *out)
{
	struct socket *so = fd_socket(m, fd);
	struct device_file *file = fd_file(m, fd);

	if (so != NULL)
		return fd_alloc_from(m, so, min, out);
	return file != NULL ? fd_alloc_file(m, file, min, out) : EBADF;
}

unsigned
fd_available(const struct nke *m)
{
	const struct filedesc *f = m->sockets->files;

	return f->open < f->limit ? (unsigned)(f->limit - f->open) : 0;
}

errno_t
fd_flags(const struct nke *m, int fd, int *flags)
{
	const struct socket *so = fd_socket(m, fd);
	const struct device_file *file = fd_file(m, fd);

	if (so == NULL && file == NULL)
		return EBADF;
	*flags = file != NULL ? file->flags : FREAD | FWRITE | (so->so_state & SS_NBIO ? FNONBLOCK : 0) |
	    (so->so_flags & SOF_ASYNC ? FASYNC : 0);
	return 0;
}

/* ---- what kexts hold ---------------------------------------------------------------------- */

errno_t
fd_hold(struct nke *m, int fd, void *pc, struct socket **out)
{
	struct filedesc *f = m->sockets->files;
	struct socket *so = fd_socket(m, fd);
	struct fd_hold *h;

	if (so == NULL)
		return fd_file(m, fd) != NULL ? ENOTSOCK : EBADF;
	h = kalloc(m, sizeof *h);
	if (h == NULL)
		return ENOMEM;
	so_retain(so);
	so_keep(so, pc);
	*h = (struct fd_hold){.so = so, .fd = fd};
	SLIST_INSERT_HEAD(&f->holds, h, link);
	*out = so;
	return 0;
}

/* `kept`: so_retaincnt is to go down too. */
static void
end_hold(struct nke *m, struct fd_hold *h, bool kept)
{
	struct socket *so = h->so;

	SLIST_REMOVE(&m->sockets->files->holds, h, fd_hold, link);
	kfree(m, h);
	if (kept)
		so_unkeep(so);
	so_release(so);
}

errno_t
fd_drop(struct nke *m, int fd)
{
	struct fd_hold *h;

	SLIST_FOREACH(h, &m->sockets->files->holds, link) {
		if (h->fd == fd) {
			/* Zero: the kext's start routine failed, and all was taken back. */
			end_hold(m, h, h->so->so_retaincnt != 0);
			return 0;
		}
	}
	return EBADF;
}

/* ---- readiness ---------------------------------------------------------------------------- */

static void
tell(struct so_watcher *watcher, unsigned ready)
{
	const struct fd_watch *w = CONTAINER_OF(watcher, struct fd_watch, watcher);

	w->fn(w->ctx, w->fd, ready);
}

/* Of a socket. */
static void
end_watch(struct nke *m, int fd)
{
	struct filedesc *f = m->sockets->files;
	struct fd_watch *w = f->more != NULL ? f->more[fd].watch : NULL;

	if (w == NULL)
		return;
	so_unwatch(&w->watcher);
	kfree(m, w);
	f->more[fd].watch = NULL;
}

static errno_t
watch_socket(struct nke *m, int fd, void (*fn)(void *, int, unsigned), void *ctx)
{
	struct filedesc *f = m->sockets->files;
	struct fd_watch *w;
	errno_t error;

	if (fn == NULL) {
		end_watch(m, fd);
		return 0;
	}
	error = need_more(m, f);
	if (error != 0)
		return error;
	w = f->more[fd].watch;
	if (w == NULL) {
		w = f->more[fd].watch = kalloc(m, sizeof *w);
		if (w == NULL)
			return ENOMEM;
		w->fd = fd;
		so_watch(f->sockets[fd], &w->watcher, tell);
	}
	w->fn = fn;
	w->ctx = ctx;
	return 0;
}

errno_t
fd_watch(struct nke *m, int fd, void (*fn)(void *, int, unsigned), void *ctx, unsigned *ready)
{
	const struct socket *so = fd_socket(m, fd);
	struct device_file *file = fd_file(m, fd);
	errno_t error;

	*ready = 0;
	if (so != NULL) {
		error = watch_socket(m, fd, fn, ctx);
		if (error == 0)
			*ready = soready(so);
		return error;
	}
	if (file == NULL)
		return EBADF;
	if (fn != NULL)
		return device_watch(m, file, fd, fn, ctx, ready);
	device_unwatch(m, file, fd);
	return 0;
}

/* ---- giving up ---------------------------------------------------------------------------- */

errno_t
fd_release(struct socket *so)
{
	KASSERTX(so->so_fdcount != 0, "socket %u gives up a descriptor and has none",
	    so->so_generation);
	if (--so->so_fdcount != 0) {
		if (so->so_fdcount == so->so_inflight)
			unp_collect_soon(sotomachine(so));
		return 0;
	}
	if (so->so_usecount > 1)
		so_drain(so);
	return soclose(so);
}

errno_t
fd_close(struct nke *m, int fd)
{
	struct filedesc *f = m->sockets->files;
	struct socket *so = fd_socket(m, fd);
	struct device_file *file = fd_file(m, fd);

	if (so == NULL && file == NULL)
		return EBADF;
	give_back(f, (unsigned)fd);
	if (so != NULL) {
		end_watch(m, fd);
		f->sockets[fd] = NULL;
		return fd_release(so);
	}
	f->more[fd].file = NULL;
	device_unwatch(m, file, fd);
	return --file->descriptors == 0 ? device_file_close(m, file) : 0;
}

/* ---- the subsystem ------------------------------------------------------------------------ */

static errno_t
filedesc_init(struct nke *m)
{
	struct filedesc *f = kalloc(m, sizeof *f);

	if (f == NULL)
		return ENOMEM;
	f->limit = FD_DEFAULT;
	SLIST_INIT(&f->holds);
	m->sockets->files = f;
	return filedesc_sysctl_init(m, &f->limit, &f->open);
}

static void
close_quickly(struct socket *so)
{
	so_dont_linger(so);
	/* The kexts that retain it have gone. */
	for (; so->so_retaincnt != 0; so->so_retaincnt--)
		so_release(so);
}

/* Descriptors first, then sockets without any: kexts that are gone have left them. */
static void
filedesc_quiesce(struct nke *m)
{
	struct socket_state *s = m->sockets;
	struct socket *so;
	bool closed;

	/* Nobody knows in the middle of what: the heap takes everything back. */
	if (m->panicked)
		return;
	while (!SLIST_EMPTY(&s->files->holds))
		end_hold(m, SLIST_FIRST(&s->files->holds), false);
	for (unsigned fd = 0; fd < s->files->size; fd++) {
		struct device_file *file = fd_file(m, (int)fd);

		if (s->files->sockets[fd] != NULL) {
			close_quickly(s->files->sockets[fd]);
			(void)fd_close(m, (int)fd);
		} else if (file != NULL) {
			device_unwatch(m, file, (int)fd);
			if (--file->descriptors == 0)
				device_file_forget(m, file);
		}
	}
	do {
		closed = false;
		TAILQ_FOREACH(so, &s->sockets, so_link) {
			if (!(so->so_state & SS_NOFDREF) && so->so_fdcount == 0) {
				close_quickly(so);
				(void)soclose(so);
				closed = true;
				break;
			}
		}
	} while (closed);
	/* Messages that nobody could receive any more may still be there. */
	unp_collect(m);
}

static void
filedesc_fini(struct nke *m)
{
	struct filedesc *f = m->sockets->files;

	kfree(m, f->sockets);
	kfree(m, f->more);
	kfree(m, f->taken);
	kfree(m, f);
	m->sockets->files = NULL;
}

extern const struct subsystem filedesc_subsystem;
const struct subsystem filedesc_subsystem = {
	.name = "filedesc", .init = filedesc_init, .quiesce = filedesc_quiesce, .fini = filedesc_fini,
};
