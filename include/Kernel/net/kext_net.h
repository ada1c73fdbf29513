/* Filters of 10.1 to 10.3: since 10.4 kexts include sys/kpi_socketfilter.h and its like instead. */
#ifndef _NET_KEXT_NET_H_
#define _NET_KEXT_NET_H_

#include <sys/appleapiopts.h>
#include <sys/cdefs.h>
#include <sys/queue.h>

#endif
