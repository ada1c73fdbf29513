/* IGMP inside the core: its state. See igmp.c. */
#ifndef NKE_NETINET_IGMP_PRIVATE_H
#define NKE_NETINET_IGMP_PRIVATE_H

#include <netinet/igmp.h>
#include <netinet/igmp_var.h>

#include "src/netinet/in_report.h"

struct igmp_state {
	struct igmpstat_v3 stat;
	struct reporter reporter;
	/* net.inet.igmp.* */
	int v1_enable, v2_enable;	/* whether routers of these versions are taken notice of */
	int send_ra;			/* sendra: with the router alert option */
	int send_local;			/* sendlocal: groups 224.0.0.* are reported too */
};

/* BSD's counters. */
struct igmpstat_v3 *igmp_statistics(struct nke *);
/* An IPv4 address came or goes. */
void igmp_address_changed(struct ifaddr *, bool added);
/* An interface goes; its groups have gone already. */
void igmp_interface_gone(struct nke *, struct ifnet *);

#endif
