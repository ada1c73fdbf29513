/* What each kext took of a replay: the time of its callbacks, and memory. Used by replay.c and report.c. */
#include <nke/kext.h>
#include <string.h>

#include "src/cmd/report.h"

typedef unsigned long long ull;

static struct report_kext *
find(struct report *r, const char *identifier)
{
	struct report_kext *k;

	for (size_t i = 0; i < r->kext_count; i++)
		if (strcmp(r->kexts[i].identifier, identifier) == 0)
			return &r->kexts[i];
	if (r->kext_count == REPORT_KEXTS)
		return NULL;
	k = &r->kexts[r->kext_count++];
	snprintf(k->identifier, sizeof k->identifier, "%s", identifier);
	return k;
}

void
report_collect_kexts(nke_replay_t *replay, struct report *r)
{
	for (unsigned i = 0; i < nke_replay_machines(replay); i++) {
		nke_t *m = nke_replay_machine(replay, i);

		for (nke_kext_t *k = nke_kext_first(m); k != NULL; k = nke_kext_next(k)) {
			struct report_kext *sum = find(r, nke_kext_identifier(k));

			if (sum == NULL)
				continue;
			sum->calls += nke_kext_calls(k);
			sum->seconds += (double)nke_kext_time_ns(k) / 1e9;
			sum->memory_peak_bytes += nke_kext_memory_peak(k);
		}
	}
	for (size_t i = 0; i < r->filter_count; i++) {
		const struct nke_filter_stats *f = &r->filters[i];
		struct report_kext *sum = f->kext[0] != '\0' ? find(r, f->kext) : NULL;

		if (sum == NULL)
			continue;
		sum->calls += f->calls;
		sum->seconds += f->ns_per_call * (double)f->calls / 1e9;
	}
}

void
report_print_kexts(FILE *f, const struct report *r)
{
	if (r->kext_count < 2)		/* of one alone the filters' lines say it all */
		return;
	fprintf(f, "  %-43s %10s %12s %14s\n", "kext", "calls", "time in ms", "peak of memory");
	for (size_t i = 0; i < r->kext_count; i++)
		fprintf(f, "  %-43s %10llu %12.3f %14llu\n", r->kexts[i].identifier, (ull)r->kexts[i].calls,
		    r->kexts[i].seconds * 1e3, (ull)r->kexts[i].memory_peak_bytes);
}

json_t *
report_kexts_json(const struct report *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < r->kext_count; i++) {
		const struct report_kext *k = &r->kexts[i];

		json_array_append_new(all, json_pack("{s:o, s:I, s:f, s:I}", "identifier",
		    cmd_json_text(k->identifier), "calls", (json_int_t)k->calls, "seconds", k->seconds,
		    "memory_peak_bytes", (json_int_t)k->memory_peak_bytes));
	}
	return all;
}
