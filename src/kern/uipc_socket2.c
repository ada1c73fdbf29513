/*
 * The life and the state of sockets, and who is woken when it changes. Called by protocols (soisconnected
 * and its like, sonewconn, sorwakeup) and by the requests in uipc_socket.c.
 *
 * A socket is freed with its last reference. One belongs to whoever made it or accepted it and ends in
 * soclose(); one to the listener's queue while a connection waits there, which soaccept() hands on; calls
 * that may sleep hold one meanwhile.
 */
#include "src/kern/heap.h"
#include "src/kern/panic.h"
#include "src/kern/proc.h"
#include "src/kern/sched.h"
#include "src/kern/so_filter.h"
#include "src/kern/socket_private.h"

/* ---- life --------------------------------------------------------------------------------- */

errno_t
so_alloc(struct nke *m, struct pr_registration *p, struct socket **out)
{
	struct socket_state *s = m->sockets;
	struct socket *so;

	if (s->count >= s->maxsockets)
		return ENOBUFS;
	so = zone_alloc(&s->zone);
	if (so == NULL)
		return ENOBUFS;
	so->so_machine = m;
	so->so_usecount = 1;
	so->so_type = (uint8_t)p->proto->pr_type;
	so->so_proto = p->proto;
	so->so_family = (sa_family_t)p->domain->dom_family;
	so->so_registration = p;
	p->sockets++;
	so->so_snd.sb_flags = SB_SND;
	so->so_rcv.sb_lowat = 1;
	if (so_atomic(so) && p->domain->dom_family != PF_LOCAL)
		so->so_headroom = SO_MESSAGE_HEADROOM;
	so->so_last_pid = proc_current()->pid;
	so->so_generation = ++s->generation;
	s->count++;
	TAILQ_INSERT_TAIL(&s->sockets, so, so_link);
	*out = so;
	return 0;
}

static void
so_free(struct socket *so)
{
	struct nke *m = sotomachine(so);

	KASSERTX(so->so_pcb == NULL, "socket %u is freed while its protocol has a control block for it",
	    so->so_generation);
	KASSERTX(so->so_watchers == NULL, "socket %u is freed while somebody is to be told of it",
	    so->so_generation);
	/* What gives up rights may run other code: nobody must find the socket any more. */
	TAILQ_REMOVE(&m->sockets->sockets, so, so_link);
	m->sockets->count--;
	sbflush(&so->so_rcv);
	sbflush(&so->so_snd);
	so->so_registration->sockets--;
	so_free_kext(so);
	kfree(m, so->so_queues);
	zone_free(&m->sockets->zone, so);
}

/* Filters go while the socket is still there to be looked at. */
static __attribute__((noinline)) void
end_filters(struct socket *so)
{
	so->so_flags |= SOF_ENDING;
	so_filter_notify(so, sock_evt_flush_read, NULL);
	so_filter_ops(so)->ending(so);
}

void
so_retain(struct socket *so)
{
	so->so_usecount++;
}

void
so_release(struct socket *so)
{
	KASSERTX(so->so_usecount != 0, "socket %u is released more often than it was retained",
	    so->so_generation);
	if (so_filtered(so) && so->so_usecount == 1)
		end_filters(so);
	if (--so->so_usecount == 0)
		so_free(so);
}

void
so_attach_filters(struct socket *so, const struct socket *locked)
{
	if (!TAILQ_EMPTY(&so->so_registration->filters))
		so_filter_ops(so)->created(so, locked);
}

/* ---- sleeping ----------------------------------------------------------------------------- */

errno_t
so_sleep(struct socket *so, const void *event, uint64_t deadline, const char *what)
{
	switch (sched_block(event, deadline, false, what)) {
	case THREAD_TIMED_OUT:
		return EWOULDBLOCK;
	case THREAD_RESTART:
		return EDEADLK;
	default:
		return so->so_state & SS_DRAINING ? EBADF : 0;
	}
}

errno_t
sbwait(struct sockbuf *sb)
{
	struct socket *so = sb_socket(sb);
	uint64_t deadline = 0;

	if (so->so_state & SS_DRAINING)
		return EBADF;
	if (sb->sb_timeo != 0)
		deadline = machine_now(sotomachine(so)) + sb->sb_timeo;
	sb->sb_flags |= SB_WAIT;
	return so_sleep(so, sb, deadline, sb == &so->so_rcv ? "data at a socket" :
	    "space in a socket");
}

errno_t
sblock(struct sockbuf *sb, bool wait)
{
	while (sb->sb_flags & SB_LOCK) {
		errno_t error;

		if (!wait)
			return EWOULDBLOCK;
		sb->sb_flags |= SB_WANT;
		error = so_sleep(sb_socket(sb), &sb->sb_flags, 0, "another call on the same socket");
		if (error != 0)
			return error;
	}
	sb->sb_flags |= SB_LOCK;
	return 0;
}

void
sbunlock(struct sockbuf *sb)
{
	bool wanted = sb->sb_flags & SB_WANT;

	sb->sb_flags &= (uint16_t)~(SB_LOCK | SB_WANT);
	if (wanted)
		sched_wakeup(&sb->sb_flags, false, THREAD_AWAKENED);
}

/* ---- waking ------------------------------------------------------------------------------- */

static __attribute__((noinline)) void
wake(struct socket *so, struct sockbuf *sb)
{
	uint16_t flags = sb->sb_flags;

	so_retain(so);
	sb->sb_flags &= (uint16_t)~SB_WAIT;
	if (flags & SB_WAIT)
		sched_wakeup(sb, false, THREAD_AWAKENED);
	if (flags & SB_NOTIFY)
		so_tell(so);
	if (flags & SB_UPCALL)
		so_upcall(so);
	so_release(so);
}

void
sorwakeup(struct socket *so)
{
	if (so->so_rcv.sb_flags & (SB_WAIT | SB_NOTIFY | SB_UPCALL))
		wake(so, &so->so_rcv);
}

void
sowwakeup(struct socket *so)
{
	if (so->so_snd.sb_flags & (SB_WAIT | SB_NOTIFY | SB_UPCALL))
		wake(so, &so->so_snd);
}

/* Those who wait for a connection to be made, or for its end, and everybody else. */
static void
state_changed(struct socket *so)
{
	so_retain(so);
	sched_wakeup(&so->so_state, false, THREAD_AWAKENED);
	sowwakeup(so);
	sorwakeup(so);
	so_release(so);
}

void
so_drain(struct socket *so)
{
	so->so_state |= SS_DRAINING;
	sched_wakeup(&so->so_state, false, THREAD_AWAKENED);
	sched_wakeup(&so->so_rcv.sb_flags, false, THREAD_AWAKENED);
	sched_wakeup(&so->so_snd.sb_flags, false, THREAD_AWAKENED);
	sowwakeup(so);
	sorwakeup(so);
}

/* ---- states ------------------------------------------------------------------------------- */

#define SS_PHASES	(SS_ISCONNECTED | SS_ISCONNECTING | SS_ISDISCONNECTING)

static inline void
set_state(struct socket *so, uint16_t clear, uint16_t set)
{
	so->so_state = (uint16_t)((so->so_state & ~clear) | set);
}

void
soisconnecting(struct socket *so)
{
	set_state(so, SS_ISCONNECTED | SS_ISDISCONNECTING, SS_ISCONNECTING);
	so_filter_notify(so, sock_evt_connecting, NULL);
}

void
soisconnected(struct socket *so)
{
	struct socket *head;

	set_state(so, SS_ISCONNECTING | SS_ISDISCONNECTING, SS_ISCONNECTED);
	so_filter_notify(so, sock_evt_connected, NULL);
	/* The listener may be gone by now. */
	head = so->so_head;
	if (head == NULL || !(so->so_state & SS_INCOMP)) {
		state_changed(so);
		return;
	}
	TAILQ_REMOVE(&head->so_queues->incomp, so, so_list);
	head->so_incqlen--;
	set_state(so, SS_INCOMP, SS_COMP);
	TAILQ_INSERT_TAIL(&head->so_queues->comp, so, so_list);
	head->so_qlen++;
	sorwakeup(head);
}

void
soisdisconnecting(struct socket *so)
{
	set_state(so, SS_ISCONNECTING, SS_ISDISCONNECTING | SS_CANTRCVMORE | SS_CANTSENDMORE);
	so_filter_notify(so, sock_evt_disconnecting, NULL);
	state_changed(so);
}

void
soisdisconnected(struct socket *so)
{
	set_state(so, SS_PHASES, SS_CANTRCVMORE | SS_CANTSENDMORE | SS_ISDISCONNECTED);
	so_filter_notify(so, sock_evt_disconnected, NULL);
	sbflush(&so->so_snd);
	state_changed(so);
}

void
socantsendmore(struct socket *so)
{
	so->so_state |= SS_CANTSENDMORE;
	so_filter_notify(so, sock_evt_cantsendmore, NULL);
	sowwakeup(so);
}

void
socantrcvmore(struct socket *so)
{
	so->so_state |= SS_CANTRCVMORE;
	so_filter_notify(so, sock_evt_cantrecvmore, NULL);
	sorwakeup(so);
}

void
so_seterror(struct socket *so, errno_t error)
{
	so->so_error = error;
	state_changed(so);
}

void
sorflush(struct socket *so)
{
	so_retain(so);
	so_filter_notify(so, sock_evt_flush_read, NULL);
	socantrcvmore(so);
	sbflush(&so->so_rcv);
	so->so_oobmark = 0;
	if ((so->so_proto->pr_flags & PR_WANTRCVD) && so->so_pcb != NULL)
		so->so_proto->pr_usrreqs->pru_rcvd(so, 0);
	so_release(so);
}

/* ---- connections that wait at a listener --------------------------------------------------- */

/* Off its listener's queue; the queue's reference is the caller's now. */
static void
leave_queue(struct socket *so)
{
	struct socket *head = so->so_head;

	KASSERTX(head != NULL, "a socket waits at no listener");
	if (so->so_state & SS_INCOMP) {
		TAILQ_REMOVE(&head->so_queues->incomp, so, so_list);
		head->so_incqlen--;
	} else {
		TAILQ_REMOVE(&head->so_queues->comp, so, so_list);
		head->so_qlen--;
	}
	set_state(so, SS_INCOMP | SS_COMP, 0);
	so->so_head = NULL;
}

static errno_t
inherit(struct socket *so, const struct socket *head)
{
	struct kext *owner = head->so_kext != NULL ? head->so_kext->owner : NULL;

	so->so_options = head->so_options & ~(uint32_t)SO_ACCEPTCONN;
	so->so_protocol = head->so_protocol;
	so->so_linger = head->so_linger;
	so->so_flags = head->so_flags & ~(uint32_t)SOF_CLOSED;
	so->so_uid = head->so_uid;
	so->so_last_pid = head->so_last_pid;
	so->so_pgid = head->so_pgid;
	so->so_traffic_class = head->so_traffic_class;
	so->so_state = (head->so_state & (SS_NBIO | SS_PRIV)) | SS_NOFDREF;
	so->so_rcv.sb_timeo = head->so_rcv.sb_timeo;
	so->so_snd.sb_timeo = head->so_snd.sb_timeo;
	so->so_rcv.sb_lowat = head->so_rcv.sb_lowat;
	so->so_snd.sb_lowat = head->so_snd.sb_lowat;
	so->so_rcv.sb_flags |= head->so_rcv.sb_flags & (SB_AUTOSIZE | SB_USRSIZE);
	so->so_snd.sb_flags |= head->so_snd.sb_flags & (SB_AUTOSIZE | SB_USRSIZE);
	if (owner == NULL)
		return 0;
	if (so_get_kext(so) == NULL)
		return ENOMEM;
	so->so_kext->owner = owner;
	return 0;
}

/* False: whoever was told of the new connection has closed its listener, and so the connection is gone. */
static bool
filters_let_be(struct socket *head, struct socket *so)
{
	bool listens;

	so_retain(head);
	so_attach_filters(so, head);
	listens = (head->so_options & SO_ACCEPTCONN) && head->so_pcb != NULL && so->so_pcb != NULL;
	so_release(head);
	if (listens)
		return true;
	if (so->so_pcb != NULL)
		so->so_proto->pr_usrreqs->pru_abort(so);
	so_release(so);
	return false;
}

struct socket *
sonewconn(struct socket *head, uint16_t state)
{
	struct nke *m = sotomachine(head);
	struct socket *so;

	if (head->so_qlen + head->so_incqlen >= head->so_qlimit)
		return NULL;
	if (so_alloc(m, head->so_registration, &so) != 0)
		return NULL;
	if (inherit(so, head) != 0 || soreserve(so, head->so_snd.sb_hiwat, head->so_rcv.sb_hiwat) != 0 ||
	    so->so_proto->pr_usrreqs->pru_attach(so, so->so_protocol) != 0) {
		so_release(so);
		return NULL;
	}
	if (!TAILQ_EMPTY(&so->so_registration->filters) && !filters_let_be(head, so))
		return NULL;
	so->so_head = head;
	so->so_state |= SS_INCOMP;
	TAILQ_INSERT_TAIL(&head->so_queues->incomp, so, so_list);
	head->so_incqlen++;
	if (state & SS_ISCONNECTED)
		soisconnected(so);
	else
		so->so_state |= state;
	return so;
}

void
sodetached(struct socket *so)
{
	if (!(so->so_state & SS_INCOMP))
		return;
	leave_queue(so);
	so_release(so);
}

static void
abort_connection(struct socket *so)
{
	leave_queue(so);
	if (so->so_pcb != NULL)
		so->so_proto->pr_usrreqs->pru_abort(so);
	so_release(so);
}

void
so_abort_queues(struct socket *head)
{
	struct socket *so;

	if (head->so_queues == NULL)
		return;
	while ((so = TAILQ_FIRST(&head->so_queues->incomp)) != NULL)
		abort_connection(so);
	while ((so = TAILQ_FIRST(&head->so_queues->comp)) != NULL)
		abort_connection(so);
}
