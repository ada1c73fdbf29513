/*
 * Sending: from a program's memory, or a kext's packet, to the protocol.
 *
 * A message (PR_ATOMIC) is one packet and one call of the protocol; there is no lock, as nothing of it
 * is kept here. A stream is cut into pieces as large as there is space for, under the lock of so_snd, so
 * that what several threads send is not mixed; with socket filters messages are sent under it as well.
 * Everything that leaves passes send_down(), where the filters see it.
 *
 * Errors are tested in BSD's order: shut (EPIPE), pending error, connection or destination missing, size,
 * space. Nothing but the packet's mbufs is allocated.
 */
#include <string.h>

#include "src/kern/sched.h"
#include "src/kern/so_filter.h"
#include "src/kern/socket_private.h"

/* The most that one call of a stream's protocol is given. */
#define STREAM_PIECE	65536u
/* Urgent data may use more space than there is, so that it gets through. */
#define OOB_EXTRA	1024u

/* A program's data: what is left of it begins `offset` bytes into the first piece. */
struct source {
	const struct iovec *iov;
	unsigned count;
	size_t offset;
};

struct send {
	struct socket *so;
	const struct sockaddr *to;
	struct source source;
	size_t resid;			/* bytes still to be sent */
	struct mbuf *top;		/* a packet instead, NULL none */
	struct mbuf *control;
	size_t control_len;
	int flags;
	bool alone;			/* nobody else sends on the socket meanwhile */
	bool taken;			/* by a filter, and that is the end of it */
};

/* ---- data into mbufs ---------------------------------------------------------------------- */

static void
copy_from(struct source *s, char *to, size_t len)
{
	while (len != 0) {
		size_t part = s->iov->iov_len - s->offset;

		if (part == 0) {
			s->iov++;
			s->offset = 0;
			continue;
		}
		if (part > len)
			part = len;
		memcpy(to, (const char *)s->iov->iov_base + s->offset, part);
		s->offset += part;
		to += part;
		len -= part;
	}
}

/* The next `len` bytes as a packet. */
static inline struct mbuf *
take_data(struct send *s, size_t len)
{
	struct nke *machine = sotomachine(s->so);
	struct source *src = &s->source;
	struct mbuf *top;

	if (len != 0 && len <= src->iov->iov_len - src->offset) {
		top = m_devget(machine, (const char *)src->iov->iov_base + src->offset, len,
		    s->so->so_headroom);
		src->offset += len;
		return top;
	}
	top = m_devget(machine, NULL, len, s->so->so_headroom);
	for (struct mbuf *m = top; m != NULL; m = m->m_next)
		copy_from(src, m->m_data, (size_t)m->m_len);
	return top;
}

/* ---- down to the protocol ----------------------------------------------------------------- */

/*
 * Filters see what is sent, and may take it: s->taken. Meanwhile the same thread may send on the same
 * socket, without waiting for itself; and the socket may be shut.
 */
static __attribute__((noinline)) errno_t
pass_filters(struct send *s, int pru_flags, struct mbuf **m)
{
	struct socket *so = s->so;
	struct thread *sender = so->so_filter_sender;
	errno_t error;

	so->so_filter_sender = curthread();
	error = so_filter_ops(so)->data_out(so, s->to, m, &s->control,
	    pru_flags & PRUS_OOB ? sock_data_filt_flag_oob : 0);
	so->so_filter_sender = sender;
	if (error == EJUSTRETURN) {
		s->taken = true;
		return 0;
	}
	if (error == 0 && (so->so_state & (SS_CANTSENDMORE | SS_DEFUNCT))) {
		m_freem(*m);
		m_freem(s->control);
		error = EPIPE;
	}
	return error;
}

/* MSG_DONTROUTE is SO_DONTROUTE for one message. */
static errno_t
send_unrouted(struct send *s, int pru_flags, struct mbuf *m)
{
	struct socket *so = s->so;
	errno_t error;

	so->so_options |= SO_DONTROUTE;
	error = so->so_proto->pr_usrreqs->pru_send(so, pru_flags, m, s->to, s->control);
	so->so_options &= ~(uint32_t)SO_DONTROUTE;
	return error;
}

/* All that is sent goes this way. Consumes it, and the control data. */
static inline errno_t
send_down(struct send *s, int pru_flags, struct mbuf *m)
{
	struct socket *so = s->so;

	if (so_filtered(so) && s->alone) {
		errno_t error = pass_filters(s, pru_flags, &m);

		if (error != 0 || s->taken)
			return error;
	}
	if (__builtin_expect(s->flags & MSG_DONTROUTE, 0) && so_atomic(so) &&
	    !(so->so_options & SO_DONTROUTE))
		return send_unrouted(s, pru_flags, m);
	return so->so_proto->pr_usrreqs->pru_send(so, pru_flags, m, s->to, s->control);
}

static inline errno_t
send_piece(struct send *s, int pru_flags, struct mbuf *m, bool last)
{
	errno_t error;

	if (__builtin_expect(s->flags & (MSG_OOB | MSG_EOR), 0)) {
		if (s->flags & MSG_OOB)
			pru_flags |= PRUS_OOB;
		/* A stream's record ends with the last of its pieces. */
		if ((s->flags & MSG_EOR) && m != NULL && last)
			m_last(m)->m_flags |= MBUF_EOR;
	}
	error = send_down(s, pru_flags, m);
	s->control = NULL;
	s->control_len = 0;
	return error;
}

/* ---- may it be sent? ---------------------------------------------------------------------- */

static inline errno_t
check_state(const struct send *s)
{
	struct socket *so = s->so;
	uint16_t needs = so->so_proto->pr_flags;

	if (so->so_state & (SS_CANTSENDMORE | SS_DEFUNCT))
		return EPIPE;
	if (so->so_error != 0)
		return so_take_error(so);
	if (so->so_state & SS_ISCONNECTED)
		return 0;
	if ((needs & PR_CONNREQUIRED) && !((needs & PR_IMPLOPCL) && s->to != NULL))
		return s->resid == 0 && s->control != NULL ? 0 : ENOTCONN;
	return s->to == NULL ? EDESTADDRREQ : 0;
}

/* Waits until a message of that size may go; one that is longer with its control data, until all is free. */
static errno_t
wait_for_space(const struct send *s, size_t size)
{
	struct sockbuf *sb = &s->so->so_snd;

	while (sbspace(sb) < (size < sb->sb_hiwat ? size : sb->sb_hiwat)) {
		errno_t error;

		if (so_nonblocking(s->so, s->flags))
			return EWOULDBLOCK;
		error = sbwait(sb);
		if (error == 0)
			error = check_state(s);
		if (error != 0)
			return error;
	}
	return 0;
}

/* ---- messages ----------------------------------------------------------------------------- */

static inline errno_t
send_message(struct send *s)
{
	struct socket *so = s->so;
	struct mbuf *m = s->top;
	errno_t error = check_state(s);

	if (error != 0)
		return error;
	if (s->resid > so->so_snd.sb_hiwat || s->control_len > so->so_snd.sb_hiwat)
		return EMSGSIZE;
	if (__builtin_expect(sbspace(&so->so_snd) < s->resid + s->control_len, 0)) {
		error = wait_for_space(s, s->resid + s->control_len);
		if (error != 0)
			return error;
	}
	if (m == NULL) {
		m = take_data(s, s->resid);
		if (m == NULL)
			return ENOBUFS;
	}
	s->top = NULL;
	error = send_piece(s, s->flags & MSG_EOF ? PRUS_EOF : 0, m, true);
	if (error == 0)
		s->resid = 0;
	return error;
}

/* ---- streams ------------------------------------------------------------------------------ */

/* Waits until the next piece may go; *space: how large it may be. */
static errno_t
wait_to_stream(const struct send *s, size_t *space)
{
	struct sockbuf *sb = &s->so->so_snd;

	for (;;) {
		errno_t error = check_state(s);
		size_t room = sbspace(sb) + (s->flags & MSG_OOB ? OOB_EXTRA : 0);

		if (error != 0)
			return error;
		if (s->control_len >= sb->sb_hiwat || (s->top != NULL && s->resid > sb->sb_hiwat))
			return EMSGSIZE;
		if (room >= s->resid + s->control_len ||
		    (s->top == NULL && room >= sb->sb_lowat && room > s->control_len)) {
			*space = room - s->control_len;
			return 0;
		}
		if (so_nonblocking(s->so, s->flags))
			return EWOULDBLOCK;
		error = sbwait(sb);
		if (error != 0)
			return error;
	}
}

static errno_t
send_stream_piece(struct send *s, size_t space)
{
	size_t len = s->resid < space || s->top != NULL ? s->resid : space;
	struct mbuf *m = s->top;
	int pru_flags = 0;
	errno_t error;

	if (m == NULL) {
		if (len > STREAM_PIECE)
			len = STREAM_PIECE;
		m = take_data(s, len);
		if (m == NULL)
			return ENOBUFS;
	}
	s->top = NULL;
	if (len < s->resid)
		pru_flags = len < space ? PRUS_MORETOCOME : 0;
	else if (s->flags & MSG_EOF)
		pru_flags = PRUS_EOF;
	error = send_piece(s, pru_flags, m, len == s->resid);
	if (error == 0)
		s->resid -= len;
	return error;
}

static errno_t
send_stream(struct send *s)
{
	errno_t error;

	do {
		size_t space;

		error = wait_to_stream(s, &space);
		if (error == 0)
			error = send_stream_piece(s, space);
	} while (error == 0 && s->resid != 0 && !s->taken);
	return error;
}

/*
 * Nobody else sends meanwhile. In the callback of a filter that sees what is sent here the socket is the
 * thread's already: it does not wait for itself.
 */
static errno_t
send_alone(struct send *s)
{
	struct socket *so = s->so;
	bool again = so->so_filter_sender == curthread();
	errno_t error = check_state(s);

	if (error != 0)
		return error;
	if (!so_atomic(so)) {
		if ((s->flags & MSG_EOR) && !(so->so_snd.sb_flags & SB_RECORDS))
			return EINVAL;
		if (s->resid == 0 && s->control == NULL && !(s->flags & MSG_EOF))
			return 0;
	}
	if (again)
		s->flags |= MSG_DONTWAIT;
	else
		error = sblock(&so->so_snd, !so_nonblocking(so, s->flags));
	if (error != 0)
		return error;
	s->alone = true;
	error = so_atomic(so) ? send_message(s) : send_stream(s);
	if (!again)
		sbunlock(&so->so_snd);
	return error;
}

/* ---- the way in --------------------------------------------------------------------------- */

static inline errno_t
send_any(struct send *s, size_t *sent)
{
	size_t size = s->resid;
	errno_t error;

	if (s->control != NULL)
		s->control_len = m_length(s->control);
	if (s->so->so_proto->pr_usrreqs->pru_send == NULL)
		error = EOPNOTSUPP;
	else if (size > INT32_MAX)
		error = so_atomic(s->so) ? EMSGSIZE : EINVAL;
	else
		error = so_atomic(s->so) && !so_filtered(s->so) ? send_message(s) : send_alone(s);
	if (sent != NULL)
		*sent = size - s->resid;
	if (s->top != NULL)
		m_freem(s->top);
	if (s->control != NULL)
		m_freem(s->control);
	return error;
}

errno_t
sosend(struct socket *so, const struct sockaddr *to, const void *data, size_t resid,
    struct mbuf *top, struct mbuf *control, int flags, size_t *sent)
{
	const struct iovec iov = {(void *)(uintptr_t)data, resid};
	struct send s = {.so = so, .to = to, .source = {&iov, 1, 0}, .resid = resid, .top = top,
	    .control = control, .flags = flags};

	if (top != NULL)
		s.resid = (size_t)top->m_pkthdr.len;
	return send_any(&s, sent);
}

errno_t
sosendv(struct socket *so, const struct sockaddr *to, const struct iovec *iov, unsigned count,
    size_t resid, struct mbuf *control, int flags, size_t *sent)
{
	struct send s = {.so = so, .to = to, .source = {iov, count, 0}, .resid = resid,
	    .control = control, .flags = flags};

	return send_any(&s, sent);
}
