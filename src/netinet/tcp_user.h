/*
 * What programs may ask of TCP beyond Darwin's options: numbers that no option of Darwin's has, and what they
 * tell, in the core's own layout. A door between core and host: fixed types only.
 *
 * By the host API these are the host's options of the same name (TCP_CONGESTION, TCP_INFO ...); with
 * nke_darwin_getsockopt() they are reached by these numbers.
 */
#ifndef NKE_NETINET_TCP_USER_H
#define NKE_NETINET_TCP_USER_H

#include <stdint.h>

#define CORE_TCP_INFO		0x4001	/* struct core_tcp_info: FreeBSD's TCP_INFO */
#define CORE_TCP_CONGESTION	0x4002	/* name of the algorithm: FreeBSD's TCP_CONGESTION */
#define CORE_TCP_KEEPINIT	0x4003	/* int, seconds: FreeBSD's TCP_KEEPINIT */
#define CORE_TCP_MAXUNACKTIME	0x4004	/* int, seconds: FreeBSD's TCP_MAXUNACKTIME */
#define CORE_TCP_USER_TIMEOUT	0x4005	/* int, milliseconds: the same value (RFC 5482) */
/* uint32_t or uint64_t, octets a second; 0 or all bits: none. Linux's SO_MAX_PACING_RATE. */
#define CORE_TCP_PACING_RATE	0x4007
#define CORE_TCP_FUNCTION_BLK	0x4006	/* struct core_tcp_function_set: FreeBSD's TCP_FUNCTION_BLK */

#define CORE_TCP_CA_NAME_MAX	16
#define CORE_TCP_FUNCTION_NAME_MAX	32

/*
 * Which stack a connection has: "rack" (RACK-TLP and F-RTO; what a machine has at first) or "freebsd" (losses
 * are counted, RFC 6675). FreeBSD's layout.
 */
struct core_tcp_function_set {
	char function_set_name[CORE_TCP_FUNCTION_NAME_MAX];
	uint32_t pcbcnt;		/* how many connections have it; not looked at, and 0 here */
};

/* tcpi_options. */
#define CORE_TCPI_TIMESTAMPS	0x01
#define CORE_TCPI_SACK		0x02
#define CORE_TCPI_WSCALE	0x04
#define CORE_TCPI_ECN		0x08
#define CORE_TCPI_FASTOPEN	0x20
#define CORE_TCPI_ACE		0x40	/* accurate ECN; then not CORE_TCPI_ECN */

/* tcpi_ca_state. */
#define CORE_TCPI_OPEN		0
#define CORE_TCPI_DISORDER	1	/* some of what was sent is SACKed, nothing is lost */
#define CORE_TCPI_CWR		2	/* the window was reduced for ECN */
#define CORE_TCPI_RECOVERY	3	/* fast recovery */
#define CORE_TCPI_LOSS		4	/* after a retransmission timeout */

/* The members that FreeBSD's struct tcp_info has, by its names; times in microseconds. */
struct core_tcp_info {
	uint8_t tcpi_state;		/* TCPS_* */
	uint8_t tcpi_ca_state;
	uint8_t tcpi_retransmits;	/* timeouts in a row */
	uint8_t tcpi_probes;		/* keepalive probes without an answer */
	uint8_t tcpi_backoff;
	uint8_t tcpi_options;
	uint8_t tcpi_snd_wscale, tcpi_rcv_wscale;
	uint32_t tcpi_rto;
	uint32_t tcpi_snd_mss, tcpi_rcv_mss;
	uint32_t tcpi_unacked;		/* segments in flight or lost: of maximal size */
	uint32_t tcpi_sacked, tcpi_lost, tcpi_retrans;	/* of these */
	uint32_t tcpi_last_data_sent, tcpi_last_data_recv;	/* so long ago */
	uint32_t tcpi_pmtu;
	uint32_t tcpi_rcv_ssthresh;
	uint32_t tcpi_rtt, tcpi_rttvar, tcpi_rttmin;
	uint32_t tcpi_snd_ssthresh, tcpi_snd_cwnd;	/* octets */
	uint32_t tcpi_advmss;
	uint32_t tcpi_reordering;	/* segments by which one may come late: 3, or more seen */
	uint32_t tcpi_rcv_space;	/* octets of window that the peer was told */
	uint32_t tcpi_snd_wnd;
	uint32_t tcpi_snd_nxt, tcpi_snd_una, tcpi_rcv_nxt;
	uint32_t tcpi_snd_rexmitpack;	/* segments sent again */
	uint32_t tcpi_rcv_ooopack;	/* octets that came out of order */
	uint32_t tcpi_snd_sbbytes, tcpi_notsent, tcpi_rcv_sbbytes;
	uint32_t tcpi_rcv_numsacks;
	uint32_t tcpi_received_ce, tcpi_received_ece;
	uint64_t tcpi_txpackets, tcpi_rxpackets, tcpi_txbytes, tcpi_rxbytes;
	uint64_t tcpi_txretransmitbytes, tcpi_delivered;
	uint64_t tcpi_pacing_rate;	/* octets a second; 0: nothing is paced */
	/*
	 * What the peer says has been marked CE; and with accurate ECN (RFC 9768), octets of data both
	 * ways.
	 */
	uint32_t tcpi_delivered_ce;
	uint32_t tcpi_delivered_e1_bytes, tcpi_delivered_e0_bytes, tcpi_delivered_ce_bytes;
	uint32_t tcpi_received_e1_bytes, tcpi_received_e0_bytes, tcpi_received_ce_bytes;
};

/*
 * net.inet.tcp.ecn.stats: what Darwin's struct tcpstat has no place for, by FreeBSD's names. The first
 * three count connections with accurate ECN only.
 */
struct core_tcp_ecnstat {
	uint32_t tcps_ecn_ce, tcps_ecn_ect0, tcps_ecn_ect1;	/* segments that came so marked */
	uint32_t tcps_ecn_sndect0;	/* segments that went with ECT(0), of the same connections */
	uint32_t tcps_ecn_shs;		/* handshakes that agreed on accurate ECN */
	uint32_t tcps_ecn_rcwnd;	/* reductions of the window, by either ECN */
	/* What SYN-ACKs, and ACKs of them, said about the packet before. */
	uint32_t tcps_ace_nect, tcps_ace_ect1, tcps_ace_ect0, tcps_ace_ce;
	uint32_t tcps_ecn_nomem;	/* accurate ECN that was refused for want of memory */
	uint32_t tcps_ecn_mangled;	/* connections that send without ECT, as the path does harm */
};

/*
 * net.inet.tcp.pcblist: one of these for every socket of TCP, the oldest first; then for what has no socket,
 * half-open connections and those in TIME_WAIT. Written to net.inet.tcp.drop, one ends that connection:
 * ESRCH, there is none with a socket or in TIME_WAIT between these ends; EINVAL, it has another size.
 */
struct core_tcp_pcb {
	uint32_t xt_len;		/* of this record */
	uint8_t xt_state;		/* TCPS_* */
	uint8_t xt_family;		/* AF_INET or AF_INET6 of the socket */
	uint8_t xt_vflag;		/* 1: hears IPv4, 2: IPv6 */
	uint8_t xt_detached;		/* 1: its user has closed it */
	uint8_t xt_laddr[16], xt_faddr[16];	/* IPv4: in the last 4 octets */
	uint32_t xt_lzone, xt_fzone;	/* interface of link-local addresses */
	uint16_t xt_lport, xt_fport;	/* network order */
	uint32_t xt_sndq, xt_rcvq;	/* octets in the buffers */
	uint16_t xt_qlen, xt_incqlen, xt_qlimit;	/* of a listener */
	uint16_t xt_pad;
	uint32_t xt_snd_cwnd, xt_snd_ssthresh, xt_srtt_us, xt_rto_us;
	uint32_t xt_snd_wnd, xt_rcv_wnd, xt_maxseg;
	uint32_t xt_generation;		/* number of the socket, unique in the machine */
	char xt_cc[CORE_TCP_CA_NAME_MAX];
};

#endif
