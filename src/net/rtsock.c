/*
 * Routing sockets: socket(PF_ROUTE, SOCK_RAW, family). What a program sends is a message (struct rt_msghdr
 * and addresses) that asks for a route or changes one; the answer, and every change whoever made it, goes to
 * all of them. `family` 0 hears everything, another one what is about it.
 *
 * State: a listener (rtable_private.h) per socket. The way in: pru_send, then answer() for each type of
 * message; nothing of a message is believed before its lengths were checked (rtmsg_addresses). The way out:
 * so_rcv; a socket whose buffer is full misses messages, as on Darwin.
 *
 * Neighbours are routes for programs: a host route to a link address adds one, RTM_GET finds it and
 * RTM_DELETE deletes it. Left out: generation masks (RTA_GENMASK), which are refused.
 */
#include <net/if_dl.h>
#include <netinet/in.h>
#include <string.h>

#include "src/kern/heap.h"
#include "src/kern/socketvar.h"
#include "src/net/ifaddr.h"
#include "src/net/neighbor.h"
#include "src/net/route_private.h"
#include "src/net/rtable_private.h"
#include "src/net/rtmsg.h"

#define RTSOCK_SPACE	8192u		/* of each buffer, in bytes */

struct rtsock {
	struct rt_listener listener;
	struct nke *machine;
	struct socket *so;
};

/* A message that came in, and its answer. */
struct request {
	struct nke *machine;
	struct rt_msghdr header;
	struct sockaddr_storage addr[RTAX_MAX];
	bool whole;			/* the addresses are as the header says */
	unsigned prefix;
	struct ifnet *ifp;		/* that is named; NULL: none */
	struct ifaddr *ifa;
	struct rtmsg reply;		/* the message itself until there is an answer */
};

static const struct sockaddr *
given(const struct request *q, int rtax)
{
	return q->addr[rtax].ss_len != 0 ? rt_sa(&q->addr[rtax]) : NULL;
}

/* ---- what is asked for -------------------------------------------------------------------- */

/* From a mask that may be cut short; there need be none for a host. */
static errno_t
find_prefix(struct request *q)
{
	sa_family_t family = q->addr[RTAX_DST].ss_family;
	unsigned bits = rt_host_bits(family), n = 0;
	const uint8_t *mask = (const uint8_t *)&q->addr[RTAX_NETMASK] + (family == AF_INET ?
	    offsetof(struct sockaddr_in, sin_addr) : offsetof(struct sockaddr_in6, sin6_addr));

	q->prefix = bits;
	if (given(q, RTAX_NETMASK) == NULL || (q->header.rtm_flags & RTF_HOST))
		return 0;
	while (n < bits && (mask[n / 8] & (0x80 >> n % 8)))
		n++;
	q->prefix = n;
	for (; n < bits; n++)
		if (mask[n / 8] & (0x80 >> n % 8))
			return EINVAL;
	return 0;
}

/* The interface that a link address names, by index or by name. */
static struct ifnet *
named(struct nke *m, const struct sockaddr_storage *ss)
{
	const struct sockaddr_dl *sdl = (const struct sockaddr_dl *)(const void *)ss;

	if (ss->ss_family != AF_LINK || ss->ss_len < offsetof(struct sockaddr_dl, sdl_data))
		return NULL;
	if (sdl->sdl_index != 0)
		return ifaddr_interface(m, sdl->sdl_index);
	if (sdl->sdl_nlen == 0 || offsetof(struct sockaddr_dl, sdl_data) + sdl->sdl_nlen > ss->ss_len)
		return NULL;
	return ifaddr_interface_named(m, sdl->sdl_data, sdl->sdl_nlen);
}

static errno_t
find_interface(struct request *q)
{
	if (given(q, RTAX_IFP) != NULL && q->addr[RTAX_IFP].ss_family == AF_LINK) {
		q->ifp = named(q->machine, &q->addr[RTAX_IFP]);
		/* To be told which it is, a program gives an empty one. */
		if (q->ifp == NULL && q->header.rtm_type != RTM_GET)
			return ENXIO;
	} else if (given(q, RTAX_GATEWAY) != NULL) {
		q->ifp = named(q->machine, &q->addr[RTAX_GATEWAY]);
	}
	if (q->header.rtm_flags & RTF_IFSCOPE) {
		q->ifp = ifaddr_interface(q->machine, q->header.rtm_index);
		if (q->ifp == NULL)
			return ENXIO;
	}
	if (given(q, RTAX_IFA) != NULL && q->header.rtm_type != RTM_GET) {
		q->ifa = ifaddr_find(q->machine, given(q, RTAX_IFA));
		if (q->ifa == NULL)
			return ENETUNREACH;
	}
	return 0;
}

static errno_t
take_apart(struct request *q, size_t len)
{
	const struct rt_msghdr *h = &q->header;
	const struct sockaddr *gateway;
	struct rt_key k;
	errno_t error;

	memcpy(&q->header, q->reply.bytes, sizeof q->header);
	if (h->rtm_version != RTM_VERSION)
		return EPROTONOSUPPORT;
	error = rtmsg_addresses(q->reply.bytes + sizeof *h, len - sizeof *h, h->rtm_addrs, q->addr);
	if (error != 0)
		return error;
	q->whole = true;
	gateway = given(q, RTAX_GATEWAY);
	if (given(q, RTAX_DST) == NULL || (gateway != NULL && gateway->sa_family >= AF_MAX))
		return EINVAL;
	if (!rt_key(given(q, RTAX_DST), &k))
		return EAFNOSUPPORT;
	if (given(q, RTAX_GENMASK) != NULL)
		return EOPNOTSUPP;
	error = find_prefix(q);
	return error != 0 ? error : find_interface(q);
}

/* ---- neighbours --------------------------------------------------------------------------- */

/* The link that the host `dst` is on; NULL: it is reached by a gateway, or not at all. */
static struct ifnet *
on_link(const struct request *q)
{
	struct rtentry *rt = rt_lookup(q->machine, given(q, RTAX_DST), q->ifp, 0);
	const uint32_t others = RTF_GATEWAY | RTF_LOCAL | RTF_REJECT | RTF_BLACKHOLE | RTF_MULTICAST;
	struct ifnet *ifp = NULL;

	if (rt != NULL && !(rt->rt_flags & others))
		ifp = rt->rt_ifp;
	rt_release(rt);
	return ifp;
}

static struct neighbor *
neighbor_asked_for(const struct request *q)
{
	struct ifnet *ifp = q->prefix == rt_host_bits(q->addr[RTAX_DST].ss_family) ? on_link(q) : NULL;

	return ifp != NULL ? neighbor_find(ifp, given(q, RTAX_DST)) : NULL;
}

/* A host route to a complete link address. */
static bool
is_neighbor(const struct request *q)
{
	const struct sockaddr_dl *sdl = (const struct sockaddr_dl *)(const void *)&q->addr[RTAX_GATEWAY];

	return q->prefix == rt_host_bits(q->addr[RTAX_DST].ss_family) && given(q, RTAX_GATEWAY) != NULL &&
	    sdl->sdl_family == AF_LINK && sdl->sdl_alen == 6 &&
	    offsetof(struct sockaddr_dl, sdl_data) + sdl->sdl_nlen + 6 <= sdl->sdl_len;
}

static errno_t
add_neighbor(struct request *q)
{
	const struct sockaddr_dl *sdl = (const struct sockaddr_dl *)(const void *)&q->addr[RTAX_GATEWAY];
	struct ifnet *ifp = q->ifp != NULL ? q->ifp : on_link(q);
	unsigned flags = 0;

	if (ifp == NULL)
		return ENETUNREACH;
	if (!(q->header.rtm_inits & RTV_EXPIRE) || q->header.rtm_rmx.rmx_expire == 0)
		flags |= NEIGHBOR_PERMANENT;
	if (q->header.rtm_flags & (RTF_PROXY | RTF_PROTO2))
		flags |= NEIGHBOR_PUBLISHED;
	return neighbor_set(ifp, given(q, RTAX_DST),
	    (const uint8_t *)&q->addr[RTAX_GATEWAY] + offsetof(struct sockaddr_dl, sdl_data) + sdl->sdl_nlen,
	    flags);
}

/* ---- answers ------------------------------------------------------------------------------ */

static struct rt_request
table_request(const struct request *q)
{
	return (struct rt_request){
		.dst = given(q, RTAX_DST), .prefix = q->prefix, .gateway = given(q, RTAX_GATEWAY),
		.ifp = q->ifp, .ifa = q->ifa, .flags = (uint32_t)q->header.rtm_flags & RT_PROGRAM_FLAGS,
		.metrics = &q->header.rtm_rmx, .inits = q->header.rtm_inits,
	};
}

static void
set_locks(struct rtentry *rt, const struct request *q)
{
	uint32_t inits = q->header.rtm_inits;

	rt->rt_rmx.rmx_locks = (rt->rt_rmx.rmx_locks & ~inits) | (q->header.rtm_rmx.rmx_locks & inits);
}

/* The answer is the route; its reference goes. */
static void
say_route(struct request *q, struct rtentry *rt)
{
	rtmsg_route(&q->reply, rt, q->header.rtm_type, q->header.rtm_addrs & (RTA_IFP | RTA_IFA));
	rt_release(rt);
}

static errno_t
answer_add(struct request *q)
{
	struct rt_request r = table_request(q);
	struct rtentry *rt;
	errno_t error;

	if (r.gateway == NULL)
		return EINVAL;
	if (is_neighbor(q))
		return add_neighbor(q);
	error = rtable_add(q->machine, &r, &rt);
	if (error != 0)
		return error;
	set_locks(rt, q);
	rt_default_changed(rt);
	say_route(q, rt);
	return 0;
}

static struct rtentry *
exactly(const struct request *q)
{
	struct rtentry *rt = rtable_find(q->machine, given(q, RTAX_DST), q->prefix,
	    q->header.rtm_flags & RTF_IFSCOPE ? q->ifp : NULL);

	if (rt != NULL)
		rt_retain(rt);
	return rt;
}

static errno_t
answer_delete(struct request *q)
{
	struct rtentry *rt = exactly(q);
	struct neighbor *n;

	if (rt != NULL) {
		rtable_remove(rt);
		rt_default_changed(rt);
		say_route(q, rt);
		return 0;
	}
	n = neighbor_asked_for(q);
	if (n == NULL)
		return ESRCH;
	rtmsg_neighbor(&q->reply, n, RTM_DELETE);
	return neighbor_delete(n->ifp, given(q, RTAX_DST)) == 0 ? 0 : ESRCH;
}

static errno_t
answer_change(struct request *q)
{
	struct rt_request r = table_request(q);
	struct rtentry *rt;
	errno_t error;

	if (is_neighbor(q) && neighbor_asked_for(q) != NULL)
		return add_neighbor(q);
	r.flags &= RTF_IFSCOPE;
	error = rtable_change(q->machine, &r, &rt);
	if (error != 0)
		return error;
	set_locks(rt, q);
	rt_default_changed(rt);
	say_route(q, rt);
	return 0;
}

static errno_t
answer_get(struct request *q)
{
	const struct neighbor *n = given(q, RTAX_NETMASK) == NULL ? neighbor_asked_for(q) : NULL;
	struct rtentry *rt;

	if (n != NULL) {
		rtmsg_neighbor(&q->reply, n, RTM_GET);
		return 0;
	}
	rt = given(q, RTAX_NETMASK) != NULL ? exactly(q) : rt_lookup(q->machine, given(q, RTAX_DST),
	    q->header.rtm_flags & RTF_IFSCOPE ? q->ifp : NULL, 0);
	if (rt == NULL)
		return ESRCH;
	say_route(q, rt);
	return 0;
}

static errno_t
answer_lock(struct request *q)
{
	struct rtentry *rt = exactly(q);

	if (rt == NULL)
		return ESRCH;
	set_locks(rt, q);
	say_route(q, rt);
	return 0;
}

static errno_t
answer(struct request *q, const struct socket *so, size_t len)
{
	errno_t error = take_apart(q, len);

	if (error != 0)
		return error;
	if (q->header.rtm_type != RTM_GET && !(so->so_state & SS_PRIV))
		return EACCES;
	switch (q->header.rtm_type) {
	case RTM_ADD:
		return answer_add(q);
	case RTM_DELETE:
		return answer_delete(q);
	case RTM_CHANGE:
		return answer_change(q);
	case RTM_GET:
		return answer_get(q);
	case RTM_LOCK:
		return answer_lock(q);
	default:
		return EOPNOTSUPP;
	}
}

/* ---- the socket --------------------------------------------------------------------------- */

static const struct sockaddr route_source = {.sa_len = 2, .sa_family = PF_ROUTE};

static void
rtsock_hear(struct rt_listener *l, struct mbuf *m)
{
	struct socket *so = ((struct rtsock *)(void *)l)->so;

	if (so->so_state & SS_CANTRCVMORE)
		m_freem(m);
	else if (sbappendaddr(&so->so_rcv, &route_source, m, NULL) == 0)
		sorwakeup(so);
}

static void
rtsock_free(struct rt_listener *l)
{
	struct rtsock *r = (struct rtsock *)(void *)l;

	kfree(r->machine, r);
}

static errno_t
rtsock_attach(struct socket *so, int proto)
{
	struct rtsock *r = kalloc(sotomachine(so), sizeof *r);
	errno_t error;

	if (r == NULL)
		return ENOBUFS;
	error = soreserve(so, RTSOCK_SPACE, RTSOCK_SPACE);
	if (error != 0) {
		kfree(sotomachine(so), r);
		return error;
	}
	r->machine = sotomachine(so);
	r->so = so;
	r->listener.hear = rtsock_hear;
	r->listener.free = rtsock_free;
	r->listener.family = (sa_family_t)(proto < 0 || proto >= AF_MAX ? AF_MAX : proto);
	so->so_pcb = r;
	so->so_options |= SO_USELOOPBACK;
	rt_listen(r->machine, &r->listener);
	soisconnected(so);
	return 0;
}

static void
rtsock_detach(struct socket *so)
{
	struct rtsock *r = so->so_pcb;

	if (r == NULL)
		return;
	so->so_pcb = NULL;
	rt_unlisten(r->machine, &r->listener);
}

static void
rtsock_abort(struct socket *so)
{
	soisdisconnected(so);
	rtsock_detach(so);
}

static errno_t
rtsock_disconnect(struct socket *so)
{
	(void)so;
	return ENOTCONN;
}

static errno_t
rtsock_shutdown(struct socket *so)
{
	socantsendmore(so);
	return 0;
}

/* The answer, or the message itself with what was wrong with it, goes to everybody who can read it. */
static void
publish(struct request *q, struct socket *so, errno_t error)
{
	const struct rtsock *r = so->so_pcb;
	struct rt_msghdr *h = rtmsg_header(&q->reply);

	h->rtm_pid = so->so_last_pid;
	h->rtm_seq = q->header.rtm_seq;
	h->rtm_errno = error;
	if (error == 0)
		h->rtm_flags |= RTF_DONE;
	rt_tell(q->machine, &q->reply, q->addr[RTAX_DST].ss_family,
	    so->so_options & SO_USELOOPBACK ? NULL : &r->listener);
}

static errno_t
rtsock_send(struct socket *so, int flags, struct mbuf *m, const struct sockaddr *to, struct mbuf *control)
{
	struct nke *machine = sotomachine(so);
	size_t len = m_length(m);
	struct request *q = NULL;
	uint16_t msglen = 0;
	errno_t error = 0;

	if (len >= sizeof q->header)
		(void)m_copydata(m, 0, sizeof msglen, &msglen);

	if (to != NULL)
		error = EISCONN;
	else if ((flags & PRUS_OOB) || (control != NULL && control->m_len != 0))
		error = EOPNOTSUPP;
	else if (msglen != len || len > sizeof q->reply.bytes)
		error = EINVAL;
	else if ((q = kalloc(machine, sizeof *q)) == NULL)
		error = ENOBUFS;
	if (error == 0) {
		q->machine = machine;
		q->reply.len = len;
		(void)m_copydata(m, 0, len, q->reply.bytes);
		error = answer(q, so, len);
		if (q->whole)
			publish(q, so, error);
	}
	kfree(machine, q);
	m_freem(m);
	m_freem(control);
	return error;
}

static const struct pr_usrreqs rtsock_usrreqs = {
	.pru_attach = rtsock_attach,
	.pru_detach = rtsock_detach,
	.pru_abort = rtsock_abort,
	.pru_disconnect = rtsock_disconnect,
	.pru_shutdown = rtsock_shutdown,
	.pru_send = rtsock_send,
};

static const struct protosw rtsock_proto = {
	.pr_type = SOCK_RAW,
	.pr_flags = PR_ATOMIC | PR_ADDR,
	.pr_sndspace = RTSOCK_SPACE,
	.pr_rcvspace = RTSOCK_SPACE,
	.pr_usrreqs = &rtsock_usrreqs,
};

static const struct domain route_domain = {
	.dom_family = PF_ROUTE,
	.dom_name = "route",
};

static errno_t
rtsock_init(struct nke *m)
{
	errno_t error = net_add_domain(m, &route_domain);

	return error != 0 ? error : net_add_proto(m, PF_ROUTE, &rtsock_proto);
}

const struct subsystem rtsock_subsystem = {
	.name = "rtsock",
	.init = rtsock_init,
};
