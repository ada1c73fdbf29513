/*
 * Media of an interface, in one word: kind in bits 5-7, subtype in bits 0-4, options above
 * (SIOCGIFMEDIA, SIOCSIFMEDIA).
 */
#ifndef _NET_IF_MEDIA_H_
#define _NET_IF_MEDIA_H_

/* Ethernet. */
#define IFM_ETHER		0x00000020
#define IFM_10_T		3
#define IFM_10_2		4
#define IFM_10_5		5
#define IFM_100_TX		6
#define IFM_100_FX		7
#define IFM_100_T4		8
#define IFM_100_VG		9
#define IFM_100_T2		10
#define IFM_1000_SX		11
#define IFM_10_STP		12
#define IFM_10_FL		13
#define IFM_1000_LX		14
#define IFM_1000_CX		15
#define IFM_1000_T		16
#define IFM_HPNA_1		17
#define IFM_10G_SR		18
#define IFM_10G_LR		19
#define IFM_10G_CX4		20
#define IFM_10G_T		21
#define IFM_2500_T		22
#define IFM_5000_T		23

/* Token ring. */
#define IFM_TOKEN		0x00000040
#define IFM_TOK_STP4		3
#define IFM_TOK_STP16		4
#define IFM_TOK_UTP4		5
#define IFM_TOK_UTP16		6
#define IFM_TOK_STP100		7
#define IFM_TOK_UTP100		8
#define IFM_TOK_ETR		0x00000200
#define IFM_TOK_SRCRT		0x00000400
#define IFM_TOK_ALLR		0x00000800
#define IFM_TOK_DTR		0x00002000
#define IFM_TOK_CLASSIC		0x00004000
#define IFM_TOK_AUTO		0x00008000

/* FDDI. */
#define IFM_FDDI		0x00000060
#define IFM_FDDI_SMF		3
#define IFM_FDDI_MMF		4
#define IFM_FDDI_UTP		5
#define IFM_FDDI_DA		0x00000100

/* IEEE 802.11. */
#define IFM_IEEE80211		0x00000080
#define IFM_IEEE80211_FH1	3
#define IFM_IEEE80211_FH2	4
#define IFM_IEEE80211_DS2	5
#define IFM_IEEE80211_DS5	6
#define IFM_IEEE80211_DS11	7
#define IFM_IEEE80211_DS1	8
#define IFM_IEEE80211_DS22	9
#define IFM_IEEE80211_ADHOC	0x00000100

/* ATM. */
#define IFM_ATM			0x000000a0
#define IFM_ATM_UNKNOWN		3
#define IFM_ATM_UTP_25		4
#define IFM_ATM_TAXI_100	5
#define IFM_ATM_TAXI_140	6
#define IFM_ATM_MM_155		7
#define IFM_ATM_SM_155		8
#define IFM_ATM_UTP_155		9
#define IFM_ATM_MM_622		10
#define IFM_ATM_SM_622		11
#define IFM_ATM_VIRTUAL		12
#define IFM_ATM_SDH		0x00000100
#define IFM_ATM_NOSCRAMB	0x00000200
#define IFM_ATM_UNASSIGNED	0x00000400

/* Subtypes of every kind. */
#define IFM_AUTO		0
#define IFM_MANUAL		1
#define IFM_NONE		2

/* Options of every kind. */
#define IFM_FDX			0x00100000	/* full duplex */
#define IFM_HDX			0x00200000
#define IFM_FLOW		0x00400000
#define IFM_EEE			0x00800000
#define IFM_FLAG0		0x01000000
#define IFM_FLAG1		0x02000000
#define IFM_FLAG2		0x04000000
#define IFM_LOOP		0x08000000

#define IFM_NMASK		0x000000e0
#define IFM_TMASK		0x0000001f
#define IFM_IMASK		0xf0000000
#define IFM_ISHIFT		28
#define IFM_OMASK		0x0000ff00
#define IFM_GMASK		0x0ff00000

/* ifm_status. */
#define IFM_AVALID		0x00000001	/* the next bit means something */
#define IFM_ACTIVE		0x00000002	/* there is a link */
#define IFM_WAKENABLED		0x00000004

#define IFM_TYPE(x)		((x) & IFM_NMASK)
#define IFM_SUBTYPE(x)		((x) & IFM_TMASK)
#define IFM_TYPE_OPTIONS(x)	((x) & IFM_OMASK)
#define IFM_INST(x)		(((x) & IFM_IMASK) >> IFM_ISHIFT)
#define IFM_OPTIONS(x)		((x) & (IFM_OMASK | IFM_GMASK))
#define IFM_INST_MAX		IFM_INST(IFM_IMASK)
#define IFM_MAKEWORD(type, subtype, options, instance) \
	((type) | (subtype) | (options) | ((instance) << IFM_ISHIFT))

struct ifmedia_description {
	int ifmt_word;
	const char *ifmt_string;
};

#endif
