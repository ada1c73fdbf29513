/*
 * Code of scripts that is more than code.c understands, given to the host's python3: with --shell only. It
 * gets the names that stand in it with their values at that moment, and what it prints is told.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/drill/engine.h"

#define NAME_LEN	128u

/* NAME = value, for every name in the code that has one. */
static void
write_names(FILE *f, struct run *r, const char *text)
{
	char name[NAME_LEN];
	int64_t value;
	size_t n;

	for (; *text != '\0'; text += n > 0 ? n : 1) {
		n = 0;
		while (isalnum((unsigned char)text[n]) || text[n] == '_')
			n++;
		if (n == 0 || n >= sizeof name || isdigit((unsigned char)text[0]))
			continue;
		memcpy(name, text, n);
		name[n] = '\0';
		if (drill_code_variable(r->code, name, &value) || info_lookup(r, name, &value))
			fprintf(f, "%s = %lld\n", name, (long long)value);
	}
}

static int
write_code(struct run *r, const char *path, int fd, const char *text, struct drill_place place)
{
	FILE *f = fdopen(fd, "w");

	if (f == NULL) {
		close(fd);
		return fail(r, DRILL_BROKEN, place, "%s: %s", path, strerror(errno));
	}
	write_names(f, r, text);
	fputs(text + strspn(text, " \t"), f);
	fputc('\n', f);
	return fclose(f) == 0 ? 0 : fail(r, DRILL_BROKEN, place, "%s: %s", path, strerror(errno));
}

int
python_run(struct run *r, const char *text, struct drill_place place)
{
	char path[PATH_MAX], command[PATH_MAX + 32], line[500] = "";
	const char *folder = getenv("TMPDIR");
	int fd, result, status;
	FILE *f;

	if (folder == NULL || folder[0] == '\0')
		folder = "/tmp";
	if (strchr(folder, '\'') != NULL || strlen(folder) + 32 > sizeof path)
		return fail(r, DRILL_BROKEN, place, "TMPDIR %s: expected a shorter name, without quotes",
		    folder);
	snprintf(path, sizeof path, "%s/nke-drill-XXXXXX", folder);
	fd = mkstemp(path);
	if (fd < 0)
		return fail(r, DRILL_BROKEN, place, "%s: %s", path, strerror(errno));
	result = write_code(r, path, fd, text, place);
	snprintf(command, sizeof command, "python3 '%s' 2>&1", path);
	f = result == 0 ? popen(command, "r") : NULL;
	if (f != NULL) {
		while (fgets(line, sizeof line, f) != NULL)
			fputs(line, r->out);
		status = pclose(f);
		line[strcspn(line, "\n")] = '\0';
		if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
			result = fail(r, DRILL_FAILED, place, "python3: %s", line);
	} else if (result == 0)
		result = fail(r, DRILL_BROKEN, place, "python3: %s", strerror(errno));
	unlink(path);
	return result;
}
