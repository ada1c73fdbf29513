/* The parts of `nke build`: build.c orders them. */
#ifndef NKE_CMD_BUILD_H
#define NKE_CMD_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include <nke/kext.h>

#include "src/cmd/spawn.h"

/* What was asked for, and what became of it. */
struct build {
	char **sources;			/* files; as given, also folders: build_expand() */
	size_t source_count;
	struct command expanded;	/* the sources, when there were folders among them */
	struct command folders;		/* where "" headers are looked for */
	struct command plists, prefixes;	/* property lists and prefix headers in those folders */
	char **flags;			/* the caller's own, after -- */
	size_t flag_count;
	const char *output;		/* NULL: from the first source */
	const char *start, *stop;	/* NULL: NAME_start, NAME_stop, or the only ones there are */
	const char *id, *version;	/* NULL: the plist's, kmod_info's, or made up */
	const char *plist;		/* NULL: write one */
	char **defines;			/* NAME=VALUE for the plist's variables */
	size_t define_count;
	bool verbose;

	char name[64];			/* NAME */
	char c_name[64];		/* the same as a C identifier */
	char folder[256];		/* temporary */
	bool bundle;			/* output is NAME.kext, not a bare object */
	bool cplusplus;			/* a source is C++ */
	struct command objects;		/* what was compiled */
	char kernel_include[4096];
	char compiler_include[2][4096];	/* of the C and of the C++ compiler */
	char libgcc[4096];		/* "" none */
	bool clang[2];			/* likewise */
};

/* ---- build.c ---- */

/* There is something before that end, too. */
bool build_ends_with(const char *s, const char *end);

/* ---- build_folder.c ---- */

/* Puts the files of folders in the place of the folders. An exit code. */
int build_expand(struct build *);
void build_expand_free(struct build *);

/* ---- build_compile.c ---- */

/* Finds the compiler and headers. An exit code. */
int build_find_tools(struct build *);
/* By the name's extension: C++; anything that is compiled. */
bool build_is_cplusplus(const char *source);
bool build_is_source(const char *path);
/* Compiles a file, with `flag` if not NULL, into the temporary folder, adds to `objects`. An exit code. */
int build_compile(struct build *, const char *source, const char *flag);
/* Links all objects into `path`. An exit code. */
int build_link(struct build *, const char *path);

/* ---- build_glue.c ---- */

/* Compiles the C++ runtime that every C++ kext has in itself. An exit code. */
int build_add_runtime(struct build *);
/*
 * Compiles what a kext needs besides its own sources, if anything: kmod_info unless `info` says that it
 * has one, Apple's _start and _stop around _realmain and _antimain. An exit code.
 */
int build_add_entry(struct build *, const struct nke_kext_info *info);

/* ---- build_plist.c ---- */

/*
 * The text of Info.plist, to be freed: the caller's with its variables put in, or a new one that lists
 * the sets `info` uses. NULL after an error was told.
 */
char *build_plist_text(struct build *, const struct nke_kext_info *info);
/* The string behind a key of a property list's text, in `value`; false when there is none. */
bool build_plist_string(const char *text, const char *key, char *value, size_t size);

#endif
