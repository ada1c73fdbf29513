/*
 * `nke build`: the bundle's Info.plist: a new one, or the caller's with Xcode's variables put in.
 *
 * The caller's file is treated as text, so that everything in it that is not ours to understand stays
 * as it is; it is parsed when the finished bundle is looked at.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cmd/build.h"
#include "src/cmd/cmd.h"

#define PLIST_MAX	((size_t)256 << 10)

/* Text that grows. */
struct buffer {
	char *text;
	size_t size;
	FILE *out;
};

static bool
buffer_open(struct buffer *buf)
{
	*buf = (struct buffer){0};
	buf->out = open_memstream(&buf->text, &buf->size);
	return buf->out != NULL;
}

/* The text, or NULL when memory was short. */
static char *
buffer_close(struct buffer *buf)
{
	bool failed = ferror(buf->out) != 0;

	if (fclose(buf->out) != 0 || failed) {
		free(buf->text);
		return NULL;
	}
	return buf->text;
}

static void
put_escaped(FILE *out, const char *s)
{
	for (; *s != '\0'; s++) {
		switch (*s) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		default:
			fputc(*s, out);
		}
	}
}

/* ---- a new one ---------------------------------------------------------------------------- */

static void
put_pair(FILE *out, const char *indent, const char *key, const char *value)
{
	fprintf(out, "%s<key>%s</key>\n%s<string>", indent, key, indent);
	put_escaped(out, value);
	fputs("</string>\n", out);
}

/* Every set the kext uses, in the oldest version; symbols come sorted by name, so sets repeat. */
static void
put_libraries(FILE *out, const struct nke_kext_info *info)
{
	const char *sets[16];
	size_t n = 0, k;

	fputs("	<key>OSBundleLibraries</key>\n	<dict>\n", out);
	for (size_t i = 0; i < info->symbol_count; i++) {
		const char *set = info->symbols[i].set;

		for (k = 0; set != NULL && k < n && strcmp(sets[k], set) != 0; k++)
			continue;
		if (set == NULL || k < n || n == sizeof sets / sizeof sets[0])
			continue;
		sets[n++] = set;
		put_pair(out, "		", set, "8.0.0");
	}
	if (n == 0)
		put_pair(out, "		", "com.apple.kpi.libkern", "8.0.0");
	fputs("	</dict>\n", out);
}

static char *
new_plist(struct build *b, const struct nke_kext_info *info)
{
	struct buffer buf;

	if (!buffer_open(&buf))
		return NULL;
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
	    "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
	    "<plist version=\"1.0\">\n<dict>\n", buf.out);
	put_pair(buf.out, "	", "CFBundleIdentifier", b->id);
	put_pair(buf.out, "	", "CFBundleName", b->name);
	put_pair(buf.out, "	", "CFBundleExecutable", b->name);
	put_pair(buf.out, "	", "CFBundlePackageType", "KEXT");
	put_pair(buf.out, "	", "CFBundleInfoDictionaryVersion", "6.0");
	put_pair(buf.out, "	", "CFBundleVersion", b->version);
	put_pair(buf.out, "	", "OSBundleCompatibleVersion", b->version);
	put_libraries(buf.out, info);
	fputs("</dict>\n</plist>\n", buf.out);
	return buffer_close(&buf);
}

/* ---- the caller's ------------------------------------------------------------------------- */

/* The value of a variable; NULL when nobody gave it one. */
static const char *
variable(const struct build *b, const char *name, size_t n)
{
	const struct {
		const char *name, *value;
	} known[] = {
		{"PRODUCT_NAME", b->name}, {"EXECUTABLE_NAME", b->name}, {"TARGET_NAME", b->name},
		{"TARGETNAME", b->name}, {"PROJECT_NAME", b->name},
		{"PRODUCT_BUNDLE_IDENTIFIER", b->id}, {"BUNDLE_IDENTIFIER", b->id},
		{"MODULE_NAME", b->id}, {"MODULE_VERSION", b->version},
		{"CURRENT_PROJECT_VERSION", b->version}, {"MARKETING_VERSION", b->version},
		{"PRODUCT_VERSION", b->version}, {"BUNDLE_VERSION", b->version},
		{"MODULE_START", b->start}, {"MODULE_STOP", b->stop},
		{"DEVELOPMENT_LANGUAGE", "en"}, {"PRODUCT_BUNDLE_PACKAGE_TYPE", "KEXT"},
		{"WRAPPER_EXTENSION", "kext"}, {"MACOSX_DEPLOYMENT_TARGET", "10.15"},
	};

	for (size_t i = 0; i < b->define_count; i++) {
		if (strncmp(b->defines[i], name, n) == 0 && b->defines[i][n] == '=')
			return b->defines[i] + n + 1;
	}
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (strlen(known[i].name) == n && strncmp(known[i].name, name, n) == 0)
			return known[i].value;
	}
	return NULL;
}

/* ${NAME:modifier}: the ones that make an identifier of a name. */
static void
put_modified(FILE *out, const char *value, const char *modifier, size_t n)
{
	char filler = 0;

	if ((n == 10 && strncmp(modifier, "identifier", n) == 0) ||
	    (n == 16 && strncmp(modifier, "c99extidentifier", n) == 0))
		filler = '_';
	else if (n == 17 && strncmp(modifier, "rfc1034identifier", n) == 0)
		filler = '-';
	for (; *value != '\0'; value++) {
		char one[2] = {*value, '\0'};
		bool plain = (*value >= 'a' && *value <= 'z') || (*value >= 'A' && *value <= 'Z') ||
		    (*value >= '0' && *value <= '9') || (filler == '-' && *value == '.');

		if (filler != 0 && !plain)
			one[0] = filler;
		put_escaped(out, one);
	}
}

/*
 * Puts in the variable that begins at `p` ("${" or "$("). Returns what follows it, NULL after an error
 * was told, or `p` when it is no variable.
 */
static const char *
put_variable(struct build *b, FILE *out, const char *p, unsigned line)
{
	size_t all = strcspn(p + 2, p[1] == '{' ? "}\n<" : ")\n<");
	const char *end = p + 2 + all, *value;
	size_t n = strcspn(p + 2, ":");

	if (*end != (p[1] == '{' ? '}' : ')'))
		return p;
	n = n < all ? n : all;
	value = variable(b, p + 2, n);
	if (value == NULL) {
		cmd_error("build", "%s: line %u: variable '%.*s' has no value; give it one with --define "
		    "%.*s=VALUE", b->plist, line, (int)n, p + 2, (int)n, p + 2);
		return NULL;
	}
	put_modified(out, value, p + 2 + n + 1, all > n ? all - n - 1 : 0);
	return end + 1;
}

static char *
expand(struct build *b, const char *text)
{
	struct buffer buf;
	unsigned line = 1;
	const char *p = text;

	if (!buffer_open(&buf)) {
		cmd_error("build", "%s: no memory", b->plist);
		return NULL;
	}
	while (*p != '\0') {
		const char *next = p;

		if (p[0] == '$' && (p[1] == '{' || p[1] == '('))
			next = put_variable(b, buf.out, p, line);
		if (next == NULL) {
			free(buffer_close(&buf));
			return NULL;
		}
		if (next == p) {
			line += *p == '\n';
			fputc(*next++, buf.out);
		}
		p = next;
	}
	return buffer_close(&buf);
}

static char *
read_text(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = f != NULL ? malloc(PLIST_MAX + 1) : NULL;
	size_t n;

	if (text == NULL) {
		cmd_error("build", "%s: %s", path, strerror(errno));
		if (f != NULL)
			fclose(f);
		return NULL;
	}
	n = fread(text, 1, PLIST_MAX + 1, f);
	if (ferror(f) || n > PLIST_MAX || memchr(text, '\0', n) != NULL ||
	    (n >= 6 && memcmp(text, "bplist", 6) == 0)) {
		cmd_error("build", "%s: %s", path, ferror(f) ? strerror(errno) :
		    n > PLIST_MAX ? "too large for a property list" :
		    "not text; expected a property list in XML");
		free(text);
		text = NULL;
	} else {
		text[n] = '\0';
	}
	fclose(f);
	return text;
}

bool
build_plist_string(const char *text, const char *key, char *value, size_t size)
{
	char pattern[128];
	const char *p, *end;

	snprintf(pattern, sizeof pattern, "<key>%s</key>", key);
	p = strstr(text, pattern);
	if (p == NULL)
		return false;
	p += strlen(pattern);
	p += strspn(p, " \t\r\n");
	if (strncmp(p, "<string>", 8) != 0)
		return false;
	p += 8;
	end = strstr(p, "</string>");
	if (end == NULL || end == p || (size_t)(end - p) >= size)
		return false;
	memcpy(value, p, (size_t)(end - p));
	value[end - p] = '\0';
	return true;
}

char *
build_plist_text(struct build *b, const struct nke_kext_info *info)
{
	char *text, *raw;

	if (b->plist == NULL) {
		text = new_plist(b, info);
		if (text == NULL)
			cmd_error("build", "no memory");
		return text;
	}
	raw = read_text(b->plist);
	if (raw == NULL)
		return NULL;
	text = expand(b, raw);
	free(raw);
	return text;
}
