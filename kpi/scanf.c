/*
 * libkern/libkern.h: sscanf(), as in C11 7.21.6.2 without floating point: d i u o x X p c s [ n
 * %, with the lengths hh h l ll q j z t, a width, and * to take without storing.
 */
#include <libkern/libkern.h>
#include <stdbool.h>

#include "kpi/strtol.h"

struct scan_spec {
	bool suppress;
	size_t width;			/* SIZE_MAX: none given */
	char size;			/* of an integer in bytes */
};

/* va_list behind a pointer, so that the helpers advance the caller's. */
struct scan_arguments {
	va_list ap;
};

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static const char *
skip_blanks(const char *p)
{
	while (is_blank(*p))
		p++;
	return p;
}

static void
store_integer(const struct scan_spec *sp, struct scan_arguments *a, unsigned long value)
{
	void *to;

	if (sp->suppress)
		return;
	to = va_arg(a->ap, void *);
	switch (sp->size) {
	case 1:
		*(unsigned char *)to = (unsigned char)value;
		break;
	case 2:
		*(unsigned short *)to = (unsigned short)value;
		break;
	case 8:
		*(unsigned long *)to = value;
		break;
	default:
		*(unsigned int *)to = (unsigned int)value;
		break;
	}
}

static const char *
parse_scan_spec(const char *f, struct scan_spec *sp)
{
	*sp = (struct scan_spec){.width = SIZE_MAX, .size = 4};
	if (*f == '*') {
		sp->suppress = true;
		f++;
	}
	if (*f >= '0' && *f <= '9') {
		sp->width = 0;
		for (; *f >= '0' && *f <= '9'; f++)
			if (sp->width < 1000000)
				sp->width = sp->width * 10 + (size_t)(*f - '0');
		if (sp->width == 0)
			sp->width = SIZE_MAX;
	}
	if (*f == 'h') {
		sp->size = f[1] == 'h' ? 1 : 2;
		return f + (f[1] == 'h' ? 2 : 1);
	}
	if (*f == 'l' || *f == 'q' || *f == 'j' || *f == 'z' || *f == 't') {
		sp->size = 8;
		return f + (*f == 'l' && f[1] == 'l' ? 2 : 1);
	}
	return f;
}

/* The end of what the field may take: the width, or the end of the text. */
static const char *
field_limit(const char *p, const struct scan_spec *sp)
{
	return p + strnlen(p, sp->width);
}

static const char *
scan_integer(const char *p, const struct scan_spec *sp, int base, struct scan_arguments *a)
{
	struct parsed_integer n;
	const char *end;

	p = skip_blanks(p);
	end = parse_integer(p, field_limit(p, sp), base, &n);
	if (end == p)
		return NULL;
	store_integer(sp, a, n.negative ? -n.magnitude : n.magnitude);
	return end;
}

/* %c: exactly `width` characters (1), no final zero. */
static const char *
scan_chars(const char *p, const struct scan_spec *sp, struct scan_arguments *a)
{
	size_t n = sp->width == SIZE_MAX ? 1 : sp->width;

	if (strnlen(p, n) < n)
		return NULL;
	if (!sp->suppress)
		memcpy(va_arg(a->ap, char *), p, n);
	return p + n;
}

struct char_set {
	bool member[256];
};

/* The set of %[: `f` is behind the bracket. Returns the place behind the closing one. */
static const char *
parse_set(const char *f, struct char_set *set)
{
	bool inverse = *f == '^';

	if (inverse)
		f++;
	memset(set, inverse, sizeof *set);
	for (bool first = true; *f != '\0' && (first || *f != ']'); first = false, f++) {
		unsigned low = (unsigned char)*f, high = low;

		if (f[1] == '-' && f[2] != ']' && f[2] != '\0') {
			high = (unsigned char)f[2];
			f += 2;
		}
		for (; low <= high; low++)
			set->member[low] = !inverse;
	}
	set->member[0] = false;
	return *f == ']' ? f + 1 : f;
}

static const char *
scan_text(const char *p, const struct scan_spec *sp, const struct char_set *set,
    struct scan_arguments *a)
{
	const char *limit = field_limit(p, sp), *end = p;
	char *to;

	while (end < limit && set->member[(unsigned char)*end])
		end++;
	if (end == p)
		return NULL;
	if (!sp->suppress) {
		to = va_arg(a->ap, char *);
		memcpy(to, p, (size_t)(end - p));
		to[end - p] = '\0';
	}
	return end;
}

static const char *
scan_word(const char *p, const struct scan_spec *sp, struct scan_arguments *a)
{
	struct char_set set;

	for (unsigned c = 0; c < 256; c++)
		set.member[c] = c != 0 && !is_blank((char)c);
	return scan_text(skip_blanks(p), sp, &set, a);
}

/* One conversion; the place behind what it took, NULL when the text does not match. */
static const char *
scan_field(const char *p, char conversion, struct scan_spec *sp, struct scan_arguments *a)
{
	switch (conversion) {
	case 'd':
	case 'u':
		return scan_integer(p, sp, 10, a);
	case 'i':
		return scan_integer(p, sp, 0, a);
	case 'o':
		return scan_integer(p, sp, 8, a);
	case 'p':
		sp->size = 8;
		return scan_integer(p, sp, 16, a);
	case 'x':
	case 'X':
		return scan_integer(p, sp, 16, a);
	case 'c':
		return scan_chars(p, sp, a);
	case 's':
		return scan_word(p, sp, a);
	default:
		return NULL;
	}
}

/* C11 7.21.6.2p16: the end of the text before the first conversion is EOF, -1. */
int
vsscanf(const char *text, const char *fmt, va_list ap)
{
	const char *p = text;
	struct scan_arguments a;
	int stored = 0;
	bool converted = false, ended = false;

	va_copy(a.ap, ap);
	while (*fmt != '\0' && p != NULL) {
		struct scan_spec sp;
		struct char_set set;
		char conversion;

		if (is_blank(*fmt)) {
			fmt = skip_blanks(fmt);
			p = skip_blanks(p);
			continue;
		}
		if (*fmt != '%' || fmt[1] == '%') {
			if (*fmt == '%') {
				fmt++;
				p = skip_blanks(p);
			}
			ended = *p == '\0';
			p = *p == *fmt++ ? p + 1 : NULL;
			continue;
		}
		fmt = parse_scan_spec(fmt + 1, &sp);
		conversion = *fmt;
		if (conversion != '\0')
			fmt++;
		if (conversion == 'n') {
			store_integer(&sp, &a, (unsigned long)(p - text));
			continue;
		}
		ended = *(conversion == 'c' || conversion == '[' ? p : skip_blanks(p)) == '\0';
		if (conversion == '[') {
			fmt = parse_set(fmt, &set);
			p = scan_text(p, &sp, &set, &a);
		} else {
			p = scan_field(p, conversion, &sp, &a);
		}
		if (p != NULL) {
			converted = true;
			stored += !sp.suppress;
		}
	}
	va_end(a.ap);
	return p == NULL && ended && !converted ? -1 : stored;
}

int
sscanf(const char *text, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsscanf(text, fmt, ap);
	va_end(ap);
	return n;
}
