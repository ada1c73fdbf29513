/*
 * rot13: rewrites what TCP connections of one port carry, without either end knowing: letters are replaced
 * by those thirteen places further, so two of these cancel out.
 *
 *	sysctl -w net.rot13.port=7		the local or peer's port; 0: none
 *
 * The filter takes every piece over (EJUSTRETURN), makes a new one of the changed bytes and puts it in,
 * before it returns: so nothing overtakes, and the end of the stream does not either. What it puts in
 * comes by again and is known by its tag.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kpi_mbuf.h>
#include <sys/kpi_socketfilter.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <kern/locks.h>
#include <mach/mach_types.h>
#include <netinet/in.h>

#define HANDLE		0x72313300u	/* "r13" and the number of the filter */

kern_return_t rot13_start(kmod_info_t *ki, void *data);
kern_return_t rot13_stop(kmod_info_t *ki, void *data);

static int port = 7;

SYSCTL_NODE(_net, OID_AUTO, rot13, CTLFLAG_RW, 0, "letters that are turned");
SYSCTL_INT(_net_rot13, OID_AUTO, port, CTLFLAG_RW, &port, 0, "of which port, 0 none");

static mbuf_tag_id_t tag_id;
static lck_grp_t *lock_group;
static lck_mtx_t *lock;
static unsigned registered;		/* filters that can still be called; under `lock` */

/* ---- packets ------------------------------------------------------------------------------ */

static bool
ours(mbuf_t m)
{
	size_t len;
	void *data;

	return (mbuf_flags(m) & MBUF_PKTHDR) && mbuf_tag_find(m, tag_id, 1, &len, &data) == 0;
}

static void
turn(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t lower = bytes[i] | 0x20;

		if (lower >= 'a' && lower <= 'm')
			bytes[i] = (uint8_t)(bytes[i] + 13);
		else if (lower >= 'n' && lower <= 'z')
			bytes[i] = (uint8_t)(bytes[i] - 13);
	}
}

/* A packet of our own with the bytes of `from`, turned. NULL: no memory. */
static mbuf_t
turned(mbuf_t from)
{
	size_t len = 0, offset = 0;
	mbuf_t to = NULL;
	void *tag;

	for (mbuf_t m = from; m != NULL; m = mbuf_next(m))
		len += mbuf_len(m);
	if (mbuf_allocpacket(MBUF_WAITOK, len, NULL, &to) != 0)
		return NULL;
	for (mbuf_t m = to; m != NULL; m = mbuf_next(m)) {
		size_t part = len - offset < mbuf_maxlen(m) ? len - offset : mbuf_maxlen(m);

		mbuf_copydata(from, offset, part, mbuf_data(m));
		turn(mbuf_data(m), part);
		mbuf_setlen(m, part);
		offset += part;
	}
	mbuf_pkthdr_setlen(to, len);
	if (mbuf_tag_allocate(to, tag_id, 1, 1, MBUF_WAITOK, &tag) != 0) {
		mbuf_freem(to);
		return NULL;
	}
	return to;
}

/* ---- the filter --------------------------------------------------------------------------- */

/* The cookie says whether the connection is one of the port. */
static errno_t
attach(void **cookie, socket_t so)
{
	(void)so;
	*cookie = NULL;
	return 0;
}

static void
detach(void *cookie, socket_t so)
{
	(void)cookie;
	(void)so;
}

static bool
of_the_port(socket_t so)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in sin;		/* the port is at the same place in both */
		struct sockaddr_in6 sin6;
	} name;

	if (port == 0)
		return false;
	memset(&name, 0, sizeof name);
	if (sock_getsockname(so, &name.sa, sizeof name) == 0 && ntohs(name.sin.sin_port) == port)
		return true;
	return sock_getpeername(so, &name.sa, sizeof name) == 0 && ntohs(name.sin.sin_port) == port;
}

static errno_t
data_in(void *cookie, socket_t so, const struct sockaddr *from, mbuf_t *data, mbuf_t *control,
    sflt_data_flag_t flags)
{
	mbuf_t new;
	errno_t error;

	(void)cookie;
	(void)from;
	(void)control;
	if (ours(*data) || !of_the_port(so))
		return 0;
	new = turned(*data);
	if (new == NULL)
		return ENOMEM;
	error = sock_inject_data_in(so, NULL, new, NULL, flags);
	if (error != 0) {
		mbuf_freem(new);
		return error;
	}
	mbuf_freem(*data);
	return EJUSTRETURN;
}

static errno_t
data_out(void *cookie, socket_t so, const struct sockaddr *to, mbuf_t *data, mbuf_t *control,
    sflt_data_flag_t flags)
{
	mbuf_t new;
	errno_t error;

	(void)cookie;
	(void)to;
	(void)control;
	if (ours(*data) || !of_the_port(so))
		return 0;
	new = turned(*data);
	if (new == NULL)
		return ENOMEM;
	error = sock_inject_data_out(so, NULL, new, NULL, flags);	/* takes it in any case */
	if (error != 0)
		return error;
	mbuf_freem(*data);
	return EJUSTRETURN;
}

static void
unregistered(sflt_handle handle)
{
	(void)handle;
	lck_mtx_lock(lock);
	registered--;
	wakeup(&registered);
	lck_mtx_unlock(lock);
}

/* ---- start and stop ----------------------------------------------------------------------- */

static const int domains[] = {PF_INET, PF_INET6};
#define KINDS	(sizeof domains / sizeof domains[0])

static void
tear_down(void)
{
	for (unsigned i = 0; i < KINDS; i++)
		sflt_unregister(HANDLE + i);
	lck_mtx_lock(lock);
	while (registered != 0)
		msleep(&registered, lock, PWAIT, "rot13", NULL);
	lck_mtx_unlock(lock);
	lck_mtx_free(lock, lock_group);
	lck_grp_free(lock_group);
}

kern_return_t
rot13_start(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	if (mbuf_tag_id_find("org.libnke.rot13", &tag_id) != 0)
		return KERN_FAILURE;
	lock_group = lck_grp_alloc_init("rot13", LCK_GRP_ATTR_NULL);
	lock = lck_mtx_alloc_init(lock_group, LCK_ATTR_NULL);
	for (unsigned i = 0; i < KINDS; i++) {
		struct sflt_filter f = {
			.sf_handle = HANDLE + i, .sf_flags = SFLT_GLOBAL, .sf_name = "rot13",
			.sf_unregistered = unregistered, .sf_attach = attach, .sf_detach = detach,
			.sf_data_in = data_in, .sf_data_out = data_out,
		};

		if (sflt_register(&f, domains[i], SOCK_STREAM, IPPROTO_TCP) != 0) {
			tear_down();
			return KERN_FAILURE;
		}
		registered++;
	}
	sysctl_register_oid(&sysctl__net_rot13);
	sysctl_register_oid(&sysctl__net_rot13_port);
	return KERN_SUCCESS;
}

kern_return_t
rot13_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	sysctl_unregister_oid(&sysctl__net_rot13_port);
	sysctl_unregister_oid(&sysctl__net_rot13);
	tear_down();
	return KERN_SUCCESS;
}
