/*
 * What the loader knows of a kext, and the macros by which a kext says who it is: they define the
 * variable `kmod_info`, which the loader looks up by that name.
 */
#ifndef _MACH_KMOD_H_
#define _MACH_KMOD_H_

#include <sys/cdefs.h>
#include <stdint.h>
#include <mach/kern_return.h>
#include <mach/machine/vm_types.h>
#include <mach/vm_types.h>

#define KMOD_MAX_NAME 64

#define KMOD_RETURN_SUCCESS KERN_SUCCESS
#define KMOD_RETURN_FAILURE KERN_FAILURE

typedef int kmod_t;

struct kmod_info;
typedef kern_return_t kmod_start_func_t(struct kmod_info *ki, void *data);
typedef kern_return_t kmod_stop_func_t(struct kmod_info *ki, void *data);

#pragma pack(push, 4)

typedef struct kmod_reference {
	struct kmod_reference *next;
	struct kmod_info *info;
} kmod_reference_t;

typedef struct kmod_info {
	struct kmod_info *next;
	int32_t info_version;
	uint32_t id;
	char name[KMOD_MAX_NAME];
	char version[KMOD_MAX_NAME];
	int32_t reference_count;
	kmod_reference_t *reference_list;
	vm_address_t address;
	vm_size_t size;
	vm_size_t hdr_size;
	kmod_start_func_t *start;
	kmod_stop_func_t *stop;
} kmod_info_t;

typedef struct kmod_info_32_v1 {
	uint32_t next_addr;
	int32_t info_version;
	uint32_t id;
	uint8_t name[KMOD_MAX_NAME];
	uint8_t version[KMOD_MAX_NAME];
	int32_t reference_count;
	uint32_t reference_list_addr;
	uint32_t address;
	uint32_t size;
	uint32_t hdr_size;
	uint32_t start_addr;
	uint32_t stop_addr;
} kmod_info_32_v1_t;

typedef struct kmod_info_64_v1 {
	uint64_t next_addr;
	int32_t info_version;
	uint32_t id;
	uint8_t name[KMOD_MAX_NAME];
	uint8_t version[KMOD_MAX_NAME];
	int32_t reference_count;
	uint64_t reference_list_addr;
	uint64_t address;
	uint64_t size;
	uint64_t hdr_size;
	uint64_t start_addr;
	uint64_t stop_addr;
} kmod_info_64_v1_t;

#pragma pack(pop)

typedef void *kmod_args_t;
typedef int kmod_control_flavor_t;
typedef kmod_info_t *kmod_info_array_t;

#define KMOD_INFO_NAME kmod_info
#define KMOD_INFO_VERSION 1

#define KMOD_DECL(name, version) \
	static kmod_start_func_t name##_module_start; \
	static kmod_stop_func_t name##_module_stop; \
	__KMOD_DEFINE(#name, version, name##_module_start, name##_module_stop)

#define KMOD_EXPLICIT_DECL(name, version, start, stop) \
	__KMOD_DEFINE(#name, version, start, stop)

#ifdef __cplusplus
#define __KMOD_LINKAGE extern "C" kmod_info_t KMOD_INFO_NAME;
#else
#define __KMOD_LINKAGE
#endif
#define __KMOD_DEFINE(name, version, start, stop) \
	__KMOD_LINKAGE \
	__exported __used kmod_info_t KMOD_INFO_NAME = {0, KMOD_INFO_VERSION, -1U, \
	    {name}, {version}, -1, 0, 0, 0, 0, start, stop};

/* The old loader's packets and control words, for sources that mention them. */

#define KMOD_IOKIT_START_RANGE_PACKET 0x1000
#define KMOD_IOKIT_END_RANGE_PACKET 0x1fff

#define KMOD_LOAD_EXTENSION_PACKET 1
typedef struct kmod_load_extension_cmd {
	int type;
	char name[KMOD_MAX_NAME];
} kmod_load_extension_cmd_t;

#define KMOD_LOAD_WITH_DEPENDENCIES_PACKET 2
typedef struct kmod_load_with_dependencies_cmd {
	int type;
	char name[KMOD_MAX_NAME];
	char dependencies[1][KMOD_MAX_NAME];
} kmod_load_with_dependencies_cmd_t;

typedef struct kmod_generic_cmd {
	int type;
	char data[1];
} kmod_generic_cmd_t;

#define KMOD_CNTL_START 1
#define KMOD_CNTL_STOP 2
#define KMOD_CNTL_RETAIN 3
#define KMOD_CNTL_RELEASE 4
#define KMOD_CNTL_GET_CMD 5
#define KMOD_CNTL_GET_KERNEL_SYMBOLS 6
#define KMOD_CNTL_FREE_LINKEDIT_DATA 7
#define KMOD_CNTL_GET_KERNEL_UUID 8
#define KMOD_CNTL_GET_UUID 8
#define KMOD_CNTL_DISABLE_LOAD 9

#define KMOD_PACK_IDS(from, to) (((unsigned long)(from) << 16) | (unsigned long)(to))
#define KMOD_UNPACK_FROM_ID(i) ((unsigned long)(i) >> 16)
#define KMOD_UNPACK_TO_ID(i) ((unsigned long)(i) & 0xffff)

#endif
