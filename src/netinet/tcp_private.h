/*
 * TCP from the inside: what a machine keeps of TCP, a segment on its way, and what its files ask of each
 * other; the connection itself is in tcp_cb.h.
 * Seen by src/netinet/tcp_*.c, cc*.c and the tests.
 *
 * Who does what:
 *   tcp_init.c        sysctl variables, life of the subsystem, registration
 *   tcp_usrreq.c      what sockets ask          tcp_ctloutput.c  options       tcp_info.c   what is told
 *   tcp_subr.c        life of connections       tcp_notify.c     ICMP errors, path MTU
 *   tcp_option.c      TCP options, both ways
 *   tcp_input.c       segments in: checks, finding the connection, by state
 *   tcp_listen.c tcp_synsent.c tcp_segment.c tcp_ack.c      the states' own ways of a segment
 *   tcp_reass.c       data that came too early  tcp_fastpath.c   header prediction
 *   tcp_syncache.c    half-open connections     tcp_synack.c     their answers, and what becomes of them
 *   tcp_syncookie.c   the same without memory   tcp_fastopen.c   tcp_isn.c
 *   tcp_timewait.c    the last state in few bytes, kept in tcp_timewait_table.c
 *   tcp_output.c      what may be sent now      tcp_send.c       one segment    tcp_window.c  buffers
 *   tcp_timer.c       timers                    tcp_mss.c        segment sizes
 *   tcp_respond.c     segments of nobody's
 *   tcp_sent.c        what is in flight         tcp_sack.c       SACK blocks both ways
 *   tcp_rack.c        who is lost (RACK-TLP)    tcp_recovery.c   when, and how much goes meanwhile (PRR)
 *   tcp_undo.c        it was none               tcp_frto.c       nor was the timeout
 *   tcp_ecn.c         what the network marks    tcp_accecn.c     the same told accurately
 *   tcp_rtt.c cc.c cc_newreno.c cc_cubic.c tcp_hostcache.c
 *
 * Times are nanoseconds of uptime (uint64_t) unless the name says _us or _ms. Sequence numbers are in host
 * order and compared by SEQ_*.
 */
#ifndef NKE_NETINET_TCP_PRIVATE_H
#define NKE_NETINET_TCP_PRIVATE_H

#include "src/kern/trace.h"
#include "src/netinet/in_bucket.h"
#include "src/netinet/in_subr.h"
#include "src/netinet/tcp_cb.h"

/* ---- the machine's TCP -------------------------------------------------------------------- */

/* sysctl variables of net.inet.tcp, by BSD's names; times in ms. Defaults: tcp_init.c. */
struct tcp_config {
	int rfc1323;			/* 0 off, 1 both, 2 window scaling only, 3 timestamps only */
	int base_stack;			/* functions_default "freebsd": TFU_BASE of new connections */
	int sack, sack_revised, rfc3042, rfc3390, rfc3465, abc_l_var, do_prr, rack, frto;
	int abc_delivered;		/* windows grow by what is newly known to have arrived */
	int loss_from_cwnd, recovery_burst, rexmit_loss_reduces, prr_ecn, idle_restart;	/* docs/tcp.md */
	int ecn_enable;			/* 0 off, 1 both ways, 2 only when the peer asks; 3 to 5: tcp_ecn.c */
	int ecn_option, ecn_option_beacon, ecn_fallback;	/* tcp_accecn.c */
	int ecn_maxretries;		/* SYNs that are repeated and still ask */
	int ecn_plusplus;		/* enum ecn_plus (tcp_ecn.h): marked besides new data */
	int delayed_ack, delacktime, delack_fin, nagle_minshall, msg_eor;
	int mssdflt, v6mssdflt, minmss;
	int sendspace, recvspace;
	int sendbuf_auto, sendbuf_inc, sendbuf_max, recvbuf_auto, recvbuf_max;
	int initcwnd_segments;
	int rexmit_min, rexmit_max, rexmit_slop, rexmit_initial, rexmit_drop_options;
	int syn_linear_timeouts;	/* so many SYNs are repeated without backoff */
	int rexmit_granularity;		/* RFC 6298 2.3: G, ms */
	int persmin, persmax, maxpersistidle, persist_empty;	/* persmin 0: the RTO */
	int keepinit, keepidle, keepintvl, keepcnt, always_keepalive;
	int unread_rst, tw_reuse_delay;	/* of close(), of connect() */
	int msl, finwait2_timeout, fast_finwait2_recycle, maxtcptw, nolocaltimewait;
	int drop_synfin, icmp_may_rst, insecure_rst, insecure_syn, insecure_ack, ack_unsent;
	int blackhole, log_in_vain, tolerate_missing_ts, ts_offset_per_conn;
	int path_mtu_discovery, pmtud_blackhole_detection, pmtud_blackhole_mss, v6pmtud_blackhole_mss;
	int tso, isn_reseed_interval, challenge_acks;	/* in seconds; per second, RFC 5961 */
	int reass_maxsegments, reass_maxqueuelen;
	int syncookies, syncookiesonly;
	int syncache_cachelimit, syncache_bucketlimit, syncache_rexmtlimit, syncache_rst_on_sock_fail;
	int fastopen_client, fastopen_server, fastopen_acceptany, fastopen_nocookie, fastopen_numkeys;
	int hostcache_enable, hostcache_expire, hostcache_limit;
	int cubic_fast_convergence, cubic_friendly, cubic_hystart;
};

struct tcp_syncache;
struct tcp_timewaits;
struct tcp_hostcache;
struct tcp_fastopen_state;

/* Branches below net.inet.tcp. */
enum tcp_branch {
	TCP_BRANCH_SACK, TCP_BRANCH_ECN, TCP_BRANCH_SYNCACHE, TCP_BRANCH_REASS, TCP_BRANCH_FASTOPEN,
	TCP_BRANCH_HOSTCACHE, TCP_BRANCH_CC, TCP_BRANCH_CUBIC, TCP_BRANCHES
};

static inline bool
tcp_wants_scale(const struct tcp_config *c)
{
	return c->rfc1323 == 1 || c->rfc1323 == 2;
}

static inline bool
tcp_wants_ts(const struct tcp_config *c)
{
	return c->rfc1323 == 1 || c->rfc1323 == 3;
}

struct tcp_state {
	struct inpcbinfo pcbs;
	struct tcpstat stat;
	struct core_tcp_ecnstat ecnstat;
	struct tcp_config config;
	struct sysctl_oid_list branches[TCP_BRANCHES];	/* their addresses name them */
	struct zone connections;	/* of struct tcpcb */
	const struct cc_algo *cc;	/* of new connections */
	struct sysctl_oid_list cc_branch, cubic_branch;	/* their addresses name net.inet.tcp.cc, .cubic */
	struct tcp_syncache *syncache;
	struct tcp_timewaits *timewaits;
	struct tcp_hostcache *hostcache;
	struct tcp_fastopen_state *fastopen;
	uint64_t isn_key[2], ts_key[2];
	uint64_t isn_seeded;		/* when isn_key was made */
	struct route reply_route;	/* of the last segment that belonged to no connection */
	struct tcp_sent *free_sent;	/* kept for reuse, linked by by_seq.tqe_next */
	uint32_t free_sent_count;
	uint32_t reass_segments;	/* waiting in all connections */
	struct in_bucket resets[2];	/* RSTs of this second: for closed ports, for open ones */
	uint32_t resets_suppressed;	/* RSTs that were not sent, ever */
	uint64_t resets_told;		/* uptime ns: of the last log line about that */
	uint64_t challenge_second;	/* the second that challenge_left is for */
	int challenge_left;
	uint32_t states[TCP_NSTATES];	/* connections in each */
};

/* ---- a segment on its way in -------------------------------------------------------------- */

#define TOF_MSS		0x01
#define TOF_SCALE	0x02
#define TOF_SACKPERM	0x04
#define TOF_TS		0x08
#define TOF_SACK	0x10
#define TOF_FASTOPEN	0x20
#define TOF_SIGNATURE	0x40
#define TOF_ACCECN	0x80

/* TCP options of a segment, parsed or to be built. */
struct tcpopt {
	uint32_t to_flags;		/* TOF_*: which are there */
	uint32_t to_tsval, to_tsecr;
	uint16_t to_mss;
	uint8_t to_wscale;
	uint8_t to_nsacks;
	uint8_t to_tfo_len;		/* octets of cookie, 0: a request */
	const uint8_t *to_accecn;	/* with TOF_ACCECN only: kind, length, counters */
	const uint8_t *to_sacks;	/* network order, not aligned: to_nsacks times 8 octets */
	const uint8_t *to_tfo_cookie;
};

/*
 * One segment, checked: lengths and checksum are right, numbers are in host order. Functions that get it
 * trim what the receiver has or may not have by tcp_trim_*; seq, len and flags follow.
 */
struct tcp_segment {
	struct nke *machine;
	struct mbuf *m;			/* the packet, data at the IP header; NULL: consumed */
	struct in_ends ends;		/* ports in network order */
	int off;			/* of the TCP header in m */
	int hlen;			/* octets of TCP header with options */
	tcp_seq seq, ack;
	uint32_t len;			/* octets of data: at off + hlen of m */
	uint32_t win;			/* scaled, once the connection is known */
	uint16_t urp;
	uint16_t flags;			/* TH_* */
	uint8_t tos;			/* TOS or traffic class: ECN in the low 2 bits */
	bool multicast;			/* to a group or everybody, or from one: never answered */
	tcp_seq isn_floor;		/* of a SYN that ends TIME_WAIT: our ISN is above it; 0 none */
	struct tcpopt to;
	/* Found out on the way. */
	uint32_t newly_acked;		/* octets, cumulatively */
	uint32_t newly_sacked;
	uint32_t delivered;		/* of both, what was not known to have arrived before */
	uint32_t rtt;			/* us; 0: not measured by it */
	uint8_t wake;			/* TCP_WAKE_*: to be done when the connection is in order again */
	bool output;			/* there may be something to send now */
	bool challenge;			/* a bare acknowledgement is to go (RFC 5961) */
	bool hold;			/* its data wait until the handshake is over */
};

/* What the socket is to be told at the end of a segment: whoever hears of it may close it. */
#define TCP_WAKE_READ		0x1
#define TCP_WAKE_WRITE		0x2
#define TCP_WAKE_CONNECTED	0x4
#define TCP_WAKE_NOMORE		0x8	/* the peer's FIN was reached */
#define TCP_WAKE_ALONE		0x10	/* closed by the user and by half: soisdisconnected */

/* Takes `n` octets off the front or the end of the data; `n` is at most len. */
static inline void
tcp_trim_front(struct tcp_segment *seg, uint32_t n)
{
	seg->seq += n;
	seg->hlen += (int)n;
	seg->len -= n;
}
static inline void
tcp_trim_end(struct tcp_segment *seg, uint32_t n)
{
	seg->len -= n;
}

/* ---- segments in ---------------------------------------------------------------------------- */

/* tcp_input.c */
extern const struct ip_transport tcp_transport, tcp6_transport;
/*
 * Gives a checked segment to a connection that is in SYN_RECEIVED or beyond (tcp_segment.c). Consumes
 * seg->m. The connection may be gone afterwards.
 */
void tcp_do_segment(struct tcpcb *, struct tcp_segment *);
void tcp_listen_input(struct inpcb *, struct tcp_segment *);		/* tcp_listen.c */
void tcp_synsent_input(struct tcpcb *, struct tcp_segment *);		/* tcp_synsent.c */
/* Header prediction: true when the segment was handled, and consumed (tcp_fastpath.c). */
bool tcp_fastpath(struct tcpcb *, struct tcp_segment *);
/*
 * The acknowledgement of a segment (tcp_ack.c): window, cumulative ACK, SACK, loss detection, states that
 * wait for an ACK. False: the segment is to be dropped, or the connection is gone (seg->m is consumed).
 */
bool tcp_process_ack(struct tcpcb *, struct tcp_segment *);
/*
 * What a valid ACK of something new does in every state: frees `octets` of so_snd, moves snd_una, takes
 * the round trip time, restarts the retransmission timer.
 */
void tcp_ack_advance(struct tcpcb *, struct tcp_segment *, uint32_t octets);
/*
 * The rest of a segment, its ACK being done: urgent data, data, FIN (tcp_segment.c). Consumes seg->m.
 * False: the connection is gone.
 */
bool tcp_segment_text(struct tcpcb *, struct tcp_segment *);
/* `len` octets have come in order: acknowledged at once, or with the next ones (RFC 1122 4.2.3.2). */
void tcp_delay_ack(struct tcpcb *, uint32_t len);
/* Tells the socket what seg->wake says, then sends what is due. The connection may be gone afterwards. */
void tcp_segment_done(struct tcpcb *, struct tcp_segment *);
/* Answers a segment that belongs to no connection with RST, as RFC 9293 3.10.7.1 says. Consumes seg->m. */
void tcp_reset_segment(struct tcp_segment *, struct tcpcb *);
/* RFC 5961 section 7: an ACK, unless too many were sent this second. */
void tcp_challenge_ack(struct tcpcb *, struct tcp_segment *);
/* Takes one of the challenges that may be sent this second; false: there are none left. */
bool tcp_may_challenge(struct nke *);

/* tcp_reass.c: takes the data of `seg` (consumed), delivers what is in order to the socket. *fin: the FIN is
 * reached. False: the segment could not be kept. */
bool tcp_reass(struct tcpcb *, struct tcp_segment *, bool *fin);
/* The handshake is over: delivers what was held until now. False: nothing was. */
bool tcp_reass_held(struct tcpcb *, struct tcp_segment *, bool *fin);
void tcp_reass_flush(struct tcpcb *);

/* ---- SYNs (tcp_syncache.c, tcp_syncookie.c, tcp_fastopen.c, tcp_isn.c) ---------------------- */

errno_t tcp_syncache_init(struct nke *);
void tcp_syncache_fini(struct nke *);
/* A SYN at a listener: remembers it, answers SYN-ACK. Consumes seg->m. */
void syncache_add(struct inpcb *listener, struct tcp_segment *);
/*
 * An ACK at a listener: makes the connection. *so: its socket, whose tcpcb the segment is then given to (it
 * is referenced by the listener's queue); NULL with true: dropped quietly (listen queue full), false: it
 * belongs to nothing here, RST.
 */
bool syncache_expand(struct inpcb *listener, struct tcp_segment *, struct socket **so);
/* A RST: forgets the half-open connection, if the sequence number is right. */
void syncache_reset(struct inpcb *listener, const struct tcp_segment *);
/* A stray ACK of somebody who lost our SYN-ACK and such: RFC 9293 3.10.7.4 for SYN-RECEIVED. */
void syncache_badack(struct inpcb *listener, const struct tcp_segment *);
/* ICMP unreachable for a half-open connection; `seq`: of the quoted segment. */
void syncache_unreach(struct nke *, const struct in_ends *, tcp_seq seq);
/* The listener goes: so do its half-open connections. */
void syncache_forget(struct inpcb *listener);
uint32_t syncache_count(const struct nke *);
/* Calls fn for every half-open connection; fn changes nothing. `zone`: of a link-local peer. */
void syncache_foreach(struct nke *, void (*fn)(void *, const struct in_ends *, uint32_t zone), void *);

/* RFC 6528. */
tcp_seq tcp_new_isn(struct nke *, const struct in_ends *);
/* Offset of our timestamp clock towards that peer. */
uint32_t tcp_new_ts_offset(struct nke *, const struct in_ends *);
/* The timestamp clock of now, without offset: ms. */
uint32_t tcp_ts_now(struct nke *);

#define TCP_FASTOPEN_COOKIE	8		/* octets of ours */
errno_t tcp_fastopen_init(struct nke *);
void tcp_fastopen_fini(struct nke *);
/* Server: is this cookie (of `len` octets) the one for the peer? Client cache: get and put cookies. */
bool tcp_fastopen_check_cookie(struct nke *, const struct in_ends *, const uint8_t *cookie, uint8_t len);
/* The cookie to tell the peer: 8 octets into `cookie`. */
void tcp_fastopen_make_cookie(struct nke *, const struct in_ends *, uint8_t cookie[TCP_FASTOPEN_COOKIE]);
#define TCP_FASTOPEN_MAX_COOKIE	16
/* What is remembered of the server; octets of cookie, 0: none. *mss: its MSS, 0 unknown. */
uint8_t tcp_fastopen_lookup(struct nke *, const struct in_ends *, uint8_t cookie[TCP_FASTOPEN_MAX_COOKIE],
    uint16_t *mss);
void tcp_fastopen_remember(struct nke *, const struct in_ends *, const uint8_t *cookie, uint8_t len,
    uint16_t mss);
/* SYNs with data get lost on this path, or the server refuses them: no fast open for a while. */
void tcp_fastopen_disable(struct nke *, const struct in_ends *);
/* Is it not? */
bool tcp_fastopen_usable(struct nke *, const struct in_ends *);
/* Of a listener that goes, or of its connection that is not half-open any more. */
void tcp_fastopen_free(struct tcpcb *);

/* net.inet.tcp.drop_synfin, for listeners, connections and those in TIME_WAIT. */
static inline bool
tcp_drops_synfin(const struct tcp_segment *seg)
{
	return (seg->flags & (TH_SYN | TH_FIN)) == (TH_SYN | TH_FIN) &&
	    seg->machine->tcp->config.drop_synfin;
}

/* ---- the last state (tcp_timewait.c) --------------------------------------------------------- */

errno_t tcp_timewait_init(struct nke *);
void tcp_timewait_fini(struct nke *);
/*
 * The connection has reached TIME_WAIT: what is needed of it is kept in a few dozen octets for 2 MSL. The
 * tcpcb is gone afterwards for whoever handles segments: it is closed (tcp_close), or while its user has a
 * descriptor left only to tell what it was (tcp_rest). With no memory, or too many: it is simply closed.
 */
void tcp_twstart(struct tcpcb *);
/*
 * A segment for no connection: is it for one in TIME_WAIT? True: handled, seg->m consumed. False: it is
 * not; or it is a SYN that may reuse the pair (RFC 1122 4.2.2.13, RFC 6191): the entry is gone and the
 * listener is to have the segment, with an ISN above *isn_floor when that is not 0.
 */
bool tcp_timewait_input(struct tcp_segment *, tcp_seq *isn_floor);
/* Is the pair (both ends) or, with fport 0, the local port still waiting? */
bool tcp_timewait_taken(struct nke *, const struct in_ends *);
/* For bind and connect (inpcbinfo.waits): the same, but a pair that may be used again is not in the way. */
bool tcp_timewait_blocks(struct nke *, const struct in_ends *);
/*
 * connect() to the same pair again, after in_pcbconnect(): the entry goes if RFC 6191 allows it, and
 * `*isn_floor` is set (0: there was none). False: it is still in the way.
 */
bool tcp_timewait_reuse(struct nke *, const struct in_ends *, tcp_seq *isn_floor);
/* The pair is free at once. False: it was not waiting. */
bool tcp_timewait_end(struct nke *, const struct in_ends *);
uint32_t tcp_timewait_count(const struct nke *);
/* Calls fn for every one, the oldest first; fn changes nothing. `zone`: of a link-local peer. */
void tcp_timewait_foreach(struct nke *, void (*fn)(void *, const struct in_ends *, uint32_t zone), void *);

/* ---- segments out ---------------------------------------------------------------------------- */

/* The user has closed, and the FIN has not been sent. */
static inline bool
tcp_fin_due(const struct tcpcb *tp)
{
	return (tp->t_state == TCPS_FIN_WAIT_1 || tp->t_state == TCPS_LAST_ACK ||
	    tp->t_state == TCPS_CLOSING) && !(tp->t_flags & TF_SENTFIN);
}

/*
 * Sends what may be sent now: new data, retransmissions, FIN, an owed ACK, a window update (tcp_output.c).
 * Errors are the network's: data stays queued and is retransmitted by timer. ENOBUFS, EHOSTUNREACH ...
 */
errno_t tcp_output(struct tcpcb *);
/* One segment (tcp_send.c). */
struct tcp_out {
	tcp_seq seq;
	uint32_t len;			/* data octets, from so_snd */
	uint16_t flags;			/* TH_* */
	bool rexmit;			/* of what is in t_sent already (`entry`) */
	bool probe;			/* keepalive or window probe: not entered into t_sent */
	uint8_t tos;			/* ECN bits of a SYN */
	struct tcp_sent *entry;
};
errno_t tcp_send_segment(struct tcpcb *, const struct tcp_out *);
/* How many of `len` octets from snd_nxt are before the end of a record; *ends: there it is. */
uint32_t tcp_record_left(const struct tcpcb *, uint32_t len, bool *ends);
/*
 * A segment without data and without (or beyond) a tcpcb: RST, SYN-ACK of the syncache, ACK of TIME_WAIT
 * (tcp_respond.c). Ends as in a segment that came: laddr is ours. What it is, is counted by who asks for
 * it.
 */
struct tcp_reply {
	struct in_ends ends;
	tcp_seq seq, ack;
	uint32_t win;			/* as in the header: scaled already */
	uint16_t flags;			/* TH_* */
	uint8_t tos;
	uint8_t ttl;			/* 0: the default */
	uint32_t flowlabel;		/* network order */
	uint32_t zone;			/* of a link-local peer */
	struct ifnet *bound;
	const struct tcpopt *to;	/* NULL: none */
};
errno_t tcp_respond(struct nke *, const struct tcp_reply *);
/* A zero window, or idle: sends one octet or an empty segment below the window. */
errno_t tcp_send_probe(struct tcpcb *, bool keepalive);
/* True: `ack`, beyond snd_nxt, is of a window probe that the peer took; its octet counts as sent now. */
bool tcp_probe_acked(struct tcpcb *, tcp_seq ack);

/* tcp_option.c */
/* Reads `len` octets of options. Malformed ones end it: what was read counts. `syn`: SYN-only ones too. */
void tcp_dooptions(struct tcpopt *, const uint8_t *, unsigned len, bool syn);
/*
 * Writes the options that to_flags names in BSD's order (MSS, scale, SACK permitted, timestamps, fast open,
 * SACK), padded to 4 octets; as many SACK blocks (to_sacks: network order) as fit. Octets, at most 40.
 */
unsigned tcp_addoptions(struct tcpopt *, uint8_t *);

/* tcp_window.c */
/* The window to tell, octets; not yet scaled. Never takes back what was told (RFC 9293 3.8.6.2.2, SWS). */
uint32_t tcp_receive_window(struct tcpcb *);
/* Does a window update pay (RFC 1122 4.2.3.3)? */
bool tcp_window_update_due(const struct tcpcb *);
void tcp_rcvbuf_autosize(struct tcpcb *, const struct tcp_segment *);
void tcp_sndbuf_autosize(struct tcpcb *);
/* request_r_scale for a receive buffer of that size. */
uint8_t tcp_scale_for(const struct nke *);

/* tcp_mss.c: MSS to tell the peer, and what follows from the peer's (RFC 6691, 9293 3.7.1) */
uint16_t tcp_mss_to_tell(struct nke *, struct inpcb *, const struct in_ends *);
/* Octets of a SYN with data, options included: as many as the path is known to carry. */
uint16_t tcp_mss_of_syn(struct nke *, struct inpcb *, const struct in_ends *);
/* `offered`: the peer's MSS option, 0 none. Sets t_maxseg, buffers, initial cwnd; options are settled. */
void tcp_mss(struct tcpcb *, uint16_t offered);
/* Smaller segments from here on; what is in flight and larger is sent again. */
void tcp_mtu_changed(struct tcpcb *, uint32_t mtu);
/* The same without sending. False: they were as small before. */
bool tcp_mtu_shrink(struct tcpcb *, uint32_t mtu);
uint32_t tcp_initial_window(const struct tcpcb *);

/* ---- timers (tcp_timer.c) --------------------------------------------------------------------- */

void tcp_timer_init(struct tcpcb *);
/* Arms for now + ns; 0: stops. */
void tcp_timer_set(struct tcpcb *, enum tcp_timer, uint64_t ns);
static inline bool
tcp_timer_armed(const struct tcpcb *tp, enum tcp_timer t)
{
	return tp->t_timers[t] != 0;
}
void tcp_timer_stop_all(struct tcpcb *);
/* The persist timer with its backoff; RTO's likewise (from t_rxtcur). */
void tcp_setpersist(struct tcpcb *);
void tcp_set_rexmt(struct tcpcb *);
/* Something came: the keepalive interval starts anew, or, without keepalive, the limit of connecting ends. */
void tcp_keep_restart(struct tcpcb *);

/* ---- what is in flight and what is lost (tcp_sent.c, tcp_sack.c, tcp_rack.c, tcp_recovery.c) --- */

/*
 * Remembers that [seq, end) goes out now for the first time; extends or adds. NULL: no memory (not sent).
 */
struct tcp_sent *tcp_sent_add(struct tcpcb *, tcp_seq seq, tcp_seq end, uint8_t flags);
/* An entry goes out again now. */
void tcp_sent_again(struct tcpcb *, struct tcp_sent *);
/* Cuts an entry at `at` (inside it); the second half. NULL: no memory, nothing was changed. */
struct tcp_sent *tcp_sent_split(struct tcpcb *, struct tcp_sent *, tcp_seq at);
/* The last segment of an entry, cut off to be one by itself; NULL: no memory. */
struct tcp_sent *tcp_sent_tail(struct tcpcb *, struct tcp_sent *);
/* The first entry that is lost and may be sent again; NULL none. */
struct tcp_sent *tcp_sent_first_lost(struct tcpcb *);
void tcp_sent_mark_lost(struct tcpcb *, struct tcp_sent *);
/* All that is not SACKed is lost (RTO). */
void tcp_sent_mark_all_lost(struct tcpcb *);
/* The same for what lies before `seq`; and the reverse: all that is lost counts as in flight again. */
void tcp_sent_mark_lost_before(struct tcpcb *, tcp_seq seq);
void tcp_sent_unmark_lost(struct tcpcb *);
/* An entry has been SACKed: it may be joined with its neighbours. The entry that it is in now. */
struct tcp_sent *tcp_sent_sacked(struct tcpcb *, struct tcp_sent *);
/* The receiver has thrown away what it had SACKed: all of that is lost. */
void tcp_sent_renege(struct tcpcb *);
/* The first entry that ends after `seq`, found in at most *steps steps, which are taken off; NULL. */
struct tcp_sent *tcp_sent_find(struct tcpcb *, tcp_seq seq, unsigned *steps);
/* For tests: what is wrong with the queue and its counters; NULL: nothing. */
const char *tcp_sent_check(const struct tcpcb *);
void tcp_sent_flush(struct tcpcb *);
void tcp_sent_drain(struct nke *);	/* free_sent */
/*
 * A cumulative ACK up to `ack`: frees what it covers, cuts what it covers partly, takes a round trip time
 * (seg->rtt), updates t_delivered and RACK. Octets newly delivered by it that were not SACKed before.
 */
uint32_t tcp_sent_ack(struct tcpcb *, struct tcp_segment *, tcp_seq ack);
/* The SACK blocks of a segment onto the queue: seg->newly_sacked; DSACK is recognised (RFC 2883). */
void tcp_sack_input(struct tcpcb *, struct tcp_segment *);

/* Receiving side: [start, end) has come out of order, or again; rcv_nxt has moved on. */
void tcp_sack_received(struct tcpcb *, tcp_seq start, tcp_seq end);
void tcp_dsack_received(struct tcpcb *, tcp_seq start, tcp_seq end);
void tcp_sack_advance(struct tcpcb *);	/* only while there is t_rcv_sack */
void tcp_sack_free(struct tcpcb *);
/* How many blocks there are to be told. */
static inline unsigned
tcp_sacks_to_tell(const struct tcpcb *tp)
{
	const struct tcp_rcv_sack *s = tp->t_rcv_sack;

	return s == NULL ? 0u : s->count + (unsigned)(s->dsack.start != s->dsack.end);
}
/* The blocks to say now, network order, into `out` (8 octets each, room for MAX_SACK_BLKS). How many. */
unsigned tcp_sack_blocks(struct tcpcb *, uint8_t *out);

/*
 * After the ACK and SACK of a segment: finds what is lost, enters, keeps up or leaves recovery, tells
 * congestion control, undoes what was spurious. `dupack`: RFC 5681's duplicate ACK. (tcp_recovery.c)
 */
void tcp_recovery_input(struct tcpcb *, struct tcp_segment *, bool dupack);
/* Octets that may be in flight now beyond t_pipe: cwnd, PRR and limited transmit together. */
uint32_t tcp_cwnd_room(const struct tcpcb *);
/* Data went out: PRR counts it; new data or not. */
void tcp_recovery_sent(struct tcpcb *, uint32_t len);
/* The RTO has expired: marks, reduces, F-RTO, backoff is the timer's. */
void tcp_recovery_rto(struct tcpcb *);
static inline bool
tcp_in_recovery(const struct tcpcb *tp)
{
	return (tp->t_flags & (TF_FASTRECOVERY | TF_RTORECOVERY)) != 0;
}
/* t_pipe, less what duplicate ACKs without SACK say. */
uint32_t tcp_pipe(const struct tcpcb *);
/* Something is lost: recovery begins, unless it is going on. `newly_acked`: by the segment that told so. */
void tcp_recovery_enter(struct tcpcb *, uint32_t newly_acked);
void tcp_recovery_begin_prr(struct tcpcb *);	/* the window was reduced, for t_lossflight */
/* A retransmission that went after the last reduction is lost: the window is reduced again (RFC 5681 4.3). */
void tcp_recovery_again(struct tcpcb *);
/* PRR's step for `delivered` octets. `safe`: the ACK made progress and says nothing of loss. */
void tcp_recovery_prr(struct tcpcb *, uint32_t delivered, bool safe);
/* Data that is in the send buffer and has never been sent, octets. */
uint32_t tcp_unsent(const struct tcpcb *);
/* A reduction of the window was a mistake: back to t_undo. CC_RTO_ERR or CC_UNDO. (tcp_undo.c) */
void tcp_undo(struct tcpcb *, enum cc_signal);
/* What is needed to find out is remembered: at the beginning of recovery; a retransmission goes. */
void tcp_undo_begin(struct tcpcb *);	/* without memory there is nothing to be undone */
void tcp_undo_forget(struct tcpcb *);
void tcp_undo_rexmit(struct tcpcb *, tcp_seq seq, uint32_t len);
/* A DSACK block: retransmissions of it were superfluous. */
void tcp_undo_dsack(struct tcpcb *, tcp_seq start, tcp_seq end);
/* After the ACK of a segment, while there is t_undo: undoes when it proves a mistake. */
void tcp_undo_input(struct tcpcb *, const struct tcp_segment *);
/* F-RTO (RFC 5682), while TF_FRTO: what the ACK says about the timeout. */
void tcp_frto_begin(struct tcpcb *);
void tcp_frto_input(struct tcpcb *, const struct tcp_segment *, bool dupack);
/* RACK (tcp_rack.c). An entry was delivered: newly acknowledged or SACKed. */
void tcp_rack_delivered(struct tcpcb *, const struct tcp_sent *, const struct tcp_segment *);
/* Marks lost what RACK says; arms TT_LOSS for the rest. True: something new is lost. */
bool tcp_rack_detect(struct tcpcb *);
/* After every ACK: the reordering window follows DSACKs; recovery has ended (RFC 8985 6.2 step 4). */
void tcp_rack_dsack(struct tcpcb *);
void tcp_rack_recovered(struct tcpcb *);
/* Arms the tail loss probe instead of the RTO when RFC 8985 7.2 says so. */
void tcp_tlp_schedule(struct tcpcb *);
/* TT_LOSS has expired. */
void tcp_loss_timer(struct tcpcb *);
/* A cumulative ACK: the TLP episode ends (RFC 8985 7.4). */
void tcp_tlp_ack(struct tcpcb *, const struct tcp_segment *);

/* tcp_rtt.c: RFC 6298; `us` of one measurement. */
void tcp_rtt_update(struct tcpcb *, uint32_t us);
/* One measurement for t_minrtt alone. */
void tcp_minrtt_update(struct tcpcb *, uint32_t us);
/* The RTO without backoff, us. */
uint32_t tcp_rto(const struct tcpcb *);
void tcp_rtt_init(struct tcpcb *);

/* cc.c */
void cc_conn_init(struct tcpcb *);		/* at establishment: windows from hostcache and initcwnd */
void cc_ack_received(struct tcpcb *, const struct tcp_segment *, uint32_t acked);
void cc_cong_signal(struct tcpcb *, enum cc_signal);
void cc_post_recovery(struct tcpcb *);
void cc_after_idle(struct tcpcb *);
errno_t cc_init(struct nke *);			/* net.inet.tcp.cc.* */

/* tcp_hostcache.c: what was learned about peers. */
struct tcp_hostinfo {
	uint32_t rtt_us, rttvar_us, ssthresh, mtu;
};
errno_t tcp_hostcache_init(struct nke *);
void tcp_hostcache_fini(struct nke *);
bool tcp_hostcache_get(struct nke *, const struct in6_addr *, uint8_t vflag, struct tcp_hostinfo *);
void tcp_hostcache_update(struct nke *, const struct in6_addr *, uint8_t vflag, const struct tcp_hostinfo *);

/* ---- pacing (tcp_pace.c) ---------------------------------------------------------------------- */

/* Octets of new data a second, 0: as they come. ENOBUFS. */
errno_t tcp_pace_set(struct tcpcb *, uint64_t rate);
/* With t_user->pace. True: not now, tcp_output is called when; else `len` octets go now. */
bool tcp_paced(struct tcpcb *, uint32_t len);

/* ---- life of connections (tcp_subr.c) --------------------------------------------------------- */

/* What the user has set, to be changed. NULL: no memory. */
struct tcp_user *tcp_user_get(struct tcpcb *);
void tcp_user_free(struct tcpcb *);
/* A control block for the inpcb: inp_ppcb. NULL: no memory. */
struct tcpcb *tcp_newtcpcb(struct inpcb *);
/* The only place that changes t_state: counters, trace point. */
void tcp_setstate(struct tcpcb *, int state);
/*
 * Ends it: timers, queues, hostcache, inpcb; the socket is told (soisdisconnected). `tp` and its inpcb
 * are gone. The socket too, when nobody else holds it.
 */
void tcp_close(struct tcpcb *);
/* In TIME_WAIT for `ns`, then closed: no segment reaches it, its user may ask. It may be gone afterwards. */
void tcp_rest(struct tcpcb *, uint64_t ns);
/* The same with an error for the user, and a RST for the peer when it knows of us. */
void tcp_drop(struct tcpcb *, errno_t);
/* The user has closed or shut the sending side: the next state (RFC 9293 3.10.4). False: tp is gone. */
bool tcp_usrclosed(struct tcpcb *);
/* How long FIN_WAIT_2 may last when nobody will read any more, ns. */
uint64_t tcp_finwait2_limit(const struct tcpcb *);
/* t_softerror, or ETIMEDOUT. */
errno_t tcp_give_up_error(const struct tcpcb *);
/* The ends as in a segment that comes. */
struct in_ends tcp_ends(const struct tcpcb *);
struct tcpstat *tcp_statistics(struct nke *);

/* tcp_notify.c: ip_transport.error of both families. */
void tcp_error(struct nke *, const struct ip_error *);

/* tcp_usrreq.c, tcp_ctloutput.c, tcp_info.c */
extern const struct pr_usrreqs tcp_usrreqs;
errno_t tcp_ctloutput(struct socket *, struct sockopt *);
/* The stacks of TCP_FUNCTION_BLK and net.inet.tcp.functions_default. False: no such name. */
const char *tcp_function_name(bool base);
bool tcp_function_of(const char *name, bool *base);
void tcp_fill_connection_info(const struct tcpcb *, struct tcp_connection_info *);
struct core_tcp_info;			/* tcp_user.h */
void tcp_fill_info(const struct tcpcb *, struct core_tcp_info *);
errno_t tcp_pcblist_init(struct nke *);
/* A socket for a finished handshake, at its listener; its inpcb and tcpcb are there. NULL: no room. */
struct tcpcb *tcp_newconn(struct inpcb *listener, const struct tcp_segment *);

#endif
