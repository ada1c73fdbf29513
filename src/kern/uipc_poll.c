/*
 * Readiness: what may be done with a socket without waiting, and who is told when that changes.
 *
 * A watcher is told at every wakeup of its socket: an event loop notes it and asks again when its turn comes;
 * so_poll() is a watcher per socket and a thread that sleeps. Sockets nobody watches pay one branch
 * (SB_NOTIFY). Watchers are a list per socket, owned by whoever watches.
 */
#include "src/kern/heap.h"
#include "src/kern/sched.h"
#include "src/kern/socket_private.h"

/* So many sockets are polled without allocating. */
#define POLL_INLINE	16u

/* Some protocols want a writer only when little is left to be sent. */
static inline bool
wants_more(const struct socket *so)
{
	const struct pr_usrreqs *pru = so->so_proto->pr_usrreqs;

	return pru->pru_writable == NULL || pru->pru_writable(so);
}

unsigned
soready(const struct socket *so)
{
	unsigned ready = 0;
	bool cantsend = so->so_state & SS_CANTSENDMORE;
	bool connected = (so->so_state & SS_ISCONNECTED) ||
	    !(so->so_proto->pr_flags & PR_CONNREQUIRED);

	if (soreadable(so))
		ready |= SO_READABLE;
	if (cantsend || so->so_error != 0 ||
	    (connected && sbspace(&so->so_snd) >= so->so_snd.sb_lowat && wants_more(so)))
		ready |= SO_WRITABLE;
	if (so->so_error != 0)
		ready |= SO_HASERROR;
	if (so->so_oobmark != 0 || (so->so_state & SS_RCVATMARK))
		ready |= SO_URGENT;
	if ((cantsend && (so->so_state & SS_CANTRCVMORE)) || (so->so_state & SS_DRAINING))
		ready |= SO_HANGUP;
	return ready;
}

/* ---- watchers ----------------------------------------------------------------------------- */

void
so_watch(struct socket *so, struct so_watcher *w, void (*fn)(struct so_watcher *, unsigned))
{
	w->so = so;
	w->fn = fn;
	w->next = so->so_watchers;
	so->so_watchers = w;
	so->so_rcv.sb_flags |= SB_NOTIFY;
	so->so_snd.sb_flags |= SB_NOTIFY;
}

void
so_unwatch(struct so_watcher *w)
{
	struct socket *so = w->so;
	struct so_watcher **link = &so->so_watchers;

	while (*link != NULL && *link != w)
		link = &(*link)->next;
	if (*link != NULL)
		*link = w->next;
	if (so->so_watchers == NULL) {
		so->so_rcv.sb_flags &= (uint16_t)~SB_NOTIFY;
		so->so_snd.sb_flags &= (uint16_t)~SB_NOTIFY;
	}
}

void
so_tell(struct socket *so)
{
	unsigned ready = soready(so);
	struct so_watcher *w, *next;

	for (w = so->so_watchers; w != NULL; w = next) {
		next = w->next;
		w->fn(w, ready);
	}
}

/* ---- many at once ------------------------------------------------------------------------- */

struct polled {
	struct so_watcher watcher;
	struct poll *poll;
	struct socket *so;		/* referenced; NULL: nothing to watch */
};

struct poll {
	bool told;
	bool waiting;
};

static void
told(struct so_watcher *w, unsigned ready)
{
	struct poll *p = CONTAINER_OF(w, struct polled, watcher)->poll;

	(void)ready;
	p->told = true;
	if (p->waiting)
		sched_wakeup(p, false, THREAD_AWAKENED);
}

static unsigned
scan(struct so_pollfd *fds, unsigned count)
{
	unsigned found = 0;

	for (unsigned i = 0; i < count; i++) {
		fds[i].ready = 0;
		if (fds[i].so == NULL)
			continue;
		fds[i].ready = soready(fds[i].so) & (fds[i].want | SO_HASERROR | SO_HANGUP);
		found += fds[i].ready != 0;
	}
	return found;
}

/* Until something is ready, or it is too late. */
static errno_t
wait_until_ready(struct poll *p, struct so_pollfd *fds, unsigned count, uint64_t deadline,
    unsigned *found)
{
	for (;;) {
		wait_result_t result = THREAD_AWAKENED;

		p->told = false;
		*found = scan(fds, count);
		if (*found != 0)
			return 0;
		p->waiting = true;
		while (!p->told && result == THREAD_AWAKENED)
			result = sched_block(p, deadline == UINT64_MAX ? 0 : deadline, false,
			    "a socket to become ready");
		p->waiting = false;
		if (p->told)
			continue;
		return result == THREAD_RESTART ? EDEADLK : 0;
	}
}

errno_t
so_poll(struct nke *m, struct so_pollfd *fds, unsigned count, uint64_t deadline, unsigned *found)
{
	struct polled few[POLL_INLINE], *all = few;
	struct poll p = {false, false};
	errno_t error;

	*found = scan(fds, count);
	if (*found != 0 || deadline == 0 ||
	    (deadline != UINT64_MAX && deadline <= machine_now(m)))
		return 0;
	if (count > POLL_INLINE) {
		all = kalloc(m, count * sizeof *all);
		if (all == NULL)
			return ENOMEM;
	}
	for (unsigned i = 0; i < count; i++) {
		all[i] = (struct polled){.poll = &p, .so = fds[i].so};
		if (all[i].so != NULL) {
			so_retain(all[i].so);
			so_watch(all[i].so, &all[i].watcher, told);
		}
	}
	error = wait_until_ready(&p, fds, count, deadline, found);
	for (unsigned i = 0; i < count; i++) {
		if (all[i].so != NULL) {
			so_unwatch(&all[i].watcher);
			so_release(all[i].so);
		}
	}
	if (all != few)
		kfree(m, all);
	return error;
}
