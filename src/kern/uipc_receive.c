/*
 * Receiving: from so_rcv to a program's memory, or as mbufs to a kext.
 *
 * A message (PR_ATOMIC) is taken out of the buffer whole and read without a lock, as nothing in between
 * sleeps; what there is no room for goes (MSG_TRUNC). A stream is read piece by piece under the lock of
 * so_rcv, so that two readers get consecutive bytes each. A read ends with its record, before a control
 * message that comes in the middle, and at the urgent mark.
 *
 * What is in the buffer is delivered before a pending error, and that before the end of the stream.
 */
#include <string.h>

#include "src/kern/socket_private.h"

struct receive {
	struct socket *so;
	const struct iovec *iov;	/* `count` pieces of memory; NULL: mbufs are wanted */
	unsigned count;
	size_t offset;			/* into the first piece */
	size_t resid;			/* bytes of room left */
	int flags;
	struct so_received *r;
	struct mbuf **data_link, **control_link;	/* where the next one is put */
};

/* ---- delivering --------------------------------------------------------------------------- */

static void
copy_pieces(struct receive *rx, const char *from, size_t len)
{
	while (len != 0) {
		size_t part = rx->iov->iov_len - rx->offset;

		if (part == 0) {
			rx->iov++;
			rx->offset = 0;
			continue;
		}
		if (part > len)
			part = len;
		memcpy((char *)rx->iov->iov_base + rx->offset, from, part);
		rx->offset += part;
		from += part;
		len -= part;
	}
}

static inline void
copy_out(struct receive *rx, const char *from, size_t len)
{
	if (rx->count == 1) {
		memcpy((char *)rx->iov->iov_base + rx->offset, from, len);
		rx->offset += len;
	} else {
		copy_pieces(rx, from, len);
	}
}

/* `n` bytes of `m`, from `off` on, which stays: copied to memory or into mbufs. */
static errno_t
deliver_copy(struct receive *rx, struct mbuf *m, size_t off, size_t n)
{
	if (n == 0)
		return 0;
	if (rx->iov != NULL) {
		copy_out(rx, m->m_data + off, n);
	} else {
		struct mbuf *copy = m_copym(m, off, n, MBUF_DONTWAIT);

		if (copy == NULL)
			return ENOBUFS;
		*rx->data_link = copy;
		rx->data_link = &m_last(copy)->m_next;
	}
	rx->resid -= n;
	rx->r->len += n;
	return 0;
}

/* A whole mbuf that has been taken out of the buffer: the next one of its chain. */
static inline struct mbuf *
deliver_mbuf(struct receive *rx, struct mbuf *m)
{
	size_t n = (size_t)m->m_len;
	struct mbuf *next;

	rx->resid -= n;
	rx->r->len += n;
	if (m->m_flags & MBUF_EOR)
		rx->r->flags |= MSG_EOR;
	if (rx->iov != NULL) {
		copy_out(rx, m->m_data, n);
		return m_free(m);
	}
	next = m->m_next;
	m->m_next = NULL;
	*rx->data_link = m;
	rx->data_link = &m->m_next;
	return next;
}

static inline void
deliver_name(struct receive *rx, const struct mbuf *m)
{
	size_t n = (size_t)m->m_len;

	if (n > sizeof rx->r->from)
		n = sizeof rx->r->from;
	memcpy(&rx->r->from, m->m_data, n);
}

static bool
may_carry_rights(const struct receive *rx)
{
	return (rx->so->so_proto->pr_flags & PR_RIGHTS) &&
	    rx->so->so_registration->domain->dom_externalize != NULL;
}

/* A control mbuf that has been taken out of the buffer and still counts there. */
static errno_t
deliver_control(struct receive *rx, struct mbuf *m)
{
	errno_t error;

	m->m_next = NULL;
	if (rx->flags & SO_RECV_NOCONTROL) {
		sb_discard(&rx->so->so_rcv, m);
		return 0;
	}
	sb_unaccount(&rx->so->so_rcv, m);
	if (may_carry_rights(rx)) {
		error = rx->so->so_registration->domain->dom_externalize(rx->so, m);
		if (error != 0) {
			m_free(m);
			return error;
		}
	}
	*rx->control_link = m;
	rx->control_link = &m->m_next;
	return 0;
}

/* Who only looks gets no descriptors. */
static void
deliver_control_copy(struct receive *rx, struct mbuf *m)
{
	struct cmsghdr header;
	struct mbuf *copy;

	if (rx->flags & SO_RECV_NOCONTROL)
		return;
	if (may_carry_rights(rx) && (size_t)m->m_len >= sizeof header) {
		memcpy(&header, m->m_data, sizeof header);
		if (header.cmsg_level == SOL_SOCKET && header.cmsg_type == SCM_RIGHTS)
			return;
	}
	copy = m_copym(m, 0, (size_t)m->m_len, MBUF_DONTWAIT);
	if (copy == NULL) {
		rx->r->flags |= MSG_CTRUNC;
		return;
	}
	*rx->control_link = copy;
	rx->control_link = &copy->m_next;
}

/* ---- nothing there yet -------------------------------------------------------------------- */

/*
 * 0: waited, look again; EJUSTRETURN: nothing will come any more, or nothing is wanted, which is no error;
 * else the error.
 */
static errno_t
wait_for_data(struct receive *rx)
{
	struct socket *so = rx->so;

	if (so->so_error != 0)
		return rx->flags & MSG_PEEK ? so->so_error : so_take_error(so);
	if (so->so_state & (SS_CANTRCVMORE | SS_DEFUNCT))
		return EJUSTRETURN;
	if ((so->so_proto->pr_flags & PR_CONNREQUIRED) &&
	    !(so->so_state & (SS_ISCONNECTED | SS_ISCONNECTING)))
		return ENOTCONN;
	if (rx->resid == 0)
		return EJUSTRETURN;
	if (so_nonblocking(so, rx->flags))
		return EWOULDBLOCK;
	return sbwait(&so->so_rcv);
}

/* ---- messages ----------------------------------------------------------------------------- */

static errno_t
peek_message(struct receive *rx)
{
	errno_t error = 0;
	struct mbuf *m;

	for (m = rx->so->so_rcv.sb_mb; m != NULL && error == 0; m = m->m_next) {
		size_t n = (size_t)m->m_len;

		if (m->m_type == MBUF_TYPE_SONAME) {
			deliver_name(rx, m);
			continue;
		}
		if (m->m_type == MBUF_TYPE_CONTROL) {
			deliver_control_copy(rx, m);
			continue;
		}
		if (n > rx->resid) {
			n = rx->resid;
			rx->r->flags |= MSG_TRUNC;
		} else if (m->m_flags & MBUF_EOR) {
			rx->r->flags |= MSG_EOR;
		}
		error = deliver_copy(rx, m, 0, n);
		if (rx->r->flags & MSG_TRUNC)
			break;
	}
	return error;
}

/* A message longer than the room for it: the rest goes, or stays as a message of its own. */
static errno_t
cut_message(struct receive *rx, struct mbuf *m)
{
	struct sockbuf *sb = &rx->so->so_rcv;
	size_t n = rx->resid;
	errno_t error = deliver_copy(rx, m, 0, n);

	if (error != 0 || !(rx->so->so_options & SO_DONTTRUNC)) {
		rx->r->flags |= MSG_TRUNC;
		sb_discard(sb, m);
		return error;
	}
	rx->r->flags |= MSG_RCVMORE;
	m->m_data += n;
	m->m_len -= (int32_t)n;
	sb->sb_cc -= (uint32_t)n;
	m->m_nextpkt = sb->sb_mb;
	sb->sb_mb = m;
	if (sb->sb_lastrecord == NULL) {
		sb->sb_lastrecord = m;
		sb->sb_mbtail = m_last(m);
	}
	return 0;
}

static errno_t
take_message(struct receive *rx)
{
	struct sockbuf *sb = &rx->so->so_rcv;
	struct mbuf *m = sb_unlink_record(sb);
	errno_t error = 0;

	if (m->m_type == MBUF_TYPE_SONAME) {
		deliver_name(rx, m);
		sb_unaccount(sb, m);
		m = m_free(m);
	}
	while (m != NULL && m->m_type == MBUF_TYPE_CONTROL) {
		struct mbuf *next = m->m_next;

		error = deliver_control(rx, m);
		m = next;
		if (error != 0) {
			sb_discard(sb, m);
			return error;
		}
	}
	while (m != NULL && (size_t)m->m_len <= rx->resid) {
		sb_unaccount(sb, m);
		m = deliver_mbuf(rx, m);
	}
	if (m != NULL)
		error = cut_message(rx, m);
	if ((rx->so->so_options & SO_WANTMORE) && sb->sb_cc > 0)
		rx->r->flags |= MSG_HAVEMORE;
	return error;
}

static inline errno_t
receive_message(struct receive *rx)
{
	struct socket *so = rx->so;
	errno_t error;

	while (so->so_rcv.sb_mb == NULL) {
		error = wait_for_data(rx);
		if (error != 0)
			return error == EJUSTRETURN ? 0 : error;
	}
	if (__builtin_expect(rx->flags & MSG_PEEK, 0))
		return peek_message(rx);
	error = take_message(rx);
	if ((so->so_proto->pr_flags & PR_WANTRCVD) && so->so_pcb != NULL)
		so->so_proto->pr_usrreqs->pru_rcvd(so, rx->flags);
	return error;
}

/* ---- streams ------------------------------------------------------------------------------ */

/* True when a read may go on with what is in the buffer. */
static bool
enough_to_read(const struct receive *rx)
{
	const struct socket *so = rx->so;
	const struct sockbuf *sb = &so->so_rcv;
	size_t there = sb->sb_cc - sb->sb_ctl, want = sb->sb_lowat;

	if (sb->sb_mb == NULL)
		return false;
	if ((rx->flags & (MSG_WAITALL | MSG_PEEK)) == (MSG_WAITALL | MSG_PEEK))
		want = sb->sb_hiwat;
	if (want > rx->resid)
		want = rx->resid;
	/* MSG_DONTWAIT takes what there is; SS_NBIO keeps to the low-water mark. */
	return there >= want || (rx->flags & MSG_DONTWAIT) || sb->sb_mb->m_nextpkt != NULL ||
	    !sb_counts_as_data(sb->sb_mb) || (sb->sb_mbtail->m_flags & MBUF_EOR) || so->so_error != 0 ||
	    (so->so_state & (SS_CANTRCVMORE | SS_DEFUNCT));
}

/* Up to the urgent mark, of which `taken` bytes are behind the reader already. */
static size_t
up_to_mark(const struct socket *so, size_t n, size_t taken)
{
	return so->so_oobmark != 0 && n > so->so_oobmark - taken ? so->so_oobmark - taken : n;
}

static errno_t
peek_stream(struct receive *rx)
{
	struct socket *so = rx->so;
	struct mbuf *m = so->so_rcv.sb_mb;
	errno_t error = 0;
	size_t taken = 0;

	for (; m != NULL && !sb_counts_as_data(m); m = m->m_next)
		deliver_control_copy(rx, m);
	for (; m != NULL && rx->resid != 0 && sb_counts_as_data(m) && error == 0; m = m->m_next) {
		size_t n = (size_t)m->m_len < rx->resid ? (size_t)m->m_len : rx->resid;
		size_t part = up_to_mark(so, n, taken);

		error = deliver_copy(rx, m, 0, part);
		taken += part;
		if ((so->so_oobmark != 0 && taken == so->so_oobmark) || (m->m_flags & MBUF_EOR))
			break;
	}
	return error;
}

/* The control messages that the record begins with. */
static errno_t
take_stream_control(struct receive *rx)
{
	struct sockbuf *sb = &rx->so->so_rcv;
	errno_t error = 0;

	while (error == 0 && sb->sb_mb != NULL && sb->sb_mb->m_type == MBUF_TYPE_CONTROL) {
		struct mbuf *m = sb->sb_mb;

		sb_replace_first(sb, m->m_next);
		error = deliver_control(rx, m);
	}
	return error;
}

/* Takes `n` bytes, at most what is in it, of the first mbuf. */
static errno_t
take_bytes(struct receive *rx, struct mbuf *m, size_t n)
{
	struct sockbuf *sb = &rx->so->so_rcv;
	errno_t error;

	if (n == (size_t)m->m_len) {
		sb_unaccount(sb, m);
		sb_replace_first(sb, m->m_next);
		m->m_next = NULL;
		deliver_mbuf(rx, m);
		return 0;
	}
	error = deliver_copy(rx, m, 0, n);
	if (error == 0)
		sbdrop(sb, (uint32_t)n);
	return error;
}

/* Moves the urgent mark nearer; true when it is reached, which ends a read. */
static bool
pass_mark(struct socket *so, size_t n)
{
	if (so->so_oobmark == 0)
		return false;
	so->so_oobmark -= (uint32_t)n;
	if (so->so_oobmark != 0)
		return false;
	so->so_state |= SS_RCVATMARK;
	return true;
}

/* Reads what is there. *end: the read is over, even if there is room left. */
static errno_t
take_stream(struct receive *rx, bool *end)
{
	struct socket *so = rx->so;
	struct sockbuf *sb = &so->so_rcv;
	errno_t error = rx->r->len == 0 ? take_stream_control(rx) : 0;
	bool last;

	*end = true;
	if (rx->resid != 0)
		so->so_state &= (uint16_t)~SS_RCVATMARK;
	while (error == 0 && rx->resid != 0 && sb->sb_mb != NULL) {
		struct mbuf *m = sb->sb_mb;
		size_t n = (size_t)m->m_len < rx->resid ? (size_t)m->m_len : rx->resid;

		if (!sb_counts_as_data(m))
			return 0;
		last = m->m_next == NULL && m->m_nextpkt != NULL;
		n = up_to_mark(so, n, 0);
		last = last && n == (size_t)m->m_len;
		error = take_bytes(rx, m, n);
		if (error != 0 || pass_mark(so, n) || last || (rx->r->flags & MSG_EOR))
			return rx->r->len != 0 ? 0 : error;
	}
	*end = error != 0 || rx->resid == 0;
	return error;
}

static errno_t
read_stream(struct receive *rx)
{
	struct socket *so = rx->so;
	errno_t error;
	bool end = true;

	do {
		while (!enough_to_read(rx)) {
			/* What has been read is a success; what else there is to say waits. */
			if (rx->r->len != 0 &&
			    (so->so_error != 0 || (so->so_state & SS_CANTRCVMORE)))
				return 0;
			error = wait_for_data(rx);
			if (error != 0)
				return error == EJUSTRETURN || rx->r->len != 0 ? 0 : error;
		}
		if (rx->flags & MSG_PEEK)
			return peek_stream(rx);
		error = take_stream(rx, &end);
		if ((so->so_proto->pr_flags & PR_WANTRCVD) && so->so_pcb != NULL)
			so->so_proto->pr_usrreqs->pru_rcvd(so, rx->flags);
	} while (error == 0 && !end && (rx->flags & MSG_WAITALL));
	return error;
}

static errno_t
receive_stream(struct receive *rx)
{
	struct socket *so = rx->so;
	errno_t error = sblock(&so->so_rcv, !so_nonblocking(so, rx->flags));

	if (error != 0)
		return error;
	if (so_nonblocking(so, rx->flags))
		rx->flags &= ~MSG_WAITALL;
	error = read_stream(rx);
	if ((so->so_options & SO_WANTMORE) && so->so_rcv.sb_cc > 0)
		rx->r->flags |= MSG_HAVEMORE;
	sbunlock(&so->so_rcv);
	return error;
}

/* ---- urgent data -------------------------------------------------------------------------- */

static errno_t
receive_urgent(struct receive *rx)
{
	const struct pr_usrreqs *pru = rx->so->so_proto->pr_usrreqs;
	struct mbuf *m;
	errno_t error;

	if (pru->pru_rcvoob == NULL)
		return EOPNOTSUPP;
	m = m_get(sotomachine(rx->so), MBUF_DONTWAIT, MBUF_TYPE_DATA);
	if (m == NULL)
		return ENOBUFS;
	error = pru->pru_rcvoob(rx->so, m, rx->flags & MSG_PEEK);
	while (error == 0 && m != NULL && (size_t)m->m_len <= rx->resid)
		m = deliver_mbuf(rx, m);
	if (error == 0 && m != NULL)
		error = deliver_copy(rx, m, 0, rx->resid);
	m_freem(m);
	if (error == 0)
		rx->r->flags |= MSG_OOB;
	return error;
}

/* ---- the way in --------------------------------------------------------------------------- */

static inline errno_t
receive_any(struct receive *rx)
{
	struct so_received *r = rx->r;
	errno_t error;

	r->from.ss_len = 0;
	r->from.ss_family = 0;
	r->data = NULL;
	r->control = NULL;
	r->len = 0;
	r->flags = 0;
	rx->data_link = &r->data;
	rx->control_link = &r->control;
	if (__builtin_expect(rx->flags & MSG_OOB, 0))
		error = receive_urgent(rx);
	else
		error = so_atomic(rx->so) ? receive_message(rx) : receive_stream(rx);
	if (r->data != NULL) {
		if (r->data->m_flags & M_PKTHDR)
			r->data->m_pkthdr.len = (int32_t)r->len;
		if (error != 0) {
			m_freem(r->data);
			r->data = NULL;
		}
	}
	return error;
}

errno_t
soreceive(struct socket *so, void *buffer, size_t size, int flags, struct so_received *r)
{
	const struct iovec iov = {buffer, size};
	struct receive rx = {.so = so, .iov = buffer != NULL ? &iov : NULL, .count = 1, .resid = size,
	    .flags = flags, .r = r};

	return receive_any(&rx);
}

errno_t
soreceivev(struct socket *so, const struct iovec *iov, unsigned count, size_t size, int flags,
    struct so_received *r)
{
	static const struct iovec nothing = {NULL, 0};
	struct receive rx = {.so = so, .iov = count != 0 ? iov : &nothing, .count = count,
	    .resid = size, .flags = flags, .r = r};

	return receive_any(&rx);
}
