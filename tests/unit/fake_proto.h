/* A protocol that connects, disconnects, refuses and keeps what is sent when the test says so. */
#ifndef NKE_TESTS_FAKE_PROTO_H
#define NKE_TESTS_FAKE_PROTO_H

#include "src/kern/heap.h"
#include "tests/unit/sock_testing.h"
#include "tests/unit/trail.h"

#define FAMILY		PF_NS		/* nobody else's */
#define S		(1000 * MS)

/* ---- the test protocol --------------------------------------------------------------------- */

struct fake_pcb {
	unsigned sent;			/* calls of pru_send */
	size_t bytes;
	int flags;			/* of the last one */
	bool dontroute;
};

static struct {
	unsigned attached, detached, aborted, rcvd;
	errno_t attach_error, accept_error, send_error;
	bool connect_at_once, keep_sent;
	uint64_t disconnect_after;
	char urgent;			/* 0: none */
} fake;

static inline errno_t
fake_attach(struct socket *so, int protocol)
{
	(void)protocol;
	if (fake.attach_error != 0)
		return fake.attach_error;
	so->so_pcb = kalloc(curmachine(), sizeof(struct fake_pcb));
	if (so->so_pcb == NULL)
		return ENOMEM;
	fake.attached++;
	return 0;
}

static inline void
fake_free(struct socket *so)
{
	kfree(curmachine(), so->so_pcb);
	so->so_pcb = NULL;
}

static inline void
fake_detach(struct socket *so)
{
	fake.detached++;
	fake_free(so);
}

static inline void
fake_abort(struct socket *so)
{
	fake.aborted++;
	fake_free(so);
}

static inline errno_t
fake_nothing(struct socket *so)
{
	(void)so;
	return 0;
}

static inline errno_t
fake_accept(struct socket *so, struct sockaddr_storage *peer)
{
	(void)so;
	peer->ss_len = 16;
	peer->ss_family = FAMILY;
	return fake.accept_error;
}

static inline errno_t
fake_connect(struct socket *so, const struct sockaddr *to)
{
	(void)to;
	soisconnecting(so);
	if (fake.connect_at_once)
		soisconnected(so);
	return 0;
}

static inline errno_t
fake_disconnect(struct socket *so)
{
	if (fake.disconnect_after == 0)
		soisdisconnected(so);
	else
		so->so_state |= SS_ISDISCONNECTING;
	return 0;
}

static inline errno_t
fake_shutdown(struct socket *so)
{
	socantsendmore(so);
	return 0;
}

static inline errno_t
fake_send(struct socket *so, int flags, struct mbuf *m, const struct sockaddr *to,
    struct mbuf *control)
{
	struct fake_pcb *pcb = so->so_pcb;

	(void)to;
	pcb->sent++;
	pcb->bytes += (size_t)m->m_pkthdr.len;
	pcb->flags = flags;
	pcb->dontroute = so->so_options & SO_DONTROUTE;
	m_freem(control);
	if (fake.keep_sent && fake.send_error == 0)
		sbappendstream(&so->so_snd, m);
	else
		m_freem(m);
	return fake.send_error;
}

static inline errno_t
fake_rcvd(struct socket *so, int flags)
{
	(void)so;
	(void)flags;
	fake.rcvd++;
	return 0;
}

static inline errno_t
fake_rcvoob(struct socket *so, struct mbuf *m, int flags)
{
	(void)so;
	if (fake.urgent == 0)
		return EINVAL;
	*m->m_data = fake.urgent;
	m->m_len = 1;
	if (!(flags & MSG_PEEK))
		fake.urgent = 0;
	return 0;
}

static const struct pr_usrreqs stream_usrreqs = {
	.pru_attach = fake_attach, .pru_detach = fake_detach, .pru_abort = fake_abort,
	.pru_listen = fake_nothing, .pru_accept = fake_accept, .pru_connect = fake_connect,
	.pru_disconnect = fake_disconnect, .pru_shutdown = fake_shutdown, .pru_send = fake_send,
	.pru_rcvd = fake_rcvd, .pru_rcvoob = fake_rcvoob,
};
static const struct pr_usrreqs bare_usrreqs = {
	.pru_attach = fake_attach, .pru_detach = fake_detach, .pru_abort = fake_abort,
};
static const struct protosw stream_proto = {
	.pr_type = SOCK_STREAM, .pr_protocol = 6, .pr_flags = PR_CONNREQUIRED | PR_WANTRCVD,
	.pr_sndspace = 8192, .pr_rcvspace = 8192, .pr_usrreqs = &stream_usrreqs,
};
static const struct protosw dgram_proto = {
	.pr_type = SOCK_DGRAM, .pr_protocol = 17, .pr_flags = PR_ATOMIC | PR_ADDR,
	.pr_sndspace = 9216, .pr_rcvspace = 8192, .pr_usrreqs = &stream_usrreqs,
};
static const struct protosw raw_proto = {
	.pr_type = SOCK_RAW, .pr_flags = PR_ATOMIC | PR_ADDR,
	.pr_sndspace = 8192, .pr_rcvspace = 8192, .pr_usrreqs = &bare_usrreqs,
};
static const struct domain fake_domain = {.dom_family = FAMILY, .dom_name = "fake"};
static const struct sockaddr somewhere = {.sa_len = 16, .sa_family = FAMILY};

static inline void
set_up(void)
{
	memset(&fake, 0, sizeof fake);
	CHECK_EQ(net_add_domain(curmachine(), &fake_domain), 0);
	CHECK_EQ(net_add_proto(curmachine(), FAMILY, &stream_proto), 0);
	CHECK_EQ(net_add_proto(curmachine(), FAMILY, &dgram_proto), 0);
	CHECK_EQ(net_add_proto(curmachine(), FAMILY, &raw_proto), 0);
}

static inline void
arrive(struct socket *so, const char *text)
{
	sbappendstream(&so->so_rcv, m_devget(curmachine(), text, strlen(text), 0));
	sorwakeup(so);
}

static inline struct socket *
make_connected(void)
{
	struct socket *so = make_socket(FAMILY, SOCK_STREAM);

	fake.connect_at_once = true;
	CHECK_EQ(soconnect(so, &somewhere, 0), 0);
	return so;
}

static inline struct socket *
make_listener(int backlog)
{
	struct socket *so = make_socket(FAMILY, SOCK_STREAM);

	CHECK_EQ(solisten(so, backlog), 0);
	return so;
}

#endif
