/* Scripts read from files, and what messages say of them. The parser: parse.c. */
#include "src/drill/script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/drill/arena.h"

int
drill_error_set(struct drill_error *error, enum drill_error_kind kind, struct drill_place place,
    const char *fmt,
    ...)
{
	va_list ap;

	if (error->kind != DRILL_ERROR_NONE)
		return -1;
	error->kind = kind;
	error->place = place;
	va_start(ap, fmt);
	vsnprintf(error->text, sizeof error->text, fmt, ap);
	va_end(ap);
	return -1;
}

void
drill_script_free(struct drill_script *script)
{
	if (script != NULL)
		drill_arena_free(script->arena);
}

/* All of a file, to be freed. NULL with errno. */
static char *
read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	char *text = NULL, *more;
	size_t room = 0, n = 0, got;
	struct stat st;
	int error = 0;

	if (f == NULL)
		return NULL;
	if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode))
		error = EISDIR;
	while (error == 0) {
		if (n == room) {
			room = room == 0 ? 16384 : 2 * room;
			more = realloc(text, room);
			if (more == NULL) {
				error = ENOMEM;
				break;
			}
			text = more;
		}
		got = fread(text + n, 1, room - n, f);
		if (got == 0) {
			error = ferror(f) ? errno : 0;
			break;
		}
		n += got;
	}
	fclose(f);
	if (error != 0) {
		free(text);
		text = NULL;
		errno = error;
	}
	*len = n;
	return text;
}

int
drill_load(const char *path, const struct drill_define *defines, size_t define_count,
    struct drill_script **script, struct drill_error *error)
{
	struct drill_place nowhere = {0};
	size_t len;
	char *text = read_file(path, &len);
	int result;

	*script = NULL;
	memset(error, 0, sizeof *error);
	if (text == NULL)
		return drill_error_set(error, DRILL_ERROR_FILE, nowhere, "%s", strerror(errno));
	result = drill_parse(path, text, len, defines, define_count, script, error);
	free(text);
	return result;
}

const char *
drill_script_line(const struct drill_script *script, unsigned line, size_t *len)
{
	const char *at = script->text, *end = script->text + script->text_len;

	for (unsigned n = 1; at != NULL && at < end && n <= line; n++) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));

		if (n == line) {
			*len = nl != NULL ? (size_t)(nl - at) : (size_t)(end - at);
			if (*len > 0 && at[*len - 1] == '\r')
				--*len;
			return at;
		}
		at = nl != NULL ? nl + 1 : NULL;
	}
	return NULL;
}

const struct drill_expr *
drill_field(const struct drill_expr *e, const char *name)
{
	if (e != NULL && e->kind == DRILL_STRUCT)
		for (size_t i = 0; i < e->item_count; i++)
			if (e->items[i].name != NULL && strcmp(e->items[i].name, name) == 0)
				return e->items[i].value;
	return NULL;
}

/* ---- expressions as text ------------------------------------------------------------------------ */

struct out {
	char *buffer;
	size_t size, used;
};

static void __attribute__((format(printf, 2, 3)))
add(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->buffer + o->used, o->size - o->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		o->used += (size_t)n < o->size - o->used ? (size_t)n : o->size - o->used - 1;
}

static void add_expr(struct out *, const struct drill_expr *);

static void
add_items(struct out *o, const struct drill_expr *e, const char *open, const char *between, const char *close)
{
	add(o, "%s", open);
	for (size_t i = 0; i < e->item_count; i++) {
		const struct drill_field *f = &e->items[i];

		add(o, "%s%s", i > 0 ? between : "", f->name != NULL ? f->name : "");
		if (f->count != NULL) {
			add(o, "(");
			add_expr(o, f->count);
			add(o, ")");
		}
		add(o, "%s", f->name != NULL ? " = " : "");
		add_expr(o, f->value);
	}
	add(o, "%s", close);
}

static void
add_string(struct out *o, const struct drill_expr *e)
{
	add(o, "\"");
	for (size_t i = 0; i < e->text_len; i++) {
		unsigned char c = (unsigned char)e->text[i];

		if (c == '"' || c == '\\')
			add(o, "\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			add(o, "\\x%02x", c);
		else
			add(o, "%c", c);
	}
	add(o, e->kind == DRILL_STRING_PART ? "\"..." : "\"");
}

static void
add_expr(struct out *o, const struct drill_expr *e)
{
	switch (e->kind) {
	case DRILL_ELLIPSIS:
		add(o, "...");
		break;
	case DRILL_INTEGER:
		add(o, e->hex ? "0x%llx" : "%lld", (long long)e->integer);
		break;
	case DRILL_NAME:
	case DRILL_NULL:
		add(o, "%s", e->text);
		break;
	case DRILL_STRING:
	case DRILL_STRING_PART:
		add_string(o, e);
		break;
	case DRILL_OR:
		add_items(o, e, "", "|", "");
		break;
	case DRILL_ARRAY:
		add_items(o, e, "[", ", ", "]");
		break;
	case DRILL_LIST:
	case DRILL_STRUCT:
		add_items(o, e, "{", ", ", "}");
		break;
	case DRILL_CALL:
		add(o, "%s", e->text);
		add_items(o, e, "(", ", ", ")");
		break;
	}
}

const char *
drill_expr_text(const struct drill_expr *e, char *buffer, size_t size)
{
	struct out o = {.buffer = buffer, .size = size};

	if (size == 0)
		return buffer;
	buffer[0] = '\0';
	add_expr(&o, e);
	return buffer;
}
