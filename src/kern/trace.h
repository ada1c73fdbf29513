/*
 * Trace points along the packet's way. Off, a point costs one branch; on, whoever traces is called
 * with the point, the packet and two words of detail.
 */
#ifndef NKE_KERN_TRACE_H
#define NKE_KERN_TRACE_H

#include "src/kern/machine.h"

/* X(enumerator, "name", "what the two words are") */
#define TRACE_POINTS(X)									\
	X(IF_INPUT,	"ifnet_input",	"interface index, packets")			\
	X(IF_DEMUX,	"demux",	"interface index, protocol family")		\
	X(IFF_IN,	"iff_input",	"filter, result")				\
	X(IF_NOPROTO,	"noproto",	"interface index, protocol family")		\
	X(IP_INPUT,	"ip_input",	"interface index, length")			\
	X(IP_DROP,	"ip_drop",	"reason (offset of its counter), 0")		\
	X(IP_REASS,	"ip_reass",	"fragment offset, 1 when it completed a datagram") \
	X(IPF_IN,	"ipf_input",	"filter, result")				\
	X(IP_DELIVER,	"ip_deliver",	"protocol, header length")			\
	X(IP_FORWARD,	"ip_forward",	"interface index it came by, that it leaves by")	\
	X(IP_OUTPUT,	"ip_output",	"length, 0")					\
	X(IPF_OUT,	"ipf_output",	"filter, result")				\
	X(IP_FRAGMENT,	"ip_fragment",	"MTU, fragments")				\
	X(IF_OUTPUT,	"ifnet_output",	"interface index, protocol family")		\
	X(IF_FRAME,	"framer",	"interface index, result")			\
	X(IFF_OUT,	"iff_output",	"filter, result")				\
	X(IF_DRIVER,	"driver_output", "interface index, length")			\
	X(SF_IN,	"sf_data_in",	"filter, result")				\
	X(SF_OUT,	"sf_data_out",	"filter, result")				\
	X(SF_NOTIFY,	"sf_notify",	"filter, event")				\
	X(TCP_STATE,	"tcp_state",	"state before, state after")			\
	X(TCP_INPUT,	"tcp_input",	"flags, octets of data")			\
	X(TCP_OUTPUT,	"tcp_output",	"flags, octets of data")			\
	X(TCP_REXMIT,	"tcp_rexmit",	"sequence number, octets")			\
	X(TCP_CWND,	"tcp_cwnd",	"congestion window, slow start threshold")	\
	X(TCP_DROP,	"tcp_drop",	"error, state")

enum trace_point {
#define TRACE_ENUM(id, name, words) TRACE_##id,
	TRACE_POINTS(TRACE_ENUM)
#undef TRACE_ENUM
	TRACE_POINT_COUNT
};

struct trace_event {
	enum trace_point point;
	uint64_t uptime_ns;
	const struct mbuf *packet;	/* valid during the call only; may be NULL */
	uint64_t packet_number;		/* of the capture, 0 none */
	uintptr_t a, b;
};

struct trace {
	void (*emit)(void *ctx, const struct trace_event *);
	void *ctx;
};

void trace_emit(struct nke *, enum trace_point, const struct mbuf *, uintptr_t a, uintptr_t b);
const char *trace_point_name(enum trace_point);
const char *trace_point_words(enum trace_point);

#define TRACE(machine, point, packet, a, b) do {					\
	if (__builtin_expect((machine)->trace != NULL, 0))				\
		trace_emit((machine), TRACE_##point, (packet), (uintptr_t)(a), (uintptr_t)(b)); \
} while (0)

#endif
