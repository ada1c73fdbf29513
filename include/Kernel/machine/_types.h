/* The fixed-width integers under Darwin's own names, and the integers as wide as a pointer. */
#ifndef _MACHINE__TYPES_H_
#define _MACHINE__TYPES_H_

#include <sys/cdefs.h>

typedef signed char __int8_t;
typedef unsigned char __uint8_t;
typedef short __int16_t;
typedef unsigned short __uint16_t;
typedef int __int32_t;
typedef unsigned int __uint32_t;
typedef long long __int64_t;
typedef unsigned long long __uint64_t;

typedef long __darwin_intptr_t;
typedef unsigned int __darwin_natural_t;
typedef int __darwin_ct_rune_t;

typedef __PTRDIFF_TYPE__ __darwin_ptrdiff_t;
typedef __SIZE_TYPE__ __darwin_size_t;
typedef __builtin_va_list __darwin_va_list;
typedef __WCHAR_TYPE__ __darwin_wchar_t;
typedef __darwin_wchar_t __darwin_rune_t;
typedef __WINT_TYPE__ __darwin_wint_t;

typedef unsigned long __darwin_clock_t;
typedef __uint32_t __darwin_socklen_t;
typedef long __darwin_ssize_t;
typedef long __darwin_time_t;

#endif
