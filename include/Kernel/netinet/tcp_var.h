/* What TCP counts, and its sysctl names. Connections themselves are the core's own business. */
#ifndef _NETINET_TCP_VAR_H_
#define _NETINET_TCP_VAR_H_

#include <sys/types.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/tcp_timer.h>

struct tcpstat {
	u_int32_t tcps_connattempt;	/* connections tried */
	u_int32_t tcps_accepts;
	u_int32_t tcps_connects;	/* connections established, both ways */
	u_int32_t tcps_drops;		/* connections dropped */
	u_int32_t tcps_conndrops;	/* of them, before they were established */
	u_int32_t tcps_closed;
	u_int32_t tcps_segstimed;	/* segments whose round trip was measured */
	u_int32_t tcps_rttupdated;
	u_int32_t tcps_delack;		/* acknowledgements delayed */
	u_int32_t tcps_timeoutdrop;	/* dropped by the retransmission timer */
	u_int32_t tcps_rexmttimeo;
	u_int32_t tcps_persisttimeo;
	u_int32_t tcps_keeptimeo;
	u_int32_t tcps_keepprobe;
	u_int32_t tcps_keepdrops;
	u_int32_t tcps_sndtotal;	/* segments sent */
	u_int32_t tcps_sndpack;		/* of them, with data */
	u_int32_t tcps_sndbyte;
	u_int32_t tcps_sndrexmitpack;	/* sent again */
	u_int32_t tcps_sndrexmitbyte;
	u_int32_t tcps_sndacks;		/* only an acknowledgement */
	u_int32_t tcps_sndprobe;	/* window probes */
	u_int32_t tcps_sndurg;
	u_int32_t tcps_sndwinup;
	u_int32_t tcps_sndctrl;		/* SYN, FIN, RST */
	u_int32_t tcps_rcvtotal;	/* segments received */
	u_int32_t tcps_rcvpack;		/* in sequence */
	u_int32_t tcps_rcvbyte;
	u_int32_t tcps_rcvbadsum;
	u_int32_t tcps_rcvbadoff;
	u_int32_t tcps_rcvmemdrop;
	u_int32_t tcps_rcvshort;
	u_int32_t tcps_rcvduppack;
	u_int32_t tcps_rcvdupbyte;
	u_int32_t tcps_rcvpartduppack;
	u_int32_t tcps_rcvpartdupbyte;
	u_int32_t tcps_rcvoopack;	/* out of order */
	u_int32_t tcps_rcvoobyte;
	u_int32_t tcps_rcvpackafterwin;
	u_int32_t tcps_rcvbyteafterwin;
	u_int32_t tcps_rcvafterclose;
	u_int32_t tcps_rcvwinprobe;
	u_int32_t tcps_rcvdupack;
	u_int32_t tcps_rcvacktoomuch;	/* for data that was not sent */
	u_int32_t tcps_rcvackpack;
	u_int32_t tcps_rcvackbyte;
	u_int32_t tcps_rcvwinupd;
	u_int32_t tcps_pawsdrop;
	u_int32_t tcps_predack;		/* header prediction was right */
	u_int32_t tcps_preddat;
	u_int32_t tcps_pcbcachemiss;
	u_int32_t tcps_cachedrtt;
	u_int32_t tcps_cachedrttvar;
	u_int32_t tcps_cachedssthresh;
	u_int32_t tcps_usedrtt;
	u_int32_t tcps_usedrttvar;
	u_int32_t tcps_usedssthresh;
	u_int32_t tcps_persistdrop;
	u_int32_t tcps_badsyn;
	u_int32_t tcps_mturesent;
	u_int32_t tcps_listendrop;
	u_int32_t tcps_synchallenge;
	u_int32_t tcps_rstchallenge;
	u_int32_t tcps_minmssdrops;
	u_int32_t tcps_sndrexmitbad;
	u_int32_t tcps_badrst;
	u_int32_t tcps_sc_added;
	u_int32_t tcps_sc_retransmitted;
	u_int32_t tcps_sc_dupsyn;
	u_int32_t tcps_sc_dropped;
	u_int32_t tcps_sc_completed;
	u_int32_t tcps_sc_bucketoverflow;
	u_int32_t tcps_sc_cacheoverflow;
	u_int32_t tcps_sc_reset;
	u_int32_t tcps_sc_stale;
	u_int32_t tcps_sc_aborted;
	u_int32_t tcps_sc_badack;
	u_int32_t tcps_sc_unreach;
	u_int32_t tcps_sc_zonefail;
	u_int32_t tcps_sc_sendcookie;
	u_int32_t tcps_sc_recvcookie;
	u_int32_t tcps_hc_added;
	u_int32_t tcps_hc_bucketoverflow;
	u_int32_t tcps_sack_recovery_episode;
	u_int32_t tcps_sack_rexmits;
	u_int32_t tcps_sack_rexmit_bytes;
	u_int32_t tcps_sack_rcv_blocks;
	u_int32_t tcps_sack_send_blocks;
	u_int32_t tcps_sack_sboverflow;
	u_int32_t tcps_bg_rcvtotal;
	u_int32_t tcps_rxtfindrop;
	u_int32_t tcps_fcholdpacket;
	u_int32_t tcps_coalesced_pack;
	u_int32_t tcps_flowtbl_full;
	u_int32_t tcps_flowtbl_collision;
	u_int32_t tcps_lro_twopack;
	u_int32_t tcps_lro_multpack;
	u_int32_t tcps_lro_largepack;
	u_int32_t tcps_limited_txt;
	u_int32_t tcps_early_rexmt;
	u_int32_t tcps_sack_ackadv;
	u_int32_t tcps_rcv_swcsum;	/* checksums done in software: segments, bytes */
	u_int32_t tcps_rcv_swcsum_bytes;
	u_int32_t tcps_rcv6_swcsum;
	u_int32_t tcps_rcv6_swcsum_bytes;
	u_int32_t tcps_snd_swcsum;
	u_int32_t tcps_snd_swcsum_bytes;
	u_int32_t tcps_snd6_swcsum;
	u_int32_t tcps_snd6_swcsum_bytes;
	u_int32_t tcps_msg_unopkts;
	u_int32_t tcps_msg_unoappendfail;
	u_int32_t tcps_msg_sndwaithipri;
	u_int32_t tcps_invalid_mpcap;	/* multipath TCP */
	u_int32_t tcps_invalid_joins;
	u_int32_t tcps_mpcap_fallback;
	u_int32_t tcps_join_fallback;
	u_int32_t tcps_estab_fallback;
	u_int32_t tcps_invalid_opt;
	u_int32_t tcps_mp_outofwin;
	u_int32_t tcps_mp_reducedwin;
	u_int32_t tcps_mp_badcsum;
	u_int32_t tcps_mp_oodata;
	u_int32_t tcps_mp_switches;
	u_int32_t tcps_mp_rcvtotal;
	u_int32_t tcps_mp_rcvbytes;
	u_int32_t tcps_mp_sndpacks;
	u_int32_t tcps_mp_sndbytes;
	u_int32_t tcps_join_rxmts;
	u_int32_t tcps_tailloss_rto;	/* loss recovery */
	u_int32_t tcps_reordered_pkts;
	u_int32_t tcps_recovered_pkts;
	u_int32_t tcps_pto;
	u_int32_t tcps_rto_after_pto;
	u_int32_t tcps_tlp_recovery;
	u_int32_t tcps_tlp_recoverlastpkt;
	u_int32_t tcps_ecn_client_success;
	u_int32_t tcps_ecn_recv_ece;
	u_int32_t tcps_ecn_sent_ece;
	u_int32_t tcps_detect_reordering;
	u_int32_t tcps_delay_recovery;
	u_int32_t tcps_avoid_rxmt;
	u_int32_t tcps_unnecessary_rxmt;
	u_int32_t tcps_nostretchack;
	u_int32_t tcps_rescue_rxmt;
	u_int32_t tcps_pto_in_recovery;
	u_int32_t tcps_pmtudbh_reverted;
	u_int32_t tcps_dsack_disable;
	u_int32_t tcps_dsack_ackloss;
	u_int32_t tcps_dsack_badrexmt;
	u_int32_t tcps_dsack_sent;
	u_int32_t tcps_dsack_recvd;
	u_int32_t tcps_dsack_recvd_old;
	u_int32_t tcps_mp_sel_symtomsd;
	u_int32_t tcps_mp_sel_rtt;
	u_int32_t tcps_mp_sel_rto;
	u_int32_t tcps_mp_sel_peer;
	u_int32_t tcps_mp_num_probes;
	u_int32_t tcps_mp_verdowngrade;
	u_int32_t tcps_drop_after_sleep;
	u_int32_t tcps_probe_if;
	u_int32_t tcps_probe_if_conflict;
	u_int32_t tcps_ecn_client_setup;
	u_int32_t tcps_ecn_server_setup;
	u_int32_t tcps_ecn_server_success;
	u_int32_t tcps_ecn_lost_synack;
	u_int32_t tcps_ecn_lost_syn;
	u_int32_t tcps_ecn_not_supported;
	u_int32_t tcps_ecn_recv_ce;
	u_int32_t tcps_ecn_conn_recv_ce;
	u_int32_t tcps_ecn_conn_recv_ece;
	u_int32_t tcps_ecn_conn_plnoce;
	u_int32_t tcps_ecn_conn_pl_ce;
	u_int32_t tcps_ecn_conn_nopl_ce;
	u_int32_t tcps_ecn_fallback_synloss;
	u_int32_t tcps_ecn_fallback_reorder;
	u_int32_t tcps_ecn_fallback_ce;
	u_int32_t tcps_tfo_syn_data_rcv;	/* TCP fast open */
	u_int32_t tcps_tfo_cookie_req_rcv;
	u_int32_t tcps_tfo_cookie_sent;
	u_int32_t tcps_tfo_cookie_invalid;
	u_int32_t tcps_tfo_cookie_req;
	u_int32_t tcps_tfo_cookie_rcv;
	u_int32_t tcps_tfo_syn_data_sent;
	u_int32_t tcps_tfo_syn_data_acked;
	u_int32_t tcps_tfo_syn_loss;
	u_int32_t tcps_tfo_blackhole;
	u_int32_t tcps_tfo_cookie_wrong;
	u_int32_t tcps_tfo_no_cookie_rcv;
	u_int32_t tcps_tfo_heuristics_disable;
	u_int32_t tcps_tfo_sndblackhole;
	u_int32_t tcps_mss_to_default;
	u_int32_t tcps_mss_to_medium;
	u_int32_t tcps_mss_to_low;
	u_int32_t tcps_ecn_fallback_droprst;
	u_int32_t tcps_ecn_fallback_droprxmt;
	u_int32_t tcps_ecn_fallback_synrst;
	u_int32_t tcps_mptcp_rcvmemdrop;
	u_int32_t tcps_mptcp_rcvduppack;
	u_int32_t tcps_mptcp_rcvpackafterwin;
	u_int32_t tcps_timer_drift_le_1_ms;
	u_int32_t tcps_timer_drift_le_10_ms;
	u_int32_t tcps_timer_drift_le_20_ms;
	u_int32_t tcps_timer_drift_le_50_ms;
	u_int32_t tcps_timer_drift_le_100_ms;
	u_int32_t tcps_timer_drift_le_200_ms;
	u_int32_t tcps_timer_drift_le_500_ms;
	u_int32_t tcps_timer_drift_le_1000_ms;
	u_int32_t tcps_timer_drift_gt_1000_ms;
	u_int32_t tcps_mptcp_handover_attempt;
	u_int32_t tcps_mptcp_interactive_attempt;
	u_int32_t tcps_mptcp_aggregate_attempt;
	u_int32_t tcps_mptcp_fp_handover_attempt;
	u_int32_t tcps_mptcp_fp_interactive_attempt;
	u_int32_t tcps_mptcp_fp_aggregate_attempt;
	u_int32_t tcps_mptcp_heuristic_fallback;
	u_int32_t tcps_mptcp_fp_heuristic_fallback;
	u_int32_t tcps_mptcp_handover_success_wifi;
	u_int32_t tcps_mptcp_handover_success_cell;
	u_int32_t tcps_mptcp_interactive_success;
	u_int32_t tcps_mptcp_aggregate_success;
	u_int32_t tcps_mptcp_fp_handover_success_wifi;
	u_int32_t tcps_mptcp_fp_handover_success_cell;
	u_int32_t tcps_mptcp_fp_interactive_success;
	u_int32_t tcps_mptcp_fp_aggregate_success;
	u_int32_t tcps_mptcp_handover_cell_from_wifi;
	u_int32_t tcps_mptcp_handover_wifi_from_cell;
	u_int32_t tcps_mptcp_interactive_cell_from_wifi;
	u_int64_t tcps_mptcp_handover_cell_bytes;
	u_int64_t tcps_mptcp_interactive_cell_bytes;
	u_int64_t tcps_mptcp_aggregate_cell_bytes;
	u_int64_t tcps_mptcp_handover_all_bytes;
	u_int64_t tcps_mptcp_interactive_all_bytes;
	u_int64_t tcps_mptcp_aggregate_all_bytes;
	u_int32_t tcps_mptcp_back_to_wifi;
	u_int32_t tcps_mptcp_wifi_proxy;
	u_int32_t tcps_mptcp_cell_proxy;
	u_int32_t tcps_ka_offload_drops;
	u_int32_t tcps_mptcp_triggered_cell;
};

#define TCPCTL_DO_RFC1323	1
#define TCPCTL_DO_RFC1644	2
#define TCPCTL_MSSDFLT		3
#define TCPCTL_STATS		4
#define TCPCTL_RTTDFLT		5
#define TCPCTL_KEEPIDLE		6
#define TCPCTL_KEEPINTVL	7
#define TCPCTL_SENDSPACE	8
#define TCPCTL_RECVSPACE	9
#define TCPCTL_KEEPINIT		10
#define TCPCTL_PCBLIST		11
#define TCPCTL_DELACKTIME	12
#define TCPCTL_V6MSSDFLT	13
#define TCPCTL_MAXID		14

#endif
