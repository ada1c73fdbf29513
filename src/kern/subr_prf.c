/*
 * The kernel's formatter: C11's conversions without floating point, plus
 *
 *	%b	int, char *: register bits. The string is the base as a byte (8, 10, 16), then for
 *		each bit its number from 1 as a byte and its name: (3, "\20\1UP\2BROADCAST")
 *		gives 3<UP,BROADCAST>
 *	%D	void *, char *: bytes in hexadecimal with the string between them; the width is
 *		how many (16 when not given)
 *
 * os_log's annotations (%{public}s) are skipped. Never stores through an argument: %n takes its
 * pointer and does nothing. A floating point argument is taken and shown as "?", since the kernel
 * has no floating point. Unknown conversions are copied.
 *
 * Used by the log, by the printf family of the KPI, and by everything that makes text in the core.
 */
#include <string.h>
#include <sys/types.h>

#include "src/kern/klog.h"
#include "src/kern/subr_prf.h"

#define INT_LIMIT	0x7fffffff
#define FIELD_LIMIT	(1 << 20)	/* bytes of a number or of padding, whatever is asked */

struct sink {
	void (*put)(int, void *);
	void *arg;
	size_t count;
};

enum length { LEN_NONE, LEN_HH, LEN_H, LEN_L, LEN_LL, LEN_J, LEN_Z, LEN_T, LEN_BIG_L };

struct spec {
	bool left, zero, plus, space, alternate;
	bool has_precision;
	int width;
	int precision;			/* valid if has_precision */
	enum length length;
};

static void
emit(struct sink *s, char c)
{
	if (s->count < INT_LIMIT)
		s->count++;
	if (s->put != NULL)
		s->put((unsigned char)c, s->arg);
}

static void
emit_many(struct sink *s, char c, long n)
{
	while (n-- > 0)
		emit(s, c);
}

static void
emit_bytes(struct sink *s, const char *p, size_t n)
{
	while (n-- > 0)
		emit(s, *p++);
}

static int
field_width(const struct spec *sp)
{
	return sp->width < FIELD_LIMIT ? sp->width : FIELD_LIMIT;
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* Digits of `value`, most significant last; 64 bits in base 8 need 22. Returns how many. */
static size_t
digits_of(uint64_t value, unsigned base, bool upper, char *out)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	size_t n = 0;

	do {
		out[n++] = set[value % base];
		value /= base;
	} while (value != 0);
	return n;
}

/* `prefix` is the sign or "0x": it comes before padding zeros and after padding blanks. */
static void
emit_number(struct sink *s, const struct spec *sp, uint64_t value, unsigned base, bool upper,
    const char *prefix)
{
	char digits[24];
	size_t n = digits_of(value, base, upper, digits), prefix_len = strlen(prefix);
	long zeros = 0, blanks;

	if (sp->has_precision) {
		if (sp->precision == 0 && value == 0)
			n = 0;
		zeros = (long)(sp->precision < FIELD_LIMIT ? sp->precision : FIELD_LIMIT) - (long)n;
	}
	/* C11 7.21.6.1p6: # makes octal start with a zero, also when nothing else is there. */
	if (base == 8 && sp->alternate && zeros <= 0 && (n == 0 || digits[n - 1] != '0'))
		zeros = 1;
	if (zeros < 0)
		zeros = 0;
	blanks = (long)field_width(sp) - (long)n - zeros - (long)prefix_len;
	if (sp->zero && !sp->left && !sp->has_precision && blanks > 0) {
		zeros += blanks;
		blanks = 0;
	}
	if (!sp->left)
		emit_many(s, ' ', blanks);
	emit_bytes(s, prefix, prefix_len);
	emit_many(s, '0', zeros);
	while (n > 0)
		emit(s, digits[--n]);
	if (sp->left)
		emit_many(s, ' ', blanks);
}

/* va_list behind a pointer, so that the helpers below advance the caller's. */
struct arguments {
	va_list ap;
};

static int64_t
next_signed(struct arguments *a, enum length length)
{
	switch (length) {
	case LEN_HH:
		return (signed char)va_arg(a->ap, int);
	case LEN_H:
		return (short)va_arg(a->ap, int);
	case LEN_L:
	case LEN_LL:
	case LEN_J:
	case LEN_Z:
	case LEN_T:
	case LEN_BIG_L:
		return va_arg(a->ap, int64_t);
	case LEN_NONE:
		break;
	}
	return va_arg(a->ap, int);
}

static uint64_t
next_unsigned(struct arguments *a, enum length length)
{
	switch (length) {
	case LEN_HH:
		return (unsigned char)va_arg(a->ap, unsigned);
	case LEN_H:
		return (unsigned short)va_arg(a->ap, unsigned);
	case LEN_L:
	case LEN_LL:
	case LEN_J:
	case LEN_Z:
	case LEN_T:
	case LEN_BIG_L:
		return va_arg(a->ap, uint64_t);
	case LEN_NONE:
		break;
	}
	return va_arg(a->ap, unsigned);
}

static void
format_signed(struct sink *s, const struct spec *sp, struct arguments *a)
{
	int64_t v = next_signed(a, sp->length);
	const char *sign = v < 0 ? "-" : sp->plus ? "+" : sp->space ? " " : "";

	emit_number(s, sp, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, false, sign);
}

static void
format_unsigned(struct sink *s, const struct spec *sp, char conversion, struct arguments *a)
{
	uint64_t v = next_unsigned(a, sp->length);
	bool upper = conversion == 'X';
	unsigned base = conversion == 'o' ? 8 : conversion == 'u' ? 10 : 16;
	const char *prefix = "";

	if (base == 16 && sp->alternate && v != 0)
		prefix = upper ? "0X" : "0x";
	emit_number(s, sp, v, base, upper, prefix);
}

/* ---- text --------------------------------------------------------------------------------- */

static void
emit_padded(struct sink *s, const struct spec *sp, const char *text, size_t n)
{
	long blanks = (long)field_width(sp) - (long)n;

	if (!sp->left)
		emit_many(s, ' ', blanks);
	emit_bytes(s, text, n);
	if (sp->left)
		emit_many(s, ' ', blanks);
}

static void
format_string(struct sink *s, const struct spec *sp, struct arguments *a)
{
	const char *text = va_arg(a->ap, const char *);

	if (text == NULL)
		text = "(null)";
	emit_padded(s, sp, text,
	    sp->has_precision ? strnlen(text, (size_t)sp->precision) : strlen(text));
}

static void
format_char(struct sink *s, const struct spec *sp, struct arguments *a)
{
	char c = (char)va_arg(a->ap, int);

	emit_padded(s, sp, &c, 1);
}

static void
format_bits(struct sink *s, struct arguments *a)
{
	static const struct spec plain;
	unsigned value = va_arg(a->ap, unsigned);
	const char *p = va_arg(a->ap, const char *);
	unsigned base = (unsigned char)*p++;
	bool any = false;

	emit_number(s, &plain, value, base >= 2 && base <= 16 ? base : 16, false, "");
	while (*p != '\0') {
		unsigned bit = (unsigned char)*p++;
		size_t n = 0;

		/* A name is whatever is above a blank: bit numbers go up to 32. */
		while ((unsigned char)p[n] > ' ')
			n++;
		if (bit >= 1 && bit <= 32 && (value >> (bit - 1) & 1) != 0) {
			emit(s, any ? ',' : '<');
			emit_bytes(s, p, n);
			any = true;
		}
		p += n;
	}
	if (any)
		emit(s, '>');
}

static void
format_dump(struct sink *s, const struct spec *sp, struct arguments *a)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *bytes = va_arg(a->ap, const unsigned char *);
	const char *between = va_arg(a->ap, const char *);
	int n = sp->width > 0 ? field_width(sp) : 16;

	for (int i = 0; i < n; i++) {
		if (i > 0)
			emit_bytes(s, between, strlen(between));
		emit(s, hex[bytes[i] >> 4]);
		emit(s, hex[bytes[i] & 15]);
	}
}

/* ---- the format --------------------------------------------------------------------------- */

/* A number in the format, or the next argument for '*'. */
static const char *
parse_count(const char *f, struct arguments *a, int *value)
{
	if (*f == '*') {
		*value = va_arg(a->ap, int);
		return f + 1;
	}
	*value = 0;
	while (*f >= '0' && *f <= '9') {
		if (*value < INT_LIMIT / 10 - 1)
			*value = *value * 10 + (*f - '0');
		f++;
	}
	return f;
}

static const char *
parse_flags(const char *f, struct spec *sp)
{
	for (;; f++) {
		if (*f == '-')
			sp->left = true;
		else if (*f == '0')
			sp->zero = true;
		else if (*f == '+')
			sp->plus = true;
		else if (*f == ' ')
			sp->space = true;
		else if (*f == '#')
			sp->alternate = true;
		else
			return f;
	}
}

static const char *
parse_length(const char *f, enum length *length)
{
	switch (*f) {
	case 'h':
		*length = f[1] == 'h' ? LEN_HH : LEN_H;
		return f + (f[1] == 'h' ? 2 : 1);
	case 'l':
		*length = f[1] == 'l' ? LEN_LL : LEN_L;
		return f + (f[1] == 'l' ? 2 : 1);
	case 'q':
		*length = LEN_LL;
		return f + 1;
	case 'j':
		*length = LEN_J;
		return f + 1;
	case 'z':
		*length = LEN_Z;
		return f + 1;
	case 't':
		*length = LEN_T;
		return f + 1;
	case 'L':
		*length = LEN_BIG_L;
		return f + 1;
	default:
		return f;
	}
}

static const char *
parse_spec(const char *f, struct spec *sp, struct arguments *a)
{
	*sp = (struct spec){.length = LEN_NONE};
	if (*f == '{') {
		while (*f != '\0' && *f++ != '}')
			continue;
	}
	f = parse_flags(f, sp);
	f = parse_count(f, a, &sp->width);
	if (sp->width < 0) {
		sp->left = true;
		sp->width = sp->width > -INT_LIMIT ? -sp->width : INT_LIMIT;
	}
	if (*f == '.') {
		f = parse_count(f + 1, a, &sp->precision);
		sp->has_precision = sp->precision >= 0;
	}
	return parse_length(f, &sp->length);
}

/* False when the conversion is not known; nothing has been taken then. */
static bool
convert(struct sink *s, const struct spec *sp, char conversion, struct arguments *a)
{
	switch (conversion) {
	case 'd':
	case 'i':
		format_signed(s, sp, a);
		return true;
	case 'u':
	case 'o':
	case 'x':
	case 'X':
		format_unsigned(s, sp, conversion, a);
		return true;
	case 'p':
		emit_number(s, sp, (uintptr_t)va_arg(a->ap, void *), 16, false, "0x");
		return true;
	case 'c':
		format_char(s, sp, a);
		return true;
	case 's':
		format_string(s, sp, a);
		return true;
	case 'b':
		format_bits(s, a);
		return true;
	case 'D':
		format_dump(s, sp, a);
		return true;
	case 'n':
		(void)va_arg(a->ap, void *);
		return true;
	case 'a': case 'A': case 'e': case 'E': case 'f': case 'F': case 'g': case 'G':
		if (sp->length == LEN_BIG_L)
			(void)va_arg(a->ap, long double);
		else
			(void)va_arg(a->ap, double);
		emit_padded(s, sp, "?", 1);
		return true;
	case '%':
		emit(s, '%');
		return true;
	default:
		return false;
	}
}

int
kformat(void (*put)(int, void *), void *arg, const char *fmt, va_list ap)
{
	struct sink s = {put, arg, 0};
	struct arguments a;

	va_copy(a.ap, ap);
	while (*fmt != '\0') {
		const char *start = fmt;
		struct spec sp;

		if (*fmt++ != '%') {
			emit(&s, *start);
			continue;
		}
		fmt = parse_spec(fmt, &sp, &a);
		if (*fmt == '\0') {
			emit_bytes(&s, start, (size_t)(fmt - start));
			break;
		}
		if (!convert(&s, &sp, *fmt, &a))
			emit_bytes(&s, start, (size_t)(fmt + 1 - start));
		fmt++;
	}
	va_end(a.ap);
	return (int)s.count;
}

/* ---- into buffers ------------------------------------------------------------------------- */

struct buffer {
	char *at;
	size_t room;			/* without the final zero */
};

static void
put_in_buffer(int c, void *arg)
{
	struct buffer *b = arg;

	if (b->room == 0)
		return;
	*b->at++ = (char)c;
	b->room--;
}

int
kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct buffer b = {buf, size > 0 ? size - 1 : 0};
	int n = kformat(put_in_buffer, &b, fmt, ap);

	if (size > 0)
		*b.at = '\0';
	return n;
}

int
ksnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kvsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
