/*
 * Judging a kext before anything of it is mapped: what its property list asks for, which of the
 * kernel's symbols it uses, which symbols are missing, where it starts.
 */
#include <errno.h>
#include <fcntl.h>
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#include "kpi/symbols.h"
#include "src/host/kext_inspect.h"

#define TEXT_SIZE	((size_t)64 << 10)

/* What a compiler's code may call without being asked, and every kernel has. */
static const char *const compiler_symbols[] = {
	"memcpy", "memmove", "memset", "memcmp", "__stack_chk_fail", "__cxa_finalize",
};
/* Runtimes of instrumented builds: fine when the process has them. */
static const char *const instrument_prefixes[] = {
	"__asan_", "__ubsan_", "__sanitizer_", "__tsan_", "__gcov_", "__llvm_",
};

/* ---- libraries ---------------------------------------------------------------------------- */

static bool
begins(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static enum nke_library_status
set_status(struct kext_inspection *x, const struct kpi_library *set, const char *version)
{
	uint64_t asked, low, high;

	kext_version_parse(set->compatible, &low);
	kext_version_parse(set->current, &high);
	if (!kext_version_parse(version, &asked)) {
		text_add(&x->problems, "%s: key OSBundleLibraries: %s: '%s' is no version; expected "
		    "MAJOR[.MINOR[.REVISION]]\n", x->info.plist, set->identifier, version);
		return NKE_LIBRARY_BAD_VERSION;
	}
	if (asked < low) {
		text_add(&x->problems, "%s: key OSBundleLibraries: %s: version %s is not there; expected "
		    "%s to %s\n", x->info.plist, set->identifier, version, set->compatible,
		    set->current);
		return NKE_LIBRARY_BAD_VERSION;
	}
	/* it is the version of where the kext was built; what it uses of the set is looked at anyway */
	if (asked > high)
		text_add(&x->warnings, "%s: key OSBundleLibraries: %s: version %s is newer than %s, which is "
		    "there; a Mac of 10.15 would refuse the kext\n", x->info.plist, set->identifier, version,
		    set->current);
	return NKE_LIBRARY_SET;
}

static enum nke_library_status
library_status(struct kext_inspection *x, const char *identifier, const char *version)
{
	const struct kpi_library *set = kpi_library_find(identifier);

	if (set != NULL)
		return set_status(x, set, version);
	if (begins(identifier, "com.apple.kpi.") || begins(identifier, "com.apple.kernel")) {
		text_add(&x->problems, "%s: key OSBundleLibraries: there is no set %s; expected one of",
		    x->info.plist, identifier);
		for (size_t i = 0; i < kpi_library_count; i++)
			text_add(&x->problems, " %s", kpi_libraries[i].identifier);
		text_add(&x->problems, "\n");
		return NKE_LIBRARY_UNKNOWN;
	}
	/* many a list names them for nothing; what is used of them is told of as a missing symbol */
	if (begins(identifier, "com.apple.iokit.") || begins(identifier, "com.apple.driver.")) {
		text_add(&x->warnings, "%s: key OSBundleLibraries: %s: IOKit's families and drivers are not "
		    "there\n", x->info.plist, identifier);
		return NKE_LIBRARY_FAMILY;
	}
	return NKE_LIBRARY_KEXT;
}

static int
judge_libraries(struct kext_inspection *x)
{
	const struct kext_bundle *b = &x->bundle;

	x->libraries = calloc(b->library_count + 1, sizeof x->libraries[0]);
	if (x->libraries == NULL)
		return ENOMEM;
	for (size_t i = 0; i < b->library_count; i++)
		x->libraries[i] = (struct nke_kext_library){
			.identifier = b->libraries[i].identifier, .version = b->libraries[i].version,
			.status = library_status(x, b->libraries[i].identifier, b->libraries[i].version),
		};
	x->info.libraries = x->libraries;
	x->info.library_count = b->library_count;
	if (b->plist != NULL && b->library_count == 0)
		text_add(&x->warnings, "%s: key OSBundleLibraries is missing or empty: a Mac would find no "
		    "symbol for this kext\n", b->plist);
	return 0;
}

/* Which sets the kext may use, as bits. A bare object lists nothing and may use all. */
static uint32_t
listed_sets(const struct kext_inspection *x)
{
	uint32_t sets = 0;

	if (x->bundle.plist == NULL)
		return UINT32_MAX;
	for (size_t i = 0; i < x->bundle.library_count; i++) {
		const struct kpi_library *set = kpi_library_find(x->libraries[i].identifier);

		sets |= set != NULL ? set->sets : 0;
	}
	return sets;
}

/* ---- symbols ------------------------------------------------------------------------------ */

static bool
compiler_symbol(const char *name)
{
	for (size_t i = 0; i < sizeof compiler_symbols / sizeof compiler_symbols[0]; i++) {
		if (strcmp(name, compiler_symbols[i]) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof instrument_prefixes / sizeof instrument_prefixes[0]; i++) {
		if (begins(name, instrument_prefixes[i]))
			return dlsym(RTLD_DEFAULT, name) != NULL;
	}
	return false;
}

void
describe_missing(const char *path, const char *symbol, struct kext_text *text)
{
	const char *advice = "";

	if (begins(symbol, "_Zn") || begins(symbol, "_Zd") || begins(symbol, "__cxa_"))
		advice = " (C++ runtime: 'nke build' supplies it)";
	else if (begins(symbol, "_ZN2OS") || begins(symbol, "_ZN2IO") || begins(symbol, "_ZTV2OS") ||
	    strstr(symbol, "OSMetaClass") != NULL || strstr(symbol, "IOService") != NULL)
		advice = " (IOKit's classes are not there)";
	else if (strcmp(symbol, "__gxx_personality_v0") == 0)
		advice = " (compile with -fno-exceptions)";
	text_add(text, "%s: missing symbol %s%s\n", path, symbol, advice);
}

static struct nke_kext_symbol
judge_symbol(const struct elf_symbol *s, uint32_t listed)
{
	const struct kpi_symbol *kernel = kpi_symbol_find(s->name);
	struct nke_kext_symbol out = {.name = s->name, .listed = true};

	if (kernel != NULL) {
		out.status = NKE_SYMBOL_KERNEL;
		out.set = kpi_set_name(kernel->set);
		out.listed = (listed & (UINT32_C(1) << kernel->set)) != 0;
	} else if (compiler_symbol(s->name)) {
		out.status = NKE_SYMBOL_COMPILER;
	} else {
		out.status = s->weak ? NKE_SYMBOL_WEAK : NKE_SYMBOL_MISSING;
	}
	return out;
}

struct indexed {
	struct nke_kext_symbol symbol;
	uint32_t index;
};

static int
by_name(const void *a, const void *b)
{
	const struct indexed *x = a, *y = b;

	return strcmp(x->symbol.name, y->symbol.name);
}

/* A kext that depends on others may find in them what the kernel lacks; loading will tell. */
static void
note_missing(struct kext_inspection *x, const char *name)
{
	bool others = false;

	for (size_t i = 0; i < x->info.library_count; i++)
		others = others || x->libraries[i].status == NKE_LIBRARY_KEXT;
	if (!others) {
		describe_missing(x->elf.path, name, &x->problems);
		return;
	}
	text_add(&x->warnings, "%s: symbol %s is not the kernel's, so it must come from", x->elf.path, name);
	for (size_t i = 0; i < x->info.library_count; i++) {
		if (x->libraries[i].status == NKE_LIBRARY_KEXT)
			text_add(&x->warnings, " %s", x->libraries[i].identifier);
	}
	text_add(&x->warnings, "\n");
}

static int
judge_symbols(struct kext_inspection *x)
{
	struct indexed *all = calloc(x->elf.symbol_count + 1, sizeof all[0]);
	uint32_t listed = listed_sets(x);
	size_t n = 0;

	x->symbols = calloc(x->elf.symbol_count + 1, sizeof x->symbols[0]);
	x->symbol_index = calloc(x->elf.symbol_count + 1, sizeof x->symbol_index[0]);
	if (all == NULL || x->symbols == NULL || x->symbol_index == NULL) {
		free(all);
		return ENOMEM;
	}
	for (size_t i = 0; i < x->elf.symbol_count; i++) {
		if (x->elf.symbols[i].defined)
			continue;
		all[n++] = (struct indexed){judge_symbol(&x->elf.symbols[i], listed),
		    x->elf.symbols[i].index};
	}
	qsort(all, n, sizeof all[0], by_name);
	for (size_t i = 0; i < n; i++) {
		x->symbols[i] = all[i].symbol;
		x->symbol_index[i] = all[i].index;
		if (all[i].symbol.status == NKE_SYMBOL_MISSING) {
			x->info.missing++;
			note_missing(x, all[i].symbol.name);
		}
		if (!all[i].symbol.listed)
			text_add(&x->warnings, "%s: uses %s, but OSBundleLibraries does not list %s; a "
			    "Mac would not load it\n", x->elf.path, all[i].symbol.name,
			    all[i].symbol.set);
	}
	free(all);
	x->info.symbols = x->symbols;
	x->info.symbol_count = n;
	return 0;
}

/* ---- entry points ------------------------------------------------------------------------- */

/* struct kmod_info: name and version are at these offsets, 64 bytes each. */
#define KMOD_NAME_OFFSET	16
#define KMOD_VERSION_OFFSET	80

static void
copy_field(struct kext_inspection *x, uint64_t address, char out[64])
{
	if (!elf_data(&x->elf, address, out, 64))
		out[0] = '\0';
	out[63] = '\0';
}

/* "my-filter" is "my_filter" in C. */
static void
c_name(char *name)
{
	for (; *name != '\0'; name++) {
		if (!((*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
		    (*name >= '0' && *name <= '9') || *name == '_'))
			*name = '_';
	}
}

static bool
looks_like_entry(const struct elf_symbol *s)
{
	size_t n = strlen(s->name);

	return s->defined && s->function && n > 6 && strcmp(s->name + n - 6, "_start") == 0;
}

/* "one_start two_start": the functions that look like a way in. */
static int
find_candidates(struct kext_inspection *x)
{
	size_t size = 1, used = 0;

	for (size_t i = 0; i < x->elf.symbol_count; i++)
		size += looks_like_entry(&x->elf.symbols[i]) ? strlen(x->elf.symbols[i].name) + 1 : 0;
	x->candidates = calloc(1, size);
	if (x->candidates == NULL)
		return ENOMEM;
	for (size_t i = 0; i < x->elf.symbol_count; i++) {
		if (looks_like_entry(&x->elf.symbols[i]))
			used += (size_t)snprintf(x->candidates + used, size - used, "%s%s",
			    used > 0 ? " " : "", x->elf.symbols[i].name);
	}
	x->info.candidates = x->candidates;
	return 0;
}

static int
find_entry(struct kext_inspection *x)
{
	const struct elf_symbol *kmod = elf_definition(&x->elf, "kmod_info");
	char name[96];

	if (kmod != NULL) {
		copy_field(x, kmod->value + KMOD_NAME_OFFSET, x->identifier);
		copy_field(x, kmod->value + KMOD_VERSION_OFFSET, x->version);
		x->info.entry = "kmod_info";
		return find_candidates(x);
	}
	snprintf(name, sizeof name, "%s", x->bundle.name);
	c_name(name);
	snprintf(x->start, sizeof x->start, "%s_start", name);
	snprintf(x->stop, sizeof x->stop, "%s_stop", name);
	if (elf_definition(&x->elf, x->start) != NULL && elf_definition(&x->elf, x->stop) != NULL) {
		snprintf(x->entry, sizeof x->entry, "%.90s/%.90s", x->start, x->stop);
		x->info.entry = x->entry;
		return find_candidates(x);
	}
	text_add(&x->problems, "%s: no way in: it exports neither kmod_info nor both %s and %s; say where "
	    "it starts with KMOD_EXPLICIT_DECL or 'nke build --start'\n", x->elf.path, x->start,
	    x->stop);
	return find_candidates(x);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void
judge_version(struct kext_inspection *x, const char *key, const char *version)
{
	uint64_t number;

	if (version != NULL && !kext_version_parse(version, &number))
		text_add(&x->problems, "%s: key %s: '%s' is no version; expected MAJOR[.MINOR[.REVISION]] of "
		    "at most 4, 2 and 2 digits, perhaps with a stage (1.0.2b3)\n", x->bundle.plist, key,
		    version);
}

/*
 * Identity: the property list's; of a bare object what kmod_info says, or its file's name. The version in
 * kmod_info may be any text: on a Mac only the property list's counts (interface fact).
 */
static void
set_identity(struct kext_inspection *x)
{
	uint64_t number;

	if (x->bundle.plist != NULL) {
		x->info.identifier = x->bundle.identifier;
		x->info.version = x->bundle.version;
		x->info.compatible_version = x->bundle.compatible_version;
		judge_version(x, "CFBundleVersion", x->bundle.version);
		judge_version(x, "OSBundleCompatibleVersion", x->bundle.compatible_version);
		return;
	}
	if (x->identifier[0] == '\0')
		snprintf(x->identifier, sizeof x->identifier, "%s", x->bundle.name);
	if (!kext_version_parse(x->version, &number))
		strcpy(x->version, "1.0.0");
	x->info.identifier = x->identifier;
	x->info.version = x->version;
}

static int
judge(struct kext_inspection *x)
{
	int error = 0;

	x->problems = (struct kext_text){calloc(1, TEXT_SIZE), TEXT_SIZE};
	x->warnings = (struct kext_text){calloc(1, TEXT_SIZE), TEXT_SIZE};
	if (x->problems.text == NULL || x->warnings.text == NULL)
		return ENOMEM;
	x->info.problems = x->problems.text;
	x->info.warnings = x->warnings.text;
	x->info.path = x->bundle.path;
	x->info.plist = x->bundle.plist;
	x->info.executable = x->bundle.executable;
	x->info.constructors = (unsigned)x->elf.init_count;
	x->info.destructors = (unsigned)x->elf.fini_count;
	error = judge_libraries(x);
	if (error == 0)
		error = judge_symbols(x);
	if (error == 0)
		error = find_entry(x);
	set_identity(x);
	return error;
}

int
inspection_new(const char *path, struct kext_inspection **out, struct kext_text *text)
{
	struct kext_inspection *x = *out = calloc(1, sizeof *x);
	int error;

	if (x == NULL)
		return text_fail(text, ENOMEM, "%s: no memory\n", path);
	error = bundle_read(path, &x->bundle, text);
	if (error == 0)
		error = elf_read(x->bundle.executable, &x->elf, text);
	if (error != 0)
		return error;
	error = judge(x);
	if (error != 0)
		text_add(text, "%s: no memory\n", path);
	return error;
}

void
inspection_free(struct kext_inspection *x)
{
	if (x == NULL)
		return;
	bundle_free(&x->bundle);
	elf_free(&x->elf);
	free(x->libraries);
	free(x->symbols);
	free(x->symbol_index);
	free(x->candidates);
	free(x->problems.text);
	free(x->warnings.text);
	free(x);
}

int
nke_kext_inspect(const char *path, struct nke_kext_info **info, char *text, size_t size)
{
	struct kext_text t = {text, size};
	struct kext_inspection *x;
	int error;

	text[0] = '\0';
	*info = NULL;
	error = inspection_new(path, &x, &t);
	if (error != 0) {
		inspection_free(x);
		return error;
	}
	*info = &x->info;
	return 0;
}

void
nke_kext_info_free(struct nke_kext_info *info)
{
	inspection_free((struct kext_inspection *)info);
}

int
nke_kext_seal(const char *executable, char *text, size_t size)
{
	struct kext_text t = {text, size};
	struct elf_file f;
	int error, fd = -1;

	text[0] = '\0';
	error = elf_read(executable, &f, &t);
	if (error == 0 && !f.sealed) {
		error = elf_seal(&f, &t);
		if (error == 0) {
			fd = open(executable, O_WRONLY | O_CLOEXEC);
			if (fd < 0 || pwrite(fd, f.bytes, f.size, 0) != (ssize_t)f.size) {
				error = errno != 0 ? errno : EIO;
				text_add(&t, "%s: %s\n", executable, strerror(error));
			}
			if (fd >= 0)
				close(fd);
		}
	}
	elf_free(&f);
	return error;
}
