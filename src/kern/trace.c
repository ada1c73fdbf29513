/* Trace points (trace.h): their names, and the call to whoever traces. */
#include "src/kern/mbuf.h"
#include "src/kern/sched.h"
#include "src/kern/trace.h"

static const struct {
	const char *name, *words;
} points[TRACE_POINT_COUNT] = {
#define TRACE_ROW(id, name, words) [TRACE_##id] = {name, words},
	TRACE_POINTS(TRACE_ROW)
#undef TRACE_ROW
};

void
trace_emit(struct nke *m, enum trace_point point, const struct mbuf *packet, uintptr_t a, uintptr_t b)
{
	struct trace_event event = {
		.point = point, .uptime_ns = machine_now(m), .packet = packet, .a = a, .b = b,
	};

	if (packet != NULL && (packet->m_flags & M_PKTHDR))
		event.packet_number = packet->m_pkthdr.packet_number;
	m->trace->emit(m->trace->ctx, &event);
}

const char *
trace_point_name(enum trace_point point)
{
	return (unsigned)point < TRACE_POINT_COUNT ? points[point].name : "unknown";
}

const char *
trace_point_words(enum trace_point point)
{
	return (unsigned)point < TRACE_POINT_COUNT ? points[point].words : "";
}
