/* Character devices: the table of functions behind a device number. */
#ifndef _SYS_CONF_H_
#define _SYS_CONF_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/types.h>
#include <sys/queue.h>
#include <stdint.h>

struct buf;
struct proc;
struct tty;
struct uio;
struct vnode;

#define D_TAPE 1
#define D_DISK 2
#define D_TTY 3

typedef int open_close_fcn_t(dev_t dev, int flags, int devtype, struct proc *p);
typedef void strategy_fcn_t(struct buf *bp);
typedef int ioctl_fcn_t(dev_t dev, u_long cmd, caddr_t data, int fflag, struct proc *p);
typedef int dump_fcn_t(void);
typedef int psize_fcn_t(dev_t dev);
typedef int read_write_fcn_t(dev_t dev, struct uio *uio, int ioflag);
typedef int stop_fcn_t(struct tty *tp, int rw);
typedef int reset_fcn_t(int uban);
typedef int select_fcn_t(dev_t dev, int which, void *wql, struct proc *p);
typedef int mmap_fcn_t(void);
typedef int getc_fcn_t(dev_t dev);
typedef int putc_fcn_t(dev_t dev, char c);

#define d_open_t open_close_fcn_t
#define d_close_t open_close_fcn_t
#define d_read_t read_write_fcn_t
#define d_write_t read_write_fcn_t
#define d_ioctl_t ioctl_fcn_t
#define d_stop_t stop_fcn_t
#define d_reset_t reset_fcn_t
#define d_select_t select_fcn_t
#define d_mmap_t mmap_fcn_t
#define d_strategy_t strategy_fcn_t

struct cdevsw {
	open_close_fcn_t *d_open;
	open_close_fcn_t *d_close;
	read_write_fcn_t *d_read;
	read_write_fcn_t *d_write;
	ioctl_fcn_t *d_ioctl;
	stop_fcn_t *d_stop;
	reset_fcn_t *d_reset;
	struct tty **d_ttys;
	select_fcn_t *d_select;
	mmap_fcn_t *d_mmap;
	strategy_fcn_t *d_strategy;
	void *d_reserved_1;
	void *d_reserved_2;
	int d_type;
};

/* A line discipline, between a terminal and what it is used for. */
struct linesw {
	int (*l_open)(dev_t dev, struct tty *tp);
	int (*l_close)(struct tty *tp, int flags);
	int (*l_read)(struct tty *tp, struct uio *uio, int flag);
	int (*l_write)(struct tty *tp, struct uio *uio, int flag);
	int (*l_ioctl)(struct tty *tp, u_long cmd, caddr_t data, int flag, struct proc *p);
	int (*l_rint)(int c, struct tty *tp);
	void (*l_start)(struct tty *tp);
	int (*l_modem)(struct tty *tp, int flag);
};

#define eno_opcl ((open_close_fcn_t *)&enodev)
#define eno_rdwrt ((read_write_fcn_t *)&enodev)
#define eno_ioctl ((ioctl_fcn_t *)&enodev)
#define eno_stop ((stop_fcn_t *)&enodev)
#define eno_reset ((reset_fcn_t *)&enodev)
#define eno_select ((select_fcn_t *)&enodev)
#define eno_mmap ((mmap_fcn_t *)&enodev)
#define eno_strat ((strategy_fcn_t *)&enodev_strat)
#define eno_getc NULL
#define eno_putc NULL

#define NO_CDEVICE \
	{ \
		eno_opcl, eno_opcl, eno_rdwrt, eno_rdwrt, eno_ioctl, eno_stop, eno_reset, 0, \
		    eno_select, eno_mmap, eno_strat, eno_getc, eno_putc, 0 \
	}

__BEGIN_DECLS

/* ENODEV, whatever they are called with. */
int enodev(void);
void enodev_strat(void);
/* 1: for the table of a device that is always ready. */
int seltrue(dev_t dev, int which, struct proc *p);

/*
 * Puts a table in place and returns its major number, or -1 when that one, or every one, is taken.
 * A negative index asks for any. The table is copied.
 */
int cdevsw_add(int index, const struct cdevsw *cdev);
/* The index again, or -1 when another table stands there. */
int cdevsw_remove(int index, const struct cdevsw *cdev);

__END_DECLS

#endif
