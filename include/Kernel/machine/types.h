/* Integers by width, and the widths that user space sees: addresses and sizes of a process. */
#ifndef _MACHINE_TYPES_H_
#define _MACHINE_TYPES_H_

#include <sys/cdefs.h>
#include <machine/_types.h>
#include <sys/_types/_int8_t.h>
#include <sys/_types/_int16_t.h>
#include <sys/_types/_int32_t.h>
#include <sys/_types/_int64_t.h>
#include <sys/_types/_u_int8_t.h>
#include <sys/_types/_u_int16_t.h>
#include <sys/_types/_u_int32_t.h>
#include <sys/_types/_u_int64_t.h>
#include <sys/_types/_intptr_t.h>
#include <sys/_types/_uintptr_t.h>

typedef int64_t register_t;

typedef u_int64_t user_addr_t;
typedef u_int64_t user_size_t;
typedef int64_t user_ssize_t;
typedef int64_t user_long_t;
typedef u_int64_t user_ulong_t;
typedef int64_t user_time_t;
typedef int64_t user_off_t;

#define CAST_USER_ADDR_T(a_ptr) ((user_addr_t)((uintptr_t)(a_ptr)))
#define USER_ADDR_NULL ((user_addr_t)0)

typedef __uint64_t user64_addr_t;
typedef __uint64_t user64_size_t;
typedef __int64_t user64_ssize_t;
typedef __int64_t user64_long_t;
typedef __uint64_t user64_ulong_t;
typedef __int64_t user64_time_t;
typedef __int64_t user64_off_t;

typedef __uint32_t user32_addr_t;
typedef __uint32_t user32_size_t;
typedef __int32_t user32_ssize_t;
typedef __int32_t user32_long_t;
typedef __uint32_t user32_ulong_t;
typedef __int32_t user32_time_t;
typedef __int64_t user32_off_t;

typedef u_int64_t syscall_arg_t;

#endif
