/*
 * A character device as a Mac's kext has one: /dev/mailbox holds a message of up to 64 bytes, which a
 * reader waits for. It also says who calls, and so does an IP filter for every packet that leaves.
 */
#include <kern/locks.h>
#include <mach/mach_types.h>
#include <miscfs/devfs/devfs.h>
#include <netinet/kpi_ipfilter.h>
#include <string.h>
#include <sys/conf.h>
#include <sys/errno.h>
#include <sys/fcntl.h>
#include <sys/filio.h>
#include <sys/kauth.h>
#include <sys/proc.h>
#include <sys/select.h>
#include <sys/systm.h>
#include <sys/uio.h>
#include <sys/vnode.h>

#include "mailbox.h"

kern_return_t mailbox_start(kmod_info_t *ki, void *data);
kern_return_t mailbox_stop(kmod_info_t *ki, void *data);

/* Kexts that leave everything behind: when they start, when they stop. */
#ifndef FAILS
#define FAILS 0
#endif
#ifndef LEAVES
#define LEAVES 0
#endif

/* Its size is the kernel's secret: so much is enough. */
struct selinfo {
	char room[128];
};

static lck_grp_t *group;
static lck_mtx_t *lock;
static int major_number = -1, opens;
static void *node;
static struct selinfo readers, writers;
static char message[64];
static int length, limit = sizeof message;
static int full, nonblocking;
static ipfilter_t filter;
static int attached;

/* ---- the device --------------------------------------------------------------------------- */

static int
mailbox_open(dev_t dev, int flags, int devtype, struct proc *p)
{
	lck_mtx_lock(lock);
	opens++;
	lck_mtx_unlock(lock);
	return 0;
}

static int
mailbox_close(dev_t dev, int flags, int devtype, struct proc *p)
{
	lck_mtx_lock(lock);
	opens = 0;
	nonblocking = 0;
	lck_mtx_unlock(lock);
	return 0;
}

static int
mailbox_read(dev_t dev, struct uio *uio, int ioflag)
{
	int error = 0;

	lck_mtx_lock(lock);
	while (!full && error == 0) {
		if (nonblocking || (ioflag & IO_NDELAY))
			error = EWOULDBLOCK;
		else
			error = msleep(&full, lock, PZERO | PCATCH, "mailbox", NULL);
	}
	if (error == 0) {
		error = uiomove(message, length, uio);
		full = 0;
		wakeup(&full);
		selwakeup(&writers);
	}
	lck_mtx_unlock(lock);
	return error;
}

static int
mailbox_write(dev_t dev, struct uio *uio, int ioflag)
{
	int error = 0;

	if (uio_resid(uio) > limit)
		return EMSGSIZE;
	lck_mtx_lock(lock);
	while (full && error == 0) {
		if (nonblocking || (ioflag & IO_NDELAY))
			error = EWOULDBLOCK;
		else
			error = msleep(&full, lock, PZERO | PCATCH, "mailbox", NULL);
	}
	if (error == 0) {
		length = (int)uio_resid(uio);
		error = uiomove(message, length, uio);
		full = error == 0;
		wakeup(&full);
		selwakeup(&readers);
	}
	lck_mtx_unlock(lock);
	return error;
}

static int
mailbox_select(dev_t dev, int which, void *wql, struct proc *p)
{
	int ready = 0;

	lck_mtx_lock(lock);
	if (which == FREAD && !(ready = full))
		selrecord(p, &readers, wql);
	if (which == FWRITE && !(ready = !full))
		selrecord(p, &writers, wql);
	lck_mtx_unlock(lock);
	return ready;
}

static int
tell_caller(struct mailbox_caller *c, proc_t caller)
{
	proc_t p = c->pid == 0 ? proc_self() : proc_find(c->pid);
	kauth_cred_t cred;

	if (p == NULL)
		return ESRCH;
	if (c->pid == 0 && p != caller)
		return EIO;
	cred = kauth_cred_proc_ref(p);
	c->pid = proc_pid(p);
	c->ppid = proc_ppid(p);
	c->uid = kauth_cred_getuid(cred);
	c->gid = kauth_cred_getgid(cred);
	c->privileged = proc_suser(p) == 0;
	proc_name(c->pid, c->name, sizeof c->name);
	kauth_cred_unref(&cred);
	proc_rele(p);
	return 0;
}

static int
mailbox_ioctl(dev_t dev, u_long cmd, caddr_t data, int fflag, struct proc *p)
{
	int *value = (int *)(void *)data;

	switch (cmd) {
	case FIONBIO:
		nonblocking = *value;
		return 0;
	case FIONREAD:
		*value = full ? length : 0;
		return 0;
	case MAILBOX_SET_LIMIT:
		if (*value < 0 || *value > (int)sizeof message)
			return EINVAL;
		limit = *value;
		return 0;
	case MAILBOX_GET_LIMIT:
		*value = limit;
		return 0;
	case MAILBOX_CALLER:
		return tell_caller((struct mailbox_caller *)(void *)data, p);
	case MAILBOX_CLEAR:
		full = 0;
		return 0;
	default:
		return ENOTTY;
	}
}

static struct cdevsw table = {
	mailbox_open, mailbox_close, mailbox_read, mailbox_write, mailbox_ioctl, eno_stop, eno_reset, NULL,
	mailbox_select, eno_mmap, eno_strat, eno_getc, eno_putc, 0
};

/* ---- the filter --------------------------------------------------------------------------- */

static errno_t
packet_out(void *cookie, mbuf_t *data, ipf_pktopts_t options)
{
	char name[MAXCOMLEN + 1] = "";

	proc_selfname(name, sizeof name);
	printf("a packet of %d \"%s\", user %u\n", proc_selfpid(), name, kauth_getuid());
	return 0;
}

static void
detached(void *cookie)
{
	attached = 0;
	wakeup(&attached);
}

static const struct ipf_filter description = {
	.name = "com.example.mailbox", .ipf_output = packet_out, .ipf_detach = detached,
};

/* ---- start and stop ----------------------------------------------------------------------- */

kern_return_t
mailbox_stop(kmod_info_t *ki, void *data)
{
	if (LEAVES)
		return KERN_SUCCESS;
	/* As on a Mac: an open device is the kext's own business. */
	if (opens != 0)
		return KERN_FAILURE;
	if (node != NULL)
		devfs_remove(node);
	if (major_number != -1)
		cdevsw_remove(major_number, &table);
	if (filter != NULL)
		ipf_remove(filter);
	while (attached)
		tsleep(&attached, PWAIT, "mailbox", 0);
	if (lock != NULL)
		lck_mtx_free(lock, group);
	if (group != NULL)
		lck_grp_free(group);
	return KERN_SUCCESS;
}

kern_return_t
mailbox_start(kmod_info_t *ki, void *data)
{
	group = lck_grp_alloc_init("mailbox", LCK_GRP_ATTR_NULL);
	if (group != NULL)
		lock = lck_mtx_alloc_init(group, LCK_ATTR_NULL);
	if (lock != NULL)
		major_number = cdevsw_add(-1, &table);
	if (major_number != -1)
		node = devfs_make_node(makedev(major_number, 0), DEVFS_CHAR, 0, 0, 0660, "mailbox");
	if (FAILS)
		return KERN_FAILURE;
	if (node != NULL && ipf_addv4(&description, &filter) == 0) {
		attached = 1;
		return KERN_SUCCESS;
	}
	mailbox_stop(ki, data);
	return KERN_FAILURE;
}
