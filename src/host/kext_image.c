/*
 * Maps images of kexts by the host's dynamic loader.
 *
 * Symbols of the kernel are found in the process's global scope, so the library is moved there first,
 * also when it was itself opened by dlopen. One file can be mapped once per process: further machines
 * get a copy in anonymous memory under the file's name, which is a new object for the loader.
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <nke/nke.h>

#include "src/host/kext_image.h"

/* Between asking whether a file is mapped and mapping it nobody else may map it. */
static pthread_mutex_t mapping = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t promoted = PTHREAD_ONCE_INIT;

static void
promote(void)
{
	Dl_info info;

	/* the handle is kept: the library stays as long as the process, as kexts need it */
	if (dladdr((void *)(uintptr_t)nke_version, &info) != 0)
		(void)dlopen(info.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
}

bool
image_kernel_symbol(const char *name, struct kext_text *text)
{
	Dl_info ours, theirs;
	void *address;

	pthread_once(&promoted, promote);
	address = dlsym(RTLD_DEFAULT, name);
	if (address == NULL) {
		text_add(text, "the kernel's function %s is hidden from kexts: link the program with "
		    "-rdynamic, or with libnke.so\n", name);
		return false;
	}
	if (dladdr((void *)(uintptr_t)nke_version, &ours) != 0 && dladdr(address, &theirs) != 0 &&
	    ours.dli_fbase != theirs.dli_fbase) {
		text_add(text, "the kernel's function %s is hidden by another one of that name in %s; "
		    "rename that or make it static\n", name, theirs.dli_fname);
		return false;
	}
	return true;
}

/* ---- copies ------------------------------------------------------------------------------- */

static bool
write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		size -= (size_t)n;
	}
	return true;
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/*
 * Opens /proc/self/fd/N by a link that has the file's name, so that backtraces show it. False when
 * there is nowhere to put the link.
 */
static bool
open_by_link(struct kext_image *image, const char *target, const char *name)
{
	const char *tmp = getenv("TMPDIR");
	char *folder = text_new("%s/nke-XXXXXX", tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
	char *link = NULL;
	bool done = false;

	if (folder == NULL || mkdtemp(folder) == NULL)
		goto out;
	link = text_new("%s/%s", folder, name);
	if (link != NULL && symlink(target, link) == 0) {
		image->handle = dlopen(link, RTLD_NOW | RTLD_LOCAL);
		done = true;
		unlink(link);
	}
	rmdir(folder);
out:
	free(link);
	free(folder);
	return done;
}

static int
open_copy(const struct elf_file *f, struct kext_image *image, struct kext_text *text)
{
	char target[64];

	image->fd = memfd_create(base_name(f->path), MFD_CLOEXEC);
	if (image->fd < 0 || !write_all(image->fd, f->bytes, f->size)) {
		int error = errno;

		text_add(text, "%s: no private copy: %s\n", f->path, strerror(error));
		return error;
	}
	snprintf(target, sizeof target, "/proc/self/fd/%d", image->fd);
	if (open_by_link(image, target, base_name(f->path))) {
		close(image->fd);
		image->fd = -1;
	} else {
		/* the loader knows images by their path too: this one must stay ours */
		image->handle = dlopen(target, RTLD_NOW | RTLD_LOCAL);
	}
	return 0;
}

/* True when this process has the file mapped already. */
static bool
is_mapped(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);

	if (handle != NULL)
		dlclose(handle);
	return handle != NULL;
}

/* ---- links to other kexts ----------------------------------------------------------------- */

#if defined(__x86_64__)
#define RELOC_ABSOLUTE(t)	((t) == R_X86_64_64)
#define RELOC_SLOT(t)		((t) == R_X86_64_GLOB_DAT || (t) == R_X86_64_JUMP_SLOT)
#elif defined(__aarch64__)
#define RELOC_ABSOLUTE(t)	((t) == R_AARCH64_ABS64)
#define RELOC_SLOT(t)		((t) == R_AARCH64_GLOB_DAT || (t) == R_AARCH64_JUMP_SLOT)
#else
#define RELOC_ABSOLUTE(t)	((t) == R_RISCV_64)
#define RELOC_SLOT(t)		((t) == R_RISCV_JUMP_SLOT)
#endif

/* Writes a pointer into the mapped image, whose page may have been made read-only after relocation. */
static bool
write_pointer(char *where, uint64_t value)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *start = (char *)((uintptr_t)where & ~(page - 1));
	char *end = (char *)(((uintptr_t)where + sizeof value + page - 1) & ~(page - 1));

	if (mprotect(start, (size_t)(end - start), PROT_READ | PROT_WRITE) != 0)
		return false;
	memcpy(where, &value, sizeof value);
	return true;
}

static bool
link_table(const struct elf_file *f, const struct kext_image *image, uint64_t off, uint64_t size,
    const struct image_link *links, size_t count)
{
	for (uint64_t i = 0; i + sizeof(Elf64_Rela) <= size; i += sizeof(Elf64_Rela)) {
		Elf64_Rela r;

		memcpy(&r, f->bytes + off + i, sizeof r);
		for (size_t k = 0; k < count; k++) {
			uint64_t value = (uint64_t)(uintptr_t)links[k].address;
			uint32_t type = (uint32_t)ELF64_R_TYPE(r.r_info);

			if (links[k].index != ELF64_R_SYM(r.r_info))
				continue;
			if (RELOC_ABSOLUTE(type))
				value += (uint64_t)r.r_addend;
			else if (!RELOC_SLOT(type))
				return false;
			if (r.r_offset > image->size - sizeof value ||
			    !write_pointer(image->base + r.r_offset, value))
				return false;
		}
	}
	return true;
}

/* ---- mapping ------------------------------------------------------------------------------ */

static int
prepare(struct elf_file *f, const struct image_link *links, size_t count, bool *copy,
    struct kext_text *text)
{
	int error = 0;

	if (!f->sealed) {
		*copy = true;
		error = elf_seal(f, text);
	}
	for (size_t i = 0; i < count; i++) {
		*copy = true;
		elf_weaken(f, links[i].index);
	}
	return error;
}

int
image_map(struct elf_file *f, const struct image_link *links, size_t link_count,
    struct kext_image *image, struct kext_text *text)
{
	char *path = realpath(f->path, NULL);
	struct link_map *map = NULL;
	bool copy = false;
	int error;

	*image = (struct kext_image){.fd = -1, .size = f->memory_size};
	pthread_once(&promoted, promote);
	error = prepare(f, links, link_count, &copy, text);
	if (error != 0) {
		free(path);
		return error;
	}
	pthread_mutex_lock(&mapping);
	if (copy || path == NULL || is_mapped(path))
		error = open_copy(f, image, text);
	else
		image->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	pthread_mutex_unlock(&mapping);
	free(path);
	if (error == 0 && (image->handle == NULL ||
	    dlinfo(image->handle, RTLD_DI_LINKMAP, &map) != 0 || map == NULL)) {
		text_add(text, "%s: %s\n", f->path, dlerror());
		error = ENOEXEC;
	} else if (error == 0) {
		image->base = (char *)(uintptr_t)map->l_addr;
		image->symbols = symbols_add(f, image->base);
		if (!link_table(f, image, f->rela_off, f->rela_size, links, link_count) ||
		    !link_table(f, image, f->plt_off, f->plt_size, links, link_count))
			error = text_fail(text, ENOEXEC, "%s: cannot bind a symbol of another kext\n",
			    f->path);
	}
	if (error != 0)
		image_unmap(image);
	return error;
}

void
image_unmap(struct kext_image *image)
{
	symbols_remove(image->symbols);
	if (image->handle != NULL)
		dlclose(image->handle);
	if (image->fd >= 0)
		close(image->fd);
	*image = (struct kext_image){.fd = -1};
}

void *
image_symbol(const struct kext_image *image, const char *name)
{
	return dlsym(image->handle, name);
}
