/*
 * What datagram protocols over IP have in common when they send: the peer, the source, the interface, and
 * what socket options and ancillary data add. See in_send.c.
 */
#ifndef NKE_NETINET_IN_SEND_H
#define NKE_NETINET_IN_SEND_H

#include "src/netinet/in_pcb.h"
#include "src/netinet/in_subr.h"

/* One datagram on its way. */
struct in_out {
	struct inpcb *inp;
	struct in_peer to;
	struct in6_addr source;
	struct ifnet *bound;		/* no reference; NULL any */
	const struct in_sendctl *ctl;	/* never NULL */
	uint32_t flags;			/* IP_OUT_* */
};

/* No ancillary data. */
extern const struct in_sendctl in_nothing_said;

/* Fills in `source` and `bound` (and flags) for the peer. */
errno_t in_out_source(struct in_out *);
/* Multicast: which interface, how far, heard here? */
void in_out_multicast(const struct in_out *, struct ip_sender *, int hops);
/* Extension headers: of the datagram's and those of the socket, the former count. */
void in_out_headers(const struct in_out *, struct ip6_options *);

/* The hop limit; -1: the default (IPv6). Multicast has a default of its own. */
static inline int
in_out_hops(const struct in_out *o, bool multicast)
{
	const struct inpcb *inp = o->inp;

	if (UNLIKELY(o->ctl->hops >= 0))
		return o->ctl->hops;
	if (UNLIKELY(multicast))
		return inp->inp_moptions != NULL && inp->inp_moptions->hops >= 0 ?
		    inp->inp_moptions->hops : IP_DEFAULT_MULTICAST_TTL;
	return o->to.vflag == INP_IPV4 ? inp->inp_ttl : inp->inp_hops;
}

/* IPv6: in pieces of the smallest MTU there is (RFC 3542 section 11.1)? Not said: multicast only. */
static inline bool
in_out_min_mtu(const struct in_out *o, bool multicast)
{
	uint32_t flags = o->inp->inp_flags;

	if (UNLIKELY(o->ctl->minmtu >= 0))
		return o->ctl->minmtu != 0;
	return UNLIKELY(flags & (INP_MINMTU | INP_NOMINMTU)) ? (flags & INP_MINMTU) != 0 : multicast;
}

static inline struct ip_sender
in_out_sender(const struct in_out *o)
{
	struct inpcb *inp = o->inp;
	uint32_t options = inp->inp_socket->so_options;
	struct ip_sender s = {
		.route = &inp->inp_route, .bound = o->bound, .flags = o->flags,
		.options = inp->inp_options, .options_len = inp->inp_options_len
	};

	if (options & SO_BROADCAST)
		s.flags |= IP_OUT_BROADCAST;
	if (options & SO_DONTROUTE)
		s.flags |= IP_OUT_DONTROUTE;
	if (o->ctl->dontfrag >= 0 ? o->ctl->dontfrag : (inp->inp_flags & INP_DONTFRAG) != 0)
		s.flags |= IP_OUT_DONTFRAG;
	return s;
}

/* In an mbuf of their own, at most MHLEN bytes. */
struct mbuf *in_out_room_apart(struct mbuf *, size_t len);

/* Room for headers before the data, aligned as IP wants it. NULL: no memory, m is gone. */
static inline struct mbuf *
in_out_room(struct mbuf *m, size_t len)
{
	if (LIKELY(m_leadingspace(m) >= len && ((uintptr_t)m->m_data - len) % 4 == 0)) {
		m->m_data -= len;
		m->m_len += (int32_t)len;
		m->m_pkthdr.len += (int32_t)len;
		return m;
	}
	return in_out_room_apart(m, len);
}

#endif
