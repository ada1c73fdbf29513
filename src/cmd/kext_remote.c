/* `nke kext list`, `load` and `unload`: kexts of a running machine. Called by cmd_kext (kext_info.c). */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/cmd/control_client.h"

#define TIMEOUT_MAX	86400ul

static const char help_list[] =
"usage: nke kext list --control PATH\n"
"\n"
"Lists the kexts of the machine that 'nke run --control PATH' is: identifier, version, bytes of memory and\n"
"where each came from.\n"
"\n"
"options:\n"
"  --control PATH  the machine's socket\n"
"  -h, --help      this text\n"
"\n"
"Exit status: 0 done, 1 usage, 2 the machine is not there, 4 the machine panicked.\n";

static const char help_load[] =
"usage: nke kext load --control PATH KEXT ...\n"
"\n"
"Loads kexts, in that order, into the machine that 'nke run --control PATH' is.\n"
"\n"
"options:\n"
"  --control PATH  the machine's socket\n"
"  -h, --help      this text\n"
"\n"
"Exit status: 0 all are loaded, 1 usage, 2 the machine is not there, 3 one would not load (those after it\n"
"are not tried), 4 the machine panicked.\n";

static const char help_unload[] =
"usage: nke kext unload --control PATH [--drain [--timeout N]] IDENTIFIER ...\n"
"\n"
"Unloads kexts, in that order, from the machine that 'nke run --control PATH' is. What holds a kext that\n"
"would not go is listed.\n"
"\n"
"options:\n"
"  --control PATH  the machine's socket\n"
"  --drain         try again until it goes, and tell on standard error what it waits for\n"
"  --timeout N     drain: for so many seconds at most (60)\n"
"  -h, --help      this text\n"
"\n"
"Exit status: 0 all are gone, 1 usage, 2 the machine is not there, 3 one would not go (those after it are\n"
"not tried), 4 the machine panicked.\n";

struct kexts {
	const char *command;		/* "kext load" */
	const char *help;
	const char *control;
	bool drain, timed, helped;
	unsigned long timeout;
	struct remote remote;
};

/* ---- the commands ------------------------------------------------------------------------- */

static int
list(struct kexts *k, char *none)
{
	json_t *all = remote_ask_list(&k->remote, "kexts", "kexts"), *item;
	size_t i;

	(void)none;
	if (all == NULL)
		return k->remote.code;
	if (json_array_size(all) > 0)
		printf("%-40s %-10s %10s %10s %10s %s\n", "IDENTIFIER", "VERSION", "MEMORY", "CALLS", "MS",
		    "PATH");
	json_array_foreach(all, i, item) {
		const char *identifier = "", *version = "", *path = "";
		json_int_t memory = 0, calls = 0, time_ns = 0;

		(void)json_unpack(item, "{s:s, s:s, s:s, s:I, s:I, s:I}", "identifier", &identifier,
		    "version", &version, "path", &path, "memory", &memory, "calls", &calls,
		    "time_ns", &time_ns);
		printf("%-40s %-10s %10lld %10lld %10.3f %s\n", identifier, version, (long long)memory,
		    (long long)calls, (double)time_ns / 1e6, path);
	}
	json_decref(all);
	return CMD_OK;
}

/* The machine's process has a folder of its own. */
static int
load(struct kexts *k, char *path)
{
	char *whole = realpath(path, NULL);
	json_t *answer;

	if (whole == NULL) {
		cmd_error(k->command, "%s: %s", path, strerror(errno));
		k->remote.code = CMD_KEXT;
		return CMD_KEXT;
	}
	answer = remote_ask(&k->remote, CMD_KEXT, json_pack("{s:s, s:o}", "request", "kext_load", "path",
	    cmd_json_text(whole)));
	free(whole);
	json_decref(answer);
	return answer != NULL ? CMD_OK : k->remote.code;
}

static void
tell_progress(void *arg, const json_t *message)
{
	const char *push = json_string_value(json_object_get(message, "push"));
	const char *holders = json_string_value(json_object_get(message, "holders"));
	struct kexts *k = arg;

	if (strcmp(push, "progress") != 0 || holders == NULL)
		return;
	cmd_error(k->command, "waiting for %.1f s:", json_number_value(json_object_get(message, "waited")));
	cmd_lines(k->command, "", holders);
}

static int
unload(struct kexts *k, char *identifier)
{
	json_t *request = json_pack("{s:s, s:o}", "request", "kext_unload", "identifier",
	    cmd_json_text(identifier)), *answer;
	json_int_t leaks;
	const char *text;

	if (request != NULL && k->drain)
		(void)json_object_set_new(request, "drain", json_true());
	if (request != NULL && k->timed)
		(void)json_object_set_new(request, "timeout", json_integer((json_int_t)k->timeout));
	answer = remote_ask(&k->remote, CMD_KEXT, request);
	if (answer == NULL)
		return k->remote.code;
	leaks = json_integer_value(json_object_get(answer, "leaks"));
	text = json_string_value(json_object_get(answer, "text"));
	if (leaks != 0 && text != NULL)
		cmd_lines(k->command, "warning: ", text);
	json_decref(answer);
	return CMD_OK;
}

/* ---- the command line --------------------------------------------------------------------- */

static bool
take_timeout(struct kexts *k)
{
	char *end;

	errno = 0;
	k->timeout = strtoul(optarg, &end, 10);
	k->timed = true;
	if (errno == 0 && *end == '\0' && optarg[0] >= '0' && optarg[0] <= '9' && k->timeout >= 1 &&
	    k->timeout <= TIMEOUT_MAX)
		return true;
	cmd_usage(k->command, "--timeout takes a whole number from 1 to %lu, not '%s'", TIMEOUT_MAX, optarg);
	return false;
}

static int
take_options(struct kexts *k, int argc, char **argv)
{
	static const struct option options[] = {{"control", required_argument, NULL, 'C'},
	    {"drain", no_argument, NULL, 'd'}, {"timeout", required_argument, NULL, 't'},
	    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	bool unloads = strcmp(k->command, "kext unload") == 0;
	int o;

	opterr = 0;
	while ((o = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (o == 'C') {
			k->control = optarg;
		} else if (o == 'h') {
			fputs(k->help, stdout);
			k->helped = true;
			return CMD_OK;
		} else if (o == 'd' && unloads) {
			k->drain = true;
		} else if (o == 't' && unloads) {
			if (!take_timeout(k))
				return CMD_USAGE;
		} else if (o == 'd' || o == 't') {
			return cmd_usage(k->command, "--drain and --timeout are for 'nke kext unload'");
		} else {
			return cmd_bad_option(k->command, argv, o);
		}
	}
	if (k->timed && !k->drain)
		return cmd_usage(k->command, "--timeout is for --drain");
	return CMD_OK;
}

static int
run(struct kexts *k, int argc, char **argv, int (*fn)(struct kexts *, char *), bool takes_names)
{
	int code = take_options(k, argc, argv);

	if (code != CMD_OK || k->helped)
		return code;
	if (takes_names && optind == argc)
		return cmd_usage(k->command, "which kext?");
	if (!takes_names && optind < argc)
		return cmd_usage(k->command, "there is nothing to do with '%s'", argv[optind]);
	code = remote_open(&k->remote, k->command, k->control);
	k->remote.push = tell_progress;
	k->remote.ctx = k;
	if (code == CMD_OK && !takes_names)
		code = fn(k, NULL);
	for (int i = optind; i < argc && code == CMD_OK; i++)
		code = fn(k, argv[i]);
	remote_close(&k->remote);
	return code;
}

int
cmd_kext_list(int argc, char **argv)
{
	struct kexts k = {.command = "kext list", .help = help_list};

	return run(&k, argc, argv, list, false);
}

int
cmd_kext_load(int argc, char **argv)
{
	struct kexts k = {.command = "kext load", .help = help_load};

	return run(&k, argc, argv, load, true);
}

int
cmd_kext_unload(int argc, char **argv)
{
	struct kexts k = {.command = "kext unload", .help = help_unload};

	return run(&k, argc, argv, unload, true);
}
