/*
 * The table of exported functions (symbols.def) and of the libraries that OSBundleLibraries can name:
 * the KPI sets since 10.4, and the whole-kernel names of 10.2 and 10.3.
 *
 * symbols.def is generated from the built library by update-symbols.sh and kept sorted; a test compares
 * the two.
 */
#include <string.h>

#include "kpi/symbols.h"

#define KPI_SYMBOL(name, set) extern const char kpi_address_##name[] __asm__(#name);
#include "kpi/symbols.def"
#undef KPI_SYMBOL

const struct kpi_symbol kpi_symbols[] = {
#define KPI_SYMBOL(name, set) {#name, KPI_##set, kpi_address_##name},
#include "kpi/symbols.def"
#undef KPI_SYMBOL
};
const size_t kpi_symbol_count = sizeof kpi_symbols / sizeof kpi_symbols[0];

static const char *const set_names[KPI_SET_COUNT] = {
	[KPI_BSD] = "com.apple.kpi.bsd", [KPI_LIBKERN] = "com.apple.kpi.libkern",
	[KPI_MACH] = "com.apple.kpi.mach", [KPI_IOKIT] = "com.apple.kpi.iokit",
	[KPI_UNSUPPORTED] = "com.apple.kpi.unsupported", [KPI_PRIVATE] = "com.apple.kpi.private",
};

#define SET(name)	(1u << KPI_##name)
#define ALL_SETS	((1u << KPI_SET_COUNT) - 1)
#define KPI_RANGE	"8.0.0d1", "19.6.0"
#define OLD_RANGE	"1.0", "7.9.9"

const struct kpi_library kpi_libraries[] = {
	{"com.apple.kpi.bsd", SET(BSD), KPI_RANGE},
	{"com.apple.kpi.libkern", SET(LIBKERN), KPI_RANGE},
	{"com.apple.kpi.mach", SET(MACH), KPI_RANGE},
	{"com.apple.kpi.iokit", SET(IOKIT), KPI_RANGE},
	{"com.apple.kpi.unsupported", SET(UNSUPPORTED), KPI_RANGE},
	{"com.apple.kpi.private", SET(PRIVATE), KPI_RANGE},
	{"com.apple.kpi.dsep", 0, KPI_RANGE},
	{"com.apple.kernel", ALL_SETS, "1.0", "19.6.0"},
	{"com.apple.kernel.bsd", ALL_SETS, OLD_RANGE},
	{"com.apple.kernel.libkern", ALL_SETS, OLD_RANGE},
	{"com.apple.kernel.mach", ALL_SETS, OLD_RANGE},
	{"com.apple.kernel.iokit", ALL_SETS, OLD_RANGE},
};
const size_t kpi_library_count = sizeof kpi_libraries / sizeof kpi_libraries[0];

const struct kpi_symbol *
kpi_symbol_find(const char *name)
{
	size_t low = 0, high = kpi_symbol_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, kpi_symbols[middle].name);

		if (order == 0)
			return &kpi_symbols[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const char *
kpi_set_name(enum kpi_set set)
{
	return set_names[set];
}

const struct kpi_library *
kpi_library_find(const char *identifier)
{
	for (size_t i = 0; i < kpi_library_count; i++) {
		if (strcmp(kpi_libraries[i].identifier, identifier) == 0)
			return &kpi_libraries[i];
	}
	return NULL;
}
