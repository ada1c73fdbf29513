/* What IPv6 counts. */
#ifndef _NETINET6_IP6_VAR_H_
#define _NETINET6_IP6_VAR_H_

#include <sys/types.h>
#include <netinet/in.h>

#ifndef SCOPE6_ID_MAX
#define SCOPE6_ID_MAX		16
#endif
#define IP6S_SRCRULE_COUNT	16

struct ip6stat {
	u_quad_t ip6s_total;		/* received */
	u_quad_t ip6s_tooshort;
	u_quad_t ip6s_toosmall;
	u_quad_t ip6s_fragments;
	u_quad_t ip6s_fragdropped;	/* duplicates, or no room */
	u_quad_t ip6s_fragtimeout;	/* not complete in time */
	u_quad_t ip6s_fragoverflow;	/* too many at once */
	u_quad_t ip6s_forward;		/* forwarded */
	u_quad_t ip6s_cantforward;	/* for others, not forwarded */
	u_quad_t ip6s_redirectsent;
	u_quad_t ip6s_delivered;	/* to a protocol here */
	u_quad_t ip6s_localout;		/* made here */
	u_quad_t ip6s_odropped;		/* no memory */
	u_quad_t ip6s_reassembled;
	u_quad_t ip6s_atmfrag_rcvd;	/* atomic fragments (RFC 6946) */
	u_quad_t ip6s_fragmented;
	u_quad_t ip6s_ofragments;
	u_quad_t ip6s_cantfrag;
	u_quad_t ip6s_badoptions;
	u_quad_t ip6s_noroute;
	u_quad_t ip6s_badvers;
	u_quad_t ip6s_rawout;
	u_quad_t ip6s_badscope;
	u_quad_t ip6s_notmember;	/* multicasts for others */
	u_quad_t ip6s_nxthist[256];	/* by next header */
	u_quad_t ip6s_m1;		/* by mbufs: one, several, with clusters */
	u_quad_t ip6s_m2m[32];
	u_quad_t ip6s_mext1;
	u_quad_t ip6s_mext2m;
	u_quad_t ip6s_exthdrtoolong;
	u_quad_t ip6s_nogif;
	u_quad_t ip6s_toomanyhdr;
	u_quad_t ip6s_sources_none;	/* choice of source addresses */
	u_quad_t ip6s_sources_sameif[SCOPE6_ID_MAX];
	u_quad_t ip6s_sources_otherif[SCOPE6_ID_MAX];
	u_quad_t ip6s_sources_samescope[SCOPE6_ID_MAX];
	u_quad_t ip6s_sources_otherscope[SCOPE6_ID_MAX];
	u_quad_t ip6s_sources_deprecated[SCOPE6_ID_MAX];
	u_quad_t ip6s_forward_cachehit;
	u_quad_t ip6s_forward_cachemiss;
	u_quad_t ip6s_sources_rule[IP6S_SRCRULE_COUNT];
	u_quad_t ip6s_sources_skip_expensive_secondary_if;
	u_quad_t ip6s_pktdropcntrl;
	u_quad_t ip6s_adj;		/* trimmed to their length */
	u_quad_t ip6s_adj_hwcsum_clr;
	u_quad_t ip6s_dad_collide;	/* duplicate addresses */
	u_quad_t ip6s_dad_loopcount;
	u_quad_t ip6s_necp_policy_drop;
	u_quad_t ip6s_clat464_in_tooshort_drop;	/* translation (RFC 6877) */
	u_quad_t ip6s_clat464_in_nov6addr_drop;
	u_quad_t ip6s_clat464_in_nov4addr_drop;
	u_quad_t ip6s_clat464_in_v4synthfail_drop;
	u_quad_t ip6s_clat464_in_64transfail_drop;
	u_quad_t ip6s_clat464_in_64proto_transfail_drop;
	u_quad_t ip6s_clat464_in_64frag_transfail_drop;
	u_quad_t ip6s_clat464_in_invalpbuf_drop;
	u_quad_t ip6s_clat464_in_success;
	u_quad_t ip6s_clat464_in_drop;
	u_quad_t ip6s_clat464_in_v4_drop;
	u_quad_t ip6s_clat464_out_nov6addr_drop;
	u_quad_t ip6s_clat464_out_v6synthfail_drop;
	u_quad_t ip6s_clat464_out_46transfail_drop;
	u_quad_t ip6s_clat464_out_46proto_transfail_drop;
	u_quad_t ip6s_clat464_out_46frag_transfail_drop;
	u_quad_t ip6s_clat464_out_invalpbuf_drop;
	u_quad_t ip6s_clat464_out_success;
	u_quad_t ip6s_clat464_out_drop;
	u_quad_t ip6s_clat464_v6addr_conffail;
	u_quad_t ip6s_clat464_plat64_pfx_setfail;
	u_quad_t ip6s_clat464_plat64_pfx_getfail;
	u_quad_t ip6s_rcv_if_weak_match;
	u_quad_t ip6s_rcv_if_no_match;
};

/* Rules of source address selection (RFC 6724), index into ip6s_sources_rule. */
enum ip6s_sources_rule_index {
	IP6S_SRCRULE_0,
	IP6S_SRCRULE_1,
	IP6S_SRCRULE_2,
	IP6S_SRCRULE_3,
	IP6S_SRCRULE_4,
	IP6S_SRCRULE_5,
	IP6S_SRCRULE_6,
	IP6S_SRCRULE_7,
	IP6S_SRCRULE_7x,
	IP6S_SRCRULE_8
};

#endif
