/* Trace points, as nke/trace.h offers them: events of the core with the host's types. */
#include <errno.h>
#include <stdlib.h>

#include <nke/trace.h>

#include "src/host/machine.h"
#include "src/kern/tracecalls.h"

struct host_trace {
	nke_trace_fn *fn;
	void *ctx;
};

static void
pass_event(void *ctx, const struct core_trace_event *e)
{
	const struct host_trace *t = ctx;
	struct nke_trace_event out = {
		.point = e->point, .words = e->words, .uptime_ns = e->uptime_ns,
		.packet_number = e->packet_number, .a = e->a, .b = e->b,
		.data = e->data, .data_len = e->data_len, .packet_len = e->packet_len,
	};

	t->fn(t->ctx, &out);
}

int
nke_trace_set(nke_t *m, nke_trace_fn *fn, void *ctx)
{
	struct host_trace *t = NULL;
	int error;

	if (fn != NULL) {
		t = malloc(sizeof *t);
		if (t == NULL)
			return nke_fail(m, ENOMEM, "no memory for tracing");
		*t = (struct host_trace){fn, ctx};
	}
	error = nke_core_result(m, trace_set(m->core, t != NULL ? pass_event : NULL, t));
	if (error != 0) {
		free(t);
		return error;
	}
	free(m->trace);
	m->trace = t;
	return 0;
}

const char *
nke_trace_point_name(unsigned i)
{
	return trace_point_at(i, NULL);
}

const char *
nke_trace_point_words(unsigned i)
{
	const char *words = NULL;

	(void)trace_point_at(i, &words);
	return words;
}
