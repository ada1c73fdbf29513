/*
 * Readiness: what may be done with a socket without waiting, and who is told when that changes.
 *
 * A watcher is told at every wakeup of its socket: an event loop notes it and asks again when its turn comes;
 * a poll (poll.c) is a watcher per socket and a thread that sleeps. Sockets nobody watches pay one branch
 * (SB_NOTIFY). Watchers are a list per socket, owned by whoever watches.
 */
#include "src/kern/socket_private.h"

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
