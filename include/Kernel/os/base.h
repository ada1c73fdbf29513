/* Words of os/ declarations. */
#ifndef _OS_BASE_H_
#define _OS_BASE_H_

#include <sys/cdefs.h>
#include <sys/types.h>
#include <stdbool.h>
#include <stdint.h>

#ifndef OS_EXPORT
#define OS_EXPORT extern __exported
#define OS_NORETURN __dead2
#define OS_NOTHROW
#define OS_NONNULL1
#define OS_NONNULL2
#define OS_NONNULL_ALL
#define OS_WARN_RESULT __result_use_check
#define OS_MALLOC
#define OS_USED __used
#define OS_UNUSED __unused
#define OS_COLD __cold
#define OS_PURE __attribute__((__pure__))
#define OS_CONST __attribute__((__const__))
#define OS_NOINLINE __attribute__((__noinline__))
#define OS_ALWAYS_INLINE __attribute__((__always_inline__))
#define OS_FORMAT_PRINTF(fmt, first) __printflike(fmt, first)
#define OS_EXPECT(x, v) __builtin_expect((x), (v))
#define OS_LIKELY(x) __builtin_expect(!!(x), 1)
#define OS_UNLIKELY(x) __builtin_expect(!!(x), 0)
#endif

#endif
