/*
 * Event sockets: PF_SYSTEM, SOCK_RAW, SYSPROTO_EVENT. Each is a listener of the event engine (kern_event.c)
 * whose filter hears nothing until SIOCSKEVFILT; an event is one record in its receive buffer. They only
 * receive: an event that there is no room for is lost for that socket alone.
 */
#include <string.h>
#include <sys/ioccom.h>

#include "src/kern/heap.h"
#include "src/kern/kern_event.h"
#include "src/kern/kern_event_socket.h"
#include "src/kern/socket_private.h"
#include "src/kern/string_id.h"

struct event_pcb {
	struct kev_listener listener;
	struct socket *so;
};

/* ---- hearing ------------------------------------------------------------------------------ */

static errno_t
hear(void *arg, const struct kern_event_msg *msg)
{
	struct socket *so = arg;
	struct mbuf *m;

	if ((so->so_state & SS_CANTRCVMORE) || sbspace(&so->so_rcv) < msg->total_size)
		return ENOBUFS;
	m = m_get(sotomachine(so), MBUF_DONTWAIT, MBUF_TYPE_DATA);
	if (m == NULL)
		return ENOMEM;
	memcpy(m->m_data, msg, msg->total_size);
	m->m_len = (int32_t)msg->total_size;
	sbappendrecord(&so->so_rcv, m);
	sorwakeup(so);
	return 0;
}

/* ---- requests ----------------------------------------------------------------------------- */

static errno_t
event_attach(struct socket *so, int proto)
{
	struct event_pcb *p = kalloc(sotomachine(so), sizeof *p);

	(void)proto;
	if (p == NULL)
		return ENOBUFS;
	p->so = so;
	p->listener.filter.vendor_code = KEV_NOTHING;
	p->listener.event = hear;
	p->listener.arg = so;
	so->so_pcb = p;
	kev_listen(sotomachine(so), &p->listener);
	return 0;
}

static void
event_detach(struct socket *so)
{
	struct event_pcb *p = so->so_pcb;

	so->so_pcb = NULL;
	kev_unlisten(sotomachine(so), &p->listener);
	kfree(sotomachine(so), p);
}

static errno_t
vendor_code(struct nke *m, void *data)
{
	struct kev_vendor_code v;
	errno_t error;

	memcpy(&v, data, sizeof v);
	if (strnlen(v.vendor_string, sizeof v.vendor_string) == sizeof v.vendor_string)
		return EINVAL;
	error = string_id_lookup(m, v.vendor_string, STRING_ID_VENDOR, &v.vendor_code);
	if (error == 0)
		memcpy(data, &v, sizeof v);
	return error;
}

static errno_t
event_control(struct socket *so, unsigned long command, void *data)
{
	struct event_pcb *p = so->so_pcb;
	struct nke *m = sotomachine(so);
	uint32_t id;

	switch (command) {
	case SIOCGKEVID:
		id = kev_last_id(m);
		memcpy(data, &id, sizeof id);
		return 0;
	case SIOCSKEVFILT:
		memcpy(&p->listener.filter, data, sizeof p->listener.filter);
		return 0;
	case SIOCGKEVFILT:
		memcpy(data, &p->listener.filter, sizeof p->listener.filter);
		return 0;
	case SIOCGKEVVENDOR:
		return vendor_code(m, data);
	default:
		return IOCGROUP(command) == 'i' ? EOPNOTSUPP : ENOTSUP;
	}
}

static const struct pr_usrreqs event_usrreqs = {
	.pru_attach = event_attach,
	.pru_detach = event_detach,
	.pru_abort = event_detach,
	.pru_control = event_control,
};

const struct protosw kev_proto = {
	.pr_type = SOCK_RAW,
	.pr_protocol = SYSPROTO_EVENT,
	.pr_flags = PR_ATOMIC,
	.pr_sndspace = KEV_SNDSPACE,
	.pr_rcvspace = KEV_RECVSPACE,
	.pr_usrreqs = &event_usrreqs,
};
