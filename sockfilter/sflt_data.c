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
	const struct sockaddr *peer;
	struct mbuf **data;
	struct mbuf **control;		/* NULL: there never is any */
	sflt_data_flag_t flags;
};

static inline const char *
name_of(bool in)
{
	return in ? "sf_data_in" : "sf_data_out";
}

static inline errno_t
call(const struct shown *s, bool in, const struct so_filter *e)
{
	const struct sflt_filter *f = &e->filter->f;

	return in ? f->sf_data_in(e->cookie, s->so, s->peer, s->data, s->control, s->flags) :
	    f->sf_data_out(e->cookie, s->so, s->peer, s->data, s->control, s->flags);
}

static __attribute__((noinline)) errno_t
call_measured(const struct shown *s, bool in, const struct so_filter *e)
{
	struct filter_counters *c = &e->filter->counters;
	uint64_t start = hc_ticks();
	errno_t error;

	(void)filter_count_call(c, in);
	error = call(s, in, e);
	filter_measured(c, hc_ticks() - start);
	return error;
}

/* A filter said 0: what is in *data has to be what it was given, or the like. */
static __attribute__((noinline)) void
check_passed(const struct shown *s, bool in, const struct so_filter *e)
{
	const struct mbuf *m = *s->data;
	const char *filter = e->filter->f.sf_name, *callback = name_of(in);

	KASSERTX(m == NULL || m->m_type != MBUF_TYPE_FREE, "socket filter \"%s\": %s returned 0 but mbuf %p "
	    "in *data has been freed; a filter that frees the data has to return EJUSTRETURN", filter,
	    callback, (const void *)m);
	KASSERTX(s->control == NULL || *s->control == NULL || (*s->control)->m_type != MBUF_TYPE_FREE,
	    "socket filter \"%s\": %s returned 0 but mbuf %p in *control has been freed", filter, callback,
	    (const void *)*s->control);
	/* What is received without an address is no datagram: it was injected. */
	if (!so_atomic(s->so) || (in && (m == NULL || s->peer == NULL)))
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
lend(const struct shown *s, bool in, const struct so_filter *e)
{
	const struct sflt_filter *f = &e->filter->f;
	void *pc = in ? (void *)(uintptr_t)f->sf_data_in : (void *)(uintptr_t)f->sf_data_out;

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

/* It did not pass them on. */
static __attribute__((noinline)) errno_t
not_passed(const struct shown *s, struct filter_counters *c, errno_t error)
{
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

/* They were passed on, in some form: it is looked at, and counted. `len`: of the packet before, -1 none. */
static inline void
passed(const struct shown *s, bool in, const struct so_filter *e, const struct mbuf *before, int32_t len)
{
	if (*s->data != before || (len >= 0 && before->m_pkthdr.len != len))
		e->filter->counters.changed++;
	else if (__builtin_expect(!so_atomic(s->so) && before != NULL && before->m_type != MBUF_TYPE_FREE, 1))
		return;
	check_passed(s, in, e);
}

/* Shows the data to one filter. Not 0: they are gone. */
static inline __attribute__((always_inline)) errno_t
show(const struct shown *s, bool in, struct so_filter *e)
{
	struct thread *t = curthread();
	const struct mbuf *before = *s->data;
	int32_t len = -1;
	uint64_t number = 0;
	struct gate_frame gate;
	errno_t error;

	if (before != NULL && (before->m_flags & M_PKTHDR)) {
		len = before->m_pkthdr.len;
		number = before->m_pkthdr.packet_number;
	}
	gate_enter_on(t, &gate, e->filter->owner, name_of(in), before, number);
	if (__builtin_expect(filter_count_plain(&e->filter->counters, in), 1))
		error = call(s, in, e);
	else
		error = call_measured(s, in, e);
	gate_leave_on(t, &gate);
	if (__builtin_expect(error != 0, 0))
		return not_passed(s, &e->filter->counters, error);
	passed(s, in, e, before, len);
	return 0;
}

/* The same when somebody watches. */
static __attribute__((noinline)) errno_t
show_watched(const struct shown *s, bool in, struct so_filter *e)
{
	struct nke *machine = sotomachine(s->so);
	errno_t error;

	if (machine->checked && *s->data != NULL)
		lend(s, in, e);
	error = show(s, in, e);
	if (in)
		TRACE(machine, SF_IN, error == 0 ? *s->data : NULL, e->filter, error);
	else
		TRACE(machine, SF_OUT, error == 0 ? *s->data : NULL, e->filter, error);
	if (error == 0 && machine->checked)
		take_back(s, e);
	return error;
}

static inline __attribute__((always_inline)) errno_t
show_all(const struct shown *s, bool in, size_t callback)
{
	const struct nke *machine = sotomachine(s->so);
	struct so_filter *e = sflt_next(s->so, NULL, callback);

	while (e != NULL) {
		errno_t error = __builtin_expect(machine->checked || machine->trace != NULL, 0) ?
		    show_watched(s, in, e) : show(s, in, e);

		if (__builtin_expect(error != 0, 0)) {
			sflt_leave(e);
			return error;
		}
		e = sflt_next(s->so, e, callback);
	}
	return 0;
}

errno_t
sflt_data_out(struct socket *so, const struct sockaddr *to, struct mbuf **data, struct mbuf **control,
    sflt_data_flag_t flags)
{
	const struct shown s = {so, to, data, control, flags};

	return show_all(&s, false, offsetof(struct sflt_filter, sf_data_out));
}

/* Interface fact: what sockets of other families receive is not shown. */
errno_t
sflt_data_in(struct socket *so, const struct sockaddr *from, struct mbuf **data, struct mbuf **control,
    sflt_data_flag_t flags)
{
	const struct shown s = {so, from, data, control, flags};

	if (so->so_family != PF_INET && so->so_family != PF_INET6)
		return 0;
	return show_all(&s, true, offsetof(struct sflt_filter, sf_data_in));
}
