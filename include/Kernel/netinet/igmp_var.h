/* What IGMP counts. */
#ifndef _NETINET_IGMP_VAR_H_
#define _NETINET_IGMP_VAR_H_

#include <stdint.h>
#include <sys/types.h>

/* Up to version 2. */
struct igmpstat {
	u_int igps_rcv_total;
	u_int igps_rcv_tooshort;
	u_int igps_rcv_badsum;
	u_int igps_rcv_queries;
	u_int igps_rcv_badqueries;
	u_int igps_rcv_reports;
	u_int igps_rcv_badreports;
	u_int igps_rcv_ourreports;
	u_int igps_snd_reports;
};

/* Version 3. */
struct igmpstat_v3 {
	uint32_t igps_version;		/* IGPS_VERSION_3 */
	uint32_t igps_len;		/* IGPS_VERSION3_LEN */
	uint64_t igps_rcv_total;
	uint64_t igps_rcv_tooshort;
	uint64_t igps_rcv_badttl;
	uint64_t igps_rcv_badsum;
	uint64_t igps_rcv_v1v2_queries;
	uint64_t igps_rcv_v3_queries;
	uint64_t igps_rcv_badqueries;
	uint64_t igps_rcv_gen_queries;
	uint64_t igps_rcv_group_queries;
	uint64_t igps_rcv_gsr_queries;
	uint64_t igps_drop_gsr_queries;
	uint64_t igps_rcv_reports;
	uint64_t igps_rcv_badreports;
	uint64_t igps_rcv_ourreports;
	uint64_t igps_rcv_nora;		/* no router alert option */
	uint64_t igps_snd_reports;
	uint64_t __igps_pad[4];
};
#define IGPS_VERSION_3		3
#define IGPS_VERSION3_LEN	168

#endif
