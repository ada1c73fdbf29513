/*
 * Inside the socket layer: shared by src/kern/uipc_*.c, filedesc.c and sockcalls.c only.
 */
#ifndef NKE_KERN_SOCKET_PRIVATE_H
#define NKE_KERN_SOCKET_PRIVATE_H

#include <sys/uio.h>

#include "src/kern/socketvar.h"
#include "src/kern/zone.h"

struct filedesc;
struct local_state;

/* ---- the machine's sockets ---------------------------------------------------------------- */

#define SOMAXCONN_DEFAULT	128	/* kern.ipc.somaxconn */
#define MAXSOCKETS_DEFAULT	262144	/* kern.ipc.maxsockets */
#define SOCKBUF_WASTE_DEFAULT	8	/* kern.ipc.sockbuf_waste_factor */
#define SO_HZ			100	/* ticks of so_linger in a second */
#define NS_PER_SO_TICK		(UINT64_C(1000000000) / SO_HZ)

/*
 * What a message gets in front of it, so that no header needs an mbuf of its own: IPv6, UDP, Ethernet
 * with a VLAN tag, rounded up.
 */
#define SO_MESSAGE_HEADROOM	72

TAILQ_HEAD(domain_registrations, domain_registration);

struct socket_state {
	struct socket_list sockets;	/* newest last */
	struct domain_registrations domains;
	struct zone zone;		/* of their memory */
	int count;			/* on `sockets` */
	int maxsockbuf, somaxconn, maxsockets, sockbuf_waste;
	uint32_t generation;		/* of the newest socket */
	errno_t (*interface_ioctl)(struct socket *, unsigned long, void *);
	struct filedesc *files;		/* filedesc.c */
	struct local_state *local;	/* uipc_usrreq.c */
};

struct sflt;

/* A protocol of a machine, and how many sockets it has. */
struct pr_registration {
	TAILQ_ENTRY(pr_registration) link;	/* of the domain, in the order in which they came */
	const struct protosw *proto;
	const struct domain *domain;
	uint32_t sockets;
	TAILQ_HEAD(, sflt) filters;	/* those that new sockets get (sockfilter/), oldest first */
};

/* What pffindproto says, but the registration; no reference. */
errno_t pr_lookup(struct nke *, int family, int type, int protocol, struct pr_registration **);
/* The one with that very number, or for raw sockets the one that takes any. NULL none. */
struct pr_registration *pr_find(struct nke *, int family, int type, int protocol);

/* ---- sockets (uipc_socket2.c) ------------------------------------------------------------- */

/* A socket of that protocol, one reference, not attached to it yet. ENOBUFS. */
errno_t so_alloc(struct nke *, struct pr_registration *, struct socket **);
/*
 * It has its protocol: it gets the filters that every new socket gets, which may do anything; the caller
 * holds it. `locked`: the socket whose lock a Mac holds meanwhile, NULL none.
 */
void so_attach_filters(struct socket *, const struct socket *locked);
/*
 * Sleeps until the buffer or the socket's state changes, at most sb_timeo. EWOULDBLOCK: that was too long;
 * EBADF: the descriptor is being closed; EDEADLK.
 */
errno_t sbwait(struct sockbuf *);
/* Only one at a time goes on. EWOULDBLOCK when `wait` is false, and as sbwait without the time limit. */
errno_t sblock(struct sockbuf *, bool wait);
void sbunlock(struct sockbuf *);
/* Sleeps until the state changes. `deadline`: uptime ns, 0 none; EWOULDBLOCK when it has passed. */
errno_t so_sleep(struct socket *, const void *event, uint64_t deadline, const char *what);
/* The receiving side is shut, and what was not read goes. */
void sorflush(struct socket *);
/* Ends every connection that waits to be accepted. */
void so_abort_queues(struct socket *);

static inline bool
so_nonblocking(const struct socket *so, int flags)
{
	return (so->so_state & SS_NBIO) || (flags & MSG_DONTWAIT);
}

/* Closing it waits for nothing. */
static inline void
so_dont_linger(struct socket *so)
{
	so->so_options &= ~(uint32_t)SO_LINGER;
	so->so_state |= SS_NBIO;
}

static inline bool
so_atomic(const struct socket *so)
{
	return so->so_proto->pr_flags & PR_ATOMIC;
}

/* The pending error, which is reported once. */
static inline errno_t
so_take_error(struct socket *so)
{
	errno_t error = so->so_error;

	so->so_error = 0;
	return error;
}

/* ---- kexts (uipc_kext.c) ------------------------------------------------------------------ */

void so_kext_init(struct nke *);
/* Calls the kext's upcall, if there is one. */
void so_upcall(struct socket *);
/* Until no other thread is in the socket's upcall. */
void so_upcall_wait(struct socket *);
/* It is being closed; then it is freed. */
void so_disown(struct socket *);
void so_free_kext(struct socket *);

/* ---- buffers (uipc_sockbuf.c) ------------------------------------------------------------- */

/* Bytes of memory that an mbuf takes. */
static inline uint32_t
sb_memory(const struct mbuf *m)
{
	return MSIZE + (m->m_flags & M_EXT ? m->m_ext.size : 0);
}

static inline bool
sb_counts_as_data(const struct mbuf *m)
{
	return m->m_type != MBUF_TYPE_SONAME && m->m_type != MBUF_TYPE_CONTROL;
}

static inline void
sb_account(struct sockbuf *sb, const struct mbuf *m)
{
	sb->sb_cc += (uint32_t)m->m_len;
	sb->sb_mbcnt += sb_memory(m);
	if (!sb_counts_as_data(m))
		sb->sb_ctl += (uint32_t)m->m_len;
}

static inline void
sb_unaccount(struct sockbuf *sb, const struct mbuf *m)
{
	sb->sb_cc -= (uint32_t)m->m_len;
	sb->sb_mbcnt -= sb_memory(m);
	if (!sb_counts_as_data(m))
		sb->sb_ctl -= (uint32_t)m->m_len;
}

/* Takes the first record out; its bytes still count. NULL: there is none. */
struct mbuf *sb_unlink_record(struct sockbuf *);
/* The first record is `m` from now on (NULL: it was the last mbuf of it). */
void sb_replace_first(struct sockbuf *, struct mbuf *m);
/* A record that has been taken out, or a part of it, goes unread: rights that it carries are given up. */
void sb_discard(struct sockbuf *, struct mbuf *);

/* ---- readiness (uipc_poll.c) -------------------------------------------------------------- */

void so_tell(struct socket *);

/* ---- options (uipc_options.c), statistics (uipc_sysctl.c) --------------------------------- */

uint32_t so_next_message_bytes(const struct socket *);
errno_t socket_sysctl_init(struct nke *);

#endif
