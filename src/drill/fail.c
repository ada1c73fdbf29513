/* What a run has to say: the message that ends it, and what -v tells. */
#include <stdlib.h>
#include <string.h>

#include "src/drill/engine.h"

static void
print_place(FILE *f, const struct run *r, struct drill_place place)
{
	fprintf(f, "%s:", r->script->name);
	if (place.line != 0)
		fprintf(f, "%u:", place.line);
	fputc(' ', f);
}

static void
print_source(FILE *f, const struct run *r, struct drill_place place)
{
	size_t len;
	const char *line = place.line != 0 ? drill_script_line(r->script, place.line, &len) : NULL;

	if (line == NULL)
		return;
	while (len != 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	fprintf(f, "  script:   %.*s\n", (int)len, line);
}

int
fail(struct run *r, enum drill_outcome outcome, struct drill_place place, const char *fmt, ...)
{
	char *text = NULL;
	size_t size = 0;
	va_list ap;
	FILE *f;

	if (r->failed)
		return -1;
	r->failed = true;
	r->result->outcome = outcome;
	r->result->line = place.line;
	f = open_memstream(&text, &size);
	if (f == NULL)
		return -1;
	print_place(f, r, place);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fputc('\n', f);
	print_source(f, r, place);
	if (fclose(f) == 0)
		r->result->text = text;
	else
		free(text);
	return -1;
}

int
fail_error(struct run *r, const struct drill_error *error)
{
	return fail(r, DRILL_BROKEN, error->place, "%s", error->text);
}

void
tell(struct run *r, unsigned level, const char *fmt, ...)
{
	int64_t us;
	va_list ap;

	if (r->config->verbose < level)
		return;
	us = r->machine != NULL ? now_us(r) : 0;
	flockfile(r->out);
	fprintf(r->out, "%6lld.%06lld  ", (long long)(us / 1000000), (long long)(us % 1000000));
	va_start(ap, fmt);
	vfprintf(r->out, fmt, ap);
	va_end(ap);
	fputc('\n', r->out);
	funlockfile(r->out);
}
