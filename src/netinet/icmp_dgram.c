/*
 * ICMP datagram sockets: echo without privilege, of IPv4 here and the part that IPv6 shares
 * (src/netinet6/raw_ip6.c has the rest).
 *
 * What is sent has to be an echo request (RFC 792, RFC 4443 section 4.1), ICMP header first; its checksum is
 * made here. The identifier on the wire is the socket's, unique in the machine like a port: two users who
 * chose the same number don't get each other's answers. In what comes back the user's own number is
 * put in again, so that nobody notices.
 *
 * What is received: replies to the socket's requests, and errors about them. IPv4's come with the IP header
 * as they do at raw sockets (IP_STRIPHDR takes it off), IPv6's without.
 *
 * Limits: the number of identifiers; a buffer of RAW_SPACE bytes by default.
 */
#include <netinet/ip_icmp.h>
#include <string.h>

#include "src/netinet/raw_private.h"

/* ICMP and ICMPv6 echo look alike. */
struct echo_header {
	uint8_t type, code;
	uint16_t cksum;
	uint16_t id, seq;
};

const struct echo_kind echo_inet = {
	.protocol = IPPROTO_ICMP, .vflag = INP_IPV4, .request = ICMP_ECHO, .reply = ICMP_ECHOREPLY
};

/* ---- out ---------------------------------------------------------------------------------- */

errno_t
echo_request(struct inpcb *inp, const struct echo_kind *k, struct mbuf **mp)
{
	struct nke *machine = inp->inp_info->machine;
	const struct socket *so = inp->inp_socket;
	struct mbuf *m = *mp;
	struct echo_header *h;
	errno_t error;

	if (m->m_pkthdr.len < (int)sizeof *h)
		return EINVAL;
	if (m->m_len < (int)sizeof *h && (*mp = m = m_pullup(m, sizeof *h)) == NULL)
		return ENOBUFS;
	*mp = m = in_writable(machine, m, sizeof *h);
	if (m == NULL)
		return ENOBUFS;
	h = mtod(m, struct echo_header *);
	if (h->type != k->request || h->code != 0)
		return EPERM;
	if (inp->inp_lport == 0 && (error = in_pcbbind(inp, NULL)) != 0)
		return error;
	/* A filter that is told of it may close the socket. */
	if (so->so_pcb == NULL)
		return EINVAL;
	inptoraw(inp)->user_ident = h->id;
	inptoraw(inp)->ident = inp->inp_lport;
	h->id = inptoraw(inp)->ident;
	h->cksum = 0;
	/* ICMPv6's covers addresses that are not settled yet: raw_ip6.c makes it. */
	if (k->protocol == IPPROTO_ICMP)
		h->cksum = in_cksum_part(m, 0, (size_t)m->m_pkthdr.len);
	return 0;
}

static errno_t
echo_send(struct socket *so, int flags, struct mbuf *m, const struct sockaddr *to, struct mbuf *control)
{
	static const struct raw_way way = {INP_IPV4, &echo_inet, rip_output};

	(void)flags;
	return raw_send(so, &way, m, to, control);
}

/* ---- in ----------------------------------------------------------------------------------- */

static struct inpcb *
find_ident(struct inpcbinfo *info, const struct raw_in *in, uint16_t ident, bool check_peer)
{
	struct inpcb *inp;

	IN_PCBPORT_FOREACH(inp, info, ident) {
		if (inp->inp_lport == ident && (!check_peer || raw_addresses_fit(in, inp)))
			return inp;
	}
	return NULL;
}

/* Where the echo header is that the message is about: its own, or that of the packet an error quotes. */
static bool
find_echo(const struct echo_kind *k, const struct raw_in *in, const struct mbuf *m, size_t *at,
    struct echo_header *h, bool *quoted)
{
	size_t off = (size_t)in->off;
	struct ip6_hdr ip6;
	struct ip ip;

	*quoted = false;
	*at = off;
	if (m_copydata(m, off, sizeof *h, h) != 0)
		return false;
	if (h->type == k->reply)
		return h->code == 0;
	if (k->vflag == INP_IPV4 ? h->type != ICMP_UNREACH && h->type != ICMP_TIMXCEED &&
	    h->type != ICMP_PARAMPROB : h->type >= ICMP6_INFOMSG_MASK)
		return false;
	*quoted = true;
	off += sizeof *h;
	if (k->vflag == INP_IPV4) {
		if (m_copydata(m, off, sizeof ip, &ip) != 0 || ip.ip_p != k->protocol || ip.ip_hl < 5)
			return false;
		*at = off + ((size_t)ip.ip_hl << 2);
	} else {
		if (m_copydata(m, off, sizeof ip6, &ip6) != 0 || ip6.ip6_nxt != k->protocol)
			return false;
		*at = off + sizeof ip6;
	}
	return m_copydata(m, *at, sizeof *h, h) == 0 && h->type == k->request;
}

/* RFC 1624: one word of a message has changed. */
static uint16_t
adjust(uint16_t cksum, uint16_t from, uint16_t to)
{
	uint32_t sum = (uint16_t)~cksum + (uint32_t)(uint16_t)~from + to;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void
echo_input(struct inpcbinfo *info, const struct echo_kind *k, const struct raw_in *in,
    const struct mbuf *m)
{
	struct echo_header h;
	struct socket *so;
	struct inpcb *inp;
	struct mbuf *copy;
	bool quoted, strip;
	size_t at;

	if (info->count == 0 || !find_echo(k, in, m, &at, &h, &quoted))
		return;
	/* Errors come from routers. */
	inp = find_ident(info, in, h.id, !quoted);
	if (inp == NULL || (copy = m_dup((struct mbuf *)(uintptr_t)m, MBUF_DONTWAIT)) == NULL)
		return;
	h.cksum = adjust(h.cksum, h.id, inptoraw(inp)->user_ident);
	h.id = inptoraw(inp)->user_ident;
	if (m_copyback(copy, at, sizeof h, &h, MBUF_DONTWAIT) != 0) {
		m_freem(copy);
		return;
	}
	strip = k->vflag == INP_IPV6 || (inp->inp_flags & INP_STRIPHDR);
	so = inp->inp_socket;
	so_retain(so);
	if (!raw_append(in, inp, copy, strip ? in->off : 0) && k->vflag == INP_IPV4)
		ip_statistics(in->machine)->ips_raw_sappend_fail++;
	so_release(so);
}

/* ---- sockets ------------------------------------------------------------------------------ */

errno_t
echo_attach(struct socket *so, struct inpcbinfo *info)
{
	errno_t error;

	if (so->so_pcb != NULL)
		return EINVAL;
	error = raw_reserve(so);
	if (error == 0)
		error = in_pcballoc(so, info);
	if (error == 0)
		sotoraw(so)->protocol = info->protocol;
	return error;
}

errno_t
echo_bind(struct socket *so, const struct sockaddr *sa)
{
	/* The port is the identifier. */
	return sotoinpcb(so) != NULL ? in_pcbbind(sotoinpcb(so), sa) : EINVAL;
}

static errno_t
echo_inet_attach(struct socket *so, int protocol)
{
	(void)protocol;
	return echo_attach(so, &so->so_machine->rip->echo);
}

void
echo_detach(struct socket *so)
{
	if (sotoinpcb(so) != NULL)
		in_pcbdetach(sotoinpcb(so));
}

static const struct pr_usrreqs echo_usrreqs = {
	.pru_attach = echo_inet_attach,
	.pru_detach = echo_detach,
	.pru_bind = echo_bind,
	.pru_send = echo_send,
	RAW_USRREQS
};

static const struct protosw echo_proto = {
	.pr_type = SOCK_DGRAM,
	.pr_protocol = IPPROTO_ICMP,
	.pr_flags = PR_ATOMIC | PR_ADDR,
	.pr_sndspace = RAW_SPACE,
	.pr_rcvspace = RAW_SPACE,
	.pr_usrreqs = &echo_usrreqs,
	.pr_ctloutput = ip_ctloutput
};

errno_t
echo_init(struct nke *machine)
{
	return net_add_proto(machine, PF_INET, &echo_proto);
}
