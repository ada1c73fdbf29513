/*
 * Linux TAP devices (Documentation/networking/tuntap of the kernel): nke/tap.h on top of port.c.
 *
 * With offloads (IFF_VNET_HDR) each frame has a virtio_net_hdr (virtio 1.1, 5.1.6) in front. Both sides
 * then leave checksums and the cutting of large TCP segments to the other: frames between their own sockets
 * have the pseudo header's sum in the field, are as good as verified, and have up to 64 KiB. The header costs
 * the kernel more than the sums of UDP datagrams do, so it is there on request only.
 *
 * The descriptor is not blocking. A batch is read with one call each, as the device has no call for several.
 * Large segments that leave together are written with one call, io_submit(2), which finishes them before it
 * returns: a receiver that they wake has the CPU at the end of a call at the earliest, and gets all of them
 * at once. Written one by one, on one core, it runs, acknowledges and sleeps for each.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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

/* A frame as it is written. */
struct writing {
	struct virtio_net_hdr head;
	struct iovec iov[CORE_OUTPUT_PIECES + 1];
	int count;
};

static void
lay_out(const struct nke_tap *t, const struct core_output *out, struct writing *w)
{
	w->count = 0;
	if (t->head_len != 0) {
		describe(out, &w->head);
		w->iov[w->count++] = (struct iovec){&w->head, t->head_len};
	}
	for (unsigned i = 0; i < out->count; i++)
		w->iov[w->count++] = (struct iovec){(void *)(uintptr_t)out->pieces[i].base,
		    out->pieces[i].len};
}

static int
write_one(int fd, const struct writing *w)
{
	ssize_t n;

	do
		n = w->count == 1 ? write(fd, w->iov[0].iov_base, w->iov[0].iov_len) :
		    writev(fd, w->iov, w->count);
	while (n < 0 && errno == EINTR);
	return n < 0 ? errno : 0;
}

/* In one system call. How many of them, from the first, it took: 0 where the kernel has no such call. */
static unsigned
write_together(const struct nke_tap *t, const struct writing *w, unsigned count, int *errors)
{
	struct iocb calls[CORE_OUTPUT_MOST], *list[CORE_OUTPUT_MOST];
	struct io_event done[CORE_OUTPUT_MOST];
	long taken, n;

	if (count == 1 || t->together == 0)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		calls[i] = (struct iocb){.aio_data = i, .aio_lio_opcode = IOCB_CMD_PWRITEV,
		    .aio_fildes = (uint32_t)t->port.fd, .aio_buf = (uintptr_t)w[i].iov,
		    .aio_nbytes = (uint64_t)w[i].count};
		list[i] = &calls[i];
		errors[i] = 0;
	}
	taken = syscall(SYS_io_submit, t->together, (long)count, list);
	if (taken <= 0)
		return 0;
	/* They were written right then. */
	do
		n = syscall(SYS_io_getevents, t->together, taken, taken, done, NULL);
	while (n < 0 && errno == EINTR);
	for (long i = 0; i < n; i++)
		errors[done[i].data] = done[i].res < 0 ? (int)-done[i].res : 0;
	return (unsigned)taken;
}

static void
tap_output(struct port *p, const struct core_output *out, unsigned count, int *errors)
{
	const struct nke_tap *t = TAP_OF(p);
	struct writing w[CORE_OUTPUT_MOST];
	unsigned done;

	for (unsigned i = 0; i < count; i++)
		lay_out(t, &out[i], &w[i]);
	for (done = write_together(t, w, count, errors); done < count; done++)
		errors[done] = write_one(p->fd, &w[done]);
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
			bytes += ((size_t)n + 63) & ~(size_t)63;
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
		if (t->offloads && syscall(SYS_io_setup, CORE_OUTPUT_MOST, &t->together) != 0)
			t->together = 0;
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

static void
close_device(struct nke_tap *t)
{
	if (t->together != 0)
		(void)syscall(SYS_io_destroy, t->together);
}

int
nke_tap_open(nke_t *m, const struct nke_tap_config *config, nke_tap_t **out)
{
	static const struct tap_kind kind = {.input = tap_input, .output_pieces = tap_output,
	    .open = open_device, .close = close_device, .link_header = LINK_HEADER};
	struct nke_iface_config iface = {.name = config->interface, .media = NKE_MEDIA_ETHERNET,
	    .mtu = config->mtu};

	memcpy(iface.lladdr, config->lladdr, sizeof iface.lladdr);
	return tap_open(m, config, &kind, &iface, out);
}
