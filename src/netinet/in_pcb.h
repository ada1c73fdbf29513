/*
 * Internet protocol control blocks: what a socket of UDP, TCP or raw IP is bound and connected to, for both
 * families, and how the protocols find the one that a packet is for.
 *
 * An inpcb belongs to its socket (so_pcb) and is in one protocol's inpcbinfo. A block of an AF_INET6 socket
 * may stand for IPv4 as well (inp_vflag); its IPv4 addresses are kept like those of AF_INET sockets: in the
 * last word, the others 0, so that the unspecified address of both families is the same.
 *
 * Link-local addresses carry no interface inside: it is in inp_lzone and inp_fzone.
 */
#ifndef NKE_NETINET_IN_PCB_H
#define NKE_NETINET_IN_PCB_H

#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <sys/queue.h>
#include <sys/sysctl.h>

#include "src/kern/socketvar.h"
#include "src/kern/zone.h"
#include "src/net/if_private.h"
#include "src/net/rtable.h"
#include "src/netinet/in_multi.h"
#include "src/netinet/ip_private.h"

struct in_ends;
struct in_moptions;
struct in6_pktopts;

/* inp_vflag: which packets it is for. */
#define INP_IPV4	0x1
#define INP_IPV6	0x2

/* inp_flags. What is to come with each datagram received ... */
#define INP_RECVOPTS		0x00000001
#define INP_RECVDSTADDR		0x00000002
#define INP_RECVIF		0x00000004
#define INP_RECVTTL		0x00000008
#define INP_RECVTOS		0x00000010
#define INP_RECVPKTINFO		0x00000020
#define INP_RECV6PKTINFO	0x00000040
#define INP_RECV6HOPLIMIT	0x00000080
#define INP_RECV6TCLASS		0x00000100
#define INP_RECV6HOPOPTS	0x00000200
#define INP_RECV6DSTOPTS	0x00000400
#define INP_RECV6RTHDR		0x00000800
#define INP_RECVANY		0x00000fff
/* ... and the rest. */
#define INP_HDRINCL		0x00001000	/* raw: the user makes the IP header */
#define INP_HIGHPORT		0x00002000
#define INP_LOWPORT		0x00004000
#define INP_V6ONLY		0x00008000
#define INP_DONTFRAG		0x00010000
#define INP_MINMTU		0x00020000	/* IPV6_USE_MIN_MTU 1: always; without the next: multicast */
#define INP_NOMINMTU		0x00040000	/* IPV6_USE_MIN_MTU 0: never */
#define INP_RECV6PATHMTU	0x00080000
#define INP_NOCKSUM		0x00100000	/* UDP_NOCKSUM */
#define INP_STRIPHDR		0x00200000	/* raw: without the IP header */
#define INP_ADDRBOUND		0x00400000	/* the local address was bound, not found by connecting */
#define INP_HASHED		0x00800000
#define INP_2292		0x01000000	/* ancillary data under the numbers of RFC 2292 */
#define INP_AUTOFLOWLABEL	0x02000000
#define INP_GROUPBOUND		0x04000000	/* bound to a group, which is nobody's source address */

struct inpcb {
	/* What input and output look at for every packet comes first. */
	LIST_ENTRY(inpcb) inp_hash;	/* by addresses and ports */
	struct socket *inp_socket;
	uint32_t inp_hashval;
	uint16_t inp_fport, inp_lport;	/* network order; inp_lport 0: not bound */
	struct in6_addr inp_faddr6, inp_laddr6;
#define inp_faddr	inp_faddr6.s6_addr32[3]
#define inp_laddr	inp_laddr6.s6_addr32[3]
	uint32_t inp_fzone, inp_lzone;	/* interface index of link-local addresses, else 0 */
	struct ifnet *inp_boundif;	/* IP_BOUND_IF: referenced, NULL any */
	uint32_t inp_flags;
	uint8_t inp_vflag;
	uint8_t inp_ttl;		/* IPv4, unicast */
	uint8_t inp_tos;
	uint8_t inp_tclass;
	int16_t inp_hops;		/* IPv6, unicast; -1: the default */
	uint16_t inp_options_len;
	uint32_t inp_flowlabel;		/* network order, 20 bits */
	uint8_t *inp_options;		/* IP_OPTIONS: a multiple of 4 bytes; NULL none */
	struct in6_pktopts *inp_options6;	/* sticky options of RFC 3542; NULL none */
	struct in_moptions *inp_moptions;	/* NULL: nothing about multicast was ever said */

	struct route inp_route;
	struct in_source *inp_source;	/* of sockets without a local address; NULL: not known */

	struct inpcbinfo *inp_info;
	void *inp_ppcb;			/* TCP's */
	uint32_t inp_serial;		/* the last datagram for several sockets that looked at it */
	uint8_t inp_class;		/* enum inpcb_class, while it is hashed */
	LIST_ENTRY(inpcb) inp_portlist;	/* by local port, and whether it is connected */
	TAILQ_ENTRY(inpcb) inp_list;	/* all of the protocol, the newest first */
};

/* The address that datagrams to `dst` were sent from, while the routing table is the same. */
struct in_source {
	struct in6_addr addr, dst;
	uint32_t zone;			/* of dst */
	uint32_t generation;
	bool known;
};
LIST_HEAD(inpcb_bucket, inpcb);
TAILQ_HEAD(inpcb_list, inpcb);

/* How much of a bound block's ends is settled. */
enum inpcb_class { INPCB_CONNECTED, INPCB_ADDRESS, INPCB_PORT, INPCB_CLASSES };

/* The blocks of one protocol. */
struct inpcbinfo {
	struct nke *machine;
	uint8_t protocol;
	struct zone zone;		/* of its blocks */
	struct inpcb_list list;
	uint32_t count;			/* on `list` */
	uint32_t changes;		/* of the tables: a walk that called others starts anew */
	uint32_t hashed;		/* of these: bound */
	uint32_t classes[INPCB_CLASSES];	/* of the bound ones */
	uint32_t buckets;		/* of each of the two tables; a power of two, grows with `hashed` */
	struct inpcb_bucket *hash;	/* by addresses and ports */
	struct inpcb_bucket *porthash;	/* by local port */
	uint64_t key[2];		/* of both hashes: an attacker cannot know who shares a bucket */
	uint64_t port_key[2];		/* of the choice of ports (RFC 6056) */
	uint16_t port_table[256];	/* its counters */
	/*
	 * May these ends not be used yet, although no block has them? With fport 0: that local port, by any
	 * or (not unspecified) that address. NULL: no protocol state outlives its block.
	 */
	bool (*waits)(struct nke *, const struct in_ends *);
};

/* Space for ephemeral ports: net.inet.ip.portrange.*. */
struct in_portrange {
	int lowfirst, lowlast, first, last, hifirst, hilast;
};

/* What PF_INET and PF_INET6 keep in a machine (in_proto.c). */
struct inet_state {
	struct in_portrange ports;
	struct sysctl_oid_list portrange;	/* its address names their branch */
	int v6only;			/* net.inet6.ip6.v6only: what new sockets get */
	uint32_t pcbs;			/* of all protocols */
};
#define INPCB_MAX	262144u		/* blocks of a machine: more get ENOBUFS */

#define sotoinpcb(so)	((struct inpcb *)(so)->so_pcb)

static inline bool
inp_privileged(const struct socket *so)
{
	return (so->so_state & SS_PRIV) || so->so_uid == 0;
}

static inline bool
in6_zoned(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_MC_LINKLOCAL(a) || IN6_IS_ADDR_MC_INTFACELOCAL(a);
}

static inline struct in6_addr
in6_from4(in_addr_t a)
{
	struct in6_addr r = {{.__u6_addr32 = {0, 0, 0, a}}};

	return r;
}

/* ::ffff:a.b.c.d, as the users of AF_INET6 sockets see IPv4 addresses. */
static inline struct in6_addr
in6_mapped(in_addr_t a)
{
	struct in6_addr r = {{.__u6_addr32 = {0, 0, htonl(0xffff), a}}};

	return r;
}

/* ---- life (in_pcb.c) ------------------------------------------------------------------------ */

errno_t in_pcbinfo_init(struct nke *, struct inpcbinfo *, uint8_t protocol);
/* The same for blocks that begin with a struct inpcb and have `size` bytes in all. */
errno_t in_pcbinfo_init_sized(struct nke *, struct inpcbinfo *, uint8_t protocol, size_t size);
/* Takes what blocks there are from their sockets. */
void in_pcbinfo_empty(struct inpcbinfo *);
void in_pcbinfo_fini(struct inpcbinfo *);
/* A block for the socket: so_pcb. ENOBUFS. */
errno_t in_pcballoc(struct socket *, struct inpcbinfo *);
/* Frees it, with everything it holds: memberships, options, route. so_pcb becomes NULL. */
void in_pcbdetach(struct inpcb *);
/* The hash follows what was bound or connected. */
void in_pcbrehash(struct inpcb *);
/* No packet finds it any more, and nobody is kept from its port. */
void in_pcbunhash(struct inpcb *);

/* ---- finding (in_pcb.c) --------------------------------------------------------------------- */

/* A packet's ends; or those of an error's packet, ours is `l`. Ports in network order. */
struct in_ends {
	struct in6_addr faddr, laddr;
	uint16_t fport, lport;
	uint8_t vflag;			/* INP_IPV4 or INP_IPV6 */
	const struct ifnet *ifp;	/* it came by; NULL: not known, any */
};
/*
 * The block a packet is for: connected to its sender, else bound to its destination, else bound to the
 * port. `wild` false: connected ones only. NULL: none.
 */
struct inpcb *in_pcblookup(struct inpcbinfo *, const struct in_ends *, bool wild);
/*
 * The blocks bound to a port, in this bucket among others: see inp_portlist. `lport`: network order. Those
 * that are connected are apart: a port may serve very many, which are in the way of few that bind to it.
 */
struct inpcb_bucket *in_pcbport(struct inpcbinfo *, uint16_t lport, bool connected);
#define IN_PCBPORT_FOREACH(inp, info, lport)						\
	for (unsigned in_connected = 0; in_connected < 2; in_connected++)		\
		LIST_FOREACH(inp, in_pcbport(info, lport, in_connected != 0), inp_portlist)

/* ---- binding (in_pcb_bind.c) ---------------------------------------------------------------- */

/*
 * BSD's rules. `sa` NULL: any address, a port of the system's choice. EINVAL: bound already, wrong length;
 * EAFNOSUPPORT, EADDRNOTAVAIL, EADDRINUSE, EACCES.
 */
errno_t in_pcbbind(struct inpcb *, const struct sockaddr *);
/* A free port for the local address that the block has and (not NULL) that peer. EADDRNOTAVAIL. */
errno_t in_pcbchooseport(struct inpcb *, const struct in_ends *peer);

/* ---- connecting and addresses (in_pcb_connect.c) -------------------------------------------- */

/*
 * What a socket address means to this socket: family of packets, address, zone, port. EINVAL: wrong
 * length; EAFNOSUPPORT; EADDRNOTAVAIL: IPv4 address and IPV6_V6ONLY; EHOSTUNREACH, ENXIO: its zone is
 * not told or is not there.
 */
struct in_peer {
	struct in6_addr addr;
	uint32_t zone;
	uint32_t flowlabel;
	uint16_t port;			/* network order */
	uint8_t vflag;			/* INP_IPV4 or INP_IPV6 */
};
errno_t in_pcbpeer(struct inpcb *, const struct sockaddr *, struct in_peer *);
/* EADDRNOTAVAIL: port 0, no source; EADDRINUSE; EHOSTUNREACH, ENETUNREACH: no route; and in_pcbpeer's. */
errno_t in_pcbconnect(struct inpcb *, const struct sockaddr *);
void in_pcbdisconnect(struct inpcb *);
/* The address to send from to `peer`: the bound one, or the one that fits the route. EADDRNOTAVAIL ... */
errno_t in_pcbsource(struct inpcb *, const struct in_peer *, struct ifnet *bound, struct in6_addr *);
/* The zone of the address that a packet came from by `ifp`; by lo0, the one that it has here. 0: none. */
uint32_t in_pcbzone(struct nke *, const struct ifnet *ifp, const struct in6_addr *);
/* The next datagram's source is looked for anew. */
static inline void
in_pcbsource_forget(struct inpcb *inp)
{
	if (inp->inp_source != NULL)
		inp->inp_source->known = false;
}
/* The interface that packets to `peer` are bound to by the socket or the peer's zone; NULL any. */
struct ifnet *in_pcbboundif(const struct inpcb *, const struct in_peer *);
errno_t in_pcbsockaddr(struct socket *, struct sockaddr_storage *);
errno_t in_pcbpeeraddr(struct socket *, struct sockaddr_storage *);
/* A socket address as this socket's user sees it (mapped, when IPv4 on an AF_INET6 socket). */
void in_pcbname(const struct inpcb *, uint8_t vflag, const struct in6_addr *, uint32_t zone, uint16_t port,
    struct sockaddr_storage *);
/* Is it an address of this machine (`zone`: on that interface)? */
bool in_pcb_ours(struct nke *, uint8_t vflag, const struct in6_addr *, uint32_t zone);

/* ---- options (in_options.c, in6_options.c) -------------------------------------------------- */

/* Levels IPPROTO_IP and IPPROTO_IPV6. ENOPROTOOPT: not known. */
errno_t ip_ctloutput(struct socket *, struct sockopt *);
errno_t ip6_ctloutput(struct socket *, struct sockopt *);
/* Both, by level: pr_ctloutput of protocols that have no options of their own. */
errno_t in_ctloutput(struct socket *, struct sockopt *);
/* What both levels have under numbers of their own; the values are the same. */
enum in_common_option { IN_OPTION_PORTRANGE, IN_OPTION_BOUND_IF };
errno_t in_setopt_common(struct inpcb *, enum in_common_option, int value);
int in_getopt_common(const struct inpcb *, enum in_common_option);
/* The interface of that number; ENXIO. 0: NULL. No reference. */
errno_t in_option_interface(struct nke *, uint32_t index, struct ifnet **);

/* Sticky options and those of one datagram (in6_pktopts.c). */
struct in6_pktopts {
	uint8_t *hop, *dst1, *routing, *dst2;	/* complete headers; NULL none */
	struct in6_addr source;		/* of IPV6_PKTINFO; unspecified: none */
	struct ifnet *ifp;		/* of IPV6_PKTINFO; referenced */
};
void in6_pktopts_free(struct nke *, struct in6_pktopts *);
/*
 * One of IPV6_HOPOPTS, RTHDRDSTOPTS, RTHDR, DSTOPTS: does the value hold together, and may this socket say
 * it? 0, EINVAL, EPERM.
 */
errno_t in6_pktopts_check(const struct inpcb *, int option, const uint8_t *, size_t len);
/* The options above and IPV6_PKTINFO, sticky. An empty value takes one away. ENOPROTOOPT: another. */
errno_t in6_pktopts_set(struct inpcb *, struct sockopt *);
errno_t in6_pktopts_get(const struct inpcb *, struct sockopt *);

/* ---- ancillary data (in_cmsg.c) ------------------------------------------------------------- */

/*
 * What this socket wants to know of a packet: control mbufs, NULL none wanted. False: no memory. `m` has
 * its data at the IP header; `off`: of the transport header.
 */
bool in_savecontrol(const struct inpcb *, const struct mbuf *m, uint8_t vflag, int off, struct mbuf **);

static inline bool
in_wants_control(const struct inpcb *inp)
{
	return (inp->inp_flags & INP_RECVANY) ||
	    (inp->inp_socket->so_options & (SO_TIMESTAMP | SO_TIMESTAMP_MONOTONIC));
}

/* What control data say about the one datagram they come with. */
struct in_sendctl {
	struct in6_addr source;		/* when has_source */
	struct ifnet *ifp;		/* NULL: not said. No reference: used before the CPU is given up */
	int hops;			/* -1: not said; for unicast and multicast */
	int tos;			/* -1: not said; TOS or traffic class */
	int dontfrag;			/* -1: not said */
	int minmtu;			/* -1: not said; IPV6_USE_MIN_MTU */
	bool has_source;
	struct ip6_options headers;	/* point into the control mbufs, or into the sticky options */
};
/* EINVAL: malformed or not allowed; ENXIO: no such interface; EADDRNOTAVAIL: not our address. */
errno_t in_getcontrol(struct inpcb *, const struct mbuf *control, uint8_t vflag, struct in_sendctl *);

/* ---- multicast (in_mcast.c, in_mcast_options.c) --------------------------------------------- */

/* A group that a socket is a member of. */
struct in_membership {
	struct in_multi *inm;		/* one membership of it */
	uint8_t mode;			/* MCAST_EXCLUDE: all but these; MCAST_INCLUDE: only these */
	uint16_t count, room;
	union in_any *sources;		/* sorted */
};

struct in_moptions {
	struct ifnet *ifp;		/* to send by; referenced, NULL: by the routing table */
	struct in_addr addr;		/* IP_MULTICAST_IF as it was set, for getsockopt */
	int16_t hops;			/* -1: 1 */
	uint8_t loop;
	uint16_t count, room;
	struct in_membership *groups;
};

/* NULL: no memory. */
struct in_moptions *in_moptions_get(struct inpcb *);
void in_moptions_free(struct inpcb *);
/* Is the socket to have a datagram for that group, from that source, by that interface (NULL: any)? */
bool in_mcast_wanted(const struct inpcb *, const struct ifnet *, sa_family_t, const void *group,
    const void *source);
/* The socket's membership; NULL none. */
struct in_membership *in_mcast_find(const struct inpcb *, const struct ifnet *, sa_family_t,
    const void *group);
/*
 * Changes what the socket wants from a group on an interface: mode and `count` sources in any order. The
 * empty INCLUDE list leaves. The caller holds the socket, whose block may be gone afterwards. ENOBUFS: too
 * many sources, or no memory; ETOOMANYREFS: too many groups; EADDRINUSE: another thread joined meanwhile;
 * EBADF: it was closed meanwhile; and in_multi_join's errors.
 */
errno_t in_mcast_set(struct inpcb *, struct ifnet *, sa_family_t, const void *group, uint8_t mode,
    const union in_any *sources, unsigned count);
/* The options of level IPPROTO_IP and IPPROTO_IPV6 that are about multicast. ENOPROTOOPT: another. */
errno_t in_mcast_setopt(struct inpcb *, struct sockopt *);
errno_t in_mcast_getopt(struct inpcb *, struct sockopt *);
/* in_multi.c's half of in_mcast_set: one member's wish changes from `from` to `to` (NULL: none). */
struct in_wish {
	uint8_t mode;
	unsigned count;
	const union in_any *sources;	/* sorted */
};
errno_t in_multi_change(struct ifnet *, sa_family_t, const void *group, const struct in_wish *from,
    const struct in_wish *to, struct in_multi **);

static inline size_t
in_any_size(sa_family_t family)
{
	return family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

#endif
