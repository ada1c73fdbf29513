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
#include <net/if_utun.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/kern_control.h>
#include <sys/socket.h>
#include <sys/sys_domain.h>
#include <sys/uio.h>
#include <unistd.h>

#include "src/host/tap_private.h"

#define FAMILY	4u			/* bytes in front of packets */

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
	if (n < 0 && errno != EAGAIN && read_count == 0)
		return tap_read_failed(p, errno);
	return port_deliver(p, packets, count) < 0 ? -1 : (int)read_count;
}

/* ---- opening ------------------------------------------------------------------------------ */

static int
connect_utun(nke_t *m, struct port *p, const char *device)
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
open_utun(nke_t *m, struct nke_tap *t, const struct nke_tap_config *config)
{
	struct port *p = &t->port;
	int error = 0;

	t->head_len = FAMILY;
	if (config->netns != NULL)
		return nke_fail(m, EINVAL, "TAP: there are no network namespaces on this system");
	if (config->fd > 0)
		p->fd = config->fd;
	else
		error = connect_utun(m, p, config->device);
	if (error == 0 && config->up && (error = tap_set_up(p->device)) != 0)
		(void)nke_fail(m, error, "%s: cannot be set up: %s", p->device, strerror(error));
	return error;
}

int
nke_tap_open(nke_t *m, const struct nke_tap_config *config, nke_tap_t **out)
{
	static const struct tap_kind kind = {.input = utun_input, .output = utun_output, .open = open_utun};
	struct nke_iface_config iface = {.name = config->interface != NULL ? config->interface : "utun0",
	    .media = NKE_MEDIA_RAW, .mtu = config->mtu};

	return tap_open(m, config, &kind, &iface, out);
}
