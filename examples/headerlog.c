/*
 * headerlog: logs the headers of every frame on every interface, a line for each:
 *
 *	en0 out 7: 02:00:00:00:00:01 > c2:fb:e6:61:b7:c6 0x0800 10.1.0.2:50000 > 10.1.0.1:53 UDP, 71 bytes
 *
 * The number is the kext's own. It is kept in a tag on the packet, so that a packet that comes by a
 * second time (because someone gave it to ifnet_input or ifnet_output again) is known.
 *
 * Interface filters see what a packet analyser would see: frames of all protocols, fragments as they
 * are on the wire, and also what the stack is going to refuse.
 */
#include <stdbool.h>
#include <sys/param.h>
#include <sys/errno.h>
#include <sys/systm.h>
#include <sys/kpi_mbuf.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <kern/locks.h>
#include <libkern/OSAtomic.h>
#include <libkern/OSMalloc.h>
#include <mach/mach_types.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_types.h>
#include <net/kpi_interface.h>
#include <net/kpi_interfacefilter.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

kern_return_t headerlog_start(kmod_info_t *ki, void *data);
kern_return_t headerlog_stop(kmod_info_t *ki, void *data);

#define NAME		"org.libnke.examples.headerlog"
#define TAG_NUMBER	1		/* type of our tag: a u_int32_t */

/* One filter on one interface: its cookie. */
struct watcher {
	LIST_ENTRY(watcher) link;
	interface_filter_t filter;
	char name[IFNAMSIZ + 8];	/* "en0" */
	bool ethernet;
	size_t header_length;		/* of the link, in bytes */
};

static LIST_HEAD(, watcher) watchers = LIST_HEAD_INITIALIZER(watchers);	/* under `lock` */
static lck_grp_t *lock_group;
static lck_mtx_t *lock;
static OSMallocTag malloc_tag;
static mbuf_tag_id_t tag_id;
static SInt32 frames;

/* ---- writing the line --------------------------------------------------------------------- */

struct line {
	char text[256];
	size_t length;
};

static void append(struct line *line, const char *format, ...) __printflike(2, 3);

static void
append(struct line *line, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line->text + line->length, sizeof line->text - line->length, format, ap);
	va_end(ap);
	line->length += (size_t)n;
	if (line->length >= sizeof line->text)
		line->length = sizeof line->text - 1;	/* cut off */
}

static void
append_ethernet(struct line *line, const struct ether_header *eh)
{
	const u_char *d = eh->ether_dhost, *s = eh->ether_shost;

	append(line, " %02x:%02x:%02x:%02x:%02x:%02x > %02x:%02x:%02x:%02x:%02x:%02x 0x%04x",
	    s[0], s[1], s[2], s[3], s[4], s[5], d[0], d[1], d[2], d[3], d[4], d[5],
	    ntohs(eh->ether_type));
}

/* `offset`: of the transport header; TCP and UDP both begin with the ports. */
static void
append_flow(struct line *line, const char *src, const char *dst, mbuf_t packet, size_t offset,
    u_int8_t protocol, bool has_ports)
{
	u_int16_t ports[2];

	has_ports = has_ports && (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) &&
	    mbuf_copydata(packet, offset, sizeof ports, ports) == 0;
	if (has_ports)
		append(line, " %s:%u > %s:%u", src, ntohs(ports[0]), dst, ntohs(ports[1]));
	else
		append(line, " %s > %s", src, dst);
	if (protocol == IPPROTO_TCP)
		append(line, " TCP");
	else if (protocol == IPPROTO_UDP)
		append(line, " UDP");
	else
		append(line, " protocol %u", protocol);
}

static void
append_ipv4(struct line *line, mbuf_t packet, size_t offset)
{
	char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN];
	struct ip ip;

	if (mbuf_copydata(packet, offset, sizeof ip, &ip) != 0) {
		append(line, " short IPv4");
		return;
	}
	inet_ntop(AF_INET, &ip.ip_src, src, sizeof src);
	inet_ntop(AF_INET, &ip.ip_dst, dst, sizeof dst);
	/* Only the first fragment has ports. */
	append_flow(line, src, dst, packet, offset + ((size_t)ip.ip_hl << 2), ip.ip_p,
	    (ntohs(ip.ip_off) & IP_OFFMASK) == 0);
}

static void
append_ipv6(struct line *line, mbuf_t packet, size_t offset)
{
	char src[INET6_ADDRSTRLEN + 2], dst[INET6_ADDRSTRLEN + 2];
	struct ip6_hdr ip6;

	if (mbuf_copydata(packet, offset, sizeof ip6, &ip6) != 0) {
		append(line, " short IPv6");
		return;
	}
	src[0] = dst[0] = '[';
	inet_ntop(AF_INET6, &ip6.ip6_src, src + 1, INET6_ADDRSTRLEN);
	inet_ntop(AF_INET6, &ip6.ip6_dst, dst + 1, INET6_ADDRSTRLEN);
	strlcat(src, "]", sizeof src);
	strlcat(dst, "]", sizeof dst);
	append_flow(line, src, dst, packet, offset + sizeof ip6, ip6.ip6_nxt, true);
}

/* The packet's number; *again says that it was here before. 0: no memory for the tag. */
static u_int32_t
number(mbuf_t packet, bool *again)
{
	u_int32_t *n;
	size_t length;
	void *data;

	*again = mbuf_tag_find(packet, tag_id, TAG_NUMBER, &length, &data) == 0;
	if (!*again && mbuf_tag_allocate(packet, tag_id, TAG_NUMBER, sizeof *n, MBUF_DONTWAIT,
	    &data) != 0)
		return 0;
	n = data;
	if (!*again)
		*n = (u_int32_t)OSIncrementAtomic(&frames) + 1;
	return *n;
}

/* What the frame carries: PF_INET, PF_INET6, or 0 for what is not looked into. */
static protocol_family_t
contents(const struct watcher *w, protocol_family_t protocol, const char *link)
{
	const struct ether_header *eh = (const struct ether_header *)(const void *)link;

	/* On Ethernet PF_INET stands for ARP as well: the header knows better. */
	if (w->ethernet && protocol == PF_INET && ntohs(eh->ether_type) != ETHERTYPE_IP)
		return 0;
	return protocol;
}

/* `offset`: where behind the start of `packet` the network header is; `link`: the link header. */
static void
log_frame(const struct watcher *w, const char *direction, protocol_family_t protocol, mbuf_t packet,
    size_t offset, const char *link, size_t bytes)
{
	struct line line = {.length = 0};
	bool again;
	u_int32_t n = number(packet, &again);

	append(&line, "%s %s %u:%s", w->name, direction, n, again ? " again:" : "");
	if (w->ethernet)
		append_ethernet(&line, (const struct ether_header *)(const void *)link);
	protocol = contents(w, protocol, link);
	if (protocol == PF_INET)
		append_ipv4(&line, packet, offset);
	else if (protocol == PF_INET6)
		append_ipv6(&line, packet, offset);
	printf("%s, %lu bytes\n", line.text, (unsigned long)bytes);
}

/* ---- the filter --------------------------------------------------------------------------- */

/* On the way in the link header is in front of the packet, where *frame points. */
static errno_t
frame_in(void *cookie, ifnet_t ifp, protocol_family_t protocol, mbuf_t *data, char **frame)
{
	const struct watcher *w = cookie;

	log_frame(w, "in", protocol, *data, 0, *frame, w->header_length + mbuf_pkthdr_len(*data));
	return 0;
}

/* On the way out the packet begins with the link header, which need not lie in one piece. */
static errno_t
frame_out(void *cookie, ifnet_t ifp, protocol_family_t protocol, mbuf_t *data)
{
	const struct watcher *w = cookie;
	char link[ETHER_HDR_LEN];

	if (w->ethernet && mbuf_copydata(*data, 0, sizeof link, link) != 0)
		return 0;		/* a frame without a header: not ours to judge */
	log_frame(w, "out", protocol, *data, w->header_length, link, mbuf_pkthdr_len(*data));
	return 0;
}

/* The last call for this interface: by iflt_detach, or because the interface goes. */
static void
unwatched(void *cookie, ifnet_t ifp)
{
	struct watcher *w = cookie;

	lck_mtx_lock(lock);
	LIST_REMOVE(w, link);
	lck_mtx_unlock(lock);
	OSFree(w, sizeof *w, malloc_tag);
}

/* ---- coming and going --------------------------------------------------------------------- */

static errno_t
watch(ifnet_t ifp)
{
	struct iff_filter filter = {
		.iff_name = NAME,
		.iff_protocol = 0,		/* all of them, and frames of no known one */
		.iff_input = frame_in,
		.iff_output = frame_out,
		.iff_detached = unwatched,
	};
	struct watcher *w = OSMalloc(sizeof *w, malloc_tag);
	errno_t error;

	if (w == NULL)
		return ENOMEM;
	snprintf(w->name, sizeof w->name, "%s%u", ifnet_name(ifp), ifnet_unit(ifp));
	w->ethernet = ifnet_type(ifp) == IFT_ETHER;
	w->header_length = ifnet_hdrlen(ifp);
	filter.iff_cookie = w;

	/* In the list before it can be called: unwatched takes it out again. */
	lck_mtx_lock(lock);
	LIST_INSERT_HEAD(&watchers, w, link);
	lck_mtx_unlock(lock);
	error = iflt_attach(ifp, &filter, &w->filter);
	if (error != 0)
		unwatched(w, ifp);
	return error;
}

/* The interfaces that are there now; those that come later are not watched. */
static errno_t
watch_all(void)
{
	ifnet_t *list;
	u_int32_t count;
	errno_t error = ifnet_list_get(IFNET_FAMILY_ANY, &list, &count);

	if (error != 0)
		return error;
	for (u_int32_t i = 0; i < count && error == 0; i++)
		if (ifnet_family(list[i]) != IFNET_FAMILY_LOOPBACK)
			error = watch(list[i]);
	ifnet_list_free(list);		/* and the references in it */
	return error;
}

static void
unwatch_all(void)
{
	for (;;) {
		struct watcher *w;

		lck_mtx_lock(lock);
		w = LIST_FIRST(&watchers);
		lck_mtx_unlock(lock);
		if (w == NULL)
			return;
		/* Waits until no frame is in the filter, then calls unwatched: so not under the lock. */
		iflt_detach(w->filter);
	}
}

static void
tear_down(void)
{
	if (lock != NULL) {
		unwatch_all();
		lck_mtx_free(lock, lock_group);
	}
	if (lock_group != NULL)
		lck_grp_free(lock_group);
	if (malloc_tag != NULL)
		OSMalloc_Tagfree(malloc_tag);
}

kern_return_t
headerlog_start(kmod_info_t *ki, void *data)
{
	errno_t error = mbuf_tag_id_find(NAME, &tag_id);

	malloc_tag = OSMalloc_Tagalloc(NAME, OSMT_DEFAULT);
	lock_group = lck_grp_alloc_init(NAME, LCK_GRP_ATTR_NULL);
	if (lock_group != NULL)
		lock = lck_mtx_alloc_init(lock_group, LCK_ATTR_NULL);
	if (error != 0 || malloc_tag == NULL || lock == NULL || watch_all() != 0) {
		tear_down();
		return KERN_FAILURE;
	}
	return KERN_SUCCESS;
}

kern_return_t
headerlog_stop(kmod_info_t *ki, void *data)
{
	tear_down();
	printf("%d frames\n", (int)frames);
	return KERN_SUCCESS;
}
