/*
 * Sockets of a machine, for programs of the host.
 *
 * The functions are the host's own with `nke_` in front of their names and the machine as one more first
 * argument, so that code written for the host's sockets moves over by a prefix: addresses, options, control
 * messages, flags and errno values are the host's, and so is the convention: -1 with errno set on failure.
 * A descriptor is a small number that means something in its machine only: it is not one of the host's.
 *
 * Every function may be called from any thread. A call on a socket that has to wait (and is not
 * non-blocking) drives the machine's world in virtual time, in order, until what it waits for has happened:
 * one plain thread can run both ends of a connection. When nothing can ever happen any more, it fails
 * with EDEADLK and the machines' logs say who waits for what.
 *
 * Errors that any of them can give: EBADF (no such descriptor in this machine), EFAULT (the machine has
 * panicked: nke_panic_report()), ENOMEM, ENOBUFS. Further ones are BSD's, listed where they matter.
 */
#ifndef NKE_SOCKET_H
#define NKE_SOCKET_H

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <nke/nke.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * A new socket; its descriptor, the lowest that is free. `domain`: AF_INET, AF_INET6, AF_LOCAL, or one
 * that a kext or the machine brings (NKE_AF_ROUTE, NKE_AF_SYSTEM). `type` may have SOCK_NONBLOCK. TCP is
 * SOCK_STREAM, UDP SOCK_DGRAM, of AF_INET and AF_INET6; a socket of the latter that is not IPV6_V6ONLY
 * speaks IPv4, too, by mapped addresses (::ffff:a.b.c.d).
 *
 * EAFNOSUPPORT, EPROTONOSUPPORT, EPROTOTYPE: there is no such protocol. EMFILE. EPERM: a raw socket, and the
 * calling thread's process is not the superuser's (nke/proc.h). A socket keeps the privilege of who made it.
 */
int nke_socket(nke_t *m, int domain, int type, int protocol);
/* Two that are connected: AF_LOCAL. */
int nke_socketpair(nke_t *m, int domain, int type, int protocol, int s[2]);
/* The same socket by another descriptor; `s` is closed when all of them are. */
int nke_dup(nke_t *m, int s);
/*
 * Gives up a descriptor, and with the last one the socket, after waiting as SO_LINGER says. Calls of other
 * threads that wait in it return EBADF. A TCP connection ends in order in the background: what was sent goes
 * through, then a FIN. With SO_LINGER and a time of 0 it is cut off (RST).
 */
int nke_close(nke_t *m, int s);

/*
 * EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL (bound already, wrong length), EACCES (a port below 1024
 * without privilege).
 */
int nke_bind(nke_t *m, int s, const struct sockaddr *address, socklen_t len);
/*
 * EOPNOTSUPP: no connections with this protocol. EDESTADDRREQ, EINVAL: not bound; connected. A TCP socket
 * that is not bound gets a port of the machine's choice. `backlog`: connections that wait to be accepted;
 * more wait at the other end. 0 or less: as many as kern.ipc.somaxconn says.
 */
int nke_listen(nke_t *m, int s, int backlog);
/*
 * The descriptor of a connection. `address` and `len` may be NULL. EWOULDBLOCK; EINVAL: not listening;
 * ECONNABORTED: it was over before it was accepted.
 */
int nke_accept(nke_t *m, int s, struct sockaddr *address, socklen_t *len);
/*
 * EINPROGRESS: non-blocking and begun. EISCONN, EALREADY, ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH,
 * ENETUNREACH, EADDRNOTAVAIL (also port 0), EAFNOSUPPORT (also a group as TCP's peer), EACCES (a broadcast
 * address as TCP's peer), EADDRINUSE. When poll says POLLOUT, SO_ERROR tells how a non-blocking one went.
 * AF_UNSPEC ends a datagram socket's connection and, as with BSD, fails with EAFNOSUPPORT after it.
 */
int nke_connect(nke_t *m, int s, const struct sockaddr *address, socklen_t len);
/* SHUT_RD, SHUT_WR, SHUT_RDWR. ENOTCONN: not connected, or that side is shut already. EINVAL. */
int nke_shutdown(nke_t *m, int s, int how);
/*
 * `*len` is the room at `address` in bytes before, and the whole address's length after; what does not fit
 * is cut off. getpeername: ENOTCONN; EINVAL: both sides are shut.
 */
int nke_getsockname(nke_t *m, int s, struct sockaddr *address, socklen_t *len);
int nke_getpeername(nke_t *m, int s, struct sockaddr *address, socklen_t *len);

/*
 * Bytes sent. EDESTADDRREQ, EISCONN, ENOTCONN, EPIPE (never SIGPIPE), EMSGSIZE, EWOULDBLOCK, EACCES
 * (broadcast without SO_BROADCAST), EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, EFAULT (no data, but a length) and
 * pending errors. nke_sendto of
 * an unconnected TCP socket connects it: with TCP_FASTOPEN, and a server known, the data go with the SYN.
 */
#ifdef MSG_EOF
#define NKE_MSG_EOF	MSG_EOF
#else
#define NKE_MSG_EOF	0x01000000	/* BSD's: these data are the last; not a flag of such a host's own */
#endif
ssize_t nke_send(nke_t *m, int s, const void *data, size_t len, int flags);
ssize_t nke_sendto(nke_t *m, int s, const void *data, size_t len, int flags,
    const struct sockaddr *to, socklen_t to_len);
ssize_t nke_sendmsg(nke_t *m, int s, const struct msghdr *message, int flags);
ssize_t nke_write(nke_t *m, int s, const void *data, size_t len);

/*
 * Bytes received, 0 at a stream's end. EWOULDBLOCK (also after SO_RCVTIMEO), ENOTCONN, EFAULT (no buffer, but
 * a size), pending errors.
 */
ssize_t nke_recv(nke_t *m, int s, void *buffer, size_t size, int flags);
ssize_t nke_recvfrom(nke_t *m, int s, void *buffer, size_t size, int flags, struct sockaddr *from,
    socklen_t *from_len);
ssize_t nke_recvmsg(nke_t *m, int s, struct msghdr *message, int flags);
ssize_t nke_read(nke_t *m, int s, void *buffer, size_t size);

/*
 * Levels SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_ICMPV6 and IPPROTO_TCP with the host's names; UDP's
 * option has one where the host knows SO_NO_CHECK (SOL_SOCKET). TCP: TCP_NODELAY, TCP_MAXSEG, TCP_CORK
 * (Darwin's TCP_NOPUSH), TCP_KEEPIDLE (TCP_KEEPALIVE), TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT,
 * TCP_NOTSENT_LOWAT, SO_MAX_PACING_RATE (of SOL_SOCKET), TCP_CONGESTION ("cubic", "newreno"), TCP_FASTOPEN,
 * TCP_FASTOPEN_CONNECT, and TCP_INFO in the host's form, as far as the host's <netinet/tcp.h> names its
 * members; not TCP_DEFER_ACCEPT and others of one system alone. Options that only Darwin has are reached by
 * nke_darwin_setsockopt. getsockopt: `*len` is the room at `value` in bytes before and what was written
 * after. ENOPROTOOPT: no such option. EINVAL: too short, or not a value for it. EDOM, ENOBUFS,
 * EADDRNOTAVAIL, EADDRINUSE: as BSD's options say.
 */
int nke_setsockopt(nke_t *m, int s, int level, int name, const void *value, socklen_t len);
int nke_getsockopt(nke_t *m, int s, int level, int name, void *value, socklen_t *len);
/*
 * Of SOL_SOCKET, to be set: attaches a socket filter that a kext has registered. Of the value only the handle
 * counts. EINVAL: no such filter; EEXIST: it is attached; ENOMEM; what its sf_attach returns.
 */
#define NKE_SO_NKE	0x4e4b1021
struct nke_so_nke {
	uint32_t handle;
	uint32_t where;
	int32_t flags;
	uint32_t reserved[4];
};
/* The same with Darwin's level, name and value, as they are in include/Kernel. */
int nke_darwin_setsockopt(nke_t *m, int s, int level, int name, const void *value, socklen_t len);
int nke_darwin_getsockopt(nke_t *m, int s, int level, int name, void *value, socklen_t *len);

/* Non-blocking or not: what fcntl's O_NONBLOCK does. An accepted connection is as its listener is. */
int nke_set_nonblocking(nke_t *m, int s, bool on);
/* Bytes that one read could give: of a stream, all there are; of messages, the next one. Sockets only. */
int nke_readable_bytes(nke_t *m, int s);

/*
 * Waits until one of the descriptors of machine `m` is ready: how many; 0: `timeout_ms` (-1: for ever) has
 * passed. As poll(2): POLLIN, POLLOUT, POLLERR, POLLHUP, POLLNVAL.
 */
int nke_poll(nke_t *m, struct pollfd *fds, nfds_t count, int timeout_ms);

/* ---- readiness for event loops ---------------------------------------------------------------- */

/*
 * A descriptor of the host's that is readable while sockets that are being watched (nke_watch) have become
 * ready and nke_next_ready has not told it: for poll, epoll, kqueue or any event loop. It belongs to the
 * machine. -1 with errno: EMFILE and the like.
 */
int nke_ready_fd(nke_t *m);

/*
 * Watches a socket: when any of `events` (POLLIN, POLLOUT) begins to be true (and right now, if it is),
 * nke_next_ready tells it once. `events` 0: not any more; closing does that, too. `ctx` comes back.
 */
int nke_watch(nke_t *m, int s, short events, void *ctx);

struct nke_ready {
	int s;
	short events;			/* POLLIN, POLLOUT, POLLERR, POLLHUP */
	void *ctx;
};
/* The next one that has become ready: 1, or 0 when there is none. Does not wait. */
int nke_next_ready(nke_t *m, struct nke_ready *ready);

/* Address families without a number on every host. */
#define NKE_AF_ROUTE	0x4e4b0011	/* routing messages (SOCK_RAW) */
#define NKE_AF_SYSTEM	0x4e4b0020	/* kernel control and kernel events: nke/control.h */

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
