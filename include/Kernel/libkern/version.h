/* Which Darwin this pretends to be: the 10.15 one. */
#ifndef _LIBKERN_VERSION_H_
#define _LIBKERN_VERSION_H_

#include <sys/cdefs.h>

#define OSTYPE "Darwin"
#define OSRELEASE "19.6.0"
#define VERSION_MAJOR 19
#define VERSION_MINOR 6
#define VERSION_VARIANT ""
#define VERSION_REVISION 0
#define VERSION_STAGE 128
#define VERSION_PRERELEASE_LEVEL 0

__BEGIN_DECLS

extern const char version[] __KERNEL_SYMBOL(version);
extern const int version_major __KERNEL_SYMBOL(version_major);
extern const int version_minor __KERNEL_SYMBOL(version_minor);
extern const char version_variant[] __KERNEL_SYMBOL(version_variant);
extern const int version_revision __KERNEL_SYMBOL(version_revision);
extern const int version_stage __KERNEL_SYMBOL(version_stage);
extern const int version_prerelease_level __KERNEL_SYMBOL(version_prerelease_level);
extern const char ostype[] __KERNEL_SYMBOL(ostype);
extern const char osrelease[] __KERNEL_SYMBOL(osrelease);
extern const char osbuilder[] __KERNEL_SYMBOL(osbuilder);

__END_DECLS

#endif
