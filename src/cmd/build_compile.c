/*
 * `nke build`: the compiler's command lines. A source sees what a Mac's kernel build shows it: the
 * kernel's headers and nothing else, Darwin's predefined macros and not the host's.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/cmd/build.h"
#include "src/cmd/cmd.h"

static const char *const common_flags[] = {
	"-g", "-O2", "-fPIC", "-ffreestanding", "-fno-builtin", "-nostdinc", "-fcommon",
	"-fno-stack-protector", "-fno-strict-aliasing", "-fno-omit-frame-pointer",
	"-fasynchronous-unwind-tables",
	"-Wno-multichar",	/* handles are four characters, 'abcd' */
	/* a call from the kext must return into it: by that address it is named */
	"-fno-optimize-sibling-calls",
	/* the host does not exist */
	"-U__linux__", "-U__linux", "-Ulinux", "-U__gnu_linux__", "-U__unix__", "-U__unix", "-Uunix",
	"-U__ELF__", "-U__FreeBSD__", "-U_FORTIFY_SOURCE",
	/* a Mac's compiler, building for the kernel */
	"-D__APPLE__=1", "-D__MACH__=1", "-D__APPLE_CC__=6000", "-D__STATIC__=1", "-DKERNEL=1",
	"-DAPPLE=1", "-DNeXT=1", "-D__ENVIRONMENT_MAC_OS_X_VERSION_MIN_REQUIRED__=101500",
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	"-D__LITTLE_ENDIAN__=1",
#else
	"-D__BIG_ENDIAN__=1",
#endif
#if defined(__aarch64__)
	"-D__arm64__=1", "-D__arm64=1",
#endif
};

/* Sources written for older compilers: what those let pass is warned about, not refused. */
static const char *const c_flags[] = {
	"-std=gnu11", "-Wno-error=implicit-function-declaration", "-Wno-error=implicit-int",
	"-Wno-error=int-conversion", "-Wno-error=incompatible-pointer-types",
};
static const char *const cplusplus_flags[] = {
	"-std=gnu++17", "-nostdinc++", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics",
	"-Wno-narrowing", "-Wno-write-strings", "-Wno-register", "-Wno-literal-suffix",
	"-Wno-reserved-user-defined-literal",
};
static const char *const link_flags[] = {
	"-shared", "-nostdlib", "-Wl,-Bsymbolic", "-Wl,-z,now", "-Wl,-z,relro", "-Wl,-z,noexecstack",
};

#define ADD_ALL(command, flags) do {							\
	for (size_t i_ = 0; i_ < sizeof (flags) / sizeof (flags)[0]; i_++)		\
		command_add((command), (flags)[i_]);					\
} while (0)

/* ---- tools -------------------------------------------------------------------------------- */

static const char *
compiler(bool cplusplus)
{
	const char *chosen = getenv(cplusplus ? "CXX" : "CC");

	return chosen != NULL && chosen[strspn(chosen, " ")] != '\0' ? chosen :
	    cplusplus ? "c++" : "cc";
}

/* One line that the compiler prints when given `flag`; "" when it does not. */
static void
ask(bool cplusplus, const char *flag, char *line, size_t size)
{
	struct command c = {0};

	command_add_words(&c, compiler(cplusplus));
	command_add(&c, flag);
	if (command_run(&c, false, line, size) != 0)
		line[0] = '\0';
	command_free(&c);
}

static bool
is_kernel_include(const char *folder)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof path, "%s/sys/kpi_mbuf.h", folder) < (int)sizeof path &&
	    access(path, R_OK) == 0;
}

/* Beside the tool in a build folder; or where it is installed. */
static int
find_kernel_include(struct build *b)
{
	static const char *const places[] = {"Kernel", "../include/nke/Kernel", "../include/Kernel"};
	const char *chosen = getenv("NKE_KERNEL_INCLUDE");
	char self[PATH_MAX];
	ssize_t n;

	if (chosen != NULL && chosen[0] != '\0') {
		snprintf(b->kernel_include, sizeof b->kernel_include, "%s", chosen);
		if (is_kernel_include(chosen))
			return CMD_OK;
		cmd_error("build", "NKE_KERNEL_INCLUDE: %s: no sys/kpi_mbuf.h in there", chosen);
		return CMD_INPUT;
	}
	n = readlink("/proc/self/exe", self, sizeof self - 1);
	self[n > 0 ? n : 0] = '\0';
	if (strrchr(self, '/') != NULL)
		*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		snprintf(b->kernel_include, sizeof b->kernel_include, "%.2000s/%s", self, places[i]);
		if (is_kernel_include(b->kernel_include))
			return CMD_OK;
	}
#ifdef NKE_INSTALL_KERNEL_INCLUDE
	snprintf(b->kernel_include, sizeof b->kernel_include, "%s", NKE_INSTALL_KERNEL_INCLUDE);
	if (is_kernel_include(b->kernel_include))
		return CMD_OK;
#endif
	cmd_error("build", "the kernel's headers are not where they belong (%s/../include/nke/Kernel); set "
	    "NKE_KERNEL_INCLUDE", self);
	return CMD_INPUT;
}

int
build_find_tools(struct build *b)
{
	char version[256];
	int code = find_kernel_include(b);

	if (code != CMD_OK)
		return code;
	/* a C++ kext has C in it, too: what every kext gets besides its sources */
	for (int cplusplus = 0; cplusplus <= (b->cplusplus ? 1 : 0); cplusplus++) {
		ask(cplusplus, "--version", version, sizeof version);
		if (version[0] == '\0') {
			cmd_error("build", "the compiler '%s' does not run; set %s", compiler(cplusplus),
			    cplusplus ? "CXX" : "CC");
			return CMD_INPUT;
		}
		b->clang[cplusplus] = strstr(version, "clang") != NULL;
		ask(cplusplus, "-print-file-name=include", b->compiler_include[cplusplus],
		    sizeof b->compiler_include[cplusplus]);
	}
	ask(b->cplusplus, "-print-libgcc-file-name", b->libgcc, sizeof b->libgcc);
	if (access(b->libgcc, R_OK) != 0)
		b->libgcc[0] = '\0';
	return CMD_OK;
}

/* ---- compiling ---------------------------------------------------------------------------- */

static const char *
extension(const char *path)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');

	return dot != NULL && (slash == NULL || dot > slash) ? dot : "";
}

static bool
one_of(const char *s, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (strcmp(s, *list) == 0)
			return true;
	}
	return false;
}

bool
build_is_cplusplus(const char *source)
{
	static const char *const extensions[] = {".cpp", ".cc", ".cxx", ".c++", ".C", ".cp", NULL};

	return one_of(extension(source), extensions);
}

bool
build_is_source(const char *path)
{
	static const char *const extensions[] = {".c", ".S", ".s", NULL};

	return build_is_cplusplus(path) || one_of(extension(path), extensions);
}

/* Flags that are for the linker only would be complained about when compiling. */
static bool
linker_flag(const char *flag)
{
	return strncmp(flag, "-Wl,", 4) == 0 || strncmp(flag, "-l", 2) == 0 ||
	    strncmp(flag, "-L", 2) == 0;
}

static void
add_compile_flags(struct build *b, struct command *c, bool cplusplus)
{
	ADD_ALL(c, common_flags);
	if (cplusplus)
		ADD_ALL(c, cplusplus_flags);
	else
		ADD_ALL(c, c_flags);
	if (b->clang[cplusplus]) {
		command_add(c, "-Wno-unknown-warning-option");
		if (!cplusplus)
			command_add(c, "-Wno-error=incompatible-function-pointer-types");
	} else if (cplusplus) {
		command_add(c, "-fno-gnu-unique");	/* such symbols outlive their image */
	}
	command_add(c, "-isystem");
	command_add(c, b->kernel_include);
	command_add(c, "-isystem");
	command_add(c, b->compiler_include[cplusplus]);
	for (size_t i = 0; i < b->folders.count; i++) {
		command_add(c, "-iquote");
		command_add(c, b->folders.argv[i]);
	}
	if (b->prefixes.count == 1) {
		command_add(c, "-include");
		command_add(c, b->prefixes.argv[0]);
	}
	for (size_t i = 0; i < b->flag_count; i++) {
		if (!linker_flag(b->flags[i]))
			command_add(c, b->flags[i]);
	}
}

/* What is known of a header that a kernel does not have; NULL: nothing. */
static const char *
why_missing(const char *header)
{
	static const char *const user_space[] = {"stdio.h", "stdlib.h", "unistd.h", "assert.h", "pthread.h",
	    "arpa/inet.h", "inttypes.h", "time.h", "ctype.h", "math.h", "signal.h", NULL};

	if (strncmp(header, "IOKit/", 6) == 0 || strncmp(header, "libkern/c++/", 12) == 0)
		return "IOKit's classes are not there; a kext whose way in is an IOService cannot be built, "
		    "one with a start and a stop function can (docs/mac-kexts.md)";
	if (one_of(header, user_space))
		return "is for programs; a kext sees the kernel's headers only, which have printf in "
		    "<sys/systm.h>, memory in <libkern/OSMalloc.h>, ntohs in <netinet/in.h>";
	return NULL;
}

/*
 * When a source has not been compiled: says so if it wants headers that there are none of. The compiler is
 * asked which headers it misses (-MG: as if they were to be made), so those that other headers include are
 * found as well.
 */
static void
tell_of_headers(struct build *b, const char *source, bool cplusplus)
{
	struct command c = {0};
	char list[512], word[512];
	FILE *f = NULL;

	snprintf(list, sizeof list, "%s/missing", b->folder);
	command_add_words(&c, compiler(cplusplus));
	add_compile_flags(b, &c, cplusplus);
	command_add(&c, "-M");
	command_add(&c, "-MG");
	command_add(&c, "-MF");
	command_add(&c, list);
	command_add(&c, source);
	if (command_run(&c, b->verbose, word, sizeof word) == 0)
		f = fopen(list, "r");
	while (f != NULL && fscanf(f, "%511s", word) == 1) {
		const char *why = why_missing(word);

		if (why == NULL)
			continue;
		cmd_error("build", "%s: <%s>: %s", source, word, why);
		break;
	}
	if (f != NULL)
		fclose(f);
	unlink(list);
	command_free(&c);
}

int
build_compile(struct build *b, const char *source, const char *flag)
{
	static const char *const linked[] = {".o", ".a", NULL};
	struct command c = {0};
	bool cplusplus = build_is_cplusplus(source);
	char *object = NULL;
	int error;

	if (access(source, R_OK) != 0) {
		cmd_error("build", "%s: %s", source, strerror(errno));
		return CMD_INPUT;
	}
	if (one_of(extension(source), linked)) {
		command_add(&b->objects, source);
		return CMD_OK;
	}
	if (!build_is_source(source)) {
		cmd_error("build", "%s: what is it? Expected C, C++ (.cpp, .cc, .cxx), assembly (.S, .s), "
		    "an object (.o) or an archive (.a)", source);
		return CMD_INPUT;
	}
	if (asprintf(&object, "%s/%zu.o", b->folder, b->objects.count) < 0)
		object = NULL;
	command_add_words(&c, compiler(cplusplus));
	add_compile_flags(b, &c, cplusplus);
	if (flag != NULL)
		command_add(&c, flag);
	command_add(&c, "-c");
	command_add(&c, source);
	command_add(&c, "-o");
	command_add(&c, object != NULL ? object : "");
	c.failed = c.failed || object == NULL;
	error = command_run(&c, b->verbose, NULL, 0);
	if (error != 0) {
		cmd_error("build", "%s: not compiled%s%s", source, error != EIO ? ": " : "",
		    error != EIO ? strerror(error) : "");
		if (error == EIO)
			tell_of_headers(b, source, cplusplus);
	} else {
		command_add(&b->objects, object);
	}
	command_free(&c);
	free(object);
	return error == 0 ? CMD_OK : CMD_INPUT;
}

int
build_link(struct build *b, const char *path)
{
	struct command c = {0};
	int error;

	command_add_words(&c, compiler(b->cplusplus));
	ADD_ALL(&c, link_flags);
	command_add(&c, "-o");
	command_add(&c, path);
	for (size_t i = 0; i < b->objects.count; i++)
		command_add(&c, b->objects.argv[i]);
	for (size_t i = 0; i < b->flag_count; i++) {
		/* what the source sees is none of the linker's business, but -fsanitize and -m are */
		if (strncmp(b->flags[i], "-D", 2) != 0 && strncmp(b->flags[i], "-I", 2) != 0)
			command_add(&c, b->flags[i]);
	}
	if (b->libgcc[0] != '\0')
		command_add(&c, b->libgcc);
	error = command_run(&c, b->verbose, NULL, 0);
	if (error != 0)
		cmd_error("build", "%s: not linked%s%s", path, error != EIO ? ": " : "",
		    error != EIO ? strerror(error) : "");
	command_free(&c);
	return error == 0 ? CMD_OK : CMD_INPUT;
}
