/*
 * Sockets, as nke/socket.h offers them: system calls of the machine (src/kern/sockcalls.h) with the host's
 * addresses, options and errors. What differs between the two is in darwin.c and darwin_socket.c; readiness
 * for event loops is in ready.c.
 */
#include <nke/control.h>

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "src/host/darwin.h"
#include "src/host/darwin_socket.h"
#include "src/host/machine.h"
#include "src/host/ready.h"
#include "src/kern/sockcalls.h"

#define CONTROL_MAX	4096u		/* bytes of control messages of one call */
#define OPTION_ROOM	4096u		/* bytes of an option's value */

/* ---- results ------------------------------------------------------------------------------ */

static int
fail(int host_error)
{
	errno = host_error;
	return -1;
}

/* 0, or -1 with errno. */
static int
result(nke_t *m, int darwin_error)
{
	return nke_core_errno(m, darwin_error);
}

/* A number that the call gives, or -1 with errno. */
static int
number(nke_t *m, int darwin_error, int n)
{
	return darwin_error == 0 ? n : result(m, darwin_error);
}

static ssize_t
bytes(nke_t *m, int darwin_error, size_t n)
{
	return darwin_error == 0 ? (ssize_t)n : result(m, darwin_error);
}

/* ---- addresses ---------------------------------------------------------------------------- */

struct name {
	uint8_t bytes[DARWIN_SOCKADDR_MAX];
	uint32_t len;
};

/* 0, or a host errno. */
static int
name_from_host(const struct sockaddr *sa, socklen_t len, struct name *n)
{
	if (sa == NULL || len < sizeof sa->sa_family)
		return EINVAL;
	n->len = (uint32_t)darwin_sockaddr_from_host(sa, len, n->bytes, sizeof n->bytes);
	if (n->len != 0)
		return 0;
	if (sa->sa_family == AF_UNSPEC) {	/* ends a connection */
		memset(n->bytes, 0, 16);
		n->bytes[0] = 16;
		n->len = 16;
		return 0;
	}
	return sa->sa_family == AF_INET || sa->sa_family == AF_INET6 || sa->sa_family == AF_LOCAL ||
	    sa->sa_family == (sa_family_t)NKE_AF_SYSTEM ? EINVAL : EAFNOSUPPORT;
}

/* `len` may be NULL when `sa` is. What does not fit is cut off, as the host does. */
static void
name_to_host(const struct name *n, struct sockaddr *sa, socklen_t *len)
{
	struct sockaddr_storage ss;
	socklen_t full;

	if (sa == NULL || len == NULL)
		return;
	full = n->len != 0 ? darwin_sockaddr_to_host(n->bytes, n->len, &ss) : 0;
	memcpy(sa, &ss, full < *len ? full : *len);
	*len = full;
}

/* ---- life --------------------------------------------------------------------------------- */

/* Flags that some hosts take with the type; CLOEXEC means nothing here. */
#ifdef SOCK_NONBLOCK
#define TYPE_NONBLOCK	SOCK_NONBLOCK
#define TYPE_FLAGS	(SOCK_NONBLOCK | SOCK_CLOEXEC)
#else
#define TYPE_NONBLOCK	0
#define TYPE_FLAGS	0
#endif

int
nke_socket(nke_t *m, int domain, int type, int protocol)
{
	int family = darwin_family_from_host(domain), fd, error;

	if (family < 0)
		return fail(EAFNOSUPPORT);
	error = sock_call_socket(m->core, family, type & ~TYPE_FLAGS, protocol, &fd);
	if (error == 0 && (type & TYPE_NONBLOCK))
		error = file_call_set_nonblocking(m->core, fd, true);
	return number(m, error, fd);
}

int
nke_socketpair(nke_t *m, int domain, int type, int protocol, int s[2])
{
	int family = darwin_family_from_host(domain), error;

	if (family < 0)
		return fail(EAFNOSUPPORT);
	error = sock_call_socketpair(m->core, family, type & ~TYPE_FLAGS, protocol, s);
	for (int i = 0; error == 0 && (type & TYPE_NONBLOCK) && i < 2; i++)
		error = file_call_set_nonblocking(m->core, s[i], true);
	return result(m, error);
}

int
nke_dup(nke_t *m, int s)
{
	int fd, error = file_call_dup(m->core, s, 0, &fd);

	return number(m, error, fd);
}

int
nke_close(nke_t *m, int s)
{
	nke_unwatch(m, s);
	return result(m, file_call_close(m->core, s));
}

/* ---- names and connections ---------------------------------------------------------------- */

int
nke_bind(nke_t *m, int s, const struct sockaddr *address, socklen_t len)
{
	struct name n;
	int error = name_from_host(address, len, &n);

	return error != 0 ? fail(error) : result(m, sock_call_bind(m->core, s, n.bytes, n.len));
}

int
nke_connect(nke_t *m, int s, const struct sockaddr *address, socklen_t len)
{
	struct name n;
	int error = name_from_host(address, len, &n);

	return error != 0 ? fail(error) : result(m, sock_call_connect(m->core, s, n.bytes, n.len));
}

int
nke_listen(nke_t *m, int s, int backlog)
{
	return result(m, sock_call_listen(m->core, s, backlog));
}

int
nke_accept(nke_t *m, int s, struct sockaddr *address, socklen_t *len)
{
	struct name n = {.len = sizeof n.bytes};
	int fd, error = sock_call_accept(m->core, s, n.bytes, &n.len, &fd);

	if (error == 0)
		name_to_host(&n, address, len);
	return number(m, error, fd);
}

int
nke_shutdown(nke_t *m, int s, int how)
{
	return result(m, sock_call_shutdown(m->core, s, how));
}

int
nke_getsockname(nke_t *m, int s, struct sockaddr *address, socklen_t *len)
{
	struct name n = {.len = sizeof n.bytes};
	int error = sock_call_getsockname(m->core, s, n.bytes, &n.len);

	if (error == 0)
		name_to_host(&n, address, len);
	return result(m, error);
}

int
nke_getpeername(nke_t *m, int s, struct sockaddr *address, socklen_t *len)
{
	struct name n = {.len = sizeof n.bytes};
	int error = sock_call_getpeername(m->core, s, n.bytes, &n.len);

	if (error == 0)
		name_to_host(&n, address, len);
	return result(m, error);
}

/* ---- sending ------------------------------------------------------------------------------ */

ssize_t
nke_sendto(nke_t *m, int s, const void *data, size_t len, int flags, const struct sockaddr *to,
    socklen_t to_len)
{
	int darwin_flags = message_flags_from_host(flags), error;
	struct name n = {.len = 0};
	size_t done = 0;

	if (darwin_flags < 0)
		return fail(EOPNOTSUPP);
	if (data == NULL && len != 0)
		return fail(EFAULT);
	if (to != NULL && (error = name_from_host(to, to_len, &n)) != 0)
		return fail(error);
	error = sock_call_sendto(m->core, s, data, len, darwin_flags, to != NULL ? n.bytes : NULL, n.len,
	    &done);
	return bytes(m, error, done);
}

ssize_t
nke_send(nke_t *m, int s, const void *data, size_t len, int flags)
{
	return nke_sendto(m, s, data, len, flags, NULL, 0);
}

/* struct iovec and struct core_iovec have the same members. */
_Static_assert(sizeof(struct iovec) == sizeof(struct core_iovec) &&
    offsetof(struct iovec, iov_base) == offsetof(struct core_iovec, base) &&
    offsetof(struct iovec, iov_len) == offsetof(struct core_iovec, len), "pieces are passed as they are");

/* Too many pieces stay too many. */
static unsigned
pieces(const struct msghdr *message)
{
	size_t n = (size_t)message->msg_iovlen;

	return n > UINT_MAX ? UINT_MAX : (unsigned)n;
}

ssize_t
nke_sendmsg(nke_t *m, int s, const struct msghdr *message, int flags)
{
	struct core_message core = {
		.iov = (const struct core_iovec *)(const void *)message->msg_iov,
		.iovcnt = pieces(message),
	};
	int darwin_flags = message_flags_from_host(flags), error;
	uint8_t control[CONTROL_MAX];
	struct name n;
	size_t done = 0;

	if (darwin_flags < 0)
		return fail(EOPNOTSUPP);
	if (message->msg_name != NULL) {
		error = name_from_host(message->msg_name, message->msg_namelen, &n);
		if (error != 0)
			return fail(error);
		core.name = n.bytes;
		core.namelen = n.len;
	}
	if (message->msg_control != NULL && message->msg_controllen != 0) {
		ptrdiff_t used = control_from_host(message, control, sizeof control);

		if (used < 0)
			return -1;
		core.control = control;
		core.controllen = (uint32_t)used;
	}
	error = sock_call_sendmsg(m->core, s, &core, darwin_flags, &done);
	return bytes(m, error, done);
}

/* ---- receiving ---------------------------------------------------------------------------- */

ssize_t
nke_recvfrom(nke_t *m, int s, void *buffer, size_t size, int flags, struct sockaddr *from,
    socklen_t *from_len)
{
	int darwin_flags = message_flags_from_host(flags), error;
	struct name n = {.len = sizeof n.bytes};
	size_t done = 0;

	if (darwin_flags < 0)
		return fail(EOPNOTSUPP);
	if (buffer == NULL && size != 0)
		return fail(EFAULT);
	error = sock_call_recvfrom(m->core, s, buffer, size, darwin_flags, from != NULL ? n.bytes : NULL,
	    from != NULL ? &n.len : NULL, &done);
	if (error == 0 && from != NULL)
		name_to_host(&n, from, from_len);
	return bytes(m, error, done);
}

ssize_t
nke_recv(nke_t *m, int s, void *buffer, size_t size, int flags)
{
	return nke_recvfrom(m, s, buffer, size, flags, NULL, NULL);
}

static void
close_unseen(void *machine, int s)
{
	(void)nke_close(machine, s);
}

ssize_t
nke_recvmsg(nke_t *m, int s, struct msghdr *message, int flags)
{
	bool wants_control = message->msg_control != NULL && message->msg_controllen != 0;
	int darwin_flags = message_flags_from_host(flags), error;
	struct name n = {.len = sizeof n.bytes};
	uint8_t control[CONTROL_MAX];
	struct core_message core = {
		.name = message->msg_name != NULL ? n.bytes : NULL,
		.namelen = message->msg_name != NULL ? n.len : 0,
		.iov = (const struct core_iovec *)(const void *)message->msg_iov,
		.iovcnt = pieces(message),
		.control = wants_control ? control : NULL,
		.controllen = wants_control ? sizeof control : 0,
	};
	size_t done = 0;

	if (darwin_flags < 0)
		return fail(EOPNOTSUPP);
	error = sock_call_recvmsg(m->core, s, &core, darwin_flags, &done);
	if (error != 0)
		return result(m, error);
	message->msg_flags = message_flags_to_host(core.flags);
	if (message->msg_name != NULL) {
		n.len = core.namelen;
		name_to_host(&n, message->msg_name, &message->msg_namelen);
	}
	if (wants_control) {
		size_t given = control_to_host(control, core.controllen, message);

		/* Descriptors that the program does not learn of would stay open for ever. */
		if (given < core.controllen)
			control_descriptors(control + given, core.controllen - given, close_unseen, m);
	} else {
		message->msg_controllen = 0;
	}
	return (ssize_t)done;
}

/* ---- options ------------------------------------------------------------------------------ */

int
nke_darwin_setsockopt(nke_t *m, int s, int level, int name, const void *value, socklen_t len)
{
	return result(m, sock_call_setsockopt(m->core, s, level, name, value, len));
}

int
nke_darwin_getsockopt(nke_t *m, int s, int level, int name, void *value, socklen_t *len)
{
	uint32_t size = *len;
	int error = sock_call_getsockopt(m->core, s, level, name, value, &size);

	if (error == 0)
		*len = size;
	return result(m, error);
}

int
nke_setsockopt(nke_t *m, int s, int level, int name, const void *value, socklen_t len)
{
	const struct socket_option *o = socket_option_find(level, name);
	uint8_t darwin[OPTION_ROOM];
	struct filter_sources sources;
	size_t size = sizeof darwin;
	int error;

	if (level == NKE_SYSPROTO_CONTROL)
		return nke_darwin_setsockopt(m, s, level, name, value, len);
	if (o == NULL)
		return fail(ENOPROTOOPT);
	if (value == NULL && len != 0)
		return fail(EINVAL);
	error = socket_option_is_filter(o) ? filter_from_host(o, value, len, &sources, darwin, &size) :
	    socket_option_from_host(o, value, len, darwin, &size);
	if (error != 0)
		return fail(error);
	return nke_darwin_setsockopt(m, s, o->level, o->name, darwin, (socklen_t)size);
}

/* MCAST_MSFILTER, IP_MSFILTER: the value says what is asked for. */
static int
get_filter(nke_t *m, int s, const struct socket_option *o, void *value, socklen_t *len)
{
	uint8_t darwin[OPTION_ROOM];
	struct filter_sources sources;
	size_t size = sizeof darwin;
	socklen_t got;
	int error = filter_from_host(o, value, *len, &sources, darwin, &size);

	if (error != 0)
		return fail(error);
	got = (socklen_t)size;
	if (nke_darwin_getsockopt(m, s, o->level, o->name, darwin, &got) != 0)
		return -1;
	filter_to_host(o, darwin, &sources, value, len);
	return 0;
}

int
nke_getsockopt(nke_t *m, int s, int level, int name, void *value, socklen_t *len)
{
	const struct socket_option *o = socket_option_find(level, name);
	uint8_t darwin[OPTION_ROOM];
	socklen_t size = o != NULL && o->kind == OPTION_SAME && *len < sizeof darwin ? *len : sizeof darwin;

	if (level == NKE_SYSPROTO_CONTROL)
		return nke_darwin_getsockopt(m, s, level, name, value, len);
	if (o == NULL)
		return fail(ENOPROTOOPT);
	if (socket_option_is_filter(o))
		return get_filter(m, s, o, value, len);
	if (nke_darwin_getsockopt(m, s, o->level, o->name, darwin, &size) != 0)
		return -1;
	return socket_option_to_host(o, darwin, size, value, len);
}

int
nke_set_nonblocking(nke_t *m, int s, bool on)
{
	return result(m, file_call_set_nonblocking(m->core, s, on));
}

int
nke_readable_bytes(nke_t *m, int s)
{
	const int sol_socket = 0xffff, so_nread = 0x1020;	/* Darwin's FIONREAD counts addresses, too */
	int n = 0;
	socklen_t len = sizeof n;

	return nke_darwin_getsockopt(m, s, sol_socket, so_nread, &n, &len) == 0 ? n : -1;
}

/* ---- waiting for many --------------------------------------------------------------------- */

unsigned
ready_from_poll(short events)
{
	return (events & POLLIN ? CORE_READY_READ : 0u) | (events & POLLOUT ? CORE_READY_WRITE : 0u) |
	    (events & POLLPRI ? CORE_READY_URGENT : 0u);
}

short
ready_to_poll(unsigned ready)
{
	return (short)((ready & CORE_READY_READ ? POLLIN : 0) | (ready & CORE_READY_WRITE ? POLLOUT : 0) |
	    (ready & CORE_READY_ERROR ? POLLERR : 0) | (ready & CORE_READY_HANGUP ? POLLHUP : 0) |
	    (ready & CORE_READY_URGENT ? POLLPRI : 0) | (ready & CORE_READY_INVALID ? POLLNVAL : 0));
}

#define POLL_FEW	16u

int
nke_poll(nke_t *m, struct pollfd *fds, nfds_t count, int timeout_ms)
{
	struct core_pollfd few[POLL_FEW], *core = few;
	unsigned found = 0;
	int error;

	if (count > UINT32_MAX / sizeof *core)
		return fail(EINVAL);
	if (count > POLL_FEW && (core = calloc(count, sizeof *core)) == NULL)
		return fail(ENOMEM);
	for (nfds_t i = 0; i < count; i++)
		core[i] = (struct core_pollfd){.fd = fds[i].fd, .want = ready_from_poll(fds[i].events)};
	error = file_call_poll(m->core, core, (unsigned)count,
	    timeout_ms < 0 ? -1 : (int64_t)timeout_ms * 1000000, &found);
	for (nfds_t i = 0; error == 0 && i < count; i++)
		fds[i].revents = ready_to_poll(core[i].ready);
	if (core != few)
		free(core);
	return number(m, error, (int)found);
}
