/* Addresses of local (PF_LOCAL) sockets: path names. */
#ifndef _SYS_UN_H_
#define _SYS_UN_H_

#include <sys/types.h>
#include <sys/_types/_sa_family_t.h>

struct sockaddr_un {
	unsigned char sun_len;
	sa_family_t sun_family;
	char sun_path[104];	/* ends with a NUL if it is shorter */
};

#define SOL_LOCAL		0	/* level of the options below */
#define LOCAL_PEERCRED		0x001
#define LOCAL_PEERPID		0x002
#define LOCAL_PEEREPID		0x003
#define LOCAL_PEERUUID		0x004
#define LOCAL_PEEREUUID		0x005

#endif
