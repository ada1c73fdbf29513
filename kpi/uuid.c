/* uuid/uuid.h: RFC 4122 identifiers. All that are made here are random (version 4). */
#include <stdbool.h>
#include <string.h>
#include <uuid/uuid.h>

#include "src/kern/prng.h"
#include "src/kern/thread.h"

void
uuid_clear(uuid_t uu)
{
	memset(uu, 0, sizeof(uuid_t));
}

int
uuid_compare(const uuid_t uu1, const uuid_t uu2)
{
	return memcmp(uu1, uu2, sizeof(uuid_t));
}

void
uuid_copy(uuid_t dst, const uuid_t src)
{
	memcpy(dst, src, sizeof(uuid_t));
}

/* RFC 4122 section 4.4. */
void
uuid_generate_random(uuid_t out)
{
	prng_bytes(curmachine(), out, sizeof(uuid_t));
	out[6] = (unsigned char)((out[6] & 0x0f) | 0x40);
	out[8] = (unsigned char)((out[8] & 0x3f) | 0x80);
}

void
uuid_generate(uuid_t out)
{
	uuid_generate_random(out);
}

void
uuid_generate_time(uuid_t out)
{
	uuid_generate_random(out);
}

int
uuid_is_null(const uuid_t uu)
{
	return memcmp(uu, UUID_NULL, sizeof(uuid_t)) == 0;
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

/* Where hyphens stand: before these bytes. */
static bool
hyphen_before(unsigned byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

int
uuid_parse(const uuid_string_t in, uuid_t uu)
{
	const char *p = in;
	uuid_t bytes;

	for (unsigned i = 0; i < sizeof bytes; i++) {
		int high, low;

		if (hyphen_before(i) && *p++ != '-')
			return -1;
		high = hex_digit(*p);
		low = high < 0 ? -1 : hex_digit(p[1]);
		if (low < 0)
			return -1;
		bytes[i] = (unsigned char)(high << 4 | low);
		p += 2;
	}
	if (*p != '\0')
		return -1;
	uuid_copy(uu, bytes);
	return 0;
}

static void
unparse(const uuid_t uu, char *out, const char *digits)
{
	for (unsigned i = 0; i < sizeof(uuid_t); i++) {
		if (hyphen_before(i))
			*out++ = '-';
		*out++ = digits[uu[i] >> 4];
		*out++ = digits[uu[i] & 15];
	}
	*out = '\0';
}

void
uuid_unparse_lower(const uuid_t uu, uuid_string_t out)
{
	unparse(uu, out, "0123456789abcdef");
}

void
uuid_unparse_upper(const uuid_t uu, uuid_string_t out)
{
	unparse(uu, out, "0123456789ABCDEF");
}

void
uuid_unparse(const uuid_t uu, uuid_string_t out)
{
	uuid_unparse_upper(uu, out);
}
