/* Variable argument lists. */
#ifndef _STDARG_H_
#define _STDARG_H_

#include <sys/_types/_va_list.h>

#ifndef va_start
#define va_start(ap, last) __builtin_va_start(ap, last)
#define va_arg(ap, type) __builtin_va_arg(ap, type)
#define va_copy(to, from) __builtin_va_copy(to, from)
#define va_end(ap) __builtin_va_end(ap)
#endif

#endif
