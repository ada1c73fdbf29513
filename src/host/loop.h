/* The loop's inside, for loop.c (devices, running) and loop_event.c (sockets). */
#ifndef NKE_HOST_LOOP_H
#define NKE_HOST_LOOP_H

#include <event2/event.h>
#include <pthread.h>
#include <sys/queue.h>

#include <nke/loop.h>

#include "src/host/port.h"

struct nke_loop {
	nke_t *machine;
	struct event_base *base;
	bool own_base;
	TAILQ_HEAD(, port) ports;
	TAILQ_HEAD(, nke_event) events;
	int wake[2];			/* written by nke_loop_stop */
	struct event *wake_event, *ready_event, *panic_event;
	bool running;
	int error;			/* why it ends */
	bool started;			/* `thread` is to be joined */
	pthread_t thread;
};

/* Something went wrong for good: nke_loop_run returns `error`. */
void loop_fail(struct nke_loop *, int error);

/* loop_event.c: sockets have become ready; all events go. */
void loop_events_ready(evutil_socket_t, short, void *loop);
void loop_events_free(struct nke_loop *);

#endif
