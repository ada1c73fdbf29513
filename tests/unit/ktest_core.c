/* The core's half of the test runner: ends a failed test by panicking its machine. */
#include "src/kern/panic.h"
#include "tests/unit/ktest.h"

_Noreturn void ktest_stop(void);

void
ktest_stop(void)
{
	kpanic("a test failed");
}
