/*
 * Reading a shared object's file, without mapping or trusting it. Every offset in it is checked.
 */
#ifndef NKE_HOST_KEXT_ELF_H
#define NKE_HOST_KEXT_ELF_H

#include <elf.h>

#include "src/host/text.h"

struct elf_symbol {
	const char *name;
	uint64_t value;
	bool defined, weak, function;
	uint32_t index;			/* in the dynamic symbol table */
};

/*
 * Constructors are announced by DT_INIT_ARRAY, which the host's dynamic loader runs. A kext's are run
 * by the machine (kext.c in the core), so these tags are renamed; loaders pass over tags they do
 * not know. The values are the same.
 */
#define DT_NKE_INIT_ARRAY	0x6e6b6501
#define DT_NKE_INIT_ARRAYSZ	0x6e6b6502
#define DT_NKE_FINI_ARRAY	0x6e6b6503
#define DT_NKE_FINI_ARRAYSZ	0x6e6b6504

struct elf_file {
	const char *path;
	char *bytes;
	size_t size;
	struct elf_symbol *symbols;	/* the dynamic ones, in the file's order */
	size_t symbol_count;
	uint64_t init_array, init_count;	/* address (from the base), entries */
	uint64_t fini_array, fini_count;
	uint64_t memory_size;
	bool sealed;			/* the host's loader runs no array of it, and its own symbols win */

	uint64_t dynamic_off, dynamic_count;
	uint64_t rela_off, rela_size, plt_off, plt_size;	/* offsets in the file */
	uint64_t symtab_off;
};

/*
 * Reads the shared object at `path` (kept by reference). EINVAL: malformed. ENOEXEC: an image, but not
 * for this system and machine. ENOMEM, or what the host says. To be given to elf_free also after an
 * error.
 */
int elf_read(const char *path, struct elf_file *, struct kext_text *);
void elf_free(struct elf_file *);
/* The global definition of that name, or NULL. */
const struct elf_symbol *elf_definition(const struct elf_file *, const char *name);
/*
 * Calls `visit` for every function of the complete symbol table, static ones too, whose code lies in
 * the image. Nothing for a file that has been stripped; damaged entries are passed over.
 */
void elf_each_function(const struct elf_file *,
    void (*visit)(void *ctx, const char *name, uint64_t value, uint64_t size), void *ctx);
/* `size` bytes that the image has at `address` before anything runs; false when they are not in the file. */
bool elf_data(const struct elf_file *, uint64_t address, void *buf, size_t size);
/* Changes the copy in memory so that `sealed` becomes true. EINVAL when it has no room for that. */
int elf_seal(struct elf_file *, struct kext_text *);
/* Makes undefined symbol `index` weak in the copy in memory. */
void elf_weaken(struct elf_file *, uint32_t index);

#endif
