/* Protocols are the machine's own business: what remains for kexts is how often it ticks. */
#ifndef _SYS_PROTOSW_H_
#define _SYS_PROTOSW_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>

/* Slow timeouts per second. */
#define PR_SLOWHZ 2

#endif
