/*
 * What raw sockets and ICMP datagram sockets of both families share: raw_usrreq.c; raw_ip.c, raw_ip6.c,
 * icmp_dgram.c.
 */
#ifndef NKE_NETINET_RAW_PRIVATE_H
#define NKE_NETINET_RAW_PRIVATE_H

#include <netinet/icmp6.h>

#include "src/netinet/in_pcb.h"
#include "src/netinet/in_send.h"
#include "src/netinet/raw_input.h"

/* Buffers of both kinds, unless net.inet.raw.* says otherwise. */
#define RAW_SPACE	8192

/* The block of a raw or ICMP datagram socket. */
struct raw_pcb {
	struct inpcb inp;
	int protocol;			/* 0: any */
	int cksum6;			/* IPV6_CHECKSUM: offset, -1 none */
	uint16_t ident, user_ident;	/* ICMP datagram: on the wire, as the user says */
	struct icmp6_filter filter6;
};
#define inptoraw(p)	((struct raw_pcb *)(uintptr_t)(p))	/* the block comes first */
#define sotoraw(so)	((struct raw_pcb *)(so)->so_pcb)
_Static_assert(offsetof(struct raw_pcb, inp) == 0, "inptoraw");

/* The raw sockets of one family. */
struct raw_sockets {
	struct inpcbinfo pcbs;
	uint32_t wanted[256];		/* how many want that protocol by its number */
	uint32_t any;			/* how many want every protocol */
	uint32_t serial;		/* of datagrams being delivered */
};

struct rip_state {
	struct raw_sockets raw;
	struct inpcbinfo echo;		/* ICMP datagram sockets */
	int maxdgram, recvspace;	/* net.inet.raw.*: buffers, of both families */
};

/* src/netinet6/raw_ip6.c */
struct rip6_state {
	struct raw_sockets raw;
	struct inpcbinfo echo;		/* ICMPv6 datagram sockets */
};

struct echo_kind;

/* A datagram on its way to raw sockets. */
struct raw_in {
	struct nke *machine;
	struct in_ends ends;		/* no ports */
	int off;			/* of what is behind the IP header(s) */
	uint8_t protocol;
	bool multicast;
};

/* ---- raw_usrreq.c ------------------------------------------------------------------------- */

/* EPERM: takes privilege; EPROTONOSUPPORT. */
errno_t raw_attach(struct socket *, struct raw_sockets *, int protocol);
errno_t raw_reserve(struct socket *);
void raw_detach(struct socket *, struct raw_sockets *);
errno_t raw_bind(struct socket *, const struct sockaddr *);
errno_t raw_connect(struct socket *, const struct sockaddr *);
errno_t raw_disconnect(struct socket *);
errno_t raw_shutdown(struct socket *);
void raw_abort(struct socket *);
/* What all four kinds have among their pr_usrreqs. */
#define RAW_USRREQS								\
	.pru_abort = raw_abort, .pru_connect = raw_connect,			\
	.pru_disconnect = raw_disconnect, .pru_shutdown = raw_shutdown,		\
	.pru_sockaddr = in_pcbsockaddr, .pru_peeraddr = in_pcbpeeraddr

/* How one kind of them sends. */
struct raw_way {
	uint8_t vflag;			/* INP_IPV4 or INP_IPV6 */
	const struct echo_kind *echo;	/* NULL: raw */
	errno_t (*output)(struct in_out *, struct mbuf *);	/* consumes */
};
/*
 * To the peer, or to `to`; consumes. ENOTCONN, EISCONN, EADDRNOTAVAIL; what in_pcbpeer, in_getcontrol and the
 * way say.
 */
errno_t raw_send(struct socket *, const struct raw_way *, struct mbuf *m, const struct sockaddr *to,
    struct mbuf *control);
/*
 * A copy of m (m itself to the last) to every socket that `wants` it. Nobody: m is freed, false. `give`
 * consumes the copy; it may close sockets.
 */
bool raw_deliver(struct raw_sockets *, const struct raw_in *, struct mbuf *m,
    bool (*wants)(const struct raw_in *, const struct inpcb *, const struct mbuf *),
    void (*give)(const struct raw_in *, struct inpcb *, struct mbuf *));
/* The parts of `wants` about protocol and addresses. */
bool raw_protocol_fits(const struct raw_in *, const struct inpcb *);
bool raw_addresses_fit(const struct raw_in *, const struct inpcb *);
/* Into the socket's buffer, without its first `strip` bytes; consumes. False: there was no room. */
bool raw_append(const struct raw_in *, struct inpcb *, struct mbuf *m, int strip);

/* ---- raw_ip.c ----------------------------------------------------------------------------- */

/* With an IP header of its own, or (IP_HDRINCL) with the user's. Consumes. */
errno_t rip_output(struct in_out *, struct mbuf *);

/* ---- icmp_dgram.c ------------------------------------------------------------------------- */

/* The numbers that differ between ICMP and ICMPv6. */
struct echo_kind {
	uint8_t protocol;
	uint8_t vflag;
	uint8_t request, reply;		/* types */
};
extern const struct echo_kind echo_inet;

/* 0: how it is to be sent; EPERM: not an echo request. Puts the socket's own number in. *m is replaced. */
errno_t echo_request(struct inpcb *, const struct echo_kind *, struct mbuf **);
/*
 * Is the ICMP message at `off` for one of these sockets: an echo reply, or an error about a request? Gives
 * it a copy. `m` stays the caller's.
 */
void echo_input(struct inpcbinfo *, const struct echo_kind *, const struct raw_in *, const struct mbuf *m);
errno_t echo_attach(struct socket *, struct inpcbinfo *);
errno_t echo_bind(struct socket *, const struct sockaddr *);
void echo_detach(struct socket *);
errno_t echo_init(struct nke *);

#endif
