/* Flows that were re-enacted (nke replay --sockets): what each delivered, against what the capture holds. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "src/cmd/cmd.h"
#include "src/cmd/report.h"

#define LINES_MAX	40u		/* flows on a terminal; the JSON has all */
#define HOLES_MAX	1024u		/* of a flow in the JSON */

typedef unsigned long long ull;

static const char *const state_names[] = {
	[NKE_FLOW_OPEN] = "open", [NKE_FLOW_CLOSED] = "closed", [NKE_FLOW_RESET_LOCAL] = "reset by the host",
	[NKE_FLOW_RESET_REMOTE] = "reset by the peer", [NKE_FLOW_REFUSED] = "refused",
	[NKE_FLOW_UNANSWERED] = "unanswered", [NKE_FLOW_FILTERED] = "refused by a filter",
	[NKE_FLOW_FAILED] = "not re-enacted",
};

static const char *const state_keys[] = {
	[NKE_FLOW_OPEN] = "open", [NKE_FLOW_CLOSED] = "closed", [NKE_FLOW_RESET_LOCAL] = "reset_local",
	[NKE_FLOW_RESET_REMOTE] = "reset_remote", [NKE_FLOW_REFUSED] = "refused",
	[NKE_FLOW_UNANSWERED] = "unanswered", [NKE_FLOW_FILTERED] = "filtered",
	[NKE_FLOW_FAILED] = "failed",
};

/* "10.1.0.2:80", "[fd00::2]:80" */
static void
format_end(const struct sockaddr_storage *ss, char *text, size_t size)
{
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)ss;
	const struct sockaddr_in *sin = (const struct sockaddr_in *)ss;
	char a[INET6_ADDRSTRLEN] = "";

	if (ss->ss_family == AF_INET) {
		inet_ntop(AF_INET, &sin->sin_addr, a, sizeof a);
		snprintf(text, size, "%s:%u", a, ntohs(sin->sin_port));
	} else {
		inet_ntop(AF_INET6, &sin6->sin6_addr, a, sizeof a);
		snprintf(text, size, "[%s]:%u", a, ntohs(sin6->sin6_port));
	}
}

static bool
as_captured(const struct nke_replay_direction *d)
{
	return d->differences == 0 && d->delivered == d->captured && d->zeros == 0 &&
	    d->datagrams == d->datagrams_delivered;
}

/* Nothing to tell about it but that it was. */
static bool
unremarkable(const struct nke_replay_flow *f)
{
	return as_captured(&f->out) && as_captured(&f->in) && f->state == f->captured_state &&
	    !f->begun_before;
}

static void
print_direction(FILE *out, const char *name, const struct nke_replay_direction *d)
{
	if (d->delivered == d->captured)
		fprintf(out, "%s %llu", name, (ull)d->captured);
	else
		fprintf(out, "%s %llu of %llu", name, (ull)d->delivered, (ull)d->captured);
	if (d->differences != 0)
		fprintf(out, " (%llu differ, the first at %llu)", (ull)d->differences,
		    (ull)d->first_difference);
	if (d->zeros != 0)
		fprintf(out, " (%llu not in the capture)", (ull)d->zeros);
}

static void
print_flow(FILE *out, const struct nke_replay_flow *f)
{
	char local[64], remote[64], ends[140];

	format_end(&f->local, local, sizeof local);
	format_end(&f->remote, remote, sizeof remote);
	snprintf(ends, sizeof ends, "%s %s %s", local, f->server ? "<" : ">", remote);
	fprintf(out, "  %s %-44s ", f->tcp ? "tcp" : "udp", ends);
	print_direction(out, "out", &f->out);
	print_direction(out, ", in", &f->in);
	if (f->tcp || f->state != NKE_FLOW_OPEN)
		fprintf(out, ", %s", state_names[f->state]);
	if (f->state == NKE_FLOW_FAILED || f->state == NKE_FLOW_FILTERED)
		fprintf(out, " (%s)", strerror(f->error));
	else if (f->state != f->captured_state)
		fprintf(out, " (captured: %s)", state_names[f->captured_state]);
	if (f->begun_before)
		fprintf(out, ", begun before the capture");
	fprintf(out, "\n");
}

void
report_print_flows(FILE *out, const struct report *r)
{
	struct nke_replay_sockets s;
	struct nke_replay_flow f;
	size_t lines = 0, all;

	nke_replay_sockets_statistics(r->replay, &s);
	all = nke_replay_flows(r->replay);
	fprintf(out, "flows: %llu TCP, %llu UDP; %llu not delivered as captured, %llu not re-enacted\n",
	    (ull)s.tcp, (ull)s.udp, (ull)s.differing, (ull)s.failed);
	fprintf(out, "packets: %llu put in, %llu sent by the machine; %llu captured ones are of no flow, "
	    "%llu of datagrams that are not whole\n", (ull)s.injected, (ull)s.sent, (ull)s.other,
	    (ull)s.broken);
	if (s.within != 0)
		fprintf(out, "what the host tells itself is not played: %llu packets\n", (ull)s.within);
	if (all == 0 && s.within == 0 && r->stats.frames != 0)
		fprintf(out, "no flow is the host's: --host names another; IP is looked for behind the "
		    "link's header and VLAN tags only\n");
	for (size_t i = 0; i < all && lines < LINES_MAX; i++) {
		(void)nke_replay_flow_get(r->replay, i, &f);
		/* When there are too many, those that are as captured can be done without. */
		if (all > LINES_MAX && unremarkable(&f))
			continue;
		print_flow(out, &f);
		lines++;
	}
	if (lines < all)
		fprintf(out, "  ... and %zu more; --json has all of them\n", all - lines);
}

/* ---- JSON ------------------------------------------------------------------------------------- */

static json_t *
number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *
holes_json(nke_replay_t *r, size_t i, bool out)
{
	static struct nke_replay_hole holes[HOLES_MAX];
	size_t n = nke_replay_flow_holes(r, i, holes, HOLES_MAX);
	json_t *list = json_array();

	for (size_t h = 0; h < n && h < HOLES_MAX; h++)
		if (holes[h].out == out)
			json_array_append_new(list, json_pack("{s:o, s:o}", "offset",
			    number(holes[h].offset), "length", number(holes[h].length)));
	return list;
}

static json_t *
direction_json(nke_replay_t *r, size_t i, const struct nke_replay_flow *f, bool out)
{
	const struct nke_replay_direction *d = out ? &f->out : &f->in;
	json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "captured", number(d->captured),
	    "delivered", number(d->delivered), "differences", number(d->differences),
	    "first_difference", d->differences != 0 ? number(d->first_difference) : json_null(),
	    "unchecked", number(d->unchecked), "zeros", number(d->zeros));

	if (f->tcp) {
		json_object_set_new(o, "holes", holes_json(r, i, out));
	} else {
		json_object_set_new(o, "datagrams", number(d->datagrams));
		json_object_set_new(o, "datagrams_delivered", number(d->datagrams_delivered));
	}
	return o;
}

static json_t *
flow_json(nke_replay_t *r, size_t i)
{
	char local[64], remote[64];
	struct nke_replay_flow f;

	(void)nke_replay_flow_get(r, i, &f);
	format_end(&f.local, local, sizeof local);
	format_end(&f.remote, remote, sizeof remote);
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:o}",
	    "protocol", f.tcp ? "tcp" : "udp", "local", local, "remote", remote,
	    "role", f.server ? "server" : "client", "begun_before", f.begun_before,
	    "start_ns", number(f.start_ns), "frames", number(f.frames),
	    "out", direction_json(r, i, &f, true), "in", direction_json(r, i, &f, false),
	    "retransmitted", number(f.retransmitted), "captured_state", state_keys[f.captured_state],
	    "state", state_keys[f.state],
	    "error", f.error != 0 ? cmd_json_text(strerror(f.error)) : json_null());
}

json_t *
report_flows_json(const struct report *r)
{
	struct nke_replay_sockets s;
	json_t *list = json_array();

	for (size_t i = 0; i < nke_replay_flows(r->replay); i++)
		json_array_append_new(list, flow_json(r->replay, i));
	nke_replay_sockets_statistics(r->replay, &s);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "tcp", number(s.tcp),
	    "udp", number(s.udp), "differing", number(s.differing), "failed", number(s.failed),
	    "other", number(s.other), "within", number(s.within), "broken", number(s.broken),
	    "injected", number(s.injected), "sent", number(s.sent), "flows", list);
}
