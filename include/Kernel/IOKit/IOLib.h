/* IOKit's C library: memory, threads, waiting, messages. */
#ifndef _IOKIT_IOLIB_H_
#define _IOKIT_IOLIB_H_

#include <sys/cdefs.h>
#include <sys/appleapiopts.h>
#include <stdarg.h>
#include <IOKit/system.h>
#include <IOKit/IOReturn.h>
#include <mach/mach_types.h>
#include <kern/thread_call.h>
#include <kern/clock.h>
#include <libkern/libkern.h>
#include <libkern/OSAtomic.h>
#include <libkern/OSTypes.h>
#include <IOKit/IOTypes.h>
#include <IOKit/IOLocks.h>

/* Of any type, where libkern's functions of these names know only u_int. */
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))

typedef void (*IOThreadFunc)(void *argument);
typedef thread_t IOThread;

__BEGIN_DECLS

/*
 * May sleep; NULL without memory. The size given back must be the one that was asked for: another
 * is a panic. Each kind has its own free.
 */
void *IOMalloc(vm_size_t size);
void *IOMallocZero(vm_size_t size);
void IOFree(void *address, vm_size_t size);
/* `alignment` is a power of two. */
void *IOMallocAligned(vm_size_t size, vm_offset_t alignment);
void IOFreeAligned(void *address, vm_size_t size);
void *IOMallocPageable(vm_size_t size, vm_size_t alignment);
void IOFreePageable(void *address, vm_size_t size);

/* A thread that runs function(argument); NULL when it could not be started. No reference is due. */
IOThread IOCreateThread(IOThreadFunc function, void *argument);
/* Ends the calling thread. */
void IOExitThread(void) __dead2;

/* Sleeps. */
void IOSleep(unsigned milliseconds);
void IOSleepWithLeeway(unsigned intervalMilliseconds, unsigned leewayMilliseconds);
/* These do not sleep: time passes. */
void IODelay(unsigned microseconds);
void IOPause(unsigned nanoseconds);

/* Into the machine's log, as printf. */
void IOLog(const char *format, ...) __printflike(1, 2);
void IOLogv(const char *format, va_list ap) __printflike(1, 0);
/* A panic with that reason. */
void Debugger(const char *reason);

/* "0x%x (UNDEFINED)" for one that the table lacks; kIOReturnBadArgument for such a name. */
const char *IOFindNameForValue(int value, const IONamedValue *namedValueArray);
IOReturn IOFindValueForName(const char *string, const IONamedValue *regValueArray, int *value);

/* The number of zeros an aligned address ends with, and back. */
IOAlignment IOSizeToAlignment(unsigned int size);
unsigned int IOAlignmentToSize(IOAlignment align);

/* 16.16 numbers. */
IOFixed IOFixedMultiply(IOFixed a, IOFixed b);
IOFixed IOFixedDivide(IOFixed a, IOFixed b);

__END_DECLS

#define IONew(type, number) ((type *)IOMalloc(sizeof(type) * (number)))
#define IODelete(ptr, type, number) IOFree((ptr), sizeof(type) * (number))
#define IORound(value, multiple) ((((value) + (multiple) - 1) / (multiple)) * (multiple))
#define IOTrunc(value, multiple) (((value) / (multiple)) * (multiple))

#endif
