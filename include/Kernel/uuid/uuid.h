/* Universally unique identifiers: 16 bytes, and 36 characters of text. */
#ifndef _UUID_UUID_H_
#define _UUID_UUID_H_

#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/_types/_uuid_t.h>
#include <sys/_types/_uuid_string_t.h>

#define UUID_DEFINE(name, u0, u1, u2, u3, u4, u5, u6, u7, u8, u9, u10, u11, u12, u13, u14, u15) \
	static const uuid_t name __unused = {u0, u1, u2, u3, u4, u5, u6, u7, u8, u9, u10, u11, \
	    u12, u13, u14, u15}

UUID_DEFINE(UUID_NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

__BEGIN_DECLS

void uuid_clear(uuid_t uu) __KERNEL_SYMBOL(uuid_clear);
/* As memcmp. */
int uuid_compare(const uuid_t uu1, const uuid_t uu2) __KERNEL_SYMBOL(uuid_compare);
void uuid_copy(uuid_t dst, const uuid_t src) __KERNEL_SYMBOL(uuid_copy);
/* All from the machine's own generator. */
void uuid_generate(uuid_t out) __KERNEL_SYMBOL(uuid_generate);
void uuid_generate_random(uuid_t out) __KERNEL_SYMBOL(uuid_generate_random);
void uuid_generate_time(uuid_t out) __KERNEL_SYMBOL(uuid_generate_time);
/* 1 when all zeros. */
int uuid_is_null(const uuid_t uu) __KERNEL_SYMBOL(uuid_is_null);
/* 0, or -1 for text that is none. */
int uuid_parse(const uuid_string_t in, uuid_t uu) __KERNEL_SYMBOL(uuid_parse);
/* In capitals; _lower in small letters. */
void uuid_unparse(const uuid_t uu, uuid_string_t out) __KERNEL_SYMBOL(uuid_unparse);
void uuid_unparse_lower(const uuid_t uu, uuid_string_t out) __KERNEL_SYMBOL(uuid_unparse_lower);
void uuid_unparse_upper(const uuid_t uu, uuid_string_t out) __KERNEL_SYMBOL(uuid_unparse_upper);

__END_DECLS

#endif
