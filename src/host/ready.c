/*
 * Which watched sockets have become ready: a list per machine and a pipe that is readable while it is not
 * empty, so that any event loop can wait for it (nke_ready_fd). The core tells from whatever thread has the
 * machine's CPU; the list is guarded by a mutex of its own, which is never held while calling the core.
 */
#include <nke/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/host/machine.h"
#include "src/host/ready.h"
#include "src/kern/sockcalls.h"

struct watch {
	TAILQ_ENTRY(watch) link;	/* of the ready ones */
	int s;
	unsigned want;			/* CORE_READY_*; 0: not watched */
	unsigned ready;			/* not told yet; 0: not on the list */
	void *ctx;
};

struct nke_readiness {
	pthread_mutex_t mutex;
	struct watch **watches;		/* by descriptor */
	int count;
	TAILQ_HEAD(, watch) ready;
	int pipe[2];
};

#define ALWAYS	(CORE_READY_ERROR | CORE_READY_HANGUP)

/* ---- the list ----------------------------------------------------------------------------- */

/* The mutex is held. */
static void
add(struct nke_readiness *r, struct watch *w, unsigned ready)
{
	ssize_t written;

	ready &= w->want | ALWAYS;
	if (w->want == 0 || ready == 0)
		return;
	if (w->ready == 0) {
		/* A full pipe is readable, too. */
		if (TAILQ_EMPTY(&r->ready)) {
			written = write(r->pipe[1], "", 1);
			(void)written;
		}
		TAILQ_INSERT_TAIL(&r->ready, w, link);
	}
	w->ready |= ready;
}

static void
take(struct nke_readiness *r, struct watch *w)
{
	char byte;
	ssize_t got;

	if (w->ready == 0)
		return;
	w->ready = 0;
	TAILQ_REMOVE(&r->ready, w, link);
	if (TAILQ_EMPTY(&r->ready)) {
		got = read(r->pipe[0], &byte, 1);
		(void)got;
	}
}

/* On the machine's CPU. */
static void
became_ready(void *ctx, int s, unsigned ready)
{
	struct nke_readiness *r = ctx;

	pthread_mutex_lock(&r->mutex);
	if (s < r->count && r->watches[s] != NULL)
		add(r, r->watches[s], ready);
	pthread_mutex_unlock(&r->mutex);
}

/* ---- life --------------------------------------------------------------------------------- */

/* NULL with errno. Of two threads that come first, one makes it. */
static struct nke_readiness *
readiness(nke_t *m)
{
	struct nke_readiness *r = __atomic_load_n(&m->readiness, __ATOMIC_ACQUIRE), *none = NULL;

	if (r != NULL)
		return r;
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return NULL;
	if (pipe(r->pipe) != 0) {
		free(r);
		return NULL;
	}
	for (int i = 0; i < 2; i++) {
		(void)fcntl(r->pipe[i], F_SETFL, O_NONBLOCK);
		(void)fcntl(r->pipe[i], F_SETFD, FD_CLOEXEC);
	}
	pthread_mutex_init(&r->mutex, NULL);
	TAILQ_INIT(&r->ready);
	if (__atomic_compare_exchange_n(&m->readiness, &none, r, false, __ATOMIC_ACQ_REL,
	    __ATOMIC_ACQUIRE))
		return r;
	close(r->pipe[0]);
	close(r->pipe[1]);
	pthread_mutex_destroy(&r->mutex);
	free(r);
	return none;
}

void
nke_ready_forget(nke_t *m)
{
	struct nke_readiness *r = m->readiness;

	if (r == NULL)
		return;
	for (int i = 0; i < r->count; i++)
		free(r->watches[i]);
	free(r->watches);
	close(r->pipe[0]);
	close(r->pipe[1]);
	pthread_mutex_destroy(&r->mutex);
	free(r);
}

int
nke_ready_fd(nke_t *m)
{
	const struct nke_readiness *r = readiness(m);

	return r != NULL ? r->pipe[0] : -1;
}

/* ---- watching ----------------------------------------------------------------------------- */

/* The mutex is held. The watch of that descriptor, made if need be; NULL: no memory. */
static struct watch *
watch_of(struct nke_readiness *r, int s)
{
	if (s >= r->count) {
		int count = s < 64 ? 64 : s * 2;
		struct watch **grown = realloc(r->watches, (size_t)count * sizeof *grown);

		if (grown == NULL)
			return NULL;
		for (int i = r->count; i < count; i++)
			grown[i] = NULL;
		r->watches = grown;
		r->count = count;
	}
	if (r->watches[s] == NULL && (r->watches[s] = calloc(1, sizeof(struct watch))) != NULL)
		r->watches[s]->s = s;
	return r->watches[s];
}

static int
set_watch(struct nke_readiness *r, int s, unsigned want, void *ctx)
{
	struct watch *w;

	pthread_mutex_lock(&r->mutex);
	w = watch_of(r, s);
	if (w != NULL) {
		take(r, w);
		w->want = want;
		w->ctx = ctx;
	}
	pthread_mutex_unlock(&r->mutex);
	return w != NULL ? 0 : ENOMEM;
}

int
nke_watch(nke_t *m, int s, short events, void *ctx)
{
	struct nke_readiness *r = readiness(m);
	unsigned want = ready_from_poll(events), ready = 0;
	int error;

	if (r == NULL)
		return -1;
	/* Is there such a descriptor? Nobody is told anything as long as nothing is wanted. */
	error = s < 0 ? EBADF : nke_core_result(m, file_call_watch(m->core, s,
	    want != 0 ? became_ready : NULL, r, &ready));
	if (error == 0)
		error = set_watch(r, s, want, ctx);
	if (error != 0) {
		errno = error;
		return -1;
	}
	/* What it became in between counts as well. */
	if (want != 0 && file_call_watch(m->core, s, became_ready, r, &ready) == 0)
		became_ready(r, s, ready);
	return 0;
}

void
nke_unwatch(nke_t *m, int s)
{
	struct nke_readiness *r = __atomic_load_n(&m->readiness, __ATOMIC_ACQUIRE);

	if (r == NULL || s < 0)
		return;
	pthread_mutex_lock(&r->mutex);
	if (s < r->count && r->watches[s] != NULL) {
		take(r, r->watches[s]);
		r->watches[s]->want = 0;
		r->watches[s]->ctx = NULL;
	}
	pthread_mutex_unlock(&r->mutex);
}

void *
nke_watch_ctx(nke_t *m, int s)
{
	struct nke_readiness *r = __atomic_load_n(&m->readiness, __ATOMIC_ACQUIRE);
	void *ctx = NULL;

	if (r == NULL || s < 0)
		return NULL;
	pthread_mutex_lock(&r->mutex);
	if (s < r->count && r->watches[s] != NULL)
		ctx = r->watches[s]->ctx;
	pthread_mutex_unlock(&r->mutex);
	return ctx;
}

int
nke_next_ready(nke_t *m, struct nke_ready *out)
{
	struct nke_readiness *r = __atomic_load_n(&m->readiness, __ATOMIC_ACQUIRE);
	struct watch *w;

	if (r == NULL)
		return 0;
	pthread_mutex_lock(&r->mutex);
	w = TAILQ_FIRST(&r->ready);
	if (w != NULL) {
		*out = (struct nke_ready){.s = w->s, .events = ready_to_poll(w->ready), .ctx = w->ctx};
		take(r, w);
	}
	pthread_mutex_unlock(&r->mutex);
	return w != NULL;
}
