/*
 * Linux TAP devices (Documentation/networking/tuntap of the kernel): nke/tap.h on top of port.c.
 *
 * With offloads (IFF_VNET_HDR) each frame has a virtio_net_hdr (virtio 1.1, 5.1.6) in front. Both sides
 * then leave checksums and the cutting of large TCP segments to the other: frames between their own sockets
 * have the pseudo header's sum in the field, are as good as verified, and have up to 64 KiB. The header costs
 * the kernel more than the sums of UDP datagrams do, so it is there on request only.
 *
 * The descriptor is not blocking. A batch is read with one call each, as the device has no call for several.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "src/host/tap_private.h"

#define CLONE_DEVICE	"/dev/net/tun"
#define NETNS_FOLDER	"/var/run/netns/"
#define CACHED		(192u * 1024)	/* octets of buffers in a batch: so many are still in the cache */
#define LINK_HEADER	18u		/* with a VLAN tag */

/* ---- frames ------------------------------------------------------------------------------- */

/* What is left to the kernel, as virtio says it. */
static void
describe(const struct core_output *out, struct virtio_net_hdr *h)
{
	memset(h, 0, sizeof *h);
	if (out->flags & CORE_UNSUMMED) {
		h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h->csum_start = out->csum_start;
		h->csum_offset = out->csum_offset;
	}
	if (out->flags & (CORE_LARGE4 | CORE_LARGE6)) {
		h->gso_type = out->flags & CORE_LARGE4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
		h->gso_size = out->segsz;
		h->hdr_len = out->hdrlen;
	}
}

static int
tap_output(struct port *p, const struct core_output *out)
{
	const struct nke_tap *t = TAP_OF(p);
	struct iovec iov[CORE_OUTPUT_PIECES + 1];
	struct virtio_net_hdr h;
	int count = 0;
	ssize_t n;

	if (t->head_len != 0) {
		describe(out, &h);
		iov[count++] = (struct iovec){&h, t->head_len};
	}
	for (unsigned i = 0; i < out->count; i++)
		iov[count++] = (struct iovec){(void *)(uintptr_t)out->pieces[i].base, out->pieces[i].len};
	do
		n = count == 1 ? write(p->fd, iov[0].iov_base, iov[0].iov_len) : writev(p->fd, iov, count);
	while (n < 0 && errno == EINTR);
	return n < 0 ? errno : 0;
}

/* RFC 1071, from `start` to the end, with the pseudo header's sum in the field. */
static void
complete_checksum(uint8_t *frame, size_t len, size_t start, size_t offset)
{
	uint32_t sum = 0;

	if (start + offset + 2 > len)
		return;
	for (size_t i = start; i < len; i++)
		sum += (i - start) % 2 == 0 ? (uint32_t)frame[i] << 8 : frame[i];
	while (sum > 0xffff)
		sum = (sum >> 16) + (sum & 0xffff);
	sum = ~sum & 0xffff;
	if (sum == 0)
		sum = 0xffff;
	frame[start + offset] = (uint8_t)(sum >> 8);
	frame[start + offset + 1] = (uint8_t)sum;
}

static void
take_large(const struct virtio_net_hdr *h, struct core_input *in)
{
	int type = h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;

	if (type != VIRTIO_NET_HDR_GSO_TCPV4 && type != VIRTIO_NET_HDR_GSO_TCPV6)
		return;
	in->flags = type == VIRTIO_NET_HDR_GSO_TCPV4 ? CORE_LARGE4 : CORE_LARGE6;
	in->segsz = h->gso_size;
}

/* False: not a frame for the machine. */
static bool
take_frame(struct nke_tap *t, uint8_t *bytes, size_t n, struct core_input *in)
{
	struct virtio_net_hdr h;

	if (n <= t->head_len || n >= t->slot) {
		port_count(&t->port.stats.dropped_in, 1);
		return false;
	}
	*in = (struct core_input){.frame = bytes + t->head_len, .len = (uint32_t)(n - t->head_len)};
	if (t->head_len == 0)
		return true;
	memcpy(&h, bytes, sizeof h);
	take_large(&h, in);
	if (!(h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return true;
	port_count(&t->port.stats.unsummed_in, 1);
	if (__atomic_load_n(&t->port.recorder, __ATOMIC_RELAXED) != NULL) {
		complete_checksum(bytes + t->head_len, in->len, h.csum_start, h.csum_offset);
	} else {
		in->flags |= CORE_UNSUMMED;
		in->csum_start = h.csum_start;
		in->csum_offset = h.csum_offset;
	}
	return true;
}

static int
tap_input(struct port *p)
{
	struct nke_tap *t = TAP_OF(p);
	struct core_input frames[PORT_BATCH];
	unsigned count = 0, read_count = 0;
	uint8_t *bytes = t->buffers;
	ssize_t n = 0;

	while (read_count < PORT_BATCH && bytes < t->buffers + CACHED) {
		n = read(p->fd, bytes, t->slot);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		read_count++;
		if (take_frame(t, bytes, (size_t)n, &frames[count])) {
			bytes += t->slot;
			count++;
		}
	}
	/* EIO: the kernel's end is down. */
	if (n < 0 && errno != EAGAIN && errno != EIO && read_count == 0)
		return tap_read_failed(p, errno);
	return port_deliver(p, frames, count) < 0 ? -1 : (int)read_count;
}

/* ---- opening ------------------------------------------------------------------------------ */

/* The parts that happen within the device's network namespace. */
struct opening {
	const struct nke_tap_config *config;
	struct nke_tap *tap;
	int error;
	char text[256];
};

static int __attribute__((format(printf, 3, 4)))
open_failed(struct opening *o, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(o->text, sizeof o->text, fmt, ap);
	va_end(ap);
	return o->error = error;
}

static int
attach_queue(struct opening *o, const char *device)
{
	struct port *p = &o->tap->port;
	struct ifreq ifr;

	memset(&ifr, 0, sizeof ifr);
	memcpy(ifr.ifr_name, device, strlen(device));
	p->fd = open(CLONE_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (p->fd < 0)
		return open_failed(o, errno, CLONE_DEVICE ": %s", strerror(errno));
	ifr.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | (o->config->offload ? IFF_VNET_HDR : 0));
	if (ioctl(p->fd, TUNSETIFF, &ifr) != 0)
		return open_failed(o, errno, "TAP device '%s': %s%s", device, strerror(errno),
		    errno == EPERM ? " (it takes CAP_NET_ADMIN, or 'ip tuntap add mode tap user NAME')" :
		    errno == EINVAL ? " (an interface of another kind has that name, or it was opened with "
		    "other settings)" : "");
	return 0;
}

/* What the descriptor is: made just now, or brought. */
static int
look_at_queue(struct opening *o)
{
	struct nke_tap *t = o->tap;
	struct port *p = &t->port;
	struct ifreq ifr;
	int len = sizeof(struct virtio_net_hdr);

	memset(&ifr, 0, sizeof ifr);
	if (ioctl(p->fd, TUNGETIFF, &ifr) != 0)
		return open_failed(o, EINVAL, "descriptor %d is not a TAP device", p->fd);
	snprintf(p->device, sizeof p->device, "%.*s", IFNAMSIZ, ifr.ifr_name);
	if ((ifr.ifr_flags & (IFF_TAP | IFF_NO_PI)) != (IFF_TAP | IFF_NO_PI))
		return open_failed(o, EINVAL, "%s: expected a TAP device opened with IFF_TAP | IFF_NO_PI",
		    p->device);
	if (ifr.ifr_flags & IFF_VNET_HDR) {
		if (ioctl(p->fd, TUNSETVNETHDRSZ, &len) != 0)
			return open_failed(o, errno, "%s: header: %s", p->device, strerror(errno));
		t->head_len = (size_t)len;
		t->offloads = ioctl(p->fd, TUNSETOFFLOAD, o->config->offload ?
		    (unsigned long)(TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) : 0ul) == 0 && o->config->offload;
		p->offload = t->offloads;
	}
	if (fcntl(p->fd, F_SETFL, O_NONBLOCK) != 0)
		return open_failed(o, errno, "%s: %s", p->device, strerror(errno));
	return 0;
}

static int
set_up(struct opening *o)
{
	const char *device = o->tap->port.device;
	int error = tap_set_up(device);

	return error == 0 ? 0 : open_failed(o, error, "%s: cannot be set up: %s", device, strerror(error));
}

static void
open_here(struct opening *o)
{
	const char *device = o->config->device != NULL ? o->config->device : "";
	struct port *p = &o->tap->port;

	if (strlen(device) >= IFNAMSIZ) {
		(void)open_failed(o, EINVAL, "TAP device '%s': a name has at most %d characters", device,
		    IFNAMSIZ - 1);
		return;
	}
	p->fd = o->config->fd;
	if (p->fd <= 0 && attach_queue(o, device) != 0)
		return;
	if (look_at_queue(o) != 0 || (o->config->up && set_up(o) != 0))
		return;
	p->watch = link_watch_open(p->device);
}

/* A thread's namespace is its own: this one ends with its work. */
static void *
open_there(void *arg)
{
	struct opening *o = arg;
	const char *netns = o->config->netns;
	char path[512];
	int fd;

	snprintf(path, sizeof path, "%s%s", strchr(netns, '/') == NULL ? NETNS_FOLDER : "", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
		(void)open_failed(o, errno, "network namespace %s: %s", path, strerror(errno));
	else
		open_here(o);
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int
open_device(nke_t *m, struct nke_tap *t, const struct nke_tap_config *config)
{
	struct opening o = {.config = config, .tap = t};
	pthread_t thread;
	int error;

	if (config->netns == NULL) {
		open_here(&o);
	} else {
		error = pthread_create(&thread, NULL, open_there, &o);
		if (error != 0)
			return nke_fail(m, error, "no thread: %s", strerror(error));
		pthread_join(thread, NULL);
	}
	return o.error == 0 ? 0 : nke_fail(m, o.error, "%s", o.text);
}

int
nke_tap_open(nke_t *m, const struct nke_tap_config *config, nke_tap_t **out)
{
	static const struct tap_kind kind = {.input = tap_input, .output_pieces = tap_output,
	    .open = open_device, .link_header = LINK_HEADER};
	struct nke_iface_config iface = {.name = config->interface, .media = NKE_MEDIA_ETHERNET,
	    .mtu = config->mtu};

	memcpy(iface.lladdr, config->lladdr, sizeof iface.lladdr);
	return tap_open(m, config, &kind, &iface, out);
}
