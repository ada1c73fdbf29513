/* Waiting for selinfos: see select.h. The list is short: whoever sleeps in poll, or watches a device, now. */
#include "src/kern/device.h"
#include "src/kern/select.h"

void
select_begin(struct nke *m, struct select_wait *w, void (*woken)(struct select_wait *))
{
	w->woken = woken;
	w->count = 0;
	TAILQ_INSERT_TAIL(device_waits(m), w, link);
}

void
select_end(struct nke *m, struct select_wait *w)
{
	TAILQ_REMOVE(device_waits(m), w, link);
}

static bool
has_recorded(const struct select_wait *w, const struct selinfo *s)
{
	if (w->count > SELECT_RECORDS)
		return true;
	for (unsigned i = 0; i < w->count; i++)
		if (w->recorded[i] == s)
			return true;
	return false;
}

void
select_record(struct nke *m, const void *wql, const struct selinfo *s)
{
	struct select_wait *w;

	TAILQ_FOREACH(w, device_waits(m), link) {
		if (w == wql)
			break;
	}
	if (w == NULL || has_recorded(w, s))
		return;
	if (w->count < SELECT_RECORDS)
		w->recorded[w->count] = s;
	w->count++;
}

void
select_wakeup(struct nke *m, const struct selinfo *s)
{
	struct select_wait *w;

	TAILQ_FOREACH(w, device_waits(m), link) {
		if (has_recorded(w, s))
			w->woken(w);
	}
}

void
select_clear(struct nke *m, const struct selinfo *s)
{
	struct select_wait *w;

	TAILQ_FOREACH(w, device_waits(m), link) {
		for (unsigned i = 0; w->count <= SELECT_RECORDS && i < w->count; i++) {
			if (w->recorded[i] == s)
				w->recorded[i--] = w->recorded[--w->count];
		}
	}
}
