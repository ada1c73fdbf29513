/*
 * A socket filter at every socket of IPv4, for the tests of `nke replay --sockets`: logs what it is told,
 * each socket by a number, and does to the flow what the server's port, or a datagram's, says.
 */
#include <libkern/OSMalloc.h>
#include <mach/mach_types.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/errno.h>
#include <sys/kpi_mbuf.h>
#include <sys/kpi_socketfilter.h>
#include <sys/systm.h>

#define FLIP		8001		/* each octet, both ways; port 8001 */
#define LONGER		8002		/* 5 octets more in front of what is written at a time */
#define SHORTER		8003		/* the first 5 octets of it away */
#define REFUSE		8004		/* connections, both ways; datagrams from the host */
#define SWALLOW		8005		/* what arrives */
#define LATER		8006		/* what arrives, 10 ms later */

struct cookie {
	struct cookie *next;
	int number;
	int port;
	socket_t so;
	mbuf_t held;			/* LATER */
	int releasing;			/* what is held comes by once more */
};

kern_return_t flowfilter_start(kmod_info_t *ki, void *data);
kern_return_t flowfilter_stop(kmod_info_t *ki, void *data);

static OSMallocTag tag;
static struct cookie *cookies;
static int sockets, unregistered;
static const sflt_handle handles[] = {0x666c6f77, 0x666c6f78};

static int
port_of(const struct sockaddr *sa)
{
	return sa != NULL && sa->sa_family == AF_INET ? ntohs(((const struct sockaddr_in *)sa)->sin_port) : 0;
}

/* ---- life --------------------------------------------------------------------------------------- */

static errno_t
flow_attach(void **cookie, socket_t so)
{
	struct cookie *c = OSMalloc(sizeof *c, tag);

	if (c == NULL)
		return ENOMEM;
	*c = (struct cookie){.number = ++sockets, .so = so, .next = cookies};
	cookies = c;
	*cookie = c;
	printf("%d attach\n", c->number);
	return 0;
}

static void
flow_detach(void *cookie, socket_t so)
{
	struct cookie *c = cookie, **link = &cookies;

	while (*link != c)
		link = &(*link)->next;
	*link = c->next;
	if (c->held != NULL)
		mbuf_freem(c->held);
	printf("%d detach\n", c->number);
	OSFree(c, sizeof *c, tag);
}

static void
flow_unregistered(sflt_handle handle)
{
	unregistered++;
}

static void
flow_notify(void *cookie, socket_t so, sflt_event_t event, void *param)
{
	static const char *const names[] = {
		"none", "connecting", "connected", "disconnecting", "disconnected", "flush_read",
		"shutdown", "cantrecvmore", "cantsendmore", "closing", "bound",
	};
	const struct cookie *c = cookie;

	printf("%d %s\n", c->number, event <= sock_evt_bound ? names[event] : "?");
}

/* ---- connections ---------------------------------------------------------------------------------- */

static errno_t
flow_connect_in(void *cookie, socket_t so, const struct sockaddr *from)
{
	struct sockaddr_in local;
	struct cookie *c = cookie;

	if (sock_getsockname(so, (struct sockaddr *)&local, sizeof local) == 0)
		c->port = ntohs(local.sin_port);
	printf("%d connect_in %d\n", c->number, port_of(from));
	return c->port == REFUSE ? EPERM : 0;
}

static errno_t
flow_connect_out(void *cookie, socket_t so, const struct sockaddr *to)
{
	struct cookie *c = cookie;

	c->port = port_of(to);
	printf("%d connect_out %d\n", c->number, c->port);
	return c->port == REFUSE ? EPERM : 0;
}

static errno_t
flow_bind(void *cookie, socket_t so, const struct sockaddr *to)
{
	printf("%d bind %d\n", ((struct cookie *)cookie)->number, port_of(to));
	return 0;
}

static errno_t
flow_listen(void *cookie, socket_t so)
{
	printf("%d listen\n", ((struct cookie *)cookie)->number);
	return 0;
}

static errno_t
flow_accept(void *cookie, socket_t so_listen, socket_t so, const struct sockaddr *local,
    const struct sockaddr *remote)
{
	struct cookie *c = cookie;

	c->port = port_of(local);
	printf("%d accept %d\n", c->number, port_of(remote));
	return 0;
}

/* ---- data ------------------------------------------------------------------------------------------- */

static size_t
chain_length(mbuf_t m)
{
	size_t n = 0;

	for (; m != NULL; m = mbuf_next(m))
		n += mbuf_len(m);
	return n;
}

/* What has been sent may be somebody else's memory: only a copy may be changed. */
static errno_t
flip(mbuf_t *data)
{
	size_t len = chain_length(*data);
	mbuf_t copy;

	if (mbuf_dup(*data, MBUF_DONTWAIT, &copy) != 0)
		return ENOMEM;
	mbuf_freem(*data);
	*data = copy;
	for (mbuf_t m = copy; m != NULL; m = mbuf_next(m)) {
		unsigned char *p = mbuf_data(m);

		for (size_t i = 0; i < mbuf_len(m); i++)
			p[i] ^= 0x20;
	}
	return len == chain_length(copy) ? 0 : EINVAL;
}

static errno_t
lengthen(mbuf_t *data)
{
	errno_t error = mbuf_prepend(data, 5, MBUF_DONTWAIT);

	if (error == 0)
		memcpy(mbuf_data(*data), "12345", 5);
	return error;
}

/* Later: the socket may be gone by then. */
static void
deliver(void *arg)
{
	for (struct cookie *c = cookies; c != NULL; c = c->next) {
		mbuf_t m = c->held;

		if ((intptr_t)arg != c->number || m == NULL)
			continue;
		c->held = NULL;
		c->releasing = 1;
		if (sock_inject_data_in(c->so, NULL, m, NULL, 0) != 0) {
			printf("%d too late\n", c->number);
			mbuf_freem(m);
		}
		c->releasing = 0;
		return;
	}
}

static errno_t
hold(struct cookie *c, mbuf_t data)
{
	struct timespec wait = {0, 10 * 1000 * 1000};

	if (c->held != NULL) {
		mbuf_t last = c->held;

		while (mbuf_next(last) != NULL)
			last = mbuf_next(last);
		(void)mbuf_setnext(last, data);
		mbuf_pkthdr_setlen(c->held, chain_length(c->held));
	} else {
		c->held = data;
		bsd_timeout(deliver, (void *)(intptr_t)c->number, &wait);
	}
	return EJUSTRETURN;
}

static errno_t
flow_data_in(void *cookie, socket_t so, const struct sockaddr *from, mbuf_t *data, mbuf_t *control,
    sflt_data_flag_t flags)
{
	struct cookie *c = cookie;
	int port = c->port != 0 ? c->port : port_of(from);

	printf("%d in %zu\n", c->number, chain_length(*data));
	switch (port) {
	case FLIP:
		return flip(data);
	case SWALLOW:
		mbuf_freem(*data);
		return EJUSTRETURN;
	case LATER:
		return c->releasing ? 0 : hold(c, *data);
	default:
		return 0;
	}
}

static errno_t
flow_data_out(void *cookie, socket_t so, const struct sockaddr *to, mbuf_t *data, mbuf_t *control,
    sflt_data_flag_t flags)
{
	struct cookie *c = cookie;
	int port = c->port != 0 ? c->port : port_of(to);

	printf("%d out %zu\n", c->number, chain_length(*data));
	switch (port) {
	case FLIP:
		return flip(data);
	case LONGER:
		return lengthen(data);
	case SHORTER:
		mbuf_adj(*data, 5);
		return 0;
	case REFUSE:
		return EPERM;
	default:
		return 0;
	}
}

/* ---- start and stop ----------------------------------------------------------------------------------- */

static const struct sflt_filter filter = {
	.sf_flags = SFLT_GLOBAL | SFLT_EXTENDED, .sf_name = "flowfilter",
	.sf_unregistered = flow_unregistered, .sf_attach = flow_attach, .sf_detach = flow_detach,
	.sf_notify = flow_notify, .sf_data_in = flow_data_in, .sf_data_out = flow_data_out,
	.sf_connect_in = flow_connect_in, .sf_connect_out = flow_connect_out, .sf_bind = flow_bind,
	.sf_listen = flow_listen,
	.sf_ext = {.sf_ext_len = sizeof(struct sflt_filter_ext), .sf_ext_accept = flow_accept},
};

kern_return_t
flowfilter_start(kmod_info_t *ki, void *data)
{
	static const int kinds[2][2] = {{SOCK_STREAM, IPPROTO_TCP}, {SOCK_DGRAM, IPPROTO_UDP}};
	struct sflt_filter f = filter;

	tag = OSMalloc_Tagalloc("flowfilter", OSMT_DEFAULT);
	if (tag == NULL)
		return KERN_FAILURE;
	for (int i = 0; i < 2; i++) {
		f.sf_handle = handles[i];
		if (sflt_register(&f, PF_INET, kinds[i][0], kinds[i][1]) != 0)
			return KERN_FAILURE;
	}
	return KERN_SUCCESS;
}

kern_return_t
flowfilter_stop(kmod_info_t *ki, void *data)
{
	for (int i = 0; i < 2; i++)
		(void)sflt_unregister(handles[i]);
	if (unregistered != 2)
		return KERN_FAILURE;
	OSMalloc_Tagfree(tag);
	return KERN_SUCCESS;
}
