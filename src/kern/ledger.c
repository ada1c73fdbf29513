/*
 * The ledger (ledger.h): entering and striking out, done by every piece that hands objects to kexts,
 * and the reading side, for kext.c, which names what an unloaded kext left behind.
 */
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"

struct ledger {
	ledger_describe_fn *describe[LEDGER_KINDS];
};

static const struct {
	const char *name;
	bool calls_back;
} kinds[LEDGER_KINDS] = {
	[LEDGER_MEMORY] = {"memory", false},
	[LEDGER_MALLOC_TAG] = {"malloc tag", false},
	[LEDGER_LOCK] = {"lock", false},
	[LEDGER_LOCK_GROUP] = {"lock group", false},
	[LEDGER_LOCK_ATTR] = {"lock attribute", false},
	[LEDGER_THREAD] = {"kernel thread", true},
	[LEDGER_THREAD_CALL] = {"thread call", true},
	[LEDGER_TIMEOUT] = {"timeout", true},
	[LEDGER_SYSCTL] = {"sysctl", true},
	[LEDGER_INTERFACE] = {"interface", true},
	[LEDGER_INTERFACE_REF] = {"interface reference", false},
	[LEDGER_PROTOCOL] = {"protocol attachment", true},
	[LEDGER_PLUMBER] = {"protocol plumber", true},
	[LEDGER_INTERFACE_FILTER] = {"interface filter", true},
	[LEDGER_IP_FILTER] = {"IP filter", true},
	[LEDGER_SOCKET_FILTER] = {"socket filter", true},
	[LEDGER_SOCKET] = {"socket", true},
	[LEDGER_CONTROL] = {"kernel control", true},
	[LEDGER_KAUTH_LISTENER] = {"kauth listener", true},
	[LEDGER_DEVICE] = {"character device", true},
	[LEDGER_DEVICE_NAME] = {"device name", true},
	[LEDGER_PROCESS_REF] = {"process reference", false},
	[LEDGER_CREDENTIAL_REF] = {"credential reference", false},
	[LEDGER_CLUSTER] = {"external cluster", true},
	[LEDGER_MBUF] = {"mbuf", false},
};

/* ---- entering and striking out ------------------------------------------------------------ */

static void
take_backtrace(struct nke *m, struct ledger_entry *e)
{
	void *pcs[LEDGER_FRAMES + 2];
	unsigned n = hc_backtrace(pcs, LEDGER_FRAMES + 2), skip = 0;

	/* from the caller's frame on, when it is among them */
	while (skip < n && pcs[skip] != e->pc)
		skip++;
	if (skip == n)
		skip = n < 2 ? n : 2;
	n -= skip;
	if (n > LEDGER_FRAMES)
		n = LEDGER_FRAMES;
	if (n == 0 || (e->pcs = kalloc(m, n * sizeof *e->pcs)) == NULL)
		return;
	memcpy(e->pcs, pcs + skip, n * sizeof *e->pcs);
	e->frames = (uint8_t)n;
}

static void
enter(struct kext *kext, struct ledger_entry *e, enum ledger_kind kind, void *pc)
{
	e->kext = kext;
	e->kind = (uint8_t)kind;
	e->tried = false;
	e->frames = 0;
	e->pcs = NULL;
	e->pc = pc;
	if (kext == NULL)
		return;
	TAILQ_INSERT_TAIL(&kext->owned, e, link);
	kext->owned_count[kind]++;
}

void
ledger_enter_like(struct nke *m, struct ledger_entry *e, const struct ledger_entry *model)
{
	enter(model->kext, e, model->kind, model->pc);
	if (e->kext == NULL || model->frames == 0)
		return;
	e->pcs = kalloc(m, model->frames * sizeof *e->pcs);
	if (e->pcs == NULL)
		return;
	memcpy(e->pcs, model->pcs, model->frames * sizeof *e->pcs);
	e->frames = model->frames;
}

void
ledger_enter_for(struct nke *m, struct kext *kext, struct ledger_entry *e, enum ledger_kind kind,
    void *pc)
{
	enter(kext, e, kind, pc);
	if (kext == NULL)
		return;
	if (m->checked || (kind != LEDGER_MEMORY && kind != LEDGER_MBUF && kind != LEDGER_TIMEOUT))
		take_backtrace(m, e);
}

void
ledger_enter(struct nke *m, struct ledger_entry *e, enum ledger_kind kind, void *pc)
{
	ledger_enter_for(m, gate_kext(), e, kind, pc);
}

void
ledger_strike(struct nke *m, struct ledger_entry *e)
{
	if (e->kext == NULL)
		return;
	TAILQ_REMOVE(&e->kext->owned, e, link);
	e->kext->owned_count[e->kind]--;
	e->kext = NULL;
	kfree(m, e->pcs);
	e->pcs = NULL;
	e->frames = 0;
}

/* ---- reading ------------------------------------------------------------------------------ */

const char *
ledger_kind_name(enum ledger_kind kind)
{
	return (unsigned)kind < LEDGER_KINDS ? kinds[kind].name : "unknown";
}

void
ledger_set_describe(struct nke *m, enum ledger_kind kind, ledger_describe_fn *fn)
{
	m->ledger->describe[kind] = fn;
}

void
ledger_describe(struct nke *m, const struct ledger_entry *e, char *text, size_t size)
{
	char place[160];
	int n;

	if (m->ledger->describe[e->kind] != NULL)
		m->ledger->describe[e->kind](e, text, size);
	else
		ksnprintf(text, size, "%s", ledger_kind_name(e->kind));
	n = (int)strnlen(text, size);
	hc_symbolize(e->pc, place, sizeof place);
	ksnprintf(text + n, size - (size_t)n, ", from %s", place);
}

unsigned
ledger_frame(const struct ledger_entry *e, unsigned i, char *text, size_t size)
{
	if (i < e->frames)
		hc_symbolize(e->pcs[i], text, size);
	else if (size != 0)
		text[0] = '\0';
	return e->frames;
}

unsigned
ledger_count(const struct kext *kext)
{
	unsigned n = 0;

	for (unsigned i = 0; i < LEDGER_KINDS; i++)
		n += kext->owned_count[i];
	return n;
}

bool
ledger_calls_back(enum ledger_kind kind)
{
	return kinds[kind].calls_back;
}

bool
ledger_pins_image(const struct kext *kext)
{
	for (unsigned i = 0; i < LEDGER_KINDS; i++) {
		if (kext->owned_count[i] != 0 && kinds[i].calls_back)
			return true;
	}
	return false;
}

void
ledger_for_each(struct kext *kext, void (*visit)(void *, struct ledger_entry *), void *ctx)
{
	struct ledger_entry *e, *next;

	TAILQ_FOREACH_SAFE(e, &kext->owned, link, next)
		visit(ctx, e);
}

void
ledger_disown(struct nke *m, struct kext *kext)
{
	struct ledger_entry *e;

	while ((e = TAILQ_FIRST(&kext->owned)) != NULL)
		ledger_strike(m, e);
}

/* ---- life --------------------------------------------------------------------------------- */

static errno_t
ledger_init(struct nke *m)
{
	m->ledger = kalloc(m, sizeof *m->ledger);
	return m->ledger != NULL ? 0 : ENOMEM;
}

static void
ledger_fini(struct nke *m)
{
	kfree(m, m->ledger);
	m->ledger = NULL;
}

const struct subsystem ledger_subsystem = {"ledger", ledger_init, NULL, ledger_fini};
