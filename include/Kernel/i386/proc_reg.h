/*
 * The processor's control registers. A kext must not touch them here: reading gives what a running
 * kernel would show, writing does nothing.
 */
#ifndef _I386_PROC_REG_H_
#define _I386_PROC_REG_H_

#include <stdint.h>
#include <sys/cdefs.h>

#define CR0_PE 0x00000001
#define CR0_MP 0x00000002
#define CR0_EM 0x00000004
#define CR0_TS 0x00000008
#define CR0_ET 0x00000010
#define CR0_NE 0x00000020
#define CR0_WP 0x00010000
#define CR0_AM 0x00040000
#define CR0_NW 0x20000000
#define CR0_CD 0x40000000
#define CR0_PG 0x80000000

static inline uintptr_t
get_cr0(void)
{
	return CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_PE;
}

static inline void
set_cr0(uintptr_t value)
{
	(void)value;
}

#endif
