/*
 * The system domain, PF_SYSTEM: sockets between user space and kernel extensions. Its two protocols
 * are kernel control (sys/kern_control.h) and kernel events (sys/kern_event.h).
 */
#ifndef _SYSTEM_DOMAIN_H_
#define _SYSTEM_DOMAIN_H_

#include <sys/types.h>

#define SYSPROTO_EVENT			1
#define SYSPROTO_CONTROL		2

#define AF_SYS_CONTROL			2

struct sockaddr_sys {
	u_char ss_len;		/* sizeof(struct sockaddr_sys) */
	u_char ss_family;	/* AF_SYSTEM */
	u_int16_t ss_sysaddr;	/* AF_SYS_CONTROL ... */
	u_int32_t ss_reserved[7];
};

#endif
