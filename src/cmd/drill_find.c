/* Scripts of `nke drill`: files as they are named, and what folders have. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/cmd/drill.h"

#define DEEPEST	32u		/* folders in folders: links may go round */

static bool
add(struct drill_items *list, const char *path)
{
	struct drill_item *items;

	if (list->count == list->room) {
		size_t room = list->room == 0 ? 64 : 2 * list->room;

		items = realloc(list->items, room * sizeof *items);
		if (items == NULL)
			return false;
		list->items = items;
		list->room = room;
	}
	items = &list->items[list->count];
	memset(items, 0, sizeof *items);
	items->path = strdup(path);
	if (items->path == NULL)
		return false;
	list->count++;
	return true;
}

static bool
is_script(const char *name)
{
	size_t n = strlen(name);

	return n > 4 && strcmp(name + n - 4, ".pkt") == 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder but hidden ones, sorted. NULL with errno. To be freed with free_names(). */
static char **
names_of(const char *path, size_t *count)
{
	DIR *d = opendir(path);
	char **names = NULL, **more;
	size_t room = 0;
	struct dirent *e;
	int error = 0;

	*count = 0;
	if (d == NULL)
		return NULL;
	while (error == 0 && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (*count == room) {
			room = room == 0 ? 64 : 2 * room;
			more = realloc(names, room * sizeof *names);
			if (more == NULL) {
				error = ENOMEM;
				break;
			}
			names = more;
		}
		names[*count] = strdup(e->d_name);
		if (names[*count] == NULL)
			error = ENOMEM;
		else
			++*count;
	}
	closedir(d);
	if (names == NULL && error == 0)
		names = calloc(1, sizeof *names);
	else if (names != NULL)
		qsort(names, *count, sizeof *names, by_name);
	if (error != 0)
		errno = error;
	return names;
}

static void
free_names(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static bool
find(struct drill_items *list, const char *path, unsigned depth)
{
	size_t count, len = strlen(path);
	char **names, *inner;
	struct stat st;
	bool ok = true;

	names = names_of(path, &count);
	if (names == NULL) {
		cmd_error("drill", "%s: %s", path, strerror(errno));
		return false;
	}
	for (size_t i = 0; i < count && ok; i++) {
		inner = malloc(len + strlen(names[i]) + 2);
		ok = inner != NULL;
		if (!ok)
			break;
		sprintf(inner, "%s%s%s", path, len > 0 && path[len - 1] == '/' ? "" : "/", names[i]);
		if (stat(inner, &st) == 0 && S_ISDIR(st.st_mode))
			ok = depth == DEEPEST || find(list, inner, depth + 1);
		else if (is_script(names[i]))
			ok = add(list, inner);
		free(inner);
	}
	free_names(names, count);
	return ok;
}

bool
drill_find(struct drill_items *list, const char *path)
{
	size_t before = list->count;
	struct stat st;

	if (stat(path, &st) != 0) {
		cmd_error("drill", "%s: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISDIR(st.st_mode))
		return add(list, path);
	if (!find(list, path, 0))
		return false;
	if (list->count == before) {
		cmd_error("drill", "%s: no scripts (*.pkt) are in this folder", path);
		return false;
	}
	return true;
}

void
drill_items_free(struct drill_items *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct drill_item *item = &list->items[i];

		free(item->path);
		free(item->capture);
		free(item->result.text);
		free(item->out);
	}
	free(list->items);
	memset(list, 0, sizeof *list);
}
