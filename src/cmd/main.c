/* The `nke` command: finds the subcommand and hands over. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nke/nke.h>

#include "src/cmd/cmd.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{"build", cmd_build, "compile sources of a kernel extension into a bundle"},
	{"ctl", cmd_ctl, "talk to kernel controls of a running machine"},
	{"drill", cmd_drill, "run packetdrill scripts against machines in virtual time"},
	{"kext", cmd_kext, "tell what a kernel extension is; list, load, unload those of a running machine"},
	{"replay", cmd_replay, "run a capture through kernel extensions"},
	{"run", cmd_run, "bring up a machine on TAP devices or devices of the host"},
	{"sysctl", cmd_sysctl, "read and set variables of a running machine"},
};

#define COMMAND_COUNT	(sizeof commands / sizeof commands[0])

void
cmd_error(const char *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "nke %s: ", command);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int
cmd_usage(const char *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "nke %s: ", command);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nTry 'nke %s --help'.\n", command);
	return CMD_USAGE;
}

int
cmd_bad_option(const char *command, char **argv, int c)
{
	const char *word = argv[optind - 1];

	if (c == ':')
		return strncmp(word, "--", 2) == 0 ?
		    cmd_usage(command, "option '%s' needs a value", word) :
		    cmd_usage(command, "option '-%c' needs a value", optopt);
	if (optopt == 0)	/* getopt sets it for short options, and for long ones that it knows */
		return cmd_usage(command, "there is no option '%s'", word);
	if (strncmp(word, "--", 2) == 0 && strchr(word, '=') != NULL)
		return cmd_usage(command, "option '%.*s' takes no value", (int)strcspn(word, "="), word);
	return cmd_usage(command, "there is no option '-%c'", optopt);
}

json_t *
cmd_json_text(const char *s)
{
	json_t *text = s != NULL ? json_string(s) : json_null();
	size_t used = 0, n;
	char *good;

	if (text != NULL || s == NULL)
		return text;
	good = malloc(3 * strlen(s) + 1);
	for (; good != NULL && *s != '\0'; s += n) {
		for (n = 1; n <= 4 && n <= strlen(s) && text == NULL; n++)
			text = json_stringn(s, n);
		n = text != NULL ? n - 1 : 1;
		memcpy(good + used, text != NULL ? s : "\xef\xbf\xbd", text != NULL ? n : 3);
		used += text != NULL ? n : 3;
		json_decref(text);
		text = NULL;
	}
	if (good != NULL)
		text = json_stringn(good, used);
	free(good);
	return text;
}

void
cmd_lines(const char *command, const char *prefix, const char *lines)
{
	while (*lines != '\0') {
		size_t n = strcspn(lines, "\n");

		fprintf(stderr, "nke %s: %s%.*s\n", command, prefix, (int)n, lines);
		lines += n + (lines[n] == '\n');
	}
}

static void
help(FILE *out)
{
	fprintf(out, "usage: nke COMMAND [ARGUMENT ...]\n\n"
	    "Network kernel extensions written for a Mac, built, loaded and run here.\n\n"
	    "commands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\noptions:\n"
	    "  -h, --help     this text; 'nke COMMAND --help' tells a command's own options\n"
	    "  -V, --version  version of the tool\n\n"
	    "exit codes:\n"
	    "  0  done\n"
	    "  1  the command line makes no sense\n"
	    "  2  a file is missing, malformed or cannot be written\n"
	    "  3  a kext does not build, load or unload\n"
	    "  4  the machine panicked\n");
}

static int
run(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return CMD_USAGE;
	}
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		help(stdout);
		return CMD_OK;
	}
	if (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0) {
		printf("nke %s\n", nke_version());
		return CMD_OK;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "nke: there is no command '%s'\nTry 'nke --help'.\n", argv[1]);
	return CMD_USAGE;
}

int
main(int argc, char **argv)
{
	int code = run(argc, argv);

	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "nke: standard output: %s\n", strerror(errno != 0 ? errno : EIO));
		code = code == CMD_OK ? CMD_INPUT : code;
	}
	return code;
}
