/*
 * Packets that nobody captured, and filters that come and go: one thing of these, chosen when it is
 * compiled (-DACTION=...). For the tests of `nke replay`.
 */
#include <stdbool.h>
#include <sys/param.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/kpi_mbuf.h>
#include <sys/proc.h>
#include <mach/mach_types.h>
#include <net/kpi_interface.h>
#include <net/kpi_interfacefilter.h>
#include <netinet/in.h>
#include <netinet/kpi_ipfilter.h>

#define COPY_PACKETS	1		/* every IP packet once more, 5 ms later, through IP */
#define COPY_FRAMES	2		/* every frame once more, 5 ms later, through the interface */
#define TICK		3		/* a timer every 50 ms */
#define COME_LATE	4		/* filters from 1 s to 2 s after the start */
#define GO_EARLY	5		/* filters that remove themselves at the third packet */
#define FLOOD		6		/* 20000 copies of the third packet, at once */
#define NO_INTERFACE	7		/* detaches en0 after 1 s */

kern_return_t inject_start(kmod_info_t *ki, void *data);
kern_return_t inject_stop(kmod_info_t *ki, void *data);

static mbuf_tag_id_t tag_id;
static ifnet_t en0;
static interface_filter_t interface_filter;
static ipfilter_t filter4, filter6;
static int attached, ticks;
static unsigned seen;
static bool stopping;

static const struct timespec soon = {.tv_nsec = 5000000};

static void
after(void (*fn)(void *), void *param, time_t seconds, long nanoseconds)
{
	struct timespec ts = {.tv_sec = seconds, .tv_nsec = nanoseconds};

	bsd_timeout(fn, param, &ts);
}

/* ---- copies ----------------------------------------------------------------------------------- */

struct note {
	bool outbound;
	u_int32_t header;		/* COPY_FRAMES, inbound: bytes of link header in front */
};

static bool
is_copy(mbuf_t m)
{
	size_t len;
	void *data;

	return mbuf_tag_find(m, tag_id, 1, &len, &data) == 0;
}

static mbuf_t
copy_of(mbuf_t m, bool outbound, const char *frame, u_int32_t header)
{
	struct note *note;
	void *data;
	mbuf_t copy;

	if (mbuf_dup(m, MBUF_DONTWAIT, &copy) != 0)
		panic("inject: no memory");
	if (frame != NULL && header != 0) {
		if (mbuf_prepend(&copy, header, MBUF_DONTWAIT) != 0 ||
		    mbuf_copyback(copy, 0, header, frame, MBUF_DONTWAIT) != 0)
			panic("inject: no memory");
	}
	if (mbuf_tag_allocate(copy, tag_id, 1, sizeof *note, MBUF_DONTWAIT, &data) != 0)
		panic("inject: no memory");
	note = data;
	note->outbound = outbound;
	note->header = frame != NULL ? header : 0;
	return copy;
}

static void
send_packet(void *param)
{
	mbuf_t m = param;
	struct note *note;
	size_t len;
	void *data;
	u_int8_t first;
	ipfilter_t behind;

	if (mbuf_tag_find(m, tag_id, 1, &len, &data) != 0)
		panic("inject: no tag");
	note = data;
	mbuf_copydata(m, 0, 1, &first);
	behind = first >> 4 == 4 ? filter4 : filter6;
	if (note->outbound)
		ipf_inject_output(m, behind, NULL);
	else if (ipf_inject_input(m, behind) != 0)
		mbuf_freem(m);
}

static void
send_frame(void *param)
{
	mbuf_t m = param;
	struct note *note;
	size_t len;
	void *data;

	if (mbuf_tag_find(m, tag_id, 1, &len, &data) != 0)
		panic("inject: no tag");
	note = data;
	if (note->outbound) {
		ifnet_output_raw(en0, 0, m);
		return;
	}
	mbuf_pkthdr_setrcvif(m, en0);
	mbuf_pkthdr_setheader(m, mbuf_data(m));
	mbuf_adj(m, (int)note->header);
	ifnet_input(en0, m, NULL);
}

static errno_t
frame_seen(mbuf_t m, bool outbound, const char *frame)
{
	seen++;
	if (ACTION == COPY_FRAMES && !is_copy(m))
		after(send_frame, copy_of(m, outbound, frame, ifnet_hdrlen(en0)), 0, soon.tv_nsec);
	return 0;
}

static void
leave(void)
{
	if (filter4 != NULL)
		ipf_remove(filter4);
	if (filter6 != NULL)
		ipf_remove(filter6);
	filter4 = filter6 = NULL;
	if (interface_filter != NULL)
		iflt_detach(interface_filter);
	interface_filter = NULL;
}

static errno_t
packet_seen(mbuf_t m, bool outbound, u_int8_t protocol)
{
	if (protocol == IPPROTO_FRAGMENT)
		return 0;
	seen++;
	if (ACTION == COPY_PACKETS && !is_copy(m))
		after(send_packet, copy_of(m, outbound, NULL, 0), 0, soon.tv_nsec);
	if (ACTION == GO_EARLY && seen == 3)
		leave();
	for (int i = 0; ACTION == FLOOD && seen == 3 && i < 20000; i++) {
		mbuf_t copy = copy_of(m, true, NULL, 0);

		ipf_inject_output(copy, filter4, NULL);
	}
	return 0;
}

/* ---- the filters -------------------------------------------------------------------------------- */

static errno_t
frame_in(void *cookie, ifnet_t ifp, protocol_family_t protocol, mbuf_t *data, char **frame)
{
	return frame_seen(*data, false, *frame);
}

static errno_t
frame_out(void *cookie, ifnet_t ifp, protocol_family_t protocol, mbuf_t *data)
{
	return frame_seen(*data, true, NULL);
}

static errno_t
packet_in(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	return packet_seen(*data, false, protocol);
}

static errno_t
packet_out(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	return packet_seen(*data, true, 0);
}

static void
gone(void *cookie)
{
	attached--;
	wakeup(&attached);
}

static void
interface_gone(void *cookie, ifnet_t ifp)
{
	interface_filter = NULL;
	gone(cookie);
}

static void
come(void *unused)
{
	static const struct iff_filter iff = {
		.iff_name = "inject", .iff_input = frame_in, .iff_output = frame_out,
		.iff_detached = interface_gone,
	};
	static const struct ipf_filter ipf = {
		.name = "inject", .ipf_input = packet_in, .ipf_output = packet_out, .ipf_detach = gone,
	};

	if (ACTION != COPY_PACKETS && ACTION != FLOOD && iflt_attach(en0, &iff, &interface_filter) == 0)
		attached++;
	if (ACTION == COPY_FRAMES)
		return;
	if (ipf_addv4(&ipf, &filter4) == 0)
		attached++;
	if (ipf_addv6(&ipf, &filter6) == 0)
		attached++;
}

static void
go(void *unused)
{
	leave();
}

static void
tick(void *unused)
{
	ticks++;
	if (!stopping)
		after(tick, NULL, 0, 50000000);
}

static void
no_interface(void *unused)
{
	printf("detach of en0: %d\n", ifnet_detach(en0));
}

/* ---- coming and going --------------------------------------------------------------------------- */

kern_return_t
inject_start(kmod_info_t *ki, void *data)
{
	if (ifnet_find_by_name("en0", &en0) != 0 ||
	    mbuf_tag_id_find("com.example.inject", &tag_id) != 0)
		return KERN_FAILURE;
	switch (ACTION) {
	case TICK:
		tick(NULL);
		break;
	case COME_LATE:
		after(come, NULL, 1, 0);
		after(go, NULL, 2, 0);
		break;
	case NO_INTERFACE:
		come(NULL);
		after(no_interface, NULL, 1, 0);
		break;
	default:
		come(NULL);
		break;
	}
	return KERN_SUCCESS;
}

kern_return_t
inject_stop(kmod_info_t *ki, void *data)
{
	stopping = true;
	bsd_untimeout(tick, NULL);
	leave();
	while (attached > 0)
		tsleep(&attached, PWAIT, "inject", 1);
	ifnet_release(en0);
	printf("%u seen, %d ticks\n", seen, ticks);
	return KERN_SUCCESS;
}
