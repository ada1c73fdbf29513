/*
 * Sockets of a machine as events of its loop: on top of nke_watch and nke_next_ready (ready.c), which tell
 * once that a socket has become ready. An event that is not NKE_EVENT_EDGE is watched anew after each call of
 * its function, and nke_watch tells at once of what is ready still.
 *
 * The function may free its own event, any other, or close the socket: an event that is being called is freed
 * when that has returned, and is taken off the list at once.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "src/host/loop.h"
#include "src/host/ready.h"

#define READY_BATCH	256u		/* before other descriptors have their turn */

struct nke_event {
	TAILQ_ENTRY(nke_event) link;
	nke_loop_t *loop;
	int s;
	short what;			/* POLLIN, POLLOUT */
	bool edge;
	bool gone;			/* freed, or its descriptor is another socket's */
	bool calling, dead;		/* its function runs; it is to be freed after that */
	nke_event_fn *fn;
	void *arg;
};

/* ---- ready -------------------------------------------------------------------------------- */

static void
call(struct nke_event *e, short what)
{
	if (e->gone || e->fn == NULL)
		return;
	e->calling = true;
	e->fn(e, e->s, what, e->arg);
	e->calling = false;
	if (e->dead)
		free(e);
	else if (!e->edge && !e->gone && e->what != 0)
		/* EBADF: it has closed its socket. */
		(void)nke_watch(e->loop->machine, e->s, e->what, e);
}

void
loop_events_ready(evutil_socket_t fd, short what, void *arg)
{
	struct nke_loop *l = arg;
	struct nke_ready ready;

	(void)fd;
	(void)what;
	for (unsigned i = 0; i < READY_BATCH && nke_next_ready(l->machine, &ready) == 1; i++) {
		if (ready.ctx != NULL)
			call(ready.ctx, ready.events);
	}
	if (nke_panicked(l->machine))
		loop_fail(l, EFAULT);
}

/* ---- life --------------------------------------------------------------------------------- */

/* The descriptor was closed and is another socket's now, or is wanted anew. */
static struct nke_event *
event_of(nke_loop_t *l, int s)
{
	struct nke_event *e;

	TAILQ_FOREACH(e, &l->events, link)
		if (e->s == s && !e->gone)
			return e;
	return NULL;
}

int
nke_event_new(nke_loop_t *l, int s, short what, nke_event_fn *fn, void *arg, nke_event_t **out)
{
	struct nke_event *e, *old = event_of(l, s);
	short events = what & (POLLIN | POLLOUT);

	*out = NULL;
	if (events == 0 || fn == NULL)
		return nke_fail(l->machine, EINVAL, "event: expected POLLIN or POLLOUT, and a function");
	if (old != NULL && nke_watch_ctx(l->machine, s) == old)
		return nke_fail(l->machine, EEXIST, "event: socket %d has one", s);
	e = calloc(1, sizeof *e);
	if (e == NULL)
		return nke_fail(l->machine, ENOMEM, "event: no memory");
	*e = (struct nke_event){.loop = l, .s = s, .what = events, .edge = (what & NKE_EVENT_EDGE) != 0,
	    .fn = fn, .arg = arg};
	if (nke_watch(l->machine, s, events, e) != 0) {
		int error = errno;

		free(e);
		return nke_fail(l->machine, error, "event: socket %d: %s", s, strerror(error));
	}
	if (old != NULL)
		old->gone = true;
	TAILQ_INSERT_TAIL(&l->events, e, link);
	*out = e;
	return 0;
}

int
nke_event_change(nke_event_t *e, short what)
{
	nke_t *m = e->loop->machine;

	if (e->gone)
		return nke_fail(m, EBADF, "event: socket %d has been closed", e->s);
	e->what = what & (POLLIN | POLLOUT);
	e->edge = (what & NKE_EVENT_EDGE) != 0;
	if (nke_watch(m, e->s, e->what, e) != 0)
		return nke_fail(m, errno, "event: socket %d: %s", e->s, strerror(errno));
	return 0;
}

void
nke_event_free(nke_event_t *e)
{
	if (e == NULL || e->dead)
		return;
	if (!e->gone && nke_watch_ctx(e->loop->machine, e->s) == e)
		(void)nke_watch(e->loop->machine, e->s, 0, NULL);
	e->gone = true;
	TAILQ_REMOVE(&e->loop->events, e, link);
	if (e->calling)
		e->dead = true;
	else
		free(e);
}

void
loop_events_free(struct nke_loop *l)
{
	nke_event_t *e, *next;

	for (e = TAILQ_FIRST(&l->events); e != NULL; e = next) {
		next = TAILQ_NEXT(e, link);
		nke_event_free(e);
	}
}
