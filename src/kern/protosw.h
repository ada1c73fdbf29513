/*
 * Protocol families and their protocols, as the socket layer sees them (4.4BSD's domain and protosw).
 *
 * A protocol describes itself in a constant `struct protosw`; a family is a `struct domain`. Both are
 * registered with a machine at run time, are counted while sockets use them, and are called only
 * through the switch. Owners: src/kern/uipc_domain.c keeps the lists; each protocol family's init
 * function registers its own.
 */
#ifndef NKE_KERN_PROTOSW_H
#define NKE_KERN_PROTOSW_H

#include <sys/socket.h>

#include "src/kern/machine.h"

struct ifnet;
struct mbuf;
struct socket;
struct sockopt;

/* ---- what a socket asks of its protocol --------------------------------------------------- */

/* Flags of pru_send. */
#define PRUS_OOB	0x1		/* urgent data */
#define PRUS_EOF	0x2		/* nothing follows: shut the sending side after it */
#define PRUS_MORETOCOME	0x4		/* more will follow at once */

/*
 * Called on the machine's CPU with a reference on the socket held. NULL: EOPNOTSUPP (attach, detach
 * and abort must be there). Addresses that are passed in are complete: sa_len has been checked against
 * what was given; the family has not. None of them may keep a pointer to an argument.
 */
struct pr_usrreqs {
	/* A new socket: makes the control block (so_pcb), reserves buffers. `proto`: as asked for. */
	errno_t (*pru_attach)(struct socket *, int proto);
	/* The last user has gone: the control block is freed, now or when the protocol is done with it. */
	void (*pru_detach)(struct socket *);
	/* A connection that nobody will accept: reset, then like detach. */
	void (*pru_abort)(struct socket *);
	errno_t (*pru_bind)(struct socket *, const struct sockaddr *);
	errno_t (*pru_listen)(struct socket *);
	/* The peer's address of a connection that is being accepted. */
	errno_t (*pru_accept)(struct socket *, struct sockaddr_storage *);
	errno_t (*pru_connect)(struct socket *, const struct sockaddr *);
	errno_t (*pru_connect2)(struct socket *, struct socket *);	/* socketpair */
	errno_t (*pru_disconnect)(struct socket *);
	/* The sending side ends (SHUT_WR); the receiving side is the socket layer's own business. */
	errno_t (*pru_shutdown)(struct socket *);
	/*
	 * Sends `m` (a packet) to `to` (NULL: the peer) with `control` (NULL: none). Consumes both mbufs
	 * in every case. Streams put it into so_snd themselves.
	 */
	errno_t (*pru_send)(struct socket *, int flags, struct mbuf *m, const struct sockaddr *to,
	    struct mbuf *control);
	/* The reader has taken data from so_rcv: only called for PR_WANTRCVD. */
	errno_t (*pru_rcvd)(struct socket *, int msg_flags);
	/* Urgent data into `m` (empty mbuf): EINVAL none, EWOULDBLOCK on its way. */
	errno_t (*pru_rcvoob)(struct socket *, struct mbuf *m, int msg_flags);
	errno_t (*pru_sockaddr)(struct socket *, struct sockaddr_storage *);
	errno_t (*pru_peeraddr)(struct socket *, struct sockaddr_storage *);
	/* ioctl; `data` is in kernel memory, sized by the command. EOPNOTSUPP: not known here. */
	errno_t (*pru_control)(struct socket *, unsigned long command, void *data);
	/* There is space: is the writer to be told, or is enough waiting to be sent? NULL: always. */
	bool (*pru_writable)(const struct socket *);
};

/* pr_flags: BSD's. */
#define PR_ATOMIC	0x01		/* one send is one message */
#define PR_ADDR		0x02		/* messages carry addresses */
#define PR_CONNREQUIRED	0x04
#define PR_WANTRCVD	0x08		/* wants pru_rcvd */
#define PR_RIGHTS	0x10		/* passes descriptors */
#define PR_IMPLOPCL	0x20		/* sendto of an address connects implicitly */
#define PR_LASTHDR	0x40		/* last header of the chain: checked by policy */

struct domain;

struct protosw {
	int16_t pr_type;		/* SOCK_* */
	int16_t pr_protocol;		/* IPPROTO_*, 0: the default of its type */
	uint16_t pr_flags;
	uint32_t pr_sndspace, pr_rcvspace;	/* default buffer sizes in bytes */
	const struct pr_usrreqs *pr_usrreqs;
	/* Options of levels other than SOL_SOCKET; ENOPROTOOPT: not known. */
	errno_t (*pr_ctloutput)(struct socket *, struct sockopt *);
};

/* One family. The arrays must live as long as the machine (constants). */
struct domain {
	int dom_family;			/* PF_* */
	const char *dom_name;
	/* PR_RIGHTS: called for each control mbuf before it is freed unread. It does not free it. */
	void (*dom_dispose)(struct nke *, struct mbuf *control);
	/*
	 * The same, when it is received: turns the inside form into the receiver's, in place. On an error
	 * the rights are gone.
	 */
	errno_t (*dom_externalize)(struct socket *, struct mbuf *control);
};

/* ---- registration (uipc_domain.c) --------------------------------------------------------- */

/* EEXIST: the family is there; ENOMEM. `d` is kept. */
errno_t net_add_domain(struct nke *, const struct domain *d);
/* EBUSY: protocols are still in it; ENOENT. */
errno_t net_del_domain(struct nke *, int family);
/* EAFNOSUPPORT: no such domain; EEXIST: type and protocol are taken; ENOMEM. `p` is kept. */
errno_t net_add_proto(struct nke *, int family, const struct protosw *p);
/* EBUSY: sockets use it; ENOENT. */
errno_t net_del_proto(struct nke *, int family, int type, int protocol);
/*
 * The protocol for socket(family, type, protocol): the exact one; for protocol 0 the first of that
 * type; a raw protocol with pr_protocol 0 takes any number. EAFNOSUPPORT, EPROTONOSUPPORT, EPROTOTYPE.
 */
errno_t pffindproto(struct nke *, int family, int type, int protocol, const struct protosw **,
    const struct domain **);

#endif
