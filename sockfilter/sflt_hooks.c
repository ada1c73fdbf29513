/*
 * The callbacks of socket filters but those for data (sflt_data.c): called by the socket layer through
 * `sflt_ops`, each where so_filter.h says.
 *
 * A walk goes from the newest attachment to the oldest, for every callback. The first result other than 0
 * ends it. The socket is held during a walk, and so is the filter that is being called; nothing is locked.
 * Filters that are attached meanwhile are not part of the walk.
 */
#include <string.h>
#include <sys/malloc.h>

#include "sockfilter/sockfilter.h"
#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/so_filter.h"
#include "src/kern/trace.h"

/* ---- walks -------------------------------------------------------------------------------- */

/* Calls the function in every filter that has it, until one says other than 0. */
#define ASK(so, error, callback, ...) do {						\
	struct so_filter *e_;								\
											\
	so_retain(so);									\
	SFLT_FOREACH(e_, (so), callback) {						\
		GATE_CALL(e_->filter->owner, #callback, NULL,				\
		    (error) = e_->filter->f.callback(e_->cookie, __VA_ARGS__));		\
		if ((error) != 0) {							\
			sflt_leave(e_);							\
			break;								\
		}									\
	}										\
	so_release(so);									\
} while (0)

/* ---- life --------------------------------------------------------------------------------- */

/* The filter that was registered next after `serial`. */
static struct sflt *
registered_after(const struct pr_registration *p, uint32_t serial)
{
	struct sflt *f;

	TAILQ_FOREACH(f, &p->filters, of_protocol)
		if (f->serial > serial)
			return f;
	return NULL;
}

/* Interface fact: one that does not want to be attached is gone without. */
static void
created(struct socket *so, const struct socket *locked)
{
	struct pr_registration *p = so->so_registration;
	uint32_t serial = 0;
	struct sflt *f;

	while ((f = registered_after(p, serial)) != NULL) {
		serial = f->serial;
		(void)sflt_join(so, f, locked, NULL);
	}
}

static errno_t
attach_by_handle(struct socket *so, uint32_t handle)
{
	struct sflt *f = handle != 0 ? sflt_find(sotomachine(so), handle) : NULL;

	return f != NULL ? sflt_join(so, f, NULL, NULL) : EINVAL;
}

/* ---- events ------------------------------------------------------------------------------- */

void
sflt_notify_others(struct socket *so, sflt_event_t event, sflt_handle except)
{
	struct so_filter *e;

	so_retain(so);
	SFLT_FOREACH(e, so, sf_notify) {
		if (except != 0 && e->filter->f.sf_handle == except)
			continue;
		TRACE(sotomachine(so), SF_NOTIFY, NULL, e->filter, event);
		GATE_CALL(e->filter->owner, "sf_notify", NULL,
		    e->filter->f.sf_notify(e->cookie, so, event, NULL));
	}
	so_release(so);
}

void
sflt_notify(struct socket *so, sflt_event_t event, void *param)
{
	struct so_filter *e;

	so_retain(so);
	SFLT_FOREACH(e, so, sf_notify) {
		TRACE(sotomachine(so), SF_NOTIFY, NULL, e->filter, event);
		GATE_CALL(e->filter->owner, "sf_notify", NULL,
		    e->filter->f.sf_notify(e->cookie, so, event, param));
	}
	so_release(so);
}

/* ---- names -------------------------------------------------------------------------------- */

static errno_t
ask_name(struct socket *so, bool peer, struct sockaddr **sa)
{
	errno_t error = 0;

	if (peer)
		ASK(so, error, sf_getpeername, so, sa);
	else
		ASK(so, error, sf_getsockname, so, sa);
	return error;
}

/*
 * Filters get the address in memory of the type that socket names have, as they may free it and put
 * another one in its place, or none.
 */
static errno_t
name(struct socket *so, bool peer, struct sockaddr_storage *ss)
{
	struct nke *m = sotomachine(so);
	void *here = __builtin_return_address(0);
	struct sockaddr *sa = heap_alloc_for(m, sizeof *ss, 16, HEAP_ZERO, HEAP_MALLOC, here);
	errno_t error;
	size_t len;

	if (sa == NULL)
		return ENOBUFS;
	memcpy(sa, ss, ss->ss_len);
	error = ask_name(so, peer, &sa);
	memset(ss, 0, sizeof *ss);
	if (sa == NULL)
		return error;
	heap_check(m, sa, HEAP_MALLOC, here);
	len = sa->sa_len < heap_size(sa) ? sa->sa_len : heap_size(sa);
	memcpy(ss, sa, len < sizeof *ss ? len : sizeof *ss);
	if (ss->ss_len > sizeof *ss)
		ss->ss_len = sizeof *ss;
	heap_free_for(m, sa, HEAP_MALLOC, here);
	return error;
}

/* ---- requests ----------------------------------------------------------------------------- */

static errno_t
bind(struct socket *so, const struct sockaddr *sa)
{
	errno_t error = 0;

	ASK(so, error, sf_bind, so, sa);
	return error;
}

static errno_t
connect_out(struct socket *so, struct sockaddr *sa)
{
	errno_t error = 0;

	ASK(so, error, sf_connect_out, so, sa);
	return error;
}

static errno_t
connect_in(struct socket *so, const struct sockaddr *from)
{
	errno_t error = 0;

	ASK(so, error, sf_connect_in, so, from);
	return error;
}

static errno_t
listen(struct socket *so)
{
	errno_t error = 0;

	ASK(so, error, sf_listen, so);
	return error;
}

static errno_t
accept(struct socket *listener, struct socket *so)
{
	struct sockaddr_storage local, remote;
	const struct sockaddr *here = (const struct sockaddr *)(const void *)&local;
	const struct sockaddr *there = (const struct sockaddr *)(const void *)&remote;
	const struct pr_usrreqs *pru = so->so_proto->pr_usrreqs;
	errno_t error = 0;

	if (pru->pru_sockaddr(so, &local) != 0 || pru->pru_peeraddr(so, &remote) != 0)
		return ECONNABORTED;
	ASK(so, error, sf_accept, listener, so, here, there);
	return error;
}

static errno_t
option(struct socket *so, struct sockopt *sopt)
{
	errno_t error = 0;

	if (sopt->sopt_dir == SOPT_SET)
		ASK(so, error, sf_setoption, so, sopt);
	else
		ASK(so, error, sf_getoption, so, sopt);
	return error;
}

static errno_t
ioctl(struct socket *so, unsigned long command, void *data)
{
	errno_t error = 0;

	ASK(so, error, sf_ioctl, so, command, data);
	return error;
}

const struct so_filter_ops sflt_ops = {
	.created = created,
	.ending = sflt_end_socket,
	.attach = attach_by_handle,
	.notify = sflt_notify,
	.name = name,
	.bind = bind,
	.connect_out = connect_out,
	.connect_in = connect_in,
	.listen = listen,
	.accept = accept,
	.option = option,
	.ioctl = ioctl,
	.data_out = sflt_data_out,
	.data_in = sflt_data_in,
};
