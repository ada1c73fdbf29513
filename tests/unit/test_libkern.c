/* kpi/libkern.c, strtol.c, scanf.c, random.c, time.c, sha1.c, md5.c, uuid.c */
#include <libkern/crypto/md5.h>
#include <libkern/crypto/sha1.h>
#include <libkern/libkern.h>
#include <limits.h>
#include <sys/errno.h>
#include <sys/random.h>
#include <sys/time.h>
#include <uuid/uuid.h>

#include "src/kern/klog.h"
#include "src/kern/prng.h"
#include "src/kern/thread.h"
#include "tests/unit/ktest.h"

KTEST(numbers_from_text)
{
	char *end;

	CHECK_EQ(strtol("  -42x", &end, 10), -42);
	CHECK_STR(end, "x");
	CHECK_EQ(strtol("0x1F", &end, 0), 31);
	CHECK_EQ(*end, 0);
	CHECK_EQ(strtol("010", NULL, 0), 8);
	CHECK_EQ(strtol("0xg", &end, 16), 0);
	CHECK_STR(end, "xg");
	CHECK_EQ(strtol("zz", &end, 36), 35 * 36 + 35);
	CHECK_EQ(strtol("-", &end, 10), 0);
	CHECK_STR(end, "-");
	CHECK_EQ(strtol("", &end, 10), 0);
	CHECK_EQ(strtol("9223372036854775808", NULL, 10), LONG_MAX);
	CHECK_EQ(strtol("-9223372036854775808", NULL, 10), LONG_MIN);
	CHECK_EQ(strtol("-99999999999999999999", NULL, 10), LONG_MIN);
	CHECK(strtoul("18446744073709551615", NULL, 10) == ULONG_MAX);
	CHECK(strtoul("99999999999999999999", NULL, 10) == ULONG_MAX);
	CHECK(strtoul("-1", NULL, 10) == ULONG_MAX);
	CHECK_EQ(strtoq("77", NULL, 8), 63);
	CHECK_EQ(strtouq("ff", NULL, 16), 255);
	CHECK_EQ(atoi("12 monkeys"), 12);
	CHECK_EQ(strtol("1", &end, 37), 0);
	CHECK_STR(end, "1");
}

KTEST(scanning)
{
	int a = 0, b = 0, c = 0, n = 0;
	unsigned x = 0;
	unsigned char small = 0;
	long big = 0;
	char word[16], set[16], raw[3] = "zz";

	CHECK_EQ(sscanf("10.20:30", "%d.%d:%d", &a, &b, &c), 3);
	CHECK_EQ(a * 10000 + b * 100 + c, 102030);
	CHECK_EQ(sscanf("ff 0x1f", "%x %i", &x, &a), 2);
	CHECK_EQ(x, 255);
	CHECK_EQ(a, 31);
	CHECK_EQ(sscanf("  hello world", "%s %3s", word, set), 2);
	CHECK_STR(word, "hello");
	CHECK_STR(set, "wor");
	CHECK_EQ(sscanf("12345", "%2d%n%hhu", &a, &n, &small), 2);
	CHECK_EQ(a, 12);
	CHECK_EQ(n, 2);
	CHECK_EQ(small, 345 & 255);
	CHECK_EQ(sscanf("-9000000000", "%ld", &big), 1);
	CHECK_EQ(big, -9000000000);
	CHECK_EQ(sscanf("key=value", "%[a-z]=%[^\n]", word, set), 2);
	CHECK_STR(word, "key");
	CHECK_STR(set, "value");
	CHECK_EQ(sscanf("ab", "%2c", raw), 1);
	CHECK_EQ(raw[1], 'b');
	CHECK_EQ(sscanf("1 2", "%*d %d", &a), 1);
	CHECK_EQ(a, 2);
	CHECK_EQ(sscanf("50%", "%d%%", &a), 1);
	CHECK_EQ(sscanf("x", "%d", &a), 0);
	CHECK_EQ(sscanf("", "%d", &a), -1);
	CHECK_EQ(sscanf("7", "%d %d", &a, &b), 1);
	CHECK_EQ(sscanf("a]b", "%[]a]", set), 1);
	CHECK_STR(set, "a]");
}

KTEST(bits)
{
	CHECK_EQ(ffs(0), 0);
	CHECK_EQ(ffs(0x80000000u), 32);
	CHECK_EQ(ffs(6), 2);
	CHECK_EQ(fls(0), 0);
	CHECK_EQ(fls(6), 3);
	CHECK_EQ(ffsll(1ull << 40), 41);
	CHECK_EQ(flsll(1ull << 63), 64);
}

static int
compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}

KTEST(sorting)
{
	int v[100];

	for (int i = 0; i < 100; i++)
		v[i] = i * 37 % 101;
	qsort(v, 100, sizeof v[0], compare_ints);
	for (int i = 1; i < 100; i++)
		CHECK(v[i - 1] <= v[i]);
	qsort(v, 0, sizeof v[0], compare_ints);
	qsort(v, 1, sizeof v[0], compare_ints);
}

KTEST(checksums)
{
	CHECK_EQ(crc32(0, "123456789", 9), 0xcbf43926);
	CHECK_EQ(crc32(crc32(0, "1234", 4), "56789", 5), 0xcbf43926);
}

static void
hex(const void *bytes, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		ksnprintf(out + 2 * i, 3, "%02x", ((const unsigned char *)bytes)[i]);
}

/* The test vectors of RFC 3174 and RFC 1321. */
KTEST(digests)
{
	unsigned char digest[20];
	char out[41];
	SHA1_CTX sha;
	MD5_CTX md5;

	SHA1Init(&sha);
	SHA1Update(&sha, "abc", 3);
	SHA1Final(digest, &sha);
	hex(digest, 20, out);
	CHECK_STR(out, "a9993e364706816aba3e25717850c26c9cd0d89d");
	SHA1Init(&sha);
	SHA1Update(&sha, "abcdbcdecdefdefgefghfghighijhi", 30);
	SHA1Update(&sha, "jkijkljklmklmnlmnomnopnopq", 26);
	SHA1Final(digest, &sha);
	hex(digest, 20, out);
	CHECK_STR(out, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
	SHA1Init(&sha);
	for (int i = 0; i < 40000; i++)
		SHA1Update(&sha, "aaaaaaaaaaaaaaaaaaaaaaaaa", 25);
	SHA1Final(digest, &sha);
	hex(digest, 20, out);
	CHECK_STR(out, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
	MD5Init(&md5);
	MD5Final(digest, &md5);
	hex(digest, 16, out);
	CHECK_STR(out, "d41d8cd98f00b204e9800998ecf8427e");
	MD5Init(&md5);
	for (int i = 0; i < 8; i++)
		MD5Update(&md5, "1234567890", 10);
	MD5Final(digest, &md5);
	hex(digest, 16, out);
	CHECK_STR(out, "57edf4a22be3c955ac49da2e2107b67a");
}

KTEST(copies_to_and_from_a_process)
{
	char b[8];
	vm_size_t done = 0;

	CHECK_EQ(copyin((user_addr_t)(uintptr_t)"abc", b, 4), 0);
	CHECK_STR(b, "abc");
	CHECK_EQ(copyin(0, b, 1), EFAULT);
	CHECK_EQ(copyin(0, b, 0), 0);
	CHECK_EQ(copyin((user_addr_t)-4, b, 8), EFAULT);
	CHECK_EQ(copyout("x", 8, 1), EFAULT);
	CHECK_EQ(copyout("xy", (user_addr_t)(uintptr_t)b, 2), 0);
	CHECK_STR(b, "xyc");
	CHECK_EQ(copystr("abc", b, sizeof b, &done), 0);
	CHECK_EQ(done, 4);
	CHECK_EQ(copystr("abcdefghij", b, 4, &done), ENAMETOOLONG);
	CHECK_EQ(done, 4);
	CHECK_EQ(copyinstr(1, b, 4, &done), EFAULT);
}

KTEST(random_numbers_follow_from_the_seed)
{
	uint64_t a, b;
	unsigned char tail[3];

	/* As if nobody had asked before. The value is the published algorithm's. */
	prng_seed(curmachine()->prng, 1);
	read_random(&a, sizeof a);
	read_random(&b, sizeof b);
	CHECK(a != b);
	CHECK(a == 0xb3f2af6d0fc710c5);
	read_random(tail, sizeof tail);
	CHECK(random() <= 0x7fffffff);
}

KTEST(clocks_and_their_arithmetic)
{
	struct timeval tv, up, a = {1, 900000}, b = {0, 200000};
	struct timespec ts;
	uint64_t abstime;

	microtime_with_abstime(&tv, &abstime);
	CHECK_EQ(tv.tv_sec, 1000000000);
	nanotime(&ts);
	CHECK_EQ(ts.tv_sec, tv.tv_sec);
	microuptime(&up);
	CHECK_EQ(up.tv_sec * 1000000 + up.tv_usec, abstime / 1000);
	timevaladd(&a, &b);
	CHECK_EQ(a.tv_sec, 2);
	CHECK_EQ(a.tv_usec, 100000);
	timevalsub(&a, &b);
	CHECK_EQ(a.tv_sec, 1);
	CHECK_EQ(a.tv_usec, 900000);
}

KTEST(identifiers)
{
	uuid_t a, b;
	uuid_string_t text, bad[] = {"01234567-89ab-cdef-0123-456789abcde",
	    "01234567089ab-cdef-0123-456789abcdef", ""};

	CHECK_EQ(uuid_parse("01234567-89ab-cdEF-0123-456789abcdef", a), 0);
	uuid_unparse(a, text);
	CHECK_STR(text, "01234567-89AB-CDEF-0123-456789ABCDEF");
	uuid_unparse_lower(a, text);
	CHECK_STR(text, "01234567-89ab-cdef-0123-456789abcdef");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		CHECK_EQ(uuid_parse(bad[i], b), -1);
	uuid_generate(b);
	CHECK_EQ(b[6] >> 4, 4);
	CHECK_EQ(b[8] >> 6, 2);
	CHECK(uuid_compare(a, b) != 0);
	uuid_clear(b);
	CHECK(uuid_is_null(b));
}

KTEST_SUITE(libkern, T(numbers_from_text), T(scanning), T(bits), T(sorting), T(checksums),
    T(digests), T(copies_to_and_from_a_process), T(random_numbers_follow_from_the_seed),
    T(clocks_and_their_arithmetic), T(identifiers));
