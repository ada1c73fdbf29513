/* kpi/OSAtomic.c */
#include <libkern/OSAtomic.h>

#include "tests/unit/ktest.h"

KTEST(arithmetic_gives_the_old_value)
{
	SInt64 v64 = 5;
	SInt32 v32 = 5;
	SInt16 v16 = 32767;
	SInt8 v8 = -128;
	long vl = 1;

	CHECK_EQ(OSAddAtomic64(10, &v64), 5);
	CHECK_EQ(v64, 15);
	CHECK_EQ(OSIncrementAtomic64(&v64), 15);
	CHECK_EQ(OSDecrementAtomic64(&v64), 16);
	CHECK_EQ(OSAddAtomic(-6, &v32), 5);
	CHECK_EQ(OSIncrementAtomic(&v32), -1);
	CHECK_EQ(OSDecrementAtomic(&v32), 0);
	CHECK_EQ(v32, -1);
	CHECK_EQ(OSIncrementAtomic16(&v16), 32767);
	CHECK_EQ(v16, -32768);
	CHECK_EQ(OSAddAtomic16(2, &v16), -32768);
	CHECK_EQ(OSDecrementAtomic8(&v8), -128);
	CHECK_EQ(v8, 127);
	CHECK_EQ(OSAddAtomic8(-27, &v8), 127);
	CHECK_EQ(OSAddAtomicLong(2, &vl), 1);
	CHECK_EQ(vl, 3);
}

KTEST(compare_and_swap)
{
	UInt32 a = 1;
	UInt64 b = 1;
	void *p = &a;

	CHECK(OSCompareAndSwap(1, 2, &a));
	CHECK_EQ(a, 2);
	CHECK(!OSCompareAndSwap(1, 3, &a));
	CHECK_EQ(a, 2);
	CHECK(OSCompareAndSwap64(1, 1ull << 40, &b));
	CHECK(b == 1ull << 40);
	CHECK(OSCompareAndSwapPtr(&a, &b, &p));
	CHECK(p == &b);
	CHECK(!OSCompareAndSwapPtr(&a, NULL, &p));
}

KTEST(masks_give_the_old_value)
{
	UInt32 a = 0xf0f0;
	UInt16 b = 0xff;
	UInt8 c = 0x0f;

	CHECK_EQ(OSBitAndAtomic(0xff00, &a), 0xf0f0);
	CHECK_EQ(OSBitOrAtomic(1, &a), 0xf000);
	CHECK_EQ(OSBitXorAtomic(0xf001, &a), 0xf001);
	CHECK_EQ(a, 0);
	CHECK_EQ(OSBitAndAtomic16(0xfff0f, &b), 0xff);
	CHECK_EQ(b, 0x0f);
	CHECK_EQ(OSBitOrAtomic8(0xf0, &c), 0x0f);
	CHECK_EQ(c, 0xff);
}

KTEST(bits_are_counted_from_the_highest)
{
	UInt8 v[2] = {0, 0};

	CHECK_EQ(OSTestAndSet(0, v), 0);
	CHECK_EQ(v[0], 0x80);
	CHECK_EQ(OSTestAndSet(0, v), 1);
	CHECK_EQ(OSTestAndSet(9, v), 0);
	CHECK_EQ(v[1], 0x40);
	CHECK_EQ(OSTestAndClear(9, v), 0);
	CHECK_EQ(v[1], 0);
	CHECK_EQ(OSTestAndClear(9, v), 1);
}

KTEST(a_stack_gives_the_newest_first)
{
	struct element {
		int n;
		struct element *next;
	} a = {1, NULL}, b = {2, NULL}, *got;
	void *head = NULL;

	CHECK(OSDequeueAtomic(&head, offsetof(struct element, next)) == NULL);
	OSEnqueueAtomic(&head, &a, offsetof(struct element, next));
	OSEnqueueAtomic(&head, &b, offsetof(struct element, next));
	CHECK(b.next == &a);
	got = OSDequeueAtomic(&head, offsetof(struct element, next));
	CHECK(got == &b);
	got = OSDequeueAtomic(&head, offsetof(struct element, next));
	CHECK(got == &a && head == NULL);
}

KTEST_SUITE(osatomic, T(arithmetic_gives_the_old_value), T(compare_and_swap),
    T(masks_give_the_old_value), T(bits_are_counted_from_the_highest),
    T(a_stack_gives_the_newest_first));
