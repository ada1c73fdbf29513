/*
 * etherproto: a protocol of one's own on Ethernet, beside IPv4, IPv6 and ARP.
 *
 * It is attached to en0 for the Ethernet type 0x88b5 (set aside for local experiments, IEEE 802) and
 * answers probes: four bytes, operation and sequence number, both in network byte order.
 *
 *	0      2      4
 *	+------+------+----------
 *	|  op  | seq  | anything      op: 1 probe, 2 answer
 *	+------+------+----------
 */
#include <sys/param.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/kpi_mbuf.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <kern/locks.h>
#include <mach/mach_types.h>
#include <net/dlil.h>
#include <net/ethernet.h>
#include <net/if_dl.h>
#include <net/if_types.h>
#include <net/kpi_interface.h>
#include <netinet/in.h>
#include <stdbool.h>

kern_return_t etherproto_start(kmod_info_t *ki, void *data);
kern_return_t etherproto_stop(kmod_info_t *ki, void *data);

/* A protocol family is a number that nobody else uses: Apple's are small, or four letters like this. */
#define PF_PROBE	0x70726f62u	/* 'prob' */
#define ETHERTYPE_PROBE	0x88b5

enum { PROBE_ASK = 1, PROBE_ANSWER = 2 };

struct probe {
	u_int16_t op;
	u_int16_t seq;
};

static ifnet_t en0;			/* with a reference, until stop */
static lck_grp_t *lock_group;
static lck_mtx_t *lock;
static bool attached;			/* we can still be called; under `lock` */

/* One input thread calls input, so these need no lock. */
static unsigned probes, answers, malformed;

/* ---- the way out -------------------------------------------------------------------------- */

/*
 * The first step of ifnet_output: where does the packet go on the link, and as what? The framer, which
 * comes next, builds the Ethernet header from these.
 */
static errno_t
pre_output(ifnet_t ifp, protocol_family_t protocol, mbuf_t *packet, const struct sockaddr *dest,
    void *route, char *frame_type, char *link_layer_dest)
{
	const struct sockaddr_dl *sdl = (const struct sockaddr_dl *)(const void *)dest;
	u_int16_t type = htons(ETHERTYPE_PROBE);

	if (dest == NULL || dest->sa_family != AF_LINK || sdl->sdl_alen != ETHER_ADDR_LEN)
		return EAFNOSUPPORT;
	memcpy(frame_type, &type, sizeof type);
	memcpy(link_layer_dest, CONST_LLADDR(sdl), ETHER_ADDR_LEN);
	return 0;
}

static errno_t
answer(ifnet_t ifp, u_int16_t seq, const u_char *to)
{
	struct probe probe = {.op = htons(PROBE_ANSWER), .seq = seq};
	struct sockaddr_dl sdl = {
		.sdl_len = sizeof sdl,
		.sdl_family = AF_LINK,
		.sdl_type = IFT_ETHER,
		.sdl_alen = ETHER_ADDR_LEN,
	};
	mbuf_t packet;
	errno_t error;

	error = mbuf_gethdr(MBUF_DONTWAIT, MBUF_TYPE_DATA, &packet);
	if (error != 0)
		return error;
	error = mbuf_copyback(packet, 0, sizeof probe, &probe, MBUF_DONTWAIT);
	if (error != 0) {
		mbuf_freem(packet);
		return error;
	}
	memcpy(LLADDR(&sdl), to, ETHER_ADDR_LEN);
	/* Takes the packet, whatever it returns. */
	return ifnet_output(ifp, PF_PROBE, packet, NULL, (const struct sockaddr *)(const void *)&sdl);
}

/* ---- the way in --------------------------------------------------------------------------- */

/* `header` is the Ethernet header, `packet` what is behind it. Returning 0 says: the packet is ours. */
static errno_t
input(ifnet_t ifp, protocol_family_t protocol, mbuf_t packet, char *header)
{
	const struct ether_header *eh = (const struct ether_header *)(const void *)header;
	struct probe probe;

	if (mbuf_copydata(packet, 0, sizeof probe, &probe) != 0) {
		malformed++;
	} else if (ntohs(probe.op) == PROBE_ASK) {
		probes++;
		if (answer(ifp, probe.seq, eh->ether_shost) == 0)
			answers++;
	}
	mbuf_freem(packet);
	return 0;
}

/* ---- coming and going --------------------------------------------------------------------- */

/*
 * The last call: after ifnet_detach_protocol, perhaps on the thread that was in `input` then; or because
 * the interface went away.
 */
static errno_t
detached(ifnet_t ifp, protocol_family_t protocol)
{
	lck_mtx_lock(lock);
	attached = false;
	wakeup(&attached);
	lck_mtx_unlock(lock);
	return 0;
}

static errno_t
attach(void)
{
	u_int16_t type = htons(ETHERTYPE_PROBE);
	struct ifnet_demux_desc desc = {
		.type = DLIL_DESC_ETYPE2,	/* an Ethernet II type, in network byte order */
		.data = &type,
		.datalen = sizeof type,
	};
	struct ifnet_attach_proto_param param = {
		.demux_array = &desc,		/* read during the call only */
		.demux_count = 1,
		.input = input,
		.pre_output = pre_output,
		.detached = detached,
	};
	errno_t error;

	error = ifnet_find_by_name("en0", &en0);
	if (error != 0)
		return error;
	if (ifnet_type(en0) != IFT_ETHER) {
		printf("en0 is not Ethernet\n");
		return EPROTONOSUPPORT;
	}
	attached = true;
	error = ifnet_attach_protocol(en0, PF_PROBE, &param);
	if (error != 0)
		attached = false;
	return error;
}

static void
tear_down(void)
{
	if (attached)
		ifnet_detach_protocol(en0, PF_PROBE);
	if (lock != NULL) {
		lck_mtx_lock(lock);
		while (attached)
			msleep(&attached, lock, PWAIT, "etherproto", NULL);
		lck_mtx_unlock(lock);
		lck_mtx_free(lock, lock_group);
	}
	if (lock_group != NULL)
		lck_grp_free(lock_group);
	if (en0 != NULL)
		ifnet_release(en0);
}

kern_return_t
etherproto_start(kmod_info_t *ki, void *data)
{
	errno_t error = ENOMEM;

	lock_group = lck_grp_alloc_init("etherproto", LCK_GRP_ATTR_NULL);
	if (lock_group != NULL)
		lock = lck_mtx_alloc_init(lock_group, LCK_ATTR_NULL);
	if (lock != NULL)
		error = attach();
	if (error == 0)
		return KERN_SUCCESS;
	printf("cannot attach to en0: error %d\n", error);
	tear_down();
	return KERN_FAILURE;
}

kern_return_t
etherproto_stop(kmod_info_t *ki, void *data)
{
	tear_down();
	printf("%u probes, %u answers, %u malformed\n", probes, answers, malformed);
	return KERN_SUCCESS;
}
