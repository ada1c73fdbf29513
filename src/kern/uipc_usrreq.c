/*
 * Local sockets (PF_LOCAL): streams and datagrams within the machine.
 *
 * Names: there is no file system; a path is a string in a table of the machine, from bind until the socket
 * is closed. What is sent is put into the receiver's so_rcv at once. A stream's bytes that the receiver
 * has not read count in the sender's so_snd as well, though no mbufs are there, so that the sender waits
 * when it is full (mirror()). A datagram for which the receiver has no room is an error (ENOBUFS).
 *
 * A socket owns its control block (so_pcb). Peers point at each other; whoever ends unlinks both.
 * Descriptors in messages are in uipc_rights.c. Limits: net.local.*, kern.ipc.maxsockets.
 *
 * Left out: SOCK_SEQPACKET, LOCAL_CREDS and sockets in a file system.
 */
#include <string.h>
#include <sys/ucred.h>

#include "src/kern/heap.h"
#include "src/kern/sysctl.h"
#include "src/kern/sysctl_number.h"
#include "src/kern/uipc_local.h"

#define STREAM_SPACE	8192	/* net.local.stream.sendspace, recvspace */
#define DGRAM_MOST	2048	/* net.local.dgram.maxdgram */
#define DGRAM_SPACE	4096	/* net.local.dgram.recvspace */
#define NAME_BUCKETS	64u	/* at first */

static inline struct unpcb *
sotounpcb(const struct socket *so)
{
	return so->so_pcb;
}

static inline struct local_state *
local_of(const struct socket *so)
{
	return sotomachine(so)->sockets->local;
}

/* ---- names -------------------------------------------------------------------------------- */

/* FNV-1a. */
static unsigned
hash_path(const char *path, size_t len)
{
	uint32_t h = UINT32_C(2166136261);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)path[i]) * UINT32_C(16777619);
	return h;
}

/* Of a complete address: up to the first NUL, if there is one. */
static size_t
path_length(const struct sockaddr_un *sun)
{
	size_t most = sun->sun_len > offsetof(struct sockaddr_un, sun_path) ?
	    sun->sun_len - offsetof(struct sockaddr_un, sun_path) : 0;

	return strnlen(sun->sun_path, most);
}

static struct unpcb_list *
bucket(const struct local_state *l, const struct sockaddr_un *sun, size_t len)
{
	return &l->names[hash_path(sun->sun_path, len) & (l->buckets - 1)];
}

static struct unpcb *
find_name(const struct local_state *l, const struct sockaddr_un *sun)
{
	size_t len = path_length(sun);
	struct unpcb *unp;

	LIST_FOREACH(unp, bucket(l, sun, len), unp_name) {
		if (path_length(&unp->unp_addr) == len &&
		    memcmp(unp->unp_addr.sun_path, sun->sun_path, len) == 0)
			return unp;
	}
	return NULL;
}

/* Twice as many buckets; without memory for them the old ones do. */
static void
grow_names(struct nke *m, struct local_state *l)
{
	unsigned old = l->buckets;
	struct unpcb_list *names = kalloc(m, 2 * old * sizeof *names), *before = l->names;
	struct unpcb *unp;

	if (names == NULL)
		return;
	l->names = names;
	l->buckets = 2 * old;
	for (unsigned i = 0; i < old; i++) {
		while ((unp = LIST_FIRST(&before[i])) != NULL) {
			LIST_REMOVE(unp, unp_name);
			LIST_INSERT_HEAD(bucket(l, &unp->unp_addr, path_length(&unp->unp_addr)), unp,
			    unp_name);
		}
	}
	kfree(m, before);
}

/* Checks what a program gave as a name, and copies it. */
static errno_t
take_name(const struct sockaddr *from, struct sockaddr_un *sun)
{
	if (from->sa_family != AF_LOCAL)
		return EAFNOSUPPORT;
	if (from->sa_len <= offsetof(struct sockaddr_un, sun_path) || from->sa_len > sizeof *sun)
		return EINVAL;
	memset(sun, 0, sizeof *sun);
	memcpy(sun, from, from->sa_len);
	return path_length(sun) == 0 ? ENOENT : 0;
}

/* A socket's name for others: one without a name has a short address without a path. */
static void
give_name(const struct unpcb *unp, struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof *ss);
	if (unp != NULL && unp->unp_addr.sun_len != 0) {
		memcpy(ss, &unp->unp_addr, unp->unp_addr.sun_len);
		return;
	}
	ss->ss_len = sizeof(struct sockaddr);
	ss->ss_family = AF_LOCAL;
}

/* ---- connecting --------------------------------------------------------------------------- */

/*
 * Flow control: so_snd of a stream counts what lies in the peer's so_rcv.
 */
static void
mirror(struct socket *sender, const struct socket *receiver)
{
	sender->so_snd.sb_cc = receiver->so_rcv.sb_cc;
	sender->so_snd.sb_mbcnt = receiver->so_rcv.sb_mbcnt;
}

static void
no_peer(struct socket *so)
{
	so->so_snd.sb_cc = 0;
	so->so_snd.sb_mbcnt = 0;
}

static void
know_peer(struct unpcb *unp, const struct socket *peer)
{
	unp->unp_has_peer = true;
	unp->unp_peer_uid = peer->so_uid;
	unp->unp_peer_pid = peer->so_last_pid;
}

static errno_t
link_peers(struct socket *so, struct socket *so2)
{
	struct unpcb *unp = sotounpcb(so), *unp2 = sotounpcb(so2);

	if (so2->so_type != so->so_type)
		return EPROTOTYPE;
	unp->unp_conn = unp2;
	know_peer(unp, so2);
	if (so->so_type == SOCK_DGRAM) {
		LIST_INSERT_HEAD(&unp2->unp_refs, unp, unp_reflink);
		soisconnected(so);
		return 0;
	}
	unp2->unp_conn = unp;
	know_peer(unp2, so);
	so_retain(so2);
	soisconnected(so);
	/* Whoever was told of it may have closed either. */
	if (so2->so_pcb != NULL)
		soisconnected(so2);
	so_release(so2);
	return 0;
}

static void
unlink_peer(struct unpcb *unp)
{
	struct unpcb *unp2 = unp->unp_conn;
	struct socket *so = unp->unp_socket, *so2;

	if (unp2 == NULL)
		return;
	unp->unp_conn = NULL;
	if (so->so_type == SOCK_DGRAM) {
		LIST_REMOVE(unp, unp_reflink);
		so->so_state &= (uint16_t)~SS_ISCONNECTED;
		return;
	}
	unp2->unp_conn = NULL;
	so2 = unp2->unp_socket;
	no_peer(so);
	no_peer(so2);
	so_retain(so2);
	soisdisconnected(so);
	soisdisconnected(so2);
	so_release(so2);
}

static errno_t
find_peer(const struct socket *so, const struct sockaddr *to, struct unpcb **out)
{
	struct sockaddr_un sun;
	errno_t error = take_name(to, &sun);

	if (error != 0)
		return error;
	*out = find_name(local_of(so), &sun);
	if (*out == NULL)
		return ENOENT;
	return (*out)->unp_socket->so_type != so->so_type ? EPROTOTYPE : 0;
}

static errno_t
local_connect(struct socket *so, const struct sockaddr *to)
{
	struct unpcb *unp2;
	struct socket *so2;
	errno_t error = find_peer(so, to, &unp2);

	if (error != 0)
		return error;
	so2 = unp2->unp_socket;
	if (so->so_proto->pr_flags & PR_CONNREQUIRED) {
		struct socket *listener = so2;

		if (!(listener->so_options & SO_ACCEPTCONN))
			return ECONNREFUSED;
		so2 = sonewconn(listener, 0);
		if (so2 == NULL)
			return ECONNREFUSED;
		sotounpcb(so2)->unp_addr = unp2->unp_addr;
	}
	return link_peers(so, so2);
}

static errno_t
local_disconnect(struct socket *so)
{
	unlink_peer(sotounpcb(so));
	return 0;
}

/* ---- life --------------------------------------------------------------------------------- */

static errno_t
local_attach(struct socket *so, int protocol)
{
	struct local_state *l = local_of(so);
	bool stream = so->so_type == SOCK_STREAM;
	struct unpcb *unp;

	(void)protocol;
	if (so->so_snd.sb_hiwat == 0 || so->so_rcv.sb_hiwat == 0) {
		errno_t error = soreserve(so,
		    (uint32_t)(stream ? l->stream_sendspace : l->dgram_maxdgram),
		    (uint32_t)(stream ? l->stream_recvspace : l->dgram_recvspace));

		if (error != 0)
			return error;
	}
	unp = kalloc(sotomachine(so), sizeof *unp);
	if (unp == NULL)
		return ENOBUFS;
	unp->unp_socket = so;
	unp->unp_reached = l->collection;
	LIST_INIT(&unp->unp_refs);
	LIST_INSERT_HEAD(&l->all, unp, unp_link);
	so->so_pcb = unp;
	return 0;
}

static void
forget_name(struct unpcb *unp)
{
	if (!unp->unp_named)
		return;
	LIST_REMOVE(unp, unp_name);
	unp->unp_named = false;
	local_of(unp->unp_socket)->named--;
}

static void
local_detach(struct socket *so)
{
	struct unpcb *unp = sotounpcb(so), *ref;

	forget_name(unp);
	unlink_peer(unp);
	while ((ref = LIST_FIRST(&unp->unp_refs)) != NULL) {
		struct socket *from = ref->unp_socket;

		so_retain(from);
		unlink_peer(ref);
		so_seterror(from, ECONNRESET);
		so_release(from);
	}
	LIST_REMOVE(unp, unp_link);
	so->so_pcb = NULL;
	kfree(sotomachine(so), unp);
	soisdisconnected(so);
	sorflush(so);
}

static void
local_abort(struct socket *so)
{
	struct unpcb *peer = sotounpcb(so)->unp_conn;

	if (peer != NULL)
		peer->unp_socket->so_error = ECONNRESET;
	local_detach(so);
}

static errno_t
local_bind(struct socket *so, const struct sockaddr *name)
{
	struct local_state *l = local_of(so);
	struct unpcb *unp = sotounpcb(so);
	struct sockaddr_un sun;
	errno_t error;

	if (unp->unp_addr.sun_len != 0)
		return EINVAL;
	error = take_name(name, &sun);
	if (error != 0)
		return error;
	if (find_name(l, &sun) != NULL)
		return EADDRINUSE;
	unp->unp_addr = sun;
	unp->unp_named = true;
	LIST_INSERT_HEAD(bucket(l, &sun, path_length(&sun)), unp, unp_name);
	if (++l->named > 2 * l->buckets)
		grow_names(sotomachine(so), l);
	return 0;
}

static errno_t
local_listen(struct socket *so)
{
	return sotounpcb(so)->unp_named ? 0 : EINVAL;
}

static errno_t
local_accept(struct socket *so, struct sockaddr_storage *peer)
{
	give_name(sotounpcb(so)->unp_conn, peer);
	return 0;
}

static errno_t
local_sockaddr(struct socket *so, struct sockaddr_storage *name)
{
	give_name(sotounpcb(so), name);
	return 0;
}

static errno_t
local_peeraddr(struct socket *so, struct sockaddr_storage *name)
{
	give_name(sotounpcb(so)->unp_conn, name);
	return 0;
}

static errno_t
local_shutdown(struct socket *so)
{
	struct unpcb *peer = sotounpcb(so)->unp_conn;

	if (so->so_type == SOCK_STREAM && peer != NULL) {
		struct socket *so2 = peer->unp_socket;

		so_retain(so2);
		socantsendmore(so);
		socantrcvmore(so2);
		so_release(so2);
		return 0;
	}
	socantsendmore(so);
	return 0;
}

/* ---- data --------------------------------------------------------------------------------- */

/* What has been consumed becomes NULL. */
static errno_t
put_datagram(struct socket *so, struct mbuf **m, const struct sockaddr *to, struct mbuf **control)
{
	static const struct sockaddr nameless = {.sa_len = sizeof nameless, .sa_family = AF_LOCAL};
	struct unpcb *unp = sotounpcb(so), *peer = unp->unp_conn;
	const struct sockaddr *from = &nameless;
	errno_t error;

	if (to != NULL) {
		if (peer != NULL)
			return EISCONN;
		error = find_peer(so, to, &peer);
		if (error != 0)
			return error;
	} else if (peer == NULL) {
		return ENOTCONN;
	}
	if (peer->unp_socket->so_state & SS_CANTRCVMORE)
		return EPIPE;
	if (unp->unp_addr.sun_len != 0)
		from = (const struct sockaddr *)(const void *)&unp->unp_addr;
	error = sbappendaddr(&peer->unp_socket->so_rcv, from, *m, *control);
	*m = *control = NULL;
	if (error == 0)
		sorwakeup(peer->unp_socket);
	return error;
}

/* The same. */
static errno_t
put_stream(struct socket *so, struct mbuf **m, const struct sockaddr *to, struct mbuf **control)
{
	struct unpcb *unp = sotounpcb(so);
	struct socket *so2;
	errno_t error;

	if (!(so->so_state & SS_ISCONNECTED)) {
		if (to == NULL)
			return ENOTCONN;
		error = local_connect(so, to);
		if (error != 0)
			return error;
	}
	if (unp->unp_conn == NULL)
		return ENOTCONN;
	so2 = unp->unp_conn->unp_socket;
	if ((so->so_state & SS_CANTSENDMORE) || (so2->so_state & SS_CANTRCVMORE))
		return EPIPE;
	error = 0;
	if (*control == NULL)
		(void)sbappendstream(&so2->so_rcv, *m);
	else
		error = sbappendcontrol(&so2->so_rcv, *m, *control);
	*m = *control = NULL;
	if (error != 0)
		return error;
	mirror(so, so2);
	sorwakeup(so2);
	return 0;
}

static errno_t
local_send(struct socket *so, int flags, struct mbuf *m, const struct sockaddr *to,
    struct mbuf *control)
{
	struct nke *machine = sotomachine(so);
	errno_t error = 0;

	if (flags & PRUS_OOB)
		error = EOPNOTSUPP;
	if (control != NULL && error == 0) {
		struct mbuf *given = control;

		error = unp_internalize(machine, given, &control);
		if (error != 0)
			control = NULL;
	} else if (error != 0) {
		m_freem(control);
		control = NULL;
	}
	if (error == 0)
		error = so->so_type == SOCK_DGRAM ? put_datagram(so, &m, to, &control) :
		    put_stream(so, &m, to, &control);
	if (error != 0) {
		m_freem(m);
		unp_free_control(machine, control);
		return error;
	}
	if (flags & PRUS_EOF)
		error = local_shutdown(so);
	return error;
}

/* The reader has made room: the peer may send again. */
static errno_t
local_rcvd(struct socket *so, int flags)
{
	struct unpcb *peer = sotounpcb(so)->unp_conn;

	(void)flags;
	if (peer == NULL)
		return 0;
	mirror(peer->unp_socket, so);
	sowwakeup(peer->unp_socket);
	return 0;
}

/* ---- options ------------------------------------------------------------------------------ */

static errno_t
local_ctloutput(struct socket *so, struct sockopt *sopt)
{
	const struct unpcb *unp = sotounpcb(so);

	if (sopt->sopt_level != SOL_LOCAL)
		return EINVAL;
	if (sopt->sopt_dir != SOPT_GET)
		return EOPNOTSUPP;
	switch (sopt->sopt_name) {
	case LOCAL_PEERCRED: {
		const struct xucred cred = {.cr_version = XUCRED_VERSION, .cr_uid = unp->unp_peer_uid,
		    .cr_ngroups = 1};

		if (!unp->unp_has_peer)
			return so->so_type == SOCK_STREAM ? ENOTCONN : EINVAL;
		return sooptcopyout(sopt, &cred, sizeof cred);
	}
	case LOCAL_PEERPID:
	case LOCAL_PEEREPID:
		if (unp->unp_conn == NULL)
			return ENOTCONN;
		return sooptcopyout_int(sopt, unp->unp_peer_pid);
	default:
		return EOPNOTSUPP;
	}
}

/* ---- the subsystem ------------------------------------------------------------------------ */

static const struct pr_usrreqs local_usrreqs = {
	.pru_attach = local_attach,
	.pru_detach = local_detach,
	.pru_abort = local_abort,
	.pru_bind = local_bind,
	.pru_listen = local_listen,
	.pru_accept = local_accept,
	.pru_connect = local_connect,
	.pru_connect2 = link_peers,
	.pru_disconnect = local_disconnect,
	.pru_shutdown = local_shutdown,
	.pru_send = local_send,
	.pru_rcvd = local_rcvd,
	.pru_sockaddr = local_sockaddr,
	.pru_peeraddr = local_peeraddr,
};

static const struct protosw local_protos[] = {
	{
		.pr_type = SOCK_STREAM,
		.pr_flags = PR_CONNREQUIRED | PR_WANTRCVD | PR_RIGHTS,
		.pr_usrreqs = &local_usrreqs,
		.pr_ctloutput = local_ctloutput,
	},
	{
		.pr_type = SOCK_DGRAM,
		.pr_flags = PR_ATOMIC | PR_ADDR | PR_RIGHTS,
		.pr_usrreqs = &local_usrreqs,
		.pr_ctloutput = local_ctloutput,
	},
};

static const struct domain local_domain = {
	.dom_family = PF_LOCAL,
	.dom_name = "local",
	.dom_dispose = unp_dispose,
	.dom_externalize = unp_externalize,
};

/* arg1 is a buffer's size: above 0, and no more than a buffer may be. arg2: read only. */
static int
handle_space SYSCTL_HANDLER_ARGS
{
	int value = *(const int *)arg1, changed;
	int error = sysctl_number(req, value, sizeof value, arg2 != 0 ? NULL : &value, &changed);

	(void)oidp;
	if (error != 0 || !changed)
		return error;
	if (value < 1 || value > (int)SB_MAX_DEFAULT)
		return EINVAL;
	*(int *)arg1 = value;
	return 0;
}

static errno_t
add_leaves(struct nke *m, struct local_state *l)
{
	const struct {
		struct sysctl_oid_list *parent;
		const char *name;
		int *value;
		bool fixed;
	} leaves[] = {
		{&sysctl__net_local_stream_children, "sendspace", &l->stream_sendspace, false},
		{&sysctl__net_local_stream_children, "recvspace", &l->stream_recvspace, false},
		{&sysctl__net_local_dgram_children, "maxdgram", &l->dgram_maxdgram, false},
		{&sysctl__net_local_dgram_children, "recvspace", &l->dgram_recvspace, false},
		{&sysctl__net_local_children, "inflight", &l->inflight, true},
	};
	errno_t error = 0;

	for (size_t i = 0; i < sizeof leaves / sizeof leaves[0] && error == 0; i++)
		error = sysctl_add(m, leaves[i].parent, OID_AUTO, leaves[i].name,
		    CTLTYPE_INT | (leaves[i].fixed ? CTLFLAG_RD : CTLFLAG_RW) | CTLFLAG_LOCKED,
		    leaves[i].value, leaves[i].fixed, handle_space, "I");
	return error;
}

static errno_t
local_init(struct nke *m)
{
	struct local_state *l = kalloc(m, sizeof *l);
	errno_t error;

	if (l == NULL)
		return ENOMEM;
	m->sockets->local = l;
	l->stream_sendspace = l->stream_recvspace = STREAM_SPACE;
	l->dgram_maxdgram = DGRAM_MOST;
	l->dgram_recvspace = DGRAM_SPACE;
	LIST_INIT(&l->all);
	LIST_INIT(&l->garbage);
	TAILQ_INIT(&l->given_up);
	softintr_init(&l->collector, m, unp_collect, m);
	l->buckets = NAME_BUCKETS;
	l->names = kalloc(m, NAME_BUCKETS * sizeof *l->names);
	if (l->names == NULL)
		return ENOMEM;
	error = net_add_domain(m, &local_domain);
	for (size_t i = 0; i < sizeof local_protos / sizeof local_protos[0] && error == 0; i++)
		error = net_add_proto(m, PF_LOCAL, &local_protos[i]);
	return error != 0 ? error : add_leaves(m, l);
}

static void
local_fini(struct nke *m)
{
	struct local_state *l = m->sockets->local;

	softintr_cancel(&l->collector);
	kfree(m, l->names);
	kfree(m, l);
	m->sockets->local = NULL;
}

extern const struct subsystem local_subsystem;
const struct subsystem local_subsystem = {
	.name = "local", .init = local_init, .fini = local_fini,
};
