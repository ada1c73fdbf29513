/* Builds command lines and runs them, without a shell in between. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/cmd/spawn.h"

extern char **environ;

/* Takes over `arg`. */
static void
add(struct command *c, char *arg)
{
	char **more = realloc(c->argv, (c->count + 2) * sizeof c->argv[0]);

	if (more != NULL)
		c->argv = more;
	if (more == NULL || arg == NULL) {
		free(arg);
		c->failed = true;
		return;
	}
	c->argv[c->count++] = arg;
	c->argv[c->count] = NULL;
}

void
command_add(struct command *c, const char *arg)
{
	add(c, strdup(arg));
}

void
command_addf(struct command *c, const char *fmt, ...)
{
	char *arg = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&arg, fmt, ap) < 0)
		arg = NULL;
	va_end(ap);
	add(c, arg);
}

void
command_add_words(struct command *c, const char *text)
{
	while (*(text += strspn(text, " ")) != '\0') {
		size_t n = strcspn(text, " ");

		add(c, strndup(text, n));
		text += n;
	}
}

void
command_free(struct command *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->argv[i]);
	free(c->argv);
	*c = (struct command){0};
}

/* Reads to the end, so that the program never waits for us; keeps the first line. */
static void
read_line(int fd, char *line, size_t size)
{
	char rest[512];
	size_t have = 0;
	ssize_t n;

	while ((n = read(fd, rest, sizeof rest)) > 0 || (n < 0 && errno == EINTR)) {
		for (ssize_t i = 0; i < n; i++) {
			if (have + 1 < size)
				line[have++] = rest[i];
		}
	}
	line[have] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

static int
wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return errno;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : EIO;
}

int
command_run(struct command *c, bool verbose, char *line, size_t size)
{
	posix_spawn_file_actions_t actions;
	int fds[2] = {-1, -1}, error;
	pid_t pid;

	if (c->failed || c->count == 0)
		return ENOMEM;
	for (size_t i = 0; verbose && i < c->count; i++)
		fprintf(stderr, "%s%c", c->argv[i], i + 1 < c->count ? ' ' : '\n');
	error = posix_spawn_file_actions_init(&actions);
	if (error != 0)
		return error;
	if (line != NULL) {
		if (pipe2(fds, O_CLOEXEC) != 0) {
			error = errno;
			goto out;
		}
		error = posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
		if (error != 0)
			goto out;
	}
	fflush(NULL);
	error = posix_spawnp(&pid, c->argv[0], &actions, NULL, c->argv, environ);
	if (error != 0)
		goto out;
	if (line != NULL) {
		close(fds[1]);
		fds[1] = -1;
		read_line(fds[0], line, size);
	}
	error = wait_for(pid);
out:
	posix_spawn_file_actions_destroy(&actions);
	for (int i = 0; i < 2; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	return error;
}
