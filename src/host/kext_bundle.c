/*
 * Reads a kext's folder and property list.
 *
 * A bundle is NAME.kext/Contents/Info.plist with the executable in Contents/MacOS, or a folder that
 * holds both side by side. Anything that is no folder is taken for a bare shared object.
 */
#include <errno.h>
#include <fcntl.h>
#include <plist/plist.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/host/kext_bundle.h"

/* Far above any Info.plist, and low enough for the parser's recursion. */
#define PLIST_MAX	((size_t)64 << 10)

int
file_read(const char *path, size_t max, char **data, size_t *size, struct kext_text *text)
{
	struct stat st;
	size_t have = 0;
	int error = 0, fd;

	*data = NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0) {
		error = errno;
		text_add(text, "%s: %s\n", path, strerror(error));
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		error = text_fail(text, EINVAL, "%s: not a regular file\n", path);
		goto out;
	}
	if ((uint64_t)st.st_size > max) {
		error = text_fail(text, EFBIG, "%s: %lld bytes; expected at most %zu\n", path,
		    (long long)st.st_size, max);
		goto out;
	}
	*data = malloc((size_t)st.st_size + 1);
	if (*data == NULL) {
		error = text_fail(text, ENOMEM, "%s: no memory\n", path);
		goto out;
	}
	while (have < (size_t)st.st_size) {
		ssize_t n = read(fd, *data + have, (size_t)st.st_size - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error = errno;
			text_add(text, "%s: offset %zu: %s\n", path, have, strerror(error));
			goto out;
		}
		if (n == 0)
			break;
		have += (size_t)n;
	}
	(*data)[have] = '\0';
	*size = have;
out:
	if (fd >= 0)
		close(fd);
	if (error != 0) {
		free(*data);
		*data = NULL;
	}
	return error;
}

/* ---- property list ------------------------------------------------------------------------ */

/* A string node's text, which libplist keeps; NULL for other nodes, and for text with a NUL in it. */
static const char *
string_of(plist_t node)
{
	uint64_t length = 0;
	const char *s = plist_get_string_ptr(node, &length);

	return s != NULL && memchr(s, '\0', length) == NULL ? s : NULL;
}

/* A string of the list in fresh memory. ENOENT when the key is absent (no message). */
static int
get_string(const char *file, plist_t root, const char *key, char **value, struct kext_text *text)
{
	plist_t node = plist_dict_get_item(root, key);
	const char *s;

	*value = NULL;
	if (node == NULL)
		return ENOENT;
	s = string_of(node);
	if (s == NULL || s[0] == '\0')
		return text_fail(text, EINVAL, "%s: key %s: not a string, or an empty one\n", file, key);
	*value = strdup(s);
	if (*value == NULL)
		return text_fail(text, ENOMEM, "%s: key %s: no memory\n", file, key);
	return 0;
}

static int
need_string(const char *file, plist_t root, const char *key, char **value, struct kext_text *text)
{
	int error = get_string(file, root, key, value, text);

	if (error == ENOENT)
		return text_fail(text, EINVAL, "%s: key %s is missing; every kext has one\n", file, key);
	return error;
}

static int
add_library(struct kext_bundle *b, const char *key, plist_t value, struct kext_text *text)
{
	struct bundle_library *l = &b->libraries[b->library_count++];

	l->identifier = strdup(key);
	l->version = strdup(string_of(value));
	if (l->identifier == NULL || l->version == NULL)
		return text_fail(text, ENOMEM, "%s: no memory\n", b->plist);
	return 0;
}

/*
 * A dictionary whose values are all strings, written out and read again: a key with a NUL in it, which
 * libplist would not survive handing over, ends there. NULL when a value is no string.
 */
static plist_t
clean_copy(plist_t dict)
{
	plist_dict_iter iter = NULL;
	plist_t value = NULL, copy = NULL;
	char *xml = NULL;
	uint32_t size = 0;

	plist_dict_new_iter(dict, &iter);
	if (iter == NULL)
		return NULL;
	do {
		plist_dict_next_item(dict, iter, NULL, &value);
	} while (value != NULL && string_of(value) != NULL);
	free(iter);
	if (value != NULL)
		return NULL;
	plist_to_xml(dict, &xml, &size);
	if (xml != NULL)
		plist_from_xml(xml, size, &copy);
	plist_to_xml_free(xml);
	return copy;
}

static int
add_libraries(struct kext_bundle *b, plist_t dict, struct kext_text *text)
{
	plist_dict_iter iter = NULL;
	char *key = NULL;
	plist_t value = NULL;
	int error = 0;

	b->libraries = calloc((size_t)plist_dict_get_size(dict) + 1, sizeof b->libraries[0]);
	plist_dict_new_iter(dict, &iter);
	if (b->libraries == NULL || iter == NULL) {
		free(iter);
		return text_fail(text, ENOMEM, "%s: no memory\n", b->plist);
	}
	while (error == 0) {
		plist_dict_next_item(dict, iter, &key, &value);
		if (key == NULL || value == NULL)
			break;
		error = add_library(b, key, value, text);
		free(key);
		key = NULL;
	}
	free(key);
	free(iter);
	return error;
}

static int
get_libraries(struct kext_bundle *b, plist_t root, struct kext_text *text)
{
#if defined(__x86_64__)
	plist_t dict = plist_dict_get_item(root, "OSBundleLibraries_x86_64");
#else
	plist_t dict = NULL;
#endif
	plist_t copy;
	int error;

	if (dict == NULL)
		dict = plist_dict_get_item(root, "OSBundleLibraries");
	if (dict == NULL)
		return 0;
	copy = plist_get_node_type(dict) == PLIST_DICT ? clean_copy(dict) : NULL;
	if (copy == NULL || plist_get_node_type(copy) != PLIST_DICT)
		error = text_fail(text, EINVAL, "%s: key OSBundleLibraries: not a dictionary of "
		    "identifiers and versions, both strings\n", b->plist);
	else
		error = add_libraries(b, copy, text);
	plist_free(copy);
	return error;
}

/* The executable's name: a plain one, because it is looked for inside the bundle. */
static int
get_executable(struct kext_bundle *b, plist_t root, struct kext_text *text)
{
	int error = need_string(b->plist, root, "CFBundleExecutable", &b->name, text);

	if (error == 0 && (strchr(b->name, '/') != NULL || b->name[0] == '.'))
		error = text_fail(text, EINVAL, "%s: key CFBundleExecutable: '%s' is not the name of a "
		    "file in the bundle\n", b->plist, b->name);
	return error;
}

static int
read_plist(struct kext_bundle *b, struct kext_text *text)
{
	plist_t root = NULL;
	char *data;
	size_t size = 0;
	int error = file_read(b->plist, PLIST_MAX, &data, &size, text);

	if (error != 0)
		return error;
	if (size >= 8 && plist_is_binary(data, (uint32_t)size))
		plist_from_bin(data, (uint32_t)size, &root);
	else
		plist_from_xml(data, (uint32_t)size, &root);
	free(data);
	if (root == NULL || plist_get_node_type(root) != PLIST_DICT) {
		error = text_fail(text, EINVAL, "%s: not a property list with a dictionary in it; expected "
		    "XML or binary\n", b->plist);
		goto out;
	}
	error = need_string(b->plist, root, "CFBundleIdentifier", &b->identifier, text);
	if (error == 0)
		error = need_string(b->plist, root, "CFBundleVersion", &b->version, text);
	if (error == 0)
		error = get_executable(b, root, text);
	if (error == 0) {
		error = get_string(b->plist, root, "OSBundleCompatibleVersion", &b->compatible_version,
		    text);
		error = error == ENOENT ? 0 : error;
	}
	if (error == 0)
		error = get_libraries(b, root, text);
out:
	plist_free(root);
	return error;
}

/* ---- folders ------------------------------------------------------------------------------ */

static bool
exists(const char *path)
{
	return path != NULL && access(path, F_OK) == 0;
}

/* "/a/b/filter.so" is called "filter". */
static char *
bare_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = strdup(slash != NULL ? slash + 1 : path);
	char *dot = name != NULL ? strchr(name, '.') : NULL;

	if (dot != NULL && dot != name)
		*dot = '\0';
	return name;
}

static int
read_folder(struct kext_bundle *b, struct kext_text *text)
{
	const char *where = "/Contents/MacOS";
	int error;

	b->plist = text_new("%s/Contents/Info.plist", b->path);
	if (!exists(b->plist)) {
		where = "";
		free(b->plist);
		b->plist = text_new("%s/Info.plist", b->path);
	}
	if (!exists(b->plist))
		return text_fail(text, ENOENT, "%s: no kext: it has neither Contents/Info.plist nor "
		    "Info.plist; sources become one by 'nke build'\n", b->path);
	error = read_plist(b, text);
	if (error != 0)
		return error;
	b->executable = text_new("%s%s/%s", b->path, where, b->name);
	if (!exists(b->executable))
		return text_fail(text, ENOENT, "%s: key CFBundleExecutable: there is no %s%s/%s; "
		    "sources become a kext by 'nke build'\n", b->plist, b->path, where, b->name);
	return 0;
}

int
bundle_read(const char *path, struct kext_bundle *b, struct kext_text *text)
{
	struct stat st;
	size_t n;

	memset(b, 0, sizeof *b);
	b->path = strdup(path);
	if (b->path == NULL)
		return text_fail(text, ENOMEM, "%s: no memory\n", path);
	for (n = strlen(b->path); n > 1 && b->path[n - 1] == '/'; n--)
		b->path[n - 1] = '\0';
	if (stat(b->path, &st) != 0) {
		int error = errno;

		text_add(text, "%s: %s\n", path, strerror(error));
		return error;
	}
	if (S_ISDIR(st.st_mode))
		return read_folder(b, text);
	b->executable = strdup(b->path);
	b->name = bare_name(b->path);
	if (b->executable == NULL || b->name == NULL)
		return text_fail(text, ENOMEM, "%s: no memory\n", path);
	return 0;
}

void
bundle_free(struct kext_bundle *b)
{
	for (size_t i = 0; i < b->library_count; i++) {
		free(b->libraries[i].identifier);
		free(b->libraries[i].version);
	}
	free(b->libraries);
	free(b->path);
	free(b->plist);
	free(b->executable);
	free(b->name);
	free(b->identifier);
	free(b->version);
	free(b->compatible_version);
	memset(b, 0, sizeof *b);
}
