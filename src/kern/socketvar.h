/*
 * Sockets inside the core: the socket, its two buffers, and what protocols and system calls do with
 * them. Kexts see only socket_t and sys/kpi_socket.h.
 *
 * Three parties use this header: protocols (so_pcb, the sb* functions and so*() state changes), the
 * calls that come from a program or a kext (so*() requests), and the filter engine (so_filters).
 * One CPU runs the machine: nothing here is locked; what a sleep or a call into a kext can change is
 * held by reference (so_retain).
 */
#ifndef NKE_KERN_SOCKETVAR_H
#define NKE_KERN_SOCKETVAR_H

#include <sys/kpi_socket.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "src/kern/machine.h"
#include "src/kern/mbuf.h"
#include "src/kern/protosw.h"

struct inside;
struct iovec;
struct pr_registration;			/* uipc_domain.c: counts the sockets of a protocol */
struct so_filter;			/* sockfilter/ */
struct so_watcher;			/* who is told of readiness: see so_watch */

/* ---- buffers ------------------------------------------------------------------------------ */

#define SB_MAX_DEFAULT	(8u * 1024 * 1024)	/* kern.ipc.maxsockbuf */

/*
 * A queue of records linked by m_nextpkt. A record of a protocol with addresses is: one mbuf of type
 * MBUF_TYPE_SONAME, any of MBUF_TYPE_CONTROL, then data. A stream is one record.
 */
struct sockbuf {
	struct mbuf *sb_mb;		/* first record */
	struct mbuf *sb_lastrecord;	/* last record's first mbuf */
	struct mbuf *sb_mbtail;		/* last mbuf of the last record */
	uint32_t sb_cc;			/* bytes of data, addresses and control in it */
	uint32_t sb_ctl;		/* of these: not data */
	uint32_t sb_hiwat;		/* limit of sb_cc */
	uint32_t sb_mbcnt;		/* bytes of memory that the mbufs take */
	uint32_t sb_mbmax;		/* limit of that */
	uint32_t sb_lowat;
	uint64_t sb_timeo;		/* SO_RCVTIMEO, SO_SNDTIMEO in ns; 0: none */
	uint16_t sb_flags;
};

#define SB_LOCK		0x01		/* one reader or writer at a time goes through it (sblock) */
#define SB_WANT		0x02		/* somebody waits for that */
#define SB_WAIT		0x04		/* somebody waits for data or space */
#define SB_NOTIFY	0x08		/* somebody is to be told: so_watchers is not empty */
#define SB_AUTOSIZE	0x10		/* the protocol may let it grow */
#define SB_USRSIZE	0x20		/* the size was set by option */
#define SB_UPCALL	0x40		/* a kext's upcall is to be called */
#define SB_SND		0x80		/* it is the socket's so_snd */
#define SB_RECORDS	0x100		/* a stream's: MSG_EOR ends a record in it */

/* Bytes that may still be put in; never negative. */
static inline uint32_t
sbspace(const struct sockbuf *sb)
{
	uint32_t bytes = sb->sb_hiwat > sb->sb_cc ? sb->sb_hiwat - sb->sb_cc : 0;
	uint32_t memory = sb->sb_mbmax > sb->sb_mbcnt ? sb->sb_mbmax - sb->sb_mbcnt : 0;

	return bytes < memory ? bytes : memory;
}

/* ---- the socket --------------------------------------------------------------------------- */

#define SS_ISCONNECTED		0x0002
#define SS_ISCONNECTING		0x0004
#define SS_ISDISCONNECTING	0x0008
#define SS_CANTSENDMORE		0x0010
#define SS_CANTRCVMORE		0x0020
#define SS_RCVATMARK		0x0040	/* the next byte is behind the urgent mark */
#define SS_PRIV			0x0080
#define SS_NBIO			0x0100
#define SS_ISDISCONNECTED	0x2000
#define SS_NOFDREF		0x0001	/* nobody's descriptor: only the protocol holds it */
#define SS_INCOMP		0x0800	/* on its listener's queue of unfinished connections */
#define SS_COMP			0x1000	/* on that of finished ones, to be accepted */
#define SS_DEFUNCT		0x4000
#define SS_DRAINING		0x8000	/* its descriptor is being closed: who sleeps in it leaves, EBADF */

/* so_flags: options that are no bit of so_options. */
#define SOF_NOSIGPIPE		0x0001
#define SOF_NOADDRAVAIL		0x0002	/* SO_NOADDRERR */
#define SOF_REUSESHAREUID	0x0004
#define SOF_NOTIFYCONFLICT	0x0008
#define SOF_UPCALLCLOSEWAIT	0x0010
#define SOF_BINDRANDOMPORT	0x0020
#define SOF_NPX_SETOPTSHUT	0x0040	/* options may be set when both sides are shut */
#define SOF_ASYNC		0x0080	/* FIOASYNC: kept, nobody gets a signal */
#define SOF_CLOSED		0x0100	/* its last user has closed it: so_unkeep does it */
#define SOF_ENDING		0x0200	/* the last reference goes: no filter is attached any more */

TAILQ_HEAD(socket_list, socket);

/* What only listening sockets have: connections that are under way, and those that wait to be accepted. */
struct so_queues {
	struct socket_list incomp, comp;
};

/* What only sockets have that kexts made, retain or wait at (uipc_kext.c). */
struct so_kext {
	struct socket *so;
	struct kext *owner;		/* the kext that made it, NULL: a program or the core */
	sock_upcall upcall;
	void *upcallarg;
	struct inside *upcalls;		/* that have not returned */
	struct ledger_entry ledger;
	bool made;			/* by sock_socket or sock_accept: closed by the kext */
};

struct socket {
	struct nke *so_machine;
	uint32_t so_usecount;		/* references; the last one frees */
	uint8_t so_type;		/* SOCK_* */
	sa_family_t so_family;		/* PF_*, of its domain */
	uint16_t so_state;		/* SS_* */
	uint32_t so_options;		/* SO_* that are single bits */
	int so_protocol;		/* as asked for in socket(), when the protocol takes any */
	const struct protosw *so_proto;
	void *so_pcb;			/* the protocol's own */
	int so_linger;			/* ticks of 10 ms; 0 or less: do not wait */
	errno_t so_error;		/* pending: reported once, then cleared */
	uint32_t so_oobmark;		/* bytes from the front of so_rcv to the urgent mark, 0 none */
	uint32_t so_flags;		/* SOF_* */

	struct sockbuf so_rcv, so_snd;

	struct so_queues *so_queues;	/* it listens or did; NULL: it never did */
	uint16_t so_qlen, so_incqlen, so_qlimit;	/* how many are in the queues; 0 without */
	uint8_t so_headroom;		/* bytes kept free in front of a message for headers */
	uint8_t so_traffic_class;	/* SO_NET_SERVICE_TYPE */
	struct socket *so_head;		/* the listener this one waits at */
	TAILQ_ENTRY(socket) so_list;	/* of the listener */
	TAILQ_ENTRY(socket) so_link;	/* of all sockets of the machine */

	struct so_kext *so_kext;	/* NULL: no kext has to do with it */
	struct so_watcher *so_watchers;	/* who is told of readiness (uipc_poll.c), NULL nobody */
	struct so_filter *so_filters;	/* attached filters, newest first; NULL none: the one branch */
	struct thread *so_filter_sender;	/* who sends and is in a filter's callback; NULL nobody */
	struct pr_registration *so_registration;	/* so_proto's, with its domain */

	uint32_t so_fdcount;		/* descriptors, and messages under way that carry one */
	uint32_t so_inflight;		/* of these: messages */
	uint32_t so_given_up;		/* of so_fdcount: to be released (uipc_rights.c) */
	uid_t so_uid;			/* of who made it */
	pid_t so_last_pid;
	pid_t so_pgid;			/* FIOSETOWN, SIOCSPGRP: kept, nobody gets a signal */
	uint32_t so_generation;		/* unique in the machine: reports, capture of flows */
	uint32_t so_retaincnt;		/* sock_retain: as long as it is not 0 the socket is not closed */
	uint32_t so_restrictions;	/* SO_RESTRICT_* */
};

static inline struct socket *
sb_socket(const struct sockbuf *sb)
{
	return (struct socket *)((uintptr_t)sb - (sb->sb_flags & SB_SND ?
	    offsetof(struct socket, so_snd) : offsetof(struct socket, so_rcv)));
}

#define sotomachine(so)	((so)->so_machine)

/* ---- requests: what a program or a kext asks (uipc_socket.c) ------------------------------ */

/*
 * Flags of calls that may sleep are MSG_* (MSG_DONTWAIT); SS_NBIO has the same effect. Every one may
 * return EDEADLK: in virtual time nothing can ever happen any more; the log says who waits for what.
 */
errno_t socreate(struct nke *, int family, int type, int protocol, struct socket **);
/*
 * The last user goes, and the caller's reference with it. May linger (SO_LINGER). A protocol that keeps
 * the socket longer (so_pcb stays set after pru_detach) has taken a reference of its own. While a kext
 * retains the socket (so_keep), nothing happens but that it is remembered.
 */
errno_t soclose(struct socket *);
errno_t sobind(struct socket *, const struct sockaddr *);
errno_t solisten(struct socket *, int backlog);
/* Takes one finished connection, waiting for it; the caller owns it and ends it with soclose. */
errno_t soaccept(struct socket *, int flags, struct sockaddr_storage *peer, struct socket **);
/* Waits until it is done unless non-blocking. */
errno_t soconnect(struct socket *, const struct sockaddr *, int flags);
/* Until the connection under way, if there is one, is made or has failed. EWOULDBLOCK: not by `deadline`. */
errno_t soconnectwait(struct socket *, uint64_t deadline);
errno_t soconnect2(struct socket *, struct socket *);
errno_t sodisconnect(struct socket *);
/* Its user keeps it, but it is of no use any more: disconnected, and everything fails. */
void sodefunct(struct socket *);
errno_t soshutdown(struct socket *, int how);
errno_t sogetsockname(struct socket *, struct sockaddr_storage *);
errno_t sogetpeername(struct socket *, struct sockaddr_storage *);

/*
 * Sends `top` (a packet, or NULL with no bytes) or, when that is NULL, `resid` bytes from `data`.
 * `*sent`: how many bytes went, also with an error in the middle of a stream. `control` and `top` are
 * consumed in every case.
 */
errno_t sosend(struct socket *, const struct sockaddr *to, const void *data, size_t resid,
    struct mbuf *top, struct mbuf *control, int flags, size_t *sent);
/* The same from `count` pieces of memory, which together have `resid` bytes. */
errno_t sosendv(struct socket *, const struct sockaddr *to, const struct iovec *, unsigned count,
    size_t resid, struct mbuf *control, int flags, size_t *sent);

/* With the MSG_* flags of soreceive: control messages are not wanted and thrown away unread. */
#define SO_RECV_NOCONTROL	0x01000000

struct so_received {
	struct sockaddr_storage from;	/* ss_len 0: none */
	struct mbuf *data;		/* when asked for as mbufs: the caller frees it */
	struct mbuf *control;		/* a chain of MBUF_TYPE_CONTROL, NULL none: the caller frees it */
	size_t len;			/* bytes delivered */
	int flags;			/* MSG_TRUNC, MSG_CTRUNC, MSG_EOR, MSG_OOB ... */
};
/*
 * Receives at most `size` bytes into `buffer`; `buffer` NULL: as mbufs. With MSG_PEEK they stay.
 * Returns 0 and len 0 at the end of a stream.
 */
errno_t soreceive(struct socket *, void *buffer, size_t size, int flags, struct so_received *);
/* The same into `count` pieces of memory with room for `size` bytes together. */
errno_t soreceivev(struct socket *, const struct iovec *, unsigned count, size_t size, int flags,
    struct so_received *);

enum sopt_dir { SOPT_GET, SOPT_SET };

struct sockopt {
	enum sopt_dir sopt_dir;
	int sopt_level;
	int sopt_name;
	void *sopt_val;			/* kernel memory */
	size_t sopt_valsize;		/* in: its room; after SOPT_GET: what was written */
};
errno_t sosetopt(struct socket *, struct sockopt *);
errno_t sogetopt(struct socket *, struct sockopt *);
/* At least `min` and at most `size` bytes of the value into `buf`. EINVAL: shorter than min. */
errno_t sooptcopyin(struct sockopt *, void *buf, size_t size, size_t min);
/* Writes at most as much as there is room for. */
errno_t sooptcopyout(struct sockopt *, const void *buf, size_t size);
/* The common case: an int. */
errno_t sooptcopyin_int(struct sockopt *, int *);
errno_t sooptcopyout_int(struct sockopt *, int);
errno_t soioctl(struct socket *, unsigned long command, void *data);
/* Who answers ioctls of group 'i' that the socket's protocol does not know. */
void so_set_interface_ioctl(struct nke *,
    errno_t (*)(struct socket *, unsigned long command, void *data));

/* ---- for kexts (uipc_kext.c) -------------------------------------------------------------- */

/*
 * A kext's upcall when there is something to receive or the state changes; NULL takes it back, which never
 * fails. ENOMEM.
 */
errno_t so_set_upcall(struct socket *, sock_upcall, void *arg);
/* What the socket has that is about kexts, made if need be. NULL: no memory. */
struct so_kext *so_get_kext(struct socket *);
/* The socket belongs to the kext whose code runs, which has to close it. `pc`: where it asked. ENOMEM. */
errno_t so_adopt(struct socket *, void *pc);
/* Keeps the socket from being closed; the last so_unkeep does it if its user has closed it meanwhile. */
void so_keep(struct socket *, void *pc);
void so_unkeep(struct socket *);
/* Others may sleep in calls on the socket, which is about to be closed: they are woken and leave, EBADF. */
void so_drain(struct socket *);

/* ---- readiness (uipc_poll.c) -------------------------------------------------------------- */

#define SO_READABLE	0x1
#define SO_WRITABLE	0x2
#define SO_HASERROR	0x4		/* so_error */
#define SO_HANGUP	0x8		/* both sides are shut */
#define SO_URGENT	0x10		/* there is urgent data, or the mark is reached */
/* What is ready now. */
unsigned soready(const struct socket *);

/*
 * Somebody to be told whenever the socket may have become more ready: data, space, a connection, an error,
 * an end. `ready` is what soready() says then. Called on the machine's CPU, in the middle of protocol
 * code: it may not block nor call the socket. Embedded in its owner, which holds the socket referenced.
 */
struct so_watcher {
	struct so_watcher *next;
	struct socket *so;
	void (*fn)(struct so_watcher *, unsigned ready);
};
void so_watch(struct socket *, struct so_watcher *, void (*fn)(struct so_watcher *, unsigned));
void so_unwatch(struct so_watcher *);

static inline bool
soreadable(const struct socket *so)
{
	return so->so_rcv.sb_cc >= so->so_rcv.sb_lowat || (so->so_state & SS_CANTRCVMORE) ||
	    so->so_qlen != 0 || so->so_error != 0;
}

/* ---- for protocols: state (uipc_socket2.c) ------------------------------------------------ */

void so_retain(struct socket *);
void so_release(struct socket *);
void soisconnecting(struct socket *);
void soisconnected(struct socket *);
void soisdisconnecting(struct socket *);
void soisdisconnected(struct socket *);
void socantsendmore(struct socket *);
void socantrcvmore(struct socket *);
/*
 * so_pcb has become NULL other than by pru_detach or pru_abort: a connection that never was finished
 * leaves its listener's queue, and the queue's reference goes.
 */
void sodetached(struct socket *);
/* A new connection at listener `head`, attached to its protocol; state SS_ISCONNECTED or 0. NULL: no room. */
struct socket *sonewconn(struct socket *head, uint16_t state);
/* Sets so_error and wakes both sides. */
void so_seterror(struct socket *, errno_t);
/* Data came, or space: wakes readers or writers, pollers, upcalls. */
void sorwakeup(struct socket *);
void sowwakeup(struct socket *);
/* Limits of both buffers; ENOBUFS: more than kern.ipc.maxsockbuf. */
errno_t soreserve(struct socket *, uint32_t snd, uint32_t rcv);

/* ---- for protocols: buffers (uipc_sockbuf.c) ---------------------------------------------- */

/*
 * The ways into a buffer. All consume what they are given, whatever becomes of it, and what goes into the
 * receive buffer of an IPv4 or IPv6 socket is shown to its filters first, which may do anything to the
 * socket meanwhile: the caller holds it.
 *
 * Adds data to a stream. True: something is in the buffer that was not; else filters had it.
 */
bool sbappendstream(struct sockbuf *, struct mbuf *);
/* Adds a record; the same. */
bool sbappendrecord(struct sockbuf *, struct mbuf *);
/*
 * Adds a message with its sender's address and control mbufs (NULL none). ENOBUFS: no room; EJUSTRETURN:
 * a filter has taken or refused it. In both cases there is nothing new to be read.
 */
errno_t sbappendaddr(struct sockbuf *, const struct sockaddr *from, struct mbuf *data,
    struct mbuf *control);
/* The same without an address. */
errno_t sbappendcontrol(struct sockbuf *, struct mbuf *data, struct mbuf *control);
/* Takes `len` bytes off the front, at most what there is. */
void sbdrop(struct sockbuf *, uint32_t len);
void sbdroprecord(struct sockbuf *);
void sbflush(struct sockbuf *);
/* ENOBUFS: more than kern.ipc.maxsockbuf allows. */
errno_t sbreserve(struct sockbuf *, uint32_t hiwat);
/* A control mbuf: cmsghdr and `len` bytes, all in one piece. NULL: no memory, or over 2,036 bytes. */
struct mbuf *sbcreatecontrol(struct nke *, const void *data, size_t len, int type, int level);

#endif
