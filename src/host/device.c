/*
 * Devices of the host by libpcap: nke/device.h on top of port.c. libpcap gives its descriptor to wait on, and
 * frames in immediate mode; what the machine sends is injected, and libpcap is asked not to show that again.
 */
#include <errno.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "src/host/port.h"

#define SNAPLEN		65535
#define LINK_HEADER	18u		/* with a VLAN tag */
#define BUFFER_BYTES	(4 << 20)	/* of the kernel */

struct nke_device {
	struct port port;
	pcap_t *pcap;
	size_t slot;
	uint8_t *buffers;
	uint8_t lladdr[6];		/* the machine's */
};

#define DEVICE_OF(p)	((struct nke_device *)(void *)(p))	/* the port comes first */
_Static_assert(offsetof(struct nke_device, port) == 0, "DEVICE_OF");

/* ---- frames ------------------------------------------------------------------------------- */

static int
device_output(struct port *p, const void *frame, size_t len)
{
	const struct nke_device *d = DEVICE_OF(p);

	return pcap_inject(d->pcap, frame, len) == (int)len ? 0 : EIO;
}

/* libpcap's data are valid until it reads again, so they are copied. */
static int
device_input(struct port *p)
{
	struct nke_device *d = DEVICE_OF(p);
	struct core_input frames[PORT_BATCH];
	unsigned count = 0, seen = 0;
	struct pcap_pkthdr *h;
	const u_char *data;
	int rc = 0;

	while (seen < PORT_BATCH && (rc = pcap_next_ex(d->pcap, &h, &data)) == 1) {
		uint8_t *bytes = d->buffers + count * d->slot;

		seen++;
		/* Our own, where libpcap cannot leave them out. */
		if (h->caplen >= 12 && memcmp(data + 6, d->lladdr, sizeof d->lladdr) == 0)
			continue;
		if (h->caplen != h->len || h->caplen > d->slot) {
			port_count(&p->stats.dropped_in, 1);
			continue;
		}
		memcpy(bytes, data, h->caplen);
		frames[count++] = (struct core_input){.frame = bytes, .len = h->caplen};
	}
	if (rc < 0 && seen == 0) {
		nke_fail(p->machine, ENODEV, "%s: cannot be read any more: %s", p->device,
		    pcap_geterr(d->pcap));
		errno = ENODEV;
		return -1;
	}
	return port_deliver(p, frames, count) < 0 ? -1 : (int)seen;
}

/* ---- opening ------------------------------------------------------------------------------ */

static int
error_of(int pcap_error)
{
	switch (pcap_error) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return ENODEV;
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return EPERM;
	case PCAP_ERROR_IFACE_NOT_UP:
		return ENETDOWN;
	default:
		return EIO;
	}
}

static int
activate(nke_t *m, struct nke_device *d, const struct nke_device_config *c)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	int rc;

	d->pcap = pcap_create(c->device, text);
	if (d->pcap == NULL)
		return nke_fail(m, EIO, "%s: %s", c->device, text);
	if (pcap_set_snaplen(d->pcap, SNAPLEN) != 0 || pcap_set_promisc(d->pcap, !c->not_promiscuous) != 0 ||
	    pcap_set_immediate_mode(d->pcap, 1) != 0 || pcap_set_buffer_size(d->pcap, BUFFER_BYTES) != 0)
		return nke_fail(m, EIO, "%s: %s", c->device, pcap_geterr(d->pcap));
	rc = pcap_activate(d->pcap);
	/* libpcap has more to say, nothing, or the same again. */
	if (rc < 0)
		return nke_fail(m, error_of(rc), "%s: %s", c->device, pcap_geterr(d->pcap)[0] != '\0' ?
		    pcap_geterr(d->pcap) : pcap_statustostr(rc));
	if (pcap_datalink(d->pcap) != DLT_EN10MB)
		return nke_fail(m, EPROTONOSUPPORT, "%s: its link type is %s; expected Ethernet", c->device,
		    pcap_datalink_val_to_name(pcap_datalink(d->pcap)));
	if (pcap_setnonblock(d->pcap, 1, text) != 0)
		return nke_fail(m, EIO, "%s: %s", c->device, text);
	d->port.fd = pcap_get_selectable_fd(d->pcap);
	if (d->port.fd < 0)
		return nke_fail(m, EIO, "%s: has no descriptor to wait on", c->device);
	return 0;
}

int
nke_device_open(nke_t *m, const struct nke_device_config *config, nke_device_t **out)
{
	struct nke_iface_config iface = {.name = config->interface, .media = NKE_MEDIA_ETHERNET,
	    .mtu = config->mtu};
	struct nke_device *d;
	int error;

	*out = NULL;
	if (config->device == NULL || config->device[0] == '\0' || strlen(config->device) >= IFNAMSIZ)
		return nke_fail(m, EINVAL, "device: expected the name of one, like eth0");
	if (!nke_real_time(m))
		return nke_fail(m, EINVAL, "%s: the machine must be one in real time (NKE_TIME_REAL)",
		    config->device);
	d = calloc(1, sizeof *d);
	if (d == NULL)
		return nke_fail(m, ENOMEM, "%s: no memory", config->device);
	memcpy(d->port.device, config->device, strlen(config->device) + 1);
	d->port.input = device_input;
	d->port.output = device_output;
	error = activate(m, d, config);
	if (error == 0) {
		d->slot = (config->mtu != 0 ? config->mtu : 1500) + LINK_HEADER;
		d->buffers = malloc(PORT_BATCH * d->slot);
		error = d->buffers != NULL ? 0 : nke_fail(m, ENOMEM, "%s: no memory", config->device);
	}
	if (error == 0) {
		port_lladdr(config->lladdr, d->lladdr);
		memcpy(iface.lladdr, d->lladdr, sizeof iface.lladdr);
		d->port.watch = link_watch_open(config->device);
		error = port_attach(&d->port, m, &iface);
	}
	if (error != 0) {
		nke_device_close(d);
		return error;
	}
	*out = d;
	return 0;
}

void
nke_device_close(nke_device_t *d)
{
	if (d == NULL)
		return;
	port_detach(&d->port);
	if (d->pcap != NULL)
		pcap_close(d->pcap);
	free(d->buffers);
	free(d);
}

int
nke_device_fd(const nke_device_t *d)
{
	return d->port.fd;
}

int
nke_device_input(nke_device_t *d)
{
	return d->port.input(&d->port);
}

nke_iface_t *
nke_device_iface(const nke_device_t *d)
{
	return d->port.iface;
}

const char *
nke_device_name(const nke_device_t *d)
{
	return d->port.device;
}

void
nke_device_stats(const nke_device_t *d, struct nke_live_stats *stats)
{
	port_stats(&d->port, stats);
}

void
nke_device_record(nke_device_t *d, nke_recorder_t *r)
{
	__atomic_store_n(&d->port.recorder, r, __ATOMIC_RELEASE);
}

int
nke_loop_add_device(nke_loop_t *l, nke_device_t *d)
{
	return loop_add_port(l, &d->port);
}
