/* Running other programs, for `nke build`. */
#ifndef NKE_CMD_SPAWN_H
#define NKE_CMD_SPAWN_H

#include <stdbool.h>
#include <stddef.h>

/* A command line that grows. */
struct command {
	char **argv;			/* ends with NULL */
	size_t count;
	bool failed;			/* no memory */
};

void command_add(struct command *, const char *arg);
void command_addf(struct command *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Words of `text`, separated by spaces. */
void command_add_words(struct command *, const char *text);
void command_free(struct command *);
/*
 * Runs it; its output goes where ours goes, or the first line of its standard output to `line` (of
 * `size` bytes; NULL: not wanted). With `verbose` it is shown first. 0, or an errno value when it could
 * not be run or did not succeed (EIO).
 */
int command_run(struct command *, bool verbose, char *line, size_t size);

#endif
