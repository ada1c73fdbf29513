/* The allocator behind C++'s new and delete, for the few C sources that call it. */
#ifndef _OS_OSRUNTIME_H
#define _OS_OSRUNTIME_H

#include <libkern/OSBase.h>
#include <sys/cdefs.h>
#include <stddef.h>

__BEGIN_DECLS

/* Zeroed memory; NULL for 0 bytes, or without memory. */
void *kern_os_malloc(size_t size);
/* The bytes that are new are zeroed; `size` 0 frees, and is NULL. */
void *kern_os_realloc(void *addr, size_t size);
/* NULL is ignored. */
void kern_os_free(void *addr);

__END_DECLS

#endif
