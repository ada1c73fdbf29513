/* A terminal, for line disciplines. There are no terminals here: types only. */
#ifndef _SYS_TTY_H_
#define _SYS_TTY_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/termios.h>
#include <sys/ttycom.h>
#include <sys/select.h>

struct clist {
	int c_cc;
	int c_cn;
	u_char *c_cf;
	u_char *c_cl;
	u_char *c_cs;
	u_char *c_ce;
	u_char *c_cq;
};

struct pgrp;
struct session;

struct tty {
	struct clist t_rawq;
	long t_rawcc;
	struct clist t_canq;
	long t_cancc;
	struct clist t_outq;
	long t_outcc;
	int t_line;
	dev_t t_dev;
	int t_state;
	int t_flags;
	int t_timeout;
	struct pgrp *t_pgrp;
	struct session *t_session;
	void *t_rsel[8];	/* two struct selinfo, which a kext cannot see */
	void *t_wsel[8];
	struct termios t_termios;
	struct winsize t_winsize;
	void (*t_oproc)(struct tty *);
	void (*t_stop)(struct tty *, int);
	int (*t_param)(struct tty *, struct termios *);
	void *t_sc;
	int t_column;
	int t_rocount, t_rocol;
	int t_hiwat;
	int t_lowat;
	int t_gen;
	void *t_iokit;
};

#define t_cc t_termios.c_cc
#define t_cflag t_termios.c_cflag
#define t_iflag t_termios.c_iflag
#define t_ispeed t_termios.c_ispeed
#define t_lflag t_termios.c_lflag
#define t_min t_termios.c_min
#define t_oflag t_termios.c_oflag
#define t_ospeed t_termios.c_ospeed
#define t_time t_termios.c_time

#define TS_SO_OLOWAT 0x00001
#define TS_ASYNC 0x00002
#define TS_BUSY 0x00004
#define TS_CARR_ON 0x00008
#define TS_FLUSH 0x00010
#define TS_ISOPEN 0x00020
#define TS_TBLOCK 0x00040
#define TS_TIMEOUT 0x00080
#define TS_TTSTOP 0x00100
#define TS_WOPEN 0x00200
#define TS_XCLUDE 0x00400
#define TS_CONNECTED 0x20000
#define TS_ZOMBIE 0x100000

#define TTY_CHARMASK 0x000000ff
#define TTY_QUOTE 0x00000100
#define TTY_ERRORMASK 0xff000000
#define TTY_FE 0x01000000
#define TTY_PE 0x02000000
#define TTY_OE 0x04000000
#define TTY_BI 0x08000000

#endif
