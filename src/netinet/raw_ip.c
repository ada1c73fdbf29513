/*
 * Raw IPv4 sockets: whole datagrams of one protocol, or of every one (protocol 0).
 *
 * Way in: rip_input, called by ICMP and IGMP with what they have done with, and by IP with what no
 * transport takes. Way out: pru_send; the IP header is made here, or with IP_HDRINCL by the user.
 *
 * Interface facts: the header that a user sees or makes has ip_len and ip_off in host byte order; in what
 * is received, ip_len is without the header's own length. With IP_HDRINCL a length in network order is
 * understood too; ip_id 0 and an unspecified source are filled in.
 *
 * What IPv6 does alike is in raw_usrreq.c, limits as well.
 */
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/prng.h"
#include "src/kern/sysctl_bounded.h"
#include "src/netinet/raw_private.h"

/* ---- in ----------------------------------------------------------------------------------- */

static bool
rip_matches(const struct raw_in *in, const struct inpcb *inp, const struct mbuf *m)
{
	const void *group = &in->ends.laddr.s6_addr32[3], *source = &in->ends.faddr.s6_addr32[3];

	(void)m;
	if (!raw_protocol_fits(in, inp) || !raw_addresses_fit(in, inp))
		return false;
	/* A member hears what it wants to; who never joined hears everything. */
	return !in->multicast || in_mcast_find(inp, in->ends.ifp, AF_INET, group) == NULL ||
	    in_mcast_wanted(inp, in->ends.ifp, AF_INET, group, source);
}

static void
rip_give(const struct raw_in *in, struct inpcb *inp, struct mbuf *m)
{
	if (!raw_append(in, inp, m, inp->inp_flags & INP_STRIPHDR ? in->off : 0))
		ip_statistics(in->machine)->ips_raw_sappend_fail++;
}

bool
rip_wants(const struct nke *machine, uint8_t protocol)
{
	const struct rip_state *s = machine->rip;

	return s != NULL && (s->raw.any != 0 || s->raw.wanted[protocol] != 0 ||
	    (protocol == IPPROTO_ICMP && s->echo.count != 0));
}

/* As raw sockets see it. NULL: no memory. */
static struct mbuf *
header_for_user(struct nke *machine, struct mbuf *m, int off)
{
	struct ip *ip;

	m = in_writable(machine, m, (size_t)off);
	if (m == NULL)
		return NULL;
	ip = mtod(m, struct ip *);
	ip->ip_len = (u_short)(ntohs(ip->ip_len) - off);
	ip->ip_off = ntohs(ip->ip_off);
	return m;
}

void
rip_input(struct nke *machine, struct mbuf *m, int off, uint8_t protocol)
{
	struct raw_in in = {
		.machine = machine, .off = off, .protocol = protocol, .ends.vflag = INP_IPV4
	};
	const struct ip *ip;

	if (!rip_wants(machine, protocol) || (m = header_for_user(machine, m, off)) == NULL) {
		m_freem(m);
		return;
	}
	ip = mtod(m, const struct ip *);
	in.ends.faddr = in6_from4(ip->ip_src.s_addr);
	in.ends.laddr = in6_from4(ip->ip_dst.s_addr);
	in.ends.ifp = m->m_pkthdr.rcvif;
	in.multicast = IN_MULTICAST(ntohl(ip->ip_dst.s_addr));
	if (protocol == IPPROTO_ICMP)
		echo_input(&machine->rip->echo, &echo_inet, &in, m);
	(void)raw_deliver(&machine->rip->raw, &in, m, rip_matches, rip_give);
}

/* ---- out ---------------------------------------------------------------------------------- */

/* IP_HDRINCL: what the user made is checked and put into network order. */
static errno_t
users_header(const struct in_out *o, struct mbuf **mp)
{
	struct mbuf *m = *mp;
	struct ip *ip;
	bool host;

	if (m->m_pkthdr.len < (int)sizeof *ip || o->inp->inp_options_len != 0)
		return EINVAL;
	if (m->m_len < (int)sizeof *ip && (*mp = m = m_pullup(m, sizeof *ip)) == NULL)
		return ENOBUFS;
	*mp = m = in_writable(o->inp->inp_info->machine, m, sizeof *ip);
	if (m == NULL)
		return ENOBUFS;
	ip = mtod(m, struct ip *);
	host = ip->ip_len == m->m_pkthdr.len;
	if ((!host && ntohs(ip->ip_len) != m->m_pkthdr.len) || ip->ip_hl << 2 < (int)sizeof *ip ||
	    ip->ip_hl << 2 > m->m_pkthdr.len)
		return EINVAL;
	ip->ip_len = htons((uint16_t)m->m_pkthdr.len);
	if (host)
		ip->ip_off = htons(ip->ip_off);
	if (ip->ip_id == 0)
		ip->ip_id = (u_short)prng_u32(o->inp->inp_info->machine);
	if (ip->ip_src.s_addr == INADDR_ANY)
		ip->ip_src.s_addr = o->source.s6_addr32[3];
	return 0;
}

static errno_t
own_header(const struct in_out *o, struct mbuf **mp, const struct ip_sender *s, int hops)
{
	struct mbuf *m = *mp;
	struct ip *ip;

	if ((size_t)m->m_pkthdr.len + sizeof *ip + s->options_len > IP_MAXPACKET)
		return EMSGSIZE;
	*mp = m = in_out_room(m, sizeof *ip);
	if (m == NULL)
		return ENOBUFS;
	ip = mtod(m, struct ip *);
	memset(ip, 0, sizeof *ip);
	*(uint8_t *)ip = IP_VHL_BORING;
	ip->ip_tos = (u_char)(o->ctl->tos >= 0 ? o->ctl->tos : o->inp->inp_tos);
	ip->ip_len = htons((uint16_t)m->m_pkthdr.len);
	ip->ip_off = s->flags & IP_OUT_DONTFRAG ? htons(IP_DF) : 0;
	ip->ip_ttl = (u_char)hops;
	ip->ip_p = (u_char)inptoraw(o->inp)->protocol;
	ip->ip_src.s_addr = o->source.s6_addr32[3];
	ip->ip_dst.s_addr = o->to.addr.s6_addr32[3];
	return 0;
}

errno_t
rip_output(struct in_out *o, struct mbuf *m)
{
	struct ip_sender s = in_out_sender(o);
	bool multicast = IN_MULTICAST(ntohl(o->to.addr.s6_addr32[3]));
	int hops = in_out_hops(o, multicast);
	errno_t error;

	m->m_pkthdr.csum_flags = 0;
	if (o->inp->inp_flags & INP_HDRINCL) {
		s.flags |= IP_OUT_RAW;
		s.options_len = 0;
		error = users_header(o, &m);
	} else {
		error = own_header(o, &m, &s, hops);
	}
	if (error != 0) {
		m_freem(m);
		return error;
	}
	if (multicast)
		in_out_multicast(o, &s, hops);
	return ip_send(o->inp->inp_info->machine, m, &s);
}

static errno_t
rip_send(struct socket *so, int flags, struct mbuf *m, const struct sockaddr *to, struct mbuf *control)
{
	static const struct raw_way way = {INP_IPV4, NULL, rip_output};

	(void)flags;
	return raw_send(so, &way, m, to, control);
}

/* ---- life --------------------------------------------------------------------------------- */

static errno_t
rip_attach(struct socket *so, int protocol)
{
	return raw_attach(so, &so->so_machine->rip->raw, protocol);
}

static void
rip_detach(struct socket *so)
{
	raw_detach(so, &so->so_machine->rip->raw);
}

static const struct pr_usrreqs rip_usrreqs = {
	.pru_attach = rip_attach,
	.pru_detach = rip_detach,
	.pru_bind = raw_bind,
	.pru_send = rip_send,
	RAW_USRREQS
};

static const struct protosw rip_proto = {
	.pr_type = SOCK_RAW,
	.pr_flags = PR_ATOMIC | PR_ADDR,
	.pr_sndspace = RAW_SPACE,
	.pr_rcvspace = RAW_SPACE,
	.pr_usrreqs = &rip_usrreqs,
	.pr_ctloutput = ip_ctloutput
};

static const struct sysctl_bounded variables[] = {
	{OID_AUTO, "maxdgram", offsetof(struct rip_state, maxdgram), 1, IP_MAXPACKET},
	{OID_AUTO, "recvspace", offsetof(struct rip_state, recvspace), 1, INT32_MAX},
	{.name = NULL}
};

static errno_t
rip_init(struct nke *machine)
{
	struct rip_state *s = kalloc(machine, sizeof *s);
	errno_t error;

	if (s == NULL)
		return ENOMEM;
	s->maxdgram = s->recvspace = RAW_SPACE;
	error = in_pcbinfo_init_sized(machine, &s->raw.pcbs, 0, sizeof(struct raw_pcb));
	if (error == 0)
		error = in_pcbinfo_init_sized(machine, &s->echo, IPPROTO_ICMP, sizeof(struct raw_pcb));
	if (error == 0)
		error = sysctl_add_bounded(machine, &sysctl__net_inet_raw_children, variables, s);
	if (error == 0)
		error = net_add_proto(machine, PF_INET, &rip_proto);
	if (error == 0)
		error = echo_init(machine);
	if (error != 0) {
		in_pcbinfo_fini(&s->raw.pcbs);
		in_pcbinfo_fini(&s->echo);
		kfree(machine, s);
		return error;
	}
	machine->rip = s;
	return 0;
}

static void
rip_quiesce(struct nke *machine)
{
	in_pcbinfo_empty(&machine->rip->raw.pcbs);
	in_pcbinfo_empty(&machine->rip->echo);
}

static void
rip_fini(struct nke *machine)
{
	in_pcbinfo_fini(&machine->rip->raw.pcbs);
	in_pcbinfo_fini(&machine->rip->echo);
	kfree(machine, machine->rip);
	machine->rip = NULL;
}

extern const struct subsystem rip_subsystem;
const struct subsystem rip_subsystem = {
	.name = "rip", .init = rip_init, .quiesce = rip_quiesce, .fini = rip_fini
};
