/*
 * Memory and strings. memcpy, memmove, memset and memcmp keep their plain names, since compilers
 * call them on their own; the others are bound to the kernel's. None of these sleeps.
 */
#ifndef _STRING_H_
#define _STRING_H_

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/_types/_null.h>
#include <sys/_types/_size_t.h>
#include <sys/_types/_errno_t.h>

__BEGIN_DECLS

void *memcpy(void *to, const void *from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *to, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);

/* The first byte equal to `byte`, or NULL. */
void *memchr(const void *s, int byte, size_t len) __KERNEL_SYMBOL(memchr);
/* memset that no optimiser drops; at most `max` bytes. EINVAL, EOVERFLOW, or 0. */
errno_t memset_s(void *to, size_t max, int byte, size_t len) __KERNEL_SYMBOL(memset_s);

size_t strlen(const char *s) __KERNEL_SYMBOL(strlen);
size_t strnlen(const char *s, size_t max) __KERNEL_SYMBOL(strnlen);

char *strcpy(char *to, const char *from) __KERNEL_SYMBOL(strcpy);
char *strcat(char *to, const char *from) __KERNEL_SYMBOL(strcat);
/* Writes exactly `len` bytes, padded with zeros; no final zero when `from` is as long. */
char *strncpy(char *to, const char *from, size_t len) __KERNEL_SYMBOL(strncpy);
/* Appends up to `len` bytes and a final zero. */
char *strncat(char *to, const char *from, size_t len) __KERNEL_SYMBOL(strncat);
/* These two always end `to` within its `size` and return the length they wanted to write. */
size_t strlcpy(char *to, const char *from, size_t size) __KERNEL_SYMBOL(strlcpy);
size_t strlcat(char *to, const char *from, size_t size) __KERNEL_SYMBOL(strlcat);

int strcmp(const char *a, const char *b) __KERNEL_SYMBOL(strcmp);
int strncmp(const char *a, const char *b, size_t len) __KERNEL_SYMBOL(strncmp);
/* As above, with ASCII letters equal in both cases. */
int strcasecmp(const char *a, const char *b) __KERNEL_SYMBOL(strcasecmp);
int strncasecmp(const char *a, const char *b, size_t len) __KERNEL_SYMBOL(strncasecmp);
/* 1 when `s` starts with `prefix`, else 0. */
int strprefix(const char *s, const char *prefix) __KERNEL_SYMBOL(strprefix);

char *strchr(const char *s, int c) __KERNEL_SYMBOL(strchr);
char *strrchr(const char *s, int c) __KERNEL_SYMBOL(strrchr);
char *strstr(const char *s, const char *find) __KERNEL_SYMBOL(strstr);
/* strstr within the first `len` bytes of `s`. */
char *strnstr(const char *s, const char *find, size_t len) __KERNEL_SYMBOL(strnstr);
/* Cuts the next token off *sp at any of the bytes in `delim`; NULL after the last. */
char *strsep(char **sp, const char *delim) __KERNEL_SYMBOL(strsep);

/* bcmp: 0 when equal. bcopy: overlapping allowed; note the order of the arguments. */
int bcmp(const void *a, const void *b, size_t len) __KERNEL_SYMBOL(bcmp);
void bcopy(const void *from, void *to, size_t len) __KERNEL_SYMBOL(bcopy);
void bzero(void *to, size_t len) __KERNEL_SYMBOL(bzero);

__END_DECLS

/*
 * Freestanding compilation would make every one of these a call; as builtins the small ones become a
 * few instructions. Their addresses can still be taken.
 */
#define memcpy(dst, src, n) __builtin_memcpy(dst, src, n)
#define memmove(dst, src, n) __builtin_memmove(dst, src, n)
#define memset(dst, c, n) __builtin_memset(dst, c, n)
#define memcmp(a, b, n) __builtin_memcmp(a, b, n)

#endif
