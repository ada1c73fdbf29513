/*
 * Variables of the kernel that kexts read: the rate of the clock, names, the version. They are
 * the same in every machine and constant, so a kext that writes to one is caught in the act; the
 * headers declare some of them without const, as Darwin does, hence the names here and the asm
 * labels.
 */
#include <libkern/version.h>
#include <mach/mach_types.h>
#include <os/log.h>
#include <pexpert/pexpert.h>

#define EXPORTED	__attribute__((visibility("default")))
/* A constant by the name of a variable; `symbol` is the linker's name for it. */
#define CONSTANT(type, symbol)							\
	extern EXPORTED const type constant_##symbol __asm__(#symbol);		\
	const type constant_##symbol

struct os_log_s {
	uint32_t unused;
};
typedef char name_buffer[256];

CONSTANT(int, kern_hz) = 100;
CONSTANT(int, kern_tick) = 10000;
CONSTANT(name_buffer, kern_hostname) = "localhost";
CONSTANT(int, kern_hostnamelen) = sizeof "localhost" - 1;
CONSTANT(name_buffer, kern_domainname) = "";
CONSTANT(int, kern_domainnamelen) = 0;
CONSTANT(struct os_log_s, _os_log_default) = {0};
CONSTANT(PE_state_t, PE_state) = {.initialized = 0};

/* Physical memory, as sysctl's hw.memsize has it. */
CONSTANT(uint64_t, kern_max_mem) = UINT64_C(8) << 30;
CONSTANT(uint64_t, kern_mem_size) = UINT64_C(8) << 30;
/* There is one address space; its map is only a name for it. */
typedef const int *map_handle;
static const int the_map;
CONSTANT(map_handle, kernel_map) = &the_map;
CONSTANT(long, kern_tk_cancc) = 0;
CONSTANT(long, kern_tk_nin) = 0;
CONSTANT(long, kern_tk_nout) = 0;
CONSTANT(long, kern_tk_rawcc) = 0;

const char version[] = "Darwin Kernel Version " OSRELEASE ": libnke";
const int version_major = VERSION_MAJOR;
const int version_minor = VERSION_MINOR;
const char version_variant[] = VERSION_VARIANT;
const int version_revision = VERSION_REVISION;
const int version_stage = VERSION_STAGE;
const int version_prerelease_level = VERSION_PRERELEASE_LEVEL;
const char ostype[] = OSTYPE;
const char osrelease[] = OSRELEASE;
const char osbuilder[] = "nke";
