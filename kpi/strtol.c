/*
 * libkern/libkern.h: numbers from text, as in C11 7.22.1.4. There is no errno: a value that is
 * too large gives the nearest that there is.
 */
#include <libkern/libkern.h>
#include <limits.h>
#include <stdbool.h>

#include "kpi/strtol.h"

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return INT_MAX;
}

/* "0x" counts as a prefix only when a digit follows. */
static const char *
skip_prefix(const char *p, const char *limit, int *base)
{
	bool hex = p + 2 < limit && p[0] == '0' && (p[1] == 'x' || p[1] == 'X') &&
	    digit_value(p[2]) < 16;

	if (hex && (*base == 0 || *base == 16)) {
		*base = 16;
		return p + 2;
	}
	if (*base == 0)
		*base = p < limit && *p == '0' ? 8 : 10;
	return p;
}

const char *
parse_integer(const char *text, const char *limit, int base, struct parsed_integer *out)
{
	const char *p = text, *digits;

	*out = (struct parsed_integer){0, false, false};
	while (p < limit && (*p == ' ' || (*p >= '\t' && *p <= '\r')))
		p++;
	if (p < limit && (*p == '-' || *p == '+'))
		out->negative = *p++ == '-';
	if (base < 0 || base == 1 || base > 36)
		return text;
	p = skip_prefix(p, limit, &base);
	for (digits = p; p < limit && digit_value(*p) < base; p++) {
		unsigned long value;

		if (__builtin_mul_overflow(out->magnitude, (unsigned long)base, &value) ||
		    __builtin_add_overflow(value, (unsigned long)digit_value(*p), &value))
			out->overflow = true;
		else
			out->magnitude = value;
	}
	return p == digits ? text : p;
}

static const char *
parse_string(const char *text, int base, struct parsed_integer *out)
{
	return parse_integer(text, text + strlen(text), base, out);
}

long
strtol(const char *text, char **end, int base)
{
	struct parsed_integer n;
	const char *stop = parse_string(text, base, &n);

	if (end != NULL)
		*end = (char *)(uintptr_t)stop;
	if (n.overflow || n.magnitude > (unsigned long)LONG_MAX + n.negative)
		return n.negative ? LONG_MIN : LONG_MAX;
	return (long)(n.negative ? -n.magnitude : n.magnitude);
}

u_long
strtoul(const char *text, char **end, int base)
{
	struct parsed_integer n;
	const char *stop = parse_string(text, base, &n);

	if (end != NULL)
		*end = (char *)(uintptr_t)stop;
	if (n.overflow)
		return ULONG_MAX;
	return n.negative ? -n.magnitude : n.magnitude;
}

quad_t
strtoq(const char *text, char **end, int base)
{
	return strtol(text, end, base);
}

u_quad_t
strtouq(const char *text, char **end, int base)
{
	return strtoul(text, end, base);
}

int
atoi(const char *text)
{
	return (int)strtol(text, NULL, 10);
}
