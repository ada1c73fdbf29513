/*
 * Calls into the machine that may wait. The clock is held (clock.c), so a call that waits just sleeps until
 * the script's own thread has let time pass or given the machine a packet. It is made by a thread of its
 * own, the caller; the script's thread goes on as soon as the call has returned or sleeps inside the
 * machine, so that there is never more than one of the two running, and everything happens in the same
 * order every time.
 *
 * What surely does not wait is called directly.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "src/drill/engine.h"

#define SPINS	200u			/* looks at the caller before the host's CPU is given away */

struct caller {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	struct job *job;		/* that it is to do, or does */
	bool done, quit;
	/* of the script's thread: */
	struct job *waits;		/* under way */
	int64_t end_us;			/* when it is to return */
};

/* ---- jobs --------------------------------------------------------------------------------------- */

struct job *
job_new(struct run *r, enum job_kind kind, int fd)
{
	struct job *j = calloc(1, sizeof *j);

	if (j == NULL) {
		(void)fail(r, DRILL_BROKEN, r->event->place, "no memory");
		return NULL;
	}
	j->kind = kind;
	j->machine = r->machine;
	j->fd = fd;
	j->event = r->event;
	j->address_len = sizeof j->address;
	return j;
}

void
job_free(struct job *j)
{
	if (j == NULL)
		return;
	free(j->iov);
	free(j->buffer);
	free(j->fds);
	free(j->context);
	free(j);
}

static int64_t
send_some(struct job *j, int flags)
{
	struct msghdr m = j->message;

	if (j->plain && m.msg_iovlen == 1 && j->done == 0)
		return j->has_address ? nke_sendto(j->machine, j->fd, m.msg_iov->iov_base, m.msg_iov->iov_len,
		    flags, (const struct sockaddr *)&j->address, j->address_len) :
		    nke_send(j->machine, j->fd, m.msg_iov->iov_base, m.msg_iov->iov_len, flags);
	if (j->done != 0) {		/* the rest of a stream's octets */
		uint8_t *rest = j->buffer + j->done;

		return nke_send(j->machine, j->fd, rest, j->total - (size_t)j->done, flags);
	}
	return nke_sendmsg(j->machine, j->fd, &m, flags);
}

/* Makes the call; on either thread. */
static void
job_do(struct job *j)
{
	struct sockaddr *address = j->has_address ? (struct sockaddr *)&j->address : NULL;

	errno = 0;
	switch (j->kind) {
	case JOB_ACCEPT:
		j->result = nke_accept(j->machine, j->fd, (struct sockaddr *)&j->address, &j->address_len);
		break;
	case JOB_CONNECT:
		j->result = nke_connect(j->machine, j->fd, address, j->address_len);
		break;
	case JOB_RECEIVE:
		if (j->plain && j->message.msg_iovlen == 1)
			j->result = nke_recvfrom(j->machine, j->fd, j->message.msg_iov->iov_base,
			    j->message.msg_iov->iov_len, j->flags, address,
			    j->has_address ? &j->address_len : NULL);
		else
			j->result = nke_recvmsg(j->machine, j->fd, &j->message, j->flags);
		break;
	case JOB_SEND:
		j->result = send_some(j, j->flags);
		if (j->result >= 0)
			j->result += j->done;
		else if (j->done != 0)
			j->result = j->done;
		break;
	case JOB_POLL:
		j->result = nke_poll(j->machine, j->fds, j->fd_count, j->timeout_ms);
		break;
	case JOB_CLOSE:
		j->result = nke_close(j->machine, j->fd);
		break;
	}
	j->error = j->result < 0 ? errno : 0;
	if (j->error == ENOTCONN && j->linux_stream)
		j->error = EPIPE;
}

/* ---- the thread --------------------------------------------------------------------------------- */

static void *
call_for_script(void *arg)
{
	struct caller *c = arg;
	struct job *j;

	pthread_mutex_lock(&c->mutex);
	for (;;) {
		while (c->job == NULL && !c->quit)
			pthread_cond_wait(&c->wake, &c->mutex);
		if (c->job == NULL)
			break;
		j = c->job;
		pthread_mutex_unlock(&c->mutex);
		job_do(j);
		pthread_mutex_lock(&c->mutex);
		c->job = NULL;
		c->done = true;
	}
	pthread_mutex_unlock(&c->mutex);
	return NULL;
}

static struct caller *
caller_new(struct run *r)
{
	struct caller *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->wake, NULL);
	if (pthread_create(&c->thread, NULL, call_for_script, c) != 0) {
		pthread_cond_destroy(&c->wake);
		pthread_mutex_destroy(&c->mutex);
		free(c);
		return NULL;
	}
	r->caller = c;
	return c;
}

/* Until the call has returned (true) or sleeps in the machine. */
static bool
settle(struct run *r)
{
	struct caller *c = r->caller;
	unsigned spins = 0;
	bool done;

	for (;;) {
		/* In this order: it may have been woken and have returned in between, never the reverse. */
		bool sleeps = nke_waiting(r->machine) != 0;

		pthread_mutex_lock(&c->mutex);
		done = c->done;
		pthread_mutex_unlock(&c->mutex);
		if (done || sleeps)
			return done;
		if (++spins > SPINS)
			sched_yield();
	}
}

/* ---- its end ------------------------------------------------------------------------------------ */

static int
finish(struct run *r, struct job *j)
{
	const struct drill_event *event = r->event;
	int result;

	if (nke_panicked(r->machine)) {
		result = fail(r, DRILL_PANICKED, j->event->place, "the machine has panicked\n%s",
		    nke_panic_report(r->machine));
	} else {
		if (j->kind == JOB_SEND)
			errqueue_wrote(r, j->fd, j->result, j->zerocopy);
		if (j->uncork)
			set_nopush(r, j->fd, false);
		r->event = j->event;	/* messages are about that line */
		result = j->own_result ? 0 : check_result(r, j->event, j->result, j->error);
		if (result == 0 && j->finish != NULL)
			result = j->finish(r, j, j->event);
		r->event = event;
	}
	job_free(j);
	return result;
}

static int
check_end(struct run *r, const struct drill_event *event, int64_t end_us)
{
	int64_t now = now_us(r), off = now - end_us, allowed = tolerance(r, end_us - r->event_us);

	if (off <= allowed && -off <= allowed)
		return 0;
	return fail(r, DRILL_FAILED, event->place, "%s() has returned at %lld.%06lld instead of %lld.%06lld",
	    event->call->name, (long long)(now / 1000000), (long long)(now % 1000000),
	    (long long)(end_us / 1000000), (long long)(end_us % 1000000));
}

bool
call_waits(const struct run *r)
{
	return r->caller != NULL && r->caller->waits != NULL;
}

bool
send_waits(const struct run *r, int live)
{
	return call_waits(r) && r->caller->waits->kind == JOB_SEND && r->caller->waits->fd == live;
}

int
call_look(struct run *r)
{
	struct caller *c = r->caller;
	const struct drill_event *event;
	struct job *j;

	if (c == NULL || (j = c->waits) == NULL)
		return 0;
	event = j->event;
	if (settle(r)) {
		c->waits = NULL;
		c->done = false;
		if (finish(r, j) != 0)
			return -1;
		return check_end(r, event, c->end_us);
	}
	if (now_us(r) > c->end_us + tolerance(r, c->end_us - r->event_us) && !r->failed)
		return fail(r, DRILL_FAILED, event->place,
		    "%s() has not returned: it was to return at %lld.%06lld", event->call->name,
		    (long long)(c->end_us / 1000000), (long long)(c->end_us % 1000000));
	return 0;
}

/* ---- its beginning ------------------------------------------------------------------------------ */

static int64_t
end_of_call(const struct run *r)
{
	const struct drill_event *e = r->event;

	return e->time.kind == DRILL_TIME_RELATIVE ? r->event_us - e->time.us + e->call->end_us :
	    e->call->end_us;
}

int
call_finish(struct run *r)
{
	const struct drill_event *event;

	if (!call_waits(r))
		return 0;
	event = r->caller->waits->event;
	if (run_to(r, r->caller->end_us + tolerance(r, r->caller->end_us - r->event_us)) != 0)
		return -1;
	if (!call_waits(r))
		return 0;
	return fail(r, DRILL_FAILED, event->place, "%s() has not returned", event->call->name);
}

static int
start(struct run *r, struct job *j)
{
	bool blocks = r->event->call->blocks;
	struct caller *c;

	/* One at a time. */
	if (call_finish(r) != 0) {
		job_free(j);
		return -1;
	}
	c = r->caller != NULL ? r->caller : caller_new(r);
	if (c == NULL) {
		job_free(j);
		return fail(r, DRILL_BROKEN, r->event->place, "no thread for a call that waits");
	}
	pthread_mutex_lock(&c->mutex);
	c->job = j;
	c->done = false;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->mutex);
	c->waits = j;
	c->end_us = blocks ? end_of_call(r) : now_us(r);
	if (!settle(r))
		return blocks ? 0 : fail(r, DRILL_FAILED, r->event->place,
		    "%s() waits; if it is to, the script has to say how long", r->event->call->name);
	return call_look(r);
}

static bool
is_readable(const struct job *j)
{
	struct pollfd fd = {.fd = j->fd, .events = POLLIN};

	return nke_poll(j->machine, &fd, 1, 0) == 1;
}

/* After Linux's SHUT_RD what has come is read, and then there is the end. */
static bool
is_shut(struct run *r, const struct job *j)
{
	const struct script_fd *s = by_live_fd(r, j->fd);

	return j->kind == JOB_RECEIVE && s != NULL && s->read_shut && !is_readable(j);
}

/* Whether the call surely returns at once. */
static bool
returns_at_once(struct run *r, const struct job *j)
{
	const struct script_fd *s = by_live_fd(r, j->fd);

	switch (j->kind) {
	case JOB_POLL:
		return j->timeout_ms == 0;
	case JOB_CLOSE:
		return !j->lingers;
	case JOB_ACCEPT:
		return s == NULL || s->nonblocking || is_readable(j);
	case JOB_RECEIVE:
		return s == NULL || s->nonblocking || (j->flags & MSG_DONTWAIT) ||
		    (!(j->flags & MSG_WAITALL) && is_readable(j));
	case JOB_CONNECT:
		return s == NULL || s->nonblocking || s->type != SOCK_STREAM;
	case JOB_SEND:
		break;
	}
	return s == NULL || s->nonblocking || (j->flags & MSG_DONTWAIT) || s->type != SOCK_STREAM;
}

/* Most streams take all at once; what is left over has to wait. True: it is done. */
static bool
send_at_once(struct job *j)
{
	int flags = j->flags;

	j->flags |= MSG_DONTWAIT;
	job_do(j);
	j->flags = flags;
	if (j->result >= 0 && j->result < (int64_t)j->total) {
		j->done = j->result;
		return false;
	}
	return j->result >= 0 || (j->error != EAGAIN && j->error != EWOULDBLOCK && j->error != EINPROGRESS);
}

int
job_run(struct run *r, struct job *j)
{
	bool connected;

	if (is_shut(r, j)) {
		j->result = 0;
	} else if (j->full) {
		j->result = -1;
		j->error = EAGAIN;
	} else if (returns_at_once(r, j)) {
		job_do(j);
	} else {
		connected = j->kind == JOB_SEND && !j->has_address && j->message.msg_control == NULL;
		if (!connected || !send_at_once(j))
			return start(r, j);
	}
	if (finish(r, j) != 0)
		return -1;
	if (r->event->call->blocks)
		return check_end(r, r->event, end_of_call(r));
	return call_look(r);
}

void
caller_end(struct run *r)
{
	const struct linger at_once = {.l_onoff = 0};
	struct caller *c = r->caller;

	if (c == NULL)
		return;
	if (c->waits != NULL) {
		for (unsigned i = 0; i < SCRIPT_FDS; i++) {
			if (r->fds[i].kind != FD_SOCKET)
				continue;
			(void)nke_setsockopt(r->machine, r->fds[i].live, SOL_SOCKET, SO_LINGER, &at_once,
			    sizeof at_once);
			(void)nke_close(r->machine, r->fds[i].live);
			r->fds[i].kind = FD_FREE;
		}
		/* A poll() that waits for its time, a close() that lingers. */
		while (!settle(r) && nke_next_event(r->machine) != UINT64_MAX && !nke_panicked(r->machine))
			(void)nke_run_until(r->machine, nke_next_event(r->machine));
		if (!settle(r))
			(void)nke_hold_clock(r->machine, false);
	}
	pthread_mutex_lock(&c->mutex);
	c->quit = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->mutex);
	pthread_join(c->thread, NULL);
	job_free(c->waits);
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->mutex);
	free(c);
	r->caller = NULL;
}
