/* IPv6 of a machine: its state, its registration with DLIL and the IP filter engine. */
#include <netinet/icmp6.h>
#include <sys/socket.h>

#include "dlil/dlil.h"
#include "ipfilter/ipfilter.h"
#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_bounded.h"
#include "src/kern/trace.h"
#include "src/net/replay.h"
#include "src/netinet/tcp_gso.h"
#include "src/netinet6/ip6_state.h"
#include "src/netinet6/mld6_private.h"

#define IP6_REASS_LIFETIME	(UINT64_C(60) * 1000000000)	/* RFC 8200 4.5 */

struct ip6stat *
ip6_statistics(struct nke *machine)
{
	return &machine->ip6->stat;
}

void
ip6_set_transport(struct nke *machine, uint8_t protocol, const struct ip_transport *t)
{
	machine->ip6->transport[protocol] = t;
}

__attribute__((cold)) void
ip6_refuse(struct nke *machine, struct mbuf *m, u_quad_t *counter)
{
	(*counter)++;
	TRACE(machine, IP_DROP, m, (char *)counter - (char *)&machine->ip6->stat, 0);
	if (m->m_pkthdr.origin != NULL)
		replay_refused(machine, m);
	else
		m_freem(m);
}

static void
ip6_count_dropped(struct nke *machine, uint32_t fragments)
{
	machine->ip6->stat.ip6s_fragdropped += fragments;
}

static void
ip6_count_timed_out(struct nke *machine, uint32_t fragments)
{
	machine->ip6->stat.ip6s_fragtimeout += fragments;
}

/* RFC 8200 4.5: the sender is told, by the first fragment. */
static void
ip6_fragment_expired(struct nke *machine, struct mbuf *first)
{
	icmp6_error(machine, first, ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_REASSEMBLY, 0);
}

static const struct reass_counters ip6_reass_counters = {
	.dropped = ip6_count_dropped, .timed_out = ip6_count_timed_out,
	.expired = ip6_fragment_expired
};

static void
ip6_forget_ours(struct ip6_state *s)
{
	if (s->last_ours != NULL)
		ifaddr_drop(s->last_ours);
	s->last_ours = NULL;
}

static void
ip6_interface_detached(struct nke *machine, struct ifnet *ifp)
{
	struct ip6_state *s = machine->ip6;

	if (s->last_ours != NULL && s->last_ours->ifp == ifp)
		ip6_forget_ours(s);
	reass_interface_detached(&s->reass, ifp);
	mld_interface_gone(machine, ifp);
}

static const struct net_proto ip6_net_proto = {
	.family = PF_INET6,
	.input = ip6_input,
	.play_output = ip6_play_output,
	.fragment = ip6_fragment,
	.interface_detached = ip6_interface_detached,
	.finish_cksum = in6_finalize_cksum, .cut = tcp_gso_cut
};

static const struct ipf_protocol ip6_ipf_protocol = {
	.input = ip6_inject_receive, .output = ip6_inject_send
};

static errno_t
add_sysctls(struct nke *machine, struct ip6_state *s)
{
	static const struct sysctl_bounded switches[] = {
		{IPV6CTL_FORWARDING, "forwarding", offsetof(struct ip6_state, forwarding), 0, 1},
		{IPV6CTL_SENDREDIRECTS, "redirect", offsetof(struct ip6_state, send_redirects), 0, 1},
		{IPV6CTL_DEFHLIM, "hlim", offsetof(struct ip6_state, default_hlim), 1, IPV6_MAXHLIM},
		{IPV6CTL_MAXFRAGPACKETS, "maxfragpackets", offsetof(struct ip6_state, reass.max_queues),
		    0, (int)REASS_QUEUES},
		{.name = NULL}
	};
	errno_t error = sysctl_add(machine, &sysctl__net_inet6_ip6_children, IPV6CTL_STATS, "stats",
	    CTLTYPE_OPAQUE | CTLFLAG_RD, &s->stat, sizeof s->stat, in_sysctl_struct, "S,ip6stat");

	return error != 0 ? error :
	    sysctl_add_bounded(machine, &sysctl__net_inet6_ip6_children, switches, s);
}

static errno_t
ip6_init(struct nke *machine)
{
	struct ip6_state *s = kalloc(machine, sizeof *s);
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	machine->ip6 = s;
	s->id = prng_u32(machine);
	s->id_key = prng_u32(machine);
	s->default_hlim = IPV6_DEFHLIM;
	s->send_redirects = 1;
	s->forward_route.ro_noclone = true;
	reass_init(&s->reass, machine, IP6_REASS_LIFETIME, true, &ip6_reass_counters);
	error = add_sysctls(machine, s);
	if (error == 0)
		error = dlil_register_net_proto(machine, &ip6_net_proto);
	if (error != 0) {
		kfree(machine, s);
		machine->ip6 = NULL;
		return error;
	}
	ipf_set_protocol(machine, AF_INET6, &ip6_ipf_protocol);
	return 0;
}

static void
ip6_quiesce(struct nke *machine)
{
	route_clear(&machine->ip6->forward_route);
	reass_stop(&machine->ip6->reass);
	ip6_forget_ours(machine->ip6);
}

static void
ip6_fini(struct nke *machine)
{
	kfree(machine, machine->ip6);
	machine->ip6 = NULL;
}

extern const struct subsystem ip6_subsystem;
const struct subsystem ip6_subsystem = {
	.name = "ip6", .init = ip6_init, .quiesce = ip6_quiesce, .fini = ip6_fini
};
