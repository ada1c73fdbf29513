/*
 * `nke build`: the little source that is compiled into every kext beside its own.
 *
 * On a Mac, Xcode generates the first part (kmod_info and Apple's _start) and libkern has the second
 * (new, delete, the list of destructors). Here the second is in every kext, hidden, because in the
 * library it would take the place of the host's own operators.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/cmd/build.h"
#include "src/cmd/cmd.h"

static const char kmod_source[] =
    "#include <mach/mach_types.h>\n"
    "#include <mach/kmod.h>\n"
    "extern kern_return_t %s(kmod_info_t *, void *);\n"
    "extern kern_return_t %s(kmod_info_t *, void *);\n"
    "__attribute__((visibility(\"default\"), used)) kmod_info_t kmod_info = {\n"
    "	.info_version = KMOD_INFO_VERSION, .id = -1U, .name = \"%s\", .version = \"%s\",\n"
    "	.reference_count = -1, .start = %s, .stop = %s,\n"
    "};\n";

static const char realmain_source[] =
    "#include <mach/mach_types.h>\n"
    "#include <mach/kmod.h>\n"
    "extern kmod_start_func_t *_realmain;\n"
    "extern kmod_stop_func_t *_antimain;\n"
    "kern_return_t _start(kmod_info_t *, void *);\n"
    "kern_return_t _stop(kmod_info_t *, void *);\n"
    "kern_return_t _start(kmod_info_t *ki, void *data)\n"
    "{ return _realmain ? _realmain(ki, data) : KERN_SUCCESS; }\n"
    "kern_return_t _stop(kmod_info_t *ki, void *data)\n"
    "{ return _antimain ? _antimain(ki, data) : KERN_SUCCESS; }\n";

static const char cplusplus_source[] =
    "#include <libkern/OSRuntime.h>\n"
    "#include <kern/debug.h>\n"
    "#pragma GCC visibility push(hidden)\n"
    "void *_Znwm(size_t);\n"
    "void *_Znam(size_t);\n"
    "void _ZdlPv(void *);\n"
    "void _ZdaPv(void *);\n"
    "void _ZdlPvm(void *, size_t);\n"
    "void _ZdaPvm(void *, size_t);\n"
    "void __cxa_pure_virtual(void);\n"
    "int __cxa_atexit(void (*)(void *), void *, void *);\n"
    "void *_Znwm(size_t n) { return kern_os_malloc(n); }\n"
    "void *_Znam(size_t n) { return kern_os_malloc(n); }\n"
    "void _ZdlPv(void *p) { kern_os_free(p); }\n"
    "void _ZdaPv(void *p) { kern_os_free(p); }\n"
    "void _ZdlPvm(void *p, size_t n) { (void)n; kern_os_free(p); }\n"
    "void _ZdaPvm(void *p, size_t n) { (void)n; kern_os_free(p); }\n"
    "void __cxa_pure_virtual(void) { panic(\"a pure virtual function was called\"); }\n"
    "void *__dso_handle = &__dso_handle;\n"
    "static struct at_exit { struct at_exit *next; void (*fn)(void *); void *arg; } *at_exit_list;\n"
    "int __cxa_atexit(void (*fn)(void *), void *arg, void *dso)\n"
    "{\n"
    "	struct at_exit *e = kern_os_malloc(sizeof *e);\n"
    "	(void)dso;\n"
    "	if (e == 0)\n"
    "		return -1;\n"
    "	e->next = at_exit_list;\n"
    "	e->fn = fn;\n"
    "	e->arg = arg;\n"
    "	at_exit_list = e;\n"
    "	return 0;\n"
    "}\n"
    "__attribute__((destructor)) static void run_at_exit(void)\n"
    "{\n"
    "	struct at_exit *e;\n"
    "	while ((e = at_exit_list) != 0) {\n"
    "		at_exit_list = e->next;\n"
    "		e->fn(e->arg);\n"
    "		kern_os_free(e);\n"
    "	}\n"
    "}\n";

/* True when the kext lacks `name`. */
static bool
misses(const struct nke_kext_info *info, const char *name)
{
	for (size_t i = 0; i < info->symbol_count; i++) {
		if (info->symbols[i].status == NKE_SYMBOL_MISSING &&
		    strcmp(info->symbols[i].name, name) == 0)
			return true;
	}
	return false;
}

static int
compile_text(struct build *b, const char *name, const char *text, const char *flag)
{
	char path[512];
	FILE *f;
	int code;

	snprintf(path, sizeof path, "%s/%s", b->folder, name);
	f = fopen(path, "w");
	if (f == NULL || fputs(text, f) == EOF || fflush(f) != 0) {
		cmd_error("build", "%s: %s", path, strerror(errno));
		if (f != NULL)
			fclose(f);
		return CMD_INPUT;
	}
	fclose(f);
	code = build_compile(b, path, flag);
	unlink(path);
	return code;
}

/* The operators end in a jump, so that the ledger sees who called new, not new itself. */
int
build_add_runtime(struct build *b)
{
	return compile_text(b, "cxx_runtime.c", cplusplus_source, "-foptimize-sibling-calls");
}

int
build_add_entry(struct build *b, const struct nke_kext_info *info)
{
	bool has_kmod = info->entry != NULL && strcmp(info->entry, "kmod_info") == 0;
	char text[2048];

	if (has_kmod)
		return misses(info, "_start") ?
		    compile_text(b, "realmain.c", realmain_source, NULL) : CMD_OK;
	if (snprintf(text, sizeof text, kmod_source, b->start, b->stop, b->id, b->version, b->start,
	    b->stop) >= (int)sizeof text) {
		cmd_error("build", "names of functions are too long");
		return CMD_USAGE;
	}
	return compile_text(b, "kmod_info.c", text, NULL);
}
