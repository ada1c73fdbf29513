/*
 * TCP options, both ways: RFC 9293 section 3.1 and 3.2 (end, no-operation, maximum segment size), RFC 7323
 * (window scale, timestamps), RFC 2018 (SACK), RFC 7413 (fast open), RFC 9768 (counters of accurate ECN: what
 * is in the option is tcp_accecn.c's).
 *
 * Called for every segment that comes (tcp_input.c) and for every one that goes and has other options than
 * the usual timestamp (tcp_send.c, tcp_respond). Keeps no state: what was read points into the caller's
 * octets.
 *
 * Against abuse: a length that does not fit ends the options, what was read before it counts; options that
 * belong into SYN segments are not looked at in others; one of a wrong length is passed over.
 *
 * Left out: MD5 signatures (RFC 2385), authentication (RFC 5925), multipath (RFC 8684). They are passed over;
 * of the first it is told that there was one.
 */
#include <string.h>

#include "src/netinet/tcp_ecn.h"

/* ---- the way in --------------------------------------------------------------------------- */

static inline uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return ntohl(v);
}

/* One option, `len` octets with kind and length, as they belong into SYN segments. */
static void
take_syn_option(struct tcpopt *to, const uint8_t *p, unsigned len)
{
	switch (p[0]) {
	case TCPOPT_MAXSEG:
		if (len != TCPOLEN_MAXSEG)
			break;
		to->to_mss = get16(p + 2);
		to->to_flags |= TOF_MSS;
		break;
	case TCPOPT_WINDOW:
		if (len != TCPOLEN_WINDOW)
			break;
		/* RFC 7323 2.3: larger ones are taken for 14. */
		to->to_wscale = p[2] < TCP_MAX_WINSHIFT ? p[2] : TCP_MAX_WINSHIFT;
		to->to_flags |= TOF_SCALE;
		break;
	case TCPOPT_SACK_PERMITTED:
		if (len == TCPOLEN_SACK_PERMITTED)
			to->to_flags |= TOF_SACKPERM;
		break;
	case TCPOPT_FASTOPEN:
		/* RFC 7413 4.1.1: a cookie of 4 to 16 octets, an even number, or none. */
		len -= TCPOLEN_FASTOPEN_REQ;
		if (len != 0 && (len < 4 || len > TCP_FASTOPEN_MAX_COOKIE || len % 2 != 0))
			break;
		to->to_tfo_len = (uint8_t)len;
		to->to_tfo_cookie = len != 0 ? p + TCPOLEN_FASTOPEN_REQ : NULL;
		to->to_flags |= TOF_FASTOPEN;
		break;
	default:
		break;
	}
}

static void
take_option(struct tcpopt *to, const uint8_t *p, unsigned len, bool syn)
{
	switch (p[0]) {
	case TCPOPT_TIMESTAMP:
		if (len != TCPOLEN_TIMESTAMP)
			break;
		to->to_tsval = get32(p + 2);
		to->to_tsecr = get32(p + 6);
		to->to_flags |= TOF_TS;
		break;
	case TCPOPT_SACK:
		if (syn || len <= 2 || (len - 2) % TCPOLEN_SACK != 0)
			break;
		to->to_nsacks = (uint8_t)((len - 2) / TCPOLEN_SACK);
		to->to_sacks = p + 2;
		to->to_flags |= TOF_SACK;
		break;
	case TCPOPT_SIGNATURE:
		if (len == TCPOLEN_SIGNATURE)
			to->to_flags |= TOF_SIGNATURE;
		break;
	case TCPOPT_ACCECN0:
	case TCPOPT_ACCECN1:
		/* RFC 9768 3.2.3: up to three counters of three octets; with other lengths it is none. */
		if (len > TCPOLEN_ACCECN || (len - 2) % 3 != 0)
			break;
		to->to_accecn = p;
		to->to_flags |= TOF_ACCECN;
		break;
	default:
		if (syn)
			take_syn_option(to, p, len);
		break;
	}
}

void
tcp_dooptions(struct tcpopt *to, const uint8_t *p, unsigned len, bool syn)
{
	const uint8_t *end = p + len;
	unsigned n;

	to->to_flags = 0;
	to->to_nsacks = 0;
	to->to_tfo_len = 0;
	to->to_mss = 0;
	to->to_wscale = 0;
	to->to_sacks = NULL;
	to->to_tfo_cookie = NULL;
	to->to_tsval = to->to_tsecr = 0;
	/* RFC 7323 appendix A: what nearly every segment has, and nothing else. */
	if (LIKELY(len == TCPOLEN_TSTAMP_APPA && get32(p) == (uint32_t)TCPOPT_TSTAMP_HDR)) {
		to->to_tsval = get32(p + 4);
		to->to_tsecr = get32(p + 8);
		to->to_flags = TOF_TS;
		return;
	}
	for (; p < end; p += n) {
		if (p[0] == TCPOPT_EOL)
			break;
		if (p[0] == TCPOPT_NOP) {
			n = 1;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p)
			break;
		n = p[1];
		take_option(to, p, n, syn);
	}
}

/* ---- the way out -------------------------------------------------------------------------- */

static inline unsigned
put32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, sizeof v);
	return sizeof v;
}

static inline unsigned
put_nops(uint8_t *p, unsigned count)
{
	memset(p, TCPOPT_NOP, count);
	return count;
}

static unsigned
put_fastopen(const struct tcpopt *to, uint8_t *p, unsigned room)
{
	unsigned len = TCPOLEN_FASTOPEN_REQ + to->to_tfo_len;

	if (len > room)
		return 0;
	p[0] = TCPOPT_FASTOPEN;
	p[1] = (uint8_t)len;
	if (to->to_tfo_len != 0)
		memcpy(p + TCPOLEN_FASTOPEN_REQ, to->to_tfo_cookie, to->to_tfo_len);
	return len;
}

/* Aligned blocks, as many as there is room for. */
static unsigned
put_sacks(struct tcpopt *to, uint8_t *p, unsigned at)
{
	unsigned lead = (2 - (at & 3)) & 3, n = to->to_nsacks;
	unsigned room = TCP_MAXOLEN - at > lead + 2 ? (unsigned)(TCP_MAXOLEN - at - lead - 2) : 0;

	if (n > room / TCPOLEN_SACK)
		n = room / TCPOLEN_SACK;
	if (n == 0) {
		to->to_nsacks = 0;
		return 0;
	}
	to->to_nsacks = (uint8_t)n;
	p += put_nops(p, lead);
	p[0] = TCPOPT_SACK;
	p[1] = (uint8_t)(2 + n * TCPOLEN_SACK);
	memcpy(p + 2, to->to_sacks, n * TCPOLEN_SACK);
	return lead + 2 + n * TCPOLEN_SACK;
}

unsigned
tcp_addoptions(struct tcpopt *to, uint8_t *opt)
{
	unsigned at = 0;

	if (to->to_flags & TOF_MSS) {
		opt[at++] = TCPOPT_MAXSEG;
		opt[at++] = TCPOLEN_MAXSEG;
		opt[at++] = (uint8_t)(to->to_mss >> 8);
		opt[at++] = (uint8_t)to->to_mss;
	}
	if (to->to_flags & TOF_SCALE) {
		at += put_nops(opt + at, 1);
		opt[at++] = TCPOPT_WINDOW;
		opt[at++] = TCPOLEN_WINDOW;
		opt[at++] = to->to_wscale;
	}
	if (to->to_flags & TOF_SACKPERM) {
		opt[at++] = TCPOPT_SACK_PERMITTED;
		opt[at++] = TCPOLEN_SACK_PERMITTED;
	}
	if (to->to_flags & TOF_TS) {
		/* Its numbers are aligned: it begins in the middle of a word. */
		at += put_nops(opt + at, (2 - (at & 3)) & 3);
		opt[at++] = TCPOPT_TIMESTAMP;
		opt[at++] = TCPOLEN_TIMESTAMP;
		at += put32(opt + at, to->to_tsval);
		at += put32(opt + at, to->to_tsecr);
	}
	if (to->to_flags & TOF_FASTOPEN)
		at += put_fastopen(to, opt + at, (unsigned)TCP_MAXOLEN - at);
	if ((to->to_flags & TOF_ACCECN) && at + to->to_accecn[1] <= TCP_MAXOLEN) {
		memcpy(opt + at, to->to_accecn, to->to_accecn[1]);
		at += to->to_accecn[1];
	}
	if (to->to_flags & TOF_SACK)
		at += put_sacks(to, opt + at, at);
	/* Behind them there is nothing: BSD says so, and fills up. */
	if (at % 4 != 0) {
		opt[at++] = TCPOPT_EOL;
		while (at % 4 != 0)
			opt[at++] = TCPOPT_EOL;
	}
	return at;
}
