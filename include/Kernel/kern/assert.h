/* assert(): checked in kexts built with MACH_ASSERT, nothing otherwise, as on Darwin. */
#ifndef _KERN_ASSERT_H_
#define _KERN_ASSERT_H_

#include <sys/cdefs.h>

#ifndef MACH_ASSERT
#define MACH_ASSERT 0
#endif

__BEGIN_DECLS

/* Panics with where and what. */
void Assert(const char *file, int line, const char *expression);

__END_DECLS

#if MACH_ASSERT
#define assert(ex) (__builtin_expect(!(ex), 0) ? Assert(__FILE__, __LINE__, #ex) : (void)0)
#define assert_static(ex) _Static_assert((ex), #ex)
#define __assert_only
#else
#define assert(ex) ((void)0)
#define __assert_only __unused
#endif
#define assertf(ex, fmt, args...) assert(ex)

#endif
