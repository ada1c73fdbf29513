/*
 * `nke build`: sources of a kernel extension in, NAME.kext (or a bare shared object) out.
 *
 * The sources are compiled and linked once to see what they define; then what is missing of the frame
 * (kmod_info, the C++ runtime) is generated, and all is linked into its place in the bundle.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/cmd/build.h"
#include "src/cmd/cmd.h"

static void
help(void)
{
	printf("usage: nke build [OPTION ...] SOURCE ... [-o NAME.kext] [-- FLAG ...]\n\n"
	    "Compiles C and C++ sources as a Mac's kernel build would see them, and makes a bundle that\n"
	    "'nke replay --kext' and nke_kext_load() take. Objects (.o) and archives (.a) are linked in.\n"
	    "Of a folder all sources are taken, with its headers, prefix header (.pch) and Info.plist.\n\n"
	    "The kext starts at NAME_start and stops at NAME_stop, where NAME is the output's name without\n"
	    ".kext; or at the only X_start and X_stop there are. Unless a source defines kmod_info\n"
	    "(KMOD_EXPLICIT_DECL), or --start and --stop say otherwise.\n\n"
	    "options:\n"
	    "  -o, --output PATH        NAME.kext for a bundle, NAME.so for a bare shared object;\n"
	    "                           default: the first source's or folder's name with .kext, in this\n"
	    "                           folder\n"
	    "      --start FUNCTION     instead of NAME_start\n"
	    "      --stop FUNCTION      instead of NAME_stop, or of X_stop with --start X_start\n"
	    "      --id IDENTIFIER      CFBundleIdentifier; default: the source's kmod_info, the property\n"
	    "                           list's, or local.NAME\n"
	    "      --version VERSION    CFBundleVersion; default likewise, or 1.0.0\n"
	    "      --plist FILE         use this Info.plist, with Xcode's variables put in\n"
	    "      --define NAME=VALUE  value of a variable in it\n"
	    "  -v, --verbose            show the compiler's command lines\n"
	    "  -h, --help               this text\n"
	    "  -- FLAG ...              further flags for the compiler and the linker\n\n"
	    "environment:\n"
	    "  CC, CXX                  the compilers; default: cc and c++\n"
	    "  NKE_KERNEL_INCLUDE       folder of the kernel's headers\n\n"
	    "exit codes:\n"
	    "  0  built\n"
	    "  1  the command line makes no sense\n"
	    "  2  a source is missing or does not compile, or the output cannot be written\n"
	    "  3  it compiles, but is no kext: it has no way in, or the property list is wrong\n");
}

/* ---- names -------------------------------------------------------------------------------- */

bool
build_ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && strcmp(s + n - m, end) == 0;
}

/* NAME from the path of the output, or of the first source or folder. */
static bool
set_names(struct build *b, const char *from)
{
	const char *slash = strrchr(from, '/');
	const char *base = slash != NULL ? slash + 1 : from;
	const char *dot = strrchr(base, '.');
	size_t n = dot != NULL && dot != base ? (size_t)(dot - base) : strlen(base);

	if (n == 0 || n >= sizeof b->name)
		return false;
	memcpy(b->name, base, n);
	memcpy(b->c_name, base, n);
	for (size_t i = 0; i < n; i++) {
		char c = b->c_name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
			b->c_name[i] = '_';
	}
	return true;
}

/* Strings that are made up on the way; they live until the end of the build. */
struct made_up {
	char first[PATH_MAX];
	char output[128], start[80], stop[80], id[80];
	char plist_id[64], plist_version[64], plist_executable[64];
};

static void
set_defaults(struct build *b, struct made_up *s)
{
	if (b->output == NULL) {
		snprintf(s->output, sizeof s->output, "%s.kext", b->name);
		b->output = s->output;
	}
	b->bundle = !build_ends_with(b->output, ".so");
}

static bool
defined(const struct nke_kext_info *info, const char *function)
{
	const char *at = info->candidates;
	size_t n = strlen(function);

	while ((at = strstr(at, function)) != NULL) {
		if ((at == info->candidates || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
		at += n;
	}
	return false;
}

/*
 * What was not asked for is NAME_start and NAME_stop; or, without these, the only X_start there is. With
 * X_start comes X_stop.
 */
static void
set_entry(struct build *b, const struct nke_kext_info *info, struct made_up *s)
{
	static const char end[] = "_start";
	const char *only = info->candidates;
	bool one = only[0] != '\0' && strchr(only, ' ') == NULL && strlen(only) < sizeof s->start;

	snprintf(s->start, sizeof s->start, "%.70s%s", b->c_name, end);
	if (b->start == NULL)
		b->start = one && b->stop == NULL && !defined(info, s->start) ? only : s->start;
	snprintf(s->stop, sizeof s->stop, "%.70s_stop", b->c_name);
	if (build_ends_with(b->start, end))
		snprintf(s->stop, sizeof s->stop, "%.*s_stop", (int)(strlen(b->start) - strlen(end)),
		    b->start);
	if (b->stop == NULL)
		b->stop = s->stop;
}

/* ---- identity ----------------------------------------------------------------------------- */

/* A string literal and a property list hold it, so only what identifiers and versions consist of. */
static bool
plain(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n < 64 && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789.-_+~ ") == n;
}

/*
 * Identifier and version: what the command line says, else the property list, else the source's own
 * kmod_info, else made up. For that the property list is read once with what is known so far.
 */
static int
set_identity(struct build *b, const struct nke_kext_info *info, struct made_up *s)
{
	bool own = info->entry != NULL && strcmp(info->entry, "kmod_info") == 0;
	const char *id = b->id, *version = b->version;
	char *text;

	snprintf(s->id, sizeof s->id, "local.%s", b->name);
	if (b->id == NULL)
		b->id = own ? info->identifier : s->id;
	if (b->version == NULL)
		b->version = own ? info->version : "1.0.0";
	if (b->plist != NULL) {
		text = build_plist_text(b, info);
		if (text == NULL)
			return CMD_INPUT;
		if (id == NULL && build_plist_string(text, "CFBundleIdentifier", s->plist_id,
		    sizeof s->plist_id))
			b->id = s->plist_id;
		if (version == NULL && build_plist_string(text, "CFBundleVersion", s->plist_version,
		    sizeof s->plist_version))
			b->version = s->plist_version;
		if (build_plist_string(text, "CFBundleExecutable", s->plist_executable,
		    sizeof s->plist_executable) && strchr(s->plist_executable, '/') == NULL)
			snprintf(b->name, sizeof b->name, "%s", s->plist_executable);
		free(text);
	}
	if (!plain(b->id) || !plain(b->version)) {
		cmd_error("build", "identifier '%s', version '%s': expected 1 to 63 letters, digits, dots "
		    "and dashes each", b->id, b->version);
		return CMD_USAGE;
	}
	return CMD_OK;
}

/* ---- steps -------------------------------------------------------------------------------- */

static int
inspect(const char *path, struct nke_kext_info **info)
{
	char text[8192];
	int error = nke_kext_inspect(path, info, text, sizeof text);

	if (error == 0)
		return CMD_OK;
	cmd_lines("build", "", text);
	return error == ENOENT ? CMD_INPUT : CMD_KEXT;
}

/* Compiles everything and links it once, to see what is there. */
static int
compile(struct build *b, struct nke_kext_info **info)
{
	char probe[512];
	int code = build_find_tools(b);

	for (size_t i = 0; code == CMD_OK && i < b->source_count; i++)
		code = build_compile(b, b->sources[i], NULL);
	if (code == CMD_OK && b->cplusplus)
		code = build_add_runtime(b);
	if (code != CMD_OK)
		return code;
	snprintf(probe, sizeof probe, "%s/probe.so", b->folder);
	code = build_link(b, probe);
	if (code == CMD_OK)
		code = inspect(probe, info);
	return code;
}

/* The functions the generated kmod_info names must be in the sources. */
static int
check_entry(struct build *b, const struct nke_kext_info *info)
{
	const char *names[2] = {b->start, b->stop};
	int code = CMD_OK;

	for (size_t i = 0; i < info->symbol_count; i++) {
		for (int k = 0; k < 2; k++) {
			if (info->symbols[i].status != NKE_SYMBOL_MISSING ||
			    strcmp(info->symbols[i].name, names[k]) != 0)
				continue;
			cmd_error("build", "no source defines %s, where the kext %s (it must not be static, "
			    "and extern \"C\" in C++); name the function with --%s", names[k],
			    k == 0 ? "starts" : "stops", k == 0 ? "start" : "stop");
			code = CMD_KEXT;
		}
	}
	if (code != CMD_OK && info->candidates[0] != '\0')
		cmd_error("build", "the sources define: %s", info->candidates);
	return code;
}

static int
make_folder(const char *path)
{
	if (mkdir(path, 0777) == 0 || errno == EEXIST)
		return CMD_OK;
	cmd_error("build", "%s: %s", path, strerror(errno));
	return CMD_INPUT;
}

static int
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (f == NULL || fputs(text, f) == EOF || fflush(f) != 0) {
		cmd_error("build", "%s: %s", path, strerror(errno));
		if (f != NULL)
			fclose(f);
		return CMD_INPUT;
	}
	fclose(f);
	return CMD_OK;
}

/* Links into a new file and moves it over the old one, which may be mapped by somebody. */
static int
install(struct build *b, const char *path, struct nke_kext_info **info)
{
	char fresh[4096], text[2048];
	int code, error;

	if (snprintf(fresh, sizeof fresh, "%s.new", path) >= (int)sizeof fresh) {
		cmd_error("build", "%s: name too long", path);
		return CMD_INPUT;
	}
	code = build_link(b, fresh);
	if (code != CMD_OK)
		goto out;
	error = nke_kext_seal(fresh, text, sizeof text);
	if (error != 0) {
		cmd_lines("build", "", text);
		code = CMD_INPUT;
		goto out;
	}
	code = inspect(fresh, info);
	if (code == CMD_OK)
		code = check_entry(b, *info);
	if (code == CMD_OK && rename(fresh, path) != 0) {
		cmd_error("build", "%s: %s", path, strerror(errno));
		code = CMD_INPUT;
	}
out:
	unlink(fresh);
	return code;
}

/* Folders, executable, property list. */
static int
write_bundle(struct build *b, struct nke_kext_info **info)
{
	char path[4096], *text = NULL;
	int code;

	if (!b->bundle)
		return install(b, b->output, info);
	if (strlen(b->output) + strlen(b->name) + 32 > sizeof path) {
		cmd_error("build", "%s: name too long", b->output);
		return CMD_INPUT;
	}
	code = make_folder(b->output);
	snprintf(path, sizeof path, "%s/Contents", b->output);
	if (code == CMD_OK)
		code = make_folder(path);
	snprintf(path, sizeof path, "%s/Contents/MacOS", b->output);
	if (code == CMD_OK)
		code = make_folder(path);
	snprintf(path, sizeof path, "%s/Contents/MacOS/%s", b->output, b->name);
	if (code == CMD_OK)
		code = install(b, path, info);
	if (code != CMD_OK)
		return code;
	text = build_plist_text(b, *info);
	if (text == NULL)
		return CMD_INPUT;
	snprintf(path, sizeof path, "%s/Contents/Info.plist", b->output);
	code = write_file(path, text);
	free(text);
	return code;
}

/* What would keep the result from loading: told, but it is built. A wrong property list is an error. */
static int
judge(const struct build *b)
{
	struct nke_kext_info *info;
	int code = inspect(b->output, &info);

	if (code != CMD_OK)
		return CMD_KEXT;
	cmd_lines("build", "warning: ", info->problems);
	cmd_lines("build", "warning: ", info->warnings);
	nke_kext_info_free(info);
	return CMD_OK;
}

static int
run(struct build *b, struct made_up *strings)
{
	struct nke_kext_info *probe = NULL, *info = NULL;
	int code = compile(b, &probe);

	if (code == CMD_OK) {
		set_entry(b, probe, strings);
		code = set_identity(b, probe, strings);
	}
	if (code == CMD_OK)
		code = build_add_entry(b, probe);
	if (code == CMD_OK)
		code = write_bundle(b, &info);
	if (code == CMD_OK)
		code = judge(b);
	nke_kext_info_free(probe);
	nke_kext_info_free(info);
	return code;
}

/* ---- the command -------------------------------------------------------------------------- */

static void
remove_folder(const struct build *b)
{
	char path[512];

	for (size_t i = 0; i < b->objects.count; i++) {
		/* sources that are objects are not ours */
		if (strncmp(b->objects.argv[i], b->folder, strlen(b->folder)) == 0)
			unlink(b->objects.argv[i]);
	}
	snprintf(path, sizeof path, "%s/probe.so", b->folder);
	unlink(path);
	rmdir(b->folder);
}

static int
build(struct build *b)
{
	const char *tmp = getenv("TMPDIR"), *from = b->output;
	struct made_up strings;
	struct stat st;
	int code;

	memset(&strings, 0, sizeof strings);
	if (from == NULL)	/* a folder may be "." */
		from = stat(b->sources[0], &st) == 0 && S_ISDIR(st.st_mode) &&
		    realpath(b->sources[0], strings.first) != NULL ? strings.first : b->sources[0];
	if (!set_names(b, from))
		return cmd_usage("build", "'%s' is no name for a kext; expected 1 to 63 characters", from);
	code = build_expand(b);
	if (code != CMD_OK)
		return code;
	set_defaults(b, &strings);
	for (size_t i = 0; i < b->source_count; i++)
		b->cplusplus = b->cplusplus || build_is_cplusplus(b->sources[i]);
	if (snprintf(b->folder, sizeof b->folder, "%s/nke-build-XXXXXX",
	    tmp != NULL && tmp[0] == '/' ? tmp : "/tmp") >= (int)sizeof b->folder ||
	    mkdtemp(b->folder) == NULL) {
		cmd_error("build", "no temporary folder in %s: %s", tmp != NULL ? tmp : "/tmp",
		    strerror(errno));
		return CMD_INPUT;
	}
	code = run(b, &strings);
	remove_folder(b);
	command_free(&b->objects);
	return code;
}

/* Option values; each may be given once. */
static bool
set_once(const char **where, const char *value, const char *option)
{
	if (*where != NULL) {
		cmd_error("build", "%s is given twice", option);
		return false;
	}
	*where = value;
	return true;
}

/* It becomes part of a generated source. */
static bool
is_function(const char *name, const char *option)
{
	if (name[0] != '\0' && strchr("0123456789", name[0]) == NULL &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(name))
		return true;
	cmd_error("build", "%s '%s': expected the name of a function in C", option, name);
	return false;
}

static bool
parse_option(struct build *b, int c)
{
	switch (c) {
	case 'o':
		return set_once(&b->output, optarg, "-o");
	case 's':
		return is_function(optarg, "--start") && set_once(&b->start, optarg, "--start");
	case 't':
		return is_function(optarg, "--stop") && set_once(&b->stop, optarg, "--stop");
	case 'i':
		return set_once(&b->id, optarg, "--id");
	case 'V':
		return set_once(&b->version, optarg, "--version");
	case 'p':
		return set_once(&b->plist, optarg, "--plist");
	case 'D':
		if (strchr(optarg, '=') == NULL) {
			cmd_error("build", "--define %s: expected NAME=VALUE", optarg);
			return false;
		}
		b->defines[b->define_count++] = optarg;
		return true;
	default:
		b->verbose = true;
		return true;
	}
}

/* Options may stand among the sources; everything behind -- is the compiler's. */
static int
parse(struct build *b, int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'}, {"start", required_argument, NULL, 's'},
		{"stop", required_argument, NULL, 't'}, {"id", required_argument, NULL, 'i'},
		{"version", required_argument, NULL, 'V'}, {"plist", required_argument, NULL, 'p'},
		{"define", required_argument, NULL, 'D'}, {"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":o:vh", options, NULL)) != -1) {
		if (c == 'h') {
			help();
			return -1;
		}
		if (c == ':' || c == '?')
			return cmd_bad_option("build", argv, c);
		if (!parse_option(b, c))
			return cmd_usage("build", "nothing was built");
	}
	b->sources = argv + optind;
	b->source_count = (size_t)(argc - optind);
	if (b->source_count == 0)
		return cmd_usage("build", "which sources?");
	return CMD_OK;
}

int
cmd_build(int argc, char **argv)
{
	struct build b = {.sources = argv};
	int code, own = argc;

	/* getopt would mix what is behind -- with the sources */
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			own = i;
			b.flags = argv + i + 1;
			b.flag_count = (size_t)(argc - i - 1);
			break;
		}
	}
	b.defines = calloc((size_t)argc, sizeof b.defines[0]);
	if (b.defines == NULL) {
		cmd_error("build", "no memory");
		return CMD_INPUT;
	}
	code = parse(&b, own, argv);
	if (code == CMD_OK)
		code = build(&b);
	build_expand_free(&b);
	free(b.defines);
	return code < 0 ? CMD_OK : code;
}
