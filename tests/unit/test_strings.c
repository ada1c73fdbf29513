/* kpi/string.c */
#include <string.h>
#include <sys/errno.h>

#include "tests/unit/ktest.h"

KTEST(lengths)
{
	CHECK_EQ(strlen(""), 0);
	CHECK_EQ(strlen("abc"), 3);
	CHECK_EQ(strnlen("abc", 2), 2);
	CHECK_EQ(strnlen("abc", 9), 3);
	CHECK_EQ(strnlen("abc", 0), 0);
}

KTEST(copies)
{
	char b[8];

	CHECK(strcpy(b, "abc") == b);
	CHECK_STR(strcat(b, "de"), "abcde");
	memset(b, 'z', sizeof b);
	strncpy(b, "ab", 4);
	CHECK_EQ(memcmp(b, "ab\0\0zzzz", 8), 0);
	strncpy(b, "abcdefgh", 3);
	CHECK_EQ(b[2], 'c');
	CHECK_EQ(b[3], 0);
	strcpy(b, "ab");
	CHECK_STR(strncat(b, "cdef", 2), "abcd");
}

KTEST(bounded_copies)
{
	char b[4] = "zzz";

	CHECK_EQ(strlcpy(b, "abcdef", sizeof b), 6);
	CHECK_STR(b, "abc");
	CHECK_EQ(strlcpy(b, "x", sizeof b), 1);
	CHECK_EQ(strlcat(b, "yzw", sizeof b), 4);
	CHECK_STR(b, "xyz");
	CHECK_EQ(strlcpy(b, "abc", 0), 3);
	CHECK_STR(b, "xyz");
	CHECK_EQ(strlcat(b, "ab", 2), 4);
	CHECK_STR(b, "xyz");
}

KTEST(comparisons)
{
	CHECK_EQ(strcmp("a", "a"), 0);
	CHECK(strcmp("a", "b") < 0);
	CHECK(strcmp("\xff", "a") > 0);
	CHECK(strcmp("ab", "a") > 0);
	CHECK_EQ(strncmp("abc", "abd", 2), 0);
	CHECK(strncmp("abc", "abd", 3) < 0);
	CHECK_EQ(strncmp("a", "b", 0), 0);
	CHECK_EQ(strcasecmp("HeLLo", "hEllO"), 0);
	CHECK(strcasecmp("a", "B") < 0);
	CHECK_EQ(strncasecmp("ABx", "aby", 2), 0);
	CHECK_EQ(strprefix("abc", "ab"), 1);
	CHECK_EQ(strprefix("abc", "b"), 0);
	CHECK_EQ(strprefix("a", "ab"), 0);
	CHECK_EQ(bcmp("ab", "ab", 2), 0);
	CHECK(bcmp("ab", "ac", 2) != 0);
}

KTEST(searches)
{
	const char *s = "a.b.c";

	CHECK(strchr(s, '.') == s + 1);
	CHECK(strrchr(s, '.') == s + 3);
	CHECK(strchr(s, 0) == s + 5);
	CHECK(strrchr(s, 0) == s + 5);
	CHECK(strchr(s, 'x') == NULL);
	CHECK(strstr(s, "b.c") == s + 2);
	CHECK(strstr(s, "") == s);
	CHECK(strstr(s, "b.d") == NULL);
	CHECK(strnstr(s, "b.c", 4) == NULL);
	CHECK(strnstr(s, "b.c", 5) == s + 2);
	CHECK(strnstr(s, "abcdefgh", 99) == NULL);
	CHECK(memchr("\1\2\3", 3, 2) == NULL);
	CHECK(memchr(s, 'b', 5) == s + 2);
}

KTEST(tokens)
{
	char b[] = "a,,b;c", *p = b;

	CHECK_STR(strsep(&p, ",;"), "a");
	CHECK_STR(strsep(&p, ",;"), "");
	CHECK_STR(strsep(&p, ",;"), "b");
	CHECK_STR(strsep(&p, ",;"), "c");
	CHECK(strsep(&p, ",;") == NULL);
}

KTEST(bytes)
{
	char b[6] = "abcde";

	bcopy(b, b + 1, 4);
	CHECK_STR(b, "aabcd");
	bzero(b, 2);
	CHECK_EQ(b[0], 0);
	CHECK_EQ(memset_s(b, sizeof b, 'x', 3), 0);
	CHECK_EQ(b[2], 'x');
	CHECK_EQ(memset_s(b, 2, 'y', 3), EOVERFLOW);
	CHECK_EQ(b[1], 'y');
	CHECK_EQ(b[2], 'x');
	CHECK_EQ(memset_s(NULL, 2, 'y', 2), EINVAL);
}

KTEST_SUITE(strings, T(lengths), T(copies), T(bounded_copies), T(comparisons), T(searches),
    T(tokens), T(bytes));
