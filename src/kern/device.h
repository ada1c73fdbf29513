/*
 * Character devices: the tables of functions that kexts put in place by major number (cdevsw_add) and the
 * names under which programs find them (devfs_make_node). kpi/conf.c is the kext's side; files of devices
 * are in device_file.h.
 *
 * A table and a name are entered in the ledger of the kext that made them. Taken away, they live on as long
 * as a file or a call holds them, but nothing is called any more.
 */
#ifndef NKE_KERN_DEVICE_H
#define NKE_KERN_DEVICE_H

#include <stdarg.h>
#include <sys/conf.h>

#include "src/kern/ledger.h"
#include "src/kern/select.h"

#define DEVICE_MAJORS	64

struct proc;

struct device_switch {
	struct ledger_entry ledger;
	struct kext *kext;		/* NULL: linked in */
	struct cdevsw calls;
	uint32_t references;		/* its place in the table, special devices, lookups */
	uint32_t files;			/* open ones */
	int major;
	bool removed;			/* the kext has taken it away: nothing of it is called */
};

typedef int device_clone_fn(dev_t dev, int action);

struct device_node {
	TAILQ_ENTRY(device_node) link;
	struct ledger_entry ledger;
	struct kext *kext;
	uint32_t magic;
	uint32_t references;		/* its place in the list, special devices, lookups */
	bool removed;
	bool block;			/* DEVFS_BLOCK: there are no such devices, opening it fails */
	dev_t dev;
	uid_t uid;
	gid_t gid;
	int perms;			/* 0777 */
	device_clone_fn *clone;		/* NULL: `dev` is what is opened */
	char name[128];			/* "tun0", "net/tap1" */
};

/* What cdevsw_add says: the major number, or -1. */
int device_add(struct nke *, int index, const struct cdevsw *, void *pc);
int device_remove(struct nke *, int index, const struct cdevsw *);
/* NULL: no memory, the name is taken or no name at all (the log says which). */
struct device_node *device_make_node(struct nke *, const struct device_node *, const char *fmt, va_list,
    void *pc);
void device_remove_node(struct nke *, struct device_node *);

/* The table of a major number, with a reference; NULL: there is none. */
struct device_switch *device_switch_hold(struct nke *, dev_t);
void device_switch_release(struct nke *, struct device_switch *);
/*
 * The name that `path` means, with a reference. ENOENT, ENOTDIR (a device is no folder), EISDIR (a folder),
 * ENAMETOOLONG.
 */
errno_t device_lookup(struct nke *, const char *path, struct device_node **);
void device_node_release(struct nke *, struct device_node *);
/* May the process open it for FREAD, FWRITE? EACCES. */
errno_t device_node_access(const struct device_node *, const struct proc *, int flags);
/* A name of the device for reports: "/dev/tun0", "character device 24, 0". */
void device_name(struct nke *, dev_t, char *text, size_t size);


/* ---- inside ------------------------------------------------------------------------------- */

struct device_special;
TAILQ_HEAD(device_special_list, device_special);

/* Devices that are open, or being opened (device_file.c). */
struct device_special_list *device_specials(struct nke *);
/* Who waits in select (select.c). */
struct select_list *device_waits(struct nke *);

#endif
