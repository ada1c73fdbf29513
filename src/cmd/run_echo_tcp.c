/* `nke run --echo`: what comes by a TCP connection goes back by it until its end (RFC 862), both families. */
#include <errno.h>
#include <nke/socket.h>
#include <stdlib.h>
#include <string.h>

#include "src/cmd/run.h"

#define BACKLOG		128
/* Rounds before the others get their turn. */
#define ROUNDS		8

/* A connection, linked in struct run. */
struct run_stream {
	struct run_stream *next, **prev;
	struct run *r;
	nke_event_t *event;
	int s;
	short what;			/* it waits for: POLLIN or POLLOUT */
	size_t begin, end;		/* of what has not been sent back yet */
	uint8_t data[65536];
};

static void
free_stream(struct run_stream *st)
{
	*st->prev = st->next;
	if (st->next != NULL)
		st->next->prev = st->prev;
	nke_event_free(st->event);
	(void)nke_close(st->r->machine, st->s);
	free(st);
}

/* False: it is over. */
static bool
wait_for(struct run_stream *st, short what)
{
	if (errno != EWOULDBLOCK)
		return false;
	if (st->what == what)
		return true;
	st->what = what;
	return nke_event_change(st->event, what) == 0;
}

/* False: it is over. */
static bool
echo_some(struct run_stream *st)
{
	ssize_t n;

	for (int round = 0; round < ROUNDS; round++) {
		while (st->begin != st->end) {
			n = nke_send(st->r->machine, st->s, st->data + st->begin, st->end - st->begin, 0);
			if (n < 0)
				return wait_for(st, POLLOUT);
			st->begin += (size_t)n;
			st->r->echoed_bytes += (uint64_t)n;
		}
		n = nke_recv(st->r->machine, st->s, st->data, sizeof st->data, 0);
		if (n < 0)
			return wait_for(st, POLLIN);
		if (n == 0)
			return false;
		st->begin = 0;
		st->end = (size_t)n;
	}
	return true;
}

static void
stream_ready(nke_event_t *e, int s, short what, void *arg)
{
	(void)e;
	(void)s;
	(void)what;
	if (!echo_some(arg))
		free_stream(arg);
}

/* A connection that cannot be served is closed. */
static void
new_stream(struct run *r, int s)
{
	struct run_stream *st = malloc(sizeof *st);

	if (st == NULL || nke_event_new(r->loop, s, POLLIN, stream_ready, st, &st->event) != 0) {
		(void)nke_close(r->machine, s);
		free(st);
		return;
	}
	st->r = r;
	st->s = s;
	st->what = POLLIN;
	st->begin = st->end = 0;
	st->next = r->streams;
	st->prev = &r->streams;
	if (st->next != NULL)
		st->next->prev = &st->next;
	r->streams = st;
	r->echoed_streams++;
}

static void
listener_ready(nke_event_t *e, int l, short what, void *arg)
{
	struct run *r = arg;
	int s;

	(void)e;
	(void)what;
	while ((s = nke_accept(r->machine, l, NULL, NULL)) >= 0)
		new_stream(r, s);
}

static int
open_listener(struct run *r, int family, int *s)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)r->echo_port)};
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)r->echo_port)};
	int on = 1, error;

	*s = nke_socket(r->machine, family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (*s < 0)
		return -1;
	if (family == AF_INET) {
		error = nke_bind(r->machine, *s, (struct sockaddr *)&sin, sizeof sin);
	} else {
		error = nke_setsockopt(r->machine, *s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
		if (error == 0)
			error = nke_bind(r->machine, *s, (struct sockaddr *)&sin6, sizeof sin6);
	}
	return error != 0 ? error : nke_listen(r->machine, *s, BACKLOG);
}

int
run_echo_tcp_start(struct run *r)
{
	const int families[2] = {AF_INET, AF_INET6};

	for (unsigned i = 0; i < 2; i++) {
		if (open_listener(r, families[i], &r->listeners[i]) != 0 ||
		    nke_event_new(r->loop, r->listeners[i], POLLIN, listener_ready, r,
		    &r->listener_events[i]) != 0) {
			cmd_error("run", "--echo %u: TCP: %s", r->echo_port, strerror(errno));
			return CMD_INPUT;
		}
	}
	return CMD_OK;
}

void
run_echo_tcp_stop(struct run *r)
{
	for (struct run_stream *st = r->streams, *next; st != NULL; st = next) {
		next = st->next;
		free_stream(st);
	}
	for (unsigned i = 0; i < 2; i++) {
		if (r->listener_events[i] == NULL)
			continue;
		nke_event_free(r->listener_events[i]);
		(void)nke_close(r->machine, r->listeners[i]);
	}
}
