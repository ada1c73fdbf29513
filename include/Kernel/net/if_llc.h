/* IEEE 802.2 logical link control headers. */
#ifndef _NET_IF_LLC_H_
#define _NET_IF_LLC_H_

#include <sys/types.h>

struct frmrinfo {
	u_char frmr_rej_pdu0;
	u_char frmr_rej_pdu1;
	u_char frmr_control;
	u_char frmr_control_ext;
	u_char frmr_cause;
};

struct llc {
	u_int8_t llc_dsap;
	u_int8_t llc_ssap;
	union {
		struct {
			u_int8_t control;
			u_int8_t format_id;
			u_int8_t class_id;
			u_int8_t window_x2;
		} type_u;
		struct {
			u_int8_t num_snd_x2;
			u_int8_t num_rcv_x2;
		} type_i;
		struct {
			u_int8_t control;
			u_int8_t num_rcv_x2;
		} type_s;
		struct {
			u_int8_t control;
			struct frmrinfo frmrinfo;
		} type_frmr;
		struct {
			u_int8_t control;
			u_int8_t org_code[3];
			u_int16_t ether_type;	/* network byte order */
		} type_snap __attribute__((__packed__));
		struct {
			u_int8_t control;
			u_int8_t control_ext;
		} type_raw;
	} llc_un;
} __attribute__((__packed__));

#define llc_control		llc_un.type_u.control
#define llc_control_ext		llc_un.type_raw.control_ext
#define llc_fid			llc_un.type_u.format_id
#define llc_class		llc_un.type_u.class_id
#define llc_window		llc_un.type_u.window_x2
#define llc_frmrinfo		llc_un.type_frmr.frmrinfo
#define llc_frmr_pdu0		llc_un.type_frmr.frmrinfo.frmr_rej_pdu0
#define llc_frmr_pdu1		llc_un.type_frmr.frmrinfo.frmr_rej_pdu1
#define llc_frmr_control	llc_un.type_frmr.frmrinfo.frmr_control
#define llc_frmr_control_ext	llc_un.type_frmr.frmrinfo.frmr_control_ext
#define llc_frmr_cause		llc_un.type_frmr.frmrinfo.frmr_cause
#define llc_snap		llc_un.type_snap

#define LLC_SNAPFRAMELEN	8	/* header with SNAP, in bytes */

/* Control field. */
#define LLC_UI			0x03
#define LLC_UI_P		0x13
#define LLC_DISC		0x43
#define LLC_DISC_P		0x53
#define LLC_UA			0x63
#define LLC_UA_P		0x73
#define LLC_TEST		0xe3
#define LLC_TEST_P		0xf3
#define LLC_FRMR		0x87
#define LLC_FRMR_P		0x97
#define LLC_DM			0x0f
#define LLC_DM_P		0x1f
#define LLC_XID			0xaf
#define LLC_XID_P		0xbf
#define LLC_SABME		0x6f
#define LLC_SABME_P		0x7f

/* Access points. */
#define LLC_8021D_LSAP		0x42
#define LLC_X25_LSAP		0x7e
#define LLC_SNAP_LSAP		0xaa
#define LLC_ISO_LSAP		0xfe

#endif
