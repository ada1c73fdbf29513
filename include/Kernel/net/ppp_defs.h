/* PPP frames: sizes, fields, protocol numbers (RFC 1661, 1662). */
#ifndef _NET_PPP_DEFS_H_
#define _NET_PPP_DEFS_H_

#include <sys/types.h>

#define PPP_HDRLEN		4	/* address, control, protocol */
#define PPP_FCSLEN		2
#define PPP_MRU			1500

#define PPP_ADDRESS(p)		(((u_char *)(p))[0])
#define PPP_CONTROL(p)		(((u_char *)(p))[1])
#define PPP_PROTOCOL(p)		((((u_char *)(p))[2] << 8) + ((u_char *)(p))[3])

#define PPP_ALLSTATIONS		0xff
#define PPP_UI			0x03
#define PPP_FLAG		0x7e
#define PPP_ESCAPE		0x7d
#define PPP_TRANS		0x20	/* what an escaped byte is xored with */

#define PPP_IP			0x21
#define PPP_AT			0x29
#define PPP_IPX			0x2b
#define PPP_VJC_COMP		0x2d
#define PPP_VJC_UNCOMP		0x2f
#define PPP_COMP		0xfd
#define PPP_IPV6		0x57
#define PPP_IPCP		0x8021
#define PPP_ATCP		0x8029
#define PPP_IPXCP		0x802b
#define PPP_IPV6CP		0x8057
#define PPP_CCP			0x80fd
#define PPP_LCP			0xc021
#define PPP_PAP			0xc023
#define PPP_LQR			0xc025
#define PPP_CBCP		0xc029
#define PPP_CHAP		0xc223

#define PPP_INITFCS		0xffff
#define PPP_GOODFCS		0xf0b8

/* What is done with packets of a network protocol. */
enum NPmode {
	NPMODE_PASS,
	NPMODE_DROP,
	NPMODE_ERROR,
	NPMODE_QUEUE
};

#endif
