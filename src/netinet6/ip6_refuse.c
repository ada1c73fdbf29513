/*
 * What a receiver does about headers that it cannot go on with (RFC 8200 4, RFC 4443 3.4): counts them, and
 * tells the sender where it got stuck, when the header or option is one about which the sender wants to
 * know.
 *
 * Called by ip6_input and ip6_forward, off the packet path proper.
 */
#include <netinet/icmp6.h>

#include "src/kern/trace.h"
#include "src/netinet6/ip6_state.h"

static void
parameter_problem(struct nke *machine, struct mbuf *m, uint8_t code, size_t pointer)
{
	icmp6_error(machine, m, ICMP6_PARAM_PROB, code, (uint32_t)pointer);
}

/* RFC 8200 4.2: the two upper bits of the type say what the sender wants. */
static void
refuse_option(struct nke *machine, struct mbuf *m, size_t at, uint8_t type)
{
	bool group = IN6_IS_ADDR_MULTICAST(ip6_destination(m));

	switch (IP6OPT_TYPE(type)) {
	case IP6OPT_TYPE_FORCEICMP:
		parameter_problem(machine, m, ICMP6_PARAMPROB_OPTION, at);
		break;
	case IP6OPT_TYPE_ICMP:
		if (!group) {
			parameter_problem(machine, m, ICMP6_PARAMPROB_OPTION, at);
			break;
		}
		m_freem(m);
		break;
	case IP6OPT_TYPE_SKIP:		/* known, but malformed */
		parameter_problem(machine, m, ICMP6_PARAMPROB_HEADER, at);
		break;
	default:
		m_freem(m);
		break;
	}
}

void
ip6_refuse_extension(struct nke *machine, struct mbuf *m, const struct ip6_place *p)
{
	u_quad_t *counter = &machine->ip6->stat.ip6s_badoptions;
	struct ip6_place here = *p;
	uint8_t type = 0;
	size_t at;

	if (machine->replay != NULL || !ip6_step(m, &here)) {
		ip6_refuse(machine, m, counter);
		return;
	}
	(*counter)++;
	TRACE(machine, IP_DROP, m, offsetof(struct ip6stat, ip6s_badoptions), 0);
	if (p->next == IPPROTO_ROUTING) {
		/* RFC 8200 4.4: segments are left of a type that is not known (RFC 5095: type 0 too). */
		parameter_problem(machine, m, ICMP6_PARAMPROB_HEADER,
		    p->off + offsetof(struct ip6_rthdr, ip6r_type));
		return;
	}
	if (p->next == IPPROTO_HOPOPTS && p->named_at != offsetof(struct ip6_hdr, ip6_nxt)) {
		parameter_problem(machine, m, ICMP6_PARAMPROB_NEXTHEADER, p->named_at);
		return;
	}
	at = ip6_options_fault(m, p->off, &type);
	if (at == 0)
		m_freem(m);
	else
		refuse_option(machine, m, at, type);
}

void
ip6_no_transport(struct nke *machine, struct mbuf *m, const struct ip6_place *p)
{
	/* Nothing behind "no next header" is looked at (RFC 8200 4.7); BSD counts no other case. */
	if (p->next == IPPROTO_NONE)
		m_freem(m);
	else
		parameter_problem(machine, m, ICMP6_PARAMPROB_NEXTHEADER, p->named_at);
}
