/*
 * The event loop of a machine in real time, as nke/loop.h offers it, on libevent: which devices have frames,
 * which sockets are ready (loop_event.c), and how it ends.
 *
 * Timers are the machine's own business: a clock keeper in the core wakes for them, loop or no loop. So the
 * loop waits for descriptors alone. Ending it from other threads and from signal handlers is a byte in
 * a pipe, which is all that both may do.
 */
#include "src/host/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nke/socket.h>

/* How soon a panic is seen that did not happen in a call of the loop's. */
#define PANIC_CHECK_US	200000

/* ---- ending ------------------------------------------------------------------------------- */

void
loop_fail(struct nke_loop *l, int error)
{
	if (error == EFAULT)
		nke_fail(l->machine, error, "%s", nke_panic_report(l->machine));
	if (l->error == 0)
		l->error = error;
	if (l->running)
		(void)event_base_loopbreak(l->base);
}

void
nke_loop_stop(nke_loop_t *l)
{
	int saved = errno;
	ssize_t n = write(l->wake[1], "", 1);	/* a full pipe will do, too */

	(void)n;
	errno = saved;
}

static void
woken(evutil_socket_t fd, short what, void *arg)
{
	struct nke_loop *l = arg;
	char bytes[64];

	(void)what;
	while (read(fd, bytes, sizeof bytes) > 0)
		continue;
	if (l->running)
		(void)event_base_loopbreak(l->base);
}

static void
check_panic(evutil_socket_t fd, short what, void *arg)
{
	struct nke_loop *l = arg;

	(void)fd;
	(void)what;
	if (nke_panicked(l->machine))
		loop_fail(l, EFAULT);
}

/* ---- devices ------------------------------------------------------------------------------ */

static void
drop_events(struct port *p)
{
	if (p->event != NULL)
		event_free(p->event);
	if (p->watch_event != NULL)
		event_free(p->watch_event);
	p->event = p->watch_event = NULL;
}

static void
frames_wait(evutil_socket_t fd, short what, void *arg)
{
	struct port *p = arg;
	struct nke_loop *l = p->loop;

	(void)fd;
	(void)what;
	if (p->input(p) >= 0)
		return;
	if (errno != EFAULT)
		drop_events(p);
	loop_fail(l, errno);
}

static void
link_changes(evutil_socket_t fd, short what, void *arg)
{
	struct port *p = arg;
	int error;

	(void)fd;
	(void)what;
	error = port_check_link(p);
	if (error != 0)
		loop_fail(p->loop, error);
}

int
loop_add_port(struct nke_loop *l, struct port *p)
{
	if (p->loop != NULL)
		return nke_fail(p->machine, EBUSY, "%s: is in a loop already", p->device);
	if (p->machine != l->machine)
		return nke_fail(p->machine, EINVAL, "%s: the loop is another machine's", p->device);
	p->event = event_new(l->base, p->fd, EV_READ | EV_PERSIST, frames_wait, p);
	if (p->watch != NULL)
		p->watch_event = event_new(l->base, link_watch_fd(p->watch), EV_READ | EV_PERSIST,
		    link_changes, p);
	if (p->event == NULL || event_add(p->event, NULL) != 0 || (p->watch != NULL &&
	    (p->watch_event == NULL || event_add(p->watch_event, NULL) != 0))) {
		drop_events(p);
		return nke_fail(p->machine, ENOMEM, "%s: no memory", p->device);
	}
	p->loop = l;
	TAILQ_INSERT_TAIL(&l->ports, p, link);
	return 0;
}

void
loop_forget_port(struct port *p)
{
	if (p->loop == NULL)
		return;
	drop_events(p);
	TAILQ_REMOVE(&p->loop->ports, p, link);
	p->loop = NULL;
}

/* ---- life --------------------------------------------------------------------------------- */

/* The pipe, and events for it, for the machine's ready sockets and for its panics. */
static int
add_own_events(struct nke_loop *l)
{
	const struct timeval often = {.tv_usec = PANIC_CHECK_US};
	int ready = nke_ready_fd(l->machine);

	if (ready < 0 || pipe(l->wake) != 0)
		return errno;
	for (int i = 0; i < 2; i++) {
		(void)fcntl(l->wake[i], F_SETFL, O_NONBLOCK);
		(void)fcntl(l->wake[i], F_SETFD, FD_CLOEXEC);
	}
	l->wake_event = event_new(l->base, l->wake[0], EV_READ | EV_PERSIST, woken, l);
	l->ready_event = event_new(l->base, ready, EV_READ | EV_PERSIST, loop_events_ready, l);
	l->panic_event = event_new(l->base, -1, EV_PERSIST, check_panic, l);
	if (l->wake_event == NULL || l->ready_event == NULL || l->panic_event == NULL ||
	    event_add(l->wake_event, NULL) != 0 || event_add(l->ready_event, NULL) != 0 ||
	    event_add(l->panic_event, &often) != 0)
		return ENOMEM;
	return 0;
}

int
nke_loop_create(nke_t *m, struct event_base *base, nke_loop_t **out)
{
	struct nke_loop *l;
	int error;

	*out = NULL;
	if (!nke_real_time(m))
		return nke_fail(m, EINVAL, "loop: the machine must be one in real time (NKE_TIME_REAL)");
	l = calloc(1, sizeof *l);
	if (l == NULL)
		return nke_fail(m, ENOMEM, "loop: no memory");
	l->machine = m;
	l->wake[0] = l->wake[1] = -1;
	TAILQ_INIT(&l->ports);
	TAILQ_INIT(&l->events);
	l->own_base = base == NULL;
	l->base = base != NULL ? base : event_base_new();
	error = l->base != NULL ? add_own_events(l) : ENOMEM;
	if (error != 0) {
		nke_loop_destroy(l);
		return nke_fail(m, error, "loop: %s", strerror(error));
	}
	*out = l;
	return 0;
}

void
nke_loop_destroy(nke_loop_t *l)
{
	struct event *own[3];

	if (l == NULL)
		return;
	own[0] = l->wake_event;
	own[1] = l->ready_event;
	own[2] = l->panic_event;
	while (!TAILQ_EMPTY(&l->ports))
		loop_forget_port(TAILQ_FIRST(&l->ports));
	loop_events_free(l);
	for (unsigned i = 0; i < 3; i++)
		if (own[i] != NULL)
			event_free(own[i]);
	if (l->own_base && l->base != NULL)
		event_base_free(l->base);
	for (int i = 0; i < 2; i++)
		if (l->wake[i] >= 0)
			close(l->wake[i]);
	free(l);
}

struct event_base *
nke_loop_base(nke_loop_t *l)
{
	return l->base;
}

/* ---- running ------------------------------------------------------------------------------ */

int
nke_loop_run(nke_loop_t *l)
{
	int error;

	if (l->running)
		return nke_fail(l->machine, EBUSY, "loop: it runs already");
	l->running = true;
	if (nke_panicked(l->machine))
		loop_fail(l, EFAULT);
	if (l->error == 0)
		(void)event_base_dispatch(l->base);
	l->running = false;
	if (l->error == 0 && nke_panicked(l->machine))	/* and it was stopped before that was seen */
		loop_fail(l, EFAULT);
	error = l->error;
	l->error = 0;
	return error;
}

static void *
run_on_thread(void *arg)
{
	return (void *)(intptr_t)nke_loop_run(arg);
}

int
nke_loop_start(nke_loop_t *l)
{
	sigset_t all, outer;
	int error;

	if (l->started || l->running)
		return nke_fail(l->machine, EBUSY, "loop: it runs already");
	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	pthread_sigmask(SIG_SETMASK, &all, &outer);
	error = pthread_create(&l->thread, NULL, run_on_thread, l);
	pthread_sigmask(SIG_SETMASK, &outer, NULL);
	if (error != 0)
		return nke_fail(l->machine, error, "loop: no thread: %s", strerror(error));
	l->started = true;
	return 0;
}

int
nke_loop_join(nke_loop_t *l)
{
	void *result;

	if (!l->started)
		return EINVAL;
	nke_loop_stop(l);
	pthread_join(l->thread, &result);
	l->started = false;
	return (int)(intptr_t)result;
}
