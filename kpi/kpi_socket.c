/*
 * sys/kpi_socket.h: what a kext does with a socket. The socket layer is src/kern/uipc_*.c; upcalls and who
 * owns what are in src/kern/uipc_kext.c.
 *
 * The interface leaves it to the kext to keep the socket alive. Here every call holds a reference all the
 * same, so that a socket that is closed meanwhile ends the call (EBADF) and not the machine.
 */
#include <string.h>
#include <sys/kpi_socket.h>
#include <sys/uio.h>

#include "src/kern/kpi_rule.h"
#include "src/kern/socketvar.h"

#define CALLER	__builtin_return_address(0)

/* Every function locks the socket, which can make it wait. */
#define RULES	(KPI_SLEEPS | KPI_LOCKS_SOCKET)

/* A message's ancillary data, in bytes. */
#define CONTROL_LEAST	sizeof(struct cmsghdr)
#define CONTROL_MOST	MLEN

/* Seconds of sock_connectwait. Interface fact: as many ticks, of which there are 100, as a short can tell. */
#define WAIT_MOST	(INT16_MAX / 100)

static inline errno_t
done(struct socket *so, errno_t error)
{
	so_release(so);
	return error;
}

/* ---- making and ending -------------------------------------------------------------------- */

/* The socket becomes the kext's, or is closed. */
static errno_t
hand_over(struct socket *so, sock_upcall callback, void *cookie, void *pc, socket_t *out)
{
	errno_t error = so_adopt(so, pc);

	if (error == 0 && callback != NULL)
		error = so_set_upcall(so, callback, cookie);
	if (error != 0) {
		(void)soclose(so);
		return error;
	}
	*out = so;
	return 0;
}

errno_t
sock_socket(int domain, int type, int protocol, sock_upcall callback, void *cookie,
    socket_t *new_so)
{
	struct socket *so;
	errno_t error;

	KPI_RULES(RULES, NULL);
	if (new_so == NULL)
		return EINVAL;
	error = socreate(curmachine(), domain, type, protocol, &so);
	return error != 0 ? error : hand_over(so, callback, cookie, CALLER, new_so);
}

errno_t
sock_accept(socket_t so, struct sockaddr *from, int fromlen, int flags, sock_upcall callback,
    void *cookie, socket_t *new_so)
{
	struct sockaddr_storage peer;
	struct socket *new;
	errno_t error;

	KPI_RULES(RULES, so);
	if (so == NULL || new_so == NULL || !(so->so_options & SO_ACCEPTCONN))
		return EINVAL;
	if (flags & ~MSG_DONTWAIT)
		return ENOTSUP;
	so_retain(so);
	error = soaccept(so, flags, &peer, &new);
	if (error == 0)
		error = hand_over(new, callback, cookie, CALLER, new_so);
	if (error == 0 && from != NULL && fromlen > 0)
		memcpy(from, &peer, fromlen < peer.ss_len ? (size_t)fromlen : peer.ss_len);
	return done(so, error);
}

void
sock_close(socket_t so)
{
	KPI_RULES(RULES, so);
	if (so == NULL)
		return;
	(void)so_set_upcall(so, NULL, NULL);
	if (so->so_usecount > 1 && so->so_retaincnt == 0)
		so_drain(so);
	(void)soclose(so);
}

errno_t
sock_shutdown(socket_t so, int how)
{
	KPI_RULES(RULES, so);
	if (so == NULL)
		return EINVAL;
	so_retain(so);
	return done(so, soshutdown(so, how));
}

void
sock_retain(socket_t so)
{
	KPI_RULES(RULES, so);
	if (so != NULL)
		so_keep(so, CALLER);
}

void
sock_release(socket_t so)
{
	KPI_RULES(RULES, so);
	if (so != NULL)
		so_unkeep(so);
}

/* ---- names and connections ---------------------------------------------------------------- */

/* A whole address, as protocols expect it. */
static errno_t
take_name(struct sockaddr_storage *ss, const struct sockaddr *sa)
{
	if (sa->sa_len > sizeof *ss)
		return ENOBUFS;
	memset(ss, 0, sizeof *ss);
	memcpy(ss, sa, sa->sa_len);
	return 0;
}

#define NAME(ss)	((struct sockaddr *)(void *)(ss))

errno_t
sock_bind(socket_t so, const struct sockaddr *to)
{
	struct sockaddr_storage name;
	errno_t error;

	KPI_RULES(RULES, so);
	if (so == NULL || to == NULL)
		return EINVAL;
	so_retain(so);
	error = take_name(&name, to);
	return done(so, error != 0 ? error : sobind(so, NAME(&name)));
}

errno_t
sock_connect(socket_t so, const struct sockaddr *to, int flags)
{
	struct sockaddr_storage name;
	errno_t error;

	KPI_RULES(RULES, so);
	if (so == NULL || to == NULL)
		return EINVAL;
	so_retain(so);
	error = take_name(&name, to);
	return done(so, error != 0 ? error : soconnect(so, NAME(&name), flags));
}

errno_t
sock_connectwait(socket_t so, const struct timeval *tv)
{
	uint64_t wait;
	errno_t error;

	KPI_RULES(RULES, so);
	if (so == NULL || tv == NULL)
		return EINVAL;
	if (so->so_error == 0 && !(so->so_state & (SS_ISCONNECTING | SS_ISCONNECTED)))
		return EINVAL;
	if (tv->tv_sec < 0 || tv->tv_sec > WAIT_MOST || tv->tv_usec < 0 || tv->tv_usec >= 1000000)
		return EDOM;
	wait = (uint64_t)tv->tv_sec * NSEC_PER_SEC + (uint64_t)tv->tv_usec * NSEC_PER_USEC;
	so_retain(so);
	error = soconnectwait(so, wait != 0 ? machine_now(sotomachine(so)) + wait : 0);
	return done(so, error == EWOULDBLOCK ? EINPROGRESS : error);
}

errno_t
sock_listen(socket_t so, int backlog)
{
	KPI_RULES(RULES, so);
	if (so == NULL)
		return EINVAL;
	so_retain(so);
	return done(so, solisten(so, backlog));
}

/* Interface fact: the protocol alone is asked, no filter sees it. */
static errno_t
give_name(struct socket *so, errno_t (*get)(struct socket *, struct sockaddr_storage *),
    struct sockaddr *to, int len)
{
	struct sockaddr_storage name = {.ss_len = 0};
	errno_t error;

	if (get == NULL)
		return EOPNOTSUPP;
	so_retain(so);
	error = get(so, &name);
	if (error == 0)
		memcpy(to, &name, len < name.ss_len ? (size_t)len : name.ss_len);
	return done(so, error);
}

errno_t
sock_getpeername(socket_t so, struct sockaddr *peername, int peernamelen)
{
	KPI_RULES(RULES, so);
	if (so == NULL || peername == NULL || peernamelen < 0)
		return EINVAL;
	if (!(so->so_state & SS_ISCONNECTED))
		return ENOTCONN;
	return give_name(so, so->so_proto->pr_usrreqs->pru_peeraddr, peername, peernamelen);
}

errno_t
sock_getsockname(socket_t so, struct sockaddr *sockname, int socknamelen)
{
	KPI_RULES(RULES, so);
	if (so == NULL || sockname == NULL || socknamelen < 0)
		return EINVAL;
	return give_name(so, so->so_proto->pr_usrreqs->pru_sockaddr, sockname, socknamelen);
}

/* ---- options and state -------------------------------------------------------------------- */

errno_t
sock_getsockopt(socket_t so, int level, int optname, void *optval, int *optlen)
{
	struct sockopt sopt = {SOPT_GET, level, optname, optval, 0};
	errno_t error;

	KPI_RULES(RULES, so);
	if (so == NULL || optval == NULL || optlen == NULL || *optlen < 0)
		return EINVAL;
	so_retain(so);
	sopt.sopt_valsize = (size_t)*optlen;
	error = sogetopt(so, &sopt);
	if (error == 0)
		*optlen = (int)sopt.sopt_valsize;
	return done(so, error);
}

errno_t
sock_setsockopt(socket_t so, int level, int optname, const void *optval, int optlen)
{
	struct sockopt sopt = {SOPT_SET, level, optname, (void *)(uintptr_t)optval, 0};

	KPI_RULES(RULES, so);
	if (so == NULL || optval == NULL || optlen < 0)
		return EINVAL;
	so_retain(so);
	sopt.sopt_valsize = (size_t)optlen;
	return done(so, sosetopt(so, &sopt));
}

errno_t
sock_ioctl(socket_t so, unsigned long request, void *argp)
{
	KPI_RULES(RULES, so);
	so_retain(so);
	return done(so, soioctl(so, request, argp));
}

errno_t
sock_gettype(socket_t so, int *domain, int *type, int *protocol)
{
	KPI_RULES(RULES, so);
	if (domain != NULL)
		*domain = so->so_family;
	if (type != NULL)
		*type = so->so_type;
	if (protocol != NULL)
		*protocol = so->so_proto->pr_protocol;
	return 0;
}

int
sock_isconnected(socket_t so)
{
	KPI_RULES(RULES, so);
	return (so->so_state & SS_ISCONNECTED) != 0;
}

int
sock_isnonblocking(socket_t so)
{
	KPI_RULES(RULES, so);
	return (so->so_state & SS_NBIO) != 0;
}

errno_t
sock_setupcall(socket_t so, sock_upcall callback, void *cookie)
{
	KPI_RULES(RULES, so);
	return so == NULL ? EINVAL : so_set_upcall(so, callback, cookie);
}

/* There are no signals here, so that no wait is ever interrupted. */
errno_t
sock_nointerrupt(socket_t so, int on)
{
	KPI_RULES(RULES, so);
	(void)on;
	return so == NULL ? EINVAL : 0;
}

errno_t
sock_setpriv(socket_t so, int on)
{
	KPI_RULES(RULES, so);
	if (so == NULL)
		return EINVAL;
	so->so_state = (uint16_t)(on != 0 ? so->so_state | SS_PRIV : so->so_state & ~SS_PRIV);
	return 0;
}

/* ---- data --------------------------------------------------------------------------------- */

/* The bytes of all pieces. EINVAL: more than an int can tell. */
static errno_t
add_up(const struct msghdr *msg, size_t *total)
{
	*total = 0;
	for (int i = 0; i < msg->msg_iovlen; i++) {
		if (msg->msg_iov[i].iov_len > INT32_MAX - *total)
			return EINVAL;
		*total += msg->msg_iov[i].iov_len;
	}
	return 0;
}

/* What the kext has no room for is cut off. */
static void
give_control(struct msghdr *msg, const struct mbuf *m)
{
	char *to = msg->msg_control;
	size_t room = msg->msg_controllen;

	for (; m != NULL; m = m->m_next) {
		size_t n = (size_t)m->m_len;

		if (n > room) {
			msg->msg_flags |= MSG_CTRUNC;
			n = room;
		}
		memcpy(to, m->m_data, n);
		to += n;
		room -= n;
	}
	msg->msg_controllen -= (socklen_t)room;
}

/* What comes with the data. */
static void
give_message(struct msghdr *msg, const struct so_received *r)
{
	msg->msg_flags = r->flags;
	if (msg->msg_name != NULL && r->from.ss_len != 0) {
		if (msg->msg_namelen > r->from.ss_len)
			msg->msg_namelen = r->from.ss_len;
		memcpy(msg->msg_name, &r->from, msg->msg_namelen);
	}
	if (msg->msg_control != NULL)
		give_control(msg, r->control);
}

static inline int
receive_flags(const struct msghdr *msg, int flags)
{
	return msg != NULL && msg->msg_control != NULL ? flags : flags | SO_RECV_NOCONTROL;
}

errno_t
sock_receive(socket_t so, struct msghdr *msg, int flags, size_t *recvdlen)
{
	struct so_received r;
	size_t size;
	errno_t error;

	KPI_RULES(RULES, so);
	if (so == NULL || msg == NULL || msg->msg_iov == NULL || msg->msg_iovlen < 1 ||
	    msg->msg_iov[0].iov_len == 0 || msg->msg_iov[0].iov_base == NULL)
		return EINVAL;
	error = add_up(msg, &size);
	if (error != 0)
		return error;
	so_retain(so);
	error = soreceivev(so, msg->msg_iov, (unsigned)msg->msg_iovlen, size, receive_flags(msg, flags),
	    &r);
	if (error == 0) {
		give_message(msg, &r);
		if (recvdlen != NULL)
			*recvdlen = r.len;
	}
	m_freem(r.control);
	return done(so, error);
}

errno_t
sock_receivembuf(socket_t so, struct msghdr *msg, mbuf_t *data, int flags, size_t *recvlen)
{
	struct so_received r;
	errno_t error;

	KPI_RULES(RULES, so);
	if (so == NULL || data == NULL || recvlen == NULL || *recvlen == 0 ||
	    (msg != NULL && (msg->msg_iov != NULL || msg->msg_iovlen != 0)))
		return EINVAL;
	so_retain(so);
	/* Kexts that take what there is ask for more than a packet can tell. */
	error = soreceive(so, NULL, *recvlen < INT32_MAX ? *recvlen : INT32_MAX, receive_flags(msg, flags),
	    &r);
	*data = r.data;
	if (error == 0) {
		if (msg != NULL)
			give_message(msg, &r);
		*recvlen = r.len;
	}
	m_freem(r.control);
	return done(so, error);
}

/* EINVAL: a size that ancillary data cannot have; ENOMEM. */
static errno_t
take_control(const struct msghdr *msg, struct mbuf **control)
{
	struct mbuf *m;

	*control = NULL;
	if (msg == NULL || msg->msg_control == NULL)
		return 0;
	if (msg->msg_controllen < CONTROL_LEAST || msg->msg_controllen > CONTROL_MOST)
		return EINVAL;
	m = m_get(curmachine(), MBUF_DONTWAIT, MBUF_TYPE_CONTROL);
	if (m == NULL)
		return ENOMEM;
	memcpy(m->m_data, msg->msg_control, msg->msg_controllen);
	m->m_len = (int32_t)msg->msg_controllen;
	*control = m;
	return 0;
}

/* Of the pieces of `msg`, or of `top`, which is consumed in any case. */
static errno_t
send_any(struct socket *so, const struct msghdr *msg, struct mbuf *top, size_t size, int flags,
    size_t *sentlen)
{
	struct sockaddr_storage name;
	const struct sockaddr *to = NULL;
	struct mbuf *control;
	size_t sent = 0;
	errno_t error = take_control(msg, &control);

	if (error == 0 && msg != NULL && msg->msg_name != NULL) {
		error = take_name(&name, msg->msg_name);
		to = NAME(&name);
	}
	if (error != 0) {
		m_freem(top);
		m_freem(control);
		return error;
	}
	if (top != NULL) {
		error = sosend(so, to, NULL, 0, top, control, flags, &sent);
	} else {
		error = sosendv(so, to, msg->msg_iov, (unsigned)msg->msg_iovlen, size, control, flags,
		    &sent);
		if (sent != 0 && (error == EINTR || error == EWOULDBLOCK || error == EDEADLK))
			error = 0;
	}
	if (sentlen != NULL)
		*sentlen = sent;
	return error;
}

errno_t
sock_send(socket_t so, const struct msghdr *msg, int flags, size_t *sentlen)
{
	size_t size;
	errno_t error;

	KPI_RULES(RULES, so);
	if (sentlen != NULL)
		*sentlen = 0;
	if (so == NULL || msg == NULL || msg->msg_iov == NULL || msg->msg_iovlen < 1)
		return EINVAL;
	error = add_up(msg, &size);
	if (error != 0)
		return error;
	so_retain(so);
	return done(so, send_any(so, msg, NULL, size, flags, sentlen));
}

errno_t
sock_sendmbuf(socket_t so, const struct msghdr *msg, mbuf_t data, int flags, size_t *sentlen)
{
	KPI_RULES(RULES, so);
	if (sentlen != NULL)
		*sentlen = 0;
	if (so == NULL || data == NULL || !(data->m_flags & M_PKTHDR) ||
	    (msg != NULL && (msg->msg_iov != NULL || msg->msg_iovlen != 0))) {
		m_freem(data);
		return EINVAL;
	}
	so_retain(so);
	return done(so, send_any(so, msg, data, 0, flags, sentlen));
}
