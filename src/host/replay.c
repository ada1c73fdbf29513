/*
 * The host's half of a replay: opens the capture, finds the host that took it, makes the machines, and
 * moves frames from the file through dlil/replay.c and back into a file.
 */
#include "src/host/replay_impl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/host/darwin.h"
#include "src/host/machine.h"
#include "src/host/reenact.h"

#define AHEAD_FRAMES	2048u		/* looked at to find the host */
#define AHEAD_PIPE	128u		/* of a pipe: whoever writes it may be slow */
#define AHEAD_BYTES	(4u << 20)

int
replay_failed(struct nke_replay *r, int error, const char *fmt, ...)
{
	va_list ap;

	if (r->error_code != 0)
		return r->error_code;
	va_start(ap, fmt);
	vsnprintf(r->error, sizeof r->error, fmt, ap);
	va_end(ap);
	return r->error_code = error;
}

struct nke *
replay_core(const struct nke_replay *r, unsigned i)
{
	return r->machines[i]->core;
}

/* ---- looking ahead ------------------------------------------------------------------------ */

static int
look_ahead(struct nke_replay *r)
{
	size_t most = capture_bytes_total(r->reader) != 0 ? AHEAD_FRAMES : AHEAD_PIPE;
	size_t used = 0;
	struct core_frame f;

	r->ahead = calloc(most, sizeof *r->ahead);
	r->ahead_data = malloc(AHEAD_BYTES + (1u << 20));
	if (r->ahead == NULL || r->ahead_data == NULL)
		return ENOMEM;
	while (r->ahead_count < most && used < AHEAD_BYTES && capture_next(r->reader, &f)) {
		if (f.caplen > (1u << 20)) {
			/* libpcap's own limit is lower; a reader that allows more gets what fits. */
			f.caplen = 1u << 20;
		}
		memcpy(r->ahead_data + used, f.data, f.caplen);
		f.data = r->ahead_data + used;
		used += f.caplen;
		r->ahead[r->ahead_count++] = f;
	}
	return 0;
}

bool
replay_next_frame(struct nke_replay *r, struct core_frame *f)
{
	if (r->ahead_next < r->ahead_count)
		*f = r->ahead[r->ahead_next++];
	else if (!capture_next(r->reader, f))
		return false;
	if (f->time_ns > r->last_time)
		r->last_time = f->time_ns;
	return true;
}

static bool
next_frame(void *ctx, struct core_frame *f)
{
	return replay_next_frame(ctx, f);
}

static void
write_frames(void *ctx, const struct core_frame *f, size_t count)
{
	struct nke_replay *r = ctx;

	if (r->writer != NULL)
		capture_write(r->writer, f, count);
}

/* ---- opening ------------------------------------------------------------------------------ */

static int
find_host(struct nke_replay *r, char *text, size_t size)
{
	enum core_link link = capture_link(r->reader);

	if (r->config.host == NULL) {
		r->learn = true;
		guess_host(link, r->ahead, r->ahead_count, &r->host);
		return 0;
	}
	if (!parse_host(r->config.host, &r->host, text, size))
		return EINVAL;
	r->learn = r->host.address_count == 0;
	if (r->learn && link != CORE_LINK_ETHERNET) {
		snprintf(text, size, "--host: frames of this capture (%s) have no link addresses of the "
		    "host; expected IP addresses", capture_link_name(r->reader));
		return EINVAL;
	}
	complete_host(link, r->ahead, r->ahead_count, &r->host);
	return 0;
}

static int
add_addresses(struct nke_replay *r, struct nke *core)
{
	for (unsigned i = 0; i < r->host.address_count; i++) {
		const struct host_address *a = &r->host.addresses[i];
		bool v4 = a->family == AF_INET;
		int error = replay_add_address(core, darwin_family_from_host(a->family), a->addr,
		    v4 ? 24 : 64);

		if (error != 0 && darwin_errno_to_host(error) != EEXIST)
			return darwin_errno_to_host(error);
	}
	return 0;
}

static int
make_machine(struct nke_replay *r, unsigned i, char *text, size_t size)
{
	struct nke_config config = r->config.machine;
	struct core_replay_config rc;
	char name[32];
	int error;

	snprintf(name, sizeof name, "nke%u", i);
	config.name = name;
	config.time = NKE_TIME_VIRTUAL;
	config.calendar_start_ns = r->ahead_count > 0 ? r->ahead[0].time_ns : 0;
	config.seed += i;
	error = nke_create(&config, &r->machines[i]);
	if (error != 0) {
		snprintf(text, size, "machine %u could not be made: %s", i, strerror(error));
		return error;
	}
	if (r->config.sockets)
		return reenact_open(r, text, size);
	memset(&rc, 0, sizeof rc);
	rc.link = capture_link(r->reader);
	snprintf(rc.interface, sizeof rc.interface, "%s",
	    r->config.interface != NULL ? r->config.interface : "en0");
	rc.has_lladdr = r->host.has_lladdr;
	memcpy(rc.lladdr, r->host.lladdr, 6);
	rc.learn_addresses = r->learn;
	rc.next = next_frame;
	rc.sink = r->config.output != NULL ? write_frames : NULL;
	rc.ctx = r;
	error = darwin_errno_to_host(replay_start(r->machines[i]->core, &rc));
	if (error == 0)
		error = add_addresses(r, r->machines[i]->core);
	if (error != 0)
		snprintf(text, size, "interface '%s' could not be made: %s", rc.interface, strerror(error));
	return error;
}

/* Letters and a unit number without zeros in front, but not the one that every machine has. */
static bool
is_interface_name(const char *name)
{
	size_t letters = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
	const char *unit = name + letters;
	size_t digits = strspn(unit, "0123456789");

	return letters > 0 && digits > 0 && unit[digits] == '\0' && letters + digits < 16 &&
	    (digits == 1 || unit[0] != '0') && digits < 6 && atoi(unit) <= INT16_MAX &&
	    strcmp(name, "lo0") != 0;
}

int
nke_replay_open(const struct nke_replay_config *config, nke_replay_t **out, char *text, size_t size)
{
	nke_replay_t *r = calloc(1, sizeof *r);
	int error = 0;

	*out = NULL;
	if (size > 0)
		text[0] = '\0';
	if (r == NULL)
		return ENOMEM;
	r->config = *config;
	r->count = config->jobs != 0 ? config->jobs : 1;
	if (config->interface != NULL && !is_interface_name(config->interface)) {
		snprintf(text, size, "interface name '%.60s': expected letters and a number, like en0, 15 "
		    "characters at most; lo0 is there already", config->interface);
		error = EINVAL;
		goto out;
	}
	r->reader = capture_open(config->input, &error, text, size);
	if (r->reader == NULL)
		goto out;
	if ((error = look_ahead(r)) != 0 || (error = find_host(r, text, size)) != 0)
		goto out;
	r->machines = calloc(r->count, sizeof(nke_t *));
	if (r->machines == NULL) {
		error = ENOMEM;
		goto out;
	}
	for (unsigned i = 0; i < r->count; i++)
		if ((error = make_machine(r, i, text, size)) != 0)
			goto out;
	if (config->output != NULL)
		r->writer = capture_create(config->output, r->reader, &error, text, size);
out:
	if (error != 0) {
		if (error == ENOMEM && size > 0 && text[0] == '\0')
			snprintf(text, size, "%s: out of memory", config->input);
		nke_replay_close(r);
		return error;
	}
	*out = r;
	return 0;
}

nke_t *
nke_replay_machine(nke_replay_t *r, unsigned i)
{
	return i < r->count ? r->machines[i] : NULL;
}

unsigned
nke_replay_machines(const nke_replay_t *r)
{
	return r->count;
}

/* ---- running ------------------------------------------------------------------------------ */

static void
report_progress(struct nke_replay *r)
{
	if (r->config.progress != NULL)
		r->config.progress(r->config.progress_ctx, capture_bytes_read(r->reader),
		    capture_bytes_total(r->reader));
}

static int
run_single(struct nke_replay *r)
{
	struct nke *core = replay_core(r, 0);
	bool more = true;
	int error = 0;

	while (more && error == 0) {
		error = replay_run(core, REPLAY_CHUNK, &more);
		report_progress(r);
	}
	if (error == 0)
		error = replay_advance(core, r->last_time + REPLAY_LINGER_NS);
	replay_finish(core);
	if (error != 0)
		return replay_failed(r, EFAULT, "%s", machine_panic_report(core));
	return 0;
}

int
nke_replay_run(nke_replay_t *r)
{
	int error;

	if (r->ran)
		return EALREADY;
	r->ran = true;
	error = r->reenact != NULL ? reenact_run(r) :
	    r->count == 1 ? run_single(r) : replay_run_parallel(r);
	if (error == 0 && capture_error(r->reader)[0] != '\0')
		replay_failed(r, EILSEQ, "%s", capture_error(r->reader));
	return r->error_code != 0 ? r->error_code : error;
}

const char *
nke_replay_error(const nke_replay_t *r)
{
	return r->error;
}

int
nke_replay_finish_output(nke_replay_t *r)
{
	char text[1024] = "";
	int error;

	if (r->writer == NULL)
		return 0;
	error = capture_finish(r->writer, text, sizeof text);
	r->writer = NULL;
	return error != 0 ? replay_failed(r, error, "%s", text), error : 0;
}

/* ---- telling ------------------------------------------------------------------------------ */

void
nke_replay_statistics(const nke_replay_t *r, struct nke_replay_stats *out)
{
	memset(out, 0, sizeof *out);
	if (r->reenact != NULL)
		reenact_statistics(r, out);
	out->left_out = capture_left_out(r->reader);
	if (r->reenact != NULL)
		return;
	for (unsigned i = 0; i < r->count; i++) {
		struct core_replay_stats s;

		if (r->stopped_at != NULL)
			s = r->stopped_at[i];
		else
			replay_stats(replay_core(r, i), &s);
		out->frames += s.frames;
		out->bytes += s.bytes;
		out->frames_in += s.frames_in;
		out->frames_out += s.frames_out;
		out->snapped += s.snapped;
		out->kept += s.kept;
		out->changed += s.changed;
		out->swallowed += s.swallowed;
		out->dropped += s.dropped;
		out->refused += s.refused;
		out->unclaimed += s.unclaimed;
		out->no_memory += s.no_memory;
		out->injected += s.injected;
		out->written += s.written;
		out->written_bytes += s.written_bytes;
	}
}

static void
note_address(void *ctx, int family, const void *addr, unsigned bits)
{
	(void)bits;
	add_address(ctx, darwin_family_to_host(family), addr);
}

const char *
nke_replay_host(nke_replay_t *r)
{
	struct host_identity h = {.has_lladdr = r->host.has_lladdr};

	memcpy(h.lladdr, r->host.lladdr, 6);
	if (r->reenact != NULL)
		h = *reenact_host(r);
	for (unsigned i = 0; i < r->count && r->reenact == NULL; i++)
		replay_addresses(replay_core(r, i), note_address, &h);
	format_host(h.address_count != 0 ? &h : &r->host, r->host_text, sizeof r->host_text);
	return r->host_text;
}

const char *
nke_replay_link(const nke_replay_t *r)
{
	return capture_link_name(r->reader);
}

void
nke_replay_close(nke_replay_t *r)
{
	if (r == NULL)
		return;
	nke_replay_finish_output(r);
	reenact_close(r);
	for (unsigned i = 0; r->machines != NULL && i < r->count; i++)
		nke_destroy(r->machines[i]);
	free(r->machines);
	capture_close(r->reader);
	free(r->ahead);
	free(r->ahead_data);
	free(r->stopped_at);
	free(r);
}
