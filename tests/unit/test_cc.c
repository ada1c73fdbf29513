/*
 * src/netinet/cc.c, cc_newreno.c, cc_cubic.c. CUBIC is compared with the formulas of RFC 9438 in
 * doubles.
 */
#include <sys/sysctl.h>

#include "src/kern/sysctl.h"
#include "tests/unit/tcp_loss.h"

/* An ACK of `octets` for the algorithm alone; the window was in use. */
static void
acked(uint32_t octets, uint32_t rtt)
{
	struct cc_ack ack = {.acked = octets, .rtt = rtt, .cwnd_limited = true};

	ftp->t_cc->ack_received(ftp, &ack);
}

static void
use(const struct cc_algo *algo, unsigned cwnd, unsigned ssthresh)
{
	cc_assign(ftp, algo);
	ftp->snd_cwnd = cwnd * MSS;
	ftp->snd_ssthresh = ssthresh * MSS;
	ftp->t_lossflight = UINT32_MAX;
}

/* ---- which ones ----------------------------------------------------------------------------- */

static errno_t
variable(const char *name, char *old, size_t size, const char *new)
{
	struct sysctl_access a = {.old = old, .old_len = &size, .new = new,
	    .new_len = new != NULL ? strlen(new) : 0, .p = NULL};

	return sysctl_by_name(curmachine(), name, &a);
}

KTEST(algorithms_have_names)
{
	char text[64];

	tcp_testbed();
	CHECK(cc_find("cubic") == &cc_cubic);
	CHECK(cc_find("newreno") == &cc_newreno);
	CHECK(cc_find("newren") == NULL);
	CHECK(cc_find("") == NULL);
	CHECK_EQ(variable("net.inet.tcp.cc.available", text, sizeof text, NULL), 0);
	CHECK_STR(text, "cubic,newreno");
	CHECK_EQ(variable("net.inet.tcp.cc.algorithm", text, sizeof text, NULL), 0);
	CHECK_STR(text, "cubic");
	testbed_end();
}

KTEST(new_connections_get_the_machines_algorithm)
{
	char text[64];

	open_loss(SACK);
	CHECK(ftp->t_cc == &cc_cubic);
	CHECK_EQ(variable("net.inet.tcp.cc.algorithm", text, sizeof text, "newreno"), 0);
	CHECK(curmachine()->tcp->cc == &cc_newreno);
	CHECK(ftp->t_cc == &cc_cubic);
	CHECK_EQ(variable("net.inet.tcp.cc.algorithm", text, sizeof text, "vegas"), ENOENT);
	CHECK_EQ(variable("net.inet.tcp.cc.algorithm", text, sizeof text, "a name that is much too long"),
	    EINVAL);
	CHECK(curmachine()->tcp->cc == &cc_newreno);
	end_loss();
}

/*
 * ---- Reno: RFC 5681, 3465
 * -----------------------------------------------------------------------------
 */

KTEST(slow_start_adds_what_was_acknowledged)
{
	open_loss(SACK);
	use(&cc_newreno, 10, 100);
	acked(MSS, 0);
	CHECK_EQ(ftp->snd_cwnd, 11 * MSS);
	acked(300, 0);
	CHECK_EQ(ftp->snd_cwnd, 11 * MSS + 300);
	/* At most abc_l_var segments; one after an RTO. */
	acked(5 * MSS, 0);
	CHECK_EQ(ftp->snd_cwnd, 13 * MSS + 300);
	ftp->t_flags |= TF_RTORECOVERY;
	acked(5 * MSS, 0);
	CHECK_EQ(ftp->snd_cwnd, 14 * MSS + 300);
	ftp->t_flags &= ~(uint32_t)TF_RTORECOVERY;
	tconfig()->rfc3465 = 0;
	acked(5 * MSS, 0);
	CHECK_EQ(ftp->snd_cwnd, 15 * MSS + 300);
	end_loss();
}

KTEST(congestion_avoidance_adds_a_segment_per_window)
{
	open_loss(SACK);
	use(&cc_newreno, 10, 5);
	for (int i = 0; i < 9; i++)
		acked(MSS, 0);
	CHECK_EQ(ftp->snd_cwnd, 10 * MSS);
	acked(MSS, 0);
	CHECK_EQ(ftp->snd_cwnd, 11 * MSS);
	tconfig()->rfc3465 = 0;
	acked(MSS, 0);
	CHECK_EQ(ftp->snd_cwnd, 11 * MSS + MSS / 11);
	end_loss();
}

KTEST(a_window_that_is_not_used_does_not_grow)
{
	open_loss(SACK);
	cc_assign(ftp, &cc_newreno);
	ftp->snd_ssthresh = 10 * MSS;
	fly(3, 20);
	ACK(3);
	CHECK_EQ(ftp->snd_cwnd, 20 * MSS);
	/* In slow start half of it will do. */
	ftp->snd_ssthresh = 100 * MSS;
	fly(5, 20);
	ACK(8);
	CHECK_EQ(ftp->snd_cwnd, 20 * MSS);
	fly(12, 20);
	ACK(10);
	CHECK_EQ(ftp->snd_cwnd, 22 * MSS);
	end_loss();
}

KTEST(reno_halves)
{
	open_loss(SACK);
	use(&cc_newreno, 20, 100);
	cc_cong_signal(ftp, CC_NDUPACK);
	CHECK_EQ(ftp->snd_ssthresh, 10 * MSS);
	CHECK_EQ(ftp->snd_cwnd, 20 * MSS);
	/* Of what was out, if that was less. */
	ftp->t_lossflight = 8 * MSS;
	cc_cong_signal(ftp, CC_RTO);
	CHECK_EQ(ftp->snd_ssthresh, 4 * MSS);
	CHECK_EQ(ftp->snd_cwnd, MSS);
	ftp->t_lossflight = MSS;
	cc_cong_signal(ftp, CC_NDUPACK);
	CHECK_EQ(ftp->snd_ssthresh, 2 * MSS);
	end_loss();
}

KTEST(an_idle_connection_begins_anew)
{
	open_loss(SACK);
	use(&cc_newreno, 100, 20);
	cc_after_idle(ftp);
	CHECK_EQ(ftp->snd_cwnd, 10 * MSS);
	CHECK_EQ(ftp->snd_ssthresh, 75 * MSS);
	end_loss();
}

KTEST(the_window_is_what_can_be_told_at_most)
{
	open_loss(SACK);
	cc_set_cwnd(ftp, 1ull << 40);
	CHECK_EQ(ftp->snd_cwnd, 65535u << 7);
	cc_set_cwnd(ftp, 0);
	CHECK_EQ(ftp->snd_cwnd, MSS);
	end_loss();
}

/*
 * ---- CUBIC: RFC 9438
 * ------------------------------------------------------------------------------------
 */

/* The reference: segments and seconds. */
struct reference {
	double w_max, prior, k, est, cwnd;
};

static double
root3(double x)
{
	double r = x > 1 ? x : 1;

	for (int i = 0; i < 200; i++)
		r -= (r * r * r - x) / (3 * r * r);
	return x > 0 ? r : 0;
}

static void
begin_reference(struct reference *r, double w_max, double prior, double cwnd)
{
	r->w_max = w_max;
	r->prior = prior;
	r->k = root3((w_max - cwnd) / 0.4);
	r->est = r->cwnd = cwnd;
}

/* An ACK of one segment, `t` into the epoch. */
static void
step_reference(struct reference *r, double t, double rtt)
{
	double d = t - r->k, now = 0.4 * d * d * d + r->w_max, target;

	r->est += (r->est >= r->prior ? 1 : 9.0 / 17) / r->cwnd;
	if (now < r->est) {
		if (r->est > r->cwnd)
			r->cwnd = r->est;
		return;
	}
	d += rtt;
	target = 0.4 * d * d * d + r->w_max;
	if (target > 1.5 * r->cwnd)
		target = 1.5 * r->cwnd;
	if (target > r->cwnd)
		r->cwnd += (target - r->cwnd) / r->cwnd;
}

/*
 * A window of `w` segments is lost from, then `seconds` go by with ACKs: is ours within 2 % of what
 * the RFC says? `fast`: the window of the loss before was larger.
 */
static void
compare(unsigned w, unsigned rtt_ms, unsigned seconds, bool fast)
{
	struct reference r;
	double t = 0, ours, want, w_max = fast ? w * 0.85 : w;

	open_loss(SACK);
	ftp->snd_scale = 14;
	use(&cc_cubic, fast ? 2 * w : w, 1);
	ftp->t_srtt = rtt_ms * 8000;
	cc_cong_signal(ftp, CC_NDUPACK);
	if (fast) {
		ftp->snd_cwnd = w * MSS;
		cc_cong_signal(ftp, CC_NDUPACK);
	}
	CHECK_EQ(ftp->snd_ssthresh / 100, w * MSS * 7 / 10 / 100);
	ftp->snd_cwnd = ftp->snd_ssthresh;
	begin_reference(&r, w_max, w, ftp->snd_cwnd / (double)MSS);
	while (t < seconds) {
		unsigned n = ftp->snd_cwnd / MSS;
		uint64_t gap = rtt_ms * FLOW_MS / n;

		for (unsigned i = 0; i < n; i++) {
			acked(MSS, 0);
			step_reference(&r, t, rtt_ms / 1e3);
			let_pass(gap);
			t += (double)gap / 1e9;
		}
		ours = ftp->snd_cwnd / (double)MSS;
		want = r.cwnd;
		if (ours < want * 0.98 - 1 || ours > want * 1.02 + 1)
			CHECK_EQ((long)(ours * 1000), (long)(want * 1000));
	}
	end_loss();
}

KTEST(cubic_follows_its_curve)
{
	compare(1000, 100, 12, false);
}

KTEST(cubic_goes_beyond_the_last_window)
{
	compare(100, 200, 20, false);
}

KTEST(cubic_gives_room_when_the_window_shrinks)
{
	compare(500, 50, 10, true);
}

KTEST(cubic_is_as_fast_as_reno_where_that_is_faster)
{
	compare(20, 5, 2, false);
}

KTEST(a_small_and_a_large_window_do_not_overflow)
{
	open_loss(SACK);
	ftp->snd_scale = 14;
	use(&cc_cubic, 1000000, 1);
	cc_cong_signal(ftp, CC_NDUPACK);
	CHECK_EQ(ftp->snd_ssthresh, 700000000);
	ftp->snd_cwnd = ftp->snd_ssthresh;
	for (int i = 0; i < 100; i++) {
		acked(ftp->snd_cwnd, 0);
		let_pass(FLOW_SEC);
		CHECK(ftp->snd_cwnd >= 700000000);
	}
	/* K is cbrt(300000 / 0.4), 91 s: it is back by now. */
	CHECK(ftp->snd_cwnd >= 999000000);
	let_pass(3600 * FLOW_SEC);
	acked(ftp->snd_cwnd, 0);
	CHECK(ftp->snd_cwnd <= (uint32_t)TCP_MAXWIN << 14);
	use(&cc_cubic, 1, 1);
	cc_cong_signal(ftp, CC_RTO);
	CHECK_EQ(ftp->snd_ssthresh, 2 * MSS);
	CHECK_EQ(ftp->snd_cwnd, MSS);
	acked(MSS, 0);
	CHECK_EQ(ftp->snd_cwnd, 2 * MSS);
	acked(MSS, 0);
	CHECK(ftp->snd_cwnd >= 2 * MSS && ftp->snd_cwnd <= 3 * MSS);
	end_loss();
}

KTEST(time_that_was_not_used_does_not_count)
{
	struct cc_ack idle = {.acked = MSS};
	uint32_t before;

	open_loss(SACK);
	use(&cc_cubic, 100, 1);
	cc_cong_signal(ftp, CC_NDUPACK);
	ftp->snd_cwnd = 70 * MSS;
	acked(MSS, 0);
	before = ftp->snd_cwnd;
	let_pass(30 * FLOW_SEC);
	ftp->t_cc->ack_received(ftp, &idle);
	CHECK_EQ(ftp->snd_cwnd, before);
	acked(MSS, 0);
	CHECK(ftp->snd_cwnd < before + MSS);
	end_loss();
}

KTEST(cubic_takes_a_reduction_back)
{
	uint32_t before;

	open_loss(SACK);
	ftp->snd_scale = 14;
	use(&cc_cubic, 1000, 1);
	ftp->t_srtt = 100000 * 8;
	cc_cong_signal(ftp, CC_NDUPACK);
	ftp->snd_cwnd = ftp->snd_ssthresh;
	for (int i = 0; i < 700; i++) {
		acked(MSS, 0);
		let_pass(5 * FLOW_MS);
	}
	before = ftp->snd_cwnd;
	tcp_undo_begin(ftp);
	cc_cong_signal(ftp, CC_RTO);
	CHECK_EQ(ftp->snd_cwnd, MSS);
	tcp_undo(ftp, CC_RTO_ERR);
	CHECK_EQ(ftp->snd_cwnd, before);
	CHECK_EQ(ftp->snd_ssthresh, 700 * MSS);
	/* And on along the same curve: towards 1000, not from there. */
	for (int i = 0; i < 100; i++)
		acked(MSS, 0);
	CHECK(ftp->snd_cwnd >= before && ftp->snd_cwnd < 1010 * MSS);
	end_loss();
}

/*
 * ---- HyStart++: RFC 9406
 * -----------------------------------------------------------------------------------
 */

/* A round of `n` ACKs with that round trip time; the window of its end. */
static void
one_round(unsigned n, uint32_t rtt)
{
	ftp->snd_nxt += n * MSS;
	for (unsigned i = 0; i < n; i++) {
		ftp->snd_una += MSS;
		acked(MSS, rtt);
	}
}

static void
end_rounds(void)
{
	ftp->snd_una = ftp->snd_nxt = base;
	end_loss();
}

KTEST(longer_round_trips_end_slow_start)
{
	uint32_t before;

	open_loss(SACK);
	use(&cc_cubic, 10, 100000);
	one_round(10, 50000);
	one_round(20, 50000);
	CHECK_EQ(ftp->snd_cwnd, 40 * MSS);
	/* An eighth more: from the eighth sample on a quarter as fast. */
	one_round(40, 57000);
	CHECK(ftp->snd_cwnd > 55 * MSS && ftp->snd_cwnd < 60 * MSS);
	for (int i = 0; i < 6; i++)
		one_round(40, 57000);
	CHECK_EQ(ftp->snd_ssthresh < 100000 * MSS, true);
	before = ftp->snd_cwnd;
	CHECK(before >= ftp->snd_ssthresh);
	end_rounds();
}

KTEST(a_passing_delay_does_not_end_slow_start)
{
	uint32_t before;

	open_loss(SACK);
	use(&cc_cubic, 10, 100000);
	one_round(10, 50000);
	one_round(10, 50000);
	one_round(10, 57000);
	one_round(10, 50000);
	before = ftp->snd_cwnd;
	one_round(10, 50000);
	CHECK_EQ(ftp->snd_cwnd, before + 10 * MSS);
	CHECK_EQ(ftp->snd_ssthresh, 100000 * MSS);
	end_rounds();
}

KTEST(slow_start_can_do_without_hystart)
{
	open_loss(SACK);
	tconfig()->cubic_hystart = 0;
	use(&cc_cubic, 10, 100000);
	for (int i = 0; i < 10; i++)
		one_round(10, 50000 + (uint32_t)i * 20000);
	CHECK_EQ(ftp->snd_cwnd, 110 * MSS);
	end_rounds();
}

KTEST_SUITE(cc,
	T(algorithms_have_names),
	T(new_connections_get_the_machines_algorithm),
	T(slow_start_adds_what_was_acknowledged),
	T(congestion_avoidance_adds_a_segment_per_window),
	T(a_window_that_is_not_used_does_not_grow),
	T(reno_halves),
	T(an_idle_connection_begins_anew),
	T(the_window_is_what_can_be_told_at_most),
	T(cubic_follows_its_curve),
	T(cubic_goes_beyond_the_last_window),
	T(cubic_gives_room_when_the_window_shrinks),
	T(cubic_is_as_fast_as_reno_where_that_is_faster),
	T(a_small_and_a_large_window_do_not_overflow),
	T(time_that_was_not_used_does_not_count),
	T(cubic_takes_a_reduction_back),
	T(longer_round_trips_end_slow_start),
	T(a_passing_delay_does_not_end_slow_start),
	T(slow_start_can_do_without_hystart));
