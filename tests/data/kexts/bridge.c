/*
 * Stands between en0 and its host as a virtual machine's bridge does: the interface is promiscuous, every
 * frame is taken, copied into a packet of its own that is marked with a tag, and goes on from there: in by
 * ifnet_input, out by ifnet_output_raw. What passes through is what would have passed without it.
 */
#include <mach/mach_types.h>
#include <net/bpf.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/kpi_interface.h>
#include <net/kpi_interfacefilter.h>
#include <sys/errno.h>
#include <sys/kpi_mbuf.h>
#include <sys/socket.h>
#include <sys/systm.h>

#define MARK		"com.example.bridge"
#define FRAME_MOST	65600

kern_return_t bridge_start(kmod_info_t *ki, void *data);
kern_return_t bridge_stop(kmod_info_t *ki, void *data);

static ifnet_t en0;
static interface_filter_t filter;
static mbuf_tag_id_t mark;
static unsigned char frame[FRAME_MOST];
static int broken;		/* frames that were not where they should be */

static int
is_ours(mbuf_t m)
{
	size_t length;
	void *tag;

	return mbuf_tag_find(m, mark, 1, &length, &tag) == 0;
}

/* A marked packet of the first `length` bytes of `frame`. */
static mbuf_t
copy_of(size_t length)
{
	mbuf_t packet = NULL, m;
	size_t done = 0, part;
	void *tag;

	if (mbuf_allocpacket(MBUF_WAITOK, length, NULL, &packet) != 0)
		return NULL;
	if (mbuf_tag_allocate(packet, mark, 1, 1, MBUF_WAITOK, &tag) != 0) {
		mbuf_freem(packet);
		return NULL;
	}
	mbuf_pkthdr_setlen(packet, length);
	for (m = packet; m != NULL; m = mbuf_next(m), done += part) {
		part = mbuf_maxlen(m) < length - done ? mbuf_maxlen(m) : length - done;
		memcpy(mbuf_data(m), frame + done, part);
		mbuf_setlen(m, part);
	}
	return packet;
}

static errno_t
bridge_input(void *cookie, ifnet_t ifp, protocol_family_t protocol, mbuf_t *data, char **header)
{
	size_t length = mbuf_pkthdr_len(*data);
	char *start = mbuf_datastart(*data), *payload = mbuf_data(*data);
	struct ifnet_stat_increment_param stats;
	mbuf_t copy;

	(void)cookie;
	(void)protocol;
	if (is_ours(*data))
		return 0;
	/* The header is in front of the payload, in the same buffer. */
	if (*header < start || *header + ETHER_HDR_LEN != payload || length + ETHER_HDR_LEN > FRAME_MOST) {
		broken++;
		return 0;
	}
	memcpy(frame, *header, ETHER_HDR_LEN);
	if (mbuf_copydata(*data, 0, length, frame + ETHER_HDR_LEN) != 0)
		return ENOBUFS;
	copy = copy_of(length + ETHER_HDR_LEN);
	if (copy == NULL)
		return ENOMEM;
	memset(&stats, 0, sizeof stats);
	stats.packets_in = 1;
	stats.bytes_in = (u_int32_t)(length + ETHER_HDR_LEN);
	mbuf_pkthdr_setrcvif(copy, ifp);
	mbuf_pkthdr_setheader(copy, mbuf_data(copy));
	bpf_tap_in(ifp, DLT_EN10MB, copy, NULL, 0);
	mbuf_adj(copy, ETHER_HDR_LEN);
	mbuf_freem(*data);
	(void)ifnet_input(ifp, copy, &stats);
	return EJUSTRETURN;
}

static errno_t
bridge_output(void *cookie, ifnet_t ifp, protocol_family_t protocol, mbuf_t *data)
{
	size_t length = mbuf_pkthdr_len(*data);
	mbuf_t copy;

	(void)cookie;
	if (is_ours(*data))
		return 0;
	mbuf_outbound_finalize(*data, protocol, ETHER_HDR_LEN);
	if (length > FRAME_MOST || mbuf_copydata(*data, 0, length, frame) != 0)
		return ENOBUFS;
	copy = copy_of(length);
	if (copy == NULL)
		return ENOMEM;
	mbuf_freem(*data);
	(void)ifnet_output_raw(ifp, PF_LINK, copy);
	return EJUSTRETURN;
}

static void
bridge_detached(void *cookie, ifnet_t ifp)
{
	(void)cookie;
	(void)ifnet_set_promiscuous(ifp, 0);
	ifnet_release(ifp);
}

static const struct iff_filter bridge_filter = {
	.iff_name = MARK,
	.iff_input = bridge_input,
	.iff_output = bridge_output,
	.iff_detached = bridge_detached,
};

kern_return_t
bridge_start(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	if (mbuf_tag_id_find(MARK, &mark) != 0 || ifnet_find_by_name("en0", &en0) != 0)
		return KERN_FAILURE;
	if (ifnet_set_promiscuous(en0, 1) != 0) {
		ifnet_release(en0);
		return KERN_FAILURE;
	}
	if (iflt_attach(en0, &bridge_filter, &filter) != 0) {
		bridge_detached(NULL, en0);
		return KERN_FAILURE;
	}
	return KERN_SUCCESS;
}

kern_return_t
bridge_stop(kmod_info_t *ki, void *data)
{
	(void)ki;
	(void)data;
	iflt_detach(filter);
	return broken == 0 ? KERN_SUCCESS : KERN_FAILURE;
}
