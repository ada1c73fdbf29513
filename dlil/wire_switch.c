/*
 * The learning of a switch (IEEE 802.1D 7.8): the source address of a frame tells at which end a station
 * is. The table is bounded: an address has SWITCH_WAYS places, of which the one unseen for the longest time
 * makes room. Addresses that are not known, and those of groups, go to every end.
 */
#include <net/ethernet.h>
#include <string.h>

#include "dlil/wire.h"
#include "src/kern/sched.h"

static struct switch_entry *
places(struct wire *w, const uint8_t lladdr[6])
{
	uint32_t a;
	uint16_t b;

	memcpy(&a, lladdr, sizeof a);
	memcpy(&b, lladdr + 4, sizeof b);
	a = (a ^ (uint32_t)b << 16 ^ b) * 0x9e3779b1u;
	return &w->table[(a >> 16) & (SWITCH_ENTRIES - SWITCH_WAYS) & ~(SWITCH_WAYS - 1)];
}

static struct switch_entry *
find(struct wire *w, const uint8_t lladdr[6], uint64_t now)
{
	struct switch_entry *e = places(w, lladdr);

	for (unsigned i = 0; i < SWITCH_WAYS; i++)
		if (e[i].used && memcmp(e[i].lladdr, lladdr, 6) == 0 && now - e[i].seen < SWITCH_AGE)
			return &e[i];
	return NULL;
}

static void
learn(struct wire *w, const uint8_t lladdr[6], struct wire_end *end, uint64_t now)
{
	struct switch_entry *e = find(w, lladdr, now), *p = places(w, lladdr);

	if (e == NULL) {
		e = p;
		for (unsigned i = 0; i < SWITCH_WAYS && e->used; i++)
			if (!p[i].used || p[i].seen < e->seen)
				e = &p[i];
		memcpy(e->lladdr, lladdr, 6);
		e->used = true;
	}
	e->end = end;
	e->seen = now;
}

struct wire_end *
switch_lookup(struct wire *w, struct wire_end *from, const struct mbuf *m)
{
	uint64_t now = machine_now(from->machine);
	struct switch_entry *e;
	uint8_t header[ETHER_HDR_LEN];

	if (m_copydata(m, 0, sizeof header, header) != 0)
		return NULL;
	if (!(header[6] & 1))
		learn(w, header + 6, from, now);
	e = header[0] & 1 ? NULL : find(w, header, now);
	return e != NULL ? e->end : NULL;
}

void
switch_forget(struct wire *w, const struct wire_end *end)
{
	for (unsigned i = 0; i < SWITCH_ENTRIES; i++)
		if (w->table[i].end == end)
			memset(&w->table[i], 0, sizeof w->table[i]);
}
