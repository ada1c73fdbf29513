/*
 * What IPv4 keeps in a machine, and the small things its files share. Seen by src/netinet/ip_*.c.
 */
#ifndef NKE_NETINET_IP_STATE_H
#define NKE_NETINET_IP_STATE_H

#include <string.h>

#include "src/net/ifaddr.h"
#include "src/netinet/in_subr.h"
#include "src/netinet/ip_private.h"
#include "src/netinet/reass.h"

#define IP_HLEN		((int)sizeof(struct ip))

struct ip_state {
	struct ipstat stat;
	const struct ip_transport *transport[256];
	struct reass reass;
	/* The destination last found to be ours: referenced, good while attached. */
	struct ifaddr *last_ours;
	uint32_t last_ours_addr;	/* network order */
	uint16_t id;			/* of the last datagram sent */
	uint16_t id_key;
	bool said_length;		/* logged that a filter's packet does not fit its ip_len */
	/* net.inet.ip.* */
	int default_ttl;		/* ttl */
	int forwarding;
	int send_redirects;		/* sendredirects */
	int source_route;		/* sourceroute: forwards what says its way itself */
	int accept_source_route;	/* accept_sourceroute: takes it when it has arrived */

	struct route forward_route;	/* of the last packet forwarded */
	uint32_t forward_doubt;		/* packets that are copied before they are forwarded */
};

/* ---- src/netinet/ip_init.c ---------------------------------------------------------------- */

/*
 * The stack does not want the packet: counts, and lets go of it (replay: it survives as captured).
 */
void ip_refuse(struct nke *, struct mbuf *, uint32_t *counter);
/* The functions of in_subr.h, counting when memory runs out. */
static inline struct mbuf *
ip_counted(struct mbuf *m, uint32_t *counter)
{
	if (UNLIKELY(m == NULL))
		(*counter)++;
	return m;
}
#define ip_pullup(machine, m, len, counter)	ip_counted(in_pullup((machine), (m), (len)), (counter))
#define ip_writable(machine, m, len, counter)	ip_counted(in_writable((machine), (m), (len)), (counter))
#define ip_align(machine, m, counter)		ip_counted(in_align((machine), (m)), (counter))

/* ---- src/netinet/ip_input.c --------------------------------------------------------------- */

/*
 * Checks the header of a packet that came off a wire (RFC 1122 3.2.1), makes it contiguous and
 * aligned and trims the packet to its length. Header length, or 0: the packet was refused and
 * counted.
 */
int ip_check_header(struct nke *, struct mbuf **);

static inline bool
ip_loopback_net(struct in_addr a)
{
	return (a.s_addr & htonl(0xff000000)) == htonl(INADDR_LOOPBACK & 0xff000000);
}

/* Everybody on one of our networks. */
static inline bool
ip_is_broadcast(struct nke *machine, struct in_addr a)
{
	return ifaddr_find_broadcast4(machine, NULL, a.s_addr) != NULL;
}

/* The checksum of a plain header, ready to store; its own field counts as 0 (RFC 1071). */
static inline uint16_t
ip_plain_sum(const struct ip *ip)
{
	uint32_t w[5];
	uint64_t sum;

	memcpy(w, ip, sizeof w);
	sum = (uint64_t)w[0] + w[1] + (w[2] & ntohl(0xffff0000)) + w[3] + w[4];
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~((sum & 0xffff) + (sum >> 16));
}

/* True when the five words of a plain header add up (RFC 1071). */
static inline bool
ip_plain_sum_good(const struct ip *ip)
{
	uint32_t w[5];
	uint64_t sum;

	memcpy(w, ip, sizeof w);
	sum = (uint64_t)w[0] + w[1] + w[2] + w[3] + w[4];
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/* ip_check_header() for the common case, inline. */
static inline int
ip_header(struct nke *machine, struct mbuf **mp)
{
	struct mbuf *m = *mp;

	if (LIKELY(m->m_next == NULL && m->m_len == m->m_pkthdr.len && m->m_len >= IP_HLEN &&
	    in_aligned(m) && m->m_pkthdr.csum_flags == 0)) {
		const struct ip *ip = mtod(m, const struct ip *);
		int len = ntohs(ip->ip_len);

		if (LIKELY(*(const uint8_t *)ip == IP_VHL_BORING && len >= IP_HLEN &&
			len <= m->m_len && !ip_loopback_net(ip->ip_src) &&
			!ip_loopback_net(ip->ip_dst) && ip_plain_sum_good(ip))) {
			/* Ethernet pads short frames. */
			if (len < m->m_len) {
				machine->ip->stat.ips_adj++;
				m->m_len = m->m_pkthdr.len = len;
			}
			return IP_HLEN;
		}
	}
	return ip_check_header(machine, mp);
}

/*
 * After filters: the header of *m is contiguous again and its lengths fit, whatever the filter did.
 * False: they do not, the packet has been dropped and counted.
 */
bool ip_recheck(struct nke *, struct mbuf **, int hlen);
void ip_inject_receive(struct nke *, struct mbuf *);

/* ---- src/netinet/ip_output.c -------------------------------------------------------------- */

/* Bits of ippo_flags that kexts keep as they are: the packet is bound to the interface of that index. */
#define IPPOF_BOUND_IF		0x2u
#define IPPOF_SHIFT_IFSCOPE	16

/* One datagram on its way out. */
struct ip_out {
	struct nke *machine;
	const struct ip_sender *sender;	/* never NULL; `flags` are its own */
	struct ipf_pktopts *options;	/* the same, as filters see it; never NULL */
	uint32_t flags;			/* IP_OUT_* */
	bool socket;			/* ip_send: a source is selected, or it is an error */
	bool multicast;
	struct ifnet *ifp;
	struct rtentry *rt;		/* referenced; NULL: groups, everybody, this machine */
	uint32_t mtu;			/* of the path */
	struct sockaddr_in next_hop;
};

/*
 * An identification: never the same twice within 65536 datagrams (RFC 6864), nor simply the next
 * number. Odd factors and the key permute the counter.
 */
uint16_t ip_new_id(struct nke *);
/* The output filters behind `behind`; 0: *m is a sane packet. EJUSTRETURN: nothing is left to be done. */
errno_t ip_filter_out(const struct ip_out *, struct mbuf **m, ipfilter_t behind);
/* Checksums, fragments, interface: consumes. */
errno_t ip_transmit(const struct ip_out *, struct mbuf *);
/*
 * May packets use that route at all? EHOSTUNREACH or ENETUNREACH: it rejects; EJUSTRETURN: they
 * disappear in it.
 */
errno_t ip_route_refuses(const struct rtentry *);
/* Where multicast and broadcast go without a route: the first link with an address; NULL none. */
struct ifnet *ip_any_link(struct nke *, sa_family_t);
/* What a filter's options ask for, as a sender; the other way round. */
void ip_sender_of(struct nke *, const struct ipf_pktopts *, struct ip_sender *);
void ip_options_of(const struct ip_sender *, struct ipf_pktopts *);
errno_t ip_inject_send(struct nke *, struct mbuf *, ipf_pktopts_t);
/* Does anybody here listen to that group (AF_INET or AF_INET6, without scope) on the interface? */
bool ip_local_member(const struct ifnet *, const struct sockaddr *group);

/* ---- src/netinet/ip_forward.c ------------------------------------------------------------- */

/* A packet with a good header that is not for this machine: forwards it, or lets it go. Consumes. */
void ip_not_ours(struct nke *, struct mbuf *, int hlen);

/* ---- src/netinet/ip_dooptions.c ----------------------------------------------------------- */

/*
 * What a machine does about the options of a packet that it gets; *m may be another packet then, the
 * header as long as before. False: refused, or the sender has been told.
 */
bool ip_dooptions(struct nke *, struct mbuf **m, int hlen);

/* ---- src/netinet/ip_options.c ------------------------------------------------------------- */

enum ip_options_verdict { IP_OPTIONS_GOOD, IP_OPTIONS_BAD, IP_OPTIONS_SOURCE_ROUTE };

/* The options of a received header: `len` bytes behind the fixed 20. */
enum ip_options_verdict ip_options_check(const uint8_t *options, size_t len);
/*
 * The options that every fragment has to carry (RFC 791 3.1: copied flag), padded to a multiple of
 * 4. `to` has room for 40 bytes. How many.
 */
size_t ip_options_copied(const uint8_t *options, size_t len, uint8_t *to);
/*
 * Puts a sender's options behind the header of *m, which has none. EINVAL, EMSGSIZE: nothing was done;
 * ENOBUFS: the packet is gone.
 */
errno_t ip_options_insert(struct nke *, struct mbuf **m, const uint8_t *options, size_t len);

/* ---- src/netinet/ip_fragment.c ------------------------------------------------------------ */

/*
 * A new packet for [off, off+len) of m: `hlen` bytes of room for a header, space for a link header
 * before it, the data shared with m. NULL: no memory.
 */
struct mbuf *ip_piece(struct nke *, struct mbuf *m, size_t hlen, size_t off, size_t len);

#endif
