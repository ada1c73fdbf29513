/* Summaries of a replay: a few lines on the terminal, everything as JSON. */
#include "src/cmd/report.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "src/cmd/cmd.h"

/* By enum nke_filter_kind. */
static const char *const kind_names[] = {"interface", "IPv4", "IPv6", "socket"};
static const char *const kind_keys[] = {"interface", "ipv4", "ipv6", "socket"};

#define COUNTERS	128		/* more than IPv4 or IPv6 has */

typedef unsigned long long ull;

static void
print_filter(FILE *f, const struct nke_filter_stats *s)
{
	char where[40];

	snprintf(where, sizeof where, "%s%s%s", kind_names[s->kind], s->interface[0] != '\0' ? " " : "",
	    s->interface);
	fprintf(f, "  %-14s %-28.28s %10llu %10llu %10llu %10llu %10llu %8.0f\n", where,
	    s->name[0] != '\0' ? s->name : s->kext, (ull)s->passed, (ull)s->changed, (ull)s->swallowed,
	    (ull)s->dropped, (ull)s->injected, s->ns_per_call);
}

static void
print_fates(FILE *f, const struct nke_replay_stats *s)
{
	fprintf(f, "packets: %llu kept, %llu changed, %llu swallowed, %llu dropped, %llu new", (ull)s->kept,
	    (ull)s->changed, (ull)s->swallowed, (ull)s->dropped, (ull)s->injected);
	if (s->no_memory != 0)
		fprintf(f, ", %llu lost for want of memory", (ull)s->no_memory);
	fprintf(f, "\n");
	if (s->refused + s->unclaimed + s->snapped != 0)
		fprintf(f, "of the captured: %llu malformed or not for the host, %llu of no IP protocol, "
		    "%llu captured short\n", (ull)s->refused, (ull)s->unclaimed, (ull)s->snapped);
}

void
report_print(FILE *f, const struct report *r)
{
	const struct nke_replay_stats *s = &r->stats;

	fprintf(f, "%s: %s, %llu packets (%llu to the host, %llu from it)\n", r->input, r->link,
	    (ull)s->frames, (ull)s->frames_in, (ull)s->frames_out);
	if (s->left_out != 0)
		fprintf(f, "left out: %llu packets of interfaces with other link types\n", (ull)s->left_out);
	fprintf(f, "host: %s%s\n", r->host[0] != '\0' ? r->host : "unknown",
	    !r->host_found ? "" : r->host[0] != '\0' ? " (found from the capture; --host sets it)" :
	    " (--host sets it)");
	if (r->filter_count > 0)
		fprintf(f, "  %-14s %-28s %10s %10s %10s %10s %10s %8s\n", "filter", "", "passed", "changed",
		    "swallowed", "dropped", "injected", "ns/call");
	for (size_t i = 0; i < r->filter_count; i++)
		print_filter(f, &r->filters[i]);
	report_print_kexts(f, r);
	if (r->sockets)
		report_print_flows(f, r);
	else
		print_fates(f, s);
	if (r->output != NULL)
		fprintf(f, "%s: %llu packets\n", r->output, (ull)s->written);
	if (r->seconds > 0)
		fprintf(f, "%.3f s, %.2f million packets a second\n", r->seconds,
		    (double)s->frames / r->seconds / 1e6);
}

static json_t *
number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *
filter_json(const struct nke_filter_stats *s)
{
	return json_pack("{s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f}",
	    "kext", cmd_json_text(s->kext), "name", cmd_json_text(s->name),
	    "kind", kind_keys[s->kind], "interface", s->interface,
	    "seen_in", number(s->seen_in), "seen_out", number(s->seen_out),
	    "passed", number(s->passed), "changed", number(s->changed),
	    "swallowed", number(s->swallowed), "dropped", number(s->dropped),
	    "injected", number(s->injected), "calls", number(s->calls),
	    "ns_per_call", s->ns_per_call);
}

static json_t *
packets_json(const struct nke_replay_stats *s)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "read", number(s->frames), "bytes", number(s->bytes), "in", number(s->frames_in),
	    "out", number(s->frames_out), "snapped", number(s->snapped), "kept", number(s->kept),
	    "changed", number(s->changed), "swallowed", number(s->swallowed),
	    "dropped", number(s->dropped), "refused", number(s->refused),
	    "unclaimed", number(s->unclaimed), "no_memory", number(s->no_memory),
	    "injected", number(s->injected), "written", number(s->written),
	    "written_bytes", number(s->written_bytes), "left_out", number(s->left_out));
}

/* The sum over all machines: each has the same counters in the same order. */
static json_t *
counters_json(nke_replay_t *r, int version)
{
	struct nke_counter here[COUNTERS] = {{0}}, sum[COUNTERS] = {{0}};
	json_t *all = json_object();
	size_t n = 0;

	for (unsigned i = 0; i < nke_replay_machines(r); i++) {
		n = nke_stats_protocol(nke_replay_machine(r, i), version == 6 ? "ip6" : "ip",
		    i == 0 ? sum : here, COUNTERS);
		n = n < COUNTERS ? n : COUNTERS;
		for (size_t k = 0; i > 0 && k < n; k++)
			sum[k].value += here[k].value;
	}
	for (size_t i = 0; i < n; i++)
		json_object_set_new(all, sum[i].name, number(sum[i].value));
	return all;
}

int
report_write_json(const char *path, const struct report *r)
{
	json_t *filters = json_array(), *root;
	FILE *f;
	int error = 0;

	for (size_t i = 0; i < r->filter_count; i++)
		json_array_append_new(filters, filter_json(&r->filters[i]));
	root = json_pack("{s:o, s:o, s:s, s:s, s:b, s:i, s:f, s:o, s:o, s:{s:o, s:o, s:o}, s:o, s:i}",
	    "input", cmd_json_text(r->input), "output", cmd_json_text(r->output), "link", r->link,
	    "host", r->host, "host_found", r->host_found, "jobs", (int)r->jobs, "seconds", r->seconds,
	    "packets", packets_json(&r->stats), "filters", filters,
	    "memory", "mbuf_peak_bytes", number(r->memory.mbuf_peak_bytes),
	    "heap_peak_bytes", number(r->memory.heap_peak_bytes),
	    "mbuf_denied", number(r->memory.mbuf_denied), "error", cmd_json_text(r->error),
	    "exit", r->exit_code);
	if (r->sockets)
		json_object_set_new(root, "sockets", report_flows_json(r));
	json_object_set_new(root, "kexts", report_kexts_json(r));
	json_object_set_new(root, "ip", counters_json(r->replay, 4));
	json_object_set_new(root, "ip6", counters_json(r->replay, 6));
	errno = 0;
	f = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
	if (f == NULL || root == NULL || json_dumpf(root, f, JSON_INDENT(2)) != 0 || putc('\n', f) == EOF ||
	    fflush(f) != 0)
		error = errno != 0 ? errno : root == NULL ? ENOMEM : EIO;
	/* Standard output is main's to complain about. */
	if (error != 0 && f != stdout)
		fprintf(stderr, "nke: %s: %s\n", path, strerror(error));
	if (f != NULL && f != stdout)
		fclose(f);
	json_decref(root);
	return error;
}
