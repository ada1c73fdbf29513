/*
 * Texts put together in the code of scripts: "{} {:x}".format(a, b) and "%d %s" % (a, b), with the
 * conversions that make sense for numbers and texts.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "src/drill/code_eval.h"

#define MAX_TEXT	4000u

struct text {
	char bytes[MAX_TEXT];
	size_t len;
};

static bool
add(struct drill_code *c, const char *at, struct text *t, const char *s, size_t n)
{
	if (n > sizeof t->bytes - t->len)
		return code_refuse(c, at, "a text of more than %u characters", MAX_TEXT);
	memcpy(t->bytes + t->len, s, n);
	t->len += n;
	return true;
}

static double
as_float(const struct value *v)
{
	return v->kind == VALUE_FLOAT ? v->f : (double)v->i;
}

/* One value. `conversion` '\0': as print has it. `flags`: 0 or - before a width; precision -1: none told. */
static bool
add_value(struct drill_code *c, const char *at, struct text *t, const struct value *v, char conversion,
    const char *flags, int width, int precision)
{
	char text[1100], spec[16];
	bool number = v->kind == VALUE_INT || v->kind == VALUE_BOOL || v->kind == VALUE_FLOAT;
	bool fits = v->kind != VALUE_FLOAT || (v->f > -9e18 && v->f < 9e18);
	long long i = v->kind != VALUE_FLOAT ? (long long)v->i : fits ? (long long)v->f : 0;
	bool left = strchr(flags, '-') != NULL, zero = strchr(flags, '0') != NULL;

	if (width > 200 || precision > 50)
		return code_refuse(c, at, "a width of more than 200");
	if (conversion != '\0' && strchr("diuxXof", conversion) != NULL && !number)
		return code_refuse(c, at, "%%%c of something that is no number", conversion);
	if (!fits && conversion != 'f' && number && conversion != '\0' && conversion != 's')
		return code_refuse(c, at, "a number beyond 64 bits");
	if (conversion == 'f') {
		snprintf(text, sizeof text, "%*.*f", left ? -width : width, precision < 0 ? 6 : precision,
		    as_float(v));
		return add(c, at, t, text, strlen(text));
	}
	if (conversion != '\0' && strchr("diuxXo", conversion) != NULL) {
		snprintf(spec, sizeof spec, "%%%s%s*ll%c", left ? "-" : "", zero ? "0" : "",
		    conversion == 'i' || conversion == 'u' ? 'd' : conversion);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof text, spec, width, i);
#pragma GCC diagnostic pop
		return add(c, at, t, text, strlen(text));
	}
	if (conversion != '\0' && conversion != 's' && conversion != 'r')
		return code_refuse(c, at, "the conversion '%c' is not known", conversion);
	code_value_text(v, text, sizeof text);
	for (size_t n = strlen(text); !left && (size_t)width > n; width--)
		if (!add(c, at, t, " ", 1))
			return false;
	if (!add(c, at, t, text, strlen(text)))
		return false;
	for (size_t n = strlen(text); left && (size_t)width > n; width--)
		if (!add(c, at, t, " ", 1))
			return false;
	return true;
}

/* [0-][width][.precision][letter] up to `end`; where it ended. */
static const char *
conversion_of(const char *p, const char *end, char *letter, char flags[3], int *width, int *precision)
{
	unsigned n = 0;

	*letter = '\0';
	*width = 0;
	*precision = -1;
	for (; p < end && (*p == '0' || *p == '-' || *p == '+' || *p == ' ' || *p == '#'); p++)
		if ((*p == '0' || *p == '-') && n < 2)
			flags[n++] = *p;
	flags[n] = '\0';
	for (; p < end && isdigit((unsigned char)*p); p++)
		*width = *width < 1000 ? *width * 10 + (*p - '0') : *width;
	if (p < end && *p == '.') {
		*precision = 0;
		for (p++; p < end && isdigit((unsigned char)*p); p++)
			*precision = *precision < 1000 ? *precision * 10 + (*p - '0') : *precision;
	}
	if (p < end && isalpha((unsigned char)*p))
		*letter = *p++;
	return p;
}

/* "a %d b" % (values) */
bool
code_percent(struct drill_code *c, const char *at, const struct value *format, const struct value *args,
    unsigned count, struct value *result)
{
	const char *p = format->s, *end = p + format->len;
	struct text t = {.len = 0};
	unsigned used = 0;

	while (p < end) {
		char letter, flags[3];
		int width, precision;

		if (*p != '%') {
			if (!add(c, at, &t, p++, 1))
				return false;
			continue;
		}
		if (p + 1 < end && p[1] == '%') {
			if (!add(c, at, &t, "%", 1))
				return false;
			p += 2;
			continue;
		}
		p = conversion_of(p + 1, end, &letter, flags, &width, &precision);
		if (letter == '\0' || used == count)
			return code_refuse(c, at, letter == '\0' ? "a %% without a conversion" :
			    "more conversions than values");
		if (!add_value(c, at, &t, &args[used++], letter, flags, width, precision))
			return false;
	}
	return used == count ? code_new_string(c, t.bytes, t.len, "", 0, result) :
	    code_refuse(c, at, "more values than conversions");
}

/* "a {} {1:x}".format(values) */
bool
code_format(struct drill_code *c, const char *at, const struct value *format, const struct value *args,
    unsigned count, struct value *result)
{
	const char *p = format->s, *end = p + format->len;
	struct text t = {.len = 0};
	unsigned used = 0;

	while (p < end) {
		char letter = '\0', flags[3] = "";
		int width = 0, precision = -1;
		unsigned index = used;

		if ((*p == '{' || *p == '}') && p + 1 < end && p[1] == *p)
			p++;	/* {{ is a brace */
		else if (*p == '{') {
			p++;
			if (p < end && isdigit((unsigned char)*p)) {
				for (index = 0; p < end && isdigit((unsigned char)*p); p++)
					index = index < 1000 ? index * 10 + (unsigned)(*p - '0') : index;
			} else
				used++;
			if (p < end && *p == ':')
				p = conversion_of(p + 1, end, &letter, flags, &width, &precision);
			if (p >= end || *p != '}')
				return code_refuse(c, at, "a {} that is not known");
			if (index >= count)
				return code_refuse(c, at, "more {} than values");
			if (!add_value(c, at, &t, &args[index], letter, flags, width, precision))
				return false;
			p++;
			continue;
		}
		if (!add(c, at, &t, p++, 1))
			return false;
	}
	return code_new_string(c, t.bytes, t.len, "", 0, result);
}
