/*
 * The descriptor table: see filedesc.h. It owns the numbers, not the sockets, which it holds by
 * so_fdcount. Free numbers are the zeros of a bitmap; `hint` is the first word that may have one, so that
 * the lowest is found without looking at those that are taken.
 *
 * As a subsystem it comes last and goes first: what is still open is closed while every protocol is there.
 */
#include <string.h>

#include "src/kern/filedesc.h"
#include "src/kern/heap.h"
#include "src/kern/panic.h"
#include "src/kern/sched.h"
#include "src/kern/uipc_local.h"

#define WORD_BITS	64u
#define TABLE_FIRST	64u		/* numbers that there is room for at first */

/* Who is to be told of a descriptor's readiness. */
struct fd_watch {
	struct so_watcher watcher;
	int fd;
	void (*fn)(void *ctx, int fd, unsigned ready);
	void *ctx;
};

struct fd_entry {
	struct socket *so;		/* NULL: free */
	struct fd_watch *watch;		/* NULL: nobody */
};

struct filedesc {
	struct fd_entry *entries;	/* `size` of them */
	uint64_t *taken;		/* a bit for each */
	unsigned size;			/* a multiple of WORD_BITS */
	unsigned hint;
	int limit;			/* kern.maxfiles: how many may be open */
	int open;
};

/* ---- numbers ------------------------------------------------------------------------------ */

static errno_t
grow(struct nke *m, struct filedesc *f)
{
	unsigned size = f->size != 0 ? f->size * 2 : TABLE_FIRST;
	struct fd_entry *entries = kalloc(m, size * sizeof *entries);
	uint64_t *taken = kalloc(m, size / WORD_BITS * sizeof *taken);

	if (entries == NULL || taken == NULL) {
		kfree(m, entries);
		kfree(m, taken);
		return ENOMEM;
	}
	if (f->size != 0) {
		memcpy(entries, f->entries, f->size * sizeof *entries);
		memcpy(taken, f->taken, f->size / WORD_BITS * sizeof *taken);
	} else {
		taken[0] = (UINT64_C(1) << FD_FIRST) - 1;
	}
	kfree(m, f->entries);
	kfree(m, f->taken);
	f->entries = entries;
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

errno_t
fd_alloc_from(struct nke *m, struct socket *so, int min, int *fd)
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
	f->entries[n].so = so;
	f->open++;
	so->so_fdcount++;
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

	return (unsigned)fd < f->size ? f->entries[fd].so : NULL;
}

unsigned
fd_available(const struct nke *m)
{
	const struct filedesc *f = m->sockets->files;

	return f->open < f->limit ? (unsigned)(f->limit - f->open) : 0;
}

/* ---- readiness ---------------------------------------------------------------------------- */

static void
tell(struct so_watcher *watcher, unsigned ready)
{
	const struct fd_watch *w = CONTAINER_OF(watcher, struct fd_watch, watcher);

	w->fn(w->ctx, w->fd, ready);
}

static void
end_watch(struct nke *m, struct fd_entry *e)
{
	if (e->watch == NULL)
		return;
	so_unwatch(&e->watch->watcher);
	kfree(m, e->watch);
	e->watch = NULL;
}

errno_t
fd_watch(struct nke *m, int fd, void (*fn)(void *, int, unsigned), void *ctx)
{
	struct socket *so = fd_socket(m, fd);
	struct fd_entry *e;

	if (so == NULL)
		return EBADF;
	e = &m->sockets->files->entries[fd];
	if (fn == NULL) {
		end_watch(m, e);
		return 0;
	}
	if (e->watch == NULL) {
		e->watch = kalloc(m, sizeof *e->watch);
		if (e->watch == NULL)
			return ENOMEM;
		e->watch->fd = fd;
		so_watch(so, &e->watch->watcher, tell);
	}
	e->watch->fn = fn;
	e->watch->ctx = ctx;
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

	if (so == NULL)
		return EBADF;
	end_watch(m, &f->entries[fd]);
	f->entries[fd].so = NULL;
	f->taken[(unsigned)fd / WORD_BITS] &= ~(UINT64_C(1) << ((unsigned)fd % WORD_BITS));
	if ((unsigned)fd / WORD_BITS < f->hint)
		f->hint = (unsigned)fd / WORD_BITS;
	f->open--;
	return fd_release(so);
}

/* ---- the subsystem ------------------------------------------------------------------------ */

static errno_t
filedesc_init(struct nke *m)
{
	struct filedesc *f = kalloc(m, sizeof *f);

	if (f == NULL)
		return ENOMEM;
	f->limit = FD_DEFAULT;
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
	for (unsigned fd = 0; fd < s->files->size; fd++) {
		if (s->files->entries[fd].so != NULL) {
			close_quickly(s->files->entries[fd].so);
			(void)fd_close(m, (int)fd);
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

	kfree(m, f->entries);
	kfree(m, f->taken);
	kfree(m, f);
	m->sockets->files = NULL;
}

extern const struct subsystem filedesc_subsystem;
const struct subsystem filedesc_subsystem = {
	.name = "filedesc", .init = filedesc_init, .quiesce = filedesc_quiesce, .fini = filedesc_fini,
};
