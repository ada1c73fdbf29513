/*
 * netinet/in.h: IP addresses as text, with Darwin's AF_INET6 (30). Notations are those of RFC 4291
 * section 2.2 and, for inet_aton(), of 4.2BSD.
 */
#include <netinet/in.h>
#include <netinet6/in6.h>
#include <string.h>
#include <sys/socket.h>

#include "kpi/strtol.h"
#include "src/kern/klog.h"
#include "src/kern/thread.h"

#define V4_TEXT	sizeof "255.255.255.255"
#define V6_TEXT	sizeof "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"

/* ---- to text ------------------------------------------------------------------------------ */

static const char *
v4_text(const uint8_t *b, char *text, size_t size)
{
	char buf[V4_TEXT];

	ksnprintf(buf, sizeof buf, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
	return strlcpy(text, buf, size) < size ? text : NULL;
}

char *
inet_ntoa_r(struct in_addr in, char *buf, size_t buflen)
{
	return (char *)(uintptr_t)v4_text((const uint8_t *)&in, buf, buflen);
}

/* The result lives until the machine's next call. */
char *
inet_ntoa(struct in_addr in)
{
	struct nke *m = curmachine();

	return inet_ntoa_r(in, m->ntoa, sizeof m->ntoa);
}

/* The longest run of at least two zero words, the first of equals; its length, 0 none. */
static unsigned
longest_zeros(const uint16_t words[8], unsigned *start)
{
	unsigned best = 0;

	for (unsigned i = 0; i < 8; i++) {
		unsigned n = 0;

		while (i + n < 8 && words[i + n] == 0)
			n++;
		if (n >= 2 && n > best) {
			best = n;
			*start = i;
		}
		i += n;
	}
	return best;
}

/* Compatible and mapped IPv4 addresses end in dotted decimal; ::1 does not. */
static bool
ends_in_v4(const uint16_t words[8], unsigned zeros)
{
	return zeros == 6 || (zeros == 7 && words[7] != 1) || (zeros == 5 && words[5] == 0xffff);
}

static const char *
v6_text(const uint8_t *b, char *text, size_t size)
{
	char buf[V6_TEXT];
	uint16_t words[8];
	unsigned start = 0, zeros;
	size_t len = 0;

	for (unsigned i = 0; i < 8; i++)
		words[i] = (uint16_t)(b[2 * i] << 8 | b[2 * i + 1]);
	zeros = longest_zeros(words, &start);
	buf[0] = '\0';
	for (unsigned i = 0; i < 8; i++) {
		if (zeros != 0 && i == start) {
			len += (size_t)ksnprintf(buf + len, sizeof buf - len, "::");
			i += zeros - 1;
			continue;
		}
		if (i > 0 && buf[len - 1] != ':')
			buf[len++] = ':';
		if (i == 6 && start == 0 && ends_in_v4(words, zeros)) {
			v4_text(b + 12, buf + len, sizeof buf - len);
			break;
		}
		len += (size_t)ksnprintf(buf + len, sizeof buf - len, "%x", words[i]);
	}
	return strlcpy(text, buf, size) < size ? text : NULL;
}

const char *
inet_ntop(int af, const void *src, char *dst, socklen_t size)
{
	if (af == AF_INET)
		return v4_text(src, dst, size);
	if (af == AF_INET6)
		return v6_text(src, dst, size);
	return NULL;
}

/* ---- from text ---------------------------------------------------------------------------- */

/* Four decimal numbers up to 255, without leading zeros, and nothing else. */
static int
v4_parse(const char *p, uint8_t *out)
{
	uint8_t b[4];

	for (unsigned i = 0; i < 4; i++) {
		unsigned value = 0, digits = 0;

		if (i > 0 && *p++ != '.')
			return 0;
		for (; *p >= '0' && *p <= '9'; p++, digits++) {
			value = value * 10 + (unsigned)(*p - '0');
			if (value > 255 || (digits > 0 && value < 10))
				return 0;
		}
		if (digits == 0)
			return 0;
		b[i] = (uint8_t)value;
	}
	if (*p != '\0')
		return 0;
	memcpy(out, b, sizeof b);
	return 1;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Up to four digits from *p on; -1 when there is none or a fifth. */
static int
hex_word(const char **p)
{
	int value = 0, digits = 0;

	for (; hex_digit(**p) >= 0; (*p)++) {
		value = value << 4 | hex_digit(**p);
		if (++digits > 4)
			return -1;
	}
	return digits > 0 ? value : -1;
}

/*
 * Bytes are collected up to 16; `gap` is where the "::" stood. What came behind it is moved to the
 * end afterwards.
 */
static int
v6_parse(const char *p, uint8_t *out)
{
	uint8_t b[16] = {0};
	unsigned n = 0, gap = 17;

	if (*p == ':' && *++p != ':')
		return 0;
	while (*p != '\0') {
		const char *word = p;
		int value;

		if (*p == ':') {
			if (gap != 17)
				return 0;
			gap = n;
			p++;
			continue;
		}
		value = hex_word(&p);
		if (*p == '.') {
			if (n > 12 || !v4_parse(word, b + n))
				return 0;
			n += 4;
			break;
		}
		if (value < 0 || n > 14)
			return 0;
		b[n++] = (uint8_t)(value >> 8);
		b[n++] = (uint8_t)value;
		if (*p == '\0')
			break;
		if (*p++ != ':' || *p == '\0')
			return 0;
	}
	if (gap == 17 ? n != 16 : n == 16)
		return 0;
	if (gap != 17) {
		memmove(b + 16 - (n - gap), b + gap, n - gap);
		memset(b + gap, 0, 16 - n);
	}
	memcpy(out, b, sizeof b);
	return 1;
}

int
inet_pton(int af, const char *src, void *dst)
{
	if (af == AF_INET)
		return v4_parse(src, dst);
	if (af == AF_INET6)
		return v6_parse(src, dst);
	return -1;
}

/*
 * One to four numbers, each decimal, octal (0...) or hexadecimal (0x...); the last fills all bytes
 * that are left. Blanks may follow. `pin` NULL: only a check.
 */
int
inet_aton(const char *cp, struct in_addr *pin)
{
	const char *end = cp + strlen(cp);
	uint32_t address = 0;
	unsigned parts = 0;

	for (;;) {
		struct parsed_integer n = {0, false, false};
		const char *next = cp;

		if (*cp >= '0' && *cp <= '9')
			next = parse_integer(cp, end, 0, &n);
		if (next == cp || n.overflow)
			return 0;
		cp = next;
		if (*cp == '.' && parts < 3) {
			if (n.magnitude > 0xff)
				return 0;
			address |= (uint32_t)n.magnitude << (24 - 8 * parts++);
			cp++;
			continue;
		}
		if (*cp != '\0' && *cp != ' ' && !(*cp >= '\t' && *cp <= '\r'))
			return 0;
		if (n.magnitude > 0xffffffffu >> (8 * parts))
			return 0;
		address |= (uint32_t)n.magnitude;
		break;
	}
	if (pin != NULL)
		pin->s_addr = htonl(address);
	return 1;
}
