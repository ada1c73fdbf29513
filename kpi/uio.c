/*
 * sys/uio.h: descriptions of a transfer. The pieces are consumed from the front; what has been
 * moved is gone from the count, the offset goes on. All address spaces are one here.
 */
#include <string.h>
#include <sys/errno.h>
#include <sys/uio.h>

#include "src/kern/heap.h"
#include "src/kern/kpi_rule.h"
#include "src/kern/thread.h"
#include "src/kern/uio.h"

/* The pieces are in the same block, behind the struct. */

static uio_t
make_uio(int room, void *pc)
{
	uio_t u;

	if (room < 0 || room > UIO_MAXIOV)
		return NULL;
	u = heap_alloc_for(curmachine(), sizeof *u + (size_t)room * sizeof u->pieces[0], 16,
	    HEAP_ZERO, HEAP_UIO, pc);
	if (u == NULL)
		return NULL;
	u->room = room;
	u->pieces = (struct uio_piece *)(void *)(u + 1);
	return u;
}

uio_t
uio_create(int iovcount, off_t offset, int spacetype, int iodirection)
{
	uio_t u;

	KPI_RULES(KPI_SLEEPS, NULL);
	u = make_uio(iovcount, __builtin_return_address(0));
	if (u != NULL)
		uio_reset(u, offset, spacetype, iodirection);
	return u;
}

void
uio_reset(uio_t uio, off_t offset, int spacetype, int iodirection)
{
	uio->offset = offset;
	uio->space = spacetype;
	uio->direction = iodirection;
	uio->resid = 0;
	uio->count = uio->first = 0;
}

uio_t
uio_duplicate(uio_t uio)
{
	struct uio_piece *pieces;
	uio_t copy;

	KPI_RULES(KPI_SLEEPS, NULL);
	copy = make_uio(uio->room, __builtin_return_address(0));
	if (copy == NULL)
		return NULL;
	pieces = copy->pieces;
	*copy = *uio;
	copy->pieces = pieces;
	memcpy(pieces, uio->pieces, (size_t)uio->room * sizeof *pieces);
	return copy;
}

void
uio_free(uio_t uio)
{
	heap_free_for(curmachine(), uio, HEAP_UIO, __builtin_return_address(0));
}

int
uio_addiov(uio_t uio, user_addr_t base, user_size_t length)
{
	int at = uio->first + uio->count;

	if (at >= uio->room)
		return -1;
	uio->pieces[at] = (struct uio_piece){base, length};
	uio->count++;
	uio->resid += (user_ssize_t)length;
	return 0;
}

/* ---- looking ------------------------------------------------------------------------------ */

user_ssize_t
uio_resid(uio_t uio)
{
	return uio->resid;
}

void
uio_setresid(uio_t uio, user_ssize_t value)
{
	uio->resid = value;
}

int
uio_iovcnt(uio_t uio)
{
	return uio->count;
}

off_t
uio_offset(uio_t uio)
{
	return uio->offset;
}

void
uio_setoffset(uio_t uio, off_t value)
{
	uio->offset = value;
}

int
uio_rw(uio_t uio)
{
	return uio->direction;
}

void
uio_setrw(uio_t uio, int value)
{
	uio->direction = value;
}

int
uio_isuserspace(uio_t uio)
{
	return UIO_SEG_IS_USER_SPACE(uio->space);
}

user_addr_t
uio_curriovbase(uio_t uio)
{
	return uio->count > 0 ? uio->pieces[uio->first].base : 0;
}

user_size_t
uio_curriovlen(uio_t uio)
{
	return uio->count > 0 ? uio->pieces[uio->first].length : 0;
}

/* 0, or -1 when there is no such piece. */
int
uio_getiov(uio_t uio, int index, user_addr_t *base, user_size_t *length)
{
	if (index < 0 || index >= uio->count)
		return -1;
	if (base != NULL)
		*base = uio->pieces[uio->first + index].base;
	if (length != NULL)
		*length = uio->pieces[uio->first + index].length;
	return 0;
}

/* ---- moving ------------------------------------------------------------------------------- */

/* Goes on within the first piece; emptied pieces go. */
static void
advance(uio_t uio, user_size_t n)
{
	struct uio_piece *p = &uio->pieces[uio->first];

	p->base += n;
	p->length -= n;
	uio->offset += (off_t)n;
	uio->resid -= (user_ssize_t)n;
	if (p->length == 0) {
		uio->first++;
		uio->count--;
	}
}

void
uio_update(uio_t uio, user_size_t count)
{
	while (count > 0 && uio->count > 0) {
		user_size_t n = uio->pieces[uio->first].length;

		if (n > count)
			n = count;
		advance(uio, n);
		count -= n;
	}
}

int
uiomove64(const __uint64_t cp, int n, uio_t uio)
{
	char *kernel = (char *)(uintptr_t)cp;

	KPI_RULES(KPI_SLEEPS, NULL);
	while (n > 0 && uio->resid > 0 && uio->count > 0) {
		struct uio_piece *p = &uio->pieces[uio->first];
		size_t part = p->length < (user_size_t)n ? p->length : (size_t)n;

		if (part > 0 && p->base == 0)
			return EFAULT;
		if (uio->direction == UIO_READ)
			memcpy((void *)(uintptr_t)p->base, kernel, part);
		else
			memcpy(kernel, (const void *)(uintptr_t)p->base, part);
		kernel += part;
		n -= (int)part;
		advance(uio, part);
	}
	return 0;
}

int
uiomove(const char *cp, int n, uio_t uio)
{
	return uiomove64((uintptr_t)cp, n, uio);
}
