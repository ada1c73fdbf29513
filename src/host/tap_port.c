/*
 * The part of nke/tap.h that is the same whatever the device is; tap.c and tap_utun.c open, read and write
 * one.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/host/tap_private.h"

#ifndef SOCK_CLOEXEC
#define SOCK_CLOEXEC	0		/* macOS has none */
#endif

#define LARGE_MAX	65535u		/* a large segment with its headers */

/* ---- opening ------------------------------------------------------------------------------ */

static int
make_buffers(nke_t *m, struct nke_tap *t, unsigned mtu, size_t link_header)
{
	t->slot = (t->offloads ? LARGE_MAX : mtu != 0 ? mtu : 1500) + link_header + t->head_len + 1;
	t->slot = (t->slot + 63) & ~(size_t)63;
	t->buffers = malloc(PORT_BATCH * t->slot);
	return t->buffers != NULL ? 0 : nke_fail(m, ENOMEM, "%s: no memory", t->port.device);
}

int
tap_open(nke_t *m, const struct nke_tap_config *config, const struct tap_kind *kind,
    const struct nke_iface_config *iface, nke_tap_t **out)
{
	struct nke_tap *t;
	int error;

	*out = NULL;
	if (!nke_real_time(m))
		return nke_fail(m, EINVAL, "TAP: the machine must be one in real time (NKE_TIME_REAL)");
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return nke_fail(m, ENOMEM, "TAP: no memory");
	t->port.fd = -1;
	t->kind = kind;
	t->port.input = kind->input;
	t->port.output = kind->output;
	t->port.output_pieces = kind->output_pieces;
	error = kind->open(m, t, config);
	if (error == 0)
		error = make_buffers(m, t, config->mtu, kind->link_header);
	if (error == 0)
		error = port_attach(&t->port, m, iface);
	if (error != 0) {
		if (t->port.fd == config->fd)
			t->port.fd = -1;	/* still the caller's */
		nke_tap_close(t);
		return error;
	}
	*out = t;
	return 0;
}

int
tap_set_up(const char *device)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;
	struct ifreq ifr;

	memset(&ifr, 0, sizeof ifr);
	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%.*s", IFNAMSIZ - 1, device);
	if (s < 0 || ioctl(s, SIOCGIFFLAGS, &ifr) != 0) {
		error = errno;
	} else {
		ifr.ifr_flags |= IFF_UP;
		if (ioctl(s, SIOCSIFFLAGS, &ifr) != 0)
			error = errno;
	}
	if (s >= 0)
		close(s);
	return error;
}

void
nke_tap_close(nke_tap_t *t)
{
	if (t == NULL)
		return;
	port_detach(&t->port);
	if (t->kind->close != NULL)
		t->kind->close(t);
	if (t->port.fd >= 0)
		close(t->port.fd);
	free(t->buffers);
	free(t);
}

/* ---- frames ------------------------------------------------------------------------------- */

int
tap_read_failed(struct port *p, int error)
{
	nke_fail(p->machine, error, "%s: cannot be read any more: %s", p->device, strerror(error));
	errno = error;
	return -1;
}

/* ---- what it is --------------------------------------------------------------------------- */

int
nke_tap_fd(const nke_tap_t *t)
{
	return t->port.fd;
}

int
nke_tap_input(nke_tap_t *t)
{
	return t->port.input(&t->port);
}

nke_iface_t *
nke_tap_iface(const nke_tap_t *t)
{
	return t->port.iface;
}

const char *
nke_tap_device(const nke_tap_t *t)
{
	return t->port.device;
}

void
nke_tap_stats(const nke_tap_t *t, struct nke_live_stats *stats)
{
	port_stats(&t->port, stats);
}

void
nke_tap_record(nke_tap_t *t, nke_recorder_t *r)
{
	__atomic_store_n(&t->port.recorder, r, __ATOMIC_RELEASE);
}

int
nke_loop_add_tap(nke_loop_t *l, nke_tap_t *t)
{
	return loop_add_port(l, &t->port);
}

bool
nke_tap_offloads(const nke_tap_t *t)
{
	return t->offloads;
}
