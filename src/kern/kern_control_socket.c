/*
 * The clients of kernel controls: sockets of PF_SYSTEM, SYSPROTO_CONTROL. Called by the socket layer through
 * the protocol switch, for programs and kexts alike; calls the controller's callbacks, with nothing locked.
 *
 * A client gets its unit when it connects and keeps it until ctl_disconnect has returned, so that data can
 * be put into its buffer during all callbacks. The controller cannot go while it has clients. What is sent
 * goes to the callback at once: nothing stays in the send buffer.
 *
 * The end of a client waits for its callbacks in other threads. When it comes from within one of its own
 * (a kext closes its end of a socket in ctl_send; a Mac would hang), ctl_disconnect follows when that
 * callback has returned.
 */
#include <string.h>

#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/inside.h"
#include "src/kern/kern_control_private.h"
#include "src/kern/panic.h"
#include "src/kern/socket_private.h"

/* Who takes the machine down calls nobody. */
static bool
may_call(const struct nke *m)
{
	return m->up && !m->panicked;
}

/* ---- units -------------------------------------------------------------------------------- */

/* The lowest that is free; 0: none. */
static uint32_t
free_unit(const struct kctl *k)
{
	const struct kctl_client *c = TAILQ_LAST(&k->clients, kctl_clients);
	uint32_t unit = 1;

	/* No two are the same: as many as the highest says are all of them. */
	if (c != NULL && c->sac.sc_unit == k->client_count)
		return k->client_count < KCTL_UNIT_MAX ? k->client_count + 1 : 0;
	TAILQ_FOREACH(c, &k->clients, link) {
		if (c->sac.sc_unit > unit)
			break;
		unit = c->sac.sc_unit + 1;
	}
	return unit <= KCTL_UNIT_MAX ? unit : 0;
}

static void
join(struct kctl *k, struct kctl_client *c)
{
	struct kctl_client *before;

	TAILQ_FOREACH_REVERSE(before, &k->clients, kctl_clients, link)
		if (before->sac.sc_unit < c->sac.sc_unit)
			break;
	if (before != NULL)
		TAILQ_INSERT_AFTER(&k->clients, before, c, link);
	else
		TAILQ_INSERT_HEAD(&k->clients, c, link);
	k->client_count++;
	c->kctl = k;
}

static void
leave(struct kctl_client *c)
{
	struct kctl *k = c->kctl;

	TAILQ_REMOVE(&k->clients, c, link);
	k->client_count--;
	k->recent = NULL;
	c->kctl = NULL;
	c->told = c->ending = c->deferred = false;
}

/* Finds the controller and takes a unit. Interface fact: family and ss_sysaddr are not looked at. */
static errno_t
take_unit(struct kctl_client *c, const struct sockaddr *to)
{
	struct socket *so = c->so;
	struct sockaddr_ctl sac;
	struct kctl *k;
	errno_t error;

	if (to->sa_len != sizeof sac)
		return EINVAL;
	memcpy(&sac, to, sizeof sac);
	k = kctl_find_id(sotomachine(so), sac.sc_id, sac.sc_unit);
	if (k == NULL)
		return ENOENT;
	if (so->so_type != (k->reg.ctl_flags & CTL_FLAG_REG_SOCK_STREAM ? SOCK_STREAM : SOCK_DGRAM))
		return EPROTOTYPE;
	if ((k->reg.ctl_flags & CTL_FLAG_PRIVILEGED) && !(so->so_state & SS_PRIV))
		return EPERM;
	if (sac.sc_unit != 0 || (k->reg.ctl_flags & CTL_FLAG_REG_ID_UNIT)) {
		if (kctl_find_unit(k, sac.sc_unit) != NULL)
			return EBUSY;
	} else {
		sac.sc_unit = free_unit(k);
		if (sac.sc_unit == 0)
			return EBUSY;
	}
	error = soreserve(so, k->reg.ctl_sendsize, k->reg.ctl_recvsize);
	if (error != 0)
		return error;
	c->sac = sac;
	c->unitinfo = NULL;
	join(k, c);
	return 0;
}

/* ---- the end ------------------------------------------------------------------------------ */

/* ctl_disconnect, and the unit is free. Nobody is inside. The client is gone if its socket is. */
static void
finish(struct kctl_client *c)
{
	const struct kctl *k = c->kctl;
	struct socket *so = c->so;

	c->ending = true;
	if (c->told && k->reg.ctl_disconnect != NULL && may_call(sotomachine(so)))
		GATE_CALL(k->owner, "ctl_disconnect", NULL,
		    (void)k->reg.ctl_disconnect(k->ref, c->sac.sc_unit, c->unitinfo));
	leave(c);
	if (c->orphan) {
		kfree(sotomachine(so), c);
		so_release(so);
	}
}

static void
end_client(struct kctl_client *c)
{
	if (c->kctl == NULL || c->ending)
		return;
	c->ending = true;
	if (!may_call(sotomachine(c->so))) {
		c->inside = NULL;
	} else if (!inside_wait(&c->inside, "the callbacks of a kernel control to return") ||
	    inside_self(c->inside)) {
		c->deferred = true;
		return;
	}
	finish(c);
}

bool
kctl_cut_off(struct kctl_client *c)
{
	if (c->inside != NULL)
		return false;
	c->told = false;
	leave(c);
	soisdisconnected(c->so);
	return true;
}

/* ---- calling the controller --------------------------------------------------------------- */

/* NULL: it is not connected, or not any more. */
static inline struct kctl *
enter(struct kctl_client *c, struct inside *me)
{
	if (c == NULL || c->kctl == NULL || c->ending)
		return NULL;
	inside_enter(&c->inside, me);
	return c->kctl;
}

/* False: that was the end of the client, which may be gone. */
static inline bool
returned(struct kctl_client *c, const struct inside *me)
{
	inside_leave(&c->inside, me);
	if (__builtin_expect(!c->deferred || c->inside != NULL, 1))
		return !c->deferred;
	finish(c);
	return false;
}

/* ---- requests ----------------------------------------------------------------------------- */

static errno_t
client_attach(struct socket *so, int proto)
{
	struct kctl_client *c = kalloc(sotomachine(so), sizeof *c);

	(void)proto;
	if (c == NULL)
		return ENOBUFS;
	c->so = so;
	so->so_pcb = c;
	return 0;
}

static void
client_detach(struct socket *so)
{
	struct kctl_client *c = so->so_pcb;

	end_client(c);
	so->so_pcb = NULL;
	/* Not ended yet: by its own callback, or by another thread that waits for one. */
	if (c->kctl != NULL) {
		c->orphan = true;
		so_retain(so);
	} else {
		kfree(sotomachine(so), c);
	}
}

/*
 * Interface fact: without a callback for it, which the public interface does not have, this is EINVAL, and
 * yet the unit is taken and what connects the socket later.
 */
static errno_t
client_bind(struct socket *so, const struct sockaddr *name)
{
	struct kctl_client *c = so->so_pcb;
	errno_t error = c->kctl == NULL ? take_unit(c, name) : EINVAL;

	return error != 0 ? error : EINVAL;
}

static errno_t
client_connect(struct socket *so, const struct sockaddr *to)
{
	struct kctl_client *c = so->so_pcb;
	struct sockaddr_ctl sac;
	struct inside me;
	struct kctl *k;
	errno_t error = c->kctl == NULL ? take_unit(c, to) : 0;

	if (error != 0)
		return error;
	sac = c->sac;
	soisconnecting(so);
	k = enter(c, &me);
	if (k == NULL)
		return ECONNABORTED;
	c->told = true;
	GATE_CALL(k->owner, "ctl_connect", NULL,
	    error = k->reg.ctl_connect(k->ref, &sac, &c->unitinfo));
	if (!returned(c, &me))
		return error != 0 ? error : ECONNABORTED;
	/* Interface fact: ctl_disconnect follows on a ctl_connect that failed, too. */
	if (error != 0) {
		end_client(c);
		soisdisconnected(so);
		return error;
	}
	soisconnected(so);
	return 0;
}

static errno_t
client_disconnect(struct socket *so)
{
	end_client(so->so_pcb);
	soisdisconnected(so);
	return 0;
}

static errno_t
client_send(struct socket *so, int flags, struct mbuf *m, const struct sockaddr *to, struct mbuf *control)
{
	struct kctl_client *c = so->so_pcb;
	struct inside me;
	struct kctl *k = enter(c, &me);
	errno_t error = ENOTSUP;

	(void)to;
	if (control != NULL)
		m_freem(control);
	if (k == NULL) {
		m_freem(m);
		return ENOTCONN;
	}
	if (k->reg.ctl_send != NULL)
		GATE_CALL(k->owner, "ctl_send", m,
		    error = k->reg.ctl_send(k->ref, c->sac.sc_unit, c->unitinfo, m, flags));
	else
		m_freem(m);
	(void)returned(c, &me);
	return error;
}

static errno_t
client_peeraddr(struct socket *so, struct sockaddr_storage *ss)
{
	const struct kctl_client *c = so->so_pcb;
	struct sockaddr_ctl sac = {
		.sc_len = sizeof sac, .sc_family = AF_SYSTEM, .ss_sysaddr = AF_SYS_CONTROL,
	};

	if (c == NULL || c->kctl == NULL)
		return ENOTCONN;
	sac.sc_id = c->sac.sc_id;
	sac.sc_unit = c->sac.sc_unit;
	memcpy(ss, &sac, sizeof sac);
	return 0;
}

/* ---- options ------------------------------------------------------------------------------ */

static errno_t
call_setopt(const struct kctl *k, const struct kctl_client *c, const struct sockopt *sopt, void *data)
{
	errno_t error;

	GATE_CALL(k->owner, "ctl_setopt", NULL,
	    error = k->reg.ctl_setopt(k->ref, c->sac.sc_unit, c->unitinfo, sopt->sopt_name, data,
	    sopt->sopt_valsize));
	return error;
}

static errno_t
call_getopt(const struct kctl *k, const struct kctl_client *c, const struct sockopt *sopt, void *data,
    size_t *len)
{
	struct gate_frame frame;
	errno_t error;

	gate_enter(&frame, k->owner, "ctl_getopt", NULL, 0);
	error = k->reg.ctl_getopt(k->ref, c->sac.sc_unit, c->unitinfo, sopt->sopt_name, data, len);
	if (data != NULL && *len > sopt->sopt_valsize)
		kpanic("kernel control \"%s\": ctl_getopt gave %zu bytes of option %d; there was room for "
		    "%zu", k->reg.ctl_name, *len, sopt->sopt_name, sopt->sopt_valsize);
	gate_leave(&frame);
	return error;
}

/* What the caller has in its buffer goes to both callbacks, in memory of exactly that size. */
static errno_t
take_value(struct nke *m, struct sockopt *sopt, void **data)
{
	*data = NULL;
	if (sopt->sopt_valsize == 0 || sopt->sopt_val == NULL)
		return 0;
	*data = kalloc(m, sopt->sopt_valsize);
	if (*data == NULL)
		return ENOMEM;
	return sooptcopyin(sopt, *data, sopt->sopt_valsize, sopt->sopt_valsize);
}

static errno_t
do_option(const struct kctl *k, const struct kctl_client *c, struct sockopt *sopt, void *data)
{
	size_t len = sopt->sopt_valsize;
	errno_t error;

	if (sopt->sopt_dir == SOPT_SET)
		return call_setopt(k, c, sopt, data);
	error = call_getopt(k, c, sopt, data, &len);
	if (error != 0)
		return error;
	if (data != NULL)
		return sooptcopyout(sopt, data, len);
	sopt->sopt_valsize = len;
	return 0;
}

static errno_t
client_ctloutput(struct socket *so, struct sockopt *sopt)
{
	struct kctl_client *c = so->so_pcb;
	struct nke *m = sotomachine(so);
	struct inside me;
	void *data = NULL;
	struct kctl *k;
	errno_t error;

	if (sopt->sopt_level != SYSPROTO_CONTROL)
		return EINVAL;
	k = enter(c, &me);
	if (k == NULL)
		return EINVAL;
	if (sopt->sopt_dir == SOPT_SET ? k->reg.ctl_setopt == NULL : k->reg.ctl_getopt == NULL)
		error = ENOTSUP;
	else
		error = take_value(m, sopt, &data);
	if (error == 0)
		error = do_option(k, c, sopt, data);
	(void)returned(c, &me);
	kfree(m, data);
	return error;
}

/* ---- the switch --------------------------------------------------------------------------- */

static const struct pr_usrreqs client_usrreqs = {
	.pru_attach = client_attach,
	.pru_detach = client_detach,
	.pru_abort = client_detach,
	.pru_bind = client_bind,
	.pru_connect = client_connect,
	.pru_disconnect = client_disconnect,
	.pru_send = client_send,
	.pru_peeraddr = client_peeraddr,
	.pru_control = kctl_ioctl,
};

const struct protosw kctl_dgram_proto = {
	.pr_type = SOCK_DGRAM,
	.pr_protocol = SYSPROTO_CONTROL,
	.pr_flags = PR_ATOMIC | PR_CONNREQUIRED,
	.pr_sndspace = KCTL_SENDSIZE,
	.pr_rcvspace = KCTL_RECVSIZE,
	.pr_usrreqs = &client_usrreqs,
	.pr_ctloutput = client_ctloutput,
};

const struct protosw kctl_stream_proto = {
	.pr_type = SOCK_STREAM,
	.pr_protocol = SYSPROTO_CONTROL,
	.pr_flags = PR_CONNREQUIRED,
	.pr_sndspace = KCTL_SENDSIZE,
	.pr_rcvspace = KCTL_RECVSIZE,
	.pr_usrreqs = &client_usrreqs,
	.pr_ctloutput = client_ctloutput,
};
