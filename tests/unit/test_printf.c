/* src/kern/subr_prf.c: every conversion, flag, width, precision and length. */
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wformat-overflow"
#endif
#include <libkern/libkern.h>
#include <limits.h>

#include "src/kern/klog.h"
#include "tests/unit/ktest.h"

static char text[256];

#define FORMATS(want, ...) do {							\
	int n_ = ksnprintf(text, sizeof text, __VA_ARGS__);			\
	CHECK_STR(text, want);							\
	CHECK_EQ(n_, sizeof(want) - 1);						\
} while (0)

KTEST(integers)
{
	FORMATS("0 -1 2147483647 -2147483648", "%d %i %d %d", 0, -1, INT_MAX, INT_MIN);
	FORMATS("4294967295", "%u", UINT_MAX);
	FORMATS("377 ff FF", "%o %x %X", 255, 255, 255);
	FORMATS("-9223372036854775808", "%ld", LONG_MIN);
	FORMATS("18446744073709551615", "%llu", ULLONG_MAX);
	FORMATS("1777777777777777777777", "%llo", ULLONG_MAX);
}

KTEST(lengths)
{
	FORMATS("-1 255", "%hhd %hhu", 255, 511);
	FORMATS("-1 65535", "%hd %hu", 65535, 65535);
	FORMATS("-5 5 5 -5 5", "%jd %zu %tu %qd %Lu", (int64_t)-5, (size_t)5, (size_t)5, (int64_t)-5,
	    (uint64_t)5);
}

KTEST(flags_widths_and_precisions)
{
	FORMATS("   42|42   |00042", "%5d|%-5d|%05d", 42, 42, 42);
	FORMATS("+42| 42|-42", "%+d|% d|%+d", 42, 42, -42);
	FORMATS("0x2a|0X2A|052|0", "%#x|%#X|%#o|%#x", 42, 42, 42, 0);
	FORMATS("0x002a|  0x2a|0x2a  ", "%#06x|%#6x|%-#6x", 42, 42, 42);
	FORMATS("00042|  042|-0042", "%.5d|%5.3d|%.4d", 42, 42, -42);
	FORMATS("||0|", "%.0d|%.0x|%#.0o|%.d", 0, 0, 0, 0);
	FORMATS("   42|42   |042", "%*d|%*d|%.*d", 5, 42, -5, 42, 3, 42);
	FORMATS("42", "%.*d", -1, 42);
	FORMATS("   00042", "%08.5d", 42);
}

KTEST(characters_and_strings)
{
	FORMATS("a|  a|a  ", "%c|%3c|%-3c", 'a', 'a', 'a');
	FORMATS("abc|  abc|abc  |ab|   ab", "%s|%5s|%-5s|%.2s|%5.2s", "abc", "abc", "abc", "abc", "abc");
	FORMATS("(null)", "%s", (const char *)NULL);
	FORMATS("100%", "100%%");
	FORMATS("ab", "%.2s", (const char[]){'a', 'b'});
}

KTEST(pointers)
{
	FORMATS("0xdeadbeef", "%p", (void *)0xdeadbeef);
	FORMATS("0x0", "%p", NULL);
	FORMATS("    0x1", "%7p", (void *)1);
}

KTEST(bits_by_name)
{
	FORMATS("3<UP,BROADCAST>", "%b", 3, "\20\1UP\2BROADCAST\3DEBUG");
	FORMATS("0", "%b", 0, "\20\1UP");
	FORMATS("101<A,C>", "%b", 5, "\2\1A\2B\3C");
	FORMATS("80000000<TOP>", "%b", INT_MIN, "\20\40TOP");
	FORMATS("12<B>x", "%bx", 10, "\10\2B\3C");
}

KTEST(bytes_in_hexadecimal)
{
	FORMATS("00:1b:ff:00:00:01", "%6D", (const unsigned char[]){0, 0x1b, 0xff, 0, 0, 1}, ":");
}

KTEST(what_the_kernel_lacks)
{
	int untouched = 7;

	FORMATS("ab", "a%nb", &untouched);
	CHECK_EQ(untouched, 7);
	FORMATS("? 5", "%f %d", 1.5, 5);
	FORMATS("%y 5", "%y %d", 5);
	FORMATS("%", "%");
	FORMATS("%-5", "%-5");
	FORMATS("x 4", "%{public}s %{private, mask.hash}d", "x", 4);
}

KTEST(buffers_are_respected)
{
	char small[4] = "zzz";

	CHECK_EQ(snprintf(small, sizeof small, "%d", 12345), 5);
	CHECK_STR(small, "123");
	CHECK_EQ(snprintf(small, 1, "%d", 12345), 5);
	CHECK_STR(small, "");
	small[0] = 'z';
	CHECK_EQ(snprintf(small, 0, "%d", 12345), 5);
	CHECK_EQ(small[0], 'z');
	CHECK_EQ(snprintf(NULL, 0, "%s", "abc"), 3);
	CHECK_EQ(scnprintf(small, sizeof small, "%d", 12345), 3);
	CHECK_EQ(scnprintf(small, sizeof small, "%d", 12), 2);
	CHECK_EQ(sprintf(text, "%s!", "whole"), 6);
	CHECK_STR(text, "whole!");
}

KTEST(huge_widths_are_counted_not_stored)
{
	CHECK_EQ(ksnprintf(text, sizeof text, "%100000d", 1), 100000);
	CHECK_EQ(ksnprintf(text, sizeof text, "%99999999999999d", 1), 1 << 20);
	CHECK_EQ(ksnprintf(text, sizeof text, "%.99999999999999d", 1), 1 << 20);
	CHECK_EQ(ksnprintf(text, sizeof text, "%.*s", INT_MAX, "abc"), 3);
}

KTEST_SUITE(printf, T(integers), T(lengths), T(flags_widths_and_precisions),
    T(characters_and_strings), T(pointers), T(bits_by_name), T(bytes_in_hexadecimal),
    T(what_the_kernel_lacks), T(buffers_are_respected), T(huge_widths_are_counted_not_stored));
