/* net/kpi_protocol.h: plumbers, and packets for the network protocols. */
#include <net/kpi_protocol.h>
#include <netinet/in.h>

#include "dlil/dlil.h"
#include "src/kern/gate.h"
#include "src/kern/kpi_rule.h"
#include "src/kern/panic.h"

errno_t
proto_register_plumber(protocol_family_t proto_fam, ifnet_family_t if_fam,
    proto_plumb_handler plumb, proto_unplumb_handler unplumb)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_PLUMBERS, NULL);
	return dlil_register_plumber(curmachine(), proto_fam, if_fam, plumb, unplumb, gate_kext(),
	    __builtin_return_address(0));
}

void
proto_unregister_plumber(protocol_family_t proto_fam, ifnet_family_t if_fam)
{
	KPI_RULES(KPI_SLEEPS | KPI_LOCKS_PLUMBERS, NULL);
	dlil_unregister_plumber(curmachine(), proto_fam, if_fam);
}

/* IPv4 takes the list as it is, IPv6 one packet at a time. */
static void
input_list(struct nke *m, const struct net_proto *np, struct mbuf *list)
{
	struct mbuf *next;

	if (np->family != PF_INET6) {
		np->input(m, list);
		return;
	}
	for (; list != NULL; list = next) {
		next = list->m_nextpkt;
		list->m_nextpkt = NULL;
		np->input(m, list);
	}
}

errno_t
proto_input(protocol_family_t protocol, mbuf_t packet)
{
	struct nke *machine = curmachine();
	const struct net_proto *np = dlil_net_proto(machine, protocol);

	KPI_RULES(KPI_SLEEPS, NULL);
	if (np == NULL)
		return -1;
	for (struct mbuf *m = packet; m != NULL; m = m->m_nextpkt) {
		KASSERTX((m->m_flags & M_PKTHDR) && (m->m_pkthdr.rcvif != NULL || protocol != PF_INET),
		    "proto_input: a packet without receive interface (mbuf_pkthdr_setrcvif sets it)");
		m->m_pkthdr.origin = NULL;	/* even if it was a captured frame once */
		if (machine->checked)
			m_set_owner(m, NULL, NULL);
	}
	if (packet != NULL)
		input_list(machine, np, packet);
	return 0;
}

errno_t
proto_inject(protocol_family_t protocol, mbuf_t packet)
{
	struct nke *machine = curmachine();
	errno_t error = dlil_inject(machine, protocol, packet);

	KPI_RULES(KPI_SLEEPS, NULL);
	if (error == 0 && machine->checked)
		for (struct mbuf *m = packet; m != NULL; m = m->m_nextpkt)
			m_set_owner(m, NULL, NULL);
	return error;
}
