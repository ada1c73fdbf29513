/*
 * What IPv6 keeps in a machine, and the small things its files share. Seen by src/netinet6/ alone.
 */
#ifndef NKE_NETINET6_IP6_STATE_H
#define NKE_NETINET6_IP6_STATE_H

#include "src/net/ifaddr.h"
#include "src/netinet/in_subr.h"
#include "src/netinet/ip_private.h"
#include "src/netinet/reass.h"

#define IP6_HLEN	((int)sizeof(struct ip6_hdr))
#define IP6_NEST_LIMIT	15u		/* headers before the transport's */
#define IP6_CHAIN_MAX	8192u		/* bytes of headers of a fragment */

struct ip6_state {
	struct ip6stat stat;
	const struct ip_transport *transport[256];
	struct reass reass;
	/* The destination last found to be ours: referenced, good while attached. */
	struct ifaddr *last_ours;
	struct in6_addr last_ours_addr;
	uint32_t id;			/* of the last datagram cut */
	uint32_t id_key;
	bool said_length;		/* logged that a filter's packet does not fit its length */
	/* net.inet6.ip6.* */
	int default_hlim;		/* hlim */
	int forwarding;
	int send_redirects;		/* redirect */

	struct route forward_route;	/* of the last packet forwarded */
	uint32_t forward_doubt;		/* packets that are copied before they are forwarded */
};

/* The header is packed, so its addresses are reached by place; data is aligned to 4 there. */
static inline struct in6_addr *
ip6_source(const struct mbuf *m)
{
	return (struct in6_addr *)(void *)(m->m_data + offsetof(struct ip6_hdr, ip6_src));
}
static inline struct in6_addr *
ip6_destination(const struct mbuf *m)
{
	return (struct in6_addr *)(void *)(m->m_data + offsetof(struct ip6_hdr, ip6_dst));
}
static inline int
ip6_payload(const struct mbuf *m)
{
	return ntohs(mtod(m, const struct ip6_hdr *)->ip6_plen);
}
static inline bool
ip6_link_local(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_MC_LINKLOCAL(a) ||
	    IN6_IS_ADDR_MC_INTFACELOCAL(a);
}

/* ---- ip6_init.c --------------------------------------------------------------------------- */

/*
 * The stack does not want the packet: counts, and lets go of it (replay: it survives as captured).
 */
void ip6_refuse(struct nke *, struct mbuf *, u_quad_t *counter);
/* The functions of in_subr.h, counting when memory runs out. */
static inline struct mbuf *
ip6_counted(struct mbuf *m, u_quad_t *counter)
{
	if (UNLIKELY(m == NULL))
		(*counter)++;
	return m;
}
#define ip6_pullup(machine, m, counter)						\
	ip6_counted(in_pullup((machine), (m), (size_t)IP6_HLEN), (counter))
#define ip6_writable(machine, m, counter)					\
	ip6_counted(in_writable((machine), (m), (size_t)IP6_HLEN), (counter))
#define ip6_align(machine, m, counter)						\
	ip6_counted(in_align((machine), (m)), (counter))

/* ---- ip6_input.c -------------------------------------------------------------------------- */

/*
 * Checks the fixed header of *m, makes it contiguous and aligned, trims. False: refused and
 * counted.
 */
bool ip6_check_header(struct nke *, struct mbuf **m);
/* After filters: the header is contiguous again and the length fits. False: dropped and counted. */
bool ip6_recheck(struct nke *, struct mbuf **m);
void ip6_inject_receive(struct nke *, struct mbuf *);

/* ---- ip6_forward.c ------------------------------------------------------------------------ */

/* A packet with a good header that is not for this machine: forwards it, or lets it go. Consumes. */
void ip6_not_ours(struct nke *, struct mbuf *);

struct ip6_place;

/* ---- ip6_refuse.c ------------------------------------------------------------------------- */

/*
 * The extension header there is not acceptable, or not allowed at that place: counts, and tells the
 * sender if it wants to know (RFC 8200 4.2, 4.4). Consumes.
 */
void ip6_refuse_extension(struct nke *, struct mbuf *, const struct ip6_place *);
/* Nobody here knows the protocol there. Consumes. */
void ip6_no_transport(struct nke *, struct mbuf *, const struct ip6_place *);

/* ---- ip6_exthdr.c ------------------------------------------------------------------------- */

/* Where in its chain of headers a packet is looked at. */
struct ip6_place {
	size_t off;			/* of the header */
	uint8_t next;			/* its number */
	size_t named_at;		/* offset of the byte that says so */
};

/* Hop-by-hop, destination options or routing: headers that say their length in 8-byte units. */
static inline bool
ip6_is_extension(uint8_t protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_DSTOPTS ||
	    protocol == IPPROTO_ROUTING;
}
struct ip6_place ip6_first_place(const struct mbuf *);
/* Steps over the extension header there. False: it does not fit the packet. */
bool ip6_step(const struct mbuf *, struct ip6_place *);
/*
 * Are the options of the header at `off` (hop-by-hop or destination) acceptable to a receiver?
 * Those of a jumbogram are not (RFC 2675).
 */
bool ip6_options_good(const struct mbuf *, size_t off);
/*
 * The first of them that is not: the offset of its type; *what becomes the type, or IP6OPT_PADN when it is
 * known but malformed. 0: the header does not fit the packet, or all are acceptable.
 */
size_t ip6_options_fault(const struct mbuf *, size_t off, uint8_t *what);
/* Is the routing header at `off` done with (RFC 8200 4.4, RFC 5095)? */
bool ip6_routing_good(const struct mbuf *, size_t off);
/* Steps over everything up to what fragments of the packet may not leave out (RFC 8200 4.5). */
struct ip6_place ip6_unfragmentable(const struct mbuf *);
/* Are all headers there, up to and including the transport's (RFC 7112)? */
bool ip6_chain_complete(const struct mbuf *, size_t off, uint8_t next);

/* ---- ip6_output.c ------------------------------------------------------------------------- */

errno_t ip6_inject_send(struct nke *, struct mbuf *, ipf_pktopts_t);
/* The interface index in a link-local address, which is taken out; 0: none. */
uint32_t ip6_take_scope(struct in6_addr *);

#endif
