/* Bytes to text and back, as control_value.h says. */
#include "src/cmd/control_value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cmd/control_wire.h"

#define DUMP_WIDTH	16u

static bool
read_int(const char *text, int32_t *number)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 0);
	*number = (int32_t)n;
	return errno == 0 && end != text && *end == '\0' && n >= INT32_MIN && n <= UINT32_MAX;
}

bool
value_read(enum value_form form, const char *text, void *data, size_t room, size_t *len,
    const char **complaint)
{
	int32_t number;

	switch (form) {
	case VALUE_INT:
		*complaint = "expected a whole number of 32 bits, like 5, -1 or 0x1f";
		*len = sizeof number;
		if (!read_int(text, &number) || room < sizeof number)
			return false;
		memcpy(data, &number, sizeof number);
		return true;
	case VALUE_HEX:
		*complaint = "expected two hexadecimal digits for each byte, like 00ff1a, and not too many";
		return control_unhex_text(text, data, room, len);
	case VALUE_ANY:
	case VALUE_STRING:
	default:
		*complaint = "too long";
		*len = strlen(text);
		if (*len > room)
			return false;
		memcpy(data, text, *len);
		return true;
	}
}

/* ---- writing ------------------------------------------------------------------------------ */

static bool
is_shown(uint8_t c)
{
	return c >= 0x20 && c < 0x7f;
}

/* A NUL at the end may be there, and line ends. */
static bool
is_text(const uint8_t *bytes, size_t len)
{
	if (len > 0 && bytes[len - 1] == '\0')
		len--;
	for (size_t i = 0; i < len; i++)
		if (!is_shown(bytes[i]) && bytes[i] != '\n' && bytes[i] != '\t' && bytes[i] < 0x80)
			return false;
	return len > 0;
}

static void
print_dump(const uint8_t *bytes, size_t len)
{
	for (size_t at = 0; at < len; at += DUMP_WIDTH) {
		printf("%08zx ", at);
		for (size_t i = at; i < at + DUMP_WIDTH; i++) {
			if (i < len)
				printf(" %02x", bytes[i]);
			else
				printf("   ");
		}
		printf("  |");
		for (size_t i = at; i < at + DUMP_WIDTH && i < len; i++)
			putchar(is_shown(bytes[i]) ? bytes[i] : '.');
		printf("|\n");
	}
	if (len == 0)
		putchar('\n');
}

static void
print_ints(const uint8_t *bytes, size_t len)
{
	int32_t number;

	for (size_t at = 0; at < len; at += sizeof number) {
		memcpy(&number, bytes + at, sizeof number);
		printf("%s%d", at > 0 ? " " : "", number);
	}
	putchar('\n');
}

void
value_print(enum value_form form, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	if (form == VALUE_INT && len > 0 && len % sizeof(int32_t) == 0) {
		print_ints(bytes, len);
	} else if (form == VALUE_HEX) {
		for (size_t i = 0; i < len; i++)
			printf("%02x", bytes[i]);
		putchar('\n');
	} else if (form == VALUE_STRING || (form == VALUE_ANY && is_text(bytes, len))) {
		if (form == VALUE_ANY && bytes[len - 1] == '\0')
			len--;
		fwrite(bytes, 1, len, stdout);
		if (len == 0 || bytes[len - 1] != '\n')
			putchar('\n');
	} else {
		print_dump(bytes, len);
	}
	fflush(stdout);
}
