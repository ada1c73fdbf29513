/*
 * What filters put into sockets themselves: sock_inject_data_in and sock_inject_data_out. Called by
 * kpi/kpi_socketfilter.c.
 *
 * Injected data go the way of all others, through all filters of the socket, the injecting one too: a kext
 * knows its own by an mbuf tag. One that does not, and injects what it is shown in the callback that shows
 * it, would go round for ever: that is noticed and named.
 *
 * mbufs come as the kext made them: here they get the shape and the types that the buffers count on.
 */
#include "sockfilter/sockfilter.h"
#include "src/kern/gate.h"
#include "src/kern/kext.h"
#include "src/kern/panic.h"

/* Callbacks in callbacks: nobody who means it gets so far. */
#define NESTED_MOST	64u

/* Who of the callbacks around this one is another kext's; the same when there is none. */
static const struct gate_frame *
other_kext(const struct gate_frame *f)
{
	for (const struct gate_frame *o = f->outer; o != NULL; o = o->outer)
		if (o->kext != f->kext)
			return o;
	return f;
}

static void
check_nesting(const char *function)
{
	const struct gate_frame *f = curthread()->gate, *other;
	unsigned depth = 0;

	for (const struct gate_frame *o = f; o != NULL; o = o->outer)
		depth++;
	if (depth < NESTED_MOST)
		return;
	other = other_kext(f);
	kpanic("%s: data are injected for ever: %u callbacks deep in one another, by %s of %s and %s of "
	    "%s; a filter has to let pass what it has injected (an mbuf tag tells)", function, depth,
	    f->callback, kext_name(f->kext), other->callback, kext_name(other->kext));
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
	bool news;

	if (data == NULL)
		return EINVAL;
	if (flags & sock_data_filt_flag_oob)
		return ENOTSUP;
	check_nesting("sock_inject_data_in");
	so_retain(so);
	set_types(data, MBUF_TYPE_DATA);
	set_types(control, MBUF_TYPE_CONTROL);
	if (so->so_state & SS_CANTRCVMORE) {
		m_freem(data);
		m_freem(control);
		news = false;
	} else if (from != NULL) {
		KASSERTX(data->m_flags & M_PKTHDR, "sock_inject_data_in: mbuf %p, a datagram, has no packet "
		    "header", (const void *)data);
		data->m_pkthdr.len = (int32_t)m_length(data);
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

	check_nesting("sock_inject_data_out");
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
	so_retain(so);
	error = sosend(so, to, NULL, 0, data, control, flags & sock_data_filt_flag_oob ? MSG_OOB : 0, NULL);
	so_release(so);
	return error;
}
