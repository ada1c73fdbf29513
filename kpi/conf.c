/*
 * sys/conf.h and miscfs/devfs/devfs.h: character devices and their names. A kext may put in a
 * table of functions and name it; nothing in the machine opens devices, so the functions are not
 * called.
 */
#include <miscfs/devfs/devfs.h>
#include <stdarg.h>
#include <string.h>
#include <sys/conf.h>
#include <sys/errno.h>

#include "src/kern/heap.h"
#include "src/kern/klog.h"
#include "src/kern/panic.h"
#include "src/kern/thread.h"

#define DEVICES		64

struct cdevsw_table {
	struct cdevsw entries[DEVICES];
	bool used[DEVICES];
};

int
enodev(void)
{
	return ENODEV;
}

void
enodev_strat(void)
{
}

/* ---- tables ------------------------------------------------------------------------------- */

static int
free_index(const struct cdevsw_table *t)
{
	for (int i = 0; i < DEVICES; i++)
		if (!t->used[i])
			return i;
	return -1;
}

int
cdevsw_add(int index, const struct cdevsw *cdev)
{
	struct nke *m = curmachine();
	struct cdevsw_table *t = m->devices;

	if (t == NULL)
		t = m->devices = kalloc(m, sizeof *t);
	if (t == NULL)
		return -1;
	if (index < 0)
		index = free_index(t);
	if (index < 0 || index >= DEVICES || t->used[index])
		return -1;
	t->entries[index] = *cdev;
	t->used[index] = true;
	klog(m, 5, "character device %d is registered; nothing opens devices here", index);
	return index;
}

int
cdevsw_remove(int index, const struct cdevsw *cdev)
{
	struct cdevsw_table *t = curmachine()->devices;

	if (t == NULL || index < 0 || index >= DEVICES || !t->used[index])
		return -1;
	if (memcmp(&t->entries[index], cdev, sizeof *cdev) != 0)
		return -1;
	t->used[index] = false;
	return index;
}

/* ---- names -------------------------------------------------------------------------------- */

struct device_node {
	dev_t device;
	char name[64];
};

static void *
make_node(dev_t dev, const char *fmt, va_list ap, void *pc)
{
	struct device_node *n;

	n = heap_alloc_for(curmachine(), sizeof *n, 16, HEAP_ZERO, HEAP_DEVICE, pc);
	if (n == NULL)
		return NULL;
	n->device = dev;
	kvsnprintf(n->name, sizeof n->name, fmt, ap);
	return n;
}

void *
devfs_make_node(dev_t dev, int chrblk, uid_t uid, gid_t gid, int perms, const char *fmt, ...)
{
	va_list ap;
	void *node;

	(void)chrblk, (void)uid, (void)gid, (void)perms;
	va_start(ap, fmt);
	node = make_node(dev, fmt, ap, __builtin_return_address(0));
	va_end(ap);
	return node;
}

void *
devfs_make_node_clone(dev_t dev, int chrblk, uid_t uid, gid_t gid, int perms,
    int (*clone)(dev_t dev, int action), const char *fmt, ...)
{
	va_list ap;
	void *node;

	(void)chrblk, (void)uid, (void)gid, (void)perms, (void)clone;
	va_start(ap, fmt);
	node = make_node(dev, fmt, ap, __builtin_return_address(0));
	va_end(ap);
	return node;
}

void
devfs_remove(void *handle)
{
	heap_free_for(curmachine(), handle, HEAP_DEVICE, __builtin_return_address(0));
}
