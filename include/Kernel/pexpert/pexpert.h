/* The platform: boot arguments, and its debugger. There is no screen. */
#ifndef _PEXPERT_PEXPERT_H_
#define _PEXPERT_PEXPERT_H_

#include <sys/cdefs.h>
#include <sys/types.h>
#include <stdint.h>
#include <mach/vm_types.h>
#include <mach/boolean.h>

struct PE_Video {
	unsigned long v_baseAddr;
	unsigned long v_rowBytes;
	unsigned long v_width;
	unsigned long v_height;
	unsigned long v_depth;
	unsigned long v_display;
	char v_pixelFormat[64];
	unsigned long v_offset;
	unsigned long v_length;
	unsigned char v_rotate;
	unsigned char v_scale;
	char reserved1[2];
	long reserved2;
};
typedef struct PE_Video PE_Video;

typedef struct PE_state {
	boolean_t initialized;
	PE_Video video;
	void *deviceTreeHead;
	void *bootArgs;
} PE_state_t;

__BEGIN_DECLS

/* All zeros. */
extern PE_state_t PE_state;

/* A panic with that cause. */
int PE_enter_debugger(const char *cause);
/* Copies the value of the machine's boot argument `arg_string`; TRUE when there is one. */
boolean_t PE_parse_boot_argn(const char *arg_string, void *arg_ptr, int max_arg);

__END_DECLS

#endif
