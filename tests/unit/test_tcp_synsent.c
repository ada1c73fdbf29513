/* src/netinet/tcp_synsent.c: connecting, as seen by a peer that answers in every way. */
#include "tests/unit/tcp_testing.h"

#define MS	1000000ull

static struct socket *so;
static tcp_seq iss;
static uint16_t port;			/* ours */

/* A SYN has gone to the peer's PEER_PORT. */
static void
begin(void)
{
	struct sockaddr_in to = sin4(THERE4, PEER_PORT);
	struct tseg s;

	tcp_testbed();
	so = tcp_socket(PF_INET);
	so->so_state |= SS_NBIO;
	CHECK_EQ(soconnect(so, SA(to), MSG_DONTWAIT), EINPROGRESS);
	let_run();
	s = went();
	CHECK_EQ(s.flags & (S | A), S);
	iss = s.seq;
	port = s.our_port;
}

static void
end(void)
{
	struct linger l = {1, 0};

	if (so->so_pcb != NULL)
		CHECK_EQ(set_option(so, SOL_SOCKET, SO_LINGER, &l, sizeof l), 0);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

static int
state(void)
{
	return so->so_pcb != NULL ? sototcpcb(so)->t_state : TCPS_CLOSED;
}

KTEST(the_options_are_settled)
{
	struct tcpcb *tp;
	struct tseg s;

	begin();
	tp = sototcpcb(so);
	COME(.our_port = port, .flags = S | A, .seq = 5000, .ack = iss + 1, .win = 1000,
	    .to = {.to_flags = TOF_MSS | TOF_SCALE | TOF_SACKPERM | TOF_TS, .to_mss = 1000, .to_wscale = 3,
	    .to_tsval = 77});
	s = went();
	CHECK_EQ(s.flags, A);
	CHECK_EQ(s.seq, iss + 1);
	CHECK_EQ(s.ack, 5001);
	CHECK_EQ(s.to.to_tsecr, 77);
	CHECK_EQ(state(), TCPS_ESTABLISHED);
	CHECK(so->so_state & SS_ISCONNECTED);
	CHECK_EQ(tp->snd_scale, 3);
	CHECK_EQ(tp->rcv_scale, tp->request_r_scale);
	CHECK_EQ(tp->t_maxseg, 1000 - 12);
	/* The window of a SYN is not scaled, others are. */
	CHECK_EQ(tp->snd_wnd, 1000);
	CHECK_EQ((uint32_t)s.win << tp->rcv_scale, tp->rcv_adv - tp->rcv_nxt);
	CHECK(tp->t_srtt != 0);
	CHECK(!tcp_timer_armed(tp, TT_REXMT) && !tcp_timer_armed(tp, TT_KEEP));
	COME(.our_port = port, .flags = A | P, .seq = 5001, .ack = iss + 1, .win = 1000,
	    .to = {.to_flags = TOF_TS, .to_tsval = 78}, .data = "hi");
	CHECK_EQ(tp->snd_wnd, 8000);
	CHECK_STR(receive(so), "hi");
	end();
}

KTEST(without_options_there_are_none)
{
	struct tcpcb *tp;
	struct tseg s;

	begin();
	tp = sototcpcb(so);
	COME(.our_port = port, .flags = S | A, .seq = 5000, .ack = iss + 1, .win = 1000);
	s = went();
	CHECK_EQ(s.optlen, 0);
	CHECK_EQ(tp->snd_scale, 0);
	CHECK_EQ(tp->rcv_scale, 0);
	CHECK(!(tp->t_flags & (TF_SACK_PERMIT | TF_RCVD_TSTMP)));
	CHECK_EQ(tp->t_maxseg, 536);
	end();
}

KTEST(a_wrong_ack_gets_a_reset_and_changes_nothing)
{
	struct tseg s;

	begin();
	COME(.our_port = port, .flags = S | A, .seq = 5000, .ack = iss, .win = 1000);
	s = went();
	CHECK_EQ(s.flags, R);
	CHECK_EQ(s.seq, iss);
	COME(.our_port = port, .flags = A, .seq = 5000, .ack = iss + 2, .win = 1000);
	CHECK_EQ(went().flags, R);
	COME(.our_port = port, .flags = R | A, .seq = 5000, .ack = iss + 2, .win = 1000);
	COME(.our_port = port, .flags = R, .seq = 5000, .win = 1000);
	COME(.our_port = port, .flags = A, .seq = 5000, .ack = iss + 1, .win = 1000);
	COME(.our_port = port, .flags = F, .seq = 5000, .win = 1000);
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(state(), TCPS_SYN_SENT);
	end();
}

KTEST(a_connection_is_refused)
{
	begin();
	COME(.our_port = port, .flags = R | A, .seq = 0, .ack = iss + 1);
	CHECK_EQ(state(), TCPS_CLOSED);
	CHECK_EQ(so->so_error, ECONNREFUSED);
	CHECK_EQ(waiting(), 0);
	end();
}

KTEST(both_call_at_once)
{
	struct tcpcb *tp;
	struct tseg s;

	begin();
	tp = sototcpcb(so);
	COME(.our_port = port, .flags = S, .seq = 5000, .win = 1000,
	    .to = {.to_flags = TOF_MSS | TOF_SCALE, .to_mss = 1000, .to_wscale = 2});
	s = went();
	CHECK_EQ(s.flags, S | A);
	CHECK_EQ(s.seq, iss);
	CHECK_EQ(s.ack, 5001);
	CHECK_EQ(state(), TCPS_SYN_RECEIVED);
	/* Their answer is a SYN and an ACK as well. */
	COME(.our_port = port, .flags = S | A, .seq = 5000, .ack = iss + 1, .win = 1000,
	    .to = {.to_flags = TOF_MSS | TOF_SCALE, .to_mss = 1000, .to_wscale = 2});
	CHECK_EQ(state(), TCPS_ESTABLISHED);
	CHECK(so->so_state & SS_ISCONNECTED);
	CHECK_EQ(tp->snd_scale, 2);
	s = went();
	CHECK_EQ(s.flags, A);
	CHECK_EQ(s.ack, 5001);
	COME(.our_port = port, .flags = A | P, .seq = 5001, .ack = iss + 1, .win = 500, .data = "hello");
	CHECK_STR(receive(so), "hello");
	CHECK_EQ(tp->snd_wnd, 2000);
	end();
}

KTEST(both_call_at_once_and_an_ack_follows)
{
	begin();
	COME(.our_port = port, .flags = S, .seq = 5000, .win = 1000);
	CHECK_EQ(went().flags, S | A);
	/* Not for our SYN. */
	COME(.our_port = port, .flags = A, .seq = 5001, .ack = iss, .win = 1000);
	CHECK_EQ(went().flags, R);
	CHECK_EQ(state(), TCPS_SYN_RECEIVED);
	COME(.our_port = port, .flags = A, .seq = 5001, .ack = iss + 1, .win = 1000, .data = "x");
	CHECK_EQ(state(), TCPS_ESTABLISHED);
	CHECK_STR(receive(so), "x");
	end();
}

KTEST(in_syn_received_a_reset_refuses)
{
	begin();
	COME(.our_port = port, .flags = S, .seq = 5000, .win = 1000);
	CHECK_EQ(went().flags, S | A);
	COME(.our_port = port, .flags = R, .seq = 5001);
	CHECK_EQ(state(), TCPS_CLOSED);
	CHECK_EQ(so->so_error, ECONNREFUSED);
	end();
}

KTEST(data_and_fin_come_with_the_answer)
{
	begin();
	COME(.our_port = port, .flags = S | A | F, .seq = 5000, .ack = iss + 1, .win = 1000,
	    .data = "banner");
	CHECK_EQ(went().ack, 5008);
	CHECK_EQ(state(), TCPS_CLOSE_WAIT);
	CHECK_STR(receive(so), "banner");
	end();
}

KTEST(closed_before_the_answer_came)
{
	struct tseg s;

	begin();
	CHECK_EQ(soclose(so), 0);
	let_run();
	CHECK_EQ(waiting(), 0);
	COME(.our_port = port, .flags = S | A, .seq = 5000, .ack = iss + 1, .win = 1000);
	s = went();
	CHECK_EQ(s.flags, R);
	CHECK_EQ(s.seq, iss + 1);
	CHECK_EQ(curmachine()->tcp->pcbs.count, 0);
	testbed_end();
}

KTEST(shut_before_the_answer_came)
{
	struct tseg s;

	begin();
	CHECK_EQ(soshutdown(so, SHUT_WR), 0);
	COME(.our_port = port, .flags = S | A, .seq = 5000, .ack = iss + 1, .win = 1000);
	s = went();
	CHECK_EQ(s.flags, F | A);
	CHECK_EQ(s.seq, iss + 1);
	CHECK_EQ(s.ack, 5001);
	CHECK_EQ(state(), TCPS_FIN_WAIT_1);
	COME(.our_port = port, .flags = A, .seq = 5001, .ack = iss + 2, .win = 1000);
	CHECK_EQ(state(), TCPS_FIN_WAIT_2);
	end();
}

KTEST(a_syn_is_answered_late)
{
	struct tcpcb *tp;
	struct tseg s;

	begin();
	tp = sototcpcb(so);
	let_pass(1100 * MS);
	s = went();
	CHECK_EQ(s.flags & (S | A), S);
	CHECK_EQ(s.seq, iss);
	COME(.our_port = port, .flags = S | A, .seq = 5000, .ack = iss + 1, .win = 65535,
	    .to = {.to_flags = TOF_MSS, .to_mss = 1000});
	CHECK_EQ(went().flags, A);
	CHECK_EQ(state(), TCPS_ESTABLISHED);
	CHECK_EQ(tp->t_rxtshift, 0);
	/* RFC 5681 3.1: the initial window is one segment. */
	CHECK_EQ(tp->snd_cwnd, 1000);
	CHECK(!tcp_in_recovery(tp));
	end();
}

KTEST(ecn_is_agreed_on)
{
	struct sockaddr_in to = sin4(THERE4, PEER_PORT);
	struct tseg s;

	tcp_testbed();
	tconfig()->ecn_enable = 1;
	so = tcp_socket(PF_INET);
	CHECK_EQ(soconnect(so, SA(to), MSG_DONTWAIT), EINPROGRESS);
	let_run();
	s = went();
	CHECK_EQ(s.flags, S | TH_ECE | TH_CWR);
	COME(.our_port = s.our_port, .flags = S | A | TH_ECE, .seq = 5000, .ack = s.seq + 1, .win = 1000);
	CHECK(sototcpcb(so)->t_flags & TF_ECN_PERMIT);
	end();
}

KTEST(ecn_is_not_what_was_reflected)
{
	struct sockaddr_in to = sin4(THERE4, PEER_PORT);
	struct tseg s;

	tcp_testbed();
	tconfig()->ecn_enable = 1;
	so = tcp_socket(PF_INET);
	CHECK_EQ(soconnect(so, SA(to), MSG_DONTWAIT), EINPROGRESS);
	let_run();
	s = went();
	COME(.our_port = s.our_port, .flags = S | A | TH_ECE | TH_CWR, .seq = 5000,
	    .ack = s.seq + 1, .win = 1000);
	CHECK(!(sototcpcb(so)->t_flags & TF_ECN_PERMIT));
	CHECK_EQ(state(), TCPS_ESTABLISHED);
	end();
}

KTEST_SUITE(tcp_synsent, T(the_options_are_settled), T(without_options_there_are_none),
    T(a_wrong_ack_gets_a_reset_and_changes_nothing), T(a_connection_is_refused), T(both_call_at_once),
    T(both_call_at_once_and_an_ack_follows), T(in_syn_received_a_reset_refuses),
    T(data_and_fin_come_with_the_answer), T(closed_before_the_answer_came), T(shut_before_the_answer_came),
    T(a_syn_is_answered_late),
    T(ecn_is_agreed_on), T(ecn_is_not_what_was_reflected));
