/*
 * IPv4 options (RFC 791 3.1): what is acceptable in a received header, and what fragments carry on.
 *
 * As BSD does without source routing (its default): LSRR and SSRR are refused, record route, time
 * stamps and everything unknown are accepted as they are.
 */
#include <string.h>

#include "src/netinet/ip_state.h"

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
