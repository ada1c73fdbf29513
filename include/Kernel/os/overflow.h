/* Arithmetic that says whether the result fits: true when it does not; *res then has what is left of it. */
#ifndef _OS_OVERFLOW_H_
#define _OS_OVERFLOW_H_

#include <sys/cdefs.h>
#include <os/base.h>

#define __os_warn_unused(x) __builtin_expect(x, 0)

#define os_add_overflow(a, b, res) __os_warn_unused(__builtin_add_overflow((a), (b), (res)))
#define os_sub_overflow(a, b, res) __os_warn_unused(__builtin_sub_overflow((a), (b), (res)))
#define os_mul_overflow(a, b, res) __os_warn_unused(__builtin_mul_overflow((a), (b), (res)))
#define os_inc_overflow(res) os_add_overflow(*(res), 1, (res))
#define os_dec_overflow(res) os_sub_overflow(*(res), 1, (res))
#define os_convert_overflow(a, res) os_add_overflow((a), 0, (res))

/* a + b + c, (a + b) * x and (a * x) + b: each step must fit the result's type. */
#define os_add3_overflow(a, b, c, res) \
	__os_warn_unused(({ \
		__typeof__(*(res)) _sum; \
		bool _first = os_add_overflow((a), (b), &_sum); \
		bool _second = os_add_overflow(_sum, (c), (res)); \
		_first | _second; \
	}))
#define os_add_and_mul_overflow(a, b, x, res) \
	__os_warn_unused(({ \
		__typeof__(*(res)) _sum; \
		bool _first = os_add_overflow((a), (b), &_sum); \
		bool _second = os_mul_overflow(_sum, (x), (res)); \
		_first | _second; \
	}))
#define os_mul_and_add_overflow(a, x, b, res) \
	__os_warn_unused(({ \
		__typeof__(*(res)) _product; \
		bool _first = os_mul_overflow((a), (x), &_product); \
		bool _second = os_add_overflow(_product, (b), (res)); \
		_first | _second; \
	}))

#endif
