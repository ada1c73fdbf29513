/*
 * The part of nke/tap.h that is the same whatever the device is: its struct begins with a port (tap.c,
 * tap_utun.c).
 */
#include "src/host/port.h"

static struct port *
port_of(const nke_tap_t *t)
{
	return (struct port *)(uintptr_t)t;
}

int
nke_tap_fd(const nke_tap_t *t)
{
	return port_of(t)->fd;
}

int
nke_tap_input(nke_tap_t *t)
{
	return port_of(t)->input(port_of(t));
}

nke_iface_t *
nke_tap_iface(const nke_tap_t *t)
{
	return port_of(t)->iface;
}

const char *
nke_tap_device(const nke_tap_t *t)
{
	return port_of(t)->device;
}

void
nke_tap_stats(const nke_tap_t *t, struct nke_live_stats *stats)
{
	port_stats(port_of(t), stats);
}

void
nke_tap_record(nke_tap_t *t, nke_recorder_t *r)
{
	__atomic_store_n(&port_of(t)->recorder, r, __ATOMIC_RELEASE);
}

int
nke_loop_add_tap(nke_loop_t *l, nke_tap_t *t)
{
	return loop_add_port(l, port_of(t));
}
