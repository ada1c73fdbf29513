/*
 * Link-level socket addresses (AF_LINK): interface name and link address, one behind the other. For
 * ifnet_attach, multicast lists and whoever reads an interface's addresses.
 */
#ifndef _NET_IF_DL_H_
#define _NET_IF_DL_H_

#include <sys/types.h>

struct sockaddr_dl {
	u_char sdl_len;		/* length of the whole address in bytes */
	u_char sdl_family;	/* AF_LINK */
	u_short sdl_index;	/* of the interface; 0 if not known */
	u_char sdl_type;	/* IFT_* */
	u_char sdl_nlen;	/* length of the name, without a NUL */
	u_char sdl_alen;	/* length of the link address */
	u_char sdl_slen;	/* length of the link selector */
	char sdl_data[12];	/* name, then link address; longer if need be */
};

#define LLADDR(s)		((caddr_t)((s)->sdl_data + (s)->sdl_nlen))
#define CONST_LLADDR(s)		((const u_char *)((s)->sdl_data + (s)->sdl_nlen))

#endif
