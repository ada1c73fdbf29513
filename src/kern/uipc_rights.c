/*
 * Descriptors that are passed in messages of local sockets (SCM_RIGHTS): those of sockets; open devices are
 * not passed (EOPNOTSUPP).
 *
 * While a message is under way its control mbuf holds pointers to sockets in place of numbers; each counts in
 * so_fdcount and so_inflight. Receiving makes new numbers of them (unp_externalize), throwing the message
 * away closes them (unp_dispose).
 *
 * A socket can be passed into its own receive buffer, or two into each other's. When their last numbers are
 * closed, nobody can ever receive them: the collector marks what can be reached, from sockets that somebody
 * has a number of, through the messages in receive buffers and the connections that wait at listeners, and
 * throws away the messages of the rest. It runs as a soft interrupt whenever a socket is left with nothing
 * but messages. Neither it nor unp_dispose recurses, however deep messages are nested.
 */
#include <string.h>

#include "src/kern/filedesc.h"
#include "src/kern/panic.h"
#include "src/kern/uipc_local.h"

/* Sockets that one message can carry: as many pointers as a cluster holds. */
#define RIGHTS_MOST	((MCLBYTES - CMSG_SPACE(0)) / sizeof(struct socket *))

/* ---- looking into control mbufs ----------------------------------------------------------- */

/* The message at `off`; its data is `*len` bytes behind the header. EINVAL: malformed. */
static errno_t
message_at(const struct mbuf *m, size_t off, struct cmsghdr *header, size_t *len)
{
	size_t left = (size_t)m->m_len - off;

	if (left < sizeof *header)
		return EINVAL;
	memcpy(header, m->m_data + off, sizeof *header);
	if (header->cmsg_len < sizeof *header || header->cmsg_len > left)
		return EINVAL;
	*len = header->cmsg_len - sizeof *header;
	return 0;
}

/* How many sockets a control mbuf inside a buffer carries. */
static unsigned
count_rights(const struct mbuf *m)
{
	struct cmsghdr header;
	size_t len;

	if (m->m_type != MBUF_TYPE_CONTROL || message_at(m, 0, &header, &len) != 0)
		return 0;
	if (header.cmsg_level != SOL_SOCKET || header.cmsg_type != SCM_RIGHTS)
		return 0;
	return (unsigned)(len / sizeof(struct socket *));
}

static struct socket *
right_at(const struct mbuf *m, unsigned i)
{
	struct socket *so;

	memcpy(&so, m->m_data + sizeof(struct cmsghdr) + i * sizeof so, sizeof so);
	return so;
}

/* ---- sending ------------------------------------------------------------------------------ */

/* One control mbuf for `n` numbers at `fds`. */
static errno_t
internalize(struct nke *m, const char *fds, unsigned n, struct mbuf **out)
{
	struct socket *sockets[RIGHTS_MOST];

	if (n > RIGHTS_MOST)
		return EINVAL;
	for (unsigned i = 0; i < n; i++) {
		int fd;

		memcpy(&fd, fds + i * sizeof fd, sizeof fd);
		sockets[i] = fd_socket(m, fd);
		if (sockets[i] == NULL)
			return fd_file(m, fd) != NULL ? EOPNOTSUPP : EBADF;
	}
	*out = sbcreatecontrol(m, n != 0 ? sockets : NULL, n * sizeof sockets[0], SCM_RIGHTS,
	    SOL_SOCKET);
	if (*out == NULL)
		return ENOBUFS;
	for (unsigned i = 0; i < n; i++) {
		sockets[i]->so_fdcount++;
		sockets[i]->so_inflight++;
	}
	m->sockets->local->inflight += (int)n;
	return 0;
}

errno_t
unp_internalize(struct nke *m, struct mbuf *control, struct mbuf **out)
{
	struct mbuf *first = NULL, **link = &first, *c;
	errno_t error = 0;

	for (c = control; c != NULL && error == 0; c = c->m_next) {
		size_t off = 0;

		while (off < (size_t)c->m_len && error == 0) {
			struct cmsghdr header;
			size_t len;

			error = message_at(c, off, &header, &len);
			if (error == 0 && (header.cmsg_level != SOL_SOCKET ||
			    header.cmsg_type != SCM_RIGHTS))
				error = EINVAL;
			if (error == 0)
				error = internalize(m, c->m_data + off + sizeof header,
				    (unsigned)(len / sizeof(int)), link);
			if (error == 0) {
				link = &(*link)->m_next;
				off += __CMSG_ALIGN(header.cmsg_len);
			}
		}
	}
	m_freem(control);
	if (error != 0) {
		unp_free_control(m, first);
		first = NULL;
	}
	*out = first;
	return error;
}

/* ---- receiving ---------------------------------------------------------------------------- */

/* Numbers for all, or for none. */
static errno_t
make_numbers(struct nke *m, const struct mbuf *control, unsigned n, int *fds)
{
	errno_t error = fd_available(m) < n ? EMSGSIZE : 0;
	unsigned i;

	for (i = 0; i < n && error == 0; i++) {
		if (fd_alloc(m, right_at(control, i), &fds[i]) != 0) {
			error = EMSGSIZE;
			break;
		}
	}
	/* The message still counts, so nothing is closed by this. */
	while (error != 0 && i > 0)
		(void)fd_close(m, fds[--i]);
	return error;
}

errno_t
unp_externalize(struct socket *so, struct mbuf *control)
{
	struct nke *m = sotomachine(so);
	unsigned n = count_rights(control);
	struct cmsghdr header = {(socklen_t)CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	int fds[RIGHTS_MOST];
	errno_t error;

	if (n == 0)
		return 0;
	error = make_numbers(m, control, n, fds);
	if (error != 0) {
		unp_dispose(m, control);
		return error;
	}
	for (unsigned i = 0; i < n; i++) {
		struct socket *passed = right_at(control, i);

		passed->so_fdcount--;
		passed->so_inflight--;
	}
	m->sockets->local->inflight -= (int)n;
	memcpy(control->m_data, &header, sizeof header);
	memcpy(control->m_data + sizeof header, fds, n * sizeof fds[0]);
	control->m_len = (int32_t)CMSG_SPACE(n * sizeof(int));
	return 0;
}

/* ---- throwing away ------------------------------------------------------------------------ */

/* Closing one may throw away more messages: their sockets are put on the same list. */
static void
close_given_up(struct local_state *l)
{
	struct socket *so;

	if (l->giving_up)
		return;
	l->giving_up = true;
	while ((so = TAILQ_FIRST(&l->given_up)) != NULL) {
		uint32_t n = so->so_given_up;

		TAILQ_REMOVE(&l->given_up, so, so_list);
		so->so_given_up = 0;
		so->so_fdcount -= n - 1;
		(void)fd_release(so);
	}
	l->giving_up = false;
}

void
unp_dispose(struct nke *m, struct mbuf *control)
{
	struct local_state *l = m->sockets->local;
	unsigned n = count_rights(control);

	for (unsigned i = 0; i < n; i++) {
		struct socket *so = right_at(control, i);

		KASSERTX(so->so_inflight != 0, "socket %u is in more messages than were counted",
		    so->so_generation);
		so->so_inflight--;
		l->inflight--;
		if (so->so_given_up++ == 0)
			TAILQ_INSERT_TAIL(&l->given_up, so, so_list);
	}
	close_given_up(l);
}

void
unp_free_control(struct nke *m, struct mbuf *control)
{
	while (control != NULL) {
		unp_dispose(m, control);
		control = m_free(control);
	}
}

/* ---- collecting --------------------------------------------------------------------------- */

void
unp_collect_soon(struct nke *m)
{
	softintr_schedule(&m->sockets->local->collector);
}

/* Nothing but messages holds it. */
static bool
only_in_messages(const struct socket *so)
{
	return so->so_fdcount != 0 && so->so_fdcount == so->so_inflight;
}

static bool
waits_to_be_accepted(const struct socket *so)
{
	return so->so_head != NULL;
}

static void
reach(struct local_state *l, struct socket *so, struct unpcb **work)
{
	struct unpcb *unp = so->so_pcb;

	if (so->so_family != PF_LOCAL || unp == NULL || unp->unp_reached == l->collection)
		return;
	unp->unp_reached = l->collection;
	unp->unp_next_reached = *work;
	*work = unp;
}

/* What can be had from a socket: what its messages carry, and the connections that wait at it. */
static void
reach_from(struct local_state *l, const struct socket *so, struct unpcb **work)
{
	struct socket *waiting;

	for (const struct mbuf *r = so->so_rcv.sb_mb; r != NULL; r = r->m_nextpkt) {
		for (const struct mbuf *m = r; m != NULL; m = m->m_next) {
			for (unsigned i = 0, n = count_rights(m); i < n; i++)
				reach(l, right_at(m, i), work);
		}
	}
	if (so->so_queues == NULL)
		return;
	TAILQ_FOREACH(waiting, &so->so_queues->comp, so_list)
		reach(l, waiting, work);
	TAILQ_FOREACH(waiting, &so->so_queues->incomp, so_list)
		reach(l, waiting, work);
}

static void
mark(struct local_state *l)
{
	struct unpcb *unp, *work = NULL;

	LIST_FOREACH(unp, &l->all, unp_link) {
		if (!only_in_messages(unp->unp_socket) && !waits_to_be_accepted(unp->unp_socket))
			reach(l, unp->unp_socket, &work);
	}
	while ((unp = work) != NULL) {
		work = unp->unp_next_reached;
		reach_from(l, unp->unp_socket, &work);
	}
}

void
unp_collect(void *machine)
{
	struct nke *m = machine;
	struct local_state *l = m->sockets->local;
	struct unpcb *unp, *next;

	if (l->inflight == 0)
		return;
	l->collection++;
	mark(l);
	LIST_FOREACH_SAFE(unp, &l->all, unp_link, next) {
		if (unp->unp_reached != l->collection && unp->unp_socket->so_rcv.sb_mb != NULL) {
			LIST_REMOVE(unp, unp_link);
			LIST_INSERT_HEAD(&l->garbage, unp, unp_link);
		}
	}
	/* Closing what was in one's messages may end others of the list, which leave it by themselves. */
	while ((unp = LIST_FIRST(&l->garbage)) != NULL) {
		struct socket *so = unp->unp_socket;

		LIST_REMOVE(unp, unp_link);
		LIST_INSERT_HEAD(&l->all, unp, unp_link);
		so_retain(so);
		sbflush(&so->so_rcv);
		so_release(so);
	}
}
