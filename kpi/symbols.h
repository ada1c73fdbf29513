/*
 * The kernel's symbols as kexts see them: which there are, and in which of Apple's sets each is.
 * Read by the loader (src/host), so only plain C types.
 */
#ifndef NKE_KPI_SYMBOLS_H
#define NKE_KPI_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

enum kpi_set {
	KPI_BSD, KPI_LIBKERN, KPI_MACH, KPI_IOKIT, KPI_UNSUPPORTED, KPI_PRIVATE,
	KPI_SET_COUNT
};

struct kpi_symbol {
	const char *name;		/* as the linker knows it: "kern_printf" for printf */
	enum kpi_set set;
	const void *address;		/* keeps the function in programs that link the archive */
};

/* A name that OSBundleLibraries may list. */
struct kpi_library {
	const char *identifier;
	uint32_t sets;			/* bits 1 << enum kpi_set: what listing it gives */
	const char *compatible;		/* oldest version that may be asked for */
	const char *current;		/* newest */
};

/* Sorted by name. */
extern const struct kpi_symbol kpi_symbols[];
extern const size_t kpi_symbol_count;
/* NULL: the kernel has no such symbol. */
const struct kpi_symbol *kpi_symbol_find(const char *name);
/* "com.apple.kpi.bsd" */
const char *kpi_set_name(enum kpi_set);

extern const struct kpi_library kpi_libraries[];
extern const size_t kpi_library_count;
const struct kpi_library *kpi_library_find(const char *identifier);

#endif
