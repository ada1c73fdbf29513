/*
 * Checked mode of the mbuf zone: who has each mbuf, who freed it, and whether anybody wrote to memory
 * that nobody has. Called by mbuf_zone.c, by whoever hands packets to kexts (m_set_owner), and when a
 * kext is unloaded (mbuf_report_owned).
 *
 * Free memory is filled with a pattern that is verified when it is used again. As a pointer the pattern
 * is an address that no program can have, so following one found in a free mbuf faults at once.
 */
#include <stddef.h>
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "src/kern/mbuf_zone.h"
#include "src/kern/panic.h"

#define PATTERN		UINT64_C(0xdeadbeefdeadbeef)
#define WORD		sizeof(uint64_t)
/* m_next is the free list's, m_type and m_flags are looked at by everybody. */
#define MBUF_STATE	(offsetof(struct mbuf, m_len) / WORD)
_Static_assert(offsetof(struct mbuf, m_nextpkt) == WORD && MBUF_STATE == 3, "see fill_mbuf");

static bool
is_mbuf(const struct mbuf_zone *z, const void *p)
{
	const struct zone_slab *s = z->classes[ZONE_MBUF].slabs;

	while (s != NULL && s != zone_slab_of(z, ZONE_MBUF, p))
		s = s->next;
	return s != NULL && ((uintptr_t)p & (MSIZE - 1)) == 0 && p != s;
}

static struct zone_note *
note_of(const struct mbuf_zone *z, enum zone_class_id id, const void *object)
{
	return &zone_slab_of(z, id, object)->notes[zone_place_of(z, id, object)];
}

/* ---- who ---------------------------------------------------------------------------------- */

/* Remembers a kext by name; NULL, like the core, for no kext or when the host has no memory. */
static const struct zone_client *
client(struct mbuf_zone *z, const struct kext *kext)
{
	struct zone_client *c, **link = &z->clients;

	if (kext == NULL)
		return NULL;
	for (; (c = *link) != NULL; link = &c->next)
		if (c->kext == kext && c->id == kext->id)
			break;
	if (c == NULL) {
		c = hc_alloc(sizeof *c);
		if (c == NULL)
			return NULL;
		c->kext = kext;
		c->id = kext->id;
		memcpy(c->name, kext->name, sizeof c->name);
		c->name[sizeof c->name - 1] = '\0';
	} else
		*link = c->next;
	/* To the front: the same one is asked for again and again. */
	c->next = z->clients;
	z->clients = c;
	return c;
}

/* "kext at place", for reports. */
struct who {
	char text[224];
};

static const char *
describe(struct who *who, const struct zone_client *c, const void *pc)
{
	char place[128];

	hc_symbolize(pc, place, sizeof place);
	ksnprintf(who->text, sizeof who->text, "%s at %s", c != NULL ? c->name : "the kernel", place);
	return who->text;
}

/* ---- the pattern -------------------------------------------------------------------------- */

/* The first byte that is not the pattern any more, as an offset; `size` when all is well. */
static size_t
first_damage(const void *memory, size_t from, size_t size)
{
	static const uint64_t pattern = PATTERN;
	const uint8_t *bytes = memory, *want = (const uint8_t *)&pattern;
	size_t at = from;

	for (; at < size; at += WORD) {
		uint64_t word;

		memcpy(&word, bytes + at, WORD);
		if (word != PATTERN)
			break;
	}
	while (at < size && bytes[at] == want[at % WORD])
		at++;
	return at;
}

static void
fill(void *memory, size_t from, size_t size)
{
	uint64_t *words = memory;

	for (size_t i = from / WORD; i < size / WORD; i++)
		words[i] = PATTERN;
}

static void
fill_mbuf(struct mbuf *m)
{
	fill(m, WORD, MBUF_STATE * WORD);
	fill(m, (MBUF_STATE + 1) * WORD, MSIZE);
	m->m_len = (int32_t)PATTERN;
	m->m_flags = 0;
}

static size_t
first_damage_mbuf(const struct mbuf *m)
{
	size_t at = first_damage(m, WORD, MBUF_STATE * WORD);

	if (at < MBUF_STATE * WORD)
		return at;
	if (m->m_len != (int32_t)PATTERN)
		return offsetof(struct mbuf, m_len);
	if (m->m_type != MBUF_TYPE_FREE)
		return offsetof(struct mbuf, m_type);
	if (m->m_flags != 0)
		return offsetof(struct mbuf, m_flags);
	return first_damage(m, (MBUF_STATE + 1) * WORD, MSIZE);
}

/* ---- called by the zone ------------------------------------------------------------------- */

bool
zone_check_slab(struct mbuf_zone *z, struct zone_slab *s)
{
	(void)z;
	s->notes = hc_alloc(s->places * sizeof *s->notes);
	if (s->notes == NULL)
		return false;
	memset(s->notes, 0, s->places * sizeof *s->notes);
	return true;
}

void
zone_check_taken(struct mbuf_zone *z, enum zone_class_id id, void *object, const void *link, bool fresh,
    void *pc)
{
	struct zone_note *note = note_of(z, id, object);
	size_t size = (size_t)1 << z->classes[id].shift;

	if (!fresh) {
		size_t at = note->link != link ? 0 :
		    id == ZONE_MBUF ? first_damage_mbuf(object) : first_damage(object, 0, size);
		struct who freer, owner;

		KASSERTX(at >= size, "%s %p was written to at offset %zu after it had been freed; "
		    "freed by %s, allocated by %s", id == ZONE_MBUF ? "mbuf" : "cluster", object, at,
		    describe(&freer, note->freer, note->free_pc), describe(&owner, note->owner, note->pc));
	}
	*note = (struct zone_note){.pc = pc};
}

void
zone_check_free(struct mbuf_zone *z, struct mbuf *m, void *pc)
{
	const struct zone_slab *s = zone_slab_of(z, ZONE_MBUF, m);
	const struct zone_note *note;
	struct who now, first, owner;

	if (!z->checked)
		kpanic("mbuf %p freed twice; now by %s (a machine in checked mode knows who was first)",
		    (void *)m, describe(&now, client(z, gate_kext()), pc));
	KASSERTX(s->magic == ZONE_SLAB_MAGIC && s->id == ZONE_MBUF && ((uintptr_t)m & (MSIZE - 1)) == 0,
	    "mbuf %p freed by %s is not an mbuf", (void *)m, describe(&now, client(z, gate_kext()), pc));
	KASSERTX(s->zone == z, "mbuf %p of machine %s freed in machine %s, by %s: mbufs do not leave their "
	    "machine", (void *)m, s->zone->machine->config.name, z->machine->config.name,
	    describe(&now, client(z, gate_kext()), pc));
	if (m->m_type != MBUF_TYPE_FREE)
		return;
	note = note_of(z, ZONE_MBUF, m);
	kpanic("mbuf %p freed twice; first by %s, now by %s; it was allocated by %s", (void *)m,
	    describe(&first, note->freer, note->free_pc), describe(&now, client(z, gate_kext()), pc),
	    describe(&owner, note->owner, note->pc));
}

void
zone_check_freed(struct mbuf_zone *z, enum zone_class_id id, void *object, const void *link, void *pc)
{
	struct zone_note *note = note_of(z, id, object);

	note->freer = client(z, gate_kext());
	note->free_pc = pc;
	note->link = link;
	if (id == ZONE_MBUF)
		fill_mbuf(object);
	else
		fill(object, 0, (size_t)1 << z->classes[id].shift);
}

void
zone_check_fini(struct mbuf_zone *z)
{
	struct zone_client *c;

	while ((c = z->clients) != NULL) {
		z->clients = c->next;
		hc_free(c);
	}
}

void
m_used_after_free(const struct mbuf *m, const char *who)
{
	const struct mbuf_zone *z = curmachine()->mbufs;
	const struct zone_note *note;
	struct who freer;

	if (!z->checked || !is_mbuf(z, m))
		kpanic("%s was given mbuf %p, which is free", who, (const void *)m);
	note = note_of(z, ZONE_MBUF, m);
	kpanic("%s was given mbuf %p, which was freed by %s", who, (const void *)m,
	    describe(&freer, note->freer, note->free_pc));
}

/* ---- ownership ---------------------------------------------------------------------------- */

/* What the core is handed must lie where it says; a kext sets lengths unchecked. */
static void
check_handed_over(const struct mbuf *m, const struct zone_note *note)
{
	struct who owner;

	if (m->m_type == MBUF_TYPE_FREE)
		m_used_after_free(m, "the stack");
	KASSERTX(m->m_len >= 0 && m->m_data >= m_start(m) &&
	    m->m_data + m->m_len <= m_start(m) + m_capacity(m),
	    "mbuf %p says it has %d bytes from offset %td of its buffer, which has %zu; it came from %s",
	    (const void *)m, m->m_len, m->m_data - m_start(m), m_capacity(m),
	    describe(&owner, note->owner, note->pc));
}

void
m_set_owner(struct mbuf *m, struct kext *kext, void *pc)
{
	struct mbuf_zone *z = curmachine()->mbufs;
	const struct zone_client *owner;

	if (!z->checked)
		return;
	owner = client(z, kext);
	for (; m != NULL; m = m->m_next) {
		struct zone_note *note = note_of(z, ZONE_MBUF, m);

		if (kext == NULL)
			check_handed_over(m, note);
		note->owner = owner;
		note->pc = pc;
	}
}

void
m_inherit_owner(struct mbuf *to, const struct mbuf *from)
{
	struct mbuf_zone *z = curmachine()->mbufs;
	struct zone_note *note;

	if (!z->checked)
		return;
	note = note_of(z, ZONE_MBUF, to);
	note->owner = note_of(z, ZONE_MBUF, from)->owner;
	note->pc = note_of(z, ZONE_MBUF, from)->pc;
}

/* Calls fn for every mbuf that `c` owns and has not freed. */
static void
each_owned(struct mbuf_zone *z, const struct zone_client *c,
    void (*fn)(void *, struct mbuf *, struct zone_note *), void *arg)
{
	for (struct zone_slab *s = z->classes[ZONE_MBUF].slabs; s != NULL; s = s->next)
		for (uint32_t i = 1; i < s->carved; i++) {
			struct mbuf *m = (struct mbuf *)(void *)s + i;

			if (s->notes[i].owner == c && m->m_type != MBUF_TYPE_FREE)
				fn(arg, m, &s->notes[i]);
		}
}

static void
clear_inner(void *arg, struct mbuf *m, struct zone_note *note)
{
	(void)arg;
	(void)m;
	note->inner = false;
}

/* What somebody else's mbuf points to may be anything, hence the look before the note is touched. */
static void
mark_inner(void *arg, struct mbuf *m, struct zone_note *note)
{
	struct mbuf_zone *z = arg;

	(void)note;
	if (m->m_next != NULL && is_mbuf(z, m->m_next))
		note_of(z, ZONE_MBUF, m->m_next)->inner = true;
}

struct report {
	void (*fn)(void *ctx, struct mbuf *, void *pc);
	void *ctx;
	unsigned count;
};

static void
report_first(void *arg, struct mbuf *m, struct zone_note *note)
{
	struct report *r = arg;

	if (note->inner)
		return;
	r->count++;
	if (r->fn != NULL)
		r->fn(r->ctx, m, note->pc);
}

unsigned
mbuf_report_owned(struct nke *machine, const struct kext *kext,
    void (*fn)(void *, struct mbuf *, void *), void *ctx)
{
	struct mbuf_zone *z = machine->mbufs;
	struct report r = {.fn = fn, .ctx = ctx};
	const struct zone_client *c;

	if (!z->checked || kext == NULL)
		return 0;
	c = client(z, kext);
	if (c == NULL)
		return 0;
	each_owned(z, c, clear_inner, NULL);
	each_owned(z, c, mark_inner, z);
	each_owned(z, c, report_first, &r);
	return r.count;
}

void
mbuf_disown(struct nke *machine, const struct kext *kext)
{
	for (struct zone_client *c = machine->mbufs->clients; c != NULL; c = c->next)
		if (c->kext == kext)
			c->kext = NULL;
}
