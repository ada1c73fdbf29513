/* Symbols of a Mach-O file: entries of the table that LC_SYMTAB points to. */
#ifndef _MACHO_NLIST_H_
#define _MACHO_NLIST_H_

#include <stdint.h>

struct nlist {
	union {
		uint32_t n_strx;	/* of the name, in the table of strings */
	} n_un;
	uint8_t n_type;			/* N_STAB, N_PEXT, N_TYPE, N_EXT */
	uint8_t n_sect;			/* counted from 1, or NO_SECT */
	int16_t n_desc;
	uint32_t n_value;
};

struct nlist_64 {
	union {
		uint32_t n_strx;
	} n_un;
	uint8_t n_type;
	uint8_t n_sect;
	uint16_t n_desc;
	uint64_t n_value;
};

/* Parts of n_type. */
#define N_STAB 0xe0	/* any of these bits: for a debugger */
#define N_PEXT 0x10	/* private external */
#define N_TYPE 0x0e	/* mask for the values below */
#define N_EXT 0x01	/* external */

#define N_UNDF 0x0	/* undefined; n_sect is NO_SECT */
#define N_ABS 0x2	/* absolute; n_sect is NO_SECT */
#define N_SECT 0xe	/* defined in section n_sect */
#define N_PBUD 0xc	/* undefined, prebound */
#define N_INDR 0xa	/* the same as another symbol */

#define NO_SECT 0
#define MAX_SECT 255

#endif
