/*
 * Socket filters: a kext sees, changes, delays or refuses what happens on sockets, above the
 * transport protocol. A filter is registered for one (domain, type, protocol) of PF_INET or
 * PF_INET6, under a handle of its own; it is attached to every new socket of that kind
 * (SFLT_GLOBAL), or to single ones (sflt_attach, socket option SO_NKE).
 *
 * The order of filters on a socket is the same for every callback and both directions: the one
 * attached last comes first. Of the results of a callback, 0 goes on, EJUSTRETURN ends the call
 * with success (for data: the filter has taken it over), any other errno ends it with that error;
 * what comes behind is not called. Every callback may be NULL except sf_attach and sf_detach.
 * During callbacks the socket is not locked and is kept alive by the caller of the operation; its
 * state can change at any time. Callbacks of one socket can run at once in different directions.
 */
#ifndef __KPI_SOCKETFILTER__
#define __KPI_SOCKETFILTER__

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/kernel_types.h>
#include <sys/kpi_socket.h>

struct sockaddr;

__BEGIN_DECLS

/* sf_flags. */
enum {
	SFLT_GLOBAL = 0x01,		/* attach to every new socket */
	SFLT_PROG = 0x02,		/* attached by its handle only; informative */
	SFLT_EXTENDED = 0x04,		/* sf_ext is filled in */
	SFLT_EXTENDED_REGISTRY = 0x08	/* attach to existing TCP and UDP sockets as well */
};
typedef u_int32_t sflt_flags;

/* Names a filter in the whole machine. */
typedef u_int32_t sflt_handle;

/* What sf_notify is told; param is NULL unless noted. */
enum {
	sock_evt_connecting = 1,
	sock_evt_connected = 2,		/* on the passive side, before it is accepted */
	sock_evt_disconnecting = 3,
	sock_evt_disconnected = 4,	/* can come twice */
	sock_evt_flush_read = 5,	/* the receive buffer is about to be emptied */
	sock_evt_shutdown = 6,		/* about to; param: int *, SHUT_RD, SHUT_WR or SHUT_RDWR */
	sock_evt_cantrecvmore = 7,	/* the peer has finished, or reading was shut down */
	sock_evt_cantsendmore = 8,	/* writing was shut down */
	sock_evt_closing = 9,		/* the last descriptor is being closed */
	sock_evt_bound = 10		/* it has a local port now */
};
typedef u_int32_t sflt_event_t;

/* Kind of data. */
enum {
	sock_data_filt_flag_oob = 1,	/* out of band; output only */
	sock_data_filt_flag_record = 2	/* a whole record; input only */
};
typedef u_int32_t sflt_data_flag_t;

/*
 * The filter is gone: called once, after sflt_unregister and after sf_detach of the last
 * attachment, in the thread that brought that about (inside sflt_unregister if nothing was
 * attached). It is the very last call into the filter; the kext may be unloaded when it has
 * returned. Since 10.4; semantics 2.
 */
typedef void (*sf_unregistered_func)(sflt_handle handle);

/*
 * The filter is being attached to a socket: at the end of the making of a socket, or by sflt_attach
 * or SO_NKE. A passive socket is made when its SYN comes on a Mac, here when the handshake ends: in
 * between there is no socket, only an entry of the SYN cache. Either way it comes behind
 * sf_connect_in of the listener's filters, and before sock_evt_connected.
 *
 * *cookie becomes the cookie of all other callbacks for this socket; other callbacks can come before
 * this one has returned, with a NULL cookie.
 * Returns 0, or an errno: it is not attached then, sf_detach is not called, and sflt_attach fails
 * with it (an automatic attachment just goes without). May sleep, except: for a passive socket the
 * listener is locked, for an existing socket (SFLT_EXTENDED_REGISTRY) the socket itself; don't
 * call anything that locks those. Don't inject. Since 10.4; semantics 2.
 */
typedef errno_t (*sf_attach_func)(void **cookie, socket_t so);

/*
 * The filter is detached: after sflt_detach, sflt_unregister, or at the end of the socket. Called
 * exactly once for each sf_attach that returned 0, after all other callbacks for this socket have
 * returned, and it is the last for it: free the cookie here. The socket may be half gone; don't
 * use it. Nothing is locked; may sleep. Since 10.4; semantics 2.
 */
typedef void (*sf_detach_func)(void *cookie, socket_t so);

/*
 * Something has happened to the socket, or is about to: see sock_evt_*. param is NULL, except for
 * sock_evt_shutdown, where it is an int *. Can't be refused. Nothing is locked; it may be the
 * network's input thread, so don't wait for other sockets. Since 10.4; semantics 2.
 */
typedef void (*sf_notify_func)(void *cookie, socket_t so, sflt_event_t event, void *param);

/*
 * getpeername(2) by a program (sock_getpeername does not come here): the protocol has given the
 * address *sa. It may be changed, or replaced by one of the same memory type with the old one
 * freed.
 * Returns 0: go on; EJUSTRETURN: done, the program gets *sa; else: the program gets that error.
 * Since 10.4; semantics 2.
 */
typedef int (*sf_getpeername_func)(void *cookie, socket_t so, struct sockaddr **sa);

/*
 * getsockname(2) by a program (sock_getsockname does not come here); as sf_getpeername_func.
 * Returns 0, EJUSTRETURN or an errno, with the same meanings. Since 10.4; semantics 2.
 */
typedef int (*sf_getsockname_func)(void *cookie, socket_t so, struct sockaddr **sa);

/*
 * Data is about to be put into the receive buffer. *data is a chain (for datagrams with packet
 * header), *control ancillary data; control can be NULL itself, and `from` is NULL for streams.
 * Both may be replaced; for datagrams the new *data must have a packet header. flags:
 * sock_data_filt_flag_record or 0. Runs in the network's input thread or in whoever injects: must
 * not block for other sockets. Several can run at once.
 *
 * Returns 0: *data and *control go on and stay the stack's. EJUSTRETURN: the filter owns both now,
 * and frees or later injects them; from then on it must keep all that follows, or the order is
 * lost. Else: the stack frees both; TCP has acknowledged the data already. Since 10.4; semantics
 * 2.
 */
typedef errno_t (*sf_data_in_func)(void *cookie, socket_t so, const struct sockaddr *from,
    mbuf_t *data, mbuf_t *control, sflt_data_flag_t flags);

/*
 * Data is about to be sent: a whole datagram, or as much of a stream as fits the send buffer. `to`
 * is the address given by the sender, NULL if there is none. *data and *control may be replaced,
 * and may have another length; control can be NULL itself. flags: sock_data_filt_flag_oob or 0.
 * Runs in the sender's thread, in turn with its other sends. May sleep. It may send on the same
 * socket, which then never waits for room (EWOULDBLOCK).
 *
 * Returns 0: *data and *control go on and stay the stack's. EJUSTRETURN: the filter owns both now;
 * the sender sees success. Else: the stack frees both, the sender sees the error. Since 10.4;
 * semantics 2.
 */
typedef errno_t (*sf_data_out_func)(void *cookie, socket_t so, const struct sockaddr *to,
    mbuf_t *data, mbuf_t *control, sflt_data_flag_t flags);

/*
 * A peer wants to connect (TCP: a SYN for a listener). `so` is the listener: its filters are
 * asked, before there is a new socket. Can be called twice for one SYN.
 * Returns 0: go on; anything else: refused, the segment is dropped without an answer. Since 10.4;
 * semantics 2.
 */
typedef errno_t (*sf_connect_in_func)(void *cookie, socket_t so, const struct sockaddr *from);

/*
 * connect: before the protocol. Changes of the address within its length are seen by the protocol
 * and by filters behind.
 * Returns 0: go on; EJUSTRETURN: connect succeeds without the protocol; else: it fails with that.
 * May sleep. Since 10.4; semantics 2.
 */
typedef errno_t (*sf_connect_out_func)(void *cookie, socket_t so, const struct sockaddr *to);

/*
 * bind: before the protocol. Not called when a socket gets its address by connecting or sending.
 * Returns 0: go on; EJUSTRETURN: bind succeeds without the protocol; else: it fails with that. May
 * sleep. Since 10.4; semantics 2.
 */
typedef errno_t (*sf_bind_func)(void *cookie, socket_t so, const struct sockaddr *to);

/*
 * setsockopt, any level, before anything is done. Read the value with sockopt_copyin; opt is valid
 * during the call only.
 * Returns 0: go on; EJUSTRETURN: it succeeds and nothing is set; else: it fails with that. May
 * sleep. Since 10.4; semantics 2.
 */
typedef errno_t (*sf_setoption_func)(void *cookie, socket_t so, sockopt_t opt);

/*
 * getsockopt, any level, before anything is done. opt is valid during the call only.
 * Returns 0: go on; EJUSTRETURN: it succeeds with what sockopt_copyout gave; else: it fails with
 * that. May sleep. Since 10.4; semantics 2.
 */
typedef errno_t (*sf_getoption_func)(void *cookie, socket_t so, sockopt_t opt);

/*
 * listen: before the protocol.
 * Returns 0: go on; EJUSTRETURN: listen succeeds, but the socket does not listen; else: it fails
 * with that. May sleep. Since 10.4; semantics 2.
 */
typedef errno_t (*sf_listen_func)(void *cookie, socket_t so);

/*
 * An ioctl on the socket, FIONBIO and FIONREAD too, but none of the groups 'i' and 'r', which go
 * to interfaces and routes. argp is kernel memory of the size that the request says.
 * Returns 0: go on; EJUSTRETURN: it succeeds and nothing is done; else: it fails with that. May
 * sleep. Since 10.4; semantics 2.
 */
typedef errno_t (*sf_ioctl_func)(void *cookie, socket_t so, unsigned long request,
    const char *argp);

/*
 * A connection is being accepted; needs SFLT_EXTENDED. Asked are the filters of `so`, the new
 * socket; so_listen is the listener.
 * Returns 0: go on; EJUSTRETURN: the program gets the socket, but disconnected; else: it is
 * closed, and accept fails with that. May sleep. Since 10.5; semantics 2.
 */
typedef errno_t (*sf_accept_func)(void *cookie, socket_t so_listen, socket_t so,
    const struct sockaddr *local, const struct sockaddr *remote);

/* What sflt_register copies. */
struct sflt_filter {
	sflt_handle sf_handle;		/* not 0; ask Apple's registry or use a creator code */
	int sf_flags;			/* SFLT_* */
	char *sf_name;			/* kept, not copied: must outlive the registration */
	sf_unregistered_func sf_unregistered;
	sf_attach_func sf_attach;	/* required */
	sf_detach_func sf_detach;	/* required */
	sf_notify_func sf_notify;
	sf_getpeername_func sf_getpeername;
	sf_getsockname_func sf_getsockname;
	sf_data_in_func sf_data_in;
	sf_data_out_func sf_data_out;
	sf_connect_in_func sf_connect_in;
	sf_connect_out_func sf_connect_out;
	sf_bind_func sf_bind;
	sf_setoption_func sf_setoption;
	sf_getoption_func sf_getoption;
	sf_listen_func sf_listen;
	sf_ioctl_func sf_ioctl;
	/* Used only with SFLT_EXTENDED. */
	struct sflt_filter_ext {
		unsigned int sf_ext_len;	/* bytes of this struct that are filled in */
		sf_accept_func sf_ext_accept;
		void *sf_ext_rsvd[5];		/* 0 */
	} sf_ext;
#define sf_len				sf_ext.sf_ext_len
#define sf_accept			sf_ext.sf_ext_accept
};

/*
 * Registers a filter for sockets of this domain (PF_INET or PF_INET6), type and protocol, which
 * must be the exact ones (0 matches nothing else). The struct is copied; sf_name is kept. With
 * SFLT_GLOBAL every socket made from now on gets it; with SFLT_EXTENDED_REGISTRY also those TCP or
 * UDP sockets that exist. Each kind of socket needs a registration and a handle of its own.
 * Returns, in this order of testing, ENOTSUP for other domains; ENOENT if there is no such
 * protocol; EINVAL if sf_attach, sf_detach or sf_name is NULL or the handle 0; ENOBUFS; EEXIST if
 * the handle is registered. May sleep; not under a socket's lock. Since 10.4; semantics 1.3.
 */
errno_t sflt_register(const struct sflt_filter *filter, int domain, int type, int protocol);

/*
 * Takes a filter out, and detaches it from all sockets. Returns before sf_detach is called there;
 * sf_unregistered says when all is done (inside this call, if nothing was attached). The handle
 * can be registered again at once.
 * Returns ENOENT. May sleep; allowed in callbacks. Since 10.4; semantics 1.3.
 */
errno_t sflt_unregister(sflt_handle handle);

/*
 * Attaches a registered filter to one socket. sf_attach is called during the call, without the
 * socket lock.
 * Returns EINVAL if the handle is 0 or not registered; EEXIST if it is attached; ENOMEM; what
 * sf_attach returns. For a socket that is exempt from filters it returns 0 and does nothing. May
 * sleep. Since 10.4; semantics 1.3.
 */
errno_t sflt_attach(socket_t so, sflt_handle handle);

/*
 * Detaches the filter from one socket. sf_detach is called later, by another thread, when no
 * callback runs any more; new ones don't come.
 * Returns EINVAL if so is NULL or the handle 0, else 0, attached or not. May sleep; allowed in
 * callbacks. Since 10.4; semantics 1.3.
 */
errno_t sflt_detach(socket_t so, sflt_handle handle);

/* Injection. */

/*
 * Puts data into the receive buffer, as if it had come from the network, and wakes the reader.
 * With `from`, a datagram (its data has a packet header; the address is copied); else with
 * control, that in front of the data; else with sock_data_filt_flag_record a record of its own;
 * else more of the stream. All filters see it, the injecting one too: know your own packets by a
 * tag.
 * Returns EINVAL if so or data is NULL, ENOTSUP for out-of-band data: the caller keeps the mbufs.
 * 0: they are consumed, even if there was no room or a filter refused. May sleep; not in sf_attach
 * or sf_detach. Since 10.4; semantics 1.3.
 */
errno_t sock_inject_data_in(socket_t so, const struct sockaddr *from, mbuf_t data, mbuf_t control,
    sflt_data_flag_t flags);

/*
 * Sends data as if the socket's owner had done so, to `to` if it is not NULL. All filters see it,
 * the injecting one too. May wait for room, except in sf_data_out of the same thread. data and
 * control are consumed, on every error too. Returns what sending does: EPIPE, ENOTCONN,
 * EDESTADDRREQ, EMSGSIZE, EWOULDBLOCK, ENOBUFS ... May sleep; not in sf_attach or sf_detach. Since
 * 10.4; semantics 1.3.
 */
errno_t sock_inject_data_out(socket_t so, const struct sockaddr *to, mbuf_t data, mbuf_t control,
    sflt_data_flag_t flags);

/* Access to the option that sf_setoption and sf_getoption are called with. */
enum {
	sockopt_get = 1,
	sockopt_set = 2
};
typedef u_int8_t sockopt_dir;

/* Whether the option is set or got. Since 10.4; semantics 1.3. */
sockopt_dir sockopt_direction(sockopt_t opt);

/* The option's level: SOL_SOCKET, IPPROTO_TCP ... Since 10.4; semantics 1.3. */
int sockopt_level(sockopt_t opt);

/* The option: SO_RCVBUF ... Since 10.4; semantics 1.3. */
int sockopt_name(sockopt_t opt);

/* Bytes the caller gave, or has room for. Since 10.4; semantics 1.3. */
size_t sockopt_valsize(sockopt_t opt);

/*
 * Copies exactly `length` bytes of the value that is being set. If the value is longer it has that
 * length for everybody from now on.
 * Returns EINVAL if it is shorter; EFAULT. May sleep. Since 10.4; semantics 1.3.
 */
errno_t sockopt_copyin(sockopt_t opt, void *data, size_t length);

/*
 * Gives the caller of getsockopt `length` bytes, or as many as it has room for; that becomes the
 * size.
 * Returns EFAULT; not having room is no error. May sleep. Since 10.4; semantics 1.3.
 */
errno_t sockopt_copyout(sockopt_t opt, void *data, size_t length);

__END_DECLS

#endif
