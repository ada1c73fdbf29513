/* `nke sysctl`: reads and sets variables of a running machine by name. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cmd/control_client.h"
#include "src/cmd/control_value.h"

static const char help[] =
"usage: nke sysctl --control PATH NAME[=VALUE] ...\n"
"\n"
"Prints variables of the machine that 'nke run --control PATH' is, and sets them. Numbers and texts are\n"
"printed as such, anything else in hexadecimal, which is also how it is set.\n"
"\n"
"options:\n"
"  --control PATH  the machine's socket\n"
"  -n              print values without names\n"
"  -x              print and set bytes in hexadecimal, whatever the variable says of itself\n"
"  -h, --help      this text\n"
"\n"
"Exit status: 0 done, 1 usage, 2 the machine is not there, or one of them was refused, 4 the machine\n"
"panicked.\n";

struct sysctl {
	struct remote remote;
	bool bare, hex;
};

/* What the variable says of itself (nke_sysctl_format), in classes. */
enum kind {
	KIND_HEX, KIND_INT, KIND_UINT, KIND_QUAD, KIND_UQUAD, KIND_TEXT
};

static enum kind
kind_of(const struct sysctl *c, const char *format)
{
	if (c->hex || format == NULL)
		return KIND_HEX;
	if (strcmp(format, "A") == 0)
		return KIND_TEXT;
	if (strcmp(format, "I") == 0)
		return KIND_INT;
	if (strcmp(format, "IU") == 0)
		return KIND_UINT;
	if (strcmp(format, "L") == 0 || strcmp(format, "Q") == 0)
		return KIND_QUAD;
	return strcmp(format, "LU") == 0 || strcmp(format, "QU") == 0 ? KIND_UQUAD : KIND_HEX;
}

static size_t
size_of(enum kind kind)
{
	return kind == KIND_INT || kind == KIND_UINT ? sizeof(uint32_t) : sizeof(uint64_t);
}

/* One value, without a newline. A number of an odd size is bytes. */
static void
print_value(enum kind kind, const uint8_t *value, size_t len)
{
	uint64_t wide = 0;
	uint32_t narrow = 0;

	if (kind == KIND_TEXT) {
		printf("%.*s", (int)strnlen((const char *)value, len), (const char *)value);
		return;
	}
	if (kind == KIND_HEX || len != size_of(kind)) {
		for (size_t i = 0; i < len; i++)
			printf("%02x", value[i]);
		return;
	}
	memcpy(len == sizeof narrow ? (void *)&narrow : (void *)&wide, value, len);
	if (kind == KIND_INT)
		printf("%d", (int)narrow);
	else if (kind == KIND_UINT)
		printf("%u", narrow);
	else if (kind == KIND_QUAD)
		printf("%lld", (long long)wide);
	else
		printf("%llu", (unsigned long long)wide);
}

/* ---- setting ------------------------------------------------------------------------------ */

static bool
read_number(enum kind kind, const char *text, uint8_t *value)
{
	bool is_signed = kind == KIND_INT || kind == KIND_QUAD;
	char *end;
	uint64_t wide;
	uint32_t narrow;

	errno = 0;
	wide = is_signed ? (uint64_t)strtoll(text, &end, 0) : strtoull(text, &end, 0);
	if (errno != 0 || end == text || *end != '\0' || (!is_signed && strchr(text, '-') != NULL))
		return false;
	if ((kind == KIND_INT && (int64_t)wide != (int32_t)wide) || (kind == KIND_UINT && wide > UINT32_MAX))
		return false;
	narrow = (uint32_t)wide;
	memcpy(value, size_of(kind) == sizeof narrow ? (void *)&narrow : (void *)&wide, size_of(kind));
	return true;
}

static bool
read_value(enum kind kind, const char *text, uint8_t *value, size_t room, size_t *len)
{
	if (kind == KIND_HEX)
		return control_unhex_text(text, value, room, len);
	if (kind == KIND_TEXT) {
		*len = strlen(text) + 1;
		if (*len > room)
			return false;
		memcpy(value, text, *len);
		return true;
	}
	*len = size_of(kind);
	return read_number(kind, text, value);
}

/* ---- one variable ------------------------------------------------------------------------- */

/* Asks for a value, and sets one if `set` is not NULL. False: was refused. */
static bool
access_variable(struct sysctl *c, const char *name, json_t *set, enum kind *kind, uint8_t *value, size_t *len)
{
	json_t *request = json_pack("{s:s, s:o}", "request", "sysctl", "name", cmd_json_text(name)), *answer;
	bool good;

	if (request != NULL && set != NULL)
		(void)json_object_set_new(request, "value", set);
	answer = remote_ask(&c->remote, CMD_INPUT, request);
	*kind = kind_of(c, json_string_value(json_object_get(answer, "format")));
	good = control_unhex(json_object_get(answer, "value"), value, CONTROL_DATA_MAX, len);
	json_decref(answer);
	return good;
}

static int
variable(struct sysctl *c, char *name)
{
	static uint8_t old[CONTROL_DATA_MAX], new[CONTROL_DATA_MAX];
	char *text = strchr(name, '=');
	size_t old_len, new_len;
	enum kind kind;

	if (text != NULL)
		*text++ = '\0';
	if (!access_variable(c, name, NULL, &kind, old, &old_len))
		return c->remote.code;
	if (text != NULL) {
		if (!read_value(kind, text, new, sizeof new, &new_len)) {
			cmd_error("sysctl", "%s: '%.40s' is not a value for it: expected %s", name, text,
			    kind == KIND_HEX ? "two hexadecimal digits for each byte" : kind == KIND_TEXT ?
			    "a shorter text" : "a number in its range");
			return CMD_INPUT;
		}
		if (!access_variable(c, name, control_hex(new, new_len), &kind, old, &old_len))
			return c->remote.code;
	}
	if (!c->bare)
		printf("%s: ", name);
	print_value(kind, old, old_len);
	if (text != NULL) {
		printf(" -> ");
		if (!access_variable(c, name, NULL, &kind, new, &new_len))
			return c->remote.code;
		print_value(kind, new, new_len);
	}
	putchar('\n');
	return CMD_OK;
}

int
cmd_sysctl(int argc, char **argv)
{
	static const struct option options[] = {{"control", required_argument, NULL, 'C'},
	    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct sysctl c = {.bare = false};
	const char *control = NULL;
	int o, code;

	opterr = 0;
	while ((o = getopt_long(argc, argv, ":nxh", options, NULL)) != -1) {
		switch (o) {
		case 'C':
			control = optarg;
			break;
		case 'n':
			c.bare = true;
			break;
		case 'x':
			c.hex = true;
			break;
		case 'h':
			fputs(help, stdout);
			return CMD_OK;
		default:
			return cmd_bad_option("sysctl", argv, o);
		}
	}
	if (optind == argc)
		return cmd_usage("sysctl", "which variable? NAME or NAME=VALUE");
	code = remote_open(&c.remote, "sysctl", control);
	for (int i = optind; i < argc && c.remote.fd >= 0; i++) {
		int result = variable(&c, argv[i]);

		code = result != CMD_OK ? result : code;
	}
	remote_close(&c.remote);
	return code;
}
