/* IPv6 addresses of interfaces: lifetimes, flags, ioctls, events, counters of an interface. */
#ifndef _NETINET6_IN6_VAR_H_
#define _NETINET6_IN6_VAR_H_

#include <stdint.h>
#include <sys/types.h>
#include <sys/time.h>
#include <sys/ioccom.h>
#include <sys/kern_event.h>
#include <net/ethernet.h>
#include <net/net_kev.h>
#include <net/if_var.h>
#include <netinet/in.h>

#ifndef SCOPE6_ID_MAX
#define SCOPE6_ID_MAX		16
#endif

struct in6_addrlifetime {
	time_t ia6t_expire;	/* seconds since 1970; 0: never */
	time_t ia6t_preferred;
	u_int32_t ia6t_vltime;	/* seconds; 0xffffffff: for ever */
	u_int32_t ia6t_pltime;
};

/* Counters of an interface (RFC 2465). */
struct in6_ifstat {
	u_quad_t ifs6_in_receive;
	u_quad_t ifs6_in_hdrerr;
	u_quad_t ifs6_in_toobig;
	u_quad_t ifs6_in_noroute;
	u_quad_t ifs6_in_addrerr;
	u_quad_t ifs6_in_protounknown;
	u_quad_t ifs6_in_truncated;
	u_quad_t ifs6_in_discard;
	u_quad_t ifs6_in_deliver;
	u_quad_t ifs6_out_forward;
	u_quad_t ifs6_out_request;
	u_quad_t ifs6_out_discard;
	u_quad_t ifs6_out_fragok;
	u_quad_t ifs6_out_fragfail;
	u_quad_t ifs6_out_fragcreat;
	u_quad_t ifs6_reass_reqd;
	u_quad_t ifs6_reass_ok;
	u_quad_t ifs6_atmfrag_rcvd;
	u_quad_t ifs6_reass_fail;
	u_quad_t ifs6_in_mcast;
	u_quad_t ifs6_out_mcast;
	u_quad_t ifs6_cantfoward_icmp6;
	u_quad_t ifs6_addr_expiry_cnt;
	u_quad_t ifs6_pfx_expiry_cnt;
	u_quad_t ifs6_defrtr_expiry_cnt;
};

/* ICMPv6 counters of an interface (RFC 2466). */
struct icmp6_ifstat {
	u_quad_t ifs6_in_msg;
	u_quad_t ifs6_in_error;
	u_quad_t ifs6_in_dstunreach;
	u_quad_t ifs6_in_adminprohib;
	u_quad_t ifs6_in_timeexceed;
	u_quad_t ifs6_in_paramprob;
	u_quad_t ifs6_in_pkttoobig;
	u_quad_t ifs6_in_echo;
	u_quad_t ifs6_in_echoreply;
	u_quad_t ifs6_in_routersolicit;
	u_quad_t ifs6_in_routeradvert;
	u_quad_t ifs6_in_neighborsolicit;
	u_quad_t ifs6_in_neighboradvert;
	u_quad_t ifs6_in_redirect;
	u_quad_t ifs6_in_mldquery;
	u_quad_t ifs6_in_mldreport;
	u_quad_t ifs6_in_mlddone;
	u_quad_t ifs6_out_msg;
	u_quad_t ifs6_out_error;
	u_quad_t ifs6_out_dstunreach;
	u_quad_t ifs6_out_adminprohib;
	u_quad_t ifs6_out_timeexceed;
	u_quad_t ifs6_out_paramprob;
	u_quad_t ifs6_out_pkttoobig;
	u_quad_t ifs6_out_echo;
	u_quad_t ifs6_out_echoreply;
	u_quad_t ifs6_out_routersolicit;
	u_quad_t ifs6_out_routeradvert;
	u_quad_t ifs6_out_neighborsolicit;
	u_quad_t ifs6_out_neighboradvert;
	u_quad_t ifs6_out_redirect;
	u_quad_t ifs6_out_mldquery;
	u_quad_t ifs6_out_mldreport;
	u_quad_t ifs6_out_mlddone;
};

/* Most IPv6 interface ioctls. */
struct in6_ifreq {
	char ifr_name[IFNAMSIZ];
	union {
		struct sockaddr_in6 ifru_addr;
		struct sockaddr_in6 ifru_dstaddr;
		int ifru_flags;
		int ifru_flags6;		/* IN6_IFF_* */
		int ifru_metric;
		int ifru_intval;
		caddr_t ifru_data;
		struct in6_addrlifetime ifru_lifetime;
		struct in6_ifstat ifru_stat;
		struct icmp6_ifstat ifru_icmp6stat;
		u_int32_t ifru_scope_id[SCOPE6_ID_MAX];
	} ifr_ifru;
};

/* SIOCAIFADDR_IN6. */
struct in6_aliasreq {
	char ifra_name[IFNAMSIZ];
	struct sockaddr_in6 ifra_addr;
	struct sockaddr_in6 ifra_dstaddr;
	struct sockaddr_in6 ifra_prefixmask;
	int ifra_flags;				/* IN6_IFF_* */
	struct in6_addrlifetime ifra_lifetime;
};

/* Kinds of prefix. */
#define IN6_PREFIX_ND		1
#define IN6_PREFIX_RR		2

/* Flags of a prefix, from a router advertisement or a renumbering. */
struct prf_ra {
	u_char onlink : 1;
	u_char autonomous : 1;
	u_char reserved : 6;
};

struct prf_rr {
	u_char decrvalid : 1;
	u_char decrprefd : 1;
	u_char reserved : 6;
};

struct in6_prflags {
	struct prf_ra prf_ra;
	u_char prf_reserved1;
	u_short prf_reserved2;
	struct prf_rr prf_rr;
	u_char prf_reserved3;
	u_short prf_reserved4;
};

struct in6_prefixreq {
	char ipr_name[IFNAMSIZ];
	u_char ipr_origin;			/* PR_ORIG_* */
	u_char ipr_plen;
	u_int32_t ipr_vltime;
	u_int32_t ipr_pltime;
	struct in6_prflags ipr_flags;
	struct sockaddr_in6 ipr_prefix;
};

#define PR_ORIG_RA		0
#define PR_ORIG_RR		1
#define PR_ORIG_STATIC		2
#define PR_ORIG_KERNEL		3

#define ipr_raf_onlink		ipr_flags.prf_ra.onlink
#define ipr_raf_auto		ipr_flags.prf_ra.autonomous
#define ipr_rrf_decrvalid	ipr_flags.prf_rr.decrvalid
#define ipr_rrf_decrprefd	ipr_flags.prf_rr.decrprefd

struct in6_rrenumreq {
	char irr_name[IFNAMSIZ];
	u_char irr_origin;
	u_char irr_m_len;
	u_char irr_m_minlen;
	u_char irr_m_maxlen;
	u_char irr_u_uselen;
	u_char irr_u_keeplen;
	struct irr_raflagmask {
		u_char onlink : 1;
		u_char autonomous : 1;
		u_char reserved : 6;
	} irr_raflagmask;
	u_int32_t irr_vltime;
	u_int32_t irr_pltime;
	struct in6_prflags irr_flags;
	struct sockaddr_in6 irr_matchprefix;
	struct sockaddr_in6 irr_useprefix;
};

/* Data of the events of KEV_INET6_SUBCLASS. */
struct kev_in6_addrlifetime {
	u_int32_t ia6t_expire;
	u_int32_t ia6t_preferred;
	u_int32_t ia6t_vltime;
	u_int32_t ia6t_pltime;
};

struct kev_in6_data {
	struct net_event_data link_data;
	struct sockaddr_in6 ia_addr;
	struct sockaddr_in6 ia_net;
	struct sockaddr_in6 ia_dstaddr;
	struct sockaddr_in6 ia_prefixmask;
	u_int32_t ia_plen;
	u_int32_t ia6_flags;			/* IN6_IFF_* */
	struct kev_in6_addrlifetime ia_lifetime;
	uint8_t ia_mac[ETHER_ADDR_LEN];
};

#define SIOCSIFADDR_IN6		_IOW('i', 12, struct in6_ifreq)
#define SIOCSIFDSTADDR_IN6	_IOW('i', 14, struct in6_ifreq)
#define SIOCSIFNETMASK_IN6	_IOW('i', 22, struct in6_ifreq)
#define SIOCDIFADDR_IN6		_IOW('i', 25, struct in6_ifreq)
#define SIOCAIFADDR_IN6		_IOW('i', 26, struct in6_aliasreq)
#define SIOCGIFADDR_IN6		_IOWR('i', 33, struct in6_ifreq)
#define SIOCGIFDSTADDR_IN6	_IOWR('i', 34, struct in6_ifreq)
#define SIOCGIFNETMASK_IN6	_IOWR('i', 37, struct in6_ifreq)
#define SIOCSIFPHYADDR_IN6	_IOW('i', 62, struct in6_aliasreq)
#define SIOCGIFPSRCADDR_IN6	_IOWR('i', 63, struct in6_ifreq)
#define SIOCGIFPDSTADDR_IN6	_IOWR('i', 64, struct in6_ifreq)
#define SIOCGIFAFLAG_IN6	_IOWR('i', 73, struct in6_ifreq)
#define SIOCGDRLST_IN6		_IOWR('i', 74, struct in6_drlist)
#define SIOCGPRLST_IN6		_IOWR('i', 75, struct in6_prlist)
#define OSIOCGIFINFO_IN6	_IOWR('i', 108, struct in6_ondireq)
#define SIOCGIFINFO_IN6		_IOWR('i', 76, struct in6_ondireq)
#define SIOCSNDFLUSH_IN6	_IOWR('i', 77, struct in6_ifreq)
#define SIOCGNBRINFO_IN6	_IOWR('i', 78, struct in6_nbrinfo)
#define SIOCSPFXFLUSH_IN6	_IOWR('i', 79, struct in6_ifreq)
#define SIOCSRTRFLUSH_IN6	_IOWR('i', 80, struct in6_ifreq)
#define SIOCGIFALIFETIME_IN6	_IOWR('i', 81, struct in6_ifreq)
#define SIOCSIFALIFETIME_IN6	_IOWR('i', 82, struct in6_ifreq)
#define SIOCGIFSTAT_IN6		_IOWR('i', 83, struct in6_ifreq)
#define SIOCGIFSTAT_ICMP6	_IOWR('i', 84, struct in6_ifreq)
#define SIOCSDEFIFACE_IN6	_IOWR('i', 85, struct in6_ndifreq)
#define SIOCGDEFIFACE_IN6	_IOWR('i', 86, struct in6_ndifreq)
#define SIOCSIFINFO_FLAGS	_IOWR('i', 87, struct in6_ndireq)
#define SIOCSSCOPE6		_IOW('i', 88, struct in6_ifreq)
#define SIOCGSCOPE6		_IOWR('i', 89, struct in6_ifreq)
#define SIOCGSCOPE6DEF		_IOWR('i', 90, struct in6_ifreq)
#define SIOCSIFPREFIX_IN6	_IOW('i', 100, struct in6_prefixreq)
#define SIOCGIFPREFIX_IN6	_IOWR('i', 101, struct in6_prefixreq)
#define SIOCDIFPREFIX_IN6	_IOW('i', 102, struct in6_prefixreq)
#define SIOCAIFPREFIX_IN6	_IOW('i', 103, struct in6_rrenumreq)
#define SIOCCIFPREFIX_IN6	_IOW('i', 104, struct in6_rrenumreq)
#define SIOCSGIFPREFIX_IN6	_IOW('i', 105, struct in6_rrenumreq)

/* Attach or detach IPv6, start or stop link-local addresses; for Apple's configuration tools. */
#define SIOCPROTOATTACH_IN6	_IOWR('i', 110, struct in6_aliasreq)
#define SIOCPROTODETACH_IN6	_IOWR('i', 111, struct in6_ifreq)
#define SIOCLL_START		_IOWR('i', 130, struct in6_aliasreq)
#define SIOCLL_STOP		_IOWR('i', 131, struct in6_ifreq)
#define SIOCAUTOCONF_START	_IOWR('i', 132, struct in6_ifreq)
#define SIOCAUTOCONF_STOP	_IOWR('i', 133, struct in6_ifreq)

#define SIOCGETSGCNT_IN6	_IOWR('u', 28, struct sioc_sg_req6)
#define SIOCGETMIFCNT_IN6	_IOWR('u', 107, struct sioc_mif_req6)
#define SIOCAADDRCTL_POLICY	_IOW('u', 108, struct in6_addrpolicy)
#define SIOCDADDRCTL_POLICY	_IOW('u', 109, struct in6_addrpolicy)

/* Flags of an address. */
#define IN6_IFF_ANYCAST		0x0001
#define IN6_IFF_TENTATIVE	0x0002
#define IN6_IFF_DUPLICATED	0x0004	/* somebody else has it */
#define IN6_IFF_DETACHED	0x0008
#define IN6_IFF_DEPRECATED	0x0010
#define IN6_IFF_NODAD		0x0020	/* don't look for duplicates */
#define IN6_IFF_AUTOCONF	0x0040
#define IN6_IFF_TEMPORARY	0x0080
#define IN6_IFF_DYNAMIC		0x0100	/* from DHCPv6 */
#define IN6_IFF_OPTIMISTIC	0x0200	/* RFC 4429 */
#define IN6_IFF_SECURED		0x0400	/* cryptographically made */
#define IN6_IFF_NOPFX		0x8000
#define IN6_IFF_DADPROGRESS	(IN6_IFF_TENTATIVE | IN6_IFF_OPTIMISTIC)
#define IN6_IFF_NOTREADY	(IN6_IFF_TENTATIVE | IN6_IFF_DUPLICATED)
#define IN6_IFF_NOTMANUAL	(IN6_IFF_AUTOCONF | IN6_IFF_DYNAMIC)

#define IN6_ARE_SCOPE_CMP(a, b)	((a) - (b))
#define IN6_ARE_SCOPE_EQUAL(a, b) ((a) == (b))

#endif
