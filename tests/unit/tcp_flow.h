/*
 * A connection that the machine has opened to the peer of tcp_testing.h, for the tests of TCP's way out: what
 * it sends is looked at segment by segment, and the peer answers what the test says.
 */
#ifndef NKE_TESTS_TCP_FLOW_H
#define NKE_TESTS_TCP_FLOW_H

#include "tests/unit/tcp_testing.h"

#define FLOW_MS		UINT64_C(1000000)
#define FLOW_SEC	(1000 * FLOW_MS)
#define PEER_ISS	5000u

static struct socket *flow;
static struct tcpcb *ftp;
static tcp_seq base;			/* our first octet of data */
static uint16_t our_port;
static bool flow6;
static uint32_t ftsval;			/* the peer's clock */
static struct tseg segment;		/* the one that was taken last */
static size_t written;			/* octets by write_flow */

static inline void
pass(uint64_t ns)
{
	let_pass(ns);
	let_run();
}

/* What the peer's SYN-ACK says; all 0: mss 1460, nothing else, window 65535. */
struct flow_peer {
	uint16_t mss, win;
	uint32_t options;		/* TOF_* besides the MSS */
	uint8_t wscale;
};

static inline errno_t
begin_flow(bool v6)
{
	errno_t error;

	written = 0;
	flow6 = v6;
	flow = tcp_socket(v6 ? PF_INET6 : PF_INET);
	flow->so_state |= SS_NBIO;
	error = v6 ? connect6(flow, THERE6, PEER_PORT) : connect4(flow, THERE4, PEER_PORT);
	ftp = sototcpcb(flow);
	let_run();
	return error;
}

/* The peer's segment, with a timestamp when they are in use. */
static inline void
answer(uint16_t flags, tcp_seq ack, uint16_t win, const char *data)
{
	struct tseg s = {
		.v6 = flow6, .our_port = our_port, .flags = flags, .seq = ftp->rcv_nxt, .ack = ack,
		.win = win, .data = data
	};

	if (ftp->t_flags & TF_RCVD_TSTMP) {
		s.to.to_flags = TOF_TS;
		s.to.to_tsval = ++ftsval;
		s.to.to_tsecr = ftp->ts_offset + tcp_ts_now(curmachine());
	}
	come(s);
}

static inline void
acks(tcp_seq ack)
{
	answer(A, ack, 65535, NULL);
}

/* SYN, SYN-ACK, ACK; what was sent by then is forgotten. */
static inline void
open_flow(bool v6, struct flow_peer p)
{
	struct tseg syn;

	CHECK_EQ(begin_flow(v6), EINPROGRESS);
	syn = went();
	CHECK_EQ(syn.flags & (S | A), S);
	our_port = syn.our_port;
	base = syn.seq + 1;
	ftsval = 100;
	come((struct tseg){
		.v6 = v6, .our_port = our_port, .flags = S | A, .seq = PEER_ISS, .ack = base,
		.win = p.win != 0 ? p.win : 65535, .to = {
			.to_flags = TOF_MSS | p.options, .to_mss = p.mss != 0 ? p.mss : 1460,
			.to_wscale = p.wscale, .to_tsval = ftsval, .to_tsecr = syn.to.to_tsval
		}
	});
	CHECK_EQ(ftp->t_state, TCPS_ESTABLISHED);
	CHECK_EQ(went().flags, A);
	nevermind();
}

static inline char
pattern(size_t i)
{
	return (char)(i * 7 + i / 251);
}

/* Writes the next `len` octets of the pattern; how many were taken. */
static inline size_t
write_flow(size_t len, int flags)
{
	static char octets[65536];
	size_t n = 0;

	CHECK(len <= sizeof octets);
	for (size_t i = 0; i < len; i++)
		octets[i] = pattern(written + i);
	(void)sosend(flow, NULL, octets, len, NULL, NULL, flags | MSG_DONTWAIT, &n);
	written += n;
	let_run();
	return n;
}

/* The next segment is data [from, from + len) of the pattern. */
static inline void
went_data(size_t from, uint32_t len, uint16_t flags)
{
	const struct mbuf *m;
	char octet;

	CHECK(taken < sent.count);
	m = sent.m[taken];
	segment = went();
	CHECK_EQ(segment.seq - base, from);
	CHECK_EQ(segment.len, len);
	CHECK_EQ(segment.flags, flags);
	for (size_t i = 0; i < len; i++) {
		CHECK_EQ(m_copydata(m, (size_t)m->m_pkthdr.len - len + i, 1, &octet), 0);
		if (octet != pattern(from + i))
			CHECK_EQ(octet, pattern(from + i));
	}
}

static inline void
end_flow(void)
{
	/* Nobody of the peer's is left. */
	if (flow->so_pcb != NULL)
		COME(.v6 = flow6, .our_port = our_port, .flags = R, .seq = ftp->rcv_nxt);
	CHECK_EQ(soclose(flow), 0);
	pass(100 * FLOW_SEC);
	nevermind();
	testbed_end();
}

#endif
