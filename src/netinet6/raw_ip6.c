/*
 * Raw IPv6 sockets (RFC 3542): what is behind the IPv6 headers, of one protocol or of every one; and ICMPv6
 * datagram sockets, of which src/netinet/icmp_dgram.c says how they work.
 *
 * Way in: rip6_input, called by ICMPv6 with what it has done with, and by IP with what no transport
 * takes. The user gets no header; ancillary data say what was in it. Way out: pru_send; the IPv6 header is
 * always made here.
 *
 * Checksums (RFC 3542 section 3.1): ICMPv6's is always made here; with IPV6_CHECKSUM also one at that offset
 * of the data, which then is checked in what comes. ICMP6_FILTER (section 3.2) says which types come.
 *
 * Limits: raw sockets take privilege; buffers of RAW_SPACE bytes by default.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/netinet/raw_private.h"

#define ICMP6_SUM_OFFSET	2

static const struct echo_kind echo_inet6 = {
	.protocol = IPPROTO_ICMPV6, .vflag = INP_IPV6, .request = ICMP6_ECHO_REQUEST,
	.reply = ICMP6_ECHO_REPLY
};

/* ---- in ----------------------------------------------------------------------------------- */

static bool
sum_good(const struct raw_in *in, const struct mbuf *m)
{
	size_t len = (size_t)(m->m_pkthdr.len - in->off);
	uint32_t pseudo = in6_pseudo(&in->ends.faddr, &in->ends.laddr, in->protocol, (uint32_t)len);

	return in_cksum_sum(m, (size_t)in->off, len, pseudo) == 0xffff;
}

static bool
rip6_matches(const struct raw_in *in, const struct inpcb *inp, const struct mbuf *m)
{
	const struct in_ends *e = &in->ends;
	uint8_t type;

	if (!raw_protocol_fits(in, inp) || !raw_addresses_fit(in, inp))
		return false;
	if (in->multicast && in_mcast_find(inp, e->ifp, AF_INET6, &e->laddr) != NULL &&
	    !in_mcast_wanted(inp, e->ifp, AF_INET6, &e->laddr, &e->faddr))
		return false;
	if (inptoraw(inp)->protocol == IPPROTO_ICMPV6)
		return m_copydata(m, (size_t)in->off, sizeof type, &type) == 0 &&
		    ICMP6_FILTER_WILLPASS(type, &inptoraw(inp)->filter6);
	return inptoraw(inp)->cksum6 < 0 || sum_good(in, m);
}

static void
rip6_give(const struct raw_in *in, struct inpcb *inp, struct mbuf *m)
{
	/* IPv6 has no counter for a full socket. */
	(void)raw_append(in, inp, m, in->off);
}

bool
rip6_wants(const struct nke *machine, uint8_t protocol)
{
	const struct rip6_state *s = machine->rip6;

	return s != NULL && (s->raw.any != 0 || s->raw.wanted[protocol] != 0 ||
	    (protocol == IPPROTO_ICMPV6 && s->echo.count != 0));
}

void
rip6_input(struct nke *machine, struct mbuf *m, int off, uint8_t protocol)
{
	struct raw_in in = {
		.machine = machine, .off = off, .protocol = protocol, .ends.vflag = INP_IPV6
	};

	if (!rip6_wants(machine, protocol)) {
		m_freem(m);
		return;
	}
	memcpy(&in.ends.faddr, m->m_data + offsetof(struct ip6_hdr, ip6_src), sizeof in.ends.faddr);
	memcpy(&in.ends.laddr, m->m_data + offsetof(struct ip6_hdr, ip6_dst), sizeof in.ends.laddr);
	in.ends.ifp = m->m_pkthdr.rcvif;
	in.multicast = IN6_IS_ADDR_MULTICAST(&in.ends.laddr);
	if (protocol == IPPROTO_ICMPV6)
		echo_input(&machine->rip6->echo, &echo_inet6, &in, m);
	(void)raw_deliver(&machine->rip6->raw, &in, m, rip6_matches, rip6_give);
}

/* ---- out ---------------------------------------------------------------------------------- */

/* Puts the checksum in at `field` of the data behind the IPv6 header. EINVAL: it does not lie in them. */
static errno_t
make_sum(const struct in_out *o, struct mbuf *m, int field)
{
	const size_t off = sizeof(struct ip6_hdr), len = (size_t)m->m_pkthdr.len - off;
	uint16_t sum = 0;

	if ((size_t)field + sizeof sum > len)
		return EINVAL;
	if (m_copyback(m, off + (size_t)field, sizeof sum, &sum, MBUF_DONTWAIT) != 0)
		return ENOBUFS;
	sum = (uint16_t)~in_cksum_sum(m, off, len, in6_pseudo(&o->source, &o->to.addr,
	    (uint8_t)inptoraw(o->inp)->protocol, (uint32_t)len));
	if (m_copyback(m, off + (size_t)field, sizeof sum, &sum, MBUF_DONTWAIT) != 0)
		return ENOBUFS;
	return 0;
}

static errno_t
rip6_output(struct in_out *o, struct mbuf *m)
{
	struct inpcb *inp = o->inp;
	struct ip_sender s = in_out_sender(o);
	bool multicast = IN6_IS_ADDR_MULTICAST(&o->to.addr);
	int hops = in_out_hops(o, multicast), tclass = o->ctl->tos >= 0 ? o->ctl->tos : inp->inp_tclass;
	int field = inptoraw(inp)->protocol == IPPROTO_ICMPV6 ? ICMP6_SUM_OFFSET : inptoraw(inp)->cksum6;
	struct ip6_options headers;
	struct ip6_hdr *ip6;
	errno_t error;

	if (m->m_pkthdr.len > IPV6_MAXPACKET) {
		m_freem(m);
		return EMSGSIZE;
	}
	m->m_pkthdr.csum_flags = 0;
	/* The checksum is written into data that others may share. */
	m = in_writable(inp->inp_info->machine, m, (size_t)m->m_len);
	if (m != NULL)
		m = in_out_room(m, sizeof *ip6);
	if (m == NULL)
		return ENOBUFS;
	ip6 = mtod(m, struct ip6_hdr *);
	ip6->ip6_flow = htonl(UINT32_C(6) << 28 | (uint32_t)tclass << 20) | o->to.flowlabel;
	ip6->ip6_plen = htons((uint16_t)(m->m_pkthdr.len - (int)sizeof *ip6));
	ip6->ip6_nxt = (u_int8_t)inptoraw(inp)->protocol;
	ip6->ip6_hlim = (u_int8_t)(hops < 0 ? 0 : hops);	/* 0: IP's default */
	ip6->ip6_src = o->source;
	ip6->ip6_dst = o->to.addr;
	if (field >= 0 && (error = make_sum(o, m, field)) != 0) {
		m_freem(m);
		return error;
	}
	in_out_headers(o, &headers);
	s.options6 = &headers;
	s.options_len = 0;
	if (multicast)
		in_out_multicast(o, &s, hops);
	if (in_out_min_mtu(o, multicast))
		s.flags |= IP_OUT_MINMTU;
	return ip6_send(inp->inp_info->machine, m, &s);
}

static errno_t
rip6_send(struct socket *so, int flags, struct mbuf *m, const struct sockaddr *to, struct mbuf *control)
{
	static const struct raw_way way = {INP_IPV6, NULL, rip6_output};

	(void)flags;
	return raw_send(so, &way, m, to, control);
}

static errno_t
echo6_send(struct socket *so, int flags, struct mbuf *m, const struct sockaddr *to, struct mbuf *control)
{
	static const struct raw_way way = {INP_IPV6, &echo_inet6, rip6_output};

	(void)flags;
	return raw_send(so, &way, m, to, control);
}

/* ---- options ------------------------------------------------------------------------------ */

static errno_t
filter_option(struct inpcb *inp, struct sockopt *sopt)
{
	struct icmp6_filter filter;
	errno_t error;

	if (sopt->sopt_name != ICMP6_FILTER)
		return ENOPROTOOPT;
	if (inptoraw(inp)->protocol != IPPROTO_ICMPV6)
		return EINVAL;
	if (sopt->sopt_dir == SOPT_GET)
		return sooptcopyout(sopt, &inptoraw(inp)->filter6, sizeof inptoraw(inp)->filter6);
	error = sooptcopyin(sopt, &filter, sizeof filter, sizeof filter);
	if (error == 0)
		inptoraw(inp)->filter6 = filter;
	return error;
}

static errno_t
checksum_option(struct inpcb *inp, struct sockopt *sopt)
{
	errno_t error;
	int value;

	if (sopt->sopt_dir == SOPT_GET)
		return sooptcopyout_int(sopt, inptoraw(inp)->protocol == IPPROTO_ICMPV6 ? ICMP6_SUM_OFFSET :
		    inptoraw(inp)->cksum6);
	error = sooptcopyin_int(sopt, &value);
	if (error != 0)
		return error;
	/* Its place is an even one, and ICMPv6's is known. */
	if (value > 0 && value % 2 != 0)
		return EINVAL;
	if (inptoraw(inp)->protocol == IPPROTO_ICMPV6)
		return value == ICMP6_SUM_OFFSET ? 0 : EINVAL;
	inptoraw(inp)->cksum6 = value < 0 ? -1 : value;
	return 0;
}

static errno_t
rip6_ctloutput(struct socket *so, struct sockopt *sopt)
{
	struct inpcb *inp = sotoinpcb(so);

	if (inp == NULL)
		return EINVAL;
	if (sopt->sopt_level == IPPROTO_ICMPV6)
		return filter_option(inp, sopt);
	if (sopt->sopt_level == IPPROTO_IPV6 && sopt->sopt_name == IPV6_CHECKSUM)
		return checksum_option(inp, sopt);
	return ip6_ctloutput(so, sopt);
}

/* ---- sockets ------------------------------------------------------------------------------ */

static errno_t
rip6_attach(struct socket *so, int protocol)
{
	errno_t error = raw_attach(so, &so->so_machine->rip6->raw, protocol);

	if (error == 0)
		ICMP6_FILTER_SETPASSALL(&sotoraw(so)->filter6);
	return error;
}

static void
rip6_detach(struct socket *so)
{
	raw_detach(so, &so->so_machine->rip6->raw);
}

static errno_t
echo6_attach(struct socket *so, int protocol)
{
	(void)protocol;
	return echo_attach(so, &so->so_machine->rip6->echo);
}

static const struct pr_usrreqs rip6_usrreqs = {
	.pru_attach = rip6_attach,
	.pru_detach = rip6_detach,
	.pru_bind = raw_bind,
	.pru_send = rip6_send,
	RAW_USRREQS
};

static const struct pr_usrreqs echo6_usrreqs = {
	.pru_attach = echo6_attach,
	.pru_detach = echo_detach,
	.pru_bind = echo_bind,
	.pru_send = echo6_send,
	RAW_USRREQS
};

static const struct protosw protocols[] = {
	{
		.pr_type = SOCK_RAW,
		.pr_flags = PR_ATOMIC | PR_ADDR,
		.pr_sndspace = RAW_SPACE,
		.pr_rcvspace = RAW_SPACE,
		.pr_usrreqs = &rip6_usrreqs,
		.pr_ctloutput = rip6_ctloutput
	}, {
		.pr_type = SOCK_DGRAM,
		.pr_protocol = IPPROTO_ICMPV6,
		.pr_flags = PR_ATOMIC | PR_ADDR,
		.pr_sndspace = RAW_SPACE,
		.pr_rcvspace = RAW_SPACE,
		.pr_usrreqs = &echo6_usrreqs,
		.pr_ctloutput = ip6_ctloutput
	}
};

/* ---- life --------------------------------------------------------------------------------- */

static errno_t
rip6_init(struct nke *machine)
{
	struct rip6_state *s = kalloc(machine, sizeof *s);
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	error = in_pcbinfo_init_sized(machine, &s->raw.pcbs, 0, sizeof(struct raw_pcb));
	if (error == 0)
		error = in_pcbinfo_init_sized(machine, &s->echo, IPPROTO_ICMPV6, sizeof(struct raw_pcb));
	for (unsigned i = 0; i < sizeof protocols / sizeof protocols[0] && error == 0; i++)
		error = net_add_proto(machine, PF_INET6, &protocols[i]);
	if (error != 0) {
		in_pcbinfo_fini(&s->raw.pcbs);
		in_pcbinfo_fini(&s->echo);
		kfree(machine, s);
		return error;
	}
	machine->rip6 = s;
	return 0;
}

static void
rip6_quiesce(struct nke *machine)
{
	in_pcbinfo_empty(&machine->rip6->raw.pcbs);
	in_pcbinfo_empty(&machine->rip6->echo);
}

static void
rip6_fini(struct nke *machine)
{
	in_pcbinfo_fini(&machine->rip6->raw.pcbs);
	in_pcbinfo_fini(&machine->rip6->echo);
	kfree(machine, machine->rip6);
	machine->rip6 = NULL;
}

extern const struct subsystem rip6_subsystem;
const struct subsystem rip6_subsystem = {
	.name = "rip6", .init = rip6_init, .quiesce = rip6_quiesce, .fini = rip6_fini
};
