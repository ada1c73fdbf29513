/*
 * nke drill: runs packetdrill scripts, each against a machine of its own in virtual time.
 *
 * Threads take scripts one after the other; what each says is kept and told by the main thread in the order
 * of the scripts, so that the output does not depend on their number.
 */
#include "src/cmd/drill.h"

#include <errno.h>
#include <getopt.h>
#include <nke/kext.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_JOBS	256u
#define MAX_OPTIONS	80u
#define THEIRS		1000		/* what getopt_long returns for packetdrill's first option */

static const char help[] =
"usage: nke drill [options] FILE|FOLDER ...\n"
"\n"
"Runs packetdrill scripts (Google's dialect and the FreeBSD community's), each against a machine of its\n"
"own, in virtual time. Of a folder all files *.pkt are run, also those of folders in it.\n"
"\n"
"  -j N                run N scripts at once (as many as there are processors)\n"
"  --kext PATH         load this kext before each script; may be given several times\n"
"  -w FILE             write what crossed the wire; a folder when there are several scripts\n"
"  --junit FILE        write the results as JUnit's XML; - for standard output\n"
"  --shell             commands that the machine does not know are run by the host's shell, code that it\n"
"                      does not know by the host's python3\n"
"  -D, --define N=V    read the word N in scripts as V\n"
"  --seed N            seed of the machines' random numbers (1)\n"
"  --check             checked mode: owners of packets, poisoned free memory, full backtraces\n"
"  -v, --verbose       tell every event; twice: what the machine logs as well\n"
"  --quiet             only what is wrong; no summary\n"
"  --help              this text\n"
"packetdrill's own, also from the scripts' lines that begin with --:\n"
"  --ip_version=V      ipv4 (default), ipv6 or ipv4-mapped-ipv6\n"
"  --local_ip=ADDR     the machine's address (192.168.0.1, fd3d:fa7b:d17d::1)\n"
"  --remote_ip=ADDR    the script's (192.0.2.1, 2001:db8::1)\n"
"  --gateway_ip=ADDR   the router between them (192.168.0.2, fd3d:fa7b:d17d::2)\n"
"  --netmask_ip=MASK   of the machine's network (255.255.0.0)\n"
"  --connect_port=N    the script's port that connect() goes to (8080)\n"
"  --bind_port=N       the machine's port that bind() is given (8080)\n"
"  --mtu=N             of the machine's interface (1500)\n"
"  --speed=N           of the machine's interface, in Mbit/s; nothing is slower for it\n"
"  --tolerance_usecs=N how far from its time a packet out may be; without it 0, of\n"
"                      scripts for Linux 4000\n"
"  --tolerance_percent=N  the same as a part of the time since the event before\n"
"  --tcp_ts_tick_usecs=N  check that timestamps out advance once in so many microseconds (0: do not)\n"
"  --tcp_ts_ecr_scaled an ecr of packets in that no packet out had is moved as the first one was\n"
"  --init_scripts=FILE commands that are run before the script's\n"
"  --non_fatal=WHAT    go on after a mismatch of packet, syscall or packet,syscall\n"
"  --dry_run           read the scripts and run nothing\n"
"  --mss=N             packets in are joined of such segments, as tcpi_rcv_mss tells\n"
"  --strict_segments   one packet of the script is one of the machine's: none are cut or joined\n"
"  --strict_end        what is sent after the last packet that is expected is an error, too\n"
"  --send_omit_free, --code_command=C, --code_format=F, --code_sockopt=O, --tcp_md5_secret=S, --verbose\n"
"                      are accepted\n"
"\n"
"Exit status: 0 all passed, 1 a script failed, or usage, 2 a script cannot be read or run, or an output\n"
"not be written, 3 a kext would not load or unload, 4 a panic. The highest of all scripts counts.\n";

struct options {
	struct drill_config config;
	const char *capture, *junit;
	unsigned jobs;
	bool quiet, helped;
};

/* ---- running ------------------------------------------------------------------------------------ */

struct work {
	const struct options *options;
	struct drill_items *list;
	pthread_mutex_t lock;
	pthread_cond_t progress;
	size_t next;
};

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A script that could not be read or asks for what there is not. */
static void
broken(struct drill_result *r, const char *path, const struct drill_script *script,
    const struct drill_error *e)
{
	size_t len = strlen(e->line);
	const char *line = e->line;
	int n;

	if (script != NULL && e->place.line > 0)
		line = drill_script_line(script, e->place.line, &len);
	r->outcome = DRILL_BROKEN;
	r->line = e->place.line;
	if (e->place.line == 0)
		n = asprintf(&r->text, "%s: %s\n", path, e->text);
	else if (line == NULL || len == 0)
		n = asprintf(&r->text, "%s:%u:%u: %s\n", path, e->place.line, e->place.column, e->text);
	else
		n = asprintf(&r->text, "%s:%u:%u: %s\n  script:   %.*s\n", path, e->place.line,
		    e->place.column, e->text, (int)(len > 400 ? 400 : len), line);
	if (n < 0)
		r->text = NULL;
}

/* The settings as this script has them; whether they make addresses. */
static bool
configure(struct drill_config *config, const struct drill_item *item, const struct drill_script *script,
    struct drill_error *error)
{
	struct drill_addresses addresses;

	config->capture = item->capture;
	memset(error, 0, sizeof *error);
	return drill_config_script(config, script, error) == 0 &&
	    drill_config_addresses(config, &addresses, error) == 0;
}

static void
run_item(const struct options *o, struct drill_item *item)
{
	struct drill_config config = o->config;
	struct drill_script *script = NULL;
	struct drill_error error;
	double begin = now();
	FILE *out = open_memstream(&item->out, &item->out_len);

	if (drill_load(item->path, config.defines, config.define_count, &script, &error) != 0 ||
	    !configure(&config, item, script, &error))
		broken(&item->result, item->path, script, &error);
	else if (out == NULL)
		item->result.outcome = DRILL_BROKEN;
	else if (!config.dry_run)
		drill_run(script, &config, out, &item->result);
	drill_script_free(script);
	if (out != NULL)
		fclose(out);
	item->seconds = now() - begin;
}

static void *
worker(void *arg)
{
	struct work *w = arg;
	size_t i;

	for (;;) {
		pthread_mutex_lock(&w->lock);
		i = w->next++;
		pthread_mutex_unlock(&w->lock);
		if (i >= w->list->count)
			return NULL;
		run_item(w->options, &w->list->items[i]);
		pthread_mutex_lock(&w->lock);
		w->list->items[i].done = true;
		pthread_cond_broadcast(&w->progress);
		pthread_mutex_unlock(&w->lock);
	}
}

/* Tells of the scripts in their order, as they become done. */
static void
tell(struct work *w, FILE *f)
{
	for (size_t i = 0; i < w->list->count; i++) {
		struct drill_item *item = &w->list->items[i];

		pthread_mutex_lock(&w->lock);
		while (!item->done)
			pthread_cond_wait(&w->progress, &w->lock);
		pthread_mutex_unlock(&w->lock);
		drill_report_item(f, item, w->options->quiet ? 0 : w->options->config.verbose);
		fflush(f);
	}
}

static int
run_all(const struct options *o, struct drill_items *list, FILE *f)
{
	struct work w = {.options = o, .list = list};
	pthread_t threads[MAX_JOBS];
	unsigned jobs = o->jobs, started = 0;

	if (jobs > list->count)
		jobs = (unsigned)list->count;
	pthread_mutex_init(&w.lock, NULL);
	pthread_cond_init(&w.progress, NULL);
	while (started < jobs && pthread_create(&threads[started], NULL, worker, &w) == 0)
		started++;
	if (started == 0)
		worker(&w);
	tell(&w, f);
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_cond_destroy(&w.progress);
	pthread_mutex_destroy(&w.lock);
	return CMD_OK;
}

static int
exit_code(const struct drill_items *list)
{
	static const int codes[] = {
		[DRILL_PASSED] = CMD_OK, [DRILL_FAILED] = 1, [DRILL_BROKEN] = CMD_INPUT,
		[DRILL_PANICKED] = CMD_PANIC, [DRILL_KEXT] = CMD_KEXT
	};
	int code = CMD_OK;

	for (size_t i = 0; i < list->count; i++)
		if (codes[list->items[i].result.outcome] > code)
			code = codes[list->items[i].result.outcome];
	return code;
}

/* ---- captures ----------------------------------------------------------------------------------- */

/* FOLDER/path_of_script.pcap for each. */
static bool
name_captures(const char *folder, struct drill_items *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct drill_item *item = &list->items[i];
		const char *path = item->path + strspn(item->path, "./");
		size_t n = strlen(path);

		if (n > 4 && strcmp(path + n - 4, ".pkt") == 0)
			n -= 4;
		if (asprintf(&item->capture, "%s/%.*s.pcap", folder, (int)n, path) < 0) {
			item->capture = NULL;
			return false;
		}
		for (char *p = item->capture + strlen(folder) + 1; *p != '\0'; p++)
			if (*p == '/')
				*p = '_';
	}
	return true;
}

/* One script: the file. Several: a folder, made if need be. */
static int
set_captures(const struct options *o, struct drill_items *list)
{
	struct stat st;
	bool folder = stat(o->capture, &st) == 0 && S_ISDIR(st.st_mode);

	if (list->count == 1 && !folder) {
		list->items[0].capture = strdup(o->capture);
		return list->items[0].capture != NULL ? CMD_OK : CMD_INPUT;
	}
	if (!folder && mkdir(o->capture, 0777) != 0) {
		cmd_error("drill", "-w %s: expected a folder for the captures of %zu scripts: %s", o->capture,
		    list->count, strerror(errno));
		return CMD_INPUT;
	}
	return name_captures(o->capture, list) ? CMD_OK : CMD_INPUT;
}

/* ---- the command line --------------------------------------------------------------------------- */

static const struct option ours[] = {
	{"kext", required_argument, NULL, 'k'}, {"junit", required_argument, NULL, 'u'},
	{"shell", no_argument, NULL, 's'}, {"seed", required_argument, NULL, 'e'},
	{"check", no_argument, NULL, 'c'}, {"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'}, {"verbose", no_argument, NULL, 'v'},
	{"define", required_argument, NULL, 'D'}
};

#define OUR_OPTIONS	(sizeof ours / sizeof ours[0])

/* Ours, then packetdrill's. */
static void
all_options(struct option *all)
{
	size_t n = OUR_OPTIONS;
	const char *name;

	memcpy(all, ours, sizeof ours);
	for (size_t i = 0; (name = drill_config_name(i)) != NULL && n < MAX_OPTIONS - 1; i++) {
		int value = drill_config_takes_value(name);

		if (strcmp(name, "verbose") == 0 || strcmp(name, "define") == 0)
			continue;
		all[n++] = (struct option){.name = name, .has_arg = value == 0 ? no_argument :
		    value == 1 ? required_argument : optional_argument, .val = THEIRS + (int)i};
	}
	memset(&all[n], 0, sizeof all[n]);
}

static int
their_option(struct options *o, const char *name, const char *value)
{
	struct drill_error error = {.kind = DRILL_ERROR_NONE};
	struct drill_place nowhere = {0};

	if (drill_config_option(&o->config, name, value, nowhere, &error) == 0)
		return CMD_OK;
	return cmd_usage("drill", "%s", error.text);
}

static int
option(struct options *o, int c)
{
	char *end;
	unsigned long n;

	switch (c) {
	case 'j':
		n = strtoul(optarg, &end, 10);
		if (optarg[0] < '0' || optarg[0] > '9' || *end != '\0' || n < 1 || n > MAX_JOBS)
			return cmd_usage("drill", "-j %s: expected a number from 1 to %u", optarg, MAX_JOBS);
		o->jobs = (unsigned)n;
		break;
	case 'k':
		if (o->config.kext_count == DRILL_KEXTS)
			return cmd_usage("drill", "more than %d kexts", DRILL_KEXTS);
		o->config.kexts[o->config.kext_count++] = optarg;
		break;
	case 'e':
		errno = 0;
		o->config.seed = strtoull(optarg, &end, 0);
		if (optarg[0] < '0' || optarg[0] > '9' || *end != '\0' || errno != 0)
			return cmd_usage("drill", "--seed %s: expected a number", optarg);
		break;
	case 'w':
		o->capture = optarg;
		break;
	case 'u':
		o->junit = optarg;
		break;
	case 's':
		o->config.shell = true;
		break;
	case 'c':
		o->config.check = true;
		break;
	case 'v':
		o->config.verbose++;
		break;
	case 'q':
		o->quiet = true;
		break;
	case 'D':
		return their_option(o, "define", optarg);
	default:
		return their_option(o, drill_config_name((size_t)(c - THEIRS)), optarg);
	}
	return CMD_OK;
}

static int
options(struct options *o, int argc, char **argv)
{
	struct option all[MAX_OPTIONS];
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int c, code = CMD_OK;

	drill_config_init(&o->config);
	o->config.seed = 1;
	o->jobs = processors < 1 ? 1 : processors > (long)MAX_JOBS ? MAX_JOBS : (unsigned)processors;
	all_options(all);
	opterr = 0;
	while (code == CMD_OK && (c = getopt_long(argc, argv, ":j:w:vD:", all, NULL)) != -1) {
		if (c == '?' || c == ':')
			return cmd_bad_option("drill", argv, c);
		if (c == 'h') {
			o->helped = true;
			fputs(help, stdout);
			return CMD_OK;
		}
		code = option(o, c);
	}
	if (code == CMD_OK && optind == argc)
		return cmd_usage("drill", "no script is given");
	return code;
}

static int
drill(struct options *o, struct drill_items *list)
{
	FILE *f = o->junit != NULL && strcmp(o->junit, "-") == 0 ? stderr : stdout;
	double begin = now(), seconds;
	int code, error;

	if (o->capture != NULL && !o->config.dry_run) {
		code = set_captures(o, list);
		if (code != CMD_OK)
			return code;
	}
	run_all(o, list, f);
	seconds = now() - begin;
	code = exit_code(list);
	if (!o->quiet)
		drill_report_summary(f, list, seconds);
	if (o->junit != NULL) {
		error = drill_report_junit(o->junit, list, seconds);
		if (error != 0) {
			cmd_error("drill", "%s: %s", o->junit, strerror(error));
			code = code < CMD_INPUT ? CMD_INPUT : code;
		}
	}
	return code;
}

int
cmd_drill(int argc, char **argv)
{
	static struct options o;
	struct drill_items list = {.items = NULL};
	int code, error;
	bool found = true;

	memset(&o, 0, sizeof o);
	code = options(&o, argc, argv);
	if (code != CMD_OK || o.helped)
		return code;
	for (int i = optind; i < argc && found; i++)
		found = drill_find(&list, argv[i]);
	if (found) {
		error = nke_catch_faults();
		if (error != 0 && o.config.kext_count > 0)
			fprintf(stderr, "nke: faults of kexts will not be caught: %s\n", strerror(error));
		code = drill(&o, &list);
	} else
		code = CMD_INPUT;
	drill_items_free(&list);
	return code;
}
