/*
 * Data on their way through the filters of a socket. Called by the socket layer from its one way out
 * (uipc_send.c) and its one way in (uipc_sockbuf.c).
 *
 * During a callback the data are lent to the filter: on 0 they come back in *data and *control, as they
 * were or others; on EJUSTRETURN they are the filter's; on anything else they are freed here.
 */
#include "sockfilter/sockfilter.h"
#include "src/kern/gate.h"
#include "src/kern/panic.h"
#include "src/kern/so_filter.h"
#include "src/kern/trace.h"

/* What all filters of a walk are shown. */
struct shown {
	struct socket *so;
	bool in;
	const struct sockaddr *peer;
	struct mbuf **data;
	struct mbuf **control;		/* NULL: there never is any */
	sflt_data_flag_t flags;
};

static inline const char *
name_of(const struct shown *s)
{
	return s->in ? "sf_data_in" : "sf_data_out";
}

static inline errno_t
call(const struct shown *s, const struct so_filter *e)
{
	const struct sflt_filter *f = &e->filter->f;

	return s->in ? f->sf_data_in(e->cookie, s->so, s->peer, s->data, s->control, s->flags) :
	    f->sf_data_out(e->cookie, s->so, s->peer, s->data, s->control, s->flags);
}

static errno_t
call_measured(const struct shown *s, const struct so_filter *e)
{
	uint64_t start = hc_ticks();
	errno_t error = call(s, e);

	filter_measured(&e->filter->counters, hc_ticks() - start);
	return error;
}

/* A filter said 0: what is in *data has to be what it was given, or the like. */
static void
check_passed(const struct shown *s, const struct so_filter *e)
{
	const struct mbuf *m = *s->data;
	const char *filter = e->filter->f.sf_name, *callback = name_of(s);

	KASSERTX(m == NULL || m->m_type != MBUF_TYPE_FREE, "socket filter \"%s\": %s returned 0 but mbuf %p "
	    "in *data has been freed; a filter that frees the data has to return EJUSTRETURN", filter,
	    callback, (const void *)m);
	KASSERTX(s->control == NULL || *s->control == NULL || (*s->control)->m_type != MBUF_TYPE_FREE,
	    "socket filter \"%s\": %s returned 0 but mbuf %p in *control has been freed", filter, callback,
	    (const void *)*s->control);
	/* What is received without an address is no datagram: it was injected. */
	if (!so_atomic(s->so) || (s->in && (m == NULL || s->peer == NULL)))
		return;
	KASSERTX(m != NULL, "socket filter \"%s\": %s returned 0 without data for a datagram; a filter that "
	    "keeps or frees the data has to return EJUSTRETURN", filter, callback);
	KASSERTX(m->m_flags & M_PKTHDR, "socket filter \"%s\": %s returned 0 but mbuf %p in *data, a "
	    "datagram, has no packet header", filter, callback, (const void *)m);
	KASSERTX((size_t)m->m_pkthdr.len == m_length(m), "socket filter \"%s\": %s returned 0 with a "
	    "datagram whose packet header says %d bytes while its mbufs have %lu", filter, callback,
	    m->m_pkthdr.len, (unsigned long)m_length(m));
}

/* Checked mode: while a filter has the data, it is the one to blame for them. */
static void
lend(const struct shown *s, const struct so_filter *e)
{
	const struct sflt_filter *f = &e->filter->f;
	void *pc = s->in ? (void *)(uintptr_t)f->sf_data_in : (void *)(uintptr_t)f->sf_data_out;

	if (e->filter->owner == NULL)
		return;
	m_set_owner(*s->data, e->filter->owner, pc);
	if (s->control != NULL && *s->control != NULL)
		m_set_owner(*s->control, e->filter->owner, pc);
}

static void
take_back(const struct shown *s, const struct so_filter *e)
{
	if (e->filter->owner == NULL)
		return;
	if (*s->data != NULL)
		m_set_owner(*s->data, NULL, NULL);
	if (s->control != NULL && *s->control != NULL)
		m_set_owner(*s->control, NULL, NULL);
}

/* Shows the data to one filter. Not 0: they are gone. */
static errno_t
show(const struct shown *s, struct so_filter *e)
{
	struct filter_counters *c = &e->filter->counters;
	struct nke *machine = sotomachine(s->so);
	const struct mbuf *before = *s->data;
	int32_t len = before != NULL && (before->m_flags & M_PKTHDR) ? before->m_pkthdr.len : -1;
	struct gate_frame gate;
	errno_t error;

	if (__builtin_expect(machine->checked, 0) && *s->data != NULL)
		lend(s, e);
	gate_enter(&gate, e->filter->owner, name_of(s), before, gate_packet_number(before));
	if (__builtin_expect(filter_count_call(c, s->in), 0))
		error = call_measured(s, e);
	else
		error = call(s, e);
	gate_leave(&gate);
	if (s->in)
		TRACE(machine, SF_IN, error == 0 ? *s->data : NULL, e->filter, error);
	else
		TRACE(machine, SF_OUT, error == 0 ? *s->data : NULL, e->filter, error);
	if (__builtin_expect(error == 0, 1)) {
		check_passed(s, e);
		if (__builtin_expect(machine->checked, 0))
			take_back(s, e);
		if (*s->data != before || (len >= 0 && before->m_pkthdr.len != len))
			c->changed++;
		return 0;
	}
	if (error == EJUSTRETURN) {
		c->swallowed++;
		return error;
	}
	c->dropped++;
	m_freem(*s->data);
	if (s->control != NULL)
		m_freem(*s->control);
	return error;
}

errno_t
sflt_data_out(struct socket *so, const struct sockaddr *to, struct mbuf **data, struct mbuf **control,
    sflt_data_flag_t flags)
{
	const struct shown s = {so, false, to, data, control, flags};
	struct so_filter *e;
	errno_t error = 0;

	so_retain(so);
	SFLT_FOREACH(e, so, sf_data_out) {
		error = show(&s, e);
		if (error != 0) {
			sflt_leave(e);
			break;
		}
	}
	so_release(so);
	return error;
}

/* Interface fact: what sockets of other families receive is not shown. */
errno_t
sflt_data_in(struct socket *so, const struct sockaddr *from, struct mbuf **data, struct mbuf **control,
    sflt_data_flag_t flags)
{
	const struct shown s = {so, true, from, data, control, flags};
	struct so_filter *e;
	errno_t error = 0;

	if (so->so_family != PF_INET && so->so_family != PF_INET6)
		return 0;
	so_retain(so);
	SFLT_FOREACH(e, so, sf_data_in) {
		error = show(&s, e);
		if (error != 0) {
			sflt_leave(e);
			break;
		}
	}
	so_release(so);
	return error;
}
