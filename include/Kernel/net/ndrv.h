/* PF_NDRV sockets: a program gets and sends raw frames of one interface, by protocol. */
#ifndef _NET_NDRV_H_
#define _NET_NDRV_H_

#include <sys/types.h>
#include <net/if_var.h>

struct sockaddr_ndrv {
	unsigned char snd_len;
	unsigned char snd_family;	/* AF_NDRV */
	unsigned char snd_name[IFNAMSIZ];
};

#define NDRV_DEMUXTYPE_ETHERTYPE	4
#define NDRV_DEMUXTYPE_SAP		5
#define NDRV_DEMUXTYPE_SNAP		6

struct ndrv_demux_desc {
	u_int16_t type;		/* NDRV_DEMUXTYPE_* */
	u_int16_t length;	/* bytes used in data */
	union {
		u_int16_t ether_type;	/* network byte order */
		u_int8_t sap[3];	/* DSAP, SSAP, control */
		u_int8_t snap[5];
		u_int8_t other[28];
	} data;
};

#define NDRV_PROTOCOL_DESC_VERS		1
#define NDRV_DMUX_MAX_DESCR		1024

/* Value of NDRV_SETDMXSPEC. */
struct ndrv_protocol_desc {
	u_int32_t version;		/* NDRV_PROTOCOL_DESC_VERS */
	u_int32_t protocol_family;
	u_int32_t demux_count;
	struct ndrv_demux_desc *demux_list;
};

/* Options, at level SOL_NDRVPROTO. */
#define NDRVPROTO_NDRV			0
#define SOL_NDRVPROTO			NDRVPROTO_NDRV
#define NDRV_DELDMXSPEC			0x02
#define NDRV_SETDMXSPEC			0x04
#define NDRV_ADDMULTICAST		0x10
#define NDRV_DELMULTICAST		0x20

#endif
