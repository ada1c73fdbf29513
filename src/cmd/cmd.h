/* What the subcommands of `nke` share. */
#ifndef NKE_CMD_H
#define NKE_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* Exit codes, of every subcommand. */
enum cmd_exit {
	CMD_OK = 0,			/* done */
	CMD_USAGE = 1,			/* the command line makes no sense */
	CMD_INPUT = 2,			/* a file is missing, unreadable or malformed, or cannot be written */
	CMD_KEXT = 3,			/* a kext does not build, load or unload */
	CMD_PANIC = 4			/* the machine panicked */
};

/* Each gets its own name as argv[0] and returns one of the above. */
int cmd_build(int argc, char **argv);
int cmd_ctl(int argc, char **argv);
int cmd_drill(int argc, char **argv);
int cmd_kext(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_sysctl(int argc, char **argv);

/* Of `nke kext`: the word is argv[0] (kext_remote.c). */
int cmd_kext_list(int argc, char **argv);
int cmd_kext_load(int argc, char **argv);
int cmd_kext_unload(int argc, char **argv);

/* "nke build: ..." on standard error; the newline is added. */
void cmd_error(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* cmd_error, then where to find help. Returns CMD_USAGE. */
int cmd_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*
 * After getopt_long, with opterr 0 and ':' first in its short options, returned `c`, '?' or ':': tells
 * which option it was. Returns CMD_USAGE.
 */
int cmd_bad_option(const char *command, char **argv, int c);
/* Several lines as they are, each with the command's name before it. */
void cmd_lines(const char *command, const char *prefix, const char *lines);

/* Text of any origin for JSON: bytes that are not UTF-8 become U+FFFD. NULL becomes null. */
json_t *cmd_json_text(const char *);

#endif
