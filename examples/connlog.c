/*
 * connlog: a record of every TCP connection to user space, when it is over; none is lost.
 *
 * A socket filter notes when a connection begins, counts its bytes, and at its end queues a record. A
 * thread hands the records to the one client of a kernel control. When that has no room the thread waits
 * and tries again: nothing tells a controller that its client has read something. Records that no client
 * has taken wait in the queue, so the memory of a machine is the limit.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/param.h>
#include <sys/systm.h>
#include <sys/kern_control.h>
#include <sys/kpi_mbuf.h>
#include <sys/kpi_socketfilter.h>
#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/queue.h>
#include <sys/time.h>
#include <kern/clock.h>
#include <kern/locks.h>
#include <kern/thread.h>
#include <mach/mach_types.h>
#include <netinet/in.h>

#include "connlog.h"

#define HANDLE		0x636c6f00u	/* "clo" and the number of the filter */
#define RETRY_MS	5

kern_return_t connlog_start(kmod_info_t *ki, void *data);
kern_return_t connlog_stop(kmod_info_t *ki, void *data);

/* A socket; its filter's cookie, and later an entry of the queue. */
struct connection {
	STAILQ_ENTRY(connection) link;
	bool began;
	struct connlog_record record;
};

/* All of it under `lock`. */
static STAILQ_HEAD(, connection) queue = STAILQ_HEAD_INITIALIZER(queue);
static uint64_t records;		/* so far */
static uint32_t client;			/* its unit, 0 none */
static bool ending, ended;
static unsigned registered;		/* filters that can still be called */

static kern_ctl_ref control;
static lck_grp_t *lock_group;
static lck_mtx_t *lock;

static uint64_t
now_us(void)
{
	clock_sec_t seconds;
	clock_usec_t us;

	clock_get_system_microtime(&seconds, &us);
	return (uint64_t)seconds * 1000000 + us;
}

/* ---- the filter --------------------------------------------------------------------------- */

static errno_t
attach(void **cookie, socket_t so)
{
	struct connection *c = _MALLOC(sizeof *c, M_TEMP, M_WAITOK | M_ZERO);

	(void)so;
	if (c == NULL)
		return ENOMEM;
	c->record.pid = (uint32_t)proc_selfpid();
	proc_selfname(c->record.program, (int)sizeof c->record.program);
	*cookie = c;
	return 0;
}

static void
note_addresses(struct connlog_record *r, socket_t so)
{
	union {
		struct sockaddr sa;
		struct sockaddr_in sin;
		struct sockaddr_in6 sin6;
	} local, peer;

	memset(&local, 0, sizeof local);
	memset(&peer, 0, sizeof peer);
	if (sock_getsockname(so, &local.sa, sizeof local) != 0 ||
	    sock_getpeername(so, &peer.sa, sizeof peer) != 0)
		return;
	if (peer.sa.sa_family == AF_INET6) {
		r->family = 6;
		r->local_port = ntohs(local.sin6.sin6_port);
		r->peer_port = ntohs(peer.sin6.sin6_port);
		memcpy(r->peer, &peer.sin6.sin6_addr, sizeof peer.sin6.sin6_addr);
	} else {
		r->family = 4;
		r->local_port = ntohs(local.sin.sin_port);
		r->peer_port = ntohs(peer.sin.sin_port);
		memcpy(r->peer, &peer.sin.sin_addr, sizeof peer.sin.sin_addr);
	}
}

static void
notify(void *cookie, socket_t so, sflt_event_t event, void *param)
{
	struct connection *c = cookie;

	(void)param;
	if (event != sock_evt_connected || c->began)
		return;
	c->began = true;
	c->record.opened = now_us();
	note_addresses(&c->record, so);
}

static size_t
chain_length(mbuf_t m)
{
	size_t n = 0;

	for (; m != NULL; m = mbuf_next(m))
		n += mbuf_len(m);
	return n;
}

static errno_t
data_in(void *cookie, socket_t so, const struct sockaddr *from, mbuf_t *data, mbuf_t *control_data,
    sflt_data_flag_t flags)
{
	struct connection *c = cookie;

	(void)so;
	(void)from;
	(void)control_data;
	(void)flags;
	c->record.bytes_in += chain_length(*data);
	return 0;
}

static errno_t
data_out(void *cookie, socket_t so, const struct sockaddr *to, mbuf_t *data, mbuf_t *control_data,
    sflt_data_flag_t flags)
{
	struct connection *c = cookie;

	(void)so;
	(void)to;
	(void)control_data;
	(void)flags;
	c->record.bytes_out += chain_length(*data);
	return 0;
}

/* The last call for the socket: its record is complete. */
static void
detach(void *cookie, socket_t so)
{
	struct connection *c = cookie;

	(void)so;
	if (!c->began) {
		_FREE(c, M_TEMP);
		return;
	}
	c->record.closed = now_us();
	lck_mtx_lock(lock);
	c->record.sequence = ++records;
	STAILQ_INSERT_TAIL(&queue, c, link);
	wakeup(&queue);
	lck_mtx_unlock(lock);
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

/* ---- the thread --------------------------------------------------------------------------- */

/* With the lock, which it gives up: the client's socket is locked meanwhile. False: there was no room. */
static bool
hand_over_first(void)
{
	struct connection *c = STAILQ_FIRST(&queue);
	uint32_t unit = client;
	errno_t error;

	STAILQ_REMOVE_HEAD(&queue, link);
	lck_mtx_unlock(lock);
	error = ctl_enqueuedata(control, unit, &c->record, sizeof c->record, CTL_DATA_EOR);
	lck_mtx_lock(lock);
	if (error != 0) {
		STAILQ_INSERT_HEAD(&queue, c, link);	/* only this thread takes any out */
		return false;
	}
	_FREE(c, M_TEMP);
	return true;
}

static void
hand_over(void *parameter, wait_result_t result)
{
	struct timespec pause = {.tv_nsec = RETRY_MS * 1000000};

	(void)parameter;
	(void)result;
	lck_mtx_lock(lock);
	while (!ending) {
		if (client == 0 || STAILQ_EMPTY(&queue))
			msleep(&queue, lock, PWAIT, "records", NULL);
		else if (!hand_over_first())
			msleep(&queue, lock, PWAIT, "the reader", &pause);
	}
	ended = true;
	wakeup(&ended);
	lck_mtx_unlock(lock);
}

static void
end_thread(void)
{
	lck_mtx_lock(lock);
	ending = true;
	wakeup(&queue);
	while (!ended)
		msleep(&ended, lock, PWAIT, "connlog", NULL);
	lck_mtx_unlock(lock);
}

/* ---- the control -------------------------------------------------------------------------- */

/* One reader at a time, so that each record has one. */
static errno_t
client_connects(kern_ctl_ref ref, struct sockaddr_ctl *sac, void **unitinfo)
{
	errno_t error = 0;

	(void)ref;
	*unitinfo = NULL;
	lck_mtx_lock(lock);
	if (client != 0)
		error = EBUSY;
	else
		client = sac->sc_unit;
	wakeup(&queue);
	lck_mtx_unlock(lock);
	return error;
}

/* Comes for a client that was refused, too. */
static errno_t
client_goes(kern_ctl_ref ref, u_int32_t unit, void *unitinfo)
{
	(void)ref;
	(void)unitinfo;
	lck_mtx_lock(lock);
	if (client == unit)
		client = 0;
	lck_mtx_unlock(lock);
	return 0;
}

/* ---- start and stop ----------------------------------------------------------------------- */

static const int domains[] = {PF_INET, PF_INET6};
#define KINDS	(sizeof domains / sizeof domains[0])

static errno_t
register_filters(void)
{
	for (unsigned i = 0; i < KINDS; i++) {
		struct sflt_filter f = {
			.sf_handle = HANDLE + i, .sf_flags = SFLT_GLOBAL, .sf_name = "connlog",
			.sf_unregistered = unregistered, .sf_attach = attach, .sf_detach = detach,
			.sf_notify = notify, .sf_data_in = data_in, .sf_data_out = data_out,
		};
		errno_t error = sflt_register(&f, domains[i], SOCK_STREAM, IPPROTO_TCP);

		if (error != 0)
			return error;
		registered++;
	}
	return 0;
}

/* Waits until nothing can be called any more. */
static void
unregister_filters(void)
{
	for (unsigned i = 0; i < KINDS; i++)
		sflt_unregister(HANDLE + i);
	lck_mtx_lock(lock);
	while (registered != 0)
		msleep(&registered, lock, PWAIT, "connlog", NULL);
	lck_mtx_unlock(lock);
}

/* What nobody has read goes. How many. */
static unsigned
tear_down(void)
{
	struct connection *c;
	unsigned unread = 0;

	while ((c = STAILQ_FIRST(&queue)) != NULL) {
		STAILQ_REMOVE_HEAD(&queue, link);
		_FREE(c, M_TEMP);
		unread++;
	}
	lck_mtx_free(lock, lock_group);
	lck_grp_free(lock_group);
	return unread;
}

kern_return_t
connlog_start(kmod_info_t *ki, void *data)
{
	struct kern_ctl_reg reg = {
		.ctl_name = CONNLOG_CONTROL, .ctl_connect = client_connects,
		.ctl_disconnect = client_goes,
	};
	thread_t thread;

	(void)ki;
	(void)data;
	lock_group = lck_grp_alloc_init("connlog", LCK_GRP_ATTR_NULL);
	lock = lck_mtx_alloc_init(lock_group, LCK_ATTR_NULL);
	if (ctl_register(&reg, &control) != 0) {
		tear_down();
		return KERN_FAILURE;
	}
	if (kernel_thread_start(hand_over, NULL, &thread) == KERN_SUCCESS) {
		thread_deallocate(thread);
		if (register_filters() == 0)
			return KERN_SUCCESS;
		unregister_filters();
		end_thread();
	}
	ctl_deregister(control);
	tear_down();
	return KERN_FAILURE;
}

kern_return_t
connlog_stop(kmod_info_t *ki, void *data)
{
	unsigned unread;

	(void)ki;
	(void)data;
	if (ctl_deregister(control) != 0)
		return KERN_FAILURE;		/* a client: the kext stays */
	unregister_filters();
	end_thread();
	unread = tear_down();
	printf("%llu records, %u not read\n", records, unread);
	return KERN_SUCCESS;
}
