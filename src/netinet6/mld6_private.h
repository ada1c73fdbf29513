/* Multicast listener discovery inside the core: its state. See mld6.c. */
#ifndef NKE_NETINET6_MLD6_PRIVATE_H
#define NKE_NETINET6_MLD6_PRIVATE_H

#include "src/netinet/in_report.h"

struct mldstat {
	u_quad_t mlds_rcv_total;
	u_quad_t mlds_rcv_tooshort;
	u_quad_t mlds_rcv_badscope;	/* not from the link: hop limit, source */
	u_quad_t mlds_rcv_nora;		/* without the router alert option: ignored */
	u_quad_t mlds_rcv_v1_queries;
	u_quad_t mlds_rcv_v2_queries;
	u_quad_t mlds_rcv_badqueries;
	u_quad_t mlds_rcv_gen_queries;
	u_quad_t mlds_rcv_group_queries;
	u_quad_t mlds_rcv_gsr_queries;
	u_quad_t mlds_rcv_reports;	/* version 1 */
	u_quad_t mlds_rcv_badreports;
	u_quad_t mlds_rcv_ourreports;
	u_quad_t mlds_snd_reports;
};

struct mld_state {
	struct mldstat stat;
	struct reporter reporter;
	int v1_enable;			/* whether routers of version 1 are taken notice of */
};

struct mldstat *mld_statistics(struct nke *);
/* ICMPv6 types 130 to 132 and 143: data at the IPv6 header, the message at `off`, its sum good. Consumes. */
void mld_input(struct nke *, struct mbuf *, int off);
/* The interface has a link-local address that may be used now. */
void mld_address_usable(struct ifnet *);
/* An interface goes; its groups have gone already. */
void mld_interface_gone(struct nke *, struct ifnet *);

#endif
