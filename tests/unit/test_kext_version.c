/* Versions of kexts and their order. */
#include "src/kern/kextcalls.h"
#include "tests/unit/ktest.h"

static uint64_t
number(const char *text)
{
	uint64_t n;

	CHECK(kext_version_parse(text, &n));
	return n;
}

KTEST(well_formed_versions_are_ordered)
{
	static const char *const ascending[] = {
		"0.1", "1.0d1", "1.0d255", "1.0a1", "1.0b1", "1.0b2", "1.0f1", "1.0fc2", "1", "1.0.1d1",
		"1.0.1", "1.1", "1.1.99", "1.99", "2", "10.4.8", "19.6.0", "9999.99.99",
	};

	for (size_t i = 1; i < sizeof ascending / sizeof ascending[0]; i++)
		CHECK(number(ascending[i - 1]) < number(ascending[i]));
	CHECK_EQ(number("1"), number("1.0.0"));
	CHECK_EQ(number("1.0fc1"), number("1.0f1"));
}

KTEST(malformed_versions_are_refused)
{
	static const char *const wrong[] = {
		"", ".", "1.", "1..2", "a", "1.2.3.4", "12345", "1.100", "1.2.100", "1.0b", "1.0b0",
		"1.0b256", "1.0c1", "1.0 ", " 1.0", "-1", "1.0b1x", "1,0",
	};
	uint64_t n;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		CHECK(!kext_version_parse(wrong[i], &n));
		CHECK_EQ(n, 0);
	}
}

KTEST_SUITE(kext_version, T(well_formed_versions_are_ordered), T(malformed_versions_are_refused));
