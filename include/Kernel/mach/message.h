/* The sizes and counts of Mach messages. There is no Mach messaging here. */
#ifndef _MACH_MESSAGE_H_
#define _MACH_MESSAGE_H_

#include <stdint.h>
#include <mach/port.h>
#include <mach/boolean.h>
#include <mach/kern_return.h>

typedef natural_t mach_msg_timeout_t;
typedef unsigned int mach_msg_bits_t;
typedef natural_t mach_msg_size_t;
typedef integer_t mach_msg_id_t;
typedef natural_t mach_msg_type_number_t;
typedef integer_t mach_msg_type_size_t;
typedef integer_t mach_msg_option_t;
typedef kern_return_t mach_msg_return_t;

/* Who sent something; bsm/audit.h has the audit's words. */
typedef struct {
	unsigned int val[2];
} security_token_t;
typedef struct {
	unsigned int val[8];
} audit_token_t;

#endif
