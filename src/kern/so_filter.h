/*
 * Where the socket layer meets socket filters. The layer calls up through `struct so_filter_ops`, which
 * the engine (sockfilter/) registers; a socket without filters costs one branch at each place.
 *
 * The hooks sit where requests pass anyway: creating and freeing, the so*() requests, the state changes,
 * the one way out (send_down in uipc_send.c) and the one way in (sbappend* in uipc_sockbuf.c).
 *
 * Whoever calls holds the socket: a filter may close it, disconnect it, inject. What is still there of it
 * afterwards is for the caller to find out. A hook that can be refused
 * returns 0: go on; EJUSTRETURN: a filter has done it, the request succeeds; else: it fails with that.
 */
#ifndef NKE_KERN_SO_FILTER_H
#define NKE_KERN_SO_FILTER_H

#include <sys/kpi_socketfilter.h>

#include "src/kern/socketvar.h"

struct so_filter_ops {
	/* As so_attach_filters, for a socket of a protocol that has global filters. */
	void (*created)(struct socket *, const struct socket *locked);
	/* Its last reference is about to go: every filter is detached when this returns. */
	void (*ending)(struct socket *);
	/* SO_NKE: EINVAL, EEXIST, ENOMEM, the filter's error. */
	errno_t (*attach)(struct socket *, uint32_t handle);
	/* `param`: see sock_evt_*. */
	void (*notify)(struct socket *, sflt_event_t, void *param);
	/* The answer of getsockname(2), or of getpeername(2): changed in place. */
	errno_t (*name)(struct socket *, bool peer, struct sockaddr_storage *);
	errno_t (*bind)(struct socket *, const struct sockaddr *);
	errno_t (*connect_out)(struct socket *, struct sockaddr *);
	/* Of a listener; anything but 0 refuses. */
	errno_t (*connect_in)(struct socket *, const struct sockaddr *from);
	errno_t (*listen)(struct socket *);
	/* ECONNABORTED: the addresses cannot be told. */
	errno_t (*accept)(struct socket *listener, struct socket *);
	errno_t (*option)(struct socket *, struct sockopt *);
	errno_t (*ioctl)(struct socket *, unsigned long command, void *data);
	/*
	 * Data on their way to the protocol, or into so_rcv. Not 0: they are gone. `control` is NULL where
	 * there is never any.
	 */
	errno_t (*data_out)(struct socket *, const struct sockaddr *to, struct mbuf **data,
	    struct mbuf **control, sflt_data_flag_t);
	errno_t (*data_in)(struct socket *, const struct sockaddr *from, struct mbuf **data,
	    struct mbuf **control, sflt_data_flag_t);
};

/* Whom the machine's sockets call; NULL takes them back. */
static inline void
so_set_filter_ops(struct nke *m, const struct so_filter_ops *ops)
{
	m->so_filter_ops = ops;
}

static inline bool
so_filtered(const struct socket *so)
{
	return __builtin_expect(so->so_filters != NULL, 0);
}

static inline const struct so_filter_ops *
so_filter_ops(const struct socket *so)
{
	return so->so_machine->so_filter_ops;
}

/* Something has happened, or is about to. The caller holds the socket. */
static inline void
so_filter_notify(struct socket *so, sflt_event_t event, void *param)
{
	if (so_filtered(so))
		so_filter_ops(so)->notify(so, event, param);
}

#endif
