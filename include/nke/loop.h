/*
 * A machine in real time on an event loop (libevent's): frames of its TAPs and devices are taken as
 * they come, and programs hear when their sockets are ready.
 *
 * Timers of a machine in real time need no loop: the machine keeps its own clock. So a loop may stop
 * and go on, and blocking calls of other threads work whether it runs or not, as long as what they wait
 * for does not come from a device.
 *
 * Unless a function says otherwise, it is to be called by the loop's own thread, or while the loop does
 * not run.
 */
#ifndef NKE_LOOP_H
#define NKE_LOOP_H

#include <nke/device.h>
#include <nke/tap.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct event_base;			/* libevent's */

typedef struct nke_loop nke_loop_t;
typedef struct nke_event nke_event_t;

/*
 * A loop for a machine in real time. `base` NULL: has a libevent base of its own; else it joins that one,
 * which the caller runs in whatever way they like (nke_loop_run is one), and keeps.
 *
 * One loop per machine: it takes what nke_next_ready tells. EINVAL: the machine is in virtual time.
 * ENOMEM, EMFILE.
 */
int nke_loop_create(nke_t *m, struct event_base *base, nke_loop_t **l);
/* Not while it runs. Devices stay open, events are freed. NULL is ignored. */
void nke_loop_destroy(nke_loop_t *l);

/* From now on the loop takes its frames. EBUSY: a loop does so already. EINVAL: another machine's. ENOMEM. */
int nke_loop_add_tap(nke_loop_t *l, nke_tap_t *t);
int nke_loop_add_device(nke_loop_t *l, nke_device_t *d);

/*
 * Runs until nke_loop_stop: 0. EFAULT: the machine has panicked (seen within a fifth of a second when that
 * was a timer's doing). Something else: a device has gone; nke_error_text tells which.
 */
int nke_loop_run(nke_loop_t *l);
/*
 * Ends nke_loop_run, now or the next one as soon as it begins. From any thread, and from signal handlers.
 */
void nke_loop_stop(nke_loop_t *l);
/*
 * Runs on a thread of its own, without the process's signals, until nke_loop_stop. EBUSY: it does.
 * EAGAIN, ENOMEM.
 */
int nke_loop_start(nke_loop_t *l);
/* Stops it and waits: what nke_loop_run returned. EINVAL: not started. From any other thread. */
int nke_loop_join(nke_loop_t *l);

/* libevent's base, for events of one's own. */
struct event_base *nke_loop_base(nke_loop_t *l);

/* ---- sockets of the machine --------------------------------------------------------------- */

#define NKE_EVENT_EDGE	0x4000		/* only when it becomes ready: read, write until EWOULDBLOCK */

/* `what`: POLLIN, POLLOUT, POLLERR, POLLHUP. May do anything, also free the event or close the socket. */
typedef void nke_event_fn(nke_event_t *e, int s, short what, void *arg);

/*
 * Calls fn on the loop's thread whenever socket `s` of its machine is ready for `what` (POLLIN, POLLOUT and
 * NKE_EVENT_EDGE), until it is freed or the socket is closed.
 *
 * EBADF: no such socket. EEXIST: it has an event. EINVAL: nothing to wait for. ENOMEM, EFAULT.
 */
int nke_event_new(nke_loop_t *l, int s, short what, nke_event_fn *fn, void *arg, nke_event_t **e);
/* Waits for something else from now on; 0: for nothing. EBADF, EFAULT. */
int nke_event_change(nke_event_t *e, short what);
/* NULL is ignored. */
void nke_event_free(nke_event_t *e);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
