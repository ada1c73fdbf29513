/* Live devices and the machine's interfaces: what TAPs and libpcap devices have in common. See port.h. */
#include "src/host/port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void
port_lladdr(const uint8_t want[6], uint8_t lladdr[6])
{
	static const uint8_t zero[6];

	memcpy(lladdr, want, 6);
	if (memcmp(want, zero, sizeof zero) != 0)
		return;
	while (getrandom(lladdr, 6, 0) != 6)
		continue;
	lladdr[0] = (uint8_t)((lladdr[0] & ~1) | 2);
}

void
port_stats(const struct port *p, struct nke_live_stats *out)
{
	const uint64_t *from = (const uint64_t *)(const void *)&p->stats;
	uint64_t *to = (uint64_t *)(void *)out;

	for (size_t i = 0; i < sizeof *out / sizeof *to; i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

/* ---- out ---------------------------------------------------------------------------------- */

/* What was left to the device is not in the capture: checksums are those of the pseudo header. */
static void
record_pieces(struct nke_recorder *r, const struct core_output *out)
{
	uint8_t *flat, *at;

	if (out->count == 1) {
		recorder_write(r, out->pieces[0].base, out->len);
		return;
	}
	flat = at = malloc(out->len);
	if (flat == NULL)
		return;
	for (unsigned i = 0; i < out->count; i++) {
		memcpy(at, out->pieces[i].base, out->pieces[i].len);
		at += out->pieces[i].len;
	}
	recorder_write(r, flat, out->len);
	free(flat);
}

/* True when it was sent. */
static bool
count_out(struct port *p, int error, size_t len)
{
	if (error != 0) {
		port_count(&p->stats.dropped_out, 1);
		return false;
	}
	port_count(&p->stats.frames_out, 1);
	port_count(&p->stats.bytes_out, len);
	return true;
}

/* On the machine's CPU, both. */
static void
send_frame(void *ctx, const void *frame, size_t len)
{
	struct port *p = ctx;
	struct nke_recorder *r = __atomic_load_n(&p->recorder, __ATOMIC_ACQUIRE);

	if (count_out(p, p->output(p, frame, len), len) && r != NULL)
		recorder_write(r, frame, len);
}

static void
send_pieces(void *ctx, const struct core_output *out, unsigned count)
{
	struct port *p = ctx;
	struct nke_recorder *r = __atomic_load_n(&p->recorder, __ATOMIC_ACQUIRE);
	int errors[CORE_OUTPUT_MOST];

	p->output_pieces(p, out, count, errors);
	for (unsigned i = 0; i < count; i++)
		if (count_out(p, errors[i], out[i].len) && r != NULL)
			record_pieces(r, &out[i]);
}

/* ---- in ----------------------------------------------------------------------------------- */

static void
record_batch(struct nke_recorder *r, const struct core_input *frames, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		recorder_write(r, frames[i].frame, frames[i].len);
}

int
port_deliver(struct port *p, const struct core_input *frames, unsigned count)
{
	struct nke_recorder *r = __atomic_load_n(&p->recorder, __ATOMIC_ACQUIRE);
	unsigned taken = 0;
	uint64_t bytes = 0;
	int error;

	if (count == 0)
		return 0;
	if (r != NULL)
		record_batch(r, frames, count);
	for (unsigned i = 0; i < count; i++)
		bytes += frames[i].len;
	port_count(&p->stats.batches, 1);
	port_count(&p->stats.frames_in, count);
	port_count(&p->stats.bytes_in, bytes);
	error = nke_core_result(p->machine, iface_input_many(p->machine->core, nke_iface_core(p->iface),
	    frames, count, &taken));
	if (taken != count)
		port_count(&p->stats.dropped_in, count - taken);
	if (error != EFAULT)
		return (int)count;
	errno = error;
	return -1;
}

/* ---- the link ----------------------------------------------------------------------------- */

int
port_check_link(struct port *p)
{
	int error;

	if (p->watch == NULL)
		return 0;
	error = nke_core_result(p->machine, iface_set_carrier(p->machine->core,
	    nke_iface_core(p->iface), link_watch_up(p->watch)));
	return error == EFAULT ? error : 0;
}

/* ---- life --------------------------------------------------------------------------------- */

int
port_attach(struct port *p, nke_t *m, const struct nke_iface_config *config)
{
	struct nke_iface_config c = *config;
	int error;

	p->machine = m;
	if (c.name == NULL)
		c.name = "en0";
	if (c.media == NKE_MEDIA_ETHERNET)
		port_lladdr(config->lladdr, c.lladdr);
	c.output = send_frame;
	c.ctx = p;
	error = nke_iface_create_device(m, &c, p->output_pieces != NULL ? send_pieces : NULL, p->offload,
	    &p->iface);
	return error != 0 ? error : port_check_link(p);
}

void
port_detach(struct port *p)
{
	loop_forget_port(p);
	if (p->iface != NULL)
		(void)nke_iface_destroy(p->iface);
	p->iface = NULL;
	link_watch_close(p->watch);
	p->watch = NULL;
}
