/*
 * The kext of fuzz_device: three character devices whose functions do what the bytes that they are given
 * say, two at a time: what (enum act) and an argument. What is not given bytes (opening, reading) does
 * what the last write left for it.
 */
#include <kern/thread.h>
#include <mach/mach_types.h>
#include <miscfs/devfs/devfs.h>
#include <string.h>
#include <sys/conf.h>
#include <sys/errno.h>
#include <sys/fcntl.h>
#include <sys/kauth.h>
#include <sys/proc.h>
#include <sys/select.h>
#include <sys/systm.h>
#include <sys/uio.h>

#define DEVICES		3		/* the last one clones */
#define ACTS		8		/* of one call */
#define DEPTH		3		/* calls within calls */

int fuzz_device_start(void *kmod, void *data);
int fuzz_device_stop(void *kmod, void *data);

enum act {
	MOVE, SKIP, RESID, WAKE, RECORD, CLEAR, SLEEP, WAIT, REMOVE, ADD, REMOVE_NAME, ADD_NAME, ANSWER,
	PROCESS, OFFSET, PIECES, ALL_ACTS
};

static struct {
	int major[DEVICES];		/* -1: not there */
	void *node[DEVICES];
	unsigned units, depth;
	struct selinfo readers, writers;
	errno_t answer;
	uint8_t next[2 * ACTS];		/* for calls without bytes */
} s;

static open_close_fcn_t d_open, d_close;
static read_write_fcn_t d_read, d_write;
static ioctl_fcn_t d_ioctl;
static select_fcn_t d_select;

static const struct cdevsw tables[2] = {
	{.d_open = d_open, .d_close = d_close, .d_read = d_read, .d_write = d_write, .d_ioctl = d_ioctl,
	    .d_select = d_select, .d_type = D_TTY},
	{.d_open = d_open, .d_read = d_read, .d_ioctl = eno_ioctl, .d_select = eno_select},
};

/* ---- what is there ------------------------------------------------------------------------ */

static int
clone(dev_t dev, int action)
{
	(void)dev;
	if (action == DEVFS_CLONE_FREE)
		return 0;
	return s.answer != 0 ? -1 : (int)(s.units++ & 7);
}

static void
add_device(unsigned i)
{
	if (s.major[i] == -1)
		s.major[i] = cdevsw_add(-1, &tables[i == 1]);
}

static void
remove_device(unsigned i)
{
	if (s.major[i] != -1 && cdevsw_remove(s.major[i], &tables[i == 1]) == s.major[i])
		s.major[i] = -1;
}

static void
add_node(unsigned i)
{
	dev_t dev = (dev_t)makedev((unsigned)(s.major[i] & 63), i);

	if (s.node[i] != NULL)
		return;
	s.node[i] = i == 2 ? devfs_make_node_clone(dev, DEVFS_CHAR, 0, 0, 0600, clone, "clone") :
	    devfs_make_node(dev, DEVFS_CHAR, 501, 20, 0640, "net/dev%u", i);
}

static void
remove_node(unsigned i)
{
	if (s.node[i] != NULL)
		devfs_remove(s.node[i]);
	s.node[i] = NULL;
}

/* ---- acts --------------------------------------------------------------------------------- */

static void
look_at_processes(uint8_t argument)
{
	proc_t p = argument & 1 ? proc_self() : proc_find(argument >> 1);
	kauth_cred_t cred;
	char name[20];

	proc_selfname(name, argument & 15);
	if (p == NULL)
		return;
	cred = kauth_cred_proc_ref(p);
	(void)kauth_authorize_process(kauth_cred_get(), KAUTH_PROCESS_CANSIGNAL, p, 9, 0, 0);
	kauth_cred_unref(&cred);
	proc_rele(p);
}

static void
use_uio(enum act act, uint8_t argument, struct uio *uio)
{
	static char filler[1024];
	user_addr_t base;
	user_size_t length;

	switch (act) {
	case MOVE:
		(void)uiomove(filler, argument * 4, uio);
		break;
	case SKIP:
		uio_update(uio, argument);
		break;
	case RESID:
		uio_setresid(uio, argument & 0x80 ? -(user_ssize_t)argument : argument);
		break;
	case OFFSET:
		uio_setoffset(uio, (off_t)((uint64_t)argument << 56));
		break;
	case PIECES:
		(void)uio_getiov(uio, (int8_t)argument, &base, &length);
		(void)uio_addiov(uio, 0, 0);
		break;
	default:
		break;
	}
}

static void
act(enum act what, uint8_t argument, struct uio *uio)
{
	struct timespec soon = {0, (argument & 15) * 1000000 + 1};
	unsigned i = argument % DEVICES;

	switch (what) {
	case WAKE:
		selwakeup(argument & 1 ? &s.readers : &s.writers);
		wakeup(&s);
		break;
	case CLEAR:
		selthreadclear(argument & 1 ? &s.readers : &s.writers);
		break;
	case SLEEP:
		(void)msleep(&s, NULL, PZERO | (argument & 16 ? PCATCH : 0), "fuzz", &soon);
		break;
	case WAIT:
		/* For ever, which only somebody with a program behind him may. */
		if (uio != NULL)
			(void)tsleep(&s, PZERO | PCATCH, "fuzz", 0);
		break;
	case REMOVE:
		remove_device(i);
		break;
	case ADD:
		add_device(i);
		break;
	case REMOVE_NAME:
		remove_node(i);
		break;
	case ADD_NAME:
		add_node(i);
		break;
	case ANSWER:
		s.answer = argument & 1 ? argument >> 1 : 0;
		break;
	case PROCESS:
		look_at_processes(argument);
		break;
	default:
		if (uio != NULL)
			use_uio(what, argument, uio);
	}
}

static int
obey(const uint8_t *bytes, size_t len, struct uio *uio)
{
	if (s.depth < DEPTH) {
		s.depth++;
		for (size_t i = 0; i + 1 < len && i < 2 * ACTS; i += 2)
			act(bytes[i] % ALL_ACTS, bytes[i + 1], uio);
		s.depth--;
	}
	return s.answer;
}

/* ---- the devices --------------------------------------------------------------------------- */

static int
d_open(dev_t dev, int flags, int devtype, struct proc *p)
{
	(void)dev, (void)flags, (void)devtype, (void)p;
	return obey(s.next, 4, NULL);
}

static int
d_close(dev_t dev, int flags, int devtype, struct proc *p)
{
	return d_open(dev, flags, devtype, p);
}

static int
d_read(dev_t dev, struct uio *uio, int ioflag)
{
	(void)dev, (void)ioflag;
	return obey(s.next, sizeof s.next, uio);
}

static int
d_write(dev_t dev, struct uio *uio, int ioflag)
{
	uint8_t bytes[2 * ACTS] = {0};
	int len = (int)sizeof bytes;

	(void)dev, (void)ioflag;
	if (uio_resid(uio) < len)
		len = (int)uio_resid(uio);
	if (uiomove((char *)bytes, len, uio) != 0)
		return EFAULT;
	if (len != 0 && (bytes[0] & 0x80)) {
		memcpy(s.next, bytes, sizeof bytes);
		return 0;
	}
	return obey(bytes, (size_t)len, uio);
}

static int
d_ioctl(dev_t dev, u_long cmd, caddr_t data, int fflag, struct proc *p)
{
	(void)dev, (void)fflag, (void)p;
	if (!(cmd & IOC_IN))
		return ENOTTY;
	return obey((const uint8_t *)data, IOCPARM_LEN(cmd), NULL);
}

static int
d_select(dev_t dev, int which, void *wql, struct proc *p)
{
	(void)dev;
	selrecord(p, which == FREAD ? &s.readers : &s.writers, wql);
	if (s.next[0] & 1)
		selrecord(p, (struct selinfo *)(void *)&s.next[s.next[1] & 7], wql);
	(void)obey(s.next + 2, 4, NULL);
	return s.next[1] & 1;
}

/* ---- start and stop ----------------------------------------------------------------------- */

int
fuzz_device_start(void *kmod, void *data)
{
	(void)kmod, (void)data;
	memset(&s, 0, sizeof s);
	for (unsigned i = 0; i < DEVICES; i++) {
		s.major[i] = -1;
		add_device(i);
		add_node(i);
	}
	return KERN_SUCCESS;
}

int
fuzz_device_stop(void *kmod, void *data)
{
	(void)kmod, (void)data;
	for (unsigned i = 0; i < DEVICES; i++) {
		remove_node(i);
		remove_device(i);
	}
	return KERN_SUCCESS;
}
