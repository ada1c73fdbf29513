/*
 * `nke build FOLDER`: what Xcode would know from the project. All sources in the folder and in those in it
 * are the kext's, but those that another one includes; "" headers are found wherever they are in it, as by
 * Xcode's header maps; its only prefix header and its only Info.plist are used.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "src/cmd/build.h"
#include "src/cmd/cmd.h"
#include "src/cmd/folder.h"

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* Folders whose names have a dot are bundles of some kind: projects, kexts, translations. */
static bool
enter(void *ctx, const char *path)
{
	struct build *b = ctx;

	if (strchr(base_name(path), '.') != NULL)
		return false;
	command_add(&b->folders, path);
	return true;
}

static bool
file(void *ctx, const char *path)
{
	struct build *b = ctx;

	if (build_is_source(path))
		command_add(&b->expanded, path);
	else if (build_ends_with(path, ".pch"))
		command_add(&b->prefixes, path);
	else if (build_ends_with(path, "Info.plist"))
		command_add(&b->plists, path);
	return true;
}

/* ---- sources that are included ------------------------------------------------------------ */

/* The last part of the path that the line includes, in `name`; false when it includes nothing. */
static bool
included_name(const char *line, char name[256])
{
	char path[256];
	char keyword[16];

	if (sscanf(line, " # %15[a-z] %*[<\"]%255[^>\"]", keyword, path) != 2 ||
	    (strcmp(keyword, "include") != 0 && strcmp(keyword, "import") != 0))
		return false;
	snprintf(name, 256, "%s", base_name(path));
	return true;
}

/* Takes sources of that name off the list, from `first` on: they are compiled where they are included. */
static void
leave_out(struct command *list, size_t first, const char *name)
{
	size_t kept = first;

	for (size_t i = first; i < list->count; i++) {
		if (strcmp(base_name(list->argv[i]), name) == 0)
			free(list->argv[i]);
		else
			list->argv[kept++] = list->argv[i];
	}
	list->count = kept;
	list->argv[kept] = NULL;
}

/* Of the sources from `first` on. A file that cannot be read is told of when it is compiled. */
static void
leave_out_included(struct build *b, size_t first)
{
	struct command names = {0};
	char *line = NULL, name[256];
	size_t size = 0;

	for (size_t i = first; i < b->expanded.count; i++) {
		FILE *f = fopen(b->expanded.argv[i], "r");

		while (f != NULL && getline(&line, &size, f) > 0) {
			if (included_name(line, name) && build_is_source(name))
				command_add(&names, name);
		}
		if (f != NULL)
			fclose(f);
	}
	free(line);
	for (size_t i = 0; i < names.count && b->expanded.count > first; i++)
		leave_out(&b->expanded, first, names.argv[i]);
	b->expanded.failed = b->expanded.failed || names.failed;
	command_free(&names);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static const struct folder_visitor visitor = {enter, file};

static int
add_folder(struct build *b, const char *path)
{
	size_t before = b->expanded.count;

	if (build_ends_with(path, ".xcodeproj") || build_ends_with(path, ".xcodeproj/")) {
		cmd_error("build", "%s: projects are not read; name the folder that the kext's sources are "
		    "in, or the sources", path);
		return CMD_INPUT;
	}
	command_add(&b->folders, path);
	if (!folder_walk("build", path, &visitor, b))
		return CMD_INPUT;
	if (b->expanded.count == before) {
		cmd_error("build", "%s: no sources (C, C++, assembly) are in this folder", path);
		return CMD_INPUT;
	}
	leave_out_included(b, before);
	return CMD_OK;
}

int
build_expand(struct build *b)
{
	bool folders = false;
	struct stat st;

	for (size_t i = 0; i < b->source_count; i++) {
		int code = CMD_OK;

		if (stat(b->sources[i], &st) == 0 && S_ISDIR(st.st_mode)) {
			folders = true;
			code = add_folder(b, b->sources[i]);
		} else {
			command_add(&b->expanded, b->sources[i]);
		}
		if (code != CMD_OK)
			return code;
	}
	if (b->expanded.failed || b->folders.failed || b->prefixes.failed || b->plists.failed) {
		cmd_error("build", "no memory");
		return CMD_INPUT;
	}
	if (!folders)
		return CMD_OK;
	b->sources = b->expanded.argv;
	b->source_count = b->expanded.count;
	if (b->plist == NULL && b->plists.count > 1) {
		cmd_error("build", "%s and %s: which is the kext's property list? Name it with --plist",
		    b->plists.argv[0], b->plists.argv[1]);
		return CMD_USAGE;
	}
	if (b->plist == NULL)
		b->plist = b->plists.count == 1 ? b->plists.argv[0] : NULL;
	return CMD_OK;
}

void
build_expand_free(struct build *b)
{
	command_free(&b->expanded);
	command_free(&b->folders);
	command_free(&b->plists);
	command_free(&b->prefixes);
}
