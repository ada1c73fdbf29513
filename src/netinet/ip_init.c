/*
 * IPv4 of a machine: its state, its registration with DLIL and the IP filter engine, and the
 * helpers that its files share (ip_state.h).
 */
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include "dlil/dlil.h"
#include "ipfilter/ipfilter.h"
#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_bounded.h"
#include "src/kern/trace.h"
#include "src/net/replay.h"
#include "src/netinet/igmp_private.h"
#include "src/netinet/ip_state.h"
#include "src/netinet/tcp_gso.h"

#define IP_REASS_LIFETIME	(UINT64_C(30) * 1000000000)	/* fixed: RFC 1122 3.3.2 */

struct ipstat *
ip_statistics(struct nke *machine)
{
	return &machine->ip->stat;
}

void
ip_set_transport(struct nke *machine, int family, uint8_t protocol, const struct ip_transport *t)
{
	if (family == AF_INET)
		machine->ip->transport[protocol] = t;
	else
		ip6_set_transport(machine, protocol, t);
}

/* ---- packets ------------------------------------------------------------------------------ */

__attribute__((cold)) void
ip_refuse(struct nke *machine, struct mbuf *m, uint32_t *counter)
{
	(*counter)++;
	TRACE(machine, IP_DROP, m, (char *)counter - (char *)&machine->ip->stat, 0);
	if (m->m_pkthdr.origin != NULL)
		replay_refused(machine, m);
	else
		m_freem(m);
}

/* ---- life --------------------------------------------------------------------------------- */

static void
ip_count_dropped(struct nke *machine, uint32_t fragments)
{
	machine->ip->stat.ips_fragdropped += fragments;
}

static void
ip_count_timed_out(struct nke *machine, uint32_t fragments)
{
	machine->ip->stat.ips_fragtimeout += fragments;
}

/* RFC 1122 3.3.2: the sender is told, by the first fragment. */
static void
ip_fragment_expired(struct nke *machine, struct mbuf *first)
{
	icmp_error(machine, first, ICMP_TIMXCEED, ICMP_TIMXCEED_REASS, 0);
}

static const struct reass_counters ip_reass_counters = {
	.dropped = ip_count_dropped, .timed_out = ip_count_timed_out, .expired = ip_fragment_expired
};

static void
ip_forget_ours(struct ip_state *s)
{
	if (s->last_ours != NULL)
		ifaddr_drop(s->last_ours);
	s->last_ours = NULL;
}

static void
ip_interface_detached(struct nke *machine, struct ifnet *ifp)
{
	struct ip_state *s = machine->ip;

	if (s->last_ours != NULL && s->last_ours->ifp == ifp)
		ip_forget_ours(s);
	ipf_interface_detached(machine, ifp);
	in_multi_interface_gone(machine, ifp);
	igmp_interface_gone(machine, ifp);
	reass_interface_detached(&s->reass, ifp);
}

static const struct net_proto ip_net_proto = {
	.family = PF_INET,
	.input = ip_input,
	.play_output = ip_play_output,
	.fragment = ip_fragment,
	.interface_detached = ip_interface_detached,
	.address_changed = igmp_address_changed,
	.finish_cksum = in_finalize_cksum, .cut = tcp_gso_cut
};

static const struct ipf_protocol ip_ipf_protocol = {
	.input = ip_inject_receive, .output = ip_inject_send
};

static errno_t
add_sysctls(struct nke *machine, struct ip_state *s)
{
	static const struct sysctl_bounded switches[] = {
		{IPCTL_FORWARDING, "forwarding", offsetof(struct ip_state, forwarding), 0, 1},
		{IPCTL_SENDREDIRECTS, "redirect", offsetof(struct ip_state, send_redirects), 0, 1},
		{IPCTL_DEFTTL, "ttl", offsetof(struct ip_state, default_ttl), 1, MAXTTL},
		{IPCTL_SOURCEROUTE, "sourceroute", offsetof(struct ip_state, source_route), 0, 1},
		{IPCTL_ACCEPTSOURCEROUTE, "accept_sourceroute",
		    offsetof(struct ip_state, accept_source_route), 0, 1},
		{OID_AUTO, "maxfragpackets", offsetof(struct ip_state, reass.max_queues), 0,
		    (int)REASS_QUEUES},
		{OID_AUTO, "maxfragsperpacket", offsetof(struct ip_state, reass.max_per_queue), 1,
		    (int)REASS_PER_QUEUE},
		{.name = NULL}
	};
	errno_t error = sysctl_add(machine, &sysctl__net_inet_ip_children, IPCTL_STATS, "stats",
	    CTLTYPE_OPAQUE | CTLFLAG_RD, &s->stat, sizeof s->stat, in_sysctl_struct, "S,ipstat");

	return error != 0 ? error :
	    sysctl_add_bounded(machine, &sysctl__net_inet_ip_children, switches, s);
}

static errno_t
ip_init(struct nke *machine)
{
	struct ip_state *s = kalloc(machine, sizeof *s);
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	machine->ip = s;
	s->id = (uint16_t)prng_u32(machine);
	s->id_key = (uint16_t)prng_u32(machine);
	s->default_ttl = IPDEFTTL;
	s->send_redirects = 1;
	s->forward_route.ro_noclone = true;
	reass_init(&s->reass, machine, IP_REASS_LIFETIME, false, &ip_reass_counters);
	error = add_sysctls(machine, s);
	if (error == 0)
		error = dlil_register_net_proto(machine, &ip_net_proto);
	if (error != 0) {
		kfree(machine, s);
		machine->ip = NULL;
		return error;
	}
	ipf_set_protocol(machine, AF_INET, &ip_ipf_protocol);
	return 0;
}

static void
ip_quiesce(struct nke *machine)
{
	route_clear(&machine->ip->forward_route);
	reass_stop(&machine->ip->reass);
	ip_forget_ours(machine->ip);
}

static void
ip_fini(struct nke *machine)
{
	kfree(machine, machine->ip);
	machine->ip = NULL;
}

extern const struct subsystem ip_subsystem;
const struct subsystem ip_subsystem = {
	.name = "ip", .init = ip_init, .quiesce = ip_quiesce, .fini = ip_fini
};
