/*
 * delay: keeps every IPv4 and IPv6 packet for a while, then lets it go on.
 *
 * A filter that returns EJUSTRETURN owns the packet. This one puts it into a queue and, when its time
 * has come, injects it behind itself: ipf_inject_input and ipf_inject_output take the filter's
 * reference, so that the packet is not delayed again. What has to be known then (when, which way, how)
 * travels with the packet, in a tag.
 *
 * The delay is the variable net.delay.ms; all packets are kept equally long, so their order stays.
 */
#include <stdbool.h>
#include <sys/param.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/kpi_mbuf.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <kern/clock.h>
#include <kern/locks.h>
#include <kern/thread_call.h>
#include <mach/mach_types.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/kpi_ipfilter.h>

kern_return_t delay_start(kmod_info_t *ki, void *data);
kern_return_t delay_stop(kmod_info_t *ki, void *data);

#ifndef DELAY_MS
#define DELAY_MS	20
#endif

static int delay_ms = DELAY_MS;

SYSCTL_NODE(_net, OID_AUTO, delay, CTLFLAG_RW, 0, "delayed packets");
SYSCTL_INT(_net_delay, OID_AUTO, ms, CTLFLAG_RW, &delay_ms, 0, "milliseconds");

/* What a filter's cookie points to. */
struct family {
	u_int32_t family;		/* PF_INET or PF_INET6 */
	ipfilter_t filter;
};

static struct family ipv4 = {.family = PF_INET};
static struct family ipv6 = {.family = PF_INET6};

/* The tag's data: what there is to know of a packet that waits. */
struct waiting {
	u_int64_t due;			/* absolute time */
	ipfilter_t filter;		/* goes on behind this one */
	bool outbound;
	struct ipf_pktopts options;	/* outbound: the sender's, which live in its stack frame */
};

#define TAG_TYPE	1		/* we have only one kind of tag */
static mbuf_tag_id_t tag_id;

static lck_grp_t *lock_group;
static lck_mtx_t *lock;
static thread_call_t timer;

/* Under `lock`: */
static mbuf_t first, last;		/* the queue, linked by nextpkt, oldest first */
static unsigned delayed;
static int attached;			/* filters that can still be called */
static bool armed;			/* the timer is set, or its function runs */
static bool stopping;			/* nothing is delayed any more */

/* ---- letting go --------------------------------------------------------------------------- */

static struct waiting *
waiting(mbuf_t packet)
{
	void *data;
	size_t length;

	if (mbuf_tag_find(packet, tag_id, TAG_TYPE, &length, &data) != 0)
		panic("delay: a packet in the queue has lost its tag");
	return data;
}

/* Called without the lock: on its way the packet may meet other filters, or come back to ours. */
static void
let_go(mbuf_t packet)
{
	struct waiting w = *waiting(packet);

	mbuf_tag_free(packet, tag_id, TAG_TYPE);	/* w is a copy: this frees the tag's data */
	mbuf_setnextpkt(packet, NULL);
	if (w.outbound)
		ipf_inject_output(packet, w.filter, &w.options);	/* always takes the packet */
	else if (ipf_inject_input(packet, w.filter) != 0)
		mbuf_freem(packet);					/* takes it only on success */
}

static mbuf_t
take_first(void)
{
	mbuf_t packet = first;

	first = mbuf_nextpkt(packet);
	if (first == NULL)
		last = NULL;
	return packet;
}

/* The timer's function, on a thread of the kernel's. */
static void
times_up(thread_call_param_t param0, thread_call_param_t param1)
{
	u_int64_t now;
	mbuf_t packet;

	clock_get_uptime(&now);
	lck_mtx_lock(lock);
	while (!stopping && first != NULL && waiting(first)->due <= now) {
		packet = take_first();
		lck_mtx_unlock(lock);
		let_go(packet);
		lck_mtx_lock(lock);
	}
	armed = !stopping && first != NULL;
	if (armed)
		thread_call_enter_delayed(timer, waiting(first)->due);
	wakeup(&armed);			/* stop may be waiting for us */
	lck_mtx_unlock(lock);
}

/* ---- keeping ------------------------------------------------------------------------------ */

/* EJUSTRETURN: the packet is in the queue. 0: it could not be kept, and goes on at once. */
static errno_t
keep(mbuf_t packet, struct family *family, const struct ipf_pktopts *options)
{
	struct waiting *w;
	u_int64_t now, delay;
	void *data;

	if (mbuf_tag_allocate(packet, tag_id, TAG_TYPE, sizeof *w, MBUF_DONTWAIT, &data) != 0)
		return 0;		/* no memory: rather early than never */
	w = data;
	clock_get_uptime(&now);
	clock_interval_to_absolutetime_interval((u_int32_t)delay_ms, NSEC_PER_MSEC, &delay);
	w->due = now + delay;
	w->filter = family->filter;
	if (options != NULL) {
		w->outbound = true;
		w->options = *options;
	}

	lck_mtx_lock(lock);
	if (stopping) {
		lck_mtx_unlock(lock);
		mbuf_tag_free(packet, tag_id, TAG_TYPE);
		return 0;
	}
	mbuf_setnextpkt(packet, NULL);
	if (last != NULL)
		mbuf_setnextpkt(last, packet);
	else
		first = packet;
	last = packet;
	delayed++;
	if (!armed) {
		armed = true;
		thread_call_enter_delayed(timer, w->due);
	}
	lck_mtx_unlock(lock);
	return EJUSTRETURN;
}

static errno_t
packet_in(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	return keep(*data, cookie, NULL);
}

/* A packet without a source (DHCP's first) would be given one when it is injected: leave it alone. */
static bool
has_source(mbuf_t packet, const struct family *family)
{
	struct ip ip;

	return family != &ipv4 || mbuf_copydata(packet, 0, sizeof ip, &ip) != 0 ||
	    ip.ip_src.s_addr != INADDR_ANY;
}

static errno_t
packet_out(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	struct family *family = cookie;

	if (!has_source(*data, family))
		return 0;
	/* The checksum may have been left to the driver; have it done before others get the packet. */
	mbuf_outbound_finalize(*data, family->family, 0);
	return keep(*data, family, options);
}

/* ---- coming and going --------------------------------------------------------------------- */

static void
detached(void *cookie)
{
	lck_mtx_lock(lock);
	attached--;
	wakeup(&attached);
	lck_mtx_unlock(lock);
}

static errno_t
attach(struct family *family, errno_t (*add)(const struct ipf_filter *, ipfilter_t *))
{
	struct ipf_filter filter = {
		.cookie = family,
		.name = "delay",
		.ipf_input = packet_in,
		.ipf_output = packet_out,
		.ipf_detach = detached,
	};
	errno_t error = add(&filter, &family->filter);

	if (error == 0) {
		lck_mtx_lock(lock);
		attached++;
		lck_mtx_unlock(lock);
	}
	return error;
}

/* The filters may still be called: whatever they see from now on goes on at once. */
static void
empty_queue(void)
{
	lck_mtx_lock(lock);
	stopping = true;
	if (armed && thread_call_cancel(timer))
		armed = false;
	while (armed)				/* too late to cancel: it runs just now */
		msleep(&armed, lock, PWAIT, "delay_timer", NULL);
	while (first != NULL) {
		mbuf_t packet = take_first();

		lck_mtx_unlock(lock);
		let_go(packet);
		lck_mtx_lock(lock);
	}
	lck_mtx_unlock(lock);
}

static void
remove_filters(void)
{
	if (ipv4.filter != NULL)
		ipf_remove(ipv4.filter);
	if (ipv6.filter != NULL)
		ipf_remove(ipv6.filter);
	lck_mtx_lock(lock);
	while (attached != 0)
		msleep(&attached, lock, PWAIT, "delay_detach", NULL);
	lck_mtx_unlock(lock);
}

/*
 * The order matters. The queue is emptied while the filters are there, so that what was kept goes on
 * behind them; the timer is freed when nobody can set it any more, the lock when nobody can take it.
 */
static void
tear_down(void)
{
	if (timer != NULL)
		empty_queue();
	if (lock != NULL)
		remove_filters();
	if (timer != NULL)
		thread_call_free(timer);
	if (lock != NULL)
		lck_mtx_free(lock, lock_group);
	if (lock_group != NULL)
		lck_grp_free(lock_group);
}

kern_return_t
delay_start(kmod_info_t *ki, void *data)
{
	errno_t error = mbuf_tag_id_find("org.libnke.examples.delay", &tag_id);

	lock_group = lck_grp_alloc_init("delay", LCK_GRP_ATTR_NULL);
	if (lock_group != NULL)
		lock = lck_mtx_alloc_init(lock_group, LCK_ATTR_NULL);
	if (lock != NULL)
		timer = thread_call_allocate(times_up, NULL);
	if (error != 0 || timer == NULL || attach(&ipv4, ipf_addv4) != 0 ||
	    attach(&ipv6, ipf_addv6) != 0) {
		tear_down();
		return KERN_FAILURE;
	}
	sysctl_register_oid(&sysctl__net_delay);
	sysctl_register_oid(&sysctl__net_delay_ms);
	return KERN_SUCCESS;
}

kern_return_t
delay_stop(kmod_info_t *ki, void *data)
{
	sysctl_unregister_oid(&sysctl__net_delay_ms);
	sysctl_unregister_oid(&sysctl__net_delay);
	tear_down();
	printf("%u packets delayed\n", delayed);
	return KERN_SUCCESS;
}
