/*
 * IPv4 options (RFC 791 3.1): what is well formed, what fragments carry on, and putting a sender's
 * options into its datagram. What a machine does about the options of a packet that it gets is in
 * ip_dooptions.c.
 */
#include <string.h>

#include "src/netinet/ip_state.h"

#define ROUTE_HEAD	3u		/* bytes of a route option before its addresses */

/*
 * Length of the option at `o`, of which `left` bytes are there; 0: it does not fit or makes no
 * sense.
 */
static size_t
option_length(const uint8_t *o, size_t left)
{
	size_t len;

	if (o[IPOPT_OPTVAL] == IPOPT_EOL || o[IPOPT_OPTVAL] == IPOPT_NOP)
		return 1;
	if (left < IPOPT_OLEN + 1)
		return 0;
	len = o[IPOPT_OLEN];
	return len < IPOPT_OLEN + 1 || len > left ? 0 : len;
}

/* Options that point into themselves: the pointer has to be there and to be possible. */
static bool
option_pointer_good(const uint8_t *o, size_t len)
{
	size_t least = o[IPOPT_OPTVAL] == IPOPT_TS ? IPOPT_MINOFF + 1 : IPOPT_MINOFF;

	return len > IPOPT_OFFSET && o[IPOPT_OFFSET] >= least;
}

enum ip_options_verdict
ip_options_check(const uint8_t *o, size_t left)
{
	enum ip_options_verdict verdict = IP_OPTIONS_GOOD;
	size_t len;

	for (; left > 0 && o[IPOPT_OPTVAL] != IPOPT_EOL; o += len, left -= len) {
		len = option_length(o, left);
		if (len == 0)
			return IP_OPTIONS_BAD;
		switch (o[IPOPT_OPTVAL]) {
		case IPOPT_LSRR:
		case IPOPT_SSRR:
			verdict = IP_OPTIONS_SOURCE_ROUTE;
			/* FALLTHROUGH */
		case IPOPT_RR:
		case IPOPT_TS:
			if (!option_pointer_good(o, len))
				return IP_OPTIONS_BAD;
			break;
		default:
			break;
		}
	}
	return verdict;
}

size_t
ip_options_copied(const uint8_t *o, size_t left, uint8_t *to)
{
	size_t n = 0, len;

	for (; left > 0 && o[IPOPT_OPTVAL] != IPOPT_EOL; o += len, left -= len) {
		len = option_length(o, left);
		if (len == 0)
			break;
		if (IPOPT_COPIED(o[IPOPT_OPTVAL])) {
			memcpy(to + n, o, len);
			n += len;
		}
	}
	while (n % 4 != 0)
		to[n++] = IPOPT_EOL;
	return n;
}

/* ---- sending ------------------------------------------------------------------------------ */

/*
 * A source route is given as its sender thinks of it: the gateways in order. It travels with the first
 * gateway as the destination, the real one last in the list (RFC 791 3.1). True: there was one.
 */
static bool
start_source_route(struct ip *ip, uint8_t *o, size_t left)
{
	struct in_addr first;
	size_t n;

	for (; left > 0 && o[IPOPT_OPTVAL] != IPOPT_EOL; o += n, left -= n) {
		n = o[IPOPT_OPTVAL] == IPOPT_NOP ? 1 : o[IPOPT_OLEN];
		if (o[IPOPT_OPTVAL] != IPOPT_LSRR && o[IPOPT_OPTVAL] != IPOPT_SSRR)
			continue;
		n -= ROUTE_HEAD;
		if (o[IPOPT_OFFSET] != IPOPT_MINOFF || n < sizeof first || n % sizeof first != 0)
			return false;
		o += ROUTE_HEAD;
		memcpy(&first, o, sizeof first);
		memmove(o, o + sizeof first, n - sizeof first);
		memcpy(o + n - sizeof first, &ip->ip_dst, sizeof first);
		ip->ip_dst = first;
		return true;
	}
	return false;
}

errno_t
ip_options_insert(struct nke *machine, struct mbuf **mp, const uint8_t *given, size_t n)
{
	uint8_t options[MAX_IPOPTLEN];
	struct ip header;
	struct mbuf *m = *mp;

	if (n > sizeof options || n % 4 != 0 || mtod(m, const struct ip *)->ip_hl != IP_HLEN >> 2 ||
	    ip_options_check(given, n) == IP_OPTIONS_BAD)
		return EINVAL;
	if ((size_t)m->m_pkthdr.len + n > IP_MAXPACKET)
		return EMSGSIZE;
	memcpy(options, given, n);
	memcpy(&header, m->m_data, sizeof header);
	/* The transport's checksum is over the real destination. */
	if (start_source_route(&header, options, n))
		(void)in_finalize_cksum(m, 0, MBUF_CSUM_REQ_TCP | MBUF_CSUM_REQ_UDP);
	*mp = m = m_prepend(m, n, MBUF_DONTWAIT);
	if (m != NULL && (size_t)m->m_len < sizeof header + n)
		*mp = m = m_pullup(m, sizeof header + n);
	if (m == NULL) {
		machine->ip->stat.ips_odropped++;
		return ENOBUFS;
	}
	header.ip_hl = (u_int)((sizeof header + n) >> 2) & 15;
	header.ip_len = htons(m->m_pkthdr.len);
	memcpy(m->m_data, &header, sizeof header);
	memcpy(m->m_data + sizeof header, options, n);
	return 0;
}
