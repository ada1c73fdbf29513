/* For kexts of 10.4 and later an mbuf is opaque: this is another name for sys/kpi_mbuf.h. */
#ifndef _SYS_MBUF_H_
#define _SYS_MBUF_H_

#include <sys/kpi_mbuf.h>

#endif
