/* Walks a folder: `nke drill` looks for scripts in one, `nke build` for sources. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/cmd/cmd.h"
#include "src/cmd/folder.h"

#define DEEPEST	32u		/* folders in folders: links may go round */

static int
not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* alphasort's order would be the locale's. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool walk(const char *command, const char *path, const struct folder_visitor *, void *ctx,
    unsigned depth);

static bool
visit(const char *command, const char *path, const struct folder_visitor *v, void *ctx, unsigned depth)
{
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return v->file(ctx, path);
	if (depth == DEEPEST || (v->enter != NULL && !v->enter(ctx, path)))
		return true;
	return walk(command, path, v, ctx, depth + 1);
}

static bool
walk(const char *command, const char *path, const struct folder_visitor *v, void *ctx, unsigned depth)
{
	size_t len = strlen(path);
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, not_hidden, by_name);
	bool ok = count >= 0;

	if (!ok)
		cmd_error(command, "%s: %s", path, strerror(errno));
	for (int i = 0; i < count; i++) {
		char *inner = NULL;

		if (ok && asprintf(&inner, "%s%s%s", path, len > 0 && path[len - 1] == '/' ? "" : "/",
		    entries[i]->d_name) < 0) {
			cmd_error(command, "%s: no memory", path);
			ok = false;
		} else if (ok) {
			ok = visit(command, inner, v, ctx, depth);
			free(inner);
		}
		free(entries[i]);
	}
	free(entries);
	return ok;
}

bool
folder_walk(const char *command, const char *path, const struct folder_visitor *v, void *ctx)
{
	return walk(command, path, v, ctx, 0);
}
