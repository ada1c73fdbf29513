/*
 * The parts of sending a datagram that are the same for UDP and raw sockets: source address and interface,
 * multicast, extension headers. What every datagram needs is inline in in_send.h.
 */
#include <string.h>

#include "src/net/ifaddr.h"
#include "src/netinet/in_send.h"

const struct in_sendctl in_nothing_said = {.hops = -1, .tos = -1, .dontfrag = -1, .minmtu = -1};

void
in_out_multicast(const struct in_out *o, struct ip_sender *s, int hops)
{
	const struct in_moptions *mo = o->inp->inp_moptions;

	s->mcast_ifp = mo != NULL ? mo->ifp : NULL;
	s->has_mcast = mo != NULL || o->ctl->hops >= 0;
	s->mcast_ttl = (uint8_t)hops;
	s->mcast_loop = mo != NULL ? mo->loop : IP_DEFAULT_MULTICAST_LOOP;
}

void
in_out_headers(const struct in_out *o, struct ip6_options *h)
{
	const struct in6_pktopts *sticky = o->inp->inp_options6;

	*h = o->ctl->headers;
	if (sticky == NULL)
		return;
	if (h->hop == NULL)
		h->hop = sticky->hop;
	if (h->dst1 == NULL)
		h->dst1 = sticky->dst1;
	if (h->routing == NULL)
		h->routing = sticky->routing;
	if (h->dst2 == NULL)
		h->dst2 = sticky->dst2;
}

/* Whoever asks everybody on one link for an address has none there yet (RFC 2131 section 4.1). */
static inline bool
has_no_address_yet(const struct in_out *o)
{
	return o->to.addr.s6_addr32[3] == htonl(INADDR_BROADCAST) && o->to.vflag == INP_IPV4 &&
	    o->bound != NULL && IN6_IS_ADDR_UNSPECIFIED(&o->inp->inp_laddr6) &&
	    ifaddr_first(o->bound, AF_INET) == NULL;
}

errno_t
in_out_source(struct in_out *o)
{
	const struct in6_pktopts *sticky = o->inp->inp_options6;

	o->bound = o->ctl->ifp;
	if (UNLIKELY(sticky != NULL) && o->bound == NULL)
		o->bound = sticky->ifp;
	if (LIKELY(o->bound == NULL))
		o->bound = in_pcbboundif(o->inp, &o->to);
	if (UNLIKELY(o->ctl->has_source)) {
		o->source = o->ctl->source;
		return 0;
	}
	if (UNLIKELY(sticky != NULL) && o->to.vflag == INP_IPV6 &&
	    !IN6_IS_ADDR_UNSPECIFIED(&sticky->source)) {
		o->source = sticky->source;
		return 0;
	}
	if (UNLIKELY(has_no_address_yet(o))) {
		memset(&o->source, 0, sizeof o->source);
		o->flags |= IP_OUT_UNSPEC_SOURCE;
		return 0;
	}
	return in_pcbsource(o->inp, &o->to, o->bound, &o->source);
}

/* ---- room for headers --------------------------------------------------------------------- */

struct mbuf *
in_out_room_apart(struct mbuf *m, size_t len)
{
	struct mbuf *n = m_gethdr(curmachine(), MBUF_DONTWAIT, MBUF_TYPE_DATA);

	if (n == NULL) {
		m_freem(m);
		return NULL;
	}
	m_move_pkthdr(n, m);
	m_align(n, len);
	n->m_len = (int32_t)len;
	n->m_next = m;
	n->m_pkthdr.len += (int32_t)len;
	return n;
}
