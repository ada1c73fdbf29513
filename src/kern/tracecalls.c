/* Lets the host watch trace points (trace.h): events without mbufs, in plain C types. */
#include "src/kern/heap.h"
#include "src/kern/mbuf.h"
#include "src/kern/trace.h"
#include "src/kern/tracecalls.h"

/* What hangs off the machine while the host traces; the core sees only the first member. */
struct host_tracer {
	struct trace trace;
	void (*emit)(void *ctx, const struct core_trace_event *);
	void *ctx;
};

struct set_call {
	struct nke *machine;
	void (*emit)(void *ctx, const struct core_trace_event *);
	void *ctx;
	errno_t error;
};

static void
emit(void *ctx, const struct trace_event *e)
{
	const struct host_tracer *t = ctx;
	const struct mbuf *m = e->packet;
	struct core_trace_event out = {
		.point = trace_point_name(e->point), .words = trace_point_words(e->point),
		.uptime_ns = e->uptime_ns, .packet_number = e->packet_number, .a = e->a, .b = e->b,
	};

	if (m != NULL) {
		out.data = mtod(m, const uint8_t *);
		out.data_len = m->m_len > 0 ? (size_t)m->m_len : 0;
		out.packet_len = m_length(m);
	}
	t->emit(t->ctx, &out);
}

static void
set(void *arg)
{
	struct set_call *c = arg;
	struct nke *m = c->machine;
	struct host_tracer *t = NULL, *old = NULL;

	if (c->emit != NULL) {
		t = kalloc(m, sizeof *t);
		if (t == NULL) {
			c->error = ENOMEM;
			return;
		}
		*t = (struct host_tracer){{emit, t}, c->emit, c->ctx};
	}
	if (m->trace != NULL)
		old = m->trace->ctx;
	m->trace = t != NULL ? &t->trace : NULL;
	kfree(m, old);
}

int
trace_set(struct nke *m, void (*fn)(void *ctx, const struct core_trace_event *), void *ctx)
{
	struct set_call c = {.machine = m, .emit = fn, .ctx = ctx};
	int error = machine_call(m, set, &c);

	return error != 0 ? error : c.error;
}

const char *
trace_point_at(unsigned i, const char **words)
{
	if (i >= TRACE_POINT_COUNT)
		return NULL;
	if (words != NULL)
		*words = trace_point_words((enum trace_point)i);
	return trace_point_name((enum trace_point)i);
}
