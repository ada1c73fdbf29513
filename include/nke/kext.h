/*
 * Loading kernel extensions into a machine, and looking at them without one.
 *
 * A kext is a bundle NAME.kext with Contents/Info.plist and Contents/MacOS/NAME, or the same flat
 * (Info.plist and NAME side by side in NAME.kext), or a bare shared object, or code that is linked
 * into the program. Every machine gets a private copy of the image and its data.
 */
#ifndef NKE_KEXT_H
#define NKE_KEXT_H

#include <nke/nke.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nke_kext nke_kext_t;

/* A kext linked into the program. `start` and `stop` are kern_return_t (kmod_info_t *, void *). */
struct nke_kext_static {
	const char *identifier;		/* "com.example.filter" */
	const char *version;		/* "1.0.0"; NULL: "1.0.0" */
	int (*start)(void *kmod_info, void *data);	/* NULL: nothing to do */
	int (*stop)(void *kmod_info, void *data);	/* NULL: nothing to do */
};

/*
 * Loads the kext at `path`: reads its property list, checks its libraries, resolves every symbol, maps
 * a private image, runs constructors and the start routine. `*k` (may be NULL) belongs to the machine
 * and is valid until it is unloaded. May block.
 *
 * ENOENT: no such file, or the bundle lacks a part. EINVAL: property list or image are malformed.
 * ENOEXEC: the image is for another system or machine, or symbols are missing; the text names every
 * one. ESRCH: a library in OSBundleLibraries is not there or its version does not fit. EEXIST: a kext
 * of that identifier is loaded. EIO: the start routine refused; the text names what it left behind.
 * ENOMEM. EFAULT: panicked. After an error other than EFAULT nothing of the kext is active; what it
 * left attached (if it left anything that could still be called) keeps its image mapped.
 */
int nke_kext_load(nke_t *m, const char *path, nke_kext_t **k);

/*
 * The same for code that is linked into the program; its data is shared by all machines that load it.
 * EINVAL: no identifier, or a malformed version. EEXIST, EIO, ENOMEM, EFAULT as above.
 */
int nke_kext_load_static(nke_t *m, const struct nke_kext_static *kext, nke_kext_t **k);

/*
 * Runs the stop routine and destructors, then removes the kext. What it leaves behind is named in
 * nke_error_text() and in the kernel log, each with the place it came from. May block.
 *
 * 0: unloaded; `*leaks` (may be NULL) is the number of objects, mostly memory, that it forgot to free.
 * EBUSY: still loaded, because another kext depends on it, one of its functions has not returned, or
 * its stop routine refused; or stopped, but something is left through which it could still be called
 * (filters, timers, threads ...), so its image stays mapped: calling again, once that is gone,
 * finishes the unload without running the stop routine again. EFAULT: panicked.
 */
int nke_kext_unload(nke_t *m, nke_kext_t *k, unsigned *leaks);

/* How to wait for a kext to let go. All zero: a minute, without being told. */
struct nke_drain {
	uint64_t timeout_ns;		/* of the machine's time; 0: 60 s */
	/* Told after each attempt how long it has waited, and what still holds the kext, line by line. */
	void (*progress)(void *ctx, uint64_t waited_ns, const char *holders);
	void *progress_ctx;
};

/*
 * nke_kext_unload, again and again while time passes, until the kext is gone: connections end, packets on
 * their way arrive, callbacks return. A stop routine that refuses is run anew each time, as by an unload that
 * is tried again. `how` NULL: all zero. In real time it sleeps in between, and whoever runs the machine goes
 * on doing so. May block.
 *
 * 0, EFAULT: as nke_kext_unload. EBUSY: the time is over, or nothing is going to happen any more in virtual
 * time; nke_error_text() says what holds it.
 */
int nke_kext_drain(nke_t *m, nke_kext_t *k, const struct nke_drain *how, unsigned *leaks);

/*
 * How many objects have been left behind by kexts that are unloaded, or stopped and not to be unmapped; not
 * what loaded ones own. nke_error_text() names each: the kext, what it is, and where it was made (the whole
 * way there in checked mode, where packets are known, too). EFAULT: panicked.
 */
int nke_leaks(nke_t *m, unsigned *objects);

/* For harnesses: when nke_leaks() finds any, or the machine has panicked, says so and ends the program. */
#define nke_assert_no_leaks(m)	nke_assert_no_leaks_at((m), __FILE__, __LINE__)
void nke_assert_no_leaks_at(nke_t *m, const char *file, int line);

/* The loaded kext of that identifier, or NULL. */
nke_kext_t *nke_kext_find(nke_t *m, const char *identifier);

/* The first loaded kext, in order of loading; NULL when there is none. */
nke_kext_t *nke_kext_first(nke_t *m);
/* The one loaded after `k`, or NULL. */
nke_kext_t *nke_kext_next(nke_kext_t *k);

const char *nke_kext_identifier(const nke_kext_t *k);
const char *nke_kext_version(const nke_kext_t *k);
/* Where it came from; "" for a static one. */
const char *nke_kext_path(const nke_kext_t *k);
/* Bytes it has allocated and not freed: now, and at most so far. */
uint64_t nke_kext_memory(const nke_kext_t *k);
uint64_t nke_kext_memory_peak(const nke_kext_t *k);
/*
 * How often the kernel has called it (start, timers, threads, controls, devices, events, attaching and the
 * like; a call counts when it is back), and how many nanoseconds of the host's time those calls had the CPU:
 * with what they called in the kernel, without what they waited. Packets and data that its filters were shown
 * are not among them: nke_filter_stats counts those (stats.h).
 */
uint64_t nke_kext_calls(const nke_kext_t *k);
uint64_t nke_kext_time_ns(const nke_kext_t *k);

/* ---- looking at a kext without loading it ----------------------------------------------------- */

enum nke_library_status {
	NKE_LIBRARY_SET,		/* a set of the kernel's symbols; fits, or newer: a warning */
	NKE_LIBRARY_KEXT,		/* some other kext, to be loaded first */
	NKE_LIBRARY_BAD_VERSION,	/* a set, but no version, or older than it goes back */
	NKE_LIBRARY_UNKNOWN,		/* looks like a set; there is none such */
	NKE_LIBRARY_FAMILY		/* IOKit's: nothing of it is there, which only using it shows */
};

struct nke_kext_library {
	const char *identifier, *version;
	enum nke_library_status status;
};

enum nke_symbol_status {
	NKE_SYMBOL_KERNEL,		/* in the kernel, in set `set` */
	NKE_SYMBOL_COMPILER,		/* a helper the compiler's code calls (memcpy ...) */
	NKE_SYMBOL_WEAK,		/* absent, but may be */
	NKE_SYMBOL_MISSING		/* absent: the kext does not load, unless a library kext has it */
};

struct nke_kext_symbol {
	const char *name;
	const char *set;		/* "com.apple.kpi.bsd"; NULL unless NKE_SYMBOL_KERNEL */
	enum nke_symbol_status status;
	bool listed;			/* OSBundleLibraries has its set; a Mac insists */
};

struct nke_kext_info {
	const char *path;		/* as given */
	const char *plist;		/* path of its Info.plist; NULL: bare object */
	const char *executable;		/* path of the image */
	const char *identifier, *version;
	const char *compatible_version;	/* NULL: none */
	const char *entry;		/* "kmod_info", "NAME_start/NAME_stop"; NULL: none found */
	const char *candidates;		/* exported functions NAME_start, separated by spaces; "" none */
	unsigned constructors, destructors;
	const struct nke_kext_library *libraries;
	size_t library_count;
	const struct nke_kext_symbol *symbols;	/* by name */
	size_t symbol_count;
	size_t missing;			/* how many of them are missing */
	const char *problems;		/* what would keep it from loading, line by line; "": nothing */
	const char *warnings;		/* what a Mac would mind, line by line; "": nothing */
};

/*
 * Reads the kext at `path` and tells what it is and needs. `*info` is to be given to
 * nke_kext_info_free. On error `text` (of `size` bytes) says what is wrong.
 *
 * ENOENT, EINVAL, ENOEXEC (not an image for this machine), ENOMEM. Missing symbols and libraries are
 * not errors here.
 */
int nke_kext_inspect(const char *path, struct nke_kext_info **info, char *text, size_t size);
/* NULL is ignored. */
void nke_kext_info_free(struct nke_kext_info *info);

/*
 * For whoever links kexts (`nke build`): prepares the freshly linked shared object `executable`, in
 * place, so that it can be mapped as it is: constructors and destructors are left to the machine, and
 * its own symbols bind to itself. Images without that are copied at every load. EINVAL, ENOEXEC,
 * ENOMEM, or what the host says of the file; `text` tells.
 */
int nke_kext_seal(const char *executable, char *text, size_t size);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
