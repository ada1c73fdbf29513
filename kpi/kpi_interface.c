/*
 * net/kpi_interface.h, first part: life cycle, references, lookup, protocols, data path. Each
 * function checks its arguments as the interface says and calls DLIL.
 */
#include <string.h>

#include <net/kpi_interface.h>
#include <sys/kern_event.h>

#include "dlil/dlil.h"
#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/inject.h"
#include "src/kern/kpi_rule.h"
#include "src/kern/sched.h"
#include "src/kern/string_id.h"

#define CALLER	__builtin_return_address(0)

static void
note_reference(struct ifnet *ifp, void *pc)
{
	kext_refs_note(ifp->machine, &ifp->kext_refs, ifp, LEDGER_INTERFACE_REF, pc);
}

/* What a kext hands over is the core's now. */
static void
take_packets(struct mbuf *list)
{
	struct nke *m = curmachine();

	for (; list != NULL; list = list->m_nextpkt) {
		if (list->m_flags & M_PKTHDR) {
			list->m_pkthdr.origin = NULL;	/* even if it was a captured frame once */
			inject_note(m, list, NULL);
		}
		if (__builtin_expect(m->checked, 0))
			m_set_owner(list, NULL, NULL);
	}
}

/* ---- life cycle --------------------------------------------------------------------------- */

errno_t
ifnet_allocate(const struct ifnet_init_params *init, ifnet_t *interface)
{
	struct nke *m = curmachine();
	struct ifnet *ifp;
	errno_t error;

	KPI_RULES(KPI_SLEEPS, NULL);
	if (init == NULL || interface == NULL)
		return EINVAL;
	error = dlil_allocate(m, init, gate_kext(), &ifp);
	if (error != 0)
		return error;
	ledger_enter(m, &ifp->ledger, LEDGER_INTERFACE, CALLER);
	note_reference(ifp, CALLER);
	*interface = ifp;
	return 0;
}

errno_t
ifnet_attach(ifnet_t interface, const struct sockaddr_dl *ll_addr)
{
	KPI_RULES(KPI_SLEEPS | KPI_NOT_OF_ITSELF, interface);
	return dlil_attach(interface, ll_addr);
}

errno_t
ifnet_detach(ifnet_t interface)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	return dlil_detach(interface);
}

errno_t
ifnet_reference(ifnet_t interface)
{
	if (interface == NULL)
		return EINVAL;
	ifnet_retain(interface);
	note_reference(interface, CALLER);
	return 0;
}

errno_t
ifnet_release(ifnet_t interface)
{
	if (interface == NULL)
		return EINVAL;
	kext_refs_forget(interface->machine, &interface->kext_refs);
	ifnet_drop(interface);
	return 0;
}

errno_t
ifnet_interface_family_find(const char *module_string, ifnet_family_t *family_id)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	if (module_string == NULL || family_id == NULL)
		return EINVAL;
	return string_id_find(curmachine(), module_string, STRING_ID_FAMILY, family_id);
}

/* ---- lookup ------------------------------------------------------------------------------- */

errno_t
ifnet_find_by_name(const char *name, ifnet_t *interface)
{
	struct ifnet *ifp;

	KPI_RULES(KPI_SLEEPS, NULL);
	if (name == NULL || interface == NULL)
		return EINVAL;
	ifp = dlil_find_by_name(curmachine(), name);
	if (ifp == NULL)
		return ENXIO;
	ifnet_retain(ifp);
	note_reference(ifp, CALLER);
	*interface = ifp;
	return 0;
}

static bool
of_family(const struct ifnet *ifp, ifnet_family_t family)
{
	return family == IFNET_FAMILY_ANY || ifp->family == family;
}

errno_t
ifnet_list_get(ifnet_family_t family, ifnet_t **interfaces, u_int32_t *count)
{
	struct nke *m = curmachine();
	struct ifnet *ifp, **list;
	uint32_t n = 0;

	KPI_RULES(KPI_SLEEPS, NULL);
	if (interfaces == NULL || count == NULL)
		return EINVAL;
	TAILQ_FOREACH(ifp, dlil_interfaces(m), link)
		n += of_family(ifp, family);
	if (n == 0)
		return ENXIO;
	list = kalloc(m, (n + 1) * sizeof *list);
	if (list == NULL)
		return ENOMEM;
	n = 0;
	TAILQ_FOREACH(ifp, dlil_interfaces(m), link) {
		if (!of_family(ifp, family))
			continue;
		ifnet_retain(ifp);
		note_reference(ifp, CALLER);
		list[n++] = ifp;
	}
	*interfaces = list;
	*count = n;
	return 0;
}

void
ifnet_list_free(ifnet_t *interfaces)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	if (interfaces == NULL)
		return;
	for (ifnet_t *p = interfaces; *p != NULL; p++)
		(void)ifnet_release(*p);
	kfree(curmachine(), interfaces);
}

/* ---- protocols ---------------------------------------------------------------------------- */

static errno_t
attach_protocol(struct ifnet *ifp, protocol_family_t family, const struct if_proto *params,
    const struct ifnet_demux_desc *descs, uint32_t count, void *pc)
{
	struct if_proto *p;
	errno_t error;

	sched_preempt_point();
	error = dlil_attach_proto(ifp, family, params, descs, count);
	if (error != 0)
		return error;
	/* Those who heard of it may have detached it already. */
	p = dlil_find_proto(ifp, family);
	if (p != NULL && p->ledger.kext == NULL && p->owner == params->owner)
		ledger_enter(ifp->machine, &p->ledger, LEDGER_PROTOCOL, pc);
	return 0;
}

errno_t
ifnet_attach_protocol(ifnet_t interface, protocol_family_t family,
    const struct ifnet_attach_proto_param *details)
{
	struct if_proto params = {.owner = gate_kext()};

	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	if (interface == NULL || family == 0 || details == NULL)
		return EINVAL;
	params.input = details->input;
	params.pre_output = details->pre_output;
	params.event = details->event;
	params.ioctl = details->ioctl;
	params.detached_fn = details->detached;
	params.resolve_multi = details->resolve;
	params.send_arp = details->send_arp;
	return attach_protocol(interface, family, &params, details->demux_array, details->demux_count,
	    CALLER);
}

errno_t
ifnet_attach_protocol_v2(ifnet_t interface, protocol_family_t family,
    const struct ifnet_attach_proto_param_v2 *details)
{
	struct if_proto params = {.owner = gate_kext(), .v2 = true};

	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	if (interface == NULL || family == 0 || details == NULL)
		return EINVAL;
	params.input_v2 = details->input;
	params.pre_output = details->pre_output;
	params.event = details->event;
	params.ioctl = details->ioctl;
	params.detached_fn = details->detached;
	params.resolve_multi = details->resolve;
	params.send_arp = details->send_arp;
	return attach_protocol(interface, family, &params, details->demux_array, details->demux_count,
	    CALLER);
}

errno_t
ifnet_detach_protocol(ifnet_t interface, protocol_family_t family)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_INTERFACE, interface);
	if (interface == NULL || family == 0)
		return EINVAL;
	return dlil_detach_proto(interface, family);
}

/* ---- packets, ioctls, events -------------------------------------------------------------- */

errno_t
ifnet_input(ifnet_t interface, mbuf_t first_packet, const struct ifnet_stat_increment_param *stats)
{
	take_packets(first_packet);
	return dlil_input(interface, first_packet, stats);
}

errno_t
ifnet_output(ifnet_t interface, protocol_family_t family, mbuf_t packet, void *route,
    const struct sockaddr *dest)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	take_packets(packet);
	if (interface == NULL || family == 0 || packet == NULL) {
		m_freem_list(packet);
		return EINVAL;
	}
	return dlil_output(interface, family, packet, route, dest, false);
}

errno_t
ifnet_output_raw(ifnet_t interface, protocol_family_t family, mbuf_t packet)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	take_packets(packet);
	if (interface == NULL || packet == NULL) {
		m_freem_list(packet);
		return EINVAL;
	}
	return dlil_output(interface, family, packet, NULL, NULL, true);
}

errno_t
ifnet_ioctl(ifnet_t interface, protocol_family_t family, unsigned long ioctl_code, void *ioctl_arg)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return dlil_ioctl(interface, family, ioctl_code, ioctl_arg);
}

errno_t
ifnet_event(ifnet_t interface, struct kern_event_msg *event)
{
	struct kev_msg msg;

	KPI_RULES(KPI_SLEEPS, NULL);
	if (interface == NULL || event == NULL)
		return EINVAL;
	memset(&msg, 0, sizeof msg);
	msg.vendor_code = event->vendor_code;
	msg.kev_class = event->kev_class;
	msg.kev_subclass = event->kev_subclass;
	msg.event_code = event->event_code;
	msg.dv[0].data_ptr = &event->event_data;
	msg.dv[0].data_length = event->total_size - (uint32_t)KEV_MSG_HEADER_SIZE;
	return dlil_post(interface, &msg);
}
