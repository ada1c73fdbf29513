/*
 * Names of the functions in mapped images, static ones too, for backtraces. The host's loader knows only
 * those that an image exports.
 */
#ifndef NKE_HOST_KEXT_SYMBOLS_H
#define NKE_HOST_KEXT_SYMBOLS_H

#include "src/host/kext_elf.h"

struct kext_symbols;

/* Notes the functions of an image mapped at `base`; NULL when it has none, or without memory. */
struct kext_symbols *symbols_add(const struct elf_file *, const char *base);
/* Before the image is unmapped; NULL is ignored. */
void symbols_remove(struct kext_symbols *);
/* The function that `pc` is in, and how far in; false when no image has one there. */
bool symbols_find(const void *pc, char *name, size_t size, size_t *offset);

#endif
