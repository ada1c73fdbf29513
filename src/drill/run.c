/*
 * Runs one script: makes a machine whose one interface is the script's wire, lets its clock pass from event
 * to event, does each and compares. Called by the command, one script per thread at a time.
 */
#include "src/drill/run.h"

#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <nke/kext.h>
#include <nke/sysctl.h>

#include "src/drill/engine.h"

#define FIRST_PORT	40001u		/* of remote ends that nobody named */
#define SETTLE_NS	UINT64_C(5000000000)	/* duplicate address detection and group reports are over */

static const struct drill_place nowhere;

/* ---- what the machine says and sends ------------------------------------------------------------ */

static void
hear_log(void *ctx, const struct nke_log_record *record)
{
	const struct run *r = ctx;

	if (record->kext[0] == '\0' && r->config->verbose < 2)
		return;
	fprintf(r->out, "%s: %s%s%s\n", r->script->name, record->kext, record->kext[0] != '\0' ? ": " : "",
	    record->text);
}

/* Of what a machine sends by itself, groups and neighbours are no matter of scripts. */
static bool
is_of_scripts(const struct wire *w)
{
	if (w->protocol == IPPROTO_ICMPV6)
		return w->icmp_type < 130 || w->icmp_type > 143;
	return w->protocol != IPPROTO_IGMP && w->protocol != IPPROTO_HOPOPTS;
}

static void
hear_packet(void *ctx, const void *bytes, size_t len)
{
	struct run *r = ctx;
	int64_t us = now_us(r);
	struct wire *w = wire_new(bytes, len, us);

	if (w == NULL || !is_of_scripts(w)) {
		free(w);
		return;
	}
	capture_packet(r, bytes, len, us);
	*r->sent_end = w;
	r->sent_end = &w->next;
}

static void
forget_packets(struct run *r)
{
	struct wire *w;

	while ((w = r->sent) != NULL) {
		r->sent = w->next;
		free(w);
	}
	r->sent_end = &r->sent;
}

/* ---- the machine -------------------------------------------------------------------------------- */

static int
complain(struct run *r, enum drill_outcome outcome, const char *what)
{
	if (r->machine != NULL && nke_panicked(r->machine))
		return fail(r, DRILL_PANICKED, nowhere, "the machine has panicked\n%s",
		    nke_panic_report(r->machine));
	return fail(r, outcome, nowhere, "%s: %s", what, r->machine != NULL ? nke_error_text(r->machine) :
	    "no memory");
}

static socklen_t
sockaddr_len(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static void
octets_of(const struct sockaddr_storage *a, uint8_t octets[16])
{
	if (a->ss_family == AF_INET)
		memcpy(octets, &((const struct sockaddr_in *)a)->sin_addr, 4);
	else
		memcpy(octets, &((const struct sockaddr_in6 *)a)->sin6_addr, 16);
}

static int
make_interface(struct run *r)
{
	const struct drill_addresses *a = &r->addresses;
	const struct nke_iface_config config = {.name = "en0", .media = NKE_MEDIA_RAW,
	    .mtu = r->config->mtu, .output = hear_packet, .ctx = r};

	if (nke_iface_create(r->machine, &config, &r->iface) != 0)
		return complain(r, DRILL_BROKEN, "the interface");
	if (nke_iface_add_address(r->iface, (const struct sockaddr *)&a->local, sockaddr_len(&a->local),
	    a->prefix_len) != 0)
		return complain(r, DRILL_BROKEN, "the local address");
	if (nke_iface_set_gateway(r->iface, (const struct sockaddr *)&a->gateway,
	    sockaddr_len(&a->gateway)) != 0)
		return complain(r, DRILL_BROKEN, "the gateway");
	octets_of(&a->local, r->local);
	octets_of(&a->remote, r->remote);
	return 0;
}

static int
make_machine(struct run *r)
{
	const struct nke_config config = {.name = "drill", .seed = r->config->seed,
	    .checked = r->config->check, .log = hear_log, .log_ctx = r};

	if (nke_create(&config, &r->machine) != 0)
		return complain(r, DRILL_BROKEN, "the machine");
	/* First the interface: filters attach to it as they start. */
	if (make_interface(r) != 0)
		return -1;
	for (unsigned i = 0; i < r->config->kext_count; i++)
		if (nke_kext_load(r->machine, r->config->kexts[i], NULL) != 0)
			return complain(r, DRILL_KEXT, r->config->kexts[i]);
	if (nke_run_for(r->machine, r->addresses.v6 ? SETTLE_NS : 0) != 0 ||
	    nke_hold_clock(r->machine, true) != 0)
		return complain(r, DRILL_BROKEN, "the machine");
	forget_packets(r);
	r->start_ns = nke_uptime(r->machine);
	return 0;
}

static int
unload_kexts(struct run *r)
{
	nke_kext_t *k, *last = NULL;

	if (r->config->kext_count == 0)
		return 0;
	(void)nke_hold_clock(r->machine, false);
	for (;;) {
		for (k = nke_kext_first(r->machine); k != NULL; k = nke_kext_next(k))
			last = k;
		if (last == NULL)
			return 0;
		if (nke_kext_unload(r->machine, last, NULL) != 0)
			return complain(r, DRILL_KEXT, "unloading");
		last = NULL;
	}
}

/* ---- events ------------------------------------------------------------------------------------- */

static int
run_code(struct run *r)
{
	struct drill_error error = {0};
	enum drill_code_result result;

	if (r->code == NULL)
		r->code = drill_code_new(info_lookup, r, r->out);
	if (r->code == NULL)
		return fail(r, DRILL_BROKEN, r->event->place, "no memory");
	info_forget(r);
	result = drill_code_run(r->code, r->event->text, r->event->text_place, &error);
	if (result == DRILL_CODE_OK)
		return 0;
	if (result == DRILL_CODE_REFUSED && r->config->shell)
		return python_run(r, r->event->text, r->event->text_place);
	return fail(r, result == DRILL_CODE_FAILED ? DRILL_FAILED : DRILL_BROKEN, error.place, "%s",
	    error.text);
}

static void
tell_event(struct run *r)
{
	size_t len;
	const char *line;

	if (r->config->verbose == 0)
		return;
	line = drill_script_line(r->script, r->event->place.line, &len);
	if (line != NULL)
		tell(r, 1, "%u: %.*s", r->event->place.line, (int)len, line);
}

static int
do_event(struct run *r)
{
	const struct drill_event *e = r->event;

	switch (e->kind) {
	case DRILL_PACKET:
		return e->packet->direction == DRILL_IN ? packet_in(r, e->packet) : packet_out(r, e->packet);
	case DRILL_SYSCALL:
		return run_call(r, e->call);
	case DRILL_COMMAND:
		return run_command(r, e->text, e->text_place);
	case DRILL_CODE:
		break;
	}
	return run_code(r);
}

/* Lets time pass until it is to happen. Packets out are waited for when they are compared. */
static int
await_event(struct run *r)
{
	const struct drill_event *e = r->event;
	int64_t late;

	set_event_time(r);
	if (e->kind == DRILL_PACKET && e->packet->direction == DRILL_OUT)
		return 0;
	if (run_to(r, r->event_us) != 0)
		return -1;
	late = now_us(r) - r->event_us;
	if (late <= tolerance(r, r->event_us - r->last_us))
		return 0;
	return fail(r, DRILL_FAILED, e->place, "this is to happen at %lld.%06lld, but it is %lld.%06lld",
	    (long long)(r->event_us / 1000000), (long long)(r->event_us % 1000000),
	    (long long)(now_us(r) / 1000000), (long long)(now_us(r) % 1000000));
}

/* --non_fatal: a failure is told, and the script goes on. */
static bool
goes_on(struct run *r)
{
	unsigned kind = r->event->kind == DRILL_PACKET ? DRILL_NON_FATAL_PACKET :
	    r->event->kind == DRILL_SYSCALL ? DRILL_NON_FATAL_SYSCALL : 0;

	if (r->result->outcome != DRILL_FAILED || !(r->config->non_fatal & kind))
		return false;
	if (r->result->text != NULL)
		fputs(r->result->text, r->out);
	free(r->result->text);
	r->result->text = NULL;
	r->result->outcome = DRILL_PASSED;
	r->result->line = 0;
	r->failed = false;
	return true;
}

static void
run_events(struct run *r)
{
	for (size_t i = 0; i < r->script->event_count; i++) {
		r->event = &r->script->events[i];
		tell_event(r);
		if ((await_event(r) != 0 || do_event(r) != 0) && !goes_on(r))
			return;
		r->result->events++;
		errqueue_look(r);
		chrono_look(r);
		r->last_us = now_us(r);
		r->last_was_in = r->event->kind == DRILL_PACKET && r->event->packet->direction == DRILL_IN;
		r->last_in_us = r->event_us;
	}
	(void)call_finish(r);
}

/* ---- the whole ---------------------------------------------------------------------------------- */

/* What was sent and not expected: by -v, or with --strict_end an error. */
static void
look_at_rest(struct run *r)
{
	char *text = NULL;
	size_t size;
	FILE *f;

	if (r->sent == NULL || r->failed || r->event == NULL ||
	    (r->config->verbose == 0 && !r->config->strict_end))
		return;
	f = open_memstream(&text, &size);
	if (f == NULL)
		return;
	for (const struct wire *w = r->sent; w != NULL; w = w->next) {
		fprintf(f, "\n  seen:     %lld.%06lld  ", (long long)(w->us / 1000000),
		    (long long)(w->us % 1000000));
		print_wire_packet(f, NULL, w, false);
	}
	fclose(f);
	if (r->config->strict_end)
		(void)fail(r, DRILL_FAILED, r->event->place, "the script does not expect this, and ends%s",
		    text);
	else
		tell(r, 1, "not expected:%s", text);
	free(text);
}

/* --init_scripts=a.sh,b.sh */
static int
run_init_scripts(struct run *r)
{
	const char *p = r->config->init_scripts;
	char path[PATH_MAX];

	while (p != NULL && *p != '\0') {
		size_t n = strcspn(p, ",");

		snprintf(path, sizeof path, "%.*s", (int)n, p);
		if (n > 0 && run_command_file(r, path, nowhere) != 0)
			return -1;
		p += n + (p[n] == ',');
	}
	return 0;
}

static void
run_script(struct run *r)
{
	if (capture_open(r) != 0 || make_machine(r) != 0 || dialect_apply(r) != 0)
		return;
	if (run_init_scripts(r) != 0)
		return;
	chrono_begin(r);
	run_events(r);
	look_at_rest(r);
	r->result->virtual_us = (uint64_t)now_us(r);
}

enum drill_outcome
drill_run(const struct drill_script *script, const struct drill_config *config, FILE *out,
    struct drill_result *result)
{
	struct run *r = calloc(1, sizeof *r);
	struct drill_error error = {0};

	*result = (struct drill_result){.outcome = DRILL_PASSED};
	if (r == NULL)
		return result->outcome = DRILL_BROKEN;
	r->script = script;
	r->config = config;
	r->out = out;
	r->result = result;
	r->sent_end = &r->sent;
	r->next_port = FIRST_PORT;
	if (drill_config_addresses(config, &r->addresses, &error) != 0)
		(void)fail_error(r, &error);
	else if (!config->dry_run)
		run_script(r);
	caller_end(r);
	if (r->machine != NULL && !nke_panicked(r->machine) && result->outcome != DRILL_KEXT)
		(void)unload_kexts(r);
	capture_close(r);
	nke_destroy(r->machine);
	r->machine = NULL;
	forget_packets(r);
	flows_free(r);
	errqueues_free(r);
	chronos_free(r);
	info_forget(r);
	drill_code_free(r->code);
	free(r);
	return result->outcome;
}
