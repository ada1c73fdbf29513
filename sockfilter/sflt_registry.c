/*
 * Registered socket filters: by handle, and by protocol for new sockets to find. See sockfilter.h for who
 * calls, who owns what, and how a filter ends.
 *
 * The struct sflt_filter is copied; its name stays the kext's.
 */
#include <string.h>

#include <netinet/in.h>

#include "sockfilter/sockfilter.h"
#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "src/kern/so_filter.h"

/* ---- finding ------------------------------------------------------------------------------ */

struct sflt *
sflt_find(const struct nke *m, sflt_handle handle)
{
	struct sflt *f;

	TAILQ_FOREACH(f, &m->sflt->registered, link)
		if (f->f.sf_handle == handle)
			return f;
	return NULL;
}

void
sflt_retain(struct sflt *f)
{
	f->references++;
}

void
sflt_release(struct nke *m, struct sflt *f)
{
	if (--f->references != 0)
		return;
	if (f->f.sf_unregistered != NULL)
		GATE_CALL(f->owner, "sf_unregistered", NULL, f->f.sf_unregistered(f->f.sf_handle));
	ledger_strike(m, &f->held.ledger);
	kfree(m, f);
}

/* ---- sockets that are there --------------------------------------------------------------- */

/* What a filter that comes late is told of a socket; 0: nothing. */
static sflt_event_t
event_of(const struct socket *so)
{
	const uint16_t shut = SS_CANTRCVMORE | SS_CANTSENDMORE;
	uint16_t state = so->so_state;

	if (state & SS_ISCONNECTING)
		return sock_evt_connecting;
	if (state & SS_ISCONNECTED)
		return sock_evt_connected;
	if ((state & shut) == shut && (state & SS_ISDISCONNECTING))
		return sock_evt_disconnecting;
	if ((state & shut) == shut && (state & SS_ISDISCONNECTED))
		return sock_evt_disconnected;
	if (state & SS_CANTSENDMORE)
		return sock_evt_cantsendmore;
	return state & SS_CANTRCVMORE ? sock_evt_cantrecvmore : 0;
}

/* Interface fact: all global filters are offered again, and all but the new one are told. */
static void
offer(struct socket *so, sflt_handle newcomer)
{
	sflt_event_t event;

	so_attach_filters(so, so);
	event = event_of(so);
	if (event != 0)
		sflt_notify_others(so, event, newcomer);
}

/* Sockets that are made meanwhile have what they are to have already. */
static void
offer_to_all(struct nke *m, const struct sflt *f)
{
	struct socket_state *s = m->sockets;
	struct pr_registration *protocol = f->protocol;
	sflt_handle handle = f->f.sf_handle;
	uint32_t last = s->generation;
	struct socket *so = TAILQ_FIRST(&s->sockets), *next;

	if (so != NULL)
		so_retain(so);
	for (; so != NULL; so = next) {
		if (so->so_registration == protocol && so->so_generation <= last &&
		    !(so->so_state & (SS_DEFUNCT | SS_NOFDREF)))
			offer(so, handle);
		next = TAILQ_NEXT(so, so_link);
		if (next != NULL)
			so_retain(next);
		so_release(so);
	}
}

/* ---- registering -------------------------------------------------------------------------- */

/* As much of it as the caller has: the extension came later. */
static void
copy_filter(struct sflt_filter *to, const struct sflt_filter *from)
{
	size_t len = 0;

	memset(to, 0, sizeof *to);
	memcpy(to, from, offsetof(struct sflt_filter, sf_ext));
	if (!(from->sf_flags & SFLT_EXTENDED))
		return;
	len = from->sf_len < sizeof to->sf_ext ? from->sf_len : sizeof to->sf_ext;
	memcpy(&to->sf_ext, &from->sf_ext, len);
}

static void
add(struct nke *m, struct sflt *f, void *pc)
{
	f->registered = true;
	f->references = 1;
	f->serial = ++m->sflt->serial;
	f->owner = gate_kext();
	f->held.filter = f;
	LIST_INIT(&f->attachments);
	ledger_enter_for(m, f->owner, &f->held.ledger, LEDGER_SOCKET_FILTER, pc);
	TAILQ_INSERT_TAIL(&m->sflt->registered, f, link);
	if (f->f.sf_flags & SFLT_GLOBAL)
		TAILQ_INSERT_TAIL(&f->protocol->filters, f, of_protocol);
}

errno_t
sflt_add(struct nke *m, const struct sflt_filter *filter, int domain, int type, int protocol, void *pc)
{
	struct pr_registration *p;
	struct sflt *f;

	if (domain != PF_INET && domain != PF_INET6)
		return ENOTSUP;
	p = pr_find(m, domain, type, protocol);
	if (p == NULL)
		return ENOENT;
	if (filter == NULL || filter->sf_attach == NULL || filter->sf_detach == NULL ||
	    filter->sf_name == NULL || filter->sf_handle == 0)
		return EINVAL;
	f = kalloc(m, sizeof *f);
	if (f == NULL)
		return ENOBUFS;
	if (sflt_find(m, filter->sf_handle) != NULL) {
		kfree(m, f);
		return EEXIST;
	}
	copy_filter(&f->f, filter);
	f->protocol = p;
	add(m, f, pc);
	if ((filter->sf_flags & SFLT_EXTENDED_REGISTRY) &&
	    (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP)) {
		sflt_retain(f);
		offer_to_all(m, f);
		sflt_release(m, f);
	}
	return 0;
}

errno_t
sflt_remove(struct nke *m, sflt_handle handle)
{
	struct sflt *f = sflt_find(m, handle);
	struct so_filter *e;

	if (f == NULL)
		return ENOENT;
	f->registered = false;
	TAILQ_REMOVE(&m->sflt->registered, f, link);
	if (f->f.sf_flags & SFLT_GLOBAL)
		TAILQ_REMOVE(&f->protocol->filters, f, of_protocol);
	LIST_FOREACH(e, &f->attachments, of_filter)
		sflt_part(e);
	sflt_release(m, f);
	return 0;
}

/* ---- the ledger --------------------------------------------------------------------------- */

static const char *
protocol_name(const struct pr_registration *p)
{
	switch (p->proto->pr_protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	default:
		return p->domain->dom_name;
	}
}

/* " 10.0.0.1:80", " [2001:db8::1]:80", nothing when it has no address. */
static void
describe_address(struct socket *so, char *text, size_t size)
{
	struct sockaddr_storage ss;
	const struct sockaddr_in *sin = (const struct sockaddr_in *)(const void *)&ss;
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)(const void *)&ss;
	char addr[MAX_IPv6_STR_LEN];

	*text = '\0';
	if (sogetsockname(so, &ss) != 0)
		return;
	if (ss.ss_family == AF_INET)
		ksnprintf(text, size, " %s:%u", inet_ntop(AF_INET, &sin->sin_addr, addr, sizeof addr),
		    ntohs(sin->sin_port));
	else if (ss.ss_family == AF_INET6)
		ksnprintf(text, size, " [%s]:%u", inet_ntop(AF_INET6, &sin6->sin6_addr, addr, sizeof addr),
		    ntohs(sin6->sin6_port));
}

static void
describe(const struct ledger_entry *l, char *text, size_t size)
{
	const struct sflt_held *h = CONTAINER_OF(l, struct sflt_held, ledger);
	const struct so_filter *e = h->at;
	char address[MAX_IPv6_STR_LEN + 16];

	if (e == NULL) {
		ksnprintf(text, size, "socket filter \"%s\" (0x%x) for %s%s", h->filter->f.sf_name,
		    h->filter->f.sf_handle, protocol_name(h->filter->protocol),
		    h->filter->registered ? "" : ", unregistered, still attached");
		return;
	}
	describe_address(e->so, address, sizeof address);
	ksnprintf(text, size, "socket filter \"%s\" on socket %u (%s%s), cookie 0x%llx%s",
	    h->filter->f.sf_name, e->so->so_generation, protocol_name(e->so->so_registration), address,
	    (unsigned long long)(uintptr_t)e->cookie, e->attached ? "" :
	    e->users != 0 ? ", detached, still being called" : ", detached, sf_detach to come");
}

/* Of a kext whose start routine failed. */
static bool
reclaim(struct nke *m, struct ledger_entry *l)
{
	const struct sflt_held *h = CONTAINER_OF(l, struct sflt_held, ledger);

	if (h->at != NULL)
		return false;		/* goes with its filter */
	if (h->filter->registered)
		(void)sflt_remove(m, h->filter->f.sf_handle);
	sflt_clean_up(m);
	return true;
}

/* ---- the subsystem ------------------------------------------------------------------------ */

static void
cleanup(void *arg)
{
	sflt_clean_up(arg);
}

static errno_t
sflt_init(struct nke *m)
{
	struct sflt_state *s = kalloc(m, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	TAILQ_INIT(&s->registered);
	TAILQ_INIT(&s->leaving);
	softintr_init(&s->cleanup, m, cleanup, m);
	m->sflt = s;
	ledger_set_describe(m, LEDGER_SOCKET_FILTER, describe);
	kext_set_reclaim(m, LEDGER_SOCKET_FILTER, reclaim);
	so_set_filter_ops(m, &sflt_ops);
	return 0;
}

/* Kexts are gone by now: nothing is called any more, whatever becomes of the sockets. */
static void
sflt_quiesce(struct nke *m)
{
	struct socket *so;
	struct sflt *f;

	softintr_cancel(&m->sflt->cleanup);
	TAILQ_FOREACH(so, &m->sockets->sockets, so_link)
		while (so->so_filters != NULL)
			sflt_forget(m, so->so_filters);
	while ((f = TAILQ_FIRST(&m->sflt->registered)) != NULL) {
		TAILQ_REMOVE(&m->sflt->registered, f, link);
		if (f->f.sf_flags & SFLT_GLOBAL)
			TAILQ_REMOVE(&f->protocol->filters, f, of_protocol);
		ledger_strike(m, &f->held.ledger);
		kfree(m, f);
	}
}

static void
sflt_fini(struct nke *m)
{
	so_set_filter_ops(m, NULL);
	kfree(m, m->sflt);
	m->sflt = NULL;
}

extern const struct subsystem sflt_subsystem;
const struct subsystem sflt_subsystem = {
	.name = "sflt", .init = sflt_init, .quiesce = sflt_quiesce, .fini = sflt_fini
};
