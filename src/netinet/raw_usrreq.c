/*
 * What raw sockets and ICMP datagram sockets of both families do alike: binding and connecting to addresses
 * without ports, the beginning of sending, and copies of a datagram for everybody who wants it.
 *
 * Callers: raw_ip.c, icmp_dgram.c, src/netinet6/raw_ip6.c. The state is theirs (struct raw_sockets) and the
 * sockets' own. Limits: only the privileged may have a raw socket; buffers of net.inet.raw.maxdgram and
 * recvspace bytes.
 */
#include <string.h>

#include "src/netinet/raw_private.h"

/* ---- requests ----------------------------------------------------------------------------- */

static void
count_wanted(struct raw_sockets *s, int protocol, int by)
{
	uint32_t *count = protocol != 0 ? &s->wanted[protocol] : &s->any;

	*count += (uint32_t)by;
}

errno_t
raw_reserve(struct socket *so)
{
	const struct rip_state *s = so->so_machine->rip;

	return soreserve(so, (uint32_t)s->maxdgram, (uint32_t)s->recvspace);
}

errno_t
raw_attach(struct socket *so, struct raw_sockets *s, int protocol)
{
	errno_t error;

	if (so->so_pcb != NULL)
		return EINVAL;
	if (!inp_privileged(so))
		return EPERM;
	if (protocol < 0 || protocol >= IPPROTO_MAX)
		return EPROTONOSUPPORT;
	error = raw_reserve(so);
	if (error == 0)
		error = in_pcballoc(so, &s->pcbs);
	if (error != 0)
		return error;
	sotoraw(so)->protocol = protocol;
	sotoraw(so)->cksum6 = -1;
	count_wanted(s, protocol, 1);
	return 0;
}

void
raw_detach(struct socket *so, struct raw_sockets *s)
{
	struct inpcb *inp = sotoinpcb(so);

	if (inp == NULL)
		return;
	count_wanted(s, inptoraw(inp)->protocol, -1);
	s->pcbs.changes++;
	in_pcbdetach(inp);
}

errno_t
raw_bind(struct socket *so, const struct sockaddr *sa)
{
	struct inpcb *inp = sotoinpcb(so);
	struct in_peer p;
	errno_t error;

	if (inp == NULL)
		return EINVAL;
	error = in_pcbpeer(inp, sa, &p);
	if (error != 0)
		return error == EHOSTUNREACH || error == ENXIO ? EADDRNOTAVAIL : error;
	if (so->so_family == PF_INET6 && p.vflag == INP_IPV4)
		return EADDRNOTAVAIL;
	if (!IN6_IS_ADDR_UNSPECIFIED(&p.addr) &&
	    !in_pcb_ours(so->so_machine, p.vflag, &p.addr, p.zone))
		return EADDRNOTAVAIL;
	inp->inp_laddr6 = p.addr;
	inp->inp_lzone = p.zone;
	return 0;
}

errno_t
raw_connect(struct socket *so, const struct sockaddr *sa)
{
	struct inpcb *inp = sotoinpcb(so);
	struct in_peer p;
	errno_t error;

	if (inp == NULL)
		return EINVAL;
	error = in_pcbpeer(inp, sa, &p);
	if (error != 0)
		return error;
	if (so->so_family == PF_INET6 && p.vflag == INP_IPV4)
		return EADDRNOTAVAIL;
	if (IN6_IS_ADDR_UNSPECIFIED(&p.addr))
		return EADDRNOTAVAIL;
	inp->inp_faddr6 = p.addr;
	inp->inp_fzone = p.zone;
	inp->inp_flowlabel = p.flowlabel;
	in_pcbrehash(inp);
	soisconnected(so);
	return 0;
}

errno_t
raw_disconnect(struct socket *so)
{
	struct inpcb *inp = sotoinpcb(so);

	if (inp == NULL)
		return EINVAL;
	if (!(so->so_state & SS_ISCONNECTED))
		return ENOTCONN;
	memset(&inp->inp_faddr6, 0, sizeof inp->inp_faddr6);
	inp->inp_fzone = 0;
	in_pcbrehash(inp);
	so->so_state &= (uint16_t)~SS_ISCONNECTED;
	return 0;
}

errno_t
raw_shutdown(struct socket *so)
{
	if (sotoinpcb(so) == NULL)
		return EINVAL;
	socantsendmore(so);
	return 0;
}

void
raw_abort(struct socket *so)
{
	soisdisconnected(so);
	so->so_proto->pr_usrreqs->pru_detach(so);
}

/* ---- out ---------------------------------------------------------------------------------- */

/* Where to: the peer, or `to`. ENOTCONN, EISCONN, in_pcbpeer's. */
static errno_t
raw_peer(struct in_out *o, const struct sockaddr *to)
{
	struct inpcb *inp = o->inp;
	bool connected = !IN6_IS_ADDR_UNSPECIFIED(&inp->inp_faddr6);

	if (connected && to != NULL)
		return EISCONN;
	if (!connected && to == NULL)
		return ENOTCONN;
	if (!connected)
		return in_pcbpeer(inp, to, &o->to);
	o->to.addr = inp->inp_faddr6;
	o->to.zone = inp->inp_fzone;
	o->to.flowlabel = inp->inp_flowlabel;
	o->to.vflag = inp->inp_socket->so_family == PF_INET ? INP_IPV4 : INP_IPV6;
	return 0;
}

errno_t
raw_send(struct socket *so, const struct raw_way *way, struct mbuf *m, const struct sockaddr *to,
    struct mbuf *control)
{
	struct in_sendctl said = in_nothing_said;
	struct in_out o = {.inp = sotoinpcb(so), .ctl = &said};
	errno_t error = EINVAL;

	if (o.inp != NULL)
		error = raw_peer(&o, to);
	if (error == 0 && o.to.vflag != way->vflag)
		error = EADDRNOTAVAIL;
	if (error == 0 && control != NULL)
		error = in_getcontrol(o.inp, control, way->vflag, &said);
	if (error == 0)
		error = in_out_source(&o);
	/* The user's header may say where from. */
	if (error == EADDRNOTAVAIL && way->echo == NULL && o.to.vflag == INP_IPV4 &&
	    (o.inp->inp_flags & INP_HDRINCL))
		error = 0;
	if (error == 0 && way->echo != NULL)
		error = echo_request(o.inp, way->echo, &m);
	if (error == 0)
		error = way->output(&o, m);
	else
		m_freem(m);
	m_freem(control);
	return error;
}

/* ---- in ----------------------------------------------------------------------------------- */

bool
raw_protocol_fits(const struct raw_in *in, const struct inpcb *inp)
{
	int protocol = inptoraw(inp)->protocol;

	return protocol == 0 || protocol == in->protocol;
}

bool
raw_addresses_fit(const struct raw_in *in, const struct inpcb *inp)
{
	const struct in_ends *e = &in->ends;

	if (!IN6_IS_ADDR_UNSPECIFIED(&inp->inp_laddr6) &&
	    !IN6_ARE_ADDR_EQUAL(&inp->inp_laddr6, &e->laddr))
		return false;
	if (!IN6_IS_ADDR_UNSPECIFIED(&inp->inp_faddr6) &&
	    !IN6_ARE_ADDR_EQUAL(&inp->inp_faddr6, &e->faddr))
		return false;
	return inp->inp_boundif == NULL || e->ifp == NULL || inp->inp_boundif == e->ifp ||
	    (e->ifp->flags & IFF_LOOPBACK);
}

bool
raw_append(const struct raw_in *in, struct inpcb *inp, struct mbuf *m, int strip)
{
	struct socket *so = inp->inp_socket;
	uint32_t zone = in->ends.vflag == INP_IPV6 ?
	    in_pcbzone(in->machine, m->m_pkthdr.rcvif, &in->ends.faddr) : 0;
	struct sockaddr_storage from;
	struct mbuf *control = NULL;
	errno_t error;

	if (so->so_state & SS_CANTRCVMORE) {
		m_freem(m);
		return true;
	}
	if (in_wants_control(inp) && !in_savecontrol(inp, m, in->ends.vflag, in->off, &control)) {
		m_freem(m);
		return false;
	}
	in_pcbname(inp, in->ends.vflag, &in->ends.faddr, zone, 0, &from);
	m_adj(m, strip);
	error = sbappendaddr(&so->so_rcv, (const struct sockaddr *)(const void *)&from, m, control);
	if (error == 0)
		sorwakeup(so);
	return error != ENOBUFS;
}

/* What is called on the way may close sockets: the walk starts anew then, past those it has seen. */
bool
raw_deliver(struct raw_sockets *s, const struct raw_in *in, struct mbuf *m,
    bool (*wants)(const struct raw_in *, const struct inpcb *, const struct mbuf *),
    void (*give)(const struct raw_in *, struct inpcb *, struct mbuf *))
{
	uint32_t serial = ++s->serial, changes;
	struct socket *last = NULL;
	struct inpcb *inp;
	struct mbuf *copy;

again:
	changes = s->pcbs.changes;
	TAILQ_FOREACH(inp, &s->pcbs.list, inp_list) {
		if (inp->inp_serial == serial)
			continue;
		inp->inp_serial = serial;
		if (!wants(in, inp, m))
			continue;
		so_retain(inp->inp_socket);
		if (last != NULL) {
			copy = sotoinpcb(last) != NULL ?
			    m_copym(m, 0, M_COPYALL, MBUF_DONTWAIT) : NULL;
			if (copy != NULL)
				give(in, sotoinpcb(last), copy);
			so_release(last);
		}
		last = inp->inp_socket;
		if (changes != s->pcbs.changes)
			goto again;
	}
	if (last == NULL) {
		m_freem(m);
		return false;
	}
	if (sotoinpcb(last) != NULL)
		give(in, sotoinpcb(last), m);
	else
		m_freem(m);
	so_release(last);
	return true;
}
