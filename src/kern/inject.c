/* Who keeps a packet going for ever; inject.h says when. */
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/inject.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "src/kern/panic.h"

/* Remembers who it is: the last two that differ. */
static void
note_who(struct inject_state *s, const char *filter)
{
	const struct gate_frame *f = curthread()->gate;
	struct inject_who who;

	memset(&who, 0, sizeof who);
	strlcpy(who.kext, kext_name(f != NULL ? f->kext : NULL), sizeof who.kext);
	strlcpy(who.filter, filter != NULL ? filter : f != NULL ? f->callback : "a thread",
	    sizeof who.filter);
	if (memcmp(&who, &s->last[0], sizeof who) == 0)
		return;
	s->last[1] = s->last[0];
	s->last[0] = who;
}

static _Noreturn void
for_ever(const struct inject_state *s, uint32_t times, const char *how)
{
	const struct inject_who *a = &s->last[0], *b = &s->last[1];

	if (b->filter[0] == '\0')
		kpanic("a packet was injected %u times%s by %s of %s: a filter has to know what it put "
		    "back (mbuf_tag_allocate) and let it pass", times, how, a->filter, a->kext);
	kpanic("a packet was injected %u times%s, at last by %s of %s and by %s of %s: each has to know "
	    "what it, or the other, put back (mbuf_tag_allocate) and let it pass", times, how, a->filter,
	    a->kext, b->filter, b->kext);
}

static unsigned
gate_depth(void)
{
	unsigned n = 0;

	for (const struct gate_frame *f = curthread()->gate; f != NULL; f = f->outer)
		n++;
	return n;
}

void
inject_note(struct nke *machine, struct mbuf *m, const char *filter)
{
	struct inject_state *s = machine->inject;
	uint32_t times = curthread()->injecting;

	if (m != NULL && m->m_pkthdr.injections > times)
		times = m->m_pkthdr.injections;
	times++;
	if (m != NULL)
		m->m_pkthdr.injections = times;
	if (times == 1)
		return;
	note_who(s, filter);
	if (times > INJECT_MOST)
		for_ever(s, times, "");
	if (times > INJECT_NESTED && gate_depth() > INJECT_NESTED)
		for_ever(s, times, ", each time from within the callback that was given it");
}

/* ---- life --------------------------------------------------------------------------------- */

static errno_t
inject_init(struct nke *machine)
{
	machine->inject = kalloc(machine, sizeof *machine->inject);
	return machine->inject != NULL ? 0 : ENOMEM;
}

static void
inject_fini(struct nke *machine)
{
	kfree(machine, machine->inject);
	machine->inject = NULL;
}

const struct subsystem inject_subsystem = {"inject", inject_init, NULL, inject_fini};
