/*
 * Kexts: who is loaded, running their start and stop routines, and when one may go.
 *
 * Called by the host (src/host/kext.c), which has read the bundle and mapped the image. The image's
 * own constructors and destructors are run here too, through the gate, as a kernel does it: what they
 * allocate is the kext's, and a panic in one unwinds nothing of the host's dynamic loader.
 *
 * A kext whose stop routine has run is kept (KEXT_STOPPED) as long as something is left through which
 * the core could call it. Objects that cannot call it, memory above all, do not hold it back: they are
 * named and forgotten.
 */
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/kext.h"
#include "src/kern/kext_report.h"
#include "src/kern/klog.h"
#include "src/kern/mbuf.h"
#include "src/kern/panic.h"
#include "src/kern/sched.h"

/* What a kext left behind that is gone: the lines of its report. */
struct kext_left {
	TAILQ_ENTRY(kext_left) link;
	char text[];
};

struct kext_state {
	TAILQ_HEAD(kext_list, kext) list;	/* in order of loading */
	uint32_t last_id;
	TAILQ_HEAD(, kext_left) left;		/* oldest first; lacks what there was no memory for */
	unsigned left_objects;			/* by all of them */
	kext_reclaim_fn *reclaim[LEDGER_KINDS];
};

/* One call of the host, on its way into the machine. */
struct kext_call {
	struct nke *machine;
	const struct kext_params *params;
	struct kext *kext;
	struct kext_text *text;
	unsigned leaks;
	errno_t error;
};

/* ---- subsystem ---------------------------------------------------------------------------- */

static errno_t
kexts_init(struct nke *m)
{
	m->kexts = kalloc(m, sizeof *m->kexts);
	if (m->kexts == NULL)
		return ENOMEM;
	TAILQ_INIT(&m->kexts->list);
	TAILQ_INIT(&m->kexts->left);
	return 0;
}

/* Takes a kext off the list; its code must not be reachable any more. */
static void
forget(struct nke *m, struct kext *k)
{
	ledger_disown(m, k);
	mbuf_disown(m, k);
	klog_flush(m);
	if (k->needs != NULL) {
		for (size_t i = 0; i < k->image.need_count; i++)
			k->needs[i]->dependents--;
		kfree(m, k->needs);
	}
	TAILQ_REMOVE(&m->kexts->list, k, link);
	kfree(m, k);
}

/* Keeps what the unload has just said of it, for whoever asks at the end. */
static void
remember_left(struct nke *m, unsigned objects, const char *said)
{
	size_t size = strlen(said) + 1;
	struct kext_left *l = kalloc(m, sizeof *l + size);

	m->kexts->left_objects += objects;
	if (l == NULL)
		return;
	memcpy(l->text, said, size);
	TAILQ_INSERT_TAIL(&m->kexts->left, l, link);
}

static void
kexts_fini(struct nke *m)
{
	struct kext_left *l;
	struct kext *k;

	while ((l = TAILQ_FIRST(&m->kexts->left)) != NULL) {
		TAILQ_REMOVE(&m->kexts->left, l, link);
		kfree(m, l);
	}

	while ((k = TAILQ_LAST(&m->kexts->list, kext_list)) != NULL)
		forget(m, k);
	kfree(m, m->kexts);
	m->kexts = NULL;
}

const struct subsystem kext_subsystem;
const struct subsystem kext_subsystem = {
	.name = "kext", .init = kexts_init, .fini = kexts_fini,
};

void
kext_set_reclaim(struct nke *m, enum ledger_kind kind, kext_reclaim_fn *fn)
{
	m->kexts->reclaim[kind] = fn;
}

struct kext *
kext_find(struct nke *m, const char *identifier)
{
	struct kext *k;

	TAILQ_FOREACH(k, &m->kexts->list, link) {
		if (strcmp(k->identifier, identifier) == 0)
			return k;
	}
	return NULL;
}

struct kext *
kext_find_id(struct nke *m, uint32_t id)
{
	struct kext *k;

	TAILQ_FOREACH(k, &m->kexts->list, link) {
		if (k->id == id)
			return k;
	}
	return NULL;
}

void
kext_retain(struct kext *k)
{
	k->retained++;
}

void
kext_release(struct kext *k)
{
	KASSERTX(k->retained > 0, "%s is released, but nobody retains it", k->identifier);
	k->retained--;
}

uint64_t
kext_memory(const struct kext *k)
{
	return k->memory_bytes;
}

uint64_t
kext_memory_peak(const struct kext *k)
{
	return k->memory_peak;
}

uint64_t
kext_calls(const struct kext *k)
{
	return k->calls;
}

uint64_t
kext_time_ns(const struct kext *k)
{
	return (uint64_t)((double)k->call_ticks * hc_ns_per_tick());
}

/* ---- checks ------------------------------------------------------------------------------- */

static errno_t
check_need(struct nke *m, const struct kext_params *p, const struct kext_need *need,
    struct kext_text *text)
{
	struct kext *k = kext_find(m, need->identifier);
	uint64_t number;

	if (!kext_version_parse(need->version, &number)) {
		kext_say(text, "%s: OSBundleLibraries: %s: '%s' is no version; expected "
		    "MAJOR[.MINOR[.REVISION]]\n", p->identifier, need->identifier, need->version);
		return EINVAL;
	}
	if (k == NULL || k->phase != KEXT_STARTED) {
		kext_say(text, "%s needs %s %s, which is not loaded; load that kext first\n",
		    p->identifier, need->identifier, need->version);
		return ESRCH;
	}
	if (!k->linkable) {
		kext_say(text, "%s needs %s %s, but that kext's property list has no "
		    "OSBundleCompatibleVersion, so nothing may depend on it\n", p->identifier,
		    need->identifier, need->version);
		return ESRCH;
	}
	if (number < k->compatible_number || number > k->version_number) {
		kext_say(text, "%s needs %s %s, but version %s is loaded and it is not compatible with "
		    "that\n", p->identifier, need->identifier, need->version, k->version);
		return ESRCH;
	}
	return 0;
}

static errno_t
check(struct nke *m, const struct kext_params *p, struct kext_text *text)
{
	const struct kext *same;
	uint64_t number;
	errno_t error = 0;

	if (p->identifier[0] == '\0' || strlen(p->identifier) >= KMOD_MAX_NAME) {
		kext_say(text, "'%s' is no kext identifier; expected 1 to %d characters\n",
		    p->identifier, KMOD_MAX_NAME - 1);
		return EINVAL;
	}
	if (!kext_version_parse(p->version, &number) || (p->compatible_version != NULL &&
	    !kext_version_parse(p->compatible_version, &number))) {
		kext_say(text, "%s: version '%s'%s%s: expected MAJOR[.MINOR[.REVISION]], perhaps with a "
		    "stage (1.0.2b3)\n", p->identifier, p->version,
		    p->compatible_version != NULL ? ", compatible version " : "",
		    p->compatible_version != NULL ? p->compatible_version : "");
		return EINVAL;
	}
	same = kext_find(m, p->identifier);
	if (same != NULL) {
		kext_say(text, "%s is %s already, in version %s; unload it first\n", p->identifier,
		    same->phase == KEXT_STOPPED ? "stopped but still mapped" : "loaded", same->version);
		return EEXIST;
	}
	/* every need that is not met is named, not only the first */
	for (size_t i = 0; i < p->need_count; i++) {
		errno_t one = check_need(m, p, &p->needs[i], text);

		error = error != 0 ? error : one;
	}
	return error;
}

/* ---- load --------------------------------------------------------------------------------- */

/* "com.example.filter" is called "filter" in the log. */
static const char *
last_component(const char *identifier)
{
	const char *dot = strrchr(identifier, '.');

	return dot != NULL && dot[1] != '\0' ? dot + 1 : identifier;
}

static void
fill_kmod(struct kext *k)
{
	kmod_info_t *info = k->image.kmod_info != NULL ? k->image.kmod_info : &k->own_kmod;

	info->info_version = KMOD_INFO_VERSION;
	info->id = k->id;
	strlcpy(info->name, k->identifier, sizeof info->name);
	strlcpy(info->version, k->version, sizeof info->version);
	info->address = (vm_address_t)(uintptr_t)k->image.address;
	info->size = k->image.size;
	k->kmod = info;
}

static struct kext *
create(struct nke *m, const struct kext_params *p)
{
	struct kext *k = kalloc(m, sizeof *k);

	if (k == NULL)
		return NULL;
	k->image = *p;
	if (p->need_count > 0) {
		k->needs = kalloc(m, p->need_count * sizeof(void *));
		if (k->needs == NULL) {
			kfree(m, k);
			return NULL;
		}
		for (size_t i = 0; i < p->need_count; i++) {
			k->needs[i] = kext_find(m, p->needs[i].identifier);
			k->needs[i]->dependents++;
		}
	}
	TAILQ_INIT(&k->owned);
	strlcpy(k->identifier, p->identifier, sizeof k->identifier);
	strlcpy(k->version, p->version, sizeof k->version);
	strlcpy(k->name, last_component(p->identifier), sizeof k->name);
	kext_version_parse(p->version, &k->version_number);
	k->linkable = p->compatible_version != NULL &&
	    kext_version_parse(p->compatible_version, &k->compatible_number);
	k->host = p->host;
	k->id = ++m->kexts->last_id;
	k->phase = KEXT_LOADING;
	fill_kmod(k);
	TAILQ_INSERT_TAIL(&m->kexts->list, k, link);
	return k;
}

/* Entries of 0 and -1 are fillers that old linkers leave in these arrays. */
static void
call_entry(struct kext *k, void (*fn)(void), const char *what)
{
	if ((uintptr_t)fn != 0 && (uintptr_t)fn != UINTPTR_MAX)
		GATE_CALL(k, what, NULL, fn());
}

static void
construct(struct kext *k)
{
	for (size_t i = 0; i < k->image.constructor_count; i++)
		call_entry(k, k->image.constructors[i], "a constructor");
}

static void
destruct(struct kext *k)
{
	for (size_t i = k->image.destructor_count; i > 0; i--)
		call_entry(k, k->image.destructors[i - 1], "a destructor");
	k->image.destructor_count = 0;
}

static struct ledger_entry *
first_to_reclaim(const struct nke *m, struct kext *k)
{
	struct ledger_entry *entry;

	TAILQ_FOREACH(entry, &k->owned, link) {
		if (!entry->tried && m->kexts->reclaim[entry->kind] != NULL)
			return entry;
	}
	return NULL;
}

/* Gives back what a failed start routine left, as far as its kind knows how to. */
static void
reclaim(struct nke *m, struct kext *k)
{
	struct ledger_entry *entry, *next;

	/*
	 * First what could call back or point to memory, then the memory. Taking an object back may run
	 * the kext's code, which gives back others: so each time from the beginning.
	 */
	while ((entry = first_to_reclaim(m, k)) != NULL) {
		entry->tried = true;
		(void)m->kexts->reclaim[entry->kind](m, entry);
	}
	if (ledger_pins_image(k) || sched_inside_kext(m->world, k))
		return;
	TAILQ_FOREACH_SAFE(entry, &k->owned, link, next) {
		if (entry->kind == LEDGER_MEMORY)
			heap_reclaim(m, entry);
	}
}

/* True when it is gone; false when something could still call it. */
static bool
roll_back(struct nke *m, struct kext *k, struct kext_text *text)
{
	k->phase = KEXT_STOPPED;
	if (kext_leaks(m, k) > 0) {
		kext_say(text, "left behind by the start routine:\n");
		kext_report(m, k, true, text);
		reclaim(m, k);
	}
	if (ledger_pins_image(k) || sched_inside_kext(m->world, k)) {
		kext_say(text, "%s stays mapped, because of what could not be taken back\n",
		    k->identifier);
		return false;
	}
	destruct(k);
	reclaim(m, k);
	forget(m, k);
	return true;
}

static void
load(void *arg)
{
	struct kext_call *c = arg;
	struct nke *m = c->machine;
	int result = 0;

	c->error = check(m, c->params, c->text);
	if (c->error != 0)
		return;
	c->kext = create(m, c->params);
	if (c->kext == NULL) {
		kext_say(c->text, "%s: no memory\n", c->params->identifier);
		c->error = ENOMEM;
		return;
	}
	construct(c->kext);
	if (c->kext->image.start != NULL)
		GATE_CALL(c->kext, "start", NULL,
		    result = c->kext->image.start(c->kext->kmod, NULL));
	if (result == KMOD_RETURN_SUCCESS) {
		c->kext->phase = KEXT_STARTED;
		return;
	}
	c->error = EIO;
	kext_say(c->text, "%s: the start routine returned %d (0x%x); expected KERN_SUCCESS (0)\n",
	    c->kext->identifier, result, (unsigned)result);
	if (roll_back(m, c->kext, c->text))
		c->kext = NULL;
}

/* ---- unload ------------------------------------------------------------------------------- */

static errno_t
may_stop(struct nke *m, const struct kext *k, struct kext_text *text)
{
	if (k->dependents > 0) {
		const struct kext *other;

		kext_say(text, "%s cannot be unloaded: these kexts depend on it:", k->identifier);
		TAILQ_FOREACH(other, &m->kexts->list, link) {
			for (size_t i = 0; i < other->image.need_count; i++) {
				if (other->needs[i] == k)
					kext_say(text, " %s", other->identifier);
			}
		}
		kext_say(text, "\n");
		return EBUSY;
	}
	if (k->retained > 0) {
		kext_say(text, "%s cannot be unloaded: it is retained %u time%s "
		    "(OSKextRetainKextWithLoadTag)\n", k->identifier, k->retained,
		    k->retained == 1 ? "" : "s");
		return EBUSY;
	}
	/* Its own threads may be anywhere: to end them is what stop is for. */
	if (k->phase != KEXT_STARTED || sched_called_by_kext(k)) {
		kext_say(text, "%s cannot be unloaded: %s\n", k->identifier,
		    k->phase != KEXT_STARTED ? "its stop routine has not returned" :
		    "one of its own functions asks for that");
		return EBUSY;
	}
	return 0;
}

/*
 * A thread that stop has told to end, and that said it would, is about to: on a Mac it wins that race
 * nearly always, here it gets the CPU first. Other threads of the kext stay and are reported.
 */
static void
let_threads_end(struct kext *k)
{
	for (int turns = 0; k->owned_count[LEDGER_THREAD] > 0 && turns < 64; turns++)
		sched_pass();
}

static errno_t
stop(struct nke *m, struct kext *k, struct kext_text *text)
{
	errno_t error = may_stop(m, k, text);
	int result = 0;

	if (error != 0)
		return error;
	k->phase = KEXT_STOPPING;
	if (k->image.stop != NULL)
		GATE_CALL(k, "stop", NULL, result = k->image.stop(k->kmod, NULL));
	if (result != KMOD_RETURN_SUCCESS) {
		k->phase = KEXT_STARTED;
		kext_say(text, "%s refuses to stop: its stop routine returned %d (0x%x); it stays "
		    "loaded%s\n", k->identifier, result, (unsigned)result,
		    ledger_pins_image(k) ? ", held by:" : "");
		kext_report_holders(m, k, text);
		return EBUSY;
	}
	let_threads_end(k);
	k->phase = KEXT_STOPPED;
	return 0;
}

static void
unload(void *arg)
{
	struct kext_call *c = arg;
	struct nke *m = c->machine;
	struct kext *k = c->kext;
	bool again = k->phase == KEXT_STOPPED;

	if (!again) {
		c->error = stop(m, k, c->text);
		if (c->error != 0)
			return;
	}
	if (ledger_pins_image(k) || sched_inside_kext(m->world, k)) {
		kext_say(c->text, "%s stopped, but stays mapped: its stop routine returned success "
		    "while it could still be called; left behind:\n", k->identifier);
		kext_report(m, k, !again, c->text);	/* who drains it asks many times */
		if (!ledger_pins_image(k))
			kext_say(c->text, "  a call of one of its functions that has not returned\n");
		c->error = EBUSY;
		return;
	}
	destruct(k);
	c->leaks = kext_leaks(m, k);
	if (c->leaks > 0) {
		size_t said = strlen(c->text->text);

		kext_say(c->text, "%s was unloaded, but left behind:\n", k->identifier);
		kext_report(m, k, true, c->text);
		remember_left(m, c->leaks, c->text->text + said);
	}
	forget(m, k);
	c->kext = NULL;
}

/* ---- what has been left ------------------------------------------------------------------- */

static void
tell_left(void *arg)
{
	struct kext_call *c = arg;
	struct nke *m = c->machine;
	const struct kext_left *l;
	struct kext *k;

	c->leaks = m->kexts->left_objects;
	TAILQ_FOREACH(l, &m->kexts->left, link)
		kext_say(c->text, "%s", l->text);
	TAILQ_FOREACH(k, &m->kexts->list, link) {
		if (k->phase != KEXT_STOPPED)
			continue;
		c->leaks += kext_leaks(m, k);
		kext_say(c->text, "%s stopped, but stays mapped; left behind:\n", k->identifier);
		kext_report(m, k, true, c->text);
	}
}

/* ---- the host's calls --------------------------------------------------------------------- */

static void
check_call(void *arg)
{
	struct kext_call *c = arg;

	c->error = check(c->machine, c->params, c->text);
}

int
kext_check(struct nke *m, const struct kext_params *p, struct kext_text *text)
{
	struct kext_call c = {.machine = m, .params = p, .text = text};
	int error = machine_call(m, check_call, &c);

	return error != 0 ? error : c.error;
}

int
kext_load(struct nke *m, const struct kext_params *p, struct kext **kext, struct kext_text *text)
{
	struct kext_call c = {.machine = m, .params = p, .text = text};
	int error = machine_call(m, load, &c);

	*kext = c.kext;
	return error != 0 ? error : c.error;
}

int
kext_unload(struct nke *m, struct kext *k, unsigned *leaks, struct kext_text *text)
{
	struct kext_call c = {.machine = m, .kext = k, .text = text};
	int error = machine_call(m, unload, &c);

	*leaks = c.leaks;
	return error != 0 ? error : c.error;
}

int
kext_left(struct nke *m, unsigned *objects, struct kext_text *text)
{
	struct kext_call c = {.machine = m, .text = text};
	int error = machine_call(m, tell_left, &c);

	*objects = c.leaks;
	return error;
}
