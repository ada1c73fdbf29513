/* A kext on disk: its folder, property list and executable. Nothing here looks into the image. */
#ifndef NKE_HOST_KEXT_BUNDLE_H
#define NKE_HOST_KEXT_BUNDLE_H

#include "src/host/text.h"

struct bundle_library {
	char *identifier, *version;
};

struct kext_bundle {
	char *path;			/* as given, without slashes at the end */
	char *plist;			/* path of Info.plist; NULL: a bare shared object */
	char *executable;		/* path */
	char *name;			/* NAME of NAME_start: the executable's, without .so */
	char *identifier;		/* NULL: bare, to be had from the image or the name */
	char *version;			/* NULL: bare */
	char *compatible_version;	/* NULL: none */
	struct bundle_library *libraries;
	size_t library_count;
};

/*
 * Finds out what is at `path`. ENOENT, EINVAL (property list), ENOMEM, or what the host says of a
 * file; the text says which file and key. The bundle is to be freed also after an error.
 */
int bundle_read(const char *path, struct kext_bundle *, struct kext_text *);
void bundle_free(struct kext_bundle *);
/* The whole file in fresh memory, with a NUL behind it. EFBIG when it is larger than `max`. */
int file_read(const char *path, size_t max, char **data, size_t *size, struct kext_text *);

#endif
