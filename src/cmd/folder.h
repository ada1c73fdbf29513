/* A folder's files, for subcommands that take folders. */
#ifndef NKE_CMD_FOLDER_H
#define NKE_CMD_FOLDER_H

#include <stdbool.h>

struct folder_visitor {
	/* For each folder in it: false, it is not entered. NULL: all are. */
	bool (*enter)(void *ctx, const char *path);
	/* For each file: false ends the walk. */
	bool (*file)(void *ctx, const char *path);
};

/*
 * Visits what is in the folder, and in the folders in it, in the order of names; hidden ones are left out.
 * False: a folder cannot be read, or there is no memory, which is told in the name of `command`; or the
 * visitor ended it.
 */
bool folder_walk(const char *command, const char *path, const struct folder_visitor *, void *ctx);

#endif
