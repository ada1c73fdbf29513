/* What a kext owns, in words: for the messages and log lines of kext.c. */
#include <string.h>

#include <sys/syslog.h>

#include "src/kern/kext_report.h"
#include "src/kern/klog.h"
#include "src/kern/mbuf.h"

#define GROUPS_MAX	32		/* places named in one report */

/* Blocks of memory from one place. */
struct group {
	const struct ledger_entry *first;
	unsigned count;
};

/* Packets, by the place each came from. */
struct packets {
	struct {
		const void *pc;
		unsigned count;
	} places[GROUPS_MAX];
	unsigned n, more;
};

void
kext_say(struct kext_text *text, const char *fmt, ...)
{
	size_t used = strlen(text->text);
	va_list ap;

	va_start(ap, fmt);
	kvsnprintf(text->text + used, text->size - used, fmt, ap);
	va_end(ap);
}

/* The kext's own code; of one that is linked in, the loader does not know where that is. */
static bool
in_image(const struct kext *k, const void *pc)
{
	return k->image.size == 0 || (uintptr_t)pc - (uintptr_t)k->image.address < k->image.size;
}

/* Who called the place an object was made at: " < filter`setup+0x12 < filter`filter_start+0x40". */
static void
add_callers(const struct kext *k, const struct ledger_entry *entry, char *text, size_t size)
{
	for (unsigned i = 0; i < entry->frames; i++) {
		size_t used = strlen(text);

		if (entry->pcs[i] == entry->pc || !in_image(k, entry->pcs[i]) || used + 4 >= size)
			continue;
		memcpy(text + used, " < ", 4);
		ledger_frame(entry, i, text + used + 3, size - used - 3);
	}
}

static void
report_group(struct nke *m, struct kext *k, const struct group *g, bool log, struct kext_text *text)
{
	char what[768], times[32] = "";

	ledger_describe(m, g->first, what, sizeof what);
	add_callers(k, g->first, what, sizeof what);
	if (g->count > 1)
		ksnprintf(times, sizeof times, "%u times: ", g->count);
	kext_say(text, "  %s%s\n", times, what);
	if (log)
		klog(m, LOG_WARNING, "%s left behind %s%s", k->identifier, times, what);
}

static void
report_more(struct nke *m, struct kext *k, unsigned more, bool log, struct kext_text *text)
{
	if (more == 0)
		return;
	kext_say(text, "  and %u more\n", more);
	if (log)
		klog(m, LOG_WARNING, "%s left behind %u more", k->identifier, more);
}

/* ---- packets ------------------------------------------------------------------------------ */

static void
note_packet(void *ctx, struct mbuf *packet, void *pc)
{
	struct packets *p = ctx;
	unsigned i = 0;

	(void)packet;
	while (i < p->n && p->places[i].pc != pc)
		i++;
	if (i == GROUPS_MAX) {
		p->more++;
		return;
	}
	if (i == p->n) {
		p->places[i].pc = pc;
		p->places[i].count = 0;
		p->n++;
	}
	p->places[i].count++;
}

/* The place is the call that made the packet, or the callback that was given it and kept it. */
static void
report_packets(struct nke *m, struct kext *k, bool log, struct kext_text *text)
{
	struct packets p = {.n = 0};
	char place[160];

	mbuf_report_owned(m, k, note_packet, &p);
	for (unsigned i = 0; i < p.n; i++) {
		const char *plural = p.places[i].count == 1 ? "" : "s";

		hc_symbolize(p.places[i].pc, place, sizeof place);
		kext_say(text, "  %u mbuf%s, from %s\n", p.places[i].count, plural, place);
		if (log)
			klog(m, LOG_WARNING, "%s left behind %u mbuf%s, from %s", k->identifier,
			    p.places[i].count, plural, place);
	}
	report_more(m, k, p.more, log, text);
}

unsigned
kext_leaks(struct nke *m, const struct kext *k)
{
	return ledger_count(k) + mbuf_report_owned(m, k, NULL, NULL);
}

/* ---- everything --------------------------------------------------------------------------- */

static void
report(struct nke *m, struct kext *k, bool holders_only, bool log, struct kext_text *text)
{
	struct group groups[GROUPS_MAX];
	struct ledger_entry *entry;
	unsigned n = 0, more = 0, i;

	TAILQ_FOREACH(entry, &k->owned, link) {
		if (holders_only && !ledger_calls_back(entry->kind))
			continue;
		for (i = 0; i < n; i++) {
			if (entry->kind == LEDGER_MEMORY && groups[i].first->kind == LEDGER_MEMORY &&
			    groups[i].first->pc == entry->pc)
				break;
		}
		if (i < n)
			groups[i].count++;
		else if (n < GROUPS_MAX)
			groups[n++] = (struct group){.first = entry, .count = 1};
		else
			more++;
	}
	for (i = 0; i < n; i++)
		report_group(m, k, &groups[i], log, text);
	report_more(m, k, more, log, text);
}

void
kext_report(struct nke *m, struct kext *k, bool log, struct kext_text *text)
{
	report(m, k, false, log, text);
	report_packets(m, k, log, text);
}

void
kext_report_holders(struct nke *m, struct kext *k, struct kext_text *text)
{
	report(m, k, true, false, text);
}
