/*
 * Mach's allocator and busy waiting, for kexts. A Mac exports them and has no header for them, so kexts
 * declare them by themselves, as here.
 */
#ifndef _KERN_KALLOC_H_
#define _KERN_KALLOC_H_

#include <sys/cdefs.h>
#include <mach/vm_types.h>

__BEGIN_DECLS

/* NULL without memory. The size given back must be the one that was asked for: another is a panic. */
void *kalloc(vm_size_t size);
void kfree(void *data, vm_size_t size);
/* Lets that many microseconds pass without giving up the CPU. */
void delay(int usec);

__END_DECLS

#endif
