/*
 * Congestion control as TCP sees it: an algorithm is told what happened and sets the congestion
 * window and the slow start threshold. When segments are lost, and which, is not its business
 * (tcp_recovery.c, tcp_rack.c).
 *
 * Chosen per machine (net.inet.tcp.cc.algorithm) and per connection (option TCP_CONGESTION); see
 * cc.c.
 */
#ifndef NKE_NETINET_CC_H
#define NKE_NETINET_CC_H

#include <stdint.h>

struct sysctl_oid_list;
struct tcpcb;
struct nke;

#define TCP_CA_NAME_MAX	16		/* of an algorithm, with its end */
#define CC_DATA_SIZE	32		/* bytes of a connection for its algorithm */

/* What happened to the network. */
enum cc_signal {
	CC_NDUPACK,			/* a segment was found lost: recovery begins */
	CC_RTO,				/* the retransmission timer has expired */
	CC_RTO_ERR,			/* it should not have: undo it */
	CC_ECN,				/* the peer says that a packet was marked (ECE) */
	CC_UNDO				/* recovery was entered for segments that were only late: undo it */
};

/* What an acknowledgement says. */
struct cc_ack {
	uint32_t acked;			/* bytes that it newly covers, cumulatively */
	uint32_t rtt;			/* us, measured by it; 0: none */
	bool in_recovery;		/* recovery goes on after it: PRR has the window */
	bool cwnd_limited;		/* the window, not the sender, was what limited it */
};

struct cc_algo {
	char name[TCP_CA_NAME_MAX];
	/* A connection gets it: cc_data is zeroed. May be called in the middle of a connection. */
	void (*init)(struct tcpcb *);
	/* An acknowledgement of new data. */
	void (*ack_received)(struct tcpcb *, const struct cc_ack *);
	/*
	 * Sets snd_ssthresh, and snd_cwnd for CC_RTO and the undoing ones. For these t_undo has the
	 * values of before the reduction, the algorithm's own among them.
	 */
	void (*cong_signal)(struct tcpcb *, enum cc_signal);
	/* Recovery is over: snd_cwnd is what is to be used from here on. NULL: ssthresh. */
	void (*post_recovery)(struct tcpcb *);
	/* About to send after an idle time longer than the RTO (RFC 5681 4.1). NULL: the restart window. */
	void (*after_idle)(struct tcpcb *);
};

extern const struct cc_algo cc_newreno, cc_cubic;

/* By its name; NULL: there is no such algorithm. */
const struct cc_algo *cc_find(const char *name);
/* Gives a connection another algorithm; window and threshold stay. */
void cc_assign(struct tcpcb *, const struct cc_algo *);
/* Bytes that the window allowed when something was lost: what a reduction is relative to. */
uint32_t cc_loss_window(const struct tcpcb *);
/* At most what a peer's window can be, at least one segment. */
void cc_set_cwnd(struct tcpcb *, uint64_t bytes);
/* RFC 5681 3.1: at the threshold either will do; it is slow start in FreeBSD's base stack only. */
bool cc_in_slow_start(const struct tcpcb *);
/* RFC 5681 3.1 with RFC 3465: what slow start adds for an ACK. */
uint32_t cc_slow_start(const struct tcpcb *, const struct cc_ack *);
/* RFC 5681 3.1, congestion avoidance: a segment per window; *counted: bytes acknowledged since the last. */
void cc_congestion_avoidance(struct tcpcb *, const struct cc_ack *, uint32_t *counted);
/* The windows of before, for CC_UNDO and CC_RTO_ERR. */
void cc_restore(struct tcpcb *);
/* min(cwnd, initial window): what is sent after idling. */
uint32_t cc_restart_window(const struct tcpcb *);

#endif
