/* How long a process and its children have run: the words of times(3). */
#ifndef _SYS_TIMES_H_
#define _SYS_TIMES_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/_types.h>
#include <sys/_types/_clock_t.h>

struct tms {
	clock_t tms_utime;
	clock_t tms_stime;
	clock_t tms_cutime;
	clock_t tms_cstime;
};

#endif
