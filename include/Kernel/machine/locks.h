/*
 * The three locks' storage. A kext may embed one and initialise it with lck_*_init; nobody looks
 * inside. The sizes are Darwin's x86_64 ones for third parties.
 */
#ifndef _MACHINE_LOCKS_H_
#define _MACHINE_LOCKS_H_

#include <stdint.h>

typedef struct __lck_spin_t__ {
	unsigned long opaque[10];
} lck_spin_t;

typedef struct __lck_mtx_t__ {
	unsigned long opaque[2];
} lck_mtx_t;

typedef struct __lck_rw_t__ {
	uint32_t opaque[4];
} __attribute__((__aligned__(8))) lck_rw_t;

typedef struct __lck_mtx_ext_t__ lck_mtx_ext_t;

#endif
