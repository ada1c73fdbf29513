/*
 * Attachments of socket filters: their beginning and their end. See sockfilter.h for the rules.
 */
#include "sockfilter/sockfilter.h"
#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/panic.h"

/* ---- the end ------------------------------------------------------------------------------ */

static void
unlink_from_socket(struct so_filter *e)
{
	struct so_filter **p;

	for (p = &e->so->so_filters; *p != e; p = &(*p)->next)
		;
	*p = e->next;
}

/* Out of the lists; the filter's reference goes with it. Nobody uses it. */
static void
finish(struct nke *m, struct so_filter *e)
{
	struct sflt *f = e->filter;

	unlink_from_socket(e);
	LIST_REMOVE(e, of_filter);
	ledger_strike(m, &e->held.ledger);
	kfree(m, e);
	sflt_release(m, f);
}

/* It is not attached any more, and nobody uses it. */
static void
detach(struct so_filter *e)
{
	struct socket *so = e->so;

	so_retain(so);
	if (e->joined)
		GATE_CALL(e->filter->owner, "sf_detach", NULL, e->filter->f.sf_detach(e->cookie, so));
	finish(sotomachine(so), e);
	so_release(so);
}

void
sflt_clean_up(struct nke *m)
{
	struct so_filter *e;

	while ((e = TAILQ_FIRST(&m->sflt->leaving)) != NULL) {
		TAILQ_REMOVE(&m->sflt->leaving, e, in_cleanup);
		e->leaving = false;
		detach(e);
	}
}

static void
leave_later(struct so_filter *e)
{
	struct sflt_state *s = sotomachine(e->so)->sflt;

	e->leaving = true;
	TAILQ_INSERT_TAIL(&s->leaving, e, in_cleanup);
	softintr_schedule(&s->cleanup);
}

void
sflt_left(struct so_filter *e)
{
	if (e->joined)
		leave_later(e);
	else
		finish(sotomachine(e->so), e);
}

void
sflt_part(struct so_filter *e)
{
	if (!e->attached)
		return;
	e->attached = false;
	if (e->users == 0)
		leave_later(e);
}

/* Whoever could use one of them would hold the socket. */
void
sflt_end_socket(struct socket *so)
{
	struct so_filter *e;

	while ((e = so->so_filters) != NULL) {
		KASSERTX(e->users == 0, "socket %u ends while filter \"%s\" is being called for it",
		    so->so_generation, e->filter->f.sf_name);
		e->attached = false;
		if (e->leaving)
			TAILQ_REMOVE(&sotomachine(so)->sflt->leaving, e, in_cleanup);
		e->leaving = false;
		detach(e);
	}
}

void
sflt_forget(struct nke *m, struct so_filter *e)
{
	struct sflt *f = e->filter;

	unlink_from_socket(e);
	LIST_REMOVE(e, of_filter);
	ledger_strike(m, &e->held.ledger);
	kfree(m, e);
	if (--f->references == 0) {
		ledger_strike(m, &f->held.ledger);
		kfree(m, f);
	}
}

/* ---- the beginning ------------------------------------------------------------------------ */

/* In the lists, in use by the caller. NULL: no memory. */
static struct so_filter *
add(struct socket *so, struct sflt *f, void *pc)
{
	struct nke *m = sotomachine(so);
	struct so_filter *e = kalloc(m, sizeof *e);

	if (e == NULL)
		return NULL;
	sflt_retain(f);
	e->so = so;
	e->filter = f;
	e->attached = true;
	e->users = 1;
	e->held.filter = f;
	e->held.at = e;
	if (pc != NULL)
		ledger_enter_for(m, f->owner, &e->held.ledger, LEDGER_SOCKET_FILTER, pc);
	else
		ledger_enter_like(m, &e->held.ledger, &f->held.ledger);
	LIST_INSERT_HEAD(&f->attachments, e, of_filter);
	e->next = so->so_filters;
	so->so_filters = e;
	return e;
}

errno_t
sflt_join(struct socket *so, struct sflt *f, const struct socket *locked, void *pc)
{
	struct so_filter *e = so->so_filters;
	errno_t error;

	if (so->so_flags & SOF_ENDING)
		return EINVAL;
	/* Interface fact: one that was attached before others is not noticed. */
	if (e != NULL && e->filter->f.sf_handle == f->f.sf_handle)
		return EEXIST;
	e = add(so, f, pc);
	if (e == NULL)
		return ENOMEM;
	so_retain(so);
	GATE_CALL_ABOUT(f->owner, "sf_attach", locked, NULL, error = f->f.sf_attach(&e->cookie, so));
	if (error == 0)
		e->joined = true;
	else
		e->attached = false;
	sflt_leave(e);
	so_release(so);
	return error;
}
