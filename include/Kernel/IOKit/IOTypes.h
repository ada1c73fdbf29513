/* IOKit's types, as C sees them. */
#ifndef _IOKIT_IOTYPES_H_
#define _IOKIT_IOTYPES_H_

#include <sys/cdefs.h>
#include <stdint.h>
#include <stdbool.h>
#include <sys/types.h>
#include <mach/mach_types.h>
#include <mach/mach_time.h>
#include <libkern/OSTypes.h>
#include <IOKit/IOReturn.h>

#ifndef NULL
#define NULL __DARWIN_NULL
#endif

typedef UInt64 AbsoluteTime;
typedef UInt32 IOOptionBits;
typedef SInt32 IOFixed;
typedef UInt32 IOVersion;
typedef UInt32 IOItemCount;
typedef UInt32 IOCacheMode;

typedef UInt32 IOByteCount32;
typedef UInt64 IOByteCount64;
typedef IOByteCount64 IOByteCount;

typedef UInt32 IOPhysicalAddress32;
typedef UInt64 IOPhysicalAddress64;
typedef UInt32 IOPhysicalLength32;
typedef UInt64 IOPhysicalLength64;
typedef IOPhysicalAddress64 IOPhysicalAddress;
typedef IOPhysicalLength64 IOPhysicalLength;
typedef mach_vm_address_t IOVirtualAddress;
typedef IOVirtualAddress IOLogicalAddress;

typedef struct {
	IOPhysicalAddress address;
	IOByteCount length;
} IOPhysicalRange;

typedef struct {
	IOVirtualAddress address;
	IOByteCount length;
} IOVirtualRange;
typedef IOVirtualRange IOAddressRange;

/* A table that gives numbers names; it ends with a name of NULL. */
typedef struct {
	int value;
	const char *name;
} IONamedValue;

typedef unsigned int IOAlignment;

/* Units of clock_interval_to_deadline, in nanoseconds. */
enum {
	kNanosecondScale = 1,
	kMicrosecondScale = 1000,
	kMillisecondScale = 1000 * 1000,
	kSecondScale = 1000 * 1000 * 1000,
	kTickScale = kSecondScale / 100,
};

typedef char io_name_t[128];
typedef char io_string_t[512];
typedef struct OSObject *io_object_t;

#ifndef __cplusplus
struct OSDictionary;
#endif

#endif
