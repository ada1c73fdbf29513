/* A kext's image in memory: a copy of its own for every machine. */
#ifndef NKE_HOST_KEXT_IMAGE_H
#define NKE_HOST_KEXT_IMAGE_H

#include "src/host/kext_symbols.h"

/* An undefined symbol that another kext of the machine provides. */
struct image_link {
	uint32_t index;			/* in the dynamic symbol table */
	void *address;
};

struct kext_image {
	void *handle;
	char *base;
	size_t size;
	int fd;				/* keeps the name /proc/self/fd/N ours; -1 */
	struct kext_symbols *symbols;	/* for backtraces; NULL none */
};

/*
 * Maps the image, resolving every symbol against the kernel's, and `links`. No code of it runs. The
 * first machine of the process gets the file itself mapped, so that debuggers find it; a file that
 * is in use, or needs changes, is copied. May change `f`. ENOEXEC, EINVAL, ENOMEM.
 */
int image_map(struct elf_file *f, const struct image_link *links, size_t link_count,
    struct kext_image *, struct kext_text *);
/* Nothing for an image that is not mapped. */
void image_unmap(struct kext_image *);
/* Address of a global definition, NULL when it has none. */
void *image_symbol(const struct kext_image *, const char *name);
/*
 * Whether the host's loader would find the kernel's function of that name for a kext. False, with a
 * message, when the program hides it.
 */
bool image_kernel_symbol(const char *name, struct kext_text *);

#endif
