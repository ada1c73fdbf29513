/*
 * Life of an interface, second half: it goes.
 *
 * The caller of dlil_detach takes it off the lists and tells who listens; everything that calls the
 * driver a last time happens in a soft interrupt, once no call into the interface is in progress
 * any more. So an interface may be detached from within its own callbacks, and a callback that
 * never returns holds up its own interface only. The order of the steps is an interface fact.
 */
#include "dlil/dlil_state.h"
#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/net/bpf_private.h"
#include "src/net/ifaddr.h"

#define LINK_QUALITY_OFF	(-2)	/* what a link that is gone is worth */

static void
post_link_quality(struct ifnet *ifp)
{
	int32_t quality = LINK_QUALITY_OFF;

	if (!(ifp->flags & IFF_LOOPBACK))
		dlil_post_event(ifp, KEV_DL_SUBCLASS, KEV_DL_LINK_QUALITY_METRIC_CHANGED, &quality,
		    sizeof quality, false);
}

errno_t
dlil_detach(struct ifnet *ifp)
{
	struct dlil_state *s;

	if (ifp == NULL || ifp->state != IFNET_ATTACHED)
		return EINVAL;
	s = ifp->machine->dlil;
	if (ifp == s->lo0)
		return EINVAL;
	ifp->io_refs++;			/* the filters that hear the events below are still there */
	ifp->state = IFNET_DETACHING;
	TAILQ_REMOVE(&s->attached, ifp, link);
	post_link_quality(ifp);
	bpf_detach(ifp);
	(void)dlil_set_flags(ifp, 0, IFF_UP);
	dlil_post_event(ifp, KEV_DL_SUBCLASS, KEV_DL_IF_DETACHING, NULL, 0, false);
	ifnet_io_end(ifp);
	return 0;
}

void
ifnet_io_last(struct ifnet *ifp)
{
	softintr_schedule(&ifp->detach_intr);
}

static void
purge_addresses(struct ifnet *ifp)
{
	struct dlil_state *s = ifp->machine->dlil;

	ifaddr_purge(ifp, AF_INET);
	ifaddr_purge(ifp, AF_INET6);
	route_forget(ifp);
	for (uint32_t i = 0; i < s->net_proto_count; i++)
		if (s->net_protos[i].interface_detached != NULL)
			s->net_protos[i].interface_detached(ifp->machine, ifp);
}

static void
unplumb_all(struct ifnet *ifp)
{
	struct if_proto *p;
	uint32_t seq = 0;

	while ((p = dlil_next_proto(ifp, seq)) != NULL) {
		protocol_family_t family = p->family;

		seq = p->seq;
		(void)dlil_unplumb(ifp, family);
		/* A plumber that did not take its protocol off: it goes without it. */
		(void)dlil_detach_proto(ifp, family);
	}
}

/* ---- what is left of the driver ----------------------------------------------------------- */

static errno_t
gone_output(struct ifnet *ifp, struct mbuf *m)
{
	(void)ifp;
	m_freem(m);
	return 0;
}

static errno_t
gone_demux(struct ifnet *ifp, struct mbuf *m, char *frame, protocol_family_t *family)
{
	(void)ifp;
	(void)m;
	(void)frame;
	(void)family;
	return EINVAL;
}

static errno_t
gone_add_proto(struct ifnet *ifp, protocol_family_t family, const struct ifnet_demux_desc *descs,
    u_int32_t count)
{
	(void)ifp;
	(void)family;
	(void)descs;
	(void)count;
	return EINVAL;
}

static errno_t
gone_del_proto(struct ifnet *ifp, protocol_family_t family)
{
	(void)ifp;
	(void)family;
	return EINVAL;
}

static errno_t
gone_ioctl(struct ifnet *ifp, unsigned long command, void *argument)
{
	(void)ifp;
	(void)command;
	(void)argument;
	return EOPNOTSUPP;
}

static void
replace_driver(struct ifnet *ifp)
{
	ifp->output = gone_output;
	ifp->demux = gone_demux;
	ifp->add_proto = gone_add_proto;
	ifp->del_proto = gone_del_proto;
	ifp->ioctl = gone_ioctl;
	ifp->framer = NULL;
	ifp->event = NULL;
	ifp->check_multi = NULL;
	ifp->set_bpf_tap = NULL;
}

static void
discard_input(struct ifnet *ifp)
{
	m_freem_list(ifp->inq_head);
	ifp->inq_head = ifp->inq_tail = NULL;
	ifp->inq_len = 0;
}

void
dlil_detach_finish(void *arg)
{
	struct ifnet *ifp = arg;
	struct dlil_state *s = ifp->machine->dlil;
	ifnet_detached_func detach = ifp->detach;
	struct kext *owner = ifp->owner;

	/* A call that began while this soft interrupt was waiting schedules it again. */
	if (ifp->state != IFNET_DETACHING || ifp->io_refs != 0)
		return;
	ifp->io_refs++;			/* callbacks below begin and end calls: not here again */
	if (s->filters.detach_all != NULL)
		s->filters.detach_all(ifp);
	purge_addresses(ifp);
	unplumb_all(ifp);
	dlil_multicast_purge(ifp);
	ifaddr_purge(ifp, AF_LINK);
	discard_input(ifp);
	softintr_cancel(&ifp->input_intr);
	replace_driver(ifp);
	dlil_post_event(ifp, KEV_DL_SUBCLASS, KEV_DL_IF_DETACHED, NULL, 0, true);
	ifp->detach = NULL;
	if (detach != NULL)
		GATE_CALL_ABOUT(owner, "if_detached", ifp, NULL, detach(ifp));
	ifp->io_refs--;
	dlil_recycle(ifp);
	ifnet_drop(ifp);
}
