/*
 * A description of a transfer, behind the opaque uio_t of sys/uio.h: memory in pieces, consumed from the
 * front. Kexts make them with uio_create (kpi/uio.c); device_file.c has them on its stack.
 */
#ifndef NKE_KERN_UIO_H
#define NKE_KERN_UIO_H

#include <sys/uio.h>

struct uio_piece {
	user_addr_t base;
	user_size_t length;
};

struct uio {
	off_t offset;
	user_ssize_t resid;		/* bytes that have not been moved */
	int space;
	int direction;
	int room;			/* pieces there is memory for */
	int count;			/* pieces in use, from `first` on */
	int first;
	struct uio_piece *pieces;
};

#endif
