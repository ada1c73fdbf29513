/* Counters of terminal traffic. Nothing counts them here. */
#ifndef _SYS_DKSTAT_H_
#define _SYS_DKSTAT_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>

__BEGIN_DECLS

extern long tk_cancc __KERNEL_SYMBOL(tk_cancc);
extern long tk_nin __KERNEL_SYMBOL(tk_nin);
extern long tk_nout __KERNEL_SYMBOL(tk_nout);
extern long tk_rawcc __KERNEL_SYMBOL(tk_rawcc);

__END_DECLS

#endif
