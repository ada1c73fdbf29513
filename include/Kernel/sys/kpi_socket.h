/*
 * In-kernel sockets: what a program does with a socket, from a kext, with kernel pointers and
 * kernel credentials. For kexts that talk to the network themselves; a socket filter uses a few of
 * these calls (sock_gettype, sock_getsockname ...) on the sockets it is attached to.
 *
 * None of these calls takes a reference: the caller keeps the socket alive. Unless noted, each
 * locks the socket and may sleep: thread context, no spin lock held; all are legal in socket filter
 * callbacks, which run with the socket unlocked (exceptions at sf_attach_func). "Pending error" is
 * the socket's so_error, returned once and cleared.
 */
#ifndef __KPI_SOCKET__
#define __KPI_SOCKET__

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/kernel_types.h>
#include <sys/socket.h>

struct timeval;

__BEGIN_DECLS

/*
 * Called when there may be something to do: data to read, a connection to accept, connected,
 * disconnecting, disconnected, nothing more to be received. Only the receiving side has it: space
 * to send, or the end of sending alone, is not told. `cookie` is what sock_socket or sock_accept
 * was given, waitf is MBUF_DONTWAIT. Runs in the thread that brought it about, often the network's
 * input thread, without the socket lock; several calls can overlap. It must not block; it may
 * receive and send with MSG_DONTWAIT, or wake a thread that does. sock_close does not wait for it
 * unless SO_UPCALLCLOSEWAIT is set: until then the kext has to count its own upcalls before it is
 * unloaded. Since 10.4; semantics 1.2.
 */
typedef void (*sock_upcall)(socket_t so, void *cookie, int waitf);

/*
 * Makes a socket; callback (may be NULL) is called with cookie when there is something to receive.
 * The caller owns *new_so and closes it with sock_close. Global socket filters are attached during
 * the call.
 * Returns EINVAL if new_so is NULL; EAFNOSUPPORT, EPROTONOSUPPORT or EPROTOTYPE if there is no
 * such protocol; ENOBUFS, ENOMEM; the protocol's own errors. May sleep. Since 10.4; semantics 1.2.
 */
errno_t sock_socket(int domain, int type, int protocol, sock_upcall callback, void *cookie,
    socket_t *new_so);

/*
 * Takes a completed connection from a listening socket, waiting for one unless the socket is
 * non-blocking or flags is MSG_DONTWAIT, the only flag there is. The caller owns *new_so. The
 * peer's address, cut to fromlen bytes, is stored at `from` (NULL: don't care). callback and
 * cookie are as with sock_socket.
 * Returns EINVAL if so or new_so is NULL or so does not listen; ENOTSUP for other flags;
 * EWOULDBLOCK; ECONNABORTED if the listener was shut; EINTR; a pending error; what a filter's
 * sf_accept returned (the connection is closed then). May sleep. Since 10.4; semantics 1.2.
 */
errno_t sock_accept(socket_t so, struct sockaddr *from, int fromlen, int flags,
    sock_upcall callback, void *cookie, socket_t *new_so);

/*
 * Gives the socket a local address, which is copied. Runs sf_bind of filters.
 * Returns EINVAL if an argument is NULL or the socket is defunct; ENOBUFS; the filters' error;
 * EADDRINUSE, EADDRNOTAVAIL, EACCES and other errors of the protocol. May sleep. Since 10.4;
 * semantics 1.2.
 */
errno_t sock_bind(socket_t so, const struct sockaddr *to);

/*
 * Connects to an address, which is copied; waits until it is done unless the socket is
 * non-blocking or flags has MSG_DONTWAIT. Runs sf_connect_out of filters.
 * Returns EINVAL if an argument is NULL; EINPROGRESS: begun, non-blocking; EALREADY: still going
 * on; EISCONN; EOPNOTSUPP if it listens or is defunct; EPERM; ENOBUFS; EINTR; the filters' error;
 * a pending error, such as ECONNREFUSED or ETIMEDOUT. May sleep. Since 10.4; semantics 1.2.
 */
errno_t sock_connect(socket_t so, const struct sockaddr *to, int flags);

/*
 * Makes the socket listen. backlog is the number of connections that may wait; 0 or less, or more
 * than the system allows, means as many as it allows. Runs sf_listen of filters.
 * Returns EINVAL if so is NULL, connected, connecting or defunct; EOPNOTSUPP if the protocol has
 * no connections; EPERM; the filters' error. May sleep. Since 10.4; semantics 1.2.
 */
errno_t sock_listen(socket_t so, int backlog);

/*
 * Closes a socket from sock_socket or sock_accept; it must not be used afterwards. Can linger.
 * NULL is allowed. Does not wait for a running upcall (see sock_upcall). May sleep. Since 10.4;
 * semantics 1.2.
 */
void sock_close(socket_t so);

/*
 * Shuts one direction or both: SHUT_RD, SHUT_WR, SHUT_RDWR.
 * Returns EINVAL if so is NULL or how another; ENOTCONN if not connected, or if it is shut
 * already. May sleep. Since 10.4; semantics 1.2.
 */
errno_t sock_shutdown(socket_t so, int how);

/*
 * Copies the peer's address, cut to peernamelen bytes. sf_getpeername of filters is not run.
 * Returns EINVAL if an argument is NULL or the length negative; ENOTCONN; ENOMEM. May sleep. Since
 * 10.4; semantics 1.2.
 */
errno_t sock_getpeername(socket_t so, struct sockaddr *peername, int peernamelen);

/*
 * Copies the local address, cut to socknamelen bytes. sf_getsockname of filters is not run.
 * Returns EINVAL if an argument is NULL or the length negative; ENOMEM. May sleep. Since 10.4;
 * semantics 1.2.
 */
errno_t sock_getsockname(socket_t so, struct sockaddr *sockname, int socknamelen);

/*
 * Gets an option into optval; *optlen is the room in bytes, and on success the bytes stored. Runs
 * sf_getoption of filters.
 * Returns EINVAL if an argument is NULL; ENOPROTOOPT and others of the protocol; the filters'
 * error. May sleep. Since 10.4; semantics 1.2.
 */
errno_t sock_getsockopt(socket_t so, int level, int optname, void *optval, int *optlen);

/*
 * Sets an option from optlen bytes at optval. Runs sf_setoption of filters.
 * Returns EINVAL if so or optval is NULL, or the socket is shut in both directions; ENOPROTOOPT
 * and others of the protocol; the filters' error. May sleep. Since 10.4; semantics 1.2.
 */
errno_t sock_setsockopt(socket_t so, int level, int optname, const void *optval, int optlen);

/*
 * Does an ioctl with kernel credentials; argp points to kernel memory of the size that the request
 * says. Runs sf_ioctl of filters.
 * Returns what the ioctl or a filter does. May sleep. Since 10.4; semantics 1.2.
 */
errno_t sock_ioctl(socket_t so, unsigned long request, void *argp);

/*
 * The socket's domain, type and protocol; each pointer may be NULL. Returns 0. Takes the socket
 * lock. Since 10.4; semantics 1.2.
 */
errno_t sock_gettype(socket_t so, int *domain, int *type, int *protocol);

/* 1 if the socket is connected, else 0. Takes the socket lock. Since 10.4; semantics 1.2. */
int sock_isconnected(socket_t so);

/* 1 if the socket is non-blocking, else 0. Takes the socket lock. Since 10.4; semantics 1.2. */
int sock_isnonblocking(socket_t so);

/*
 * Receives into the iovecs of msg, and waits for data unless non-blocking or flags has
 * MSG_DONTWAIT. The address (cut to fit) goes to msg_name, ancillary data to msg_control
 * (MSG_CTRUNC in msg_flags if it does not fit); *recvdlen (may be NULL) is the number of bytes.
 * Returns EINVAL if msg is NULL, has no iovec or an empty first one, or a negative total;
 * EWOULDBLOCK; ENOTCONN; EINTR; a pending error. May sleep. Since 10.4; semantics 1.2.
 */
errno_t sock_receive(socket_t so, struct msghdr *msg, int flags, size_t *recvdlen);

/*
 * As sock_receive, but the data comes as a chain of mbufs, *data, which the caller owns. *recvlen
 * is the most bytes wanted, then the bytes there are. msg may be NULL and must not have iovecs.
 * Returns EINVAL if data or recvlen is NULL, *recvlen 0, or msg has iovecs; otherwise as
 * sock_receive. May sleep. Since 10.4; semantics 1.2.
 */
errno_t sock_receivembuf(socket_t so, struct msghdr *msg, mbuf_t *data, int flags,
    size_t *recvlen);

/*
 * Sends what the iovecs of msg say, to msg_name if it is not NULL, with ancillary data of 12 to
 * 224 bytes; waits for room unless non-blocking or flags has MSG_DONTWAIT. *sentlen (may be NULL)
 * is the number of bytes; if some were sent before it would have to wait or was interrupted that
 * is a success. Runs sf_data_out of filters.
 * Returns EINVAL if msg or its iovecs are NULL, or the ancillary data has another size; ENOMEM;
 * EPIPE; ENOTCONN; EDESTADDRREQ; EMSGSIZE; EWOULDBLOCK; EINTR; the filters' error; a pending
 * error. May sleep. Since 10.4; semantics 1.2.
 */
errno_t sock_send(socket_t so, const struct msghdr *msg, int flags, size_t *sentlen);

/*
 * Sends a packet (a chain with packet header) in one piece. The packet is consumed in any case,
 * also on every error. msg, which may be NULL, has address and ancillary data but no iovecs.
 * Returns EINVAL if so or data is NULL or msg has iovecs; EMSGSIZE also if it is larger than the
 * send buffer; otherwise as sock_send. May sleep. Since 10.4; semantics 1.2.
 */
errno_t sock_sendmbuf(socket_t so, const struct msghdr *msg, mbuf_t data, int flags,
    size_t *sentlen);

/*
 * Waits until a connection that sock_connect began without waiting is made (0) or has failed (its error),
 * at most tv, or as long as it takes if tv is 0.
 * Returns EINPROGRESS if it is neither by then; EINVAL if so or tv is NULL or no connection was begun; EDOM
 * if tv is negative, has a million microseconds or more, or is of more than 327 seconds. May sleep. Not in
 * the public interface, but exported: kexts declare it themselves. Since 10.4; interface fact.
 */
errno_t sock_connectwait(socket_t so, const struct timeval *tv);

/*
 * Whether signals of the process interrupt waits on the socket: not, if `on` is not 0. Here are no signals,
 * and no wait is interrupted either way.
 * Returns EINVAL if so is NULL. Not in the public interface, but exported. Since 10.4; interface fact.
 */
errno_t sock_nointerrupt(socket_t so, int on);

/*
 * Another upcall for a socket, or none (NULL), in place of the one it was made with. Upcalls that are
 * running are not waited for.
 * Returns EINVAL if so is NULL; ENOMEM. Not in the public interface, but exported. Since 10.7; interface
 * fact.
 */
errno_t sock_setupcall(socket_t so, sock_upcall callback, void *cookie);

/*
 * Makes the socket privileged (on not 0), as if root had made it, or takes that back.
 * Returns EINVAL if so is NULL. Since 10.4; semantics 1.2.
 */
errno_t sock_setpriv(socket_t so, int on);

/*
 * Keeps the socket from being closed until sock_release. NULL is allowed. Only in 10.4's public
 * interface. Since 10.4; semantics 1.2.
 */
void sock_retain(socket_t so);

/*
 * Gives back what sock_retain took; the last one closes the socket if nobody has it open any more.
 * NULL is allowed; one too many panics. May sleep. Since 10.4; semantics 1.2.
 */
void sock_release(socket_t so);

__END_DECLS

#endif
