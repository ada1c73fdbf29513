/*
 * Kexts of a machine, as nke/kext.h offers them. The host's half of loading: reading, judging and
 * mapping; the core (src/kern/kext.c) runs the code and decides what may go.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <nke/kext.h>

#include "src/host/kext_image.h"
#include "src/host/kext_inspect.h"
#include "src/host/machine.h"

#define DRAIN_STEP_NS		UINT64_C(10000000)
#define DRAIN_TIMEOUT_NS	UINT64_C(60000000000)

struct nke_kext {
	TAILQ_ENTRY(nke_kext) link;
	nke_t *machine;
	struct kext *core;
	struct kext_image image;
	char *path, *identifier, *version;
};

/* Darwin's struct kmod_info, as a kext's compiler lays it out. */
struct kmod_record {
	void *next;
	int32_t info_version;
	uint32_t id;
	char name[64];
	char version[64];
	int32_t reference_count;
	void *reference_list;
	uint64_t address, size, header_size;
	int (*start)(void *, void *);
	int (*stop)(void *, void *);
} __attribute__((packed, aligned(4)));

/* ---- the record --------------------------------------------------------------------------- */

static void
kext_free(struct nke_kext *k)
{
	if (k == NULL)
		return;
	image_unmap(&k->image);
	free(k->path);
	free(k->identifier);
	free(k->version);
	free(k);
}

static struct nke_kext *
kext_new(nke_t *m, const char *path, const char *identifier, const char *version)
{
	struct nke_kext *k = calloc(1, sizeof *k);

	if (k == NULL)
		return NULL;
	k->image.fd = -1;
	k->machine = m;
	k->path = strdup(path);
	k->identifier = strdup(identifier);
	k->version = strdup(version);
	if (k->path == NULL || k->identifier == NULL || k->version == NULL) {
		kext_free(k);
		return NULL;
	}
	return k;
}

void
nke_kexts_forget(nke_t *m)
{
	struct nke_kext *k;

	while ((k = TAILQ_LAST(&m->kexts, nke_kexts)) != NULL) {
		TAILQ_REMOVE(&m->kexts, k, link);
		kext_free(k);
	}
	while ((k = TAILQ_FIRST(&m->stuck)) != NULL) {
		TAILQ_REMOVE(&m->stuck, k, link);
		kext_free(k);
	}
}

/* ---- what the core is told ---------------------------------------------------------------- */

struct load {
	nke_t *machine;
	struct kext_inspection *x;
	struct kext_params params;
	struct kext_need *needs;
	struct image_link *links;
	size_t link_count;
	struct kext_text *text;
};

static int
collect_needs(struct load *l)
{
	const struct nke_kext_info *info = &l->x->info;
	int error = 0;

	l->needs = calloc(info->library_count + 1, sizeof l->needs[0]);
	if (l->needs == NULL)
		return text_fail(l->text, ENOMEM, "%s: no memory\n", info->path);
	for (size_t i = 0; i < info->library_count; i++) {
		const struct nke_kext_library *lib = &info->libraries[i];

		if (lib->status == NKE_LIBRARY_KEXT)
			l->needs[l->params.need_count++] =
			    (struct kext_need){lib->identifier, lib->version};
		else if (lib->status != NKE_LIBRARY_SET && lib->status != NKE_LIBRARY_FAMILY)
			error = ESRCH;
	}
	l->params.identifier = info->identifier;
	l->params.version = info->version;
	l->params.compatible_version = info->compatible_version;
	l->params.needs = l->needs;
	if (error != 0)
		text_add(l->text, "%s", info->problems);
	return error;
}

/* A symbol that the kernel lacks, from the kexts this one depends on. */
static void *
symbol_of_needs(const struct load *l, const char *name)
{
	for (size_t i = 0; i < l->params.need_count; i++) {
		struct nke_kext *k = nke_kext_find(l->machine, l->needs[i].identifier);
		void *address = k != NULL && k->image.handle != NULL ?
		    image_symbol(&k->image, name) : NULL;

		if (address != NULL)
			return address;
	}
	return NULL;
}

/* Every symbol must be found, and be the kernel's, before anything is mapped. */
static int
resolve(struct load *l)
{
	const struct nke_kext_info *info = &l->x->info;
	int error = 0;

	l->links = calloc(info->symbol_count + 1, sizeof l->links[0]);
	if (l->links == NULL)
		return text_fail(l->text, ENOMEM, "%s: no memory\n", info->path);
	for (size_t i = 0; i < info->symbol_count; i++) {
		const struct nke_kext_symbol *s = &info->symbols[i];
		void *address;

		if (s->status == NKE_SYMBOL_KERNEL) {
			error = image_kernel_symbol(s->name, l->text) ? error : ENOEXEC;
			continue;
		}
		if (s->status == NKE_SYMBOL_COMPILER)
			continue;
		address = symbol_of_needs(l, s->name);
		if (address != NULL) {
			l->links[l->link_count++] =
			    (struct image_link){l->x->symbol_index[i], address};
		} else if (s->status == NKE_SYMBOL_MISSING) {
			describe_missing(info->executable, s->name, l->text);
			error = ENOEXEC;
		}
	}
	return error;
}

/* The addresses of what the machine is to run. */
static int
find_code(struct load *l, const struct kext_image *image)
{
	const struct elf_file *f = &l->x->elf;
	struct kext_params *p = &l->params;

	p->address = image->base;
	p->size = image->size;
	if (f->init_count > 0)
		p->constructors = (void (*const *)(void))(void *)(image->base + f->init_array);
	if (f->fini_count > 0)
		p->destructors = (void (*const *)(void))(void *)(image->base + f->fini_array);
	p->constructor_count = f->init_count;
	p->destructor_count = f->fini_count;
	p->kmod_info = image_symbol(image, "kmod_info");
	if (p->kmod_info != NULL) {
		struct kmod_record record;

		memcpy(&record, p->kmod_info, sizeof record);
		p->start = record.start;
		p->stop = record.stop;
		return 0;
	}
	p->start = (int (*)(void *, void *))(uintptr_t)image_symbol(image, l->x->start);
	p->stop = (int (*)(void *, void *))(uintptr_t)image_symbol(image, l->x->stop);
	if (p->start == NULL || p->stop == NULL)
		return text_fail(l->text, EINVAL, "%s", l->x->info.problems);
	return 0;
}

/* ---- load --------------------------------------------------------------------------------- */

/* Gives the kext to the core and files it under what came of it. */
static int
hand_over(struct nke_kext *k, const struct kext_params *params, struct kext_text *text)
{
	nke_t *m = k->machine;
	int error = nke_core_result(m, kext_load(m->core, params, &k->core, text));

	if (error == 0)
		TAILQ_INSERT_TAIL(&m->kexts, k, link);
	else if (k->core != NULL)
		TAILQ_INSERT_TAIL(&m->stuck, k, link);
	else
		kext_free(k);
	return error;
}

static int
load_inspected(struct load *l, struct nke_kext **out)
{
	nke_t *m = l->machine;
	const struct nke_kext_info *info = &l->x->info;
	struct nke_kext *k = NULL;
	int error = collect_needs(l);

	if (error == 0)
		error = nke_core_result(m, kext_check(m->core, &l->params, l->text));
	if (error == 0)
		error = resolve(l);
	if (error == 0 && info->entry == NULL)
		error = text_fail(l->text, EINVAL, "%s", info->problems);
	if (error != 0)
		return error;
	k = kext_new(m, info->path, info->identifier, info->version);
	if (k == NULL)
		return text_fail(l->text, ENOMEM, "%s: no memory\n", info->path);
	error = image_map(&l->x->elf, l->links, l->link_count, &k->image, l->text);
	if (error == 0)
		error = find_code(l, &k->image);
	if (error != 0) {
		kext_free(k);
		return error;
	}
	l->params.host = k;
	error = hand_over(k, &l->params, l->text);
	*out = error == 0 ? k : NULL;
	return error;
}

int
nke_kext_load(nke_t *m, const char *path, nke_kext_t **out)
{
	struct kext_text text = {m->error_text, sizeof m->error_text};
	struct load l = {.machine = m, .text = &text};
	struct nke_kext *k = NULL;
	int error;

	if (out != NULL)
		*out = NULL;
	if (nke_panicked(m))
		return nke_core_result(m, machine_run_until(m->core, 0));
	m->error_text[0] = '\0';
	error = inspection_new(path, &l.x, &text);
	if (error == 0)
		error = load_inspected(&l, &k);
	inspection_free(l.x);
	free(l.needs);
	free(l.links);
	if (out != NULL)
		*out = k;
	return error;
}

int
nke_kext_load_static(nke_t *m, const struct nke_kext_static *s, nke_kext_t **out)
{
	struct kext_text text = {m->error_text, sizeof m->error_text};
	struct kext_params params = {
		.identifier = s->identifier != NULL ? s->identifier : "",
		.version = s->version != NULL ? s->version : "1.0.0",
		.start = s->start, .stop = s->stop,
	};
	struct nke_kext *k = kext_new(m, "", params.identifier, params.version);
	int error;

	if (out != NULL)
		*out = NULL;
	if (k == NULL)
		return nke_fail(m, ENOMEM, "%s: no memory\n", params.identifier);
	m->error_text[0] = '\0';
	params.host = k;
	error = hand_over(k, &params, &text);
	if (error == 0 && out != NULL)
		*out = k;
	return error;
}

/* ---- unload ------------------------------------------------------------------------------- */

int
nke_kext_unload(nke_t *m, nke_kext_t *k, unsigned *leaks)
{
	struct kext_text text = {m->error_text, sizeof m->error_text};
	unsigned left = 0;
	int error;

	m->error_text[0] = '\0';
	error = nke_core_result(m, kext_unload(m->core, k->core, &left, &text));
	if (leaks != NULL)
		*leaks = left;
	if (error == 0) {
		TAILQ_REMOVE(&m->kexts, k, link);
		kext_free(k);
	}
	return error;
}

/* Lets time pass until something may have changed. False: nothing is going to, or `deadline` has come. */
static bool
wait_for_change(nke_t *m, uint64_t deadline)
{
	uint64_t now = nke_uptime(m), next = nke_next_event(m), until = now + DRAIN_STEP_NS;

	if (now >= deadline)
		return false;
	if (m->real_time) {
		nanosleep(&(struct timespec){.tv_nsec = DRAIN_STEP_NS}, NULL);
		return nke_run_until(m, 0) == 0;
	}
	if (next == UINT64_MAX)
		return false;
	if (next > until)
		until = next;
	return nke_run_until(m, until < deadline ? until : deadline) == 0;
}

int
nke_kext_drain(nke_t *m, nke_kext_t *k, const struct nke_drain *how, unsigned *leaks)
{
	static const struct nke_drain usual;
	uint64_t start = nke_uptime(m), timeout;

	if (how == NULL)
		how = &usual;
	timeout = how->timeout_ns != 0 ? how->timeout_ns : DRAIN_TIMEOUT_NS;
	for (;;) {
		int error = nke_kext_unload(m, k, leaks);

		if (error != EBUSY)
			return error;
		if (how->progress != NULL)
			how->progress(how->progress_ctx, nke_uptime(m) - start, nke_error_text(m));
		if (!wait_for_change(m, start + timeout))
			return nke_panicked(m) ? EFAULT : EBUSY;
	}
}

/* ---- what was left ------------------------------------------------------------------------ */

int
nke_leaks(nke_t *m, unsigned *objects)
{
	struct kext_text text = {m->error_text, sizeof m->error_text};

	m->error_text[0] = '\0';
	*objects = 0;
	return nke_core_result(m, kext_left(m->core, objects, &text));
}

void
nke_assert_no_leaks_at(nke_t *m, const char *file, int line)
{
	unsigned objects;
	int error = nke_leaks(m, &objects);

	if (error == 0 && objects == 0)
		return;
	if (error != 0)
		fprintf(stderr, "%s:%d: machine %s has panicked:\n%s", file, line, nke_name(m),
		    nke_panic_report(m));
	else
		fprintf(stderr, "%s:%d: machine %s: kexts left %u object%s behind:\n%s", file, line,
		    nke_name(m), objects, objects == 1 ? "" : "s", nke_error_text(m));
	abort();
}

/* ---- asking ------------------------------------------------------------------------------- */

nke_kext_t *
nke_kext_find(nke_t *m, const char *identifier)
{
	struct nke_kext *k;

	TAILQ_FOREACH(k, &m->kexts, link) {
		if (strcmp(k->identifier, identifier) == 0)
			return k;
	}
	return NULL;
}

nke_kext_t *
nke_kext_first(nke_t *m)
{
	return TAILQ_FIRST(&m->kexts);
}

nke_kext_t *
nke_kext_next(nke_kext_t *k)
{
	return TAILQ_NEXT(k, link);
}

const char *
nke_kext_identifier(const nke_kext_t *k)
{
	return k->identifier;
}

const char *
nke_kext_version(const nke_kext_t *k)
{
	return k->version;
}

const char *
nke_kext_path(const nke_kext_t *k)
{
	return k->path;
}

uint64_t
nke_kext_memory(const nke_kext_t *k)
{
	return kext_memory(k->core);
}

uint64_t
nke_kext_memory_peak(const nke_kext_t *k)
{
	return kext_memory_peak(k->core);
}

uint64_t
nke_kext_calls(const nke_kext_t *k)
{
	return kext_calls(k->core);
}

uint64_t
nke_kext_time_ns(const nke_kext_t *k)
{
	return kext_time_ns(k->core);
}
