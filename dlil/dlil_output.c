/*
 * The way out: the protocol's pre-output (once for a list), the media's framer, interface filters,
 * driver. Called by protocols and the KPI; the driver's output runs in the sender's thread. What is
 * given is consumed in every case.
 */
#include <string.h>

#include "dlil/dlil_state.h"
#include "src/kern/gate.h"
#include "src/kern/panic.h"
#include "src/kern/trace.h"

#define EQFULL_RESULT		106	/* a driver's queue is full or suspended: not an error */
#define EQSUSPENDED_RESULT	(-106)

#define FRAME_TYPE_MAX		32	/* what pre-output may write; more than any media has */
#define LINK_DEST_MAX		64

/* What pre-output found out, good for the whole list. */
struct link_info {
	char frame_type[FRAME_TYPE_MAX];
	char dest[LINK_DEST_MAX];
};

static errno_t
pre_output(struct ifnet *ifp, struct if_proto *p, struct mbuf **m, const struct sockaddr *dst,
    void *route, struct link_info *info)
{
	errno_t error;

	if (p->pre_output == NULL)
		return 0;
	if (p->core)
		return p->pre_output(ifp, p->family, m, dst, route, info->frame_type, info->dest);
	GATE_CALL(p->owner, "proto_pre_output", *m, error = p->pre_output(ifp, p->family, m, dst, route,
	    info->frame_type, info->dest));
	KASSERTX(error != 0 || *m != NULL, "protocol %u on %s: pre_output returned 0 without a packet "
	    "(EJUSTRETURN means that the protocol keeps it)", p->family, ifp->xname);
	return error;
}

/* 0: *m is framed; EJUSTRETURN: the framer has it; other: freed. */
static errno_t
frame_packet(struct ifnet *ifp, struct mbuf **m, const struct sockaddr *dst,
    const struct link_info *info)
{
	errno_t error;

	if (ifp->framer == NULL)
		return 0;
	GATE_CALL_ABOUT(ifp->owner, "if_framer", ifp, *m, error = ifp->framer(ifp, m, dst, info->dest,
	    info->frame_type));
	KASSERTX(error != 0 || *m != NULL, "%s: the framer returned 0 without a packet (EJUSTRETURN means "
	    "that the interface keeps it)", ifp->xname);
	TRACE(ifp->machine, IF_FRAME, error == 0 ? *m : NULL, ifp->index, error);
	if (error != 0 && error != EJUSTRETURN)
		m_freem(*m);
	return error;
}

/* Segmentation that was asked for must be the interface's to do. */
static bool
can_segment(const struct ifnet *ifp, const struct mbuf *m)
{
	uint32_t flags = m->m_pkthdr.csum_flags;

	return !((flags & CSUM_TSO4) && !(if_offload_now(ifp) & IFNET_TSO_IPV4)) &&
	    !((flags & CSUM_TSO6) && !(if_offload_now(ifp) & IFNET_TSO_IPV6));
}

static errno_t
driver_output(struct ifnet *ifp, struct mbuf *m)
{
	errno_t error;

	TRACE(ifp->machine, IF_DRIVER, m, ifp->index, m->m_pkthdr.len);
	if (ifp->machine->checked && ifp->owner != NULL)
		m_set_owner(m, ifp->owner, (void *)(uintptr_t)ifp->output);
	GATE_CALL_ABOUT(ifp->owner, "if_output", ifp, m, error = ifp->output(ifp, m));
	return error == EQFULL_RESULT || error == EQSUSPENDED_RESULT ? 0 : error;
}

/* The framed packet through the filters. 0: *m is for the driver; else it has been dealt with. */
static inline errno_t
filter_frame(struct ifnet *ifp, protocol_family_t family, struct mbuf **m)
{
	if (__builtin_expect(!TAILQ_EMPTY(&ifp->filters), 0)) {
		const struct dlil_filter_ops *ops = &ifp->machine->dlil->filters;
		struct iff_entry *e = iff_only(ifp, false, family, *m);
		errno_t error = e != NULL ? iff_only_call(e, ops, ifp, false, family, m, NULL) :
		    ops->output(ifp, family, m);

		if (error != 0)
			return error;
	}
	if (__builtin_expect((*m)->m_pkthdr.csum_flags & (CSUM_TSO4 | CSUM_TSO6), 0) &&
	    !can_segment(ifp, *m)) {
		m_freem(*m);
		return EMSGSIZE;
	}
	return 0;
}

static errno_t
output_frame(struct ifnet *ifp, protocol_family_t family, struct mbuf *m)
{
	errno_t error = filter_frame(ifp, family, &m);

	return error != 0 ? error : driver_output(ifp, m);
}

/* Everything behind pre-output, for each packet. The result is that of the last one. */
static errno_t
output_list(struct ifnet *ifp, protocol_family_t family, struct mbuf *list,
    const struct sockaddr *dst, const struct link_info *info)
{
	struct mbuf *m;
	errno_t error = 0;

	while ((m = list) != NULL) {
		list = m->m_nextpkt;
		m->m_nextpkt = NULL;
		error = info != NULL ? frame_packet(ifp, &m, dst, info) : 0;
		if (error == 0)
			error = output_frame(ifp, family, m);
	}
	return error == EJUSTRETURN ? 0 : error;
}

static errno_t
output_by_proto(struct ifnet *ifp, struct if_proto *p, struct mbuf *list,
    const struct sockaddr *dst, void *route)
{
	struct link_info info;
	protocol_family_t family = p->family;
	struct mbuf *m, *rest;
	errno_t error;

	memset(&info, 0, sizeof info);
	for (m = list; m != NULL; m = rest) {
		rest = m->m_nextpkt;
		m->m_nextpkt = NULL;
		error = pre_output(ifp, p, &m, dst, route, &info);
		if (error == EJUSTRETURN)
			continue;	/* it keeps the packet; the next one is the first */
		if (error != 0) {
			m_freem(m);
			m_freem_list(rest);
			return error;
		}
		m->m_nextpkt = rest;
		return output_list(ifp, family, m, dst, &info);
	}
	return 0;
}

errno_t
dlil_output(struct ifnet *ifp, protocol_family_t family, struct mbuf *list, void *route,
    const struct sockaddr *dst, bool raw)
{
	struct if_proto *p;
	errno_t error;

	if (!ifnet_io_begin(ifp)) {
		m_freem_list(list);
		return ENXIO;
	}
	TRACE(ifp->machine, IF_OUTPUT, list, ifp->index, family);
	if (__builtin_expect(ifp->multicast_suspended, 0))
		dlil_multicast_restore(ifp);
	if (raw) {
		error = output_list(ifp, family, list, NULL, NULL);
	} else if ((p = dlil_find_proto(ifp, family)) == NULL) {
		m_freem_list(list);
		error = ENXIO;
	} else {
		dlil_proto_retain(p);
		error = output_by_proto(ifp, p, list, dst, route);
		dlil_proto_release(p);
	}
	ifnet_io_end(ifp);
	return error;
}

void
dlil_output_frame(struct ifnet *ifp, protocol_family_t family, struct mbuf *m)
{
	if (__builtin_expect(!ifnet_io_begin(ifp), 0)) {
		m_freem(m);
		return;
	}
	TRACE(ifp->machine, IF_OUTPUT, m, ifp->index, family);
	if (__builtin_expect(ifp->multicast_suspended, 0))
		dlil_multicast_restore(ifp);
	if (filter_frame(ifp, family, &m) == 0) {
		TRACE(ifp->machine, IF_DRIVER, m, ifp->index, m->m_pkthdr.len);
		(void)ifp->output(ifp, m);
	}
	ifnet_io_end(ifp);
}
