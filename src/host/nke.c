/*
 * Machines, as nke/nke.h offers them: a thin layer over corecalls.h that translates errors and keeps
 * the long message of the last one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nke/stats.h>

#include "src/host/darwin.h"
#include "src/host/machine.h"
#include "src/host/ready.h"

int
nke_fail(nke_t *m, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->error_text, sizeof m->error_text, fmt, ap);
	va_end(ap);
	return error;
}

int
nke_core_result(nke_t *m, int darwin_error)
{
	int error = darwin_errno_to_host(darwin_error);

	if (error == EFAULT)
		nke_fail(m, error, "%s", machine_panic_report(m->core));
	return error;
}

int
nke_core_errno(nke_t *m, int darwin_error)
{
	if (darwin_error == 0)
		return 0;
	errno = nke_core_result(m, darwin_error);
	return -1;
}

/* ---- life --------------------------------------------------------------------------------- */

static void
pass_log(void *ctx, const struct core_log_record *r)
{
	const nke_t *m = ctx;
	struct nke_log_record out = {
		.uptime_ns = r->uptime_ns, .calendar_ns = r->calendar_ns, .level = r->level,
		.kext = r->kext, .text = r->text,
	};

	m->log(m->log_ctx, &out);
}

static void
fill_config(nke_t *m, const struct nke_config *c, struct core_config *out)
{
	*out = (struct core_config){
		.time = c->time == NKE_TIME_REAL ? CORE_TIME_REAL : CORE_TIME_VIRTUAL,
		.calendar_start_ns = c->calendar_start_ns, .seed = c->seed,
		.sched_random = c->sched_random, .checked = c->checked,
		.mbuf_limit_bytes = c->mbuf_limit_bytes, .heap_limit_bytes = c->heap_limit_bytes,
		.fail_alloc = c->fail_alloc,
	};
	memcpy(out->name, m->name, sizeof out->name);
	if (c->log != NULL) {
		m->log = c->log;
		m->log_ctx = c->log_ctx;
		out->log = pass_log;
		out->log_ctx = m;
	}
}

static bool
valid_time(enum nke_time time)
{
	return time == NKE_TIME_VIRTUAL || time == NKE_TIME_REAL;
}

int
nke_world_create(const struct nke_config *config, nke_world_t **out)
{
	static const struct nke_config all_zero;
	const struct nke_config *c = config != NULL ? config : &all_zero;
	struct core_config core = {
		.time = c->time == NKE_TIME_REAL ? CORE_TIME_REAL : CORE_TIME_VIRTUAL,
		.calendar_start_ns = c->calendar_start_ns, .seed = c->seed,
		.sched_random = c->sched_random,
	};
	nke_world_t *w;
	int error;

	*out = NULL;
	if (!valid_time(c->time))
		return EINVAL;
	w = calloc(1, sizeof *w);
	if (w == NULL)
		return ENOMEM;
	error = darwin_errno_to_host(world_create(&core, &w->core));
	if (error != 0) {
		free(w);
		return error;
	}
	w->real_time = c->time == NKE_TIME_REAL;
	*out = w;
	return 0;
}

void
nke_world_destroy(nke_world_t *w)
{
	if (w == NULL)
		return;
	world_destroy(w->core);
	free(w);
}

int
nke_create(const struct nke_config *config, nke_t **out)
{
	static const struct nke_config all_zero;
	const struct nke_config *c = config != NULL ? config : &all_zero;
	const char *name = c->name != NULL && c->name[0] != '\0' ? c->name : "nke0";
	struct core_config core;
	nke_t *m;
	int error;

	*out = NULL;
	_Static_assert(sizeof m->name == sizeof core.name, "names of machines have one limit");
	if (strlen(name) >= sizeof m->name || !valid_time(c->time))
		return EINVAL;
	m = calloc(1, sizeof *m);
	if (m == NULL)
		return ENOMEM;
	TAILQ_INIT(&m->kexts);
	TAILQ_INIT(&m->stuck);
	TAILQ_INIT(&m->ifaces);
	snprintf(m->name, sizeof m->name, "%s", name);
	m->real_time = c->world != NULL ? c->world->real_time : c->time == NKE_TIME_REAL;
	fill_config(m, c, &core);
	error = darwin_errno_to_host(machine_create(&core, c->world != NULL ? c->world->core : NULL,
	    &m->core));
	if (error != 0) {
		free(m);
		return error;
	}
	*out = m;
	return 0;
}

void
nke_destroy(nke_t *m)
{
	if (m == NULL)
		return;
	machine_destroy(m->core);
	m->core = NULL;
	nke_kexts_forget(m);
	nke_ifaces_forget(m);
	nke_ready_forget(m);
	free(m->trace);
	free(m);
}

const char *
nke_name(const nke_t *m)
{
	return m->name;
}

const char *
nke_error_text(const nke_t *m)
{
	return m->error_text;
}

/* ---- inside and the clock ----------------------------------------------------------------- */

int
nke_call(nke_t *m, void (*fn)(void *arg), void *arg)
{
	return nke_core_result(m, machine_call(m->core, fn, arg));
}

int
nke_run_until(nke_t *m, uint64_t until_ns)
{
	return nke_core_result(m, machine_run_until(m->core, until_ns));
}

int
nke_run_for(nke_t *m, uint64_t ns)
{
	uint64_t now = machine_uptime(m->core);

	return nke_run_until(m, ns > UINT64_MAX - now ? UINT64_MAX : now + ns);
}

int
nke_hold_clock(nke_t *m, bool hold)
{
	return nke_core_result(m, machine_hold_clock(m->core, hold));
}

unsigned
nke_waiting(const nke_t *m)
{
	return machine_waiting(m->core);
}

uint64_t
nke_uptime(const nke_t *m)
{
	return machine_uptime(m->core);
}

uint64_t
nke_next_event(const nke_t *m)
{
	return machine_next_event(m->core);
}

/* ---- state -------------------------------------------------------------------------------- */

bool
nke_panicked(const nke_t *m)
{
	return machine_panicked(m->core);
}

const char *
nke_panic_report(const nke_t *m)
{
	return machine_panic_report(m->core);
}

void
nke_stats_memory(const nke_t *m, struct nke_memory *out)
{
	struct core_memory c;

	machine_memory(m->core, &c);
	*out = (struct nke_memory){
		.allocations = c.allocations, .heap_bytes = c.heap_bytes, .heap_blocks = c.heap_blocks,
		.heap_peak_bytes = c.heap_peak_bytes, .mbufs = c.mbufs, .clusters = c.clusters,
		.mbuf_bytes = c.mbuf_bytes, .mbuf_peak_bytes = c.mbuf_peak_bytes,
		.mbuf_denied = c.mbuf_denied,
	};
}

const char *
nke_version(void)
{
	return NKE_VERSION;
}
