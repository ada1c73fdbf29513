/*
 * Tables and names of character devices: see device.h.
 *
 * Major numbers below 24 are the kernel's own devices on a Mac, which a machine does not have; a kext gets
 * one of them only if it asks for that very number.
 */
#include <miscfs/devfs/devfs.h>
#include <string.h>
#include <sys/fcntl.h>
#include <sys/stat.h>

#include "src/kern/device.h"
#include "src/kern/device_file.h"
#include "src/kern/gate.h"
#include "src/kern/heap.h"
#include "src/kern/kauth.h"
#include "src/kern/kext.h"
#include "src/kern/klog.h"
#include "src/kern/panic.h"
#include "src/kern/proc.h"
#include "src/kern/subr_prf.h"

#define FIRST_MAJOR	24
#define NODE_MAGIC	UINT32_C(0xdeff50de)
#define PATH_MOST	1024u

struct device_state {
	struct device_switch *majors[DEVICE_MAJORS];	/* NULL: free */
	TAILQ_HEAD(, device_node) nodes;
	struct device_special_list specials;
	struct select_list waits;
};

struct device_special_list *
device_specials(struct nke *m)
{
	return &m->devices->specials;
}

struct select_list *
device_waits(struct nke *m)
{
	return &m->devices->waits;
}

/* ---- tables ------------------------------------------------------------------------------- */

static void
describe_switch(const struct ledger_entry *entry, char *text, size_t size)
{
	const struct device_switch *d = CONTAINER_OF(entry, struct device_switch, ledger);

	ksnprintf(text, size, "character device %d", d->major);
	device_files_describe(d, text, size);
}

/* An interface fact: a negative number asks for the first free one at least that far up, -1 for any. */
static int
free_major(const struct device_state *s, int index)
{
	int i = index == -1 ? FIRST_MAJOR : index;

	if (index >= 0)
		return index < DEVICE_MAJORS && s->majors[index] == NULL ? index : -1;
	for (i = i < 0 ? -i : i; i > 0 && i < DEVICE_MAJORS; i++)
		if (s->majors[i] == NULL)
			return i;
	return -1;
}

int
device_add(struct nke *m, int index, const struct cdevsw *calls, void *pc)
{
	struct device_state *s = m->devices;
	int major = index > -DEVICE_MAJORS ? free_major(s, index) : -1;
	struct device_switch *d = major >= 0 ? kalloc(m, sizeof *d) : NULL;

	if (d == NULL)
		return -1;
	d->calls = *calls;
	d->major = major;
	d->references = 1;
	d->kext = gate_kext();
	ledger_enter(m, &d->ledger, LEDGER_DEVICE, pc);
	s->majors[major] = d;
	return major;
}

static void
take_away(struct nke *m, struct device_switch *d)
{
	if (d->files != 0)
		klog(m, 4, "character device %d is taken away while it is open: its files give ENXIO, and "
		    "d_close is not called", d->major);
	m->devices->majors[d->major] = NULL;
	d->removed = true;
	ledger_strike(m, &d->ledger);
	device_files_cut(m);
	device_switch_release(m, d);
}

int
device_remove(struct nke *m, int index, const struct cdevsw *calls)
{
	struct device_switch *d;

	d = index >= 0 && index < DEVICE_MAJORS ? m->devices->majors[index] : NULL;
	if (d == NULL || memcmp(&d->calls, calls, sizeof *calls) != 0)
		return -1;
	take_away(m, d);
	return index;
}

struct device_switch *
device_switch_hold(struct nke *m, dev_t dev)
{
	unsigned number = (unsigned)major((uint32_t)dev);
	struct device_switch *d = number < DEVICE_MAJORS ? m->devices->majors[number] : NULL;

	if (d != NULL)
		d->references++;
	return d;
}

void
device_switch_release(struct nke *m, struct device_switch *d)
{
	if (--d->references == 0)
		kfree(m, d);
}

static bool
reclaim_switch(struct nke *m, struct ledger_entry *entry)
{
	take_away(m, CONTAINER_OF(entry, struct device_switch, ledger));
	return true;
}

/* ---- names -------------------------------------------------------------------------------- */

static void
describe_node(const struct ledger_entry *entry, char *text, size_t size)
{
	const struct device_node *n = CONTAINER_OF(entry, struct device_node, ledger);

	ksnprintf(text, size, "device name /dev/%s", n->name);
}

/* The node of that name; or, with `folder`, any in the folder of that name. */
static struct device_node *
find_node(struct nke *m, const char *name, bool folder)
{
	size_t len = strlen(name);
	struct device_node *n;

	TAILQ_FOREACH(n, &m->devices->nodes, link) {
		if (folder ? strncmp(n->name, name, len) == 0 && n->name[len] == '/' :
		    strcmp(n->name, name) == 0)
			return n;
	}
	return NULL;
}

struct device_node *
device_make_node(struct nke *m, const struct device_node *what, const char *fmt, va_list ap, void *pc)
{
	struct device_node *n = kalloc(m, sizeof *n);
	int len;

	if (n == NULL) {
		klog(m, 3, "devfs_make_node(\"%s\"): no memory", fmt);
		return NULL;
	}
	*n = *what;
	len = kvsnprintf(n->name, sizeof n->name, fmt, ap);
	if (len <= 0 || (size_t)len >= sizeof n->name || n->name[0] == '/' ||
	    find_node(m, n->name, false) != NULL || find_node(m, n->name, true) != NULL) {
		klog(m, 3, "devfs_make_node: \"%s\" is %s", n->name,
		    len <= 0 || n->name[0] == '/' ? "no name" : (size_t)len >= sizeof n->name ?
		    "too long a name" : "there already");
		kfree(m, n);
		return NULL;
	}
	n->magic = NODE_MAGIC;
	n->references = 1;
	n->kext = gate_kext();
	n->perms &= 0777;
	ledger_enter(m, &n->ledger, LEDGER_DEVICE_NAME, pc);
	TAILQ_INSERT_TAIL(&m->devices->nodes, n, link);
	return n;
}

void
device_node_release(struct nke *m, struct device_node *n)
{
	if (--n->references != 0)
		return;
	n->magic = 0;
	kfree(m, n);
}

void
device_remove_node(struct nke *m, struct device_node *n)
{
	if (n == NULL || n->magic != NODE_MAGIC || n->removed)
		kpanic("devfs_remove: %p is no device name, or was removed before", (void *)n);
	TAILQ_REMOVE(&m->devices->nodes, n, link);
	n->removed = true;
	ledger_strike(m, &n->ledger);
	device_node_release(m, n);
}

static bool
reclaim_node(struct nke *m, struct ledger_entry *entry)
{
	device_remove_node(m, CONTAINER_OF(entry, struct device_node, ledger));
	return true;
}

void
device_name(struct nke *m, dev_t dev, char *text, size_t size)
{
	const struct device_node *n;

	TAILQ_FOREACH(n, &m->devices->nodes, link) {
		if (n->dev == dev && n->clone == NULL) {
			ksnprintf(text, size, "/dev/%s", n->name);
			return;
		}
	}
	ksnprintf(text, size, "character device %d, %d", major((uint32_t)dev), minor((uint32_t)dev));
}

/* ---- finding ------------------------------------------------------------------------------ */

/* A name without double, leading and trailing slashes; `folder`: it ended in one. */
static void
tidy(const char *path, char *name, bool *folder)
{
	size_t len = 0;

	for (; *path != '\0'; path++) {
		if (*path != '/' || (len != 0 && name[len - 1] != '/'))
			name[len++] = *path;
	}
	*folder = len != 0 && name[len - 1] == '/';
	if (*folder)
		len--;
	name[len] = '\0';
}

/* Does a device stand where `name` has a folder? */
static bool
below_device(struct nke *m, const char *name)
{
	const struct device_node *n;

	TAILQ_FOREACH(n, &m->devices->nodes, link) {
		size_t len = strlen(n->name);

		if (strncmp(name, n->name, len) == 0 && name[len] == '/')
			return true;
	}
	return false;
}

errno_t
device_lookup(struct nke *m, const char *path, struct device_node **out)
{
	static const char dev[] = "dev/";
	char whole[PATH_MOST];
	const char *name = whole + sizeof dev - 1;
	struct device_node *n;
	bool folder;

	if (strnlen(path, PATH_MOST) >= PATH_MOST)
		return ENAMETOOLONG;
	if (path[0] != '/')
		return ENOENT;
	tidy(path, whole, &folder);
	if (whole[0] == '\0' || strcmp(whole, "dev") == 0)
		return EISDIR;
	if (strncmp(whole, dev, sizeof dev - 1) != 0)
		return ENOENT;
	n = find_node(m, name, false);
	if (n == NULL)
		return find_node(m, name, true) != NULL ? EISDIR : below_device(m, name) ? ENOTDIR : ENOENT;
	if (folder)
		return ENOTDIR;
	n->references++;
	*out = n;
	return 0;
}

errno_t
device_node_access(const struct device_node *n, const struct proc *p, int flags)
{
	int shift = cred_uid(p->cred) == n->uid ? 6 : cred_gid(p->cred) == n->gid ? 3 : 0;
	int want = (flags & FREAD ? S_IROTH : 0) | (flags & FWRITE ? S_IWOTH : 0);

	return cred_uid(p->cred) == 0 || (want & ~(n->perms >> shift)) == 0 ? 0 : EACCES;
}

/* ---- life --------------------------------------------------------------------------------- */

static errno_t
device_init(struct nke *m)
{
	struct device_state *s = kalloc(m, sizeof *s);

	if (s == NULL)
		return ENOMEM;
	TAILQ_INIT(&s->nodes);
	TAILQ_INIT(&s->specials);
	TAILQ_INIT(&s->waits);
	m->devices = s;
	ledger_set_describe(m, LEDGER_DEVICE, describe_switch);
	ledger_set_describe(m, LEDGER_DEVICE_NAME, describe_node);
	kext_set_reclaim(m, LEDGER_DEVICE, reclaim_switch);
	kext_set_reclaim(m, LEDGER_DEVICE_NAME, reclaim_node);
	return 0;
}

/* Files were closed before (filedesc.c); what is left is of kexts that have not been unloaded. */
static void
device_fini(struct nke *m)
{
	struct device_state *s = m->devices;
	struct device_node *n;

	while ((n = TAILQ_FIRST(&s->nodes)) != NULL)
		device_remove_node(m, n);
	for (int i = 0; i < DEVICE_MAJORS; i++)
		if (s->majors[i] != NULL)
			take_away(m, s->majors[i]);
	kfree(m, s);
	m->devices = NULL;
}

extern const struct subsystem device_subsystem;
const struct subsystem device_subsystem = {.name = "device", .init = device_init, .fini = device_fini};
