/*
 * Compiler and language glue that every other kernel header starts from.
 *
 * Two things here are ours, not Darwin's:
 *  - between __BEGIN_DECLS and __END_DECLS symbols have default visibility. The library is
 *    compiled with everything hidden, so what these headers declare is exactly what it exports;
 *  - __KERNEL_SYMBOL(name) binds a function whose name the host's C library has too (printf, log,
 *    random ...) to the kernel's own, `kern_name`, so that no host function is called by accident.
 */
#ifndef _SYS_CDEFS_H_
#define _SYS_CDEFS_H_

#ifdef __cplusplus
#define __BEGIN_DECLS extern "C" { _Pragma("GCC visibility push(default)")
#define __END_DECLS _Pragma("GCC visibility pop") }
#else
#define __BEGIN_DECLS _Pragma("GCC visibility push(default)")
#define __END_DECLS _Pragma("GCC visibility pop")
#endif

#define __P(protos) protos
#define __CONCAT(x, y) x##y
#define __STRING(x) #x

#define __KERNEL_STRING(x) __STRING(x)
#define __KERNEL_SYMBOL(name) __asm__(__KERNEL_STRING(__USER_LABEL_PREFIX__) "kern_" #name)
#include <sys/_symbol_names.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#ifndef __has_extension
#define __has_extension(x) 0
#endif
#ifndef __has_include
#define __has_include(x) 0
#endif

#define __const const
#define __signed signed
#ifndef __cplusplus
#define __volatile volatile
#define __inline inline
#endif

#ifndef __dead2
#define __dead2 __attribute__((__noreturn__))
#endif
#ifndef __pure2
#define __pure2 __attribute__((__const__))
#endif
#define __pure
#define __dead
#define __exported __attribute__((__visibility__("default")))
#define __unused __attribute__((__unused__))
#define __used __attribute__((__used__))
#define __cold __attribute__((__cold__))
#define __deprecated __attribute__((__deprecated__))
#define __deprecated_msg(msg) __attribute__((__deprecated__(msg)))
#define __unavailable
#define __result_use_check __attribute__((__warn_unused_result__))
#define __header_inline static inline
#define __header_always_inline static inline __attribute__((__always_inline__))
#ifndef __private_extern__
#define __private_extern__ __attribute__((__visibility__("hidden"))) extern
#endif
#define __printflike(fmt, first) __attribute__((__format__(__printf__, fmt, first)))
#define __printf0like(fmt, first) __attribute__((__format__(__printf__, fmt, first)))
#define __scanflike(fmt, first) __attribute__((__format__(__scanf__, fmt, first)))
#define __offsetof(type, field) __builtin_offsetof(type, field)
#define __probable(x) __builtin_expect(!!(x), 1)
#define __improbable(x) __builtin_expect(!!(x), 0)
#define __restrict __restrict__
#define __counted_by(n)
#define __enum_decl(name, type, ...) typedef type name; enum __VA_ARGS__
#define __options_decl(name, type, ...) typedef type name; enum __VA_ARGS__

#define __IDSTRING(name, string)
#define __COPYRIGHT(s)
#define __RCSID(s)
#define __SCCSID(s)
#define __PROJECT_VERSION(s)

/* Clang's nullability words, which gcc does not know. */
#ifndef __clang__
#define _Nullable
#define _Nonnull
#define _Null_unspecified
#endif
#ifndef __nonnull
#define __nonnull
#endif
#ifndef __nullable
#define __nullable
#endif
#ifndef __null_unspecified
#define __null_unspecified
#endif

#define __DARWIN_UNIX03 1
#define __DARWIN_64_BIT_INO_T 1
#define __DARWIN_ONLY_64_BIT_INO_T 0
#define __DARWIN_ALIAS(sym)
#define __DARWIN_1050(sym)

#endif
