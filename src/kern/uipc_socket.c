/*
 * What a program or a kext asks of a socket: making it, naming it, connecting, listening, accepting,
 * ending. Sending and receiving are in uipc_send.c and uipc_receive.c, options in uipc_options.c.
 *
 * Called by the system calls (sockcalls.c) and kpi/kpi_socket.c; calls the protocol through its switch.
 * The caller holds a reference on the socket during every call: it may sleep, and socket filters may do
 * anything to the socket. The order of the tests is BSD's, so that a
 * call that is wrong in several ways gives the same error.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/kauth.h"
#include "src/kern/proc.h"
#include "src/kern/sched.h"
#include "src/kern/so_filter.h"
#include "src/kern/socket_private.h"

/* ---- making ------------------------------------------------------------------------------- */

errno_t
socreate(struct nke *m, int family, int type, int protocol, struct socket **out)
{
	struct pr_registration *p;
	struct socket *so;
	errno_t error = pr_lookup(m, family, type, protocol, &p);

	if (error != 0)
		return error;
	error = so_alloc(m, p, &so);
	if (error != 0)
		return error;
	so->so_protocol = protocol;
	so->so_uid = cred_uid(proc_current()->cred);
	if (so->so_uid == 0)
		so->so_state |= SS_PRIV;
	error = soreserve(so, p->proto->pr_sndspace, p->proto->pr_rcvspace);
	if (error == 0)
		error = p->proto->pr_usrreqs->pru_attach(so, protocol);
	if (error != 0) {
		so_release(so);
		return error;
	}
	so_attach_filters(so, NULL);
	*out = so;
	return 0;
}

errno_t
soconnect2(struct socket *a, struct socket *b)
{
	const struct pr_usrreqs *pru = a->so_proto->pr_usrreqs;

	return pru->pru_connect2 != NULL ? pru->pru_connect2(a, b) : EOPNOTSUPP;
}

/* ---- ending ------------------------------------------------------------------------------- */

/* Waits until the peer has everything, at most so_linger. */
static errno_t
linger(struct socket *so)
{
	uint64_t deadline = machine_now(sotomachine(so)) + (uint64_t)so->so_linger * NS_PER_SO_TICK;

	if ((so->so_state & SS_ISDISCONNECTING) && (so->so_state & SS_NBIO))
		return 0;
	while (so->so_state & SS_ISCONNECTED) {
		errno_t error = so_sleep(so, &so->so_state, deadline, "a connection to end");

		if (error != 0 && error != EBADF)
			return error == EWOULDBLOCK ? 0 : error;
	}
	return 0;
}

static errno_t
end_connection(struct socket *so)
{
	errno_t error = 0;

	if (!(so->so_state & SS_ISDISCONNECTING)) {
		error = sodisconnect(so);
		if (error == ENOTCONN || error == EOPNOTSUPP)
			error = 0;
	}
	if (error == 0 && (so->so_options & SO_LINGER) && so->so_linger > 0)
		error = linger(so);
	return error;
}

errno_t
soclose(struct socket *so)
{
	errno_t error = 0;

	if (so->so_retaincnt != 0) {
		(void)so_set_upcall(so, NULL, NULL);
		so->so_flags |= SOF_CLOSED;
		return 0;
	}
	so_filter_notify(so, sock_evt_closing, NULL);
	so_disown(so);
	if (so->so_flags & SOF_UPCALLCLOSEWAIT)
		so_upcall_wait(so);
	so_abort_queues(so);
	so->so_options &= ~(uint32_t)SO_ACCEPTCONN;
	if (so->so_pcb != NULL && (so->so_state & SS_ISCONNECTED))
		error = end_connection(so);
	so->so_state |= SS_NOFDREF;
	if (so->so_pcb != NULL)
		so->so_proto->pr_usrreqs->pru_detach(so);
	so_release(so);
	return error;
}

/* ---- names -------------------------------------------------------------------------------- */

errno_t
sobind(struct socket *so, const struct sockaddr *name)
{
	const struct pr_usrreqs *pru = so->so_proto->pr_usrreqs;
	errno_t error = 0;

	if (so->so_state & SS_DEFUNCT)
		return EINVAL;
	if (so_filtered(so))
		error = so_filter_ops(so)->bind(so, name);
	if (error != 0)
		return error == EJUSTRETURN ? 0 : error;
	return pru->pru_bind != NULL ? pru->pru_bind(so, name) : EOPNOTSUPP;
}

errno_t
sogetsockname(struct socket *so, struct sockaddr_storage *name)
{
	const struct pr_usrreqs *pru = so->so_proto->pr_usrreqs;

	return pru->pru_sockaddr != NULL ? pru->pru_sockaddr(so, name) : EOPNOTSUPP;
}

errno_t
sogetpeername(struct socket *so, struct sockaddr_storage *name)
{
	const struct pr_usrreqs *pru = so->so_proto->pr_usrreqs;

	if ((so->so_state & (SS_CANTRCVMORE | SS_CANTSENDMORE)) ==
	    (SS_CANTRCVMORE | SS_CANTSENDMORE))
		return EINVAL;
	if (!(so->so_state & SS_ISCONNECTED))
		return ENOTCONN;
	return pru->pru_peeraddr != NULL ? pru->pru_peeraddr(so, name) : EOPNOTSUPP;
}

/* ---- listening ---------------------------------------------------------------------------- */

static errno_t
make_queues(struct socket *so)
{
	if (so->so_queues != NULL)
		return 0;
	so->so_queues = kalloc(sotomachine(so), sizeof *so->so_queues);
	if (so->so_queues == NULL)
		return ENOBUFS;
	TAILQ_INIT(&so->so_queues->incomp);
	TAILQ_INIT(&so->so_queues->comp);
	return 0;
}

errno_t
solisten(struct socket *so, int backlog)
{
	const struct pr_usrreqs *pru = so->so_proto->pr_usrreqs;
	int most = sotomachine(so)->sockets->somaxconn;
	errno_t error = 0;

	if (!(so->so_proto->pr_flags & PR_CONNREQUIRED) || pru->pru_listen == NULL)
		return EOPNOTSUPP;
	if (so->so_state & (SS_ISCONNECTED | SS_ISCONNECTING | SS_ISDISCONNECTING | SS_DEFUNCT))
		return EINVAL;
	if ((so->so_state & (SS_CANTRCVMORE | SS_CANTSENDMORE)) ==
	    (SS_CANTRCVMORE | SS_CANTSENDMORE))
		return EINVAL;
	if (so->so_restrictions & SO_RESTRICT_DENYIN)
		return EPERM;
	if (so_filtered(so))
		error = so_filter_ops(so)->listen(so);
	if (error == 0)
		error = make_queues(so);
	if (error == 0)
		error = pru->pru_listen(so);
	if (error != 0)
		return error == EJUSTRETURN ? 0 : error;
	so->so_options |= SO_ACCEPTCONN;
	so->so_qlimit = (uint16_t)(backlog <= 0 || backlog > most ? most : backlog);
	return 0;
}

static errno_t
wait_for_connection(struct socket *head, int flags)
{
	while (TAILQ_EMPTY(&head->so_queues->comp)) {
		errno_t error;

		if (head->so_error != 0)
			return so_take_error(head);
		if (head->so_state & SS_CANTRCVMORE)
			return ECONNABORTED;
		if (so_nonblocking(head, flags))
			return EWOULDBLOCK;
		if (head->so_state & SS_DRAINING)
			return EBADF;
		head->so_rcv.sb_flags |= SB_WAIT;
		error = so_sleep(head, &head->so_rcv, 0, "a connection to accept");
		if (error != 0)
			return error;
	}
	return 0;
}

errno_t
soaccept(struct socket *head, int flags, struct sockaddr_storage *peer, struct socket **out)
{
	const struct pr_usrreqs *pru = head->so_proto->pr_usrreqs;
	struct socket *so;
	errno_t error;

	if (!(head->so_options & SO_ACCEPTCONN))
		return head->so_proto->pr_flags & PR_CONNREQUIRED ? EINVAL : EOPNOTSUPP;
	error = wait_for_connection(head, flags);
	if (error != 0)
		return error;
	so = TAILQ_FIRST(&head->so_queues->comp);
	TAILQ_REMOVE(&head->so_queues->comp, so, so_list);
	head->so_qlen--;
	so->so_head = NULL;
	so->so_state &= (uint16_t)~(SS_COMP | SS_NOFDREF);
	peer->ss_len = 0;
	error = pru->pru_accept != NULL ? pru->pru_accept(so, peer) : EOPNOTSUPP;
	if (error == 0 && so_filtered(so))
		error = so_filter_ops(so)->accept(head, so);
	if (error == EJUSTRETURN) {
		sodefunct(so);
		error = 0;
	}
	if (error != 0) {
		soclose(so);
		return error;
	}
	*out = so;
	return 0;
}

/* ---- connecting --------------------------------------------------------------------------- */

/* Filters see a copy of the address that they may change, and so does the protocol then. */
static __attribute__((noinline)) errno_t
connect_filtered(struct socket *so, const struct sockaddr *to)
{
	const struct pr_usrreqs *pru = so->so_proto->pr_usrreqs;
	union {
		struct sockaddr sa;
		char bytes[SOCK_MAXADDRLEN + 1];
	} name;
	errno_t error;

	memset(&name, 0, sizeof name);
	memcpy(&name, to, to->sa_len);
	error = so_filter_ops(so)->connect_out(so, &name.sa);
	if (error != 0)
		return error == EJUSTRETURN ? 0 : error;
	memset(name.bytes + to->sa_len, 0, sizeof name - to->sa_len);
	return pru->pru_connect != NULL ? pru->pru_connect(so, &name.sa) : EOPNOTSUPP;
}

static errno_t
begin_connect(struct socket *so, const struct sockaddr *to)
{
	const struct pr_usrreqs *pru = so->so_proto->pr_usrreqs;
	errno_t error;

	if (so->so_options & SO_ACCEPTCONN)
		return EOPNOTSUPP;
	if (so->so_state & SS_DEFUNCT)
		return EOPNOTSUPP;
	if (so->so_restrictions & SO_RESTRICT_DENYOUT)
		return EPERM;
	/* Without connections, a new peer takes the place of the old one. */
	if (so->so_state & (SS_ISCONNECTED | SS_ISCONNECTING)) {
		if (so->so_proto->pr_flags & PR_CONNREQUIRED)
			return EISCONN;
		error = sodisconnect(so);
		if (error != 0)
			return EISCONN;
	}
	/* What an earlier attempt left says nothing about this one. */
	so->so_error = 0;
	if (so_filtered(so))
		return connect_filtered(so, to);
	return pru->pru_connect != NULL ? pru->pru_connect(so, to) : EOPNOTSUPP;
}

errno_t
soconnectwait(struct socket *so, uint64_t deadline)
{
	errno_t error;

	while ((so->so_state & SS_ISCONNECTING) && so->so_error == 0) {
		error = so_sleep(so, &so->so_state, deadline, "a connection to be made");
		if (error != 0)
			return error;
	}
	so->so_state &= (uint16_t)~SS_ISCONNECTING;
	return so_take_error(so);
}

errno_t
soconnect(struct socket *so, const struct sockaddr *to, int flags)
{
	errno_t error;

	if (so_nonblocking(so, flags) && (so->so_state & SS_ISCONNECTING))
		return EALREADY;
	error = begin_connect(so, to);
	if (error != 0) {
		if (error != EISCONN)
			so->so_state &= (uint16_t)~SS_ISCONNECTING;
		return error;
	}
	if (so_nonblocking(so, flags) && (so->so_state & SS_ISCONNECTING))
		return EINPROGRESS;
	return soconnectwait(so, 0);
}

errno_t
sodisconnect(struct socket *so)
{
	const struct pr_usrreqs *pru = so->so_proto->pr_usrreqs;
	errno_t error;

	if (!(so->so_state & SS_ISCONNECTED))
		return ENOTCONN;
	if (so->so_state & SS_ISDISCONNECTING)
		return EALREADY;
	error = pru->pru_disconnect != NULL ? pru->pru_disconnect(so) : EOPNOTSUPP;
	/* Interface fact: what the protocol says itself, at once or later, is said as well. */
	if (error == 0)
		so_filter_notify(so, sock_evt_disconnected, NULL);
	return error;
}

void
sodefunct(struct socket *so)
{
	so->so_state |= SS_DEFUNCT;
	(void)sodisconnect(so);
	if (!(so->so_state & SS_CANTSENDMORE))
		socantsendmore(so);
	if (!(so->so_state & SS_CANTRCVMORE))
		sorflush(so);
}

errno_t
soshutdown(struct socket *so, int how)
{
	const struct pr_usrreqs *pru = so->so_proto->pr_usrreqs;

	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		return EINVAL;
	if (!(so->so_state & (SS_ISCONNECTED | SS_ISCONNECTING | SS_ISDISCONNECTING)))
		return ENOTCONN;
	so_filter_notify(so, sock_evt_shutdown, &how);
	if (how != SHUT_WR) {
		if (so->so_state & SS_CANTRCVMORE)
			return ENOTCONN;
		sorflush(so);
	}
	if (how != SHUT_RD) {
		if (so->so_state & SS_CANTSENDMORE)
			return ENOTCONN;
		return pru->pru_shutdown != NULL ? pru->pru_shutdown(so) : EOPNOTSUPP;
	}
	return 0;
}

/* ---- the subsystem ------------------------------------------------------------------------ */

static errno_t
socket_init(struct nke *m)
{
	struct socket_state *s = kalloc(m, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	zone_init(&s->zone, m, "socket", sizeof(struct socket));
	TAILQ_INIT(&s->sockets);
	TAILQ_INIT(&s->domains);
	s->maxsockbuf = SB_MAX_DEFAULT;
	s->somaxconn = SOMAXCONN_DEFAULT;
	s->maxsockets = MAXSOCKETS_DEFAULT;
	s->sockbuf_waste = SOCKBUF_WASTE_DEFAULT;
	m->sockets = s;
	so_kext_init(m);
	return socket_sysctl_init(m);
}

/*
 * What is left are sockets of protocols that went down before they were done with them, and the records
 * of domains: zone and heap take all of it back.
 */
static void
socket_fini(struct nke *m)
{
	zone_fini(&m->sockets->zone);
	kfree(m, m->sockets);
	m->sockets = NULL;
}

extern const struct subsystem socket_subsystem;
const struct subsystem socket_subsystem = {
	.name = "socket", .init = socket_init, .fini = socket_fini,
};
