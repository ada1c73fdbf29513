/*
 * The functions of nke/tap.h on macOS: a utun, its kernel's own tunnel interface (net/if_utun.h there). It
 * has IP packets without a link header, so the machine's interface is NKE_MEDIA_RAW, and in front of each
 * the protocol family in 4 bytes, network order. Compiled on macOS only, where tap.c is not.
 *
 * A device's name is "utunN", or NULL for the next that is free; there are no network namespaces and no
 * offloads.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/if_utun.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/kern_control.h>
#include <sys/socket.h>
#include <sys/sys_domain.h>
#include <sys/uio.h>
#include <unistd.h>

#include "src/host/port.h"

#define FAMILY	4u			/* bytes in front of packets */

struct nke_tap {
	struct port port;
	size_t slot;			/* bytes of the buffer for a packet: one more than the longest */
	uint8_t *buffers;		/* PORT_BATCH of them */
};

#define TAP_OF(p)	((struct nke_tap *)(void *)(p))	/* the port comes first */
_Static_assert(offsetof(struct nke_tap, port) == 0, "TAP_OF");

/* ---- packets ------------------------------------------------------------------------------ */

static int
utun_output(struct port *p, const void *packet, size_t len)
{
	uint32_t family = htonl(len != 0 && *(const uint8_t *)packet >> 4 == 6 ? AF_INET6 : AF_INET);
	struct iovec iov[2] = {{&family, FAMILY}, {(void *)(uintptr_t)packet, len}};
	ssize_t n;

	do
		n = writev(p->fd, iov, 2);
	while (n < 0 && errno == EINTR);
	return n < 0 ? errno : 0;
}

static int
utun_input(struct port *p)
{
	struct nke_tap *t = TAP_OF(p);
	struct core_input packets[PORT_BATCH];
	unsigned count = 0, read_count = 0;
	uint8_t *bytes = t->buffers;
	ssize_t n = 0;

	while (read_count < PORT_BATCH) {
		n = read(p->fd, bytes, t->slot);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		read_count++;
		if ((size_t)n <= FAMILY || (size_t)n >= t->slot) {
			port_count(&p->stats.dropped_in, 1);
			continue;
		}
		packets[count++] = (struct core_input){.frame = bytes + FAMILY,
		    .len = (uint32_t)((size_t)n - FAMILY)};
		bytes += t->slot;
	}
	if (n < 0 && errno != EAGAIN && read_count == 0) {
		int error = errno;

		nke_fail(p->machine, error, "%s: cannot be read any more: %s", p->device, strerror(error));
		errno = error;
		return -1;
	}
	return port_deliver(p, packets, count) < 0 ? -1 : (int)read_count;
}

/* ---- opening ------------------------------------------------------------------------------ */

static int
open_utun(nke_t *m, struct port *p, const char *device)
{
	struct ctl_info info = {.ctl_id = 0};
	struct sockaddr_ctl address = {.sc_len = sizeof address, .sc_family = AF_SYSTEM,
	    .ss_sysaddr = AF_SYS_CONTROL};
	socklen_t len = sizeof p->device;
	unsigned unit = 0;
	char rest;

	if (device != NULL) {
		if (sscanf(device, "utun%u%c", &unit, &rest) != 1)
			return nke_fail(m, EINVAL, "TAP device '%s': expected utun and a number", device);
		address.sc_unit = unit + 1;
	}
	p->fd = socket(PF_SYSTEM, SOCK_DGRAM, SYSPROTO_CONTROL);
	snprintf(info.ctl_name, sizeof info.ctl_name, "%s", UTUN_CONTROL_NAME);
	if (p->fd < 0 || ioctl(p->fd, CTLIOCGINFO, &info) != 0)
		return nke_fail(m, errno, "utun: %s", strerror(errno));
	address.sc_id = info.ctl_id;
	if (connect(p->fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	    getsockopt(p->fd, SYSPROTO_CONTROL, UTUN_OPT_IFNAME, p->device, &len) != 0 ||
	    fcntl(p->fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(p->fd, F_SETFD, FD_CLOEXEC) != 0)
		return nke_fail(m, errno, "%s: %s", device != NULL ? device : "utun", strerror(errno));
	return 0;
}

static int
set_up(nke_t *m, const char *device)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0), error = 0;
	struct ifreq ifr;

	memset(&ifr, 0, sizeof ifr);
	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", device);
	if (s < 0 || ioctl(s, SIOCGIFFLAGS, &ifr) != 0) {
		error = errno;
	} else {
		ifr.ifr_flags |= IFF_UP;
		if (ioctl(s, SIOCSIFFLAGS, &ifr) != 0)
			error = errno;
	}
	if (s >= 0)
		close(s);
	return error == 0 ? 0 : nke_fail(m, error, "%s: cannot be set up: %s", device, strerror(error));
}

int
nke_tap_open(nke_t *m, const struct nke_tap_config *config, nke_tap_t **out)
{
	struct nke_iface_config iface = {.name = config->interface != NULL ? config->interface : "utun0",
	    .media = NKE_MEDIA_RAW, .mtu = config->mtu};
	struct nke_tap *t;
	int error;

	*out = NULL;
	if (!nke_real_time(m))
		return nke_fail(m, EINVAL, "TAP: the machine must be one in real time (NKE_TIME_REAL)");
	if (config->netns != NULL)
		return nke_fail(m, EINVAL, "TAP: there are no network namespaces on this system");
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return nke_fail(m, ENOMEM, "TAP: no memory");
	t->port.fd = config->fd > 0 ? config->fd : -1;
	t->port.input = utun_input;
	t->port.output = utun_output;
	error = config->fd > 0 ? 0 : open_utun(m, &t->port, config->device);
	if (error == 0 && config->up)
		error = set_up(m, t->port.device);
	if (error == 0) {
		t->slot = (config->mtu != 0 ? config->mtu : 1500) + FAMILY + 1;
		t->buffers = malloc(PORT_BATCH * t->slot);
		error = t->buffers != NULL ? 0 : nke_fail(m, ENOMEM, "%s: no memory", t->port.device);
	}
	if (error == 0)
		error = port_attach(&t->port, m, &iface);
	if (error != 0) {
		if (t->port.fd == config->fd)
			t->port.fd = -1;	/* still the caller's */
		nke_tap_close(t);
		return error;
	}
	*out = t;
	return 0;
}

void
nke_tap_close(nke_tap_t *t)
{
	if (t == NULL)
		return;
	port_detach(&t->port);
	if (t->port.fd >= 0)
		close(t->port.fd);
	free(t->buffers);
	free(t);
}

bool
nke_tap_offloads(const nke_tap_t *t)
{
	(void)t;
	return false;
}
