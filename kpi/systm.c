/*
 * sys/systm.h's odds and ends: hash tables, single words of a process's memory, functions that only
 * return an error. Called by kexts. A process's addresses are the host program's own.
 */
#include <string.h>
#include <sys/malloc.h>
#include <sys/queue.h>
#include <sys/systm.h>

#include "src/kern/panic.h"

LIST_HEAD(generic_list, generic);

void *
hashinit(int count, int type, u_long *hashmask)
{
	struct generic_list *table;
	u_long size = 1;

	if (count <= 0)
		kpanic("hashinit was asked for a table of %d lists", count);
	while (size <= (u_long)count / 2)
		size *= 2;
	table = _MALLOC(size * sizeof *table, type, M_WAITOK | M_ZERO);
	if (table != NULL)
		*hashmask = size - 1;
	return table;
}

void
ovbcopy(const void *from, void *to, size_t len)
{
	memmove(to, from, len);
}

/* ---- the process's memory ----------------------------------------------------------------- */

int
fubyte(user_addr_t addr)
{
	unsigned char byte;

	return copyin(addr, &byte, sizeof byte) == 0 ? byte : -1;
}

int
fuibyte(user_addr_t addr)
{
	return fubyte(addr);
}

int
subyte(user_addr_t addr, int byte)
{
	unsigned char value = (unsigned char)byte;

	return copyout(&value, addr, sizeof value) == 0 ? 0 : -1;
}

int
suibyte(user_addr_t addr, int byte)
{
	return subyte(addr, byte);
}

long
fuword(user_addr_t addr)
{
	long word;

	return copyin(addr, &word, sizeof word) == 0 ? word : -1;
}

long
fuiword(user_addr_t addr)
{
	return fuword(addr);
}

int
suword(user_addr_t addr, long word)
{
	return copyout(&word, addr, sizeof word) == 0 ? 0 : -1;
}

int
suiword(user_addr_t addr, long word)
{
	return suword(addr, word);
}

int
useracc(user_addr_t addr, user_size_t len, int prot)
{
	(void)prot;
	return addr != 0 && addr + len >= addr;
}

/* ---- functions to fill tables with -------------------------------------------------------- */

int
nullop(void)
{
	return 0;
}

int
nulldev(void)
{
	return 0;
}

void
nullsys(void)
{
}

int
errsys(void)
{
	return EINVAL;
}

int
enoioctl(void)
{
	return ENOTTY;
}

int
enosys(void)
{
	return ENOSYS;
}

int
enxio(void)
{
	return ENXIO;
}

int
eopnotsupp(void)
{
	return ENOTSUP;
}

int
einval(void)
{
	return EINVAL;
}
