/*
 * struct tcpcb: what TCP keeps of a connection, from its first SYN to TIME_WAIT, and what it has in flight.
 *
 * Made and freed by tcp_subr.c, owned by its inpcb, changed by nearly every file of TCP (tcp_private.h says
 * who does what). What only some need (tcp_pace, tcp_user, tcp_undo, tcp_accecn) is allocated when they do.
 *
 * Times are nanoseconds of uptime (uint64_t) unless the name says _us or _ms.
 */
#ifndef NKE_NETINET_TCP_CB_H
#define NKE_NETINET_TCP_CB_H

#include <netinet/tcp.h>
#include <netinet/tcp_fsm.h>
#include <netinet/tcp_seq.h>
#include <netinet/tcp_timer.h>
#include <netinet/tcp_var.h>

#include "src/kern/callout.h"
#include "src/netinet/cc.h"
#include "src/netinet/in_pcb.h"
#include "src/netinet/tcp_user.h"

#define TCP_HLEN	((int)sizeof(struct tcphdr))
#define TCP_NS_PER_US	1000ull
#define TCP_NS_PER_MS	1000000ull
#define TCP_NS_PER_S	1000000000ull
#define TCP_DUPTHRESH	3		/* RFC 5681, 6675: DupThresh */
#define TCP_LEAST_MAXSEG 64		/* t_maxseg is never less: room beside 40 octets of options */
#define TCP_MAXRXTSHIFT	12		/* retransmissions of one segment before the connection is given up */

/* ---- what is in flight (tcp_sent.c) ------------------------------------------------------- */

/*
 * One stretch of sequence space that has been sent and not yet acknowledged cumulatively: normally one
 * segment, or a large one that the interface cuts. This queue is retransmission queue, scoreboard (RFC
 * 6675), RACK's memory of times (RFC 8985) and the source of round trip times (Karn) in one.
 *
 * Every entry is in two lists: by sequence, and (unless SACKed or lost) by the time it was last sent.
 */
struct tcp_sent {
	TAILQ_ENTRY(tcp_sent) by_seq;
	TAILQ_ENTRY(tcp_sent) by_time;
	uint64_t time;			/* last sent */
	uint64_t delivered;		/* t_delivered when it was last sent */
	tcp_seq seq, end;		/* [seq, end): SYN and FIN count one */
	uint8_t flags;			/* SENT_* */
	uint8_t retransmits;		/* saturates */
};
TAILQ_HEAD(tcp_sent_list, tcp_sent);

#define SENT_SYN	0x01
#define SENT_FIN	0x02		/* its last octet is the FIN */
#define SENT_SACKED	0x04
#define SENT_LOST	0x08		/* to be sent again; not in flight */
#define SENT_REXMIT	0x10		/* was sent again: no round trip time from it (Karn) */
#define SENT_PUSH	0x20
#define SENT_TLP	0x40		/* last sent as a tail loss probe */
#define SENT_ECT	0x80		/* was sent with ECT */

/* ---- the connection ----------------------------------------------------------------------- */

enum tcp_timer {
	TT_REXMT,			/* RTO, RFC 6298 */
	TT_PERSIST,			/* zero window probes */
	TT_LOSS,			/* RACK's reordering timer or a tail loss probe: TF_TLP_ARMED */
	TT_DELACK,
	TT_KEEP,			/* keepalive; also the limit of connecting */
	TT_2MSL,			/* FIN_WAIT_2; TIME_WAIT while its user holds the socket */
	TT_COUNT
};

/* t_flags. */
#define TF_ACKNOW	0x00000001	/* an acknowledgement is to be sent at once */
#define TF_DELACK	0x00000002	/* one is owed */
#define TF_NODELAY	0x00000004
#define TF_NOOPT	0x00000008
#define TF_NOPUSH	0x00000010	/* only full segments */
#define TF_SENTFIN	0x00000020
#define TF_REQ_SCALE	0x00000040	/* window scaling: asked for (or will) */
#define TF_RCVD_SCALE	0x00000080	/* and the peer's SYN had it */
#define TF_REQ_TSTMP	0x00000100
#define TF_RCVD_TSTMP	0x00000200
#define TF_SACK_PERMIT	0x00000400
#define TF_NEEDFIN	0x00000800	/* the user has shut the sending side */
#define TF_MORETOCOME	0x00001000	/* PRUS_MORETOCOME: no short segment now */
#define TF_FASTRECOVERY	0x00002000	/* loss recovery until t_recover */
#define TF_RTORECOVERY	0x00004000	/* after an RTO, until t_recover */
#define TF_CONGRECOVERY	0x00008000	/* window reduced for ECN, until t_recover_ecn */
#define TF_FRTO		0x00010000	/* RFC 5682: is this RTO spurious? t_frto_step */
#define TF_TLP_ARMED	0x00020000	/* TT_LOSS is a tail loss probe */
#define TF_TLP_SENT	0x00040000	/* one is out, until t_tlp_end is acknowledged */
#define TF_REORDERED	0x00080000	/* RACK: reordering was seen on this connection */
#define TF_ECN_PERMIT	0x00100000	/* both sides want ECN */
#define TF_ECN_SND_ECE	0x00200000	/* a CE packet came: say ECE until CWR comes */
#define TF_ECN_SND_CWR	0x00400000	/* say CWR with the next new data */
#define TF_FASTOPEN	0x00800000
#define TF_WASIDLE	0x01000000
#define TF_MSS_SET	0x02000000	/* TCP_MAXSEG by the user: t_user->usermss */
#define TF_ECN_WANTED	0x04000000	/* TCP_ENABLE_ECN by the user */
#define TF_ECN_REFUSED	0x08000000	/* ... the same, off */
#define TF_BLACKHOLE	0x10000000	/* smaller segments, as large ones vanish; t_pmtud_saved_maxseg */
#define TF_RXFINDROP	0x20000000	/* TCP_RXT_FINDROP */
#define TF_TSO		0x40000000	/* the interface cuts large segments */
#define TF_CLOSED	0x80000000	/* tcp_close was called on it: it is being torn down */

/* A SACK block, host order: [start, end). */
struct sackblk {
	tcp_seq start, end;
};

/* What the peer is to be told of data that came too early, or twice (tcp_sack.c). */
struct tcp_rcv_sack {
	struct sackblk blocks[MAX_SACK_BLKS];	/* `count` of them, the newest first */
	struct sackblk dsack;		/* to be told once; start == end: none */
	uint8_t count;
};

/* tcp_pace.c */
struct tcp_pace {
	uint64_t rate;			/* octets a second */
	uint64_t next;			/* uptime ns: nothing new goes before */
	struct callout callout;		/* until then, when something waits */
};

/* Options of the user that few set. ms, counts and octets; 0: the sysctl variable, or none. */
struct tcp_user {
	uint32_t keepidle_ms, keepintvl_ms, keepinit_ms, maxunacktime_ms;
	uint32_t persist_ms;		/* PERSIST_TIMEOUT */
	uint32_t notsent_lowat;
	uint32_t usermss;		/* TCP_MAXSEG: with TF_MSS_SET */
	uint16_t keepcnt;
	struct tcp_pace *pace;		/* NULL: not paced */
};

/* To take a reduction of the window back (tcp_undo.c). */
struct tcp_undo {
	uint64_t ccdata[CC_DATA_SIZE / 8];	/* t_ccdata before it */
	uint64_t too_soon;		/* Eifel-like: an ACK before this time proves the RTO wrong */
	uint32_t cwnd, ssthresh;	/* before it */
	tcp_seq begin;			/* snd_una then */
	tcp_seq end;			/* after recovery: when more is acknowledged it is too late */
	uint32_t rexmits;		/* retransmissions that no DSACK has called superfluous */
	tcp_seq first;			/* where the first of them began */
	uint32_t first_ts;		/* our timestamp when it went; 0: none did */
};

struct tcp_reass_entry;
struct tcp_accecn;			/* tcp_accecn.h */

/*
 * There are many of them, most of them idle: with socket, inpcb, descriptor and what finds them not more than
 * 1,200 octets. What only few have for a while hangs off it.
 */
struct tcpcb {
	struct inpcb *t_inpcb;
	uint32_t t_flags;		/* TF_* */
	uint8_t t_state;		/* TCPS_*: set by tcp_setstate only */
	uint8_t t_rxtshift;		/* log2 of the RTO's backoff */
	uint8_t t_dupacks;		/* duplicate ACKs in a row without SACK */
	uint8_t snd_scale, rcv_scale;	/* shifts in use */
	uint8_t request_r_scale;	/* what we (will) ask for */
	uint8_t t_frto_step;		/* RFC 5682: waits for what step 2, or 3, says */
	uint8_t t_acks_owed;		/* full segments since the last acknowledgement */

	/* Sending. snd_nxt: the next octet never sent; retransmissions come from t_sent. */
	tcp_seq iss, snd_una, snd_nxt;
	tcp_seq snd_up;			/* end of urgent data; not above snd_una: none */
	tcp_seq snd_wl1, snd_wl2;	/* RFC 9293 3.10.7.4: of the last window update */
	uint32_t snd_wnd, max_sndwnd;
	uint32_t snd_cwnd, snd_ssthresh;
	uint32_t t_reduced;		/* t_delivered, its lower half, when loss last reduced the window */
	uint32_t t_maxseg;		/* data octets of a segment, options already taken off */
	uint16_t t_pmtud_saved_maxseg;
	uint16_t t_peermss;		/* the peer's MSS option; 0: none */

	/* Receiving. */
	tcp_seq irs, rcv_nxt;
	tcp_seq rcv_adv;		/* right edge of the window that was told */
	tcp_seq rcv_up;			/* end of urgent data */
	tcp_seq last_ack_sent;
	uint32_t rcv_wnd;

	/* Timestamps (RFC 7323), ms clocks. */
	uint32_t ts_recent;
	uint32_t ts_offset;		/* of our clock, random */

	/* Round trips (RFC 6298), us: t_srtt scaled by 8, t_rttvar by 4; t_srtt 0: none measured yet. */
	uint32_t t_srtt, t_rttvar;
	uint32_t t_rttlast;
	uint32_t t_rxtcur;		/* the RTO, us, with backoff */
	uint32_t t_minrtt;		/* smallest in the last minutes, us; 0 none: RACK, CUBIC */
	uint32_t t_minrtt_next;		/* the same since t_minrtt_start, ms of uptime */
	uint32_t t_minrtt_start;

	/* In flight. */
	struct tcp_sent_list t_sent, t_sent_times;
	struct tcp_sent *t_sent_hint;	/* where the last SACK block ended, or NULL */
	struct tcp_sent *t_sent_high;	/* the highest entry that is SACKed; NULL none */
	struct tcp_sent *t_sent_lost;	/* none before it is lost; NULL: look from the beginning */
	uint32_t t_pipe;		/* octets in flight: sent, neither SACKed nor lost (RFC 6675) */
	uint32_t t_sacked;		/* octets SACKed */
	uint32_t t_lost;		/* octets marked lost and not sent again yet */
	uint32_t t_dup_bytes;		/* without SACK: octets that duplicate ACKs say have arrived */
	uint32_t t_lossflight;		/* octets outstanding when the last loss was found (FlightSize) */
	tcp_seq t_recover;		/* recovery ends when this is acknowledged */
	tcp_seq t_recover_ecn;
	uint32_t t_rxtstart;		/* ms of uptime when the first retransmission failed; 0 none */

	/* RACK-TLP (RFC 8985 section 5.2). */
	tcp_seq t_rack_end;		/* RACK.end_seq */
	uint32_t t_rack_rtt;		/* us */
	tcp_seq t_rack_fack;
	tcp_seq t_rack_dsack_round;
	uint8_t t_rack_wnd_mult, t_rack_wnd_persist;
	bool t_rack_dsack_seen : 1;	/* the segment that is being handled has a DSACK */
	bool t_tlp_rexmit : 1;		/* the tail loss probe that is out is a retransmission */
	bool t_probed : 1;		/* the octet at snd_nxt went as a window probe: tcp_probe_acked() */
	uint8_t t_keepprobes;		/* keepalives unanswered */
	tcp_seq t_tlp_end;
	tcp_seq t_rescue;		/* RFC 6675: RescueRxt */
	/* PRR (RFC 6937). */
	uint32_t t_prr_delivered, t_prr_out, t_prr_recoverfs;
	struct tcp_undo *t_undo;	/* to take a reduction back; NULL: nothing to undo */

	/* Congestion control. */
	const struct cc_algo *t_cc;
	uint64_t t_ccdata[CC_DATA_SIZE / 8];

	/* Timers: one callout, armed for the earliest (tcp_timer.c). */
	struct callout t_callout;
	uint64_t t_timers[TT_COUNT];	/* uptime; 0: off */
	uint64_t t_rcvtime;		/* when the last segment came */
	uint64_t t_sndtime;		/* when the last one went */
	uint64_t ts_recent_age;		/* when ts_recent was taken */
	uint64_t t_rack_time;		/* RACK.xmit_ts */
	uint64_t t_delivered;		/* octets that have arrived, ever */

	/* Data that came too early, and what is said about it. */
	struct tcp_reass_entry *t_reass;	/* the first by sequence, in a ring */
	uint32_t t_reass_bytes;		/* memory that it takes */
	uint16_t t_reass_count;
	struct tcp_rcv_sack *t_rcv_sack;	/* NULL: nothing to be told */

	/* The mbuf in so_snd that snd_nxt is in or behind: its first octet is t_sndmb_seq. */
	struct mbuf *t_sndmb;
	tcp_seq t_sndmb_seq;

	/* Receive buffer autosizing. */
	uint32_t t_rfbuf_cnt, t_rfbuf_ts;

	errno_t t_softerror;		/* last ICMP error, told when the connection gives up */
	const struct tcp_user *t_user;	/* never NULL; tcp_user_get() to change it */
	struct tcp_fastopen *t_fastopen;	/* NULL none */

	/* What TCP_CONNECTION_INFO and TCP_INFO tell beyond. */
	uint64_t t_txbytes, t_rxbytes;
	union {
		struct {
			uint32_t t_ecn_ce, t_ecn_ece;	/* CE packets that came; ECE that came */
		};
		struct tcp_accecn *t_accecn;	/* with TFU_ACCECN: tcp_accecn_of() */
	};
	uint32_t t_txpackets, t_rxpackets, t_rexmitpackets, t_rexmitbytes, t_rxoobytes;
	uint8_t t_iobc;			/* out-of-band octet; TCPOOB_* in t_oobflags */
	uint8_t t_oobflags;
	uint8_t t_uflags;		/* TFU_* */
	uint8_t t_reordering;		/* by how many segments one came late; saturates */
};
#define TCPOOB_HAVEDATA	0x1
#define TCPOOB_HADDATA	0x2
#define TCPOOB_EXPECTED	0x4		/* the octet before rcv_up has not come yet */
#define TFU_DETACHED	0x1		/* nobody's descriptor any more: the connection holds the socket */
#define TFU_MOREACKS	0x2		/* TCP_SENDMOREACKS: every segment is acknowledged at once */
#define TFU_OVER	0x8		/* TIME_WAIT: no segment comes any more, its user may ask */
#define TFU_BASE	0x10		/* FreeBSD's base stack: no RACK, no probes of tails, no F-RTO */
#define TFU_ACCECN	0x20		/* ECN by RFC 9768: TF_ECN_PERMIT is set too, t_accecn is there */
#define TFU_SYNLOST	0x4		/* our SYN was sent again: the first RTO is RFC 6298 5.7's */

_Static_assert(sizeof(struct socket) + sizeof(struct inpcb) + sizeof(struct tcpcb) <= 1120,
    "what an idle connection takes");

#define intotcpcb(inp)	((struct tcpcb *)(inp)->inp_ppcb)
#define sototcpcb(so)	(intotcpcb(sotoinpcb(so)))

static inline struct socket *
tptosocket(const struct tcpcb *tp)
{
	return tp->t_inpcb->inp_socket;
}

static inline struct nke *
tptomachine(const struct tcpcb *tp)
{
	return tp->t_inpcb->inp_info->machine;
}

#endif
