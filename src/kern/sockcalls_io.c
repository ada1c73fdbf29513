/*
 * System calls on sockets: data. See sockcalls.h and sockcalls.c.
 *
 * The plain calls (sendto, recvfrom) have a way of their own, as they are the ones that are made for every
 * packet. Control data is copied from and to the program's memory here; what a program has no room for is
 * given back (descriptors are closed).
 */
#include <string.h>

#include "src/kern/sched.h"
#include "src/kern/sockcalls_private.h"

_Static_assert(sizeof(struct core_iovec) == sizeof(struct iovec) &&
    offsetof(struct core_iovec, len) == offsetof(struct iovec, iov_len),
    "one is used as the other");

/* What a stream took before it would have had to wait is a success. */
static inline errno_t
partly(errno_t error, size_t done)
{
	return done != 0 && (error == EWOULDBLOCK || error == EINTR || error == EDEADLK) ? 0 : error;
}

/* ---- the plain ones ------------------------------------------------------------------------ */

struct io_call {
	struct nke *machine;
	int fd;
	int flags;
	void *data;
	size_t len;
	void *name;
	uint32_t namelen;
	size_t done;
	errno_t error;
};

static void
do_sendto(void *arg)
{
	struct io_call *c = arg;
	struct sock_call_name name;
	struct socket *so = sock_call_hold(c->machine, c->fd, &c->error);

	if (so == NULL)
		return;
	if (c->name != NULL)
		c->error = sock_call_take_name(&name, c->name, c->namelen);
	if (c->error == 0) {
		c->error = sosend(so, c->name != NULL ? &name.sa : NULL, c->data, c->len, NULL, NULL,
		    c->flags, &c->done);
		c->error = partly(c->error, c->done);
	}
	so_release(so);
}

int
sock_call_sendto(struct nke *m, int fd, const void *data, size_t len, int flags, const void *to,
    uint32_t tolen, size_t *done)
{
	struct io_call c = {m, fd, flags, (void *)(uintptr_t)data, len, (void *)(uintptr_t)to, tolen,
	    0, 0};
	int error;

	*done = 0;
	if (data == NULL && len != 0)
		return EINVAL;
	error = machine_call(m, do_sendto, &c);
	*done = c.done;
	return error != 0 ? error : c.error;
}

static void
do_recvfrom(void *arg)
{
	struct io_call *c = arg;
	char nowhere;
	struct so_received r;
	struct socket *so = sock_call_hold(c->machine, c->fd, &c->error);

	if (so == NULL)
		return;
	c->error = soreceive(so, c->data != NULL ? c->data : &nowhere, c->len,
	    c->flags | SO_RECV_NOCONTROL, &r);
	c->done = r.len;
	c->error = partly(c->error, r.len);
	if (c->error == 0)
		sock_call_give_name(&r.from, c->name, &c->namelen);
	so_release(so);
}

int
sock_call_recvfrom(struct nke *m, int fd, void *data, size_t len, int flags, void *from,
    uint32_t *fromlen, size_t *done)
{
	struct io_call c = {m, fd, flags, data, len, from, fromlen != NULL ? *fromlen : 0, 0, 0};
	int error;

	*done = 0;
	if (data == NULL && len != 0)
		return EINVAL;
	error = machine_call(m, do_recvfrom, &c);
	*done = c.done;
	if (error == 0)
		error = c.error;
	if (error == 0 && fromlen != NULL)
		*fromlen = c.namelen;
	return error;
}

/* ---- messages ----------------------------------------------------------------------------- */

struct message_call {
	struct nke *machine;
	int fd;
	int flags;
	struct core_message *msg;
	const struct iovec *iov;
	size_t len;
	size_t done;
	errno_t error;
};

/* Checks the pieces and adds them up. */
static errno_t
add_up(struct message_call *c)
{
	const struct core_message *msg = c->msg;

	if (msg->iovcnt == 0 || msg->iovcnt > UIO_MAXIOV)
		return EMSGSIZE;
	c->iov = (const struct iovec *)(const void *)msg->iov;
	for (unsigned i = 0; i < msg->iovcnt; i++) {
		if (c->iov[i].iov_len > INT32_MAX - c->len ||
		    (c->iov[i].iov_base == NULL && c->iov[i].iov_len != 0))
			return EINVAL;
		c->len += c->iov[i].iov_len;
	}
	return 0;
}

static errno_t
take_control(struct message_call *c, struct mbuf **out)
{
	uint32_t len = c->msg->controllen;
	struct mbuf *m;

	*out = NULL;
	if (c->msg->control == NULL)
		return 0;
	if (len < sizeof(struct cmsghdr) || len > MCLBYTES)
		return EINVAL;
	m = m_get(c->machine, MBUF_DONTWAIT, MBUF_TYPE_CONTROL);
	if (m == NULL)
		return ENOBUFS;
	if (len > MLEN && !m_clget(c->machine, m, MBUF_DONTWAIT, MCLBYTES)) {
		m_free(m);
		return ENOBUFS;
	}
	memcpy(m->m_data, c->msg->control, len);
	m->m_len = (int32_t)len;
	*out = m;
	return 0;
}

static void
do_sendmsg(void *arg)
{
	struct message_call *c = arg;
	const struct core_message *msg = c->msg;
	struct sock_call_name name;
	struct mbuf *control;
	struct socket *so = sock_call_hold(c->machine, c->fd, &c->error);

	if (so == NULL)
		return;
	if (msg->name != NULL)
		c->error = sock_call_take_name(&name, msg->name, msg->namelen);
	if (c->error == 0)
		c->error = take_control(c, &control);
	if (c->error == 0) {
		c->error = sosendv(so, msg->name != NULL ? &name.sa : NULL, c->iov, msg->iovcnt,
		    c->len, control, c->flags, &c->done);
		c->error = partly(c->error, c->done);
	}
	so_release(so);
}

int
sock_call_sendmsg(struct nke *m, int fd, const struct core_message *msg, int flags, size_t *done)
{
	struct message_call c = {.machine = m, .fd = fd, .flags = flags,
	    .msg = (struct core_message *)(uintptr_t)msg};
	int error = add_up(&c);

	*done = 0;
	if (error != 0)
		return error;
	error = machine_call(m, do_sendmsg, &c);
	*done = c.done;
	return error != 0 ? error : c.error;
}

/* Descriptors in a message, from byte `from` of their array on, which the program never saw. */
static void
close_unseen(struct nke *m, const struct mbuf *control, size_t from)
{
	struct cmsghdr header;
	size_t at;

	memcpy(&header, control->m_data, sizeof header);
	if (header.cmsg_level != SOL_SOCKET || header.cmsg_type != SCM_RIGHTS)
		return;
	for (at = sizeof header + from; at + sizeof(int) <= header.cmsg_len; at += sizeof(int)) {
		int fd;

		memcpy(&fd, control->m_data + at, sizeof fd);
		(void)fd_close(m, fd);
	}
}

/* How much of a control mbuf of `len` bytes goes into `room`: whole descriptors, or all, or what fits. */
static size_t
fitting(const struct mbuf *m, size_t room)
{
	const size_t head = sizeof(struct cmsghdr);

	if ((size_t)m->m_len <= room)
		return (size_t)m->m_len;
	return room < head ? 0 : head + (room - head) / sizeof(int) * sizeof(int);
}

/* Copies control messages out; the last one is cut when there is no room for all of it. */
static void
give_control(struct message_call *c, struct so_received *r, size_t room)
{
	char *to = c->msg->control;
	size_t written = 0;

	for (struct mbuf *m = r->control; m != NULL; m = m->m_next) {
		size_t n = fitting(m, room - written);

		if ((size_t)m->m_len > n) {
			struct cmsghdr header;

			r->flags |= MSG_CTRUNC;
			close_unseen(c->machine, m, n != 0 ? n - sizeof header : 0);
			if (n != 0) {
				memcpy(&header, m->m_data, sizeof header);
				header.cmsg_len = header.cmsg_len < n ? header.cmsg_len : (socklen_t)n;
				memcpy(m->m_data, &header, sizeof header);
			}
			room = written + n;
		}
		if (n != 0 && to != NULL)
			memcpy(to + written, m->m_data, n);
		written += n;
	}
	c->msg->controllen = (uint32_t)written;
	m_freem(r->control);
}

static void
do_recvmsg(void *arg)
{
	struct message_call *c = arg;
	struct core_message *msg = c->msg;
	size_t room = msg->control != NULL ? msg->controllen : 0;
	struct so_received r;
	struct socket *so = sock_call_hold(c->machine, c->fd, &c->error);

	if (so == NULL)
		return;
	c->error = soreceivev(so, c->iov, msg->iovcnt, c->len,
	    c->flags | (room == 0 ? SO_RECV_NOCONTROL : 0), &r);
	c->done = r.len;
	c->error = partly(c->error, r.len);
	/* Who gets an error sees no control data: what came with them is closed. */
	give_control(c, &r, c->error == 0 ? room : 0);
	msg->flags = r.flags;
	if (c->error == 0)
		sock_call_give_name(&r.from, msg->name, &msg->namelen);
	so_release(so);
}

int
sock_call_recvmsg(struct nke *m, int fd, struct core_message *msg, int flags, size_t *done)
{
	struct message_call c = {.machine = m, .fd = fd, .flags = flags, .msg = msg};
	int error = add_up(&c);

	*done = 0;
	if (error != 0)
		return error;
	error = machine_call(m, do_recvmsg, &c);
	*done = c.done;
	return error != 0 ? error : c.error;
}
