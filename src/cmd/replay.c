/* nke replay: plays a capture through a machine with kexts. */
#include <errno.h>
#include <getopt.h>
#include <nke/kext.h>
#include <nke/replay.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/cmd/cmd.h"
#include "src/cmd/report.h"

#define MAX_KEXTS	64
#define BAR_WIDTH	40

static const char help[] =
"usage: nke replay [options] CAPTURE\n"
"\n"
"Plays a capture from the viewpoint of the host that took it. Interface and IP filters of the given\n"
"kexts see its packets as on a Mac: those to the host on their way in, those from it on their way out.\n"
"CAPTURE is a pcap or pcapng file, or - for standard input.\n"
"\n"
"  --kext PATH        load this kext first; may be given several times, loaded in that order\n"
"  --host ADDR,...    addresses of the host that took the capture (10.1.0.2, fd00::2,\n"
"                     02:00:00:00:00:01); found from the capture when absent, and printed\n"
"  --interface NAME   what the interface is called (en0)\n"
"  --sockets          re-enact the flows: the host's end of each is a socket of the machine, the other\n"
"                     end is played from the capture (a file, not a pipe); reports what was delivered,\n"
"                     and -w has what crossed the wire\n"
"  -w OUT             write what survives, in order; - for standard output\n"
"  --json FILE        write everything that was counted; - for standard output\n"
"  -j N               spread the flows over N machines, each with its own copy of the kexts\n"
"  --memory MIB       limit of each machine's packet memory (64)\n"
"  --seed N           seed of the machines' random numbers (1)\n"
"  --sched random:N   hand the CPU over at calls and lock operations, by seed N, so that locks which\n"
"                     kexts lack show up\n"
"  --check            checked mode: owners of packets, poisoned free memory, full backtraces;\n"
"                     memory that a kext forgets to free is an error\n"
"  --quiet            no progress and no summary; kexts still log\n"
"  --help             this text\n"
"\n"
"Kexts' log lines go to standard error with the machine's time in seconds.\n"
"Exit status: 0 done, 1 usage, 2 bad input or output, 3 a kext would not load or unload, 4 a panic.\n";

struct options {
	const char *kexts[MAX_KEXTS];
	unsigned kext_count;
	const char *input, *output, *host, *interface, *json;
	unsigned jobs;
	unsigned long memory_mib;
	unsigned long long seed;
	bool check, quiet, sched_random, sockets;
};

/* ---- what is said meanwhile ----------------------------------------------------------------- */

struct screen {
	bool bar;			/* standard error is a terminal and nobody wants quiet */
	bool drawn;
	struct timespec last;
};

static void
clear_bar(struct screen *s)
{
	if (s->drawn)
		fprintf(stderr, "\r\033[K");
	s->drawn = false;
}

struct log_context {
	struct screen *screen;
	unsigned machine;
};

static void
print_log(void *ctx, const struct nke_log_record *r)
{
	struct screen *s = ctx;

	flockfile(stderr);
	clear_bar(s);
	fprintf(stderr, "%12.6f %s: %s\n", (double)r->uptime_ns / 1e9,
	    r->kext[0] != '\0' ? r->kext : "kernel", r->text);
	funlockfile(stderr);
}

static void
print_progress(void *ctx, uint64_t bytes, uint64_t total)
{
	struct screen *s = ctx;
	struct timespec now;
	int filled;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((now.tv_sec - s->last.tv_sec) * 1000 + (now.tv_nsec - s->last.tv_nsec) / 1000000 < 100)
		return;
	s->last = now;
	flockfile(stderr);
	if (total != 0) {
		filled = bytes < total ? (int)(bytes * BAR_WIDTH / total) : BAR_WIDTH;
		fprintf(stderr, "\r[%.*s%*s] %3u%%", filled, "########################################",
		    BAR_WIDTH - filled, "", bytes < total ? (unsigned)(bytes * 100 / total) : 100);
	} else {
		fprintf(stderr, "\r%.1f MB", (double)bytes / 1e6);
	}
	fflush(stderr);
	s->drawn = true;
	funlockfile(stderr);
}

/* ---- the job ------------------------------------------------------------------------------ */

static void
note_error(struct report *report, const char *text)
{
	size_t n = strlen(text);

	while (n > 0 && text[n - 1] == '\n')
		n--;
	snprintf(report->error, sizeof report->error, "%.*s", (int)n, text);
}

/* An error of one or more lines; the first one goes into the report. */
static void
complain(struct report *report, const char *text)
{
	if (report->error[0] == '\0')
		note_error(report, text);
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		if (n != 0)
			fprintf(stderr, "nke: %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

static int
load_kexts(nke_replay_t *r, const struct options *o, struct report *report)
{
	for (unsigned i = 0; i < nke_replay_machines(r); i++) {
		nke_t *m = nke_replay_machine(r, i);

		for (unsigned k = 0; k < o->kext_count; k++) {
			int error = nke_kext_load(m, o->kexts[k], NULL);

			if (error == 0)
				continue;
			complain(report, nke_error_text(m));
			return error == EFAULT ? CMD_PANIC : CMD_KEXT;
		}
	}
	return CMD_OK;
}

/* Last loaded first, in every machine. A panicked machine's kexts are beyond that. */
static int
unload_kexts(nke_replay_t *r, bool check, struct report *report)
{
	int code = CMD_OK;

	for (unsigned i = 0; i < nke_replay_machines(r); i++) {
		nke_t *m = nke_replay_machine(r, i);

		while (!nke_panicked(m)) {
			nke_kext_t *last = NULL;
			unsigned leaks = 0;
			int error;

			for (nke_kext_t *k = nke_kext_first(m); k != NULL; k = nke_kext_next(k))
				last = k;
			if (last == NULL)
				break;
			error = nke_kext_unload(m, last, &leaks);
			if (error != 0) {
				complain(report, nke_error_text(m));
				if (code == CMD_OK)
					code = error == EFAULT ? CMD_PANIC : CMD_KEXT;
				break;
			}
			if (leaks == 0 || !check || code != CMD_OK)
				continue;
			code = CMD_KEXT;
			if (report->error[0] == '\0')	/* the log names them */
				note_error(report, "kexts left objects behind");
		}
	}
	return code;
}

static bool
same_filter(const struct nke_filter_stats *a, const struct nke_filter_stats *b)
{
	return a->kind == b->kind && strcmp(a->kext, b->kext) == 0 && strcmp(a->name, b->name) == 0 &&
	    strcmp(a->interface, b->interface) == 0;
}

static void
add_filter(struct nke_filter_stats *sum, const struct nke_filter_stats *f)
{
	uint64_t calls = sum->calls + f->calls;

	if (calls != 0)
		sum->ns_per_call = (sum->ns_per_call * (double)sum->calls +
		    f->ns_per_call * (double)f->calls) / (double)calls;
	sum->seen_in += f->seen_in;
	sum->seen_out += f->seen_out;
	sum->passed += f->passed;
	sum->changed += f->changed;
	sum->swallowed += f->swallowed;
	sum->dropped += f->dropped;
	sum->injected += f->injected;
	sum->calls = calls;
}

/* The n-th filter of the same description in one machine is the n-th in all. */
static void
collect_filters(nke_replay_t *r, struct report *report)
{
	static struct nke_filter_stats here[REPORT_FILTERS];

	for (unsigned i = 0; i < nke_replay_machines(r); i++) {
		size_t n = nke_stats_filters(nke_replay_machine(r, i), here, REPORT_FILTERS);

		if (n > REPORT_FILTERS)
			n = REPORT_FILTERS;
		for (size_t k = 0; k < n; k++) {
			if (k == report->filter_count)	/* the machines before may have panicked */
				report->filters[report->filter_count++] = here[k];
			else if (k < report->filter_count && same_filter(&report->filters[k], &here[k]))
				add_filter(&report->filters[k], &here[k]);
		}
	}
}

/* Every machine has its own limit; what is reported is all of it together. */
static void
collect_memory(nke_replay_t *r, struct report *report)
{
	for (unsigned i = 0; i < nke_replay_machines(r); i++) {
		struct nke_memory here;

		nke_stats_memory(nke_replay_machine(r, i), &here);
		report->memory.mbuf_peak_bytes += here.mbuf_peak_bytes;
		report->memory.heap_peak_bytes += here.heap_peak_bytes;
		report->memory.mbuf_denied += here.mbuf_denied;
	}
}

static double
seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static int
play(nke_replay_t *r, struct screen *screen, struct report *report)
{
	struct timespec start;
	int error;

	clock_gettime(CLOCK_MONOTONIC, &start);
	error = nke_replay_run(r);
	if (error == 0 || error == EILSEQ) {
		int e = nke_replay_finish_output(r);

		error = e != 0 ? e : error;
	} else {
		nke_replay_finish_output(r);
	}
	report->seconds = seconds_since(&start);
	clear_bar(screen);
	if (error == EFAULT) {		/* a panic has been logged */
		note_error(report, nke_replay_error(r));
		return CMD_PANIC;
	}
	if (error == 0)
		return CMD_OK;
	complain(report, nke_replay_error(r));
	return CMD_INPUT;
}

static void
collect(nke_replay_t *r, const struct options *o, struct report *report)
{
	nke_replay_statistics(r, &report->stats);
	collect_filters(r, report);
	report_collect_kexts(r, report);
	collect_memory(r, report);
	report->input = o->input;
	report->output = o->output;
	report->jobs = o->jobs;
	report->sockets = o->sockets;
	report->replay = r;
	report->host = nke_replay_host(r);
	report->link = nke_replay_link(r);
	report->host_found = o->host == NULL;
}

static bool
is_stdout(const char *path)
{
	return path != NULL && strcmp(path, "-") == 0;
}

static int
run(const struct options *o)
{
	struct screen screen = {.bar = !o->quiet && isatty(STDERR_FILENO)};
	struct nke_replay_config config;
	static struct report report;
	bool played = false;
	char text[2048];
	nke_replay_t *r;
	int code, error;

	memset(&config, 0, sizeof config);
	config.input = o->input;
	config.output = o->output;
	config.host = o->host;
	config.interface = o->interface;
	config.jobs = o->jobs;
	config.sockets = o->sockets;
	config.machine.checked = o->check;
	config.machine.seed = o->seed;
	config.machine.sched_random = o->sched_random;
	config.machine.mbuf_limit_bytes = (size_t)o->memory_mib << 20;
	config.machine.log = print_log;
	config.machine.log_ctx = &screen;
	config.progress = screen.bar ? print_progress : NULL;
	config.progress_ctx = &screen;
	error = nke_replay_open(&config, &r, text, sizeof text);
	if (error != 0) {
		complain(&report, text);
		return error == EINVAL ? CMD_USAGE : CMD_INPUT;
	}
	code = load_kexts(r, o, &report);
	if (code == CMD_OK) {
		code = play(r, &screen, &report);
		played = true;
	}
	collect(r, o, &report);
	error = unload_kexts(r, o->check, &report);
	if (code == CMD_OK)
		code = error;
	report.exit_code = code;
	if (played && !o->quiet)
		report_print(is_stdout(o->output) || is_stdout(o->json) ? stderr : stdout, &report);
	if (o->json != NULL && report_write_json(o->json, &report) != 0 && code == CMD_OK)
		code = CMD_INPUT;
	nke_replay_close(r);
	return code;
}

/* ---- the command line --------------------------------------------------------------------- */

static bool
parse_number(const char *option, const char *text, unsigned long min, unsigned long max,
    unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	if (errno == 0 && *end == '\0' && text[0] >= '0' && text[0] <= '9' && *out >= min && *out <= max)
		return true;
	cmd_usage("replay", "%s takes a whole number from %lu to %lu, not '%s'", option, min, max, text);
	return false;
}

static bool
parse_option(int c, char **argv, struct options *o)
{
	unsigned long n;

	switch (c) {
	case 'k':
		if (o->kext_count == MAX_KEXTS) {
			cmd_usage("replay", "at most %d kexts", MAX_KEXTS);
			return false;
		}
		o->kexts[o->kext_count++] = optarg;
		return true;
	case 'h':
		o->host = optarg;
		return true;
	case 'i':
		o->interface = optarg;
		return true;
	case 'w':
		o->output = optarg;
		return true;
	case 'J':
		o->json = optarg;
		return true;
	case 'j':
		if (!parse_number("-j", optarg, 1, 256, &n))
			return false;
		o->jobs = (unsigned)n;
		return true;
	case 'm':
		return parse_number("--memory", optarg, 1, 1ul << 20, &o->memory_mib);
	case 's':
		if (!parse_number("--seed", optarg, 0, (unsigned long)-1, &n))
			return false;
		o->seed = n;
		return true;
	case 'S':
		if (strncmp(optarg, "random:", 7) != 0) {
			cmd_usage("replay", "--sched takes random:SEED, not '%s'", optarg);
			return false;
		}
		if (!parse_number("--sched random:", optarg + 7, 0, (unsigned long)-1, &n))
			return false;
		o->seed = n;
		o->sched_random = true;
		return true;
	case 'F':
		o->sockets = true;
		return true;
	case 'c':
		o->check = true;
		return true;
	case 'q':
		o->quiet = true;
		return true;
	default:
		cmd_bad_option("replay", argv, c);
		return false;
	}
}

/* The library looks after the output. */
static bool
good_json(const struct options *o)
{
	struct stat json, input;

	if (o->json == NULL)
		return true;
	if (o->output != NULL && strcmp(o->json, o->output) == 0) {
		cmd_usage("replay", "%s: the capture and the report cannot both go there",
		    is_stdout(o->json) ? "standard output" : o->json);
		return false;
	}
	if (stat(o->json, &json) == 0 && S_ISREG(json.st_mode) && stat(o->input, &input) == 0 &&
	    json.st_dev == input.st_dev && json.st_ino == input.st_ino) {
		cmd_usage("replay", "%s: is the capture that is read; write the report to another file",
		    o->json);
		return false;
	}
	return true;
}

int
cmd_replay(int argc, char **argv)
{
	static const struct option long_options[] = {
	    {"kext", required_argument, NULL, 'k'}, {"host", required_argument, NULL, 'h'},
	    {"interface", required_argument, NULL, 'i'}, {"json", required_argument, NULL, 'J'},
	    {"memory", required_argument, NULL, 'm'}, {"seed", required_argument, NULL, 's'},
	    {"sched", required_argument, NULL, 'S'}, {"check", no_argument, NULL, 'c'},
	    {"quiet", no_argument, NULL, 'q'}, {"sockets", no_argument, NULL, 'F'},
	    {"help", no_argument, NULL, 'H'}, {NULL, 0, NULL, 0}};
	struct options o = {.jobs = 1, .memory_mib = 64, .seed = 1};
	int c, error;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":w:j:", long_options, NULL)) != -1) {
		if (c == 'H') {
			fputs(help, stdout);
			return CMD_OK;
		}
		if (!parse_option(c, argv, &o))
			return CMD_USAGE;
	}
	if (optind == argc)
		return cmd_usage("replay", "which capture?");
	if (optind + 1 < argc)
		return cmd_usage("replay", "one capture at a time: %s, then %s", argv[optind],
		    argv[optind + 1]);
	o.input = argv[optind];
	if (!good_json(&o))
		return CMD_USAGE;
	if (o.sockets && o.jobs > 1)
		return cmd_usage("replay", "--sockets plays on one machine: leave out -j");
	error = nke_catch_faults();
	if (error != 0)
		fprintf(stderr, "nke: faults of kexts will not be caught: %s\n", strerror(error));
	return run(&o);
}
