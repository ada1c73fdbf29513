/*
 * What filters put into sockets themselves: sock_inject_data_in and sock_inject_data_out. Called by
 * kpi/kpi_socketfilter.c.
 *
 * Injected data go the way of all others, through all filters of the socket, the injecting one too: a kext
 * knows its own by an mbuf tag. One that does not keeps them going round, which inject.h watches.
 *
 * mbufs come as the kext made them: here they get the shape and the types that the buffers count on.
 */
#include "sockfilter/sockfilter.h"
#include "src/kern/inject.h"
#include "src/kern/panic.h"

/* They are counted, with what is made of them until inject_leave(), which wants the result. */
static uint32_t
begin(struct socket *so, struct mbuf *m)
{
	struct thread *t = curthread();
	uint32_t outer = t->injecting;

	inject_note(sotomachine(so), m->m_flags & M_PKTHDR ? m : NULL, NULL);
	t->injecting = m->m_flags & M_PKTHDR ? m->m_pkthdr.injections : outer + 1;
	return outer;
}

static void
set_types(struct mbuf *m, int type)
{
	for (; m != NULL; m = m->m_next)
		if (m->m_type != type)
			m_settype(m, type);
}

errno_t
sflt_inject_in(struct socket *so, const struct sockaddr *from, struct mbuf *data, struct mbuf *control,
    sflt_data_flag_t flags)
{
	struct sockbuf *sb = &so->so_rcv;
	uint32_t outer;
	bool news;

	if (data == NULL)
		return EINVAL;
	if (flags & sock_data_filt_flag_oob)
		return ENOTSUP;
	outer = begin(so, data);
	so_retain(so);
	set_types(data, MBUF_TYPE_DATA);
	set_types(control, MBUF_TYPE_CONTROL);
	if (data->m_flags & M_PKTHDR)
		data->m_pkthdr.len = (int32_t)m_length(data);
	if (so->so_state & SS_CANTRCVMORE) {
		m_freem(data);
		m_freem(control);
		news = false;
	} else if (from != NULL) {
		KASSERTX(data->m_flags & M_PKTHDR, "sock_inject_data_in: mbuf %p, a datagram, has no packet "
		    "header", (const void *)data);
		news = sbappendaddr(sb, from, data, control) == 0;
	} else if (control != NULL) {
		news = sbappendcontrol(sb, data, control) == 0;
	} else if (flags & sock_data_filt_flag_record) {
		news = sbappendrecord(sb, data);
	} else {
		news = sbappendstream(sb, data);
	}
	if (news)
		sorwakeup(so);
	so_release(so);
	inject_leave(outer);
	return 0;
}

/* As a packet, with the length it has. NULL: no memory, it is gone. */
static struct mbuf *
make_packet(struct nke *machine, struct mbuf *m)
{
	struct mbuf *first = m;

	if (!(m->m_flags & M_PKTHDR)) {
		first = m_gethdr(machine, MBUF_DONTWAIT, MBUF_TYPE_DATA);
		if (first == NULL) {
			m_freem(m);
			return NULL;
		}
		m_align(first, 0);
		first->m_next = m;
	}
	first->m_pkthdr.len = (int32_t)m_length(first);
	return first;
}

errno_t
sflt_inject_out(struct socket *so, const struct sockaddr *to, struct mbuf *data, struct mbuf *control,
    sflt_data_flag_t flags)
{
	errno_t error = EINVAL;
	uint32_t outer;

	if (data != NULL) {
		set_types(data, MBUF_TYPE_DATA);
		data = make_packet(sotomachine(so), data);
		error = ENOBUFS;
	}
	set_types(control, MBUF_TYPE_CONTROL);
	if (data == NULL) {
		m_freem(control);
		return error;
	}
	outer = begin(so, data);
	so_retain(so);
	error = sosend(so, to, NULL, 0, data, control, flags & sock_data_filt_flag_oob ? MSG_OOB : 0, NULL);
	so_release(so);
	inject_leave(outer);
	return error;
}
