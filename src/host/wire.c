/* Wires and switches, as nke/wire.h offers them, on top of dlil/wire.c; captures by libpcap. */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nke/wire.h>

#include "src/host/darwin.h"
#include "src/host/machine.h"
#include "src/kern/wirecalls.h"

#define SNAPLEN	262144

struct tap {
	struct tap *next;
	struct ifnet *at;		/* NULL: all ends. Compared only: the interface may have gone */
	pcap_t *pcap;
	pcap_dumper_t *dumper;
};

struct nke_wire {
	struct wire *core;
	char error_text[512];
	enum nke_media media;
	bool plugged;			/* an end was, and says the media of all */
	struct tap *taps;
};

/* What went wrong, for nke_wire_error_text(). */
__attribute__((format(printf, 3, 4))) static int
tell(nke_wire_t *w, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->error_text, sizeof w->error_text, fmt, ap);
	va_end(ap);
	return error;
}

const char *
nke_wire_error_text(const nke_wire_t *w)
{
	return w->error_text;
}

/* ---- settings ----------------------------------------------------------------------------- */

static int
to_billionths(nke_wire_t *w, const char *what, double chance, uint32_t *out)
{
	if (!(chance >= 0 && chance <= 1))
		return tell(w, EINVAL, "wire: %s is %g, expected a chance from 0 to 1", what, chance);
	*out = (uint32_t)(chance * CORE_WIRE_BILLION + 0.5);
	return 0;
}

static int
to_params(nke_wire_t *w, const struct nke_wire_config *c, struct core_wire_params *p)
{
	static const struct nke_wire_config ideal;
	int error;

	if (c == NULL)
		c = &ideal;
	*p = (struct core_wire_params){
		.rate_bps = c->rate_bps, .delay_ns = c->delay_ns, .jitter_ns = c->jitter_ns,
		.queue_frames = c->queue_frames, .queue = (enum core_queue)c->queue,
		.reorder_ns = c->reorder_ns, .mtu = c->mtu, .down = c->down,
		.offload = c->offload,
	};
	if (c->queue != NKE_QUEUE_TAIL && c->queue != NKE_QUEUE_HEAD && c->queue != NKE_QUEUE_CODEL)
		return tell(w, EINVAL, "wire: there is no queue discipline %d", (int)c->queue);
	if ((error = to_billionths(w, "loss", c->loss, &p->loss)) != 0 ||
	    (error = to_billionths(w, "burst_begin", c->burst_begin, &p->burst_begin)) != 0 ||
	    (error = to_billionths(w, "burst_end", c->burst_end, &p->burst_end)) != 0 ||
	    (error = to_billionths(w, "burst_loss", c->burst_loss, &p->burst_loss)) != 0 ||
	    (error = to_billionths(w, "duplicate", c->duplicate, &p->duplicate)) != 0 ||
	    (error = to_billionths(w, "corrupt", c->corrupt, &p->corrupt)) != 0 ||
	    (error = to_billionths(w, "reorder", c->reorder, &p->reorder)) != 0)
		return error;
	return 0;
}

/* ---- life --------------------------------------------------------------------------------- */

static int
create(nke_t *m, bool is_switch, const struct nke_wire_config *config, uint64_t seed, nke_wire_t **out)
{
	struct core_wire_params params;
	nke_wire_t *w;
	int error;

	*out = NULL;
	w = calloc(1, sizeof *w);
	if (w == NULL)
		return nke_fail(m, ENOMEM, "wire: no memory");
	error = to_params(w, config, &params);
	if (error == 0) {
		error = darwin_errno_to_host(wire_create(machine_world(m->core), is_switch, seed, &params,
		    &w->core));
		if (error != 0)
			tell(w, error, "wire: no memory");
	}
	if (error != 0) {
		nke_fail(m, error, "%s", w->error_text);
		free(w);
		return error;
	}
	*out = w;
	return 0;
}

int
nke_wire_create(nke_t *m, const struct nke_wire_config *config, uint64_t seed, nke_wire_t **w)
{
	return create(m, false, config, seed, w);
}

int
nke_switch_create(nke_t *m, const struct nke_wire_config *config, uint64_t seed, nke_wire_t **w)
{
	return create(m, true, config, seed, w);
}

static void
free_tap(struct tap *t)
{
	pcap_dump_close(t->dumper);
	pcap_close(t->pcap);
	free(t);
}

void
nke_wire_destroy(nke_wire_t *w)
{
	if (w == NULL)
		return;
	wire_destroy(w->core);
	for (struct tap *t = w->taps, *next; t != NULL; t = next) {
		next = t->next;
		free_tap(t);
	}
	free(w);
}

/* ---- ends --------------------------------------------------------------------------------- */

/* What plugging or capturing at an interface came to: told by its machine, too. */
static int
outcome(nke_wire_t *w, nke_iface_t *i, int error)
{
	nke_t *m = nke_iface_machine(i);

	if (error == EFAULT)
		tell(w, error, "%s: its machine has panicked", nke_iface_name(i));
	if (error != 0)
		nke_fail(m, error, "%s", w->error_text);
	return error;
}

int
nke_wire_plug(nke_wire_t *w, nke_iface_t *i)
{
	const char *name = nke_iface_name(i);
	int error;

	if (w->plugged && nke_iface_media(i) != w->media)
		return outcome(w, i, tell(w, EINVAL, "%s: the wire's other ends have another kind of link "
		    "header", name));
	error = darwin_errno_to_host(wire_plug(w->core, nke_iface_machine(i)->core, nke_iface_core(i)));
	if (error != 0) {
		tell(w, error, "%s: not plugged in: %s", name,
		    error == EBUSY ? "the wire has two ends already" :
		    error == EEXIST ? "it is plugged in already" :
		    error == EINVAL ? "its machine is of another world (nke_config.world)" :
		    strerror(error));
		return outcome(w, i, error);
	}
	w->media = nke_iface_media(i);
	w->plugged = true;
	return 0;
}

int
nke_wire_configure(nke_wire_t *w, nke_iface_t *to, const struct nke_wire_config *config)
{
	struct core_wire_params params;
	int error = to_params(w, config, &params);

	if (error != 0)
		return error;
	error = darwin_errno_to_host(wire_configure(w->core, to != NULL ? nke_iface_core(to) : NULL,
	    &params));
	if (error != 0)
		tell(w, error, "wire: %s", error == ENOENT ? "the interface is not plugged in here" :
		    error == EFAULT ? "a machine at an end has panicked" : strerror(error));
	return error;
}

int
nke_wire_read_stats(const nke_wire_t *w, const nke_iface_t *to, struct nke_wire_stats *out)
{
	struct core_wire_stats c;
	int error = darwin_errno_to_host(wire_stats(w->core, nke_iface_core(to), &c));

	if (error != 0)
		return error;
	*out = (struct nke_wire_stats){
		.frames = c.frames, .bytes = c.bytes, .delivered = c.delivered,
		.queue_dropped = c.queue_dropped, .lost = c.lost, .too_long = c.too_long,
		.no_carrier = c.no_carrier, .no_memory = c.no_memory, .duplicated = c.duplicated,
		.corrupted = c.corrupted, .reordered = c.reordered,
	};
	return 0;
}

/* ---- captures ----------------------------------------------------------------------------- */

static void
write_frame(void *ctx, uint64_t calendar_ns, const void *frame, size_t len)
{
	const struct tap *t = ctx;
	struct pcap_pkthdr header = {
		.ts = {.tv_sec = (time_t)(calendar_ns / 1000000000),
		    .tv_usec = (suseconds_t)(calendar_ns % 1000000000)},
		.caplen = (bpf_u_int32)len, .len = (bpf_u_int32)len,
	};

	pcap_dump((u_char *)t->dumper, &header, frame);
}

static int
open_tap(nke_wire_t *w, struct tap *t, const char *path)
{
	int error;

	t->pcap = pcap_open_dead_with_tstamp_precision(w->media == NKE_MEDIA_RAW ? DLT_RAW : DLT_EN10MB,
	    SNAPLEN, PCAP_TSTAMP_PRECISION_NANO);
	if (t->pcap == NULL)
		return tell(w, ENOMEM, "%s: no memory", path);
	errno = 0;
	t->dumper = pcap_dump_open(t->pcap, path);
	if (t->dumper != NULL)
		return 0;
	error = tell(w, errno != 0 ? errno : EIO, "%s", pcap_geterr(t->pcap));
	pcap_close(t->pcap);
	return error;
}

int
nke_wire_capture(nke_wire_t *w, nke_iface_t *at, const char *path)
{
	struct ifnet *ifp = at != NULL ? nke_iface_core(at) : NULL;
	struct tap *t;
	int error;

	if (!w->plugged)
		return tell(w, EINVAL, "%s: nothing is plugged in yet that says what link header frames "
		    "have", path);
	for (t = w->taps; t != NULL; t = t->next)
		if (t->at == ifp)
			return tell(w, EBUSY, "%s: this end of the wire is being captured already", path);
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return tell(w, ENOMEM, "%s: no memory", path);
	t->at = ifp;
	error = open_tap(w, t, path);
	if (error != 0) {
		free(t);
		return error;
	}
	error = darwin_errno_to_host(wire_set_tap(w->core, ifp, write_frame, t));
	if (error != 0) {
		tell(w, error, "%s: %s", path, error == ENOENT ? "the interface is not plugged in here" :
		    "a machine at an end has panicked");
		free_tap(t);
		return error;
	}
	t->next = w->taps;
	w->taps = t;
	return 0;
}

int
nke_wire_capture_end(nke_wire_t *w)
{
	int error = 0;

	for (struct tap *t = w->taps, *next; t != NULL; t = next) {
		next = t->next;
		/* Fails only when the interface or its machine has gone: then nothing taps any more. */
		(void)wire_set_tap(w->core, t->at, NULL, NULL);
		if (pcap_dump_flush(t->dumper) != 0)
			error = EIO;
		free_tap(t);
	}
	w->taps = NULL;
	return error;
}
