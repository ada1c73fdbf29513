/* The `nke` command: finds the subcommand and hands over. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <nke/nke.h>

#include "src/cmd/cmd.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{"build", cmd_build, "compile sources of a kernel extension into a bundle"},
	{"kext", cmd_kext, "tell what a kernel extension is and needs"},
	{"replay", cmd_replay, "run a capture through kernel extensions"},
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

int
main(int argc, char **argv)
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
