/* How kexts are named and kept loaded. */
#ifndef _LIBKERN_OSKEXTLIB_H_
#define _LIBKERN_OSKEXTLIB_H_

#include <sys/cdefs.h>
#include <stdint.h>
#include <mach/kmod.h>
#include <mach/vm_types.h>
#include <libkern/OSTypes.h>
#include <libkern/OSReturn.h>

#define sub_libkern_kext err_sub(2)
#define libkern_kext_err(code) (sys_libkern | sub_libkern_kext | (code))

#define kOSKextReturnInternalError libkern_kext_err(0x1)
#define kOSKextReturnNoMemory libkern_kext_err(0x2)
#define kOSKextReturnNoResources libkern_kext_err(0x3)
#define kOSKextReturnNotPrivileged libkern_kext_err(0x4)
#define kOSKextReturnInvalidArgument libkern_kext_err(0x5)
#define kOSKextReturnNotFound libkern_kext_err(0x6)
#define kOSKextReturnInUse libkern_kext_err(0x16)

#define OSBundleLibrariesKey "OSBundleLibraries"
#define OSBundleCompatibleVersionKey "OSBundleCompatibleVersion"
#define OSBundleRequiredKey "OSBundleRequired"
#define OSBundleAllowUserLoadKey "OSBundleAllowUserLoad"

/* A number that no other loaded kext of the machine has. */
typedef uint32_t OSKextLoadTag;
#define kOSKextInvalidLoadTag ((OSKextLoadTag)(-1))

__BEGIN_DECLS

/* The calling kext's own; kOSKextInvalidLoadTag and NULL when no kext calls. */
OSKextLoadTag OSKextGetCurrentLoadTag(void);
const char *OSKextGetCurrentIdentifier(void);
const char *OSKextGetCurrentVersionString(void);
/*
 * Keeps a kext from being stopped and unloaded, and lets it go again. kOSKextReturnNotFound when none
 * has the tag. Releasing one that is not retained is a panic.
 */
OSReturn OSKextRetainKextWithLoadTag(OSKextLoadTag loadTag);
OSReturn OSKextReleaseKextWithLoadTag(OSKextLoadTag loadTag);

__END_DECLS

#endif
