/*
 * sys/conf.h and miscfs/devfs/devfs.h: a kext puts in the table of its character device and names it. Who
 * opens it is in src/kern/device_file.c.
 */
#include <miscfs/devfs/devfs.h>
#include <stdarg.h>
#include <sys/conf.h>
#include <sys/errno.h>

#include "src/kern/device.h"
#include "src/kern/kpi_rule.h"
#include "src/kern/thread.h"

int
enodev(void)
{
	return ENODEV;
}

void
enodev_strat(void)
{
}

int
seltrue(dev_t dev, int which, struct proc *p)
{
	(void)dev;
	(void)which;
	(void)p;
	return 1;
}

int
cdevsw_add(int index, const struct cdevsw *cdev)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return device_add(curmachine(), index, cdev, __builtin_return_address(0));
}

int
cdevsw_remove(int index, const struct cdevsw *cdev)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	return device_remove(curmachine(), index, cdev);
}

void *
devfs_make_node(dev_t dev, int chrblk, uid_t uid, gid_t gid, int perms, const char *fmt, ...)
{
	const struct device_node what = {.dev = dev, .block = chrblk == DEVFS_BLOCK, .uid = uid, .gid = gid,
	    .perms = perms};
	va_list ap;
	void *node;

	KPI_RULES(KPI_SLEEPS, NULL);
	va_start(ap, fmt);
	node = device_make_node(curmachine(), &what, fmt, ap, __builtin_return_address(0));
	va_end(ap);
	return node;
}

void *
devfs_make_node_clone(dev_t dev, int chrblk, uid_t uid, gid_t gid, int perms,
    int (*clone)(dev_t dev, int action), const char *fmt, ...)
{
	const struct device_node what = {.dev = dev, .block = chrblk == DEVFS_BLOCK, .uid = uid, .gid = gid,
	    .perms = perms, .clone = clone};
	va_list ap;
	void *node;

	KPI_RULES(KPI_SLEEPS, NULL);
	va_start(ap, fmt);
	node = device_make_node(curmachine(), &what, fmt, ap, __builtin_return_address(0));
	va_end(ap);
	return node;
}

void
devfs_remove(void *handle)
{
	KPI_RULES(KPI_SLEEPS, NULL);
	device_remove_node(curmachine(), handle);
}
