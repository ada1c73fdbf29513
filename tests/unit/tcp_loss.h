/*
 * For the tests of loss recovery: a connection with segments of 1000 octets, whose peer acknowledges
 * what the test says in units of segments; and a picture of what is in flight.
 */
#ifndef NKE_TESTS_TCP_LOSS_H
#define NKE_TESTS_TCP_LOSS_H

#include "tests/unit/tcp_flow.h"

#define MSS	1000u
#define NO_SACK	0u
#define SACK	TOF_SACKPERM
#define TS	TOF_TS

#define CHECK_QUEUE() do {								\
	const char *wrong_ = tcp_sent_check(ftp);					\
	CHECK_STR(wrong_ != NULL ? wrong_ : "", "");					\
} while (0)

/* `options`: SACK, TS. The round trip time is known to be 100 ms. */
static inline void
open_loss(uint32_t options)
{
	tcp_testbed();
	open_flow(false, (struct flow_peer){
		.mss = MSS + (options & TS ? TCPOLEN_TSTAMP_APPA : 0), .options = options | TOF_SCALE,
		.wscale = 7, .win = 8192
	});
	CHECK_EQ(ftp->t_maxseg, MSS);
	ftp->snd_wnd = ftp->max_sndwnd = 1u << 20;
	flow->so_snd.sb_hiwat = flow->so_snd.sb_mbmax = 1u << 20;
	ftp->t_delivered = 0;
	ftp->t_srtt = 0;
	ftp->t_minrtt = ftp->t_minrtt_next = 0;
	tcp_minrtt_update(ftp, 100000);
	tcp_rtt_update(ftp, 100000);
}

/* Sends `n` segments with a window of `cwnd`; what was sent is forgotten. */
static inline void
fly(unsigned n, unsigned cwnd)
{
	ftp->snd_cwnd = cwnd * MSS;
	for (unsigned left = n * MSS, k; left != 0; left -= k) {
		k = left < 50000 ? left : 50000;
		CHECK_EQ(write_flow(k, 0), k);
	}
	nevermind();
}

/* Block i of a segment's option: octets [from, to) of our data. */
struct octets {
	uint32_t from, to;
};

static inline unsigned
put_blocks(uint8_t *out, const struct octets *blocks, unsigned n)
{
	uint32_t word;

	for (unsigned i = 0; i < n; i++) {
		word = htonl(base + blocks[i].from);
		memcpy(out + 8 * i, &word, 4);
		word = htonl(base + blocks[i].to);
		memcpy(out + 8 * i + 4, &word, 4);
	}
	return 8 * n;
}

/* An ACK of octet `ack` with blocks; `tsecr` 0: the timestamp of now. */
static inline void
ack_octets(uint32_t ack, uint32_t tsecr, const struct octets *blocks, unsigned n)
{
	uint8_t raw[32];
	struct tseg s = {
		.our_port = our_port, .flags = A, .seq = ftp->rcv_nxt, .ack = base + ack, .win = 8192
	};

	(void)put_blocks(raw, blocks, n);
	if (ftp->t_flags & TF_RCVD_TSTMP) {
		s.to.to_flags |= TOF_TS;
		s.to.to_tsval = ++ftsval;
		s.to.to_tsecr = tsecr != 0 ? tsecr : ftp->ts_offset + tcp_ts_now(curmachine());
	}
	if (n != 0) {
		s.to.to_flags |= TOF_SACK;
		s.to.to_nsacks = (uint8_t)n;
		s.to.to_sacks = raw;
	}
	come(s);
	CHECK_QUEUE();
}

/* In segments: ACK(3, {5, 7}) acknowledges three, and SACKs the sixth and the seventh. */
#define ACK(n, ...) do {								\
	struct octets segments_[] = {{0, 0}, ##__VA_ARGS__};				\
	unsigned count_ = sizeof segments_ / sizeof *segments_ - 1;			\
	for (unsigned i_ = 1; i_ <= count_; i_++) {					\
		segments_[i_].from *= MSS;						\
		segments_[i_].to *= MSS;						\
	}										\
	ack_octets((n) * MSS, 0, segments_ + 1, count_);				\
} while (0)

/*
 * A letter per segment of what is out: '.' sent once, 'r' sent again, 's' SACKed, 'L' lost; '?' when
 * an entry ends within it.
 */
static inline const char *
map(void)
{
	static char text[600];
	const struct tcp_sent *e;
	size_t n = 0;

	TAILQ_FOREACH(e, &ftp->t_sent, by_seq)
		for (tcp_seq at = e->seq; SEQ_LT(at, e->end) && n < sizeof text - 1; at += MSS)
			text[n++] = SEQ_GT(at + MSS, e->end) ? '?' : e->flags & SENT_SACKED ? 's' :
			    e->flags & SENT_LOST ? 'L' : e->flags & SENT_REXMIT ? 'r' : '.';
	text[n] = '\0';
	return text;
}

/* The next segment that went is the data segment number `n`. */
static inline void
went_segment(unsigned n)
{
	struct tseg s = went();

	CHECK_EQ((s.seq - base) / MSS, n);
	CHECK_EQ(s.len, MSS);
}

static inline void
end_loss(void)
{
	CHECK_QUEUE();
	nevermind();
	end_flow();
}

#endif
