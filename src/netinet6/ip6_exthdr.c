/*
 * IPv6 extension headers (RFC 8200 4): stepping over them and judging options and routing headers.
 * Everything is read through m_copydata, which stays inside the packet, contiguous or not.
 *
 * What is not acceptable is told by a plain "no" here; ip6_refuse.c counts it and tells the sender.
 */
#include "src/netinet6/ip6_state.h"

struct ip6_place
ip6_first_place(const struct mbuf *m)
{
	return (struct ip6_place){.off = (size_t)IP6_HLEN,
	    .next = mtod(m, const struct ip6_hdr *)->ip6_nxt,
	    .named_at = offsetof(struct ip6_hdr, ip6_nxt)};
}

/* Length of the header at `off`, 0: not all of it is there. */
static size_t
extension_length(const struct mbuf *m, size_t off, struct ip6_ext *e)
{
	size_t len;

	if (m_copydata(m, off, sizeof *e, e) != 0)
		return 0;
	len = ((size_t)e->ip6e_len + 1) << 3;
	return off + len <= (size_t)m->m_pkthdr.len ? len : 0;
}

bool
ip6_step(const struct mbuf *m, struct ip6_place *p)
{
	struct ip6_ext e;
	size_t len = extension_length(m, p->off, &e);

	if (len == 0)
		return false;
	p->named_at = p->off;
	p->next = e.ip6e_nxt;
	p->off += len;
	return true;
}

/* RFC 8200 4.2: the two upper bits of an option that is not known say what is to be done. */
static bool
option_good(uint8_t type, size_t len)
{
	switch (type) {
	case IP6OPT_PADN:
		return true;
	case IP6OPT_ROUTER_ALERT:
		return len == IP6OPT_RTALERT_LEN - IP6OPT_MINLEN;
	case IP6OPT_TUNNEL_LIMIT:
		return len == 1;
	default:
		return IP6OPT_TYPE(type) == IP6OPT_TYPE_SKIP;
	}
}

static bool
option_known(uint8_t type)
{
	return type == IP6OPT_PADN || type == IP6OPT_ROUTER_ALERT || type == IP6OPT_TUNNEL_LIMIT;
}

size_t
ip6_options_fault(const struct mbuf *m, size_t off, uint8_t *what)
{
	struct ip6_ext e;
	size_t end = off + extension_length(m, off, &e);
	struct ip6_opt o;

	if (end == off)
		return 0;
	for (off += sizeof e; off < end; off += sizeof o + o.ip6o_len) {
		m_copydata(m, off, 1, &o.ip6o_type);
		while (o.ip6o_type == IP6OPT_PAD1 && ++off < end)
			m_copydata(m, off, 1, &o.ip6o_type);
		if (off == end)
			break;
		*what = IP6OPT_PADN;
		if (off + sizeof o > end)
			return off;
		m_copydata(m, off, sizeof o, &o);
		if (off + sizeof o + o.ip6o_len > end)
			return off;
		if (!option_good(o.ip6o_type, o.ip6o_len)) {
			if (!option_known(o.ip6o_type))
				*what = o.ip6o_type;
			return off;
		}
	}
	return 0;
}

bool
ip6_options_good(const struct mbuf *m, size_t off)
{
	struct ip6_ext e;
	uint8_t what;

	return extension_length(m, off, &e) != 0 && ip6_options_fault(m, off, &what) == 0;
}

bool
ip6_routing_good(const struct mbuf *m, size_t off)
{
	struct ip6_rthdr r;

	return m_copydata(m, off, sizeof r, &r) == 0 && r.ip6r_segleft == 0;
}

struct ip6_place
ip6_unfragmentable(const struct mbuf *m)
{
	struct ip6_place p = ip6_first_place(m), end = p;

	for (unsigned n = 0; n < IP6_NEST_LIMIT && ip6_is_extension(p.next); n++) {
		uint8_t was = p.next;

		if (!ip6_step(m, &p))
			break;
		/* Destination options belong to it only in front of a routing header. */
		if (was != IPPROTO_DSTOPTS)
			end = p;
	}
	return end;
}

/* The least there is of a transport's header. */
static size_t
transport_least(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return 20;
	case IPPROTO_UDP:
		return 8;
	case IPPROTO_SCTP:
		return 12;
	case IPPROTO_ICMPV6:
	case IPPROTO_ESP:
		return 4;
	default:
		return 0;
	}
}

bool
ip6_chain_complete(const struct mbuf *m, size_t off, uint8_t next)
{
	struct ip6_place p = {.off = off, .next = next};
	struct ip6_ext e;

	for (unsigned n = 0; n < IP6_NEST_LIMIT; n++) {
		if (ip6_is_extension(p.next)) {
			if (!ip6_step(m, &p))
				return false;
		} else if (p.next == IPPROTO_AH) {
			if (m_copydata(m, p.off, sizeof e, &e) != 0)
				return false;
			p.next = e.ip6e_nxt;
			p.off += ((size_t)e.ip6e_len + 2) << 2;
		} else {
			return p.off + transport_least(p.next) <= (size_t)m->m_pkthdr.len;
		}
	}
	return false;
}
