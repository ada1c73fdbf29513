/* kpi/kalloc.c, as a kext sees it: it declares the functions itself. */
#include <mach/mach_types.h>
#include <mach/mach_time.h>

#include "src/kern/gate.h"
#include "src/kern/kext.h"
#include "tests/unit/ktest.h"

void *kalloc(vm_size_t size);
void kfree(void *data, vm_size_t size);
void delay(int usec);

KTEST(a_block_belongs_to_the_kext)
{
	struct kext k = {.name = "tester"};
	char *p = NULL;

	TAILQ_INIT(&k.owned);
	GATE_CALL(&k, "start", NULL, p = kalloc(40));
	CHECK(p != NULL);
	p[0] = p[39] = 1;
	CHECK_EQ(k.owned_count[LEDGER_MEMORY], 1);
	CHECK_EQ(k.memory_bytes, 40);
	GATE_CALL(&k, "stop", NULL, kfree(p, 40));
	CHECK_EQ(k.owned_count[LEDGER_MEMORY], 0);
	kfree(NULL, 40);
}

KTEST_PANICS(a_wrong_size_is_named, "kalloc block")
{
	kfree(kalloc(40), 41);
}

KTEST(a_delay_lets_time_pass)
{
	uint64_t before = mach_absolute_time();

	delay(25);
	CHECK_EQ(mach_absolute_time() - before, 25000);
	delay(0);
	delay(-1);
	CHECK_EQ(mach_absolute_time() - before, 25000);
}

KTEST_SUITE(kalloc, T(a_block_belongs_to_the_kext), T(a_wrong_size_is_named), T(a_delay_lets_time_pass));
