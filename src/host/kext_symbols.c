/*
 * Which function of a kext an address is in. Filled when an image is mapped (kext_image.c), from the copy
 * of the file that was read for that: later the file may be another one or gone, and a report about a
 * crash has to do without memory and files. Asked by hc_symbolize().
 */
#include <pthread.h>
#include <string.h>
#include <sys/queue.h>

#include "src/host/kext_symbols.h"

struct function {
	uint64_t value, size;		/* from the image's base */
	size_t name;			/* offset in the names */
};

struct kext_symbols {
	LIST_ENTRY(kext_symbols) link;
	const char *base;
	uint64_t memory_size;
	struct function *functions;
	size_t count, names_size;
	char *names;
};

/* The images of all machines of the process. */
static LIST_HEAD(, kext_symbols) images = LIST_HEAD_INITIALIZER(images);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- filling ------------------------------------------------------------------------------ */

static void
count_function(void *ctx, const char *name, uint64_t value, uint64_t size)
{
	struct kext_symbols *s = ctx;

	(void)value;
	(void)size;
	s->count++;
	s->names_size += strlen(name) + 1;
}

static void
copy_function(void *ctx, const char *name, uint64_t value, uint64_t size)
{
	struct kext_symbols *s = ctx;
	size_t len = strlen(name) + 1;

	s->functions[s->count++] = (struct function){value, size, s->names_size};
	memcpy(s->names + s->names_size, name, len);
	s->names_size += len;
}

static void
symbols_free(struct kext_symbols *s)
{
	free(s->functions);
	free(s->names);
	free(s);
}

struct kext_symbols *
symbols_add(const struct elf_file *f, const char *base)
{
	struct kext_symbols *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	elf_each_function(f, count_function, s);
	s->functions = calloc(s->count, sizeof s->functions[0]);
	s->names = malloc(s->names_size);
	if (s->count == 0 || s->functions == NULL || s->names == NULL) {
		symbols_free(s);
		return NULL;
	}
	s->base = base;
	s->memory_size = f->memory_size;
	s->count = s->names_size = 0;
	elf_each_function(f, copy_function, s);
	pthread_mutex_lock(&lock);
	LIST_INSERT_HEAD(&images, s, link);
	pthread_mutex_unlock(&lock);
	return s;
}

void
symbols_remove(struct kext_symbols *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&lock);
	LIST_REMOVE(s, link);
	pthread_mutex_unlock(&lock);
	symbols_free(s);
}

/* ---- asking ------------------------------------------------------------------------------- */

static const struct function *
function_at(const struct kext_symbols *s, uint64_t value)
{
	for (size_t i = 0; i < s->count; i++) {
		if (value >= s->functions[i].value && value - s->functions[i].value < s->functions[i].size)
			return &s->functions[i];
	}
	return NULL;
}

bool
symbols_find(const void *pc, char *name, size_t size, size_t *offset)
{
	const struct kext_symbols *s;
	const struct function *f = NULL;

	pthread_mutex_lock(&lock);
	LIST_FOREACH(s, &images, link) {
		uint64_t value = (uintptr_t)pc - (uintptr_t)s->base;

		if (value >= s->memory_size || (f = function_at(s, value)) == NULL)
			continue;
		snprintf(name, size, "%s", s->names + f->name);
		*offset = value - f->value;
		break;
	}
	pthread_mutex_unlock(&lock);
	return f != NULL;
}
