/* A kext that has been read and judged, but not loaded: behind nke_kext_inspect and nke_kext_load. */
#ifndef NKE_HOST_KEXT_INSPECT_H
#define NKE_HOST_KEXT_INSPECT_H

#include <nke/kext.h>

#include "src/host/kext_bundle.h"
#include "src/host/kext_elf.h"

struct kext_inspection {
	struct nke_kext_info info;	/* first: what callers of nke_kext_inspect hold */
	struct kext_bundle bundle;
	struct elf_file elf;
	struct nke_kext_library *libraries;
	struct nke_kext_symbol *symbols;
	uint32_t *symbol_index;		/* of symbols[i] in the image */
	char identifier[64], version[64];	/* of a bare object */
	char entry[192], start[128], stop[128];	/* start, stop: names, "" when kmod_info has them */
	char *candidates;
	struct kext_text problems, warnings;
};

/* As nke_kext_inspect; `*x` is to be given to inspection_free also after an error (it may be NULL). */
int inspection_new(const char *path, struct kext_inspection **x, struct kext_text *);
void inspection_free(struct kext_inspection *);
/* One line for a symbol that is missing, with advice where there is some. */
void describe_missing(const char *path, const char *symbol, struct kext_text *);

#endif
