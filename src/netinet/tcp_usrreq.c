/*
 * What sockets ask of TCP: the user calls of RFC 9293 section 3.9.1, by BSD's rules. Called by the socket
 * layer through `tcp_usrreqs`, with a reference on the socket held.
 *
 * A socket's connection may be over before its user knows: so_pcb is NULL then, and every call has an error
 * for that. Whatever is sent or waked may end the connection, so it is looked up again after.
 *
 * RFC 7413 on the client's side: sendto() of an unconnected socket connects it; with TCP_FASTOPEN the data
 * go with the SYN when the server's cookie is known.
 *
 * Left out: connectx(), and a peer's group or broadcast address, which is refused (RFC 9293 3.9.2.3).
 */
#include <string.h>

#include "src/net/ifaddr.h"
#include "src/netinet/tcp_private.h"

/* Urgent data may exceed the buffer by so much. */
#define OOB_EXTRA	512u

static errno_t tcp_disconnect(struct socket *);

/* ---- life --------------------------------------------------------------------------------- */

static errno_t
tcp_attach(struct socket *so, int protocol)
{
	struct tcp_state *s = so->so_machine->tcp;
	errno_t error;

	(void)protocol;
	if (so->so_pcb != NULL)
		return EISCONN;
	/* A listener's connections have its sizes already. */
	if (so->so_snd.sb_hiwat == 0 || so->so_rcv.sb_hiwat == 0) {
		error = soreserve(so, (uint32_t)s->config.sendspace, (uint32_t)s->config.recvspace);
		if (error != 0)
			return error;
		so->so_snd.sb_flags |= SB_AUTOSIZE;
		so->so_rcv.sb_flags |= SB_AUTOSIZE;
	}
	if (s->config.msg_eor)
		so->so_snd.sb_flags |= SB_RECORDS;
	error = in_pcballoc(so, &s->pcbs);
	if (error != 0)
		return error;
	if (tcp_newtcpcb(sotoinpcb(so)) == NULL) {
		in_pcbdetach(sotoinpcb(so));
		return ENOBUFS;
	}
	return 0;
}

/* What was begun goes on without a user: the connection holds the socket until it is over. */
static void
tcp_detach(struct socket *so)
{
	struct tcpcb *tp;

	if (sotoinpcb(so) == NULL)
		return;
	/* RFC 9293 3.10.4: what is still being connected ends in order, too. */
	if (sototcpcb(so)->t_state == TCPS_SYN_RECEIVED && !(so->so_state & SS_ISDISCONNECTING))
		(void)tcp_disconnect(so);
	if (sotoinpcb(so) == NULL)
		return;
	tp = sototcpcb(so);
	switch (tp->t_state) {
	case TCPS_CLOSED:
	case TCPS_LISTEN:
	case TCPS_SYN_SENT:
		tcp_close(tp);
		return;
	case TCPS_TIME_WAIT:
		if (!(tp->t_uflags & TFU_OVER))
			break;
		tcp_close(tp);
		return;
	case TCPS_SYN_RECEIVED:
	case TCPS_ESTABLISHED:
	case TCPS_CLOSE_WAIT:
		/* Nobody has asked for an orderly end, or it failed. */
		if (!(so->so_state & SS_ISDISCONNECTING)) {
			tcp_drop(tp, ECONNABORTED);
			return;
		}
		break;
	default:
		break;
	}
	so_retain(so);
	tp->t_uflags |= TFU_DETACHED;
}

static void
tcp_abort(struct socket *so)
{
	if (sotoinpcb(so) != NULL)
		tcp_drop(sototcpcb(so), ECONNABORTED);
}

/* ---- addresses ---------------------------------------------------------------------------- */

/* The IPv4 address that a socket address means, also in IPv6's clothes. False: it is none. */
static bool
inet4_of(const struct sockaddr *sa, struct in_addr *a)
{
	if (sa->sa_family == AF_INET && sa->sa_len >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in sin;

		memcpy(&sin, sa, sizeof sin);
		*a = sin.sin_addr;
		return true;
	}
	if (sa->sa_family == AF_INET6 && sa->sa_len >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 sin6;

		memcpy(&sin6, sa, sizeof sin6);
		a->s_addr = sin6.sin6_addr.s6_addr32[3];
		return IN6_IS_ADDR_V4MAPPED(&sin6.sin6_addr);
	}
	return false;
}

static bool
is_multicast(const struct sockaddr *sa)
{
	struct in_addr a;

	if (inet4_of(sa, &a))
		return IN_MULTICAST(ntohl(a.s_addr));
	if (sa->sa_family == AF_INET6 && sa->sa_len >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 sin6;

		memcpy(&sin6, sa, sizeof sin6);
		return IN6_IS_ADDR_MULTICAST(&sin6.sin6_addr);
	}
	return false;
}

static bool
is_broadcast(struct nke *machine, const struct sockaddr *sa)
{
	struct in_addr a;

	if (!inet4_of(sa, &a))
		return false;
	return a.s_addr == htonl(INADDR_BROADCAST) ||
	    (a.s_addr != htonl(INADDR_ANY) && ifaddr_find_in4(machine, a.s_addr) == NULL &&
	    ifaddr_find_broadcast4(machine, NULL, a.s_addr) != NULL);
}

static errno_t
tcp_bind(struct socket *so, const struct sockaddr *sa)
{
	if (sotoinpcb(so) == NULL)
		return EINVAL;
	if (is_multicast(sa))
		return EAFNOSUPPORT;
	return in_pcbbind(sotoinpcb(so), sa);
}

static errno_t
tcp_listen(struct socket *so)
{
	struct inpcb *inp = sotoinpcb(so);
	errno_t error;

	if (inp == NULL)
		return EINVAL;
	if (intotcpcb(inp)->t_state == TCPS_LISTEN)
		return 0;
	if (intotcpcb(inp)->t_state != TCPS_CLOSED)
		return EINVAL;
	if (inp->inp_lport == 0) {
		error = in_pcbbind(inp, NULL);
		/* A filter that is told of the port may do anything. */
		if (error == 0 && (sotoinpcb(so) == NULL || intotcpcb(inp)->t_state != TCPS_CLOSED))
			error = EINVAL;
		if (error != 0)
			return error;
	}
	tcp_setstate(intotcpcb(inp), TCPS_LISTEN);
	return 0;
}

static errno_t
tcp_accept(struct socket *so, struct sockaddr_storage *peer)
{
	if (sotoinpcb(so) == NULL || (so->so_state & SS_ISDISCONNECTED))
		return ECONNABORTED;
	return in_pcbpeeraddr(so, peer);
}

/* ---- connecting --------------------------------------------------------------------------- */

/* As it was before; the port too when it was found by connecting. */
static void
disconnect_block(struct inpcb *inp, bool bound)
{
	in_pcbdisconnect(inp);
	if (!bound) {
		inp->inp_lport = 0;
		in_pcbrehash(inp);
	}
}

/* A pair that still waits for old segments may be taken again when those can be told apart. */
static errno_t
take_pair(struct inpcb *inp, const struct in_ends *ends, tcp_seq *isn_floor)
{
	struct nke *machine = inp->inp_info->machine;

	*isn_floor = 0;
	if (!tcp_timewait_taken(machine, ends) || tcp_timewait_reuse(machine, ends, isn_floor))
		return 0;
	return EADDRINUSE;
}

/* Everything but the SYN, which tcp_output() sends. */
static errno_t
begin_connect(struct socket *so, const struct sockaddr *sa)
{
	struct inpcb *inp = sotoinpcb(so);
	struct nke *machine = inp->inp_info->machine;
	struct tcp_state *s = machine->tcp;
	struct tcpcb *tp = intotcpcb(inp);
	bool bound = inp->inp_lport != 0;
	struct in_ends ends;
	tcp_seq isn_floor;
	errno_t error;

	if (is_multicast(sa))
		return EAFNOSUPPORT;
	if (sa->sa_family == so->so_family && is_broadcast(machine, sa))
		return EACCES;
	error = in_pcbconnect(inp, sa);
	if (error != 0)
		return error;
	/* A filter that is told of the port, or below of connecting, may do anything. */
	if (sotoinpcb(so) == NULL || tp->t_state != TCPS_CLOSED)
		return ECONNABORTED;
	ends = tcp_ends(tp);
	error = take_pair(inp, &ends, &isn_floor);
	if (error != 0) {
		disconnect_block(inp, bound);
		return error;
	}
	tp->request_r_scale = tcp_scale_for(machine);
	tp->ts_offset = tcp_new_ts_offset(machine, &ends);
	tp->iss = tcp_new_isn(machine, &ends);
	if (isn_floor != 0 && SEQ_LT(tp->iss, isn_floor))
		tp->iss = isn_floor;
	tp->snd_una = tp->snd_nxt = tp->snd_up = tp->iss;
	tp->t_recover = tp->iss;
	s->stat.tcps_connattempt++;
	tcp_setstate(tp, TCPS_SYN_SENT);
	tcp_timer_set(tp, TT_KEEP, (tp->t_user->keepinit_ms != 0 ? tp->t_user->keepinit_ms :
	    (uint64_t)s->config.keepinit) * TCP_NS_PER_MS);
	soisconnecting(so);
	return sotoinpcb(so) != NULL ? 0 : ECONNABORTED;
}

/* Errors of the first SYN that trying again does not cure. */
static bool
cannot_connect(errno_t error)
{
	return error == EHOSTUNREACH || error == ENETUNREACH || error == ENETDOWN ||
	    error == EADDRNOTAVAIL || error == EACCES || error == EPERM;
}

/* The SYN, and with fast open the data behind it. */
static errno_t
send_syn(struct socket *so, bool bound)
{
	struct tcpcb *tp = sototcpcb(so);
	errno_t error = tcp_output(tp);

	if (sotoinpcb(so) == NULL)
		return so->so_error != 0 ? 0 : ECONNREFUSED;
	if (!cannot_connect(error) || tp->t_state != TCPS_SYN_SENT)
		return 0;
	tcp_timer_stop_all(tp);
	tcp_sent_flush(tp);
	tp->snd_nxt = tp->snd_una;
	tp->t_sndmb = NULL;
	tcp_setstate(tp, TCPS_CLOSED);
	so->so_state &= (uint16_t)~SS_ISCONNECTING;
	disconnect_block(tp->t_inpcb, bound);
	return error;
}

static errno_t
tcp_connect(struct socket *so, const struct sockaddr *sa)
{
	struct inpcb *inp = sotoinpcb(so);
	errno_t error;
	bool bound;

	if (inp == NULL)
		return ECONNREFUSED;
	if (intotcpcb(inp)->t_state == TCPS_LISTEN)
		return EOPNOTSUPP;
	if (intotcpcb(inp)->t_state != TCPS_CLOSED)
		return EISCONN;
	bound = inp->inp_lport != 0;
	error = begin_connect(so, sa);
	return error != 0 ? error : send_syn(so, bound);
}

static errno_t
tcp_disconnect(struct socket *so)
{
	struct tcpcb *tp;

	if (sotoinpcb(so) == NULL)
		return ENOTCONN;
	tp = sototcpcb(so);
	if (tp->t_state < TCPS_SYN_RECEIVED) {
		tcp_close(tp);
		return 0;
	}
	/* RFC 9293 3.6.1, SHLD-3: data are thrown away. BSD resets only when more of them come. */
	if (((so->so_options & SO_LINGER) && so->so_linger == 0) ||
	    (so->so_rcv.sb_cc != 0 && tptomachine(tp)->tcp->config.unread_rst)) {
		tcp_drop(tp, 0);
		return 0;
	}
	soisdisconnecting(so);
	sbflush(&so->so_rcv);
	if (sotoinpcb(so) != NULL && tcp_usrclosed(sototcpcb(so)))
		(void)tcp_output(sototcpcb(so));
	return 0;
}

static errno_t
tcp_shutdown(struct socket *so)
{
	if (sotoinpcb(so) == NULL)
		return ECONNRESET;
	socantsendmore(so);
	if (sotoinpcb(so) != NULL && tcp_usrclosed(sototcpcb(so)))
		(void)tcp_output(sototcpcb(so));
	return 0;
}

/* ---- data --------------------------------------------------------------------------------- */

/* Puts it at the end of the buffer; urgent data ends there (RFC 6093 section 3: the octet after the last). */
static void
append(struct tcpcb *tp, struct mbuf *m, bool urgent)
{
	struct sockbuf *sb = &tptosocket(tp)->so_snd;

	(void)sbappendstream(sb, m);
	if (!urgent)
		return;
	tp->snd_up = tp->snd_una + sb->sb_cc;
	if (tp->t_state < TCPS_ESTABLISHED && tp->snd_una == tp->iss)
		tp->snd_up++;
}

/* May data be given to this connection? */
static errno_t
check_send(const struct socket *so, int flags, const struct sockaddr *to, const struct mbuf *control)
{
	if (sotoinpcb(so) == NULL)
		return ECONNRESET;
	if (control != NULL && m_length(control) != 0)
		return EINVAL;
	if (sototcpcb(so)->t_state == TCPS_LISTEN)
		return EOPNOTSUPP;
	if (sototcpcb(so)->t_state == TCPS_CLOSED && to == NULL)
		return ENOTCONN;
	if ((flags & PRUS_OOB) && so->so_snd.sb_cc > so->so_snd.sb_hiwat + OOB_EXTRA)
		return ENOBUFS;
	return 0;
}

/* The data are in the buffer: what may go of them goes. Network errors are the timers' business. */
static void
push(struct socket *so, int flags)
{
	struct tcpcb *tp = sototcpcb(so);

	if (flags & PRUS_MORETOCOME)
		tp->t_flags |= TF_MORETOCOME;
	(void)tcp_output(tp);
	if (sotoinpcb(so) != NULL)
		sototcpcb(so)->t_flags &= ~(uint32_t)TF_MORETOCOME;
}

static errno_t
tcp_send(struct socket *so, int flags, struct mbuf *m, const struct sockaddr *to, struct mbuf *control)
{
	errno_t error = check_send(so, flags, to, control);
	bool connecting, bound;

	if (error != 0)
		goto out;
	connecting = sototcpcb(so)->t_state == TCPS_CLOSED;
	bound = sotoinpcb(so)->inp_lport != 0;
	if (UNLIKELY(connecting)) {
		error = begin_connect(so, to);
		if (error != 0)
			goto out;
	}
	if (m != NULL)
		append(sototcpcb(so), m, (flags & PRUS_OOB) != 0);
	m = NULL;
	if (UNLIKELY(flags & PRUS_EOF)) {
		socantsendmore(so);
		if (sotoinpcb(so) == NULL || !tcp_usrclosed(sototcpcb(so)))
			goto out;
	}
	if (UNLIKELY(connecting)) {
		error = send_syn(so, bound);
		if (error != 0)
			sbflush(&so->so_snd);
	} else {
		push(so, flags);
	}
out:
	m_freem(m);
	m_freem(control);
	return error;
}

/* The reader has made room: the peer is told when that pays. */
static errno_t
tcp_rcvd(struct socket *so, int flags)
{
	struct tcpcb *tp;

	(void)flags;
	if (sotoinpcb(so) == NULL)
		return ECONNRESET;
	tp = sototcpcb(so);
	if (TCPS_HAVEESTABLISHED(tp->t_state) && tcp_window_update_due(tp))
		(void)tcp_output(tp);
	return 0;
}

static errno_t
tcp_rcvoob(struct socket *so, struct mbuf *m, int flags)
{
	struct tcpcb *tp;

	if (sotoinpcb(so) == NULL)
		return ECONNRESET;
	tp = sototcpcb(so);
	if ((so->so_oobmark == 0 && !(so->so_state & SS_RCVATMARK)) || (so->so_options & SO_OOBINLINE) ||
	    (tp->t_oobflags & TCPOOB_HADDATA))
		return EINVAL;
	if (!(tp->t_oobflags & TCPOOB_HAVEDATA))
		return EWOULDBLOCK;
	m->m_len = 1;
	*mtod(m, uint8_t *) = tp->t_iobc;
	if (!(flags & MSG_PEEK))
		tp->t_oobflags ^= TCPOOB_HAVEDATA | TCPOOB_HADDATA;
	return 0;
}

/* TCP_NOTSENT_LOWAT: is so little waiting to be sent that the writer should be told of space? */
static bool
tcp_writable(const struct socket *so)
{
	const struct tcpcb *tp;
	uint32_t sent;

	if (sotoinpcb(so) == NULL)
		return true;
	tp = sototcpcb(so);
	if (LIKELY(tp->t_user->notsent_lowat == 0))
		return true;
	sent = tp->snd_nxt - tp->snd_una;
	return so->so_snd.sb_cc <= sent || so->so_snd.sb_cc - sent < tp->t_user->notsent_lowat;
}

const struct pr_usrreqs tcp_usrreqs = {
	.pru_attach = tcp_attach,
	.pru_detach = tcp_detach,
	.pru_abort = tcp_abort,
	.pru_bind = tcp_bind,
	.pru_listen = tcp_listen,
	.pru_accept = tcp_accept,
	.pru_connect = tcp_connect,
	.pru_disconnect = tcp_disconnect,
	.pru_shutdown = tcp_shutdown,
	.pru_send = tcp_send,
	.pru_rcvd = tcp_rcvd,
	.pru_rcvoob = tcp_rcvoob,
	.pru_sockaddr = in_pcbsockaddr,
	.pru_peeraddr = in_pcbpeeraddr,
	.pru_writable = tcp_writable
};
