/* Scripts of `nke drill`: files as they are named, and what folders have. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/cmd/drill.h"
#include "src/cmd/folder.h"

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

static bool
add_script(void *list, const char *path)
{
	return !is_script(path) || add(list, path);
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
	if (!folder_walk("drill", path, &(const struct folder_visitor){.file = add_script}, list))
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
