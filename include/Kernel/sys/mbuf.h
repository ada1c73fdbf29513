/* For kexts of 10.4 and later an mbuf is opaque: this is another name for sys/kpi_mbuf.h. */
#ifndef _SYS_MBUF_H_
#define _SYS_MBUF_H_

#include <sys/cdefs.h>
#include <sys/appleapiopts.h>

/* Types of mbufs, as numbers: sys/kpi_mbuf.h's MBUF_TYPE_ names are the same. */
#define MT_FREE 0
#define MT_DATA 1
#define MT_HEADER 2
#define MT_SOCKET 3
#define MT_PCB 4
#define MT_RTABLE 5
#define MT_HTABLE 6
#define MT_ATABLE 7
#define MT_SONAME 8
#define MT_SOOPTS 10
#define MT_FTABLE 11
#define MT_RIGHTS 12
#define MT_IFADDR 13
#define MT_CONTROL 14
#define MT_OOBDATA 15
#define MT_TAG 16
#define MT_MAX 32

#include <sys/kpi_mbuf.h>

#endif
