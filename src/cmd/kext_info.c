/*
 * `nke kext info`: what a kext is, uses, lacks and depends on, without loading it. The other words of `nke
 * kext` are in kext_remote.c.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nke/kext.h>

#include "src/cmd/cmd.h"

static const char *const library_words[] = {
	[NKE_LIBRARY_SET] = "kernel symbols", [NKE_LIBRARY_KEXT] = "another kext, to be loaded first",
	[NKE_LIBRARY_BAD_VERSION] = "NOT IN THAT VERSION", [NKE_LIBRARY_UNKNOWN] = "THERE IS NONE",
	[NKE_LIBRARY_FAMILY] = "IOKit's, not there",
};
static const char *const library_names[] = {
	[NKE_LIBRARY_SET] = "set", [NKE_LIBRARY_KEXT] = "kext",
	[NKE_LIBRARY_BAD_VERSION] = "bad-version", [NKE_LIBRARY_UNKNOWN] = "unknown",
	[NKE_LIBRARY_FAMILY] = "family",
};
static const char *const symbol_names[] = {
	[NKE_SYMBOL_KERNEL] = "kernel", [NKE_SYMBOL_COMPILER] = "compiler",
	[NKE_SYMBOL_WEAK] = "weak", [NKE_SYMBOL_MISSING] = "missing",
};

static void
help(void)
{
	printf("usage: nke kext info [--json] [--symbols] KEXT ...\n\n"
	    "Tells what each kext (a bundle or a shared object) is, which of the kernel's symbols it uses\n"
	    "and from which sets, what is missing, and which libraries it depends on. Nothing of it runs.\n\n"
	    "options:\n"
	    "  -j, --json     one JSON array on standard output, an object per kext\n"
	    "  -s, --symbols  list every symbol it uses, not only counts per set\n"
	    "  -h, --help     this text\n\n"
	    "exit codes:\n"
	    "  0  all of them would load (given the kexts they depend on)\n"
	    "  1  the command line makes no sense\n"
	    "  2  a file is missing or malformed\n"
	    "  3  one of them would not load: symbols or libraries are missing\n");
}

/* ---- text --------------------------------------------------------------------------------- */

/* Counts per set, in order of first use. */
static void
print_sets(const struct nke_kext_info *info)
{
	const char *sets[16];
	unsigned counts[16], n = 0, i;

	for (size_t s = 0; s < info->symbol_count; s++) {
		const struct nke_kext_symbol *symbol = &info->symbols[s];

		if (symbol->set == NULL)
			continue;
		for (i = 0; i < n && strcmp(sets[i], symbol->set) != 0; i++)
			continue;
		if (i == n && n < 16) {
			sets[n] = symbol->set;
			counts[n++] = 0;
		}
		if (i < n)
			counts[i]++;
	}
	for (i = 0; i < n; i++)
		printf("  uses         %u of %s\n", counts[i], sets[i]);
}

static void
print_symbols(const struct nke_kext_info *info)
{
	for (size_t i = 0; i < info->symbol_count; i++) {
		const struct nke_kext_symbol *s = &info->symbols[i];

		if (s->status != NKE_SYMBOL_MISSING)
			printf("  uses         %s (%s)\n", s->name, s->set != NULL ? s->set :
			    s->status == NKE_SYMBOL_COMPILER ? "compiler" : "weak, absent");
	}
}

static void
print_info(const struct nke_kext_info *info, bool symbols)
{
	printf("%s\n", info->path);
	printf("  identifier   %s\n", info->identifier);
	printf("  version      %s%s%s%s\n", info->version,
	    info->compatible_version != NULL ? " (compatible from " : "",
	    info->compatible_version != NULL ? info->compatible_version : "",
	    info->compatible_version != NULL ? ")" : "");
	printf("  executable   %s\n", info->executable);
	printf("  entry        %s\n", info->entry != NULL ? info->entry : "NONE");
	if (info->constructors + info->destructors > 0)
		printf("  C++          %u constructor and %u destructor functions\n", info->constructors,
		    info->destructors);
	for (size_t i = 0; i < info->library_count; i++)
		printf("  depends on   %s %s: %s\n", info->libraries[i].identifier,
		    info->libraries[i].version, library_words[info->libraries[i].status]);
	if (symbols)
		print_symbols(info);
	else
		print_sets(info);
	for (size_t i = 0; i < info->symbol_count; i++) {
		if (info->symbols[i].status == NKE_SYMBOL_MISSING)
			printf("  missing      %s\n", info->symbols[i].name);
	}
}

/* ---- JSON --------------------------------------------------------------------------------- */

/* The lines of a message as an array. */
static json_t *
lines(const char *text)
{
	json_t *array = json_array();

	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		char *line = strndup(text, n);

		json_array_append_new(array, cmd_json_text(line));
		free(line);
		text += n + (text[n] == '\n');
	}
	return array;
}

static json_t *
info_json(const struct nke_kext_info *info)
{
	json_t *libraries = json_array(), *symbols = json_array(), *out = json_object();

	for (size_t i = 0; i < info->library_count; i++) {
		json_t *l = json_object();

		json_object_set_new(l, "identifier", cmd_json_text(info->libraries[i].identifier));
		json_object_set_new(l, "version", cmd_json_text(info->libraries[i].version));
		json_object_set_new(l, "status",
		    cmd_json_text(library_names[info->libraries[i].status]));
		json_array_append_new(libraries, l);
	}
	for (size_t i = 0; i < info->symbol_count; i++) {
		json_t *s = json_object();

		json_object_set_new(s, "name", cmd_json_text(info->symbols[i].name));
		json_object_set_new(s, "set", cmd_json_text(info->symbols[i].set));
		json_object_set_new(s, "status", cmd_json_text(symbol_names[info->symbols[i].status]));
		json_object_set_new(s, "listed", json_boolean(info->symbols[i].listed));
		json_array_append_new(symbols, s);
	}
	json_object_set_new(out, "path", cmd_json_text(info->path));
	json_object_set_new(out, "plist", cmd_json_text(info->plist));
	json_object_set_new(out, "executable", cmd_json_text(info->executable));
	json_object_set_new(out, "identifier", cmd_json_text(info->identifier));
	json_object_set_new(out, "version", cmd_json_text(info->version));
	json_object_set_new(out, "compatible_version", cmd_json_text(info->compatible_version));
	json_object_set_new(out, "entry", cmd_json_text(info->entry));
	json_object_set_new(out, "constructors", json_integer(info->constructors));
	json_object_set_new(out, "destructors", json_integer(info->destructors));
	json_object_set_new(out, "libraries", libraries);
	json_object_set_new(out, "symbols", symbols);
	json_object_set_new(out, "missing", json_integer((json_int_t)info->missing));
	json_object_set_new(out, "problems", lines(info->problems));
	json_object_set_new(out, "warnings", lines(info->warnings));
	return out;
}

/* ---- the command -------------------------------------------------------------------------- */

/* The worst of what was found so far and now: a malformed file before one that would not load. */
static int
worse(int a, int b)
{
	if (a == CMD_INPUT || b == CMD_INPUT)
		return CMD_INPUT;
	return a != CMD_OK ? a : b;
}

static int
show(const char *path, json_t *array, bool symbols)
{
	struct nke_kext_info *info;
	char text[8192];
	int error = nke_kext_inspect(path, &info, text, sizeof text);
	int code;

	if (error != 0) {
		cmd_lines("kext info", "", text);
		return error == ENOEXEC ? CMD_KEXT : CMD_INPUT;
	}
	if (array != NULL)
		json_array_append_new(array, info_json(info));
	else
		print_info(info, symbols);
	if (array == NULL) {
		fflush(stdout);
		cmd_lines("kext info", "", info->problems);
		cmd_lines("kext info", "warning: ", info->warnings);
	}
	code = info->problems[0] != '\0' ? CMD_KEXT : CMD_OK;
	nke_kext_info_free(info);
	return code;
}

static int
kext_info(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'}, {"symbols", no_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
	};
	bool json = false, symbols = false;
	json_t *array = NULL;
	int code = CMD_OK, c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":jsh", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 's':
			symbols = true;
			break;
		case 'h':
			help();
			return CMD_OK;
		default:
			return cmd_bad_option("kext info", argv, c);
		}
	}
	if (optind == argc)
		return cmd_usage("kext info", "which kext?");
	if (json)
		array = json_array();
	for (int i = optind; i < argc; i++)
		code = worse(code, show(argv[i], array, symbols));
	if (array != NULL) {
		json_dumpf(array, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(array);
	}
	return code;
}

static void
help_words(void)
{
	printf("usage: nke kext WORD [ARGUMENT ...]\n\n"
	    "  info    tell what a kext is and needs\n"
	    "  list    list the kexts of a running machine\n"
	    "  load    load kexts into a running machine\n"
	    "  unload  unload kexts from a running machine\n\n"
	    "options:\n"
	    "  -h, --help  this text; 'nke kext WORD --help' tells a word's own options\n");
}

int
cmd_kext(int argc, char **argv)
{
	static const struct {
		const char *word;
		int (*fn)(int argc, char **argv);
	} words[] = {{"info", kext_info}, {"list", cmd_kext_list}, {"load", cmd_kext_load},
	    {"unload", cmd_kext_unload}};

	if (argc < 2)
		return cmd_usage("kext", "what about it? info, list, load or unload");
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0) {
		help_words();
		return CMD_OK;
	}
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(argv[1], words[i].word) == 0)
			return words[i].fn(argc - 1, argv + 1);
	return cmd_usage("kext", "there is no 'nke kext %s': info, list, load or unload", argv[1]);
}
