/*
 * utun: tunnel interfaces whose other end is a program. The program connects a kernel-control
 * socket to UTUN_CONTROL_NAME; each packet it reads or writes starts with four bytes of protocol
 * family.
 */
#ifndef _NET_IF_UTUN_H_
#define _NET_IF_UTUN_H_

#include <sys/types.h>

#define UTUN_CONTROL_NAME	"com.apple.net.utun_control"

/* Options at level SYSPROTO_CONTROL. */
#define UTUN_OPT_FLAGS			1
#define UTUN_OPT_IFNAME			2
#define UTUN_OPT_EXT_IFDATA_STATS	3
#define UTUN_OPT_INC_IFDATA_STATS_IN	4
#define UTUN_OPT_INC_IFDATA_STATS_OUT	5
#define UTUN_OPT_ENABLE_CRYPTO		6
#define UTUN_OPT_CONFIG_CRYPTO_KEYS	7
#define UTUN_OPT_UNCONFIG_CRYPTO_KEYS	8
#define UTUN_OPT_GENERATE_CRYPTO_KEYS_IDX	9
#define UTUN_OPT_DISABLE_CRYPTO		10
#define UTUN_OPT_STOP_CRYPTO_DATA_TRAFFIC	11
#define UTUN_OPT_START_CRYPTO_DATA_TRAFFIC	12
#define UTUN_OPT_SET_DELEGATE_INTERFACE	15
#define UTUN_OPT_MAX_PENDING_PACKETS	16
#define UTUN_OPT_ENABLE_CHANNEL		17
#define UTUN_OPT_GET_CHANNEL_UUID	18
#define UTUN_OPT_ENABLE_FLOWSWITCH	19
#define UTUN_OPT_ENABLE_NETIF		20
#define UTUN_OPT_SLOT_SIZE		21
#define UTUN_OPT_NETIF_RING_SIZE	22
#define UTUN_OPT_TX_FSW_RING_SIZE	23
#define UTUN_OPT_RX_FSW_RING_SIZE	24
#define UTUN_OPT_KPIPE_TX_RING_SIZE	25
#define UTUN_OPT_KPIPE_RX_RING_SIZE	26
#define UTUN_OPT_ATTACH_FLOWSWITCH	27

/* Values of UTUN_OPT_FLAGS. */
#define UTUN_FLAGS_NO_OUTPUT		0x0001
#define UTUN_FLAGS_NO_INPUT		0x0002
#define UTUN_FLAGS_CRYPTO		0x0004
#define UTUN_FLAGS_ENABLE_PROC_UUID	0x0004
#define UTUN_FLAGS_CRYPTO_STOP_DATA_TRAFFIC	0x0008

/* Packet types of 10.8's encrypting utun. */
#define UTUN_PKT_TYPE_KEEPALIVE		0x0001
#define UTUN_PKT_TYPE_IPSEC		0x0002
#define UTUN_PKT_TYPE_DTLS		0x0004

/* What UTUN_OPT_INC_IFDATA_STATS_IN and _OUT add. */
struct utun_stats_param {
	u_int64_t utsp_packets;
	u_int64_t utsp_bytes;
	u_int64_t utsp_errors;
};

#endif
