/*
 * string.h, but for memcpy, memmove, memset and memcmp, which the compiler calls by itself and the
 * host provides. Exported with the prefix kern_ (or plainly, where the host has no such name).
 */
#include <stdint.h>
#include <string.h>
#include <sys/errno.h>

/* ---- bytes -------------------------------------------------------------------------------- */

void *
memchr(const void *s, int byte, size_t len)
{
	const unsigned char *p = s;

	for (; len > 0; len--, p++)
		if (*p == (unsigned char)byte)
			return (void *)(uintptr_t)p;
	return NULL;
}

/* C11 K.3.7.4.1: a violated constraint still fills the whole of the buffer. */
errno_t
memset_s(void *to, size_t max, int byte, size_t len)
{
	errno_t error = len > max ? EOVERFLOW : 0;
	volatile unsigned char *p = to;

	if (to == NULL)
		return EINVAL;
	if (max > SIZE_MAX >> 1)
		return E2BIG;
	if (len > max)
		len = max;
	while (len-- > 0)
		*p++ = (unsigned char)byte;
	return error;
}

int
bcmp(const void *a, const void *b, size_t len)
{
	return memcmp(a, b, len) != 0;
}

void
bcopy(const void *from, void *to, size_t len)
{
	memmove(to, from, len);
}

void
bzero(void *to, size_t len)
{
	memset(to, 0, len);
}

/* ---- lengths and copies ------------------------------------------------------------------- */

size_t
strlen(const char *s)
{
	const char *p = s;

	while (*p != '\0')
		p++;
	return (size_t)(p - s);
}

size_t
strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n] != '\0')
		n++;
	return n;
}

char *
strcpy(char *to, const char *from)
{
	memcpy(to, from, strlen(from) + 1);
	return to;
}

char *
strcat(char *to, const char *from)
{
	memcpy(to + strlen(to), from, strlen(from) + 1);
	return to;
}

char *
strncpy(char *to, const char *from, size_t len)
{
	size_t n = strnlen(from, len);

	memcpy(to, from, n);
	memset(to + n, 0, len - n);
	return to;
}

char *
strncat(char *to, const char *from, size_t len)
{
	char *end = to + strlen(to);
	size_t n = strnlen(from, len);

	memcpy(end, from, n);
	end[n] = '\0';
	return to;
}

size_t
strlcpy(char *to, const char *from, size_t size)
{
	size_t len = strlen(from), n = len;

	if (size == 0)
		return len;
	if (n > size - 1)
		n = size - 1;
	memcpy(to, from, n);
	to[n] = '\0';
	return len;
}

/* A `to` without an end within `size` is left alone. */
size_t
strlcat(char *to, const char *from, size_t size)
{
	size_t have = strnlen(to, size);

	return have == size ? size + strlen(from) : have + strlcpy(to + have, from, size - have);
}

/* ---- comparing ---------------------------------------------------------------------------- */

static int
lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

int
strcmp(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b)
		a++, b++;
	return (unsigned char)*a - (unsigned char)*b;
}

int
strncmp(const char *a, const char *b, size_t len)
{
	for (; len > 0; len--, a++, b++)
		if (*a != *b || *a == '\0')
			return (unsigned char)*a - (unsigned char)*b;
	return 0;
}

int
strncasecmp(const char *a, const char *b, size_t len)
{
	for (; len > 0; len--, a++, b++) {
		int difference = lower((unsigned char)*a) - lower((unsigned char)*b);

		if (difference != 0 || *a == '\0')
			return difference;
	}
	return 0;
}

int
strcasecmp(const char *a, const char *b)
{
	return strncasecmp(a, b, SIZE_MAX);
}

int
strprefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* ---- finding ------------------------------------------------------------------------------ */

char *
strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (*s == '\0')
			return NULL;
	}
}

char *
strrchr(const char *s, int c)
{
	const char *found = NULL;

	for (;; s++) {
		if (*s == (char)c)
			found = s;
		if (*s == '\0')
			return (char *)(uintptr_t)found;
	}
}

char *
strnstr(const char *s, const char *find, size_t len)
{
	size_t n = strlen(find), room = strnlen(s, len);

	for (; room >= n; s++, room--)
		if (memcmp(s, find, n) == 0)
			return (char *)(uintptr_t)s;
	return NULL;
}

char *
strstr(const char *s, const char *find)
{
	return strnstr(s, find, SIZE_MAX);
}

char *
strsep(char **sp, const char *delim)
{
	char *token = *sp;

	if (token == NULL)
		return NULL;
	for (char *p = token; *p != '\0'; p++) {
		if (strchr(delim, *p) == NULL)
			continue;
		*p = '\0';
		*sp = p + 1;
		return token;
	}
	*sp = NULL;
	return token;
}
