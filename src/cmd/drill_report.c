/* What `nke drill` tells of its scripts: for people, and as JUnit's XML for programs. */
#include <errno.h>
#include <string.h>

#include "src/cmd/drill.h"

const char *
drill_outcome_name(enum drill_outcome outcome)
{
	static const char *const names[] = {
		[DRILL_PASSED] = "passed", [DRILL_FAILED] = "failed", [DRILL_BROKEN] = "broken",
		[DRILL_PANICKED] = "panicked", [DRILL_KEXT] = "kext"
	};

	return names[outcome];
}

void
drill_report_item(FILE *f, const struct drill_item *item, unsigned verbose)
{
	const struct drill_result *r = &item->result;

	if (item->out_len > 0)
		fwrite(item->out, 1, item->out_len, f);
	if (r->outcome != DRILL_PASSED) {
		fprintf(f, "%s: %s\n", item->path, drill_outcome_name(r->outcome));
		if (r->text != NULL)
			fputs(r->text, f);
	} else if (verbose > 0)
		fprintf(f, "%s: passed (%u events in %llu.%06llu s)\n", item->path, r->events,
		    (unsigned long long)(r->virtual_us / 1000000),
		    (unsigned long long)(r->virtual_us % 1000000));
}

static size_t
count(const struct drill_items *list, enum drill_outcome outcome)
{
	size_t n = 0;

	for (size_t i = 0; i < list->count; i++)
		n += list->items[i].result.outcome == outcome;
	return n;
}

void
drill_report_summary(FILE *f, const struct drill_items *list, double seconds)
{
	static const char *const words[] = {
		[DRILL_FAILED] = "failed", [DRILL_BROKEN] = "cannot be run",
		[DRILL_PANICKED] = "made the machine panic",
		[DRILL_KEXT] = "with kexts that do not load or unload"
	};
	uint64_t us = 0;

	fprintf(f, "%zu script%s: %zu passed", list->count, list->count == 1 ? "" : "s",
	    count(list, DRILL_PASSED));
	for (enum drill_outcome o = DRILL_FAILED; o <= DRILL_KEXT; o++)
		if (o == DRILL_FAILED || count(list, o) > 0)
			fprintf(f, ", %zu %s", count(list, o), words[o]);
	for (size_t i = 0; i < list->count; i++)
		us += list->items[i].result.virtual_us;
	fprintf(f, "\n%.3f s, %.1f s of the machines' time\n", seconds, (double)us / 1e6);
}

/* ---- JUnit -------------------------------------------------------------------------------------- */

/* The bytes of a character of UTF-8 that XML may have; 0: they are none. */
static size_t
utf8(const unsigned char *s, size_t left)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 :
	    s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > left || (n == 1 && s[0] < ' ' && s[0] != '\n' && s[0] != '\t') || s[0] == 0x7f)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if (n == 3 && ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
	    (s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe)))
		return 0;
	if (n == 4 && ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90)))
		return 0;
	return n;
}

static void
escape(FILE *f, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < len;) {
		size_t n = utf8(&s[i], len - i);

		if (n == 0) {
			fputs("\xef\xbf\xbd", f);
			n = 1;
		} else if (s[i] == '<')
			fputs("&lt;", f);
		else if (s[i] == '>')
			fputs("&gt;", f);
		else if (s[i] == '&')
			fputs("&amp;", f);
		else if (s[i] == '"')
			fputs("&quot;", f);
		else if (s[i] == '\n')
			fputs("&#10;", f);
		else
			fwrite(&s[i], 1, n, f);
		i += n;
	}
}

static void
attribute(FILE *f, const char *name, const char *text, size_t len)
{
	fprintf(f, " %s=\"", name);
	escape(f, text, len);
	fputc('"', f);
}

/* The folder's part of a path. */
static size_t
folder_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? (size_t)(slash - path) : 0;
}

static bool
same_folder(const char *a, const char *b)
{
	return folder_len(a) == folder_len(b) && strncmp(a, b, folder_len(a)) == 0;
}

static void
junit_case(FILE *f, const struct drill_item *item)
{
	const struct drill_result *r = &item->result;
	const char *text = r->text != NULL ? r->text : "";
	size_t folder = folder_len(item->path);
	const char *name = item->path + folder + (item->path[folder] == '/');
	const char *element = r->outcome == DRILL_FAILED ? "failure" : "error";

	fputs("    <testcase", f);
	attribute(f, "name", name, strlen(name));
	attribute(f, "classname", folder > 0 ? item->path : ".", folder > 0 ? folder : 1);
	attribute(f, "file", item->path, strlen(item->path));
	if (r->line > 0)
		fprintf(f, " line=\"%u\"", r->line);
	fprintf(f, " time=\"%.6f\">", item->seconds);
	if (r->outcome != DRILL_PASSED) {
		fprintf(f, "\n      <%s type=\"%s\"", element, drill_outcome_name(r->outcome));
		attribute(f, "message", text, strcspn(text, "\n"));
		fputc('>', f);
		escape(f, text, strlen(text));
		fprintf(f, "</%s>", element);
	}
	if (item->out_len > 0) {
		fputs("\n      <system-out>", f);
		escape(f, item->out, item->out_len);
		fputs("</system-out>", f);
	}
	fprintf(f, "%s</testcase>\n", r->outcome != DRILL_PASSED || item->out_len > 0 ? "\n    " : "");
}

/* Counts as attributes, of the items from `first` to before `end`. */
static void
junit_counts(FILE *f, const struct drill_items *list, size_t first, size_t end, double seconds)
{
	size_t failures = 0, errors = 0;

	for (size_t i = first; i < end; i++) {
		enum drill_outcome o = list->items[i].result.outcome;

		failures += o == DRILL_FAILED;
		errors += o != DRILL_FAILED && o != DRILL_PASSED;
	}
	fprintf(f, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"0\" time=\"%.6f\">\n",
	    end - first, failures, errors, seconds);
}

/* One test suite for each folder. */
static void
junit(FILE *f, const struct drill_items *list, double seconds)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"nke drill\"", f);
	junit_counts(f, list, 0, list->count, seconds);
	for (size_t i = 0; i < list->count;) {
		const char *path = list->items[i].path;
		size_t folder = folder_len(path), end = i;
		double time = 0;

		while (end < list->count && same_folder(path, list->items[end].path))
			time += list->items[end++].seconds;
		fputs("  <testsuite", f);
		attribute(f, "name", folder > 0 ? path : ".", folder > 0 ? folder : 1);
		junit_counts(f, list, i, end, time);
		for (; i < end; i++)
			junit_case(f, &list->items[i]);
		fputs("  </testsuite>\n", f);
	}
	fputs("</testsuites>\n", f);
}

int
drill_report_junit(const char *path, const struct drill_items *list, double seconds)
{
	FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
	int error = 0;

	if (f == NULL)
		return errno;
	errno = 0;
	junit(f, list, seconds);
	if (ferror(f) || fflush(f) != 0)
		error = errno != 0 ? errno : EIO;
	if (f != stdout && fclose(f) != 0 && error == 0)
		error = errno;
	return error;
}
