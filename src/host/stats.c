/* What filters and IP did, for whoever reports it (include/nke/stats.h). */
#include <nke/stats.h>

#include <stdlib.h>
#include <string.h>

#include "src/host/darwin.h"
#include "src/host/machine.h"

size_t
nke_stats_filters(nke_t *m, struct nke_filter_stats *out, size_t max)
{
	struct core_filter *filters = max != 0 ? calloc(max, sizeof *filters) : NULL;
	size_t n = machine_filters(m->core, filters, filters != NULL ? max : 0);

	for (size_t i = 0; filters != NULL && i < n && i < max; i++) {
		const struct core_filter *f = &filters[i];

		memset(&out[i], 0, sizeof out[i]);
		out[i].kind = (enum nke_filter_kind)f->kind;
		memcpy(out[i].kext, f->kext, sizeof out[i].kext);
		memcpy(out[i].name, f->name, sizeof out[i].name);
		memcpy(out[i].interface, f->interface, sizeof out[i].interface);
		out[i].seen_in = f->seen_in;
		out[i].seen_out = f->seen_out;
		out[i].passed = f->passed;
		out[i].changed = f->changed;
		out[i].swallowed = f->swallowed;
		out[i].dropped = f->dropped;
		out[i].injected = f->injected;
		out[i].calls = f->calls;
		out[i].ns_per_call = f->ns_per_call;
	}
	free(filters);
	return n;
}

const char *
nke_stats_protocol_name(unsigned i)
{
	return machine_counted_protocol(i);
}

size_t
nke_stats_protocol(nke_t *m, const char *protocol, struct nke_counter *out, size_t max)
{
	struct core_counter counters[256];
	size_t n = machine_counters(m->core, protocol, counters, sizeof counters / sizeof counters[0]);

	for (size_t i = 0; i < n && i < max; i++) {
		out[i].name = counters[i].name;
		out[i].value = counters[i].value;
	}
	return n;
}
