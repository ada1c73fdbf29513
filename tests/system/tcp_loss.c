/*
 * TCP over wires that lose, reorder, repeat and damage: every octet arrives once and in order, whatever is
 * switched off, and in a time that the response functions of the RFCs allow.
 *
 *	[ A en0 10.0.0.1 ]----- wire: 20 Mbit/s, 20 ms each way, impairments -----[ en0 10.0.0.2 B ]
 *
 * The whole of theory against measurement is tests/bench/loss_table.c.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nke/socket.h>
#include <nke/sysctl.h>
#include <nke/wire.h>

#define PORT		5001
#define RATE		20e6
#define DELAY_NS	20000000ull
#define STEP_NS		1000000ull
#define PIECE		65536
#define SEGMENT		1448.0

struct pattern {
	const char *algorithm, *stack;
	struct nke_wire_config forth, back;
	const char *off[3];		/* net.inet.tcp.* that are 0 */
	double at_least;		/* Mbit/s; 0: what Reno gets at that loss, times 0.75 */
};

static nke_world_t *world;
static nke_t *a, *b;
static nke_wire_t *wire;

/* ---- two machines ------------------------------------------------------------------------- */

static nke_t *
machine(const char *name, const struct pattern *p)
{
	struct nke_config config = {.name = name, .world = world, .checked = true, .seed = 7};
	char variable[64];
	nke_t *m;

	assert_int_equal(nke_create(&config, &m), 0);
	for (unsigned i = 0; i < 3 && p->off[i] != NULL; i++) {
		snprintf(variable, sizeof variable, "net.inet.tcp.%s", p->off[i]);
		assert_int_equal(nke_sysctl_set_int(m, variable, 0), 0);
	}
	assert_int_equal(nke_sysctl(m, "net.inet.tcp.cc.algorithm", NULL, NULL, p->algorithm,
	    strlen(p->algorithm)), 0);
	if (p->stack != NULL)
		assert_int_equal(nke_sysctl(m, "net.inet.tcp.functions_default", NULL, NULL, p->stack,
		    strlen(p->stack)), 0);
	return m;
}

static nke_iface_t *
interface(nke_t *m, uint8_t id)
{
	struct nke_iface_config config = {.name = "en0", .lladdr = {2, 0, 0, 0, 0, id}};
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000000u + id)};
	nke_iface_t *i;

	assert_int_equal(nke_iface_create(m, &config, &i), 0);
	assert_int_equal(nke_iface_add_address(i, (struct sockaddr *)&sin, sizeof sin, 24), 0);
	return i;
}

static void
begin(const struct pattern *p)
{
	struct nke_wire_config forth = p->forth, back = p->back;
	nke_iface_t *ai, *bi;

	forth.rate_bps = back.rate_bps = (uint64_t)RATE;
	forth.delay_ns = back.delay_ns = DELAY_NS;
	forth.queue_frames = back.queue_frames = 100;
	forth.reorder_ns = back.reorder_ns = 3000000;
	assert_int_equal(nke_world_create(NULL, &world), 0);
	a = machine("a", p);
	b = machine("b", p);
	ai = interface(a, 1);
	bi = interface(b, 2);
	assert_int_equal(nke_wire_create(a, &back, 11, &wire), 0);
	assert_int_equal(nke_wire_plug(wire, ai), 0);
	assert_int_equal(nke_wire_plug(wire, bi), 0);
	assert_int_equal(nke_run_for(a, 10000000000), 0);
	assert_int_equal(nke_wire_configure(wire, bi, &forth), 0);
}

static void
end(void)
{
	assert_string_equal(nke_panic_report(a), "");
	assert_string_equal(nke_panic_report(b), "");
	nke_wire_destroy(wire);
	nke_destroy(a);
	nke_destroy(b);
	nke_world_destroy(world);
}

static int
connected(int *server)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int l = nke_socket(b, AF_INET, SOCK_STREAM, 0), s = nke_socket(a, AF_INET, SOCK_STREAM, 0);

	assert_int_equal(nke_bind(b, l, (struct sockaddr *)&sin, sizeof sin), 0);
	assert_int_equal(nke_listen(b, l, 1), 0);
	sin.sin_addr.s_addr = htonl(0x0a000002);
	assert_int_equal(nke_connect(a, s, (struct sockaddr *)&sin, sizeof sin), 0);
	*server = nke_accept(b, l, NULL, NULL);
	assert_true(*server >= 0);
	assert_int_equal(nke_close(b, l), 0);
	return s;
}

/* ---- a transfer --------------------------------------------------------------------------- */

/* The stream: its octets come again after a prime number of them. */
#define PERIOD	65521u
static uint8_t stream[PERIOD + PIECE];

static void
make_stream(void)
{
	for (size_t i = 0; i < sizeof stream; i++)
		stream[i] = (uint8_t)(i % PERIOD * 31 + (i % PERIOD >> 8) * 17);
}

/* Sends what goes of `total`; how much has gone in all. */
static uint64_t
send_some(int s, uint64_t sent, uint64_t total)
{
	ssize_t n = 1;

	while (sent < total && n > 0) {
		size_t len = total - sent < PIECE ? (size_t)(total - sent) : PIECE;

		n = nke_send(a, s, stream + sent % PERIOD, len, MSG_DONTWAIT);
		if (n > 0)
			sent += (uint64_t)n;
	}
	assert_true(n > 0 || errno == EAGAIN);
	return sent;
}

/* Reads and compares what is there. True: the end of it. */
static bool
read_some(int s, uint64_t *got)
{
	static uint8_t data[PIECE];
	ssize_t n;

	while ((n = nke_recv(b, s, data, sizeof data, MSG_DONTWAIT)) > 0) {
		assert_memory_equal(data, stream + *got % PERIOD, (size_t)n);
		*got += (uint64_t)n;
	}
	assert_true(n == 0 || errno == EAGAIN);
	return n == 0;
}

/* Mbit/s, the end of the stream included. */
static double
transfer(uint64_t total, double most_seconds)
{
	uint64_t sent = 0, got = 0, steps = 0;
	bool shut = false;
	int ss, s = connected(&ss);

	while (!read_some(ss, &got)) {
		sent = send_some(s, sent, total);
		if (sent == total && !shut) {
			assert_int_equal(nke_shutdown(a, s, SHUT_WR), 0);
			shut = true;
		}
		assert_int_equal(nke_run_for(a, STEP_NS), 0);
		if (++steps * STEP_NS > most_seconds * 1e9)
			fail_msg("%llu of %llu octets after %g s", (unsigned long long)got,
			    (unsigned long long)total, most_seconds);
	}
	assert_int_equal(got, total);
	assert_int_equal(nke_close(a, s), 0);
	assert_int_equal(nke_close(b, ss), 0);
	return (double)total * 8 / ((double)steps * (double)STEP_NS / 1e9) / 1e6;
}

/* What Reno gets (RFC 3649 section 5: 1.22 segments over the root of the loss), or what the wire takes. */
static double
reno(double loss)
{
	double root = 1, mbit;

	for (int i = 0; i < 50; i++)
		root = (root + loss / root) / 2;
	mbit = 1.22 / root * SEGMENT * 8 / (2 * (double)DELAY_NS / 1e9) / 1e6;

	return mbit < RATE / 1e6 ? mbit : RATE / 1e6;
}

static void
runs(struct pattern p)
{
	double want = p.at_least != 0 ? p.at_least : 0.75 * reno(p.forth.loss), got;
	/* So many seconds' worth of what is wanted. */
	uint64_t total = (uint64_t)(want * 1e6 / 8 * (want > 5 ? 8 : 30));

	if (p.algorithm == NULL)
		p.algorithm = "cubic";
	begin(&p);
	got = transfer(total, 120);
	if (got < want)
		fail_msg("%.3f Mbit/s, wanted %.3f", got, want);
	end();
}
#define RUNS(...)	runs((struct pattern){__VA_ARGS__})

/* ---- patterns ----------------------------------------------------------------------------- */

static void
nothing_is_lost(void **state)
{
	(void)state;
	RUNS(.at_least = 17);
	RUNS(.algorithm = "newreno", .at_least = 17);
}

static void
losses_cost_what_theory_says(void **state)
{
	static const double losses[] = {0.001, 0.005, 0.01, 0.02, 0.05};

	(void)state;
	for (unsigned i = 0; i < sizeof losses / sizeof *losses; i++) {
		RUNS(.forth.loss = losses[i]);
		RUNS(.algorithm = "newreno", .forth.loss = losses[i]);
	}
	/* There timeouts count, which the function does not know of. */
	RUNS(.forth.loss = 0.1, .at_least = 0.6);
	RUNS(.algorithm = "newreno", .forth.loss = 0.1, .at_least = 0.5);
}

static void
every_part_can_be_off(void **state)
{
	static const char *const parts[] = {"sack.enable", "rack", "rfc1323", "do_prr", "frto", "rfc3465",
	    "rfc3042"};

	(void)state;
	for (unsigned i = 0; i < sizeof parts / sizeof *parts; i++) {
		RUNS(.forth.loss = 0.01, .off = {parts[i]}, .at_least = 2.6);
		RUNS(.algorithm = "newreno", .forth.loss = 0.01, .off = {parts[i]}, .at_least = 1.6);
	}
	RUNS(.forth.loss = 0.01, .off = {"sack.enable", "rfc1323", "do_prr"}, .at_least = 2);
}

static void
the_base_stack_recovers_too(void **state)
{
	static const char *const off[][3] = {{NULL}, {"do_prr"}, {"do_prr", "sack.revised"},
	    {"do_prr", "sack.enable"}};

	(void)state;
	for (unsigned i = 0; i < sizeof off / sizeof *off; i++) {
		struct pattern p = {.stack = "freebsd", .algorithm = "newreno",
		    .off = {off[i][0], off[i][1]}};

		p.at_least = 17;
		runs(p);
		p.at_least = 1.5;
		p.forth.loss = 0.01;
		runs(p);
		p.at_least = 0.3;
		p.forth.loss = 0.08;
		p.forth.reorder = 0.02;
		p.back.loss = 0.05;
		runs(p);
	}
}

static void
acknowledgements_get_lost_too(void **state)
{
	(void)state;
	RUNS(.back.loss = 0.1, .at_least = 15);
	RUNS(.back.loss = 0.3, .at_least = 10);
	RUNS(.forth.loss = 0.01, .back.loss = 0.1, .at_least = 1.8);
}

static void
reordering_is_not_loss(void **state)
{
	(void)state;
	RUNS(.forth.reorder = 0.01, .at_least = 14);
	RUNS(.forth.reorder = 0.05, .at_least = 10);
	RUNS(.back.reorder = 0.05, .at_least = 15);
}

static void
duplicates_are_not_loss(void **state)
{
	(void)state;
	RUNS(.forth.duplicate = 0.05, .at_least = 15);
	RUNS(.forth.duplicate = 0.05, .back.duplicate = 0.2, .off = {"sack.enable"}, .at_least = 10);
}

static void
bursts_are_survived(void **state)
{
	(void)state;
	RUNS(.forth = {.burst_begin = 0.002, .burst_end = 0.3}, .at_least = 4);
	RUNS(.algorithm = "newreno", .forth = {.burst_begin = 0.002, .burst_end = 0.3},
	    .off = {"sack.enable"}, .at_least = 1.5);
}

static void
all_of_it_at_once(void **state)
{
	const struct nke_wire_config bad = {.loss = 0.03, .duplicate = 0.02, .corrupt = 0.01, .reorder = 0.05,
	    .jitter_ns = 2000000};

	(void)state;
	RUNS(.forth = bad, .back = bad, .at_least = 1);
	RUNS(.forth = bad, .back = bad, .off = {"rack"}, .at_least = 0.4);
	RUNS(.algorithm = "newreno", .forth = bad, .back = bad, .off = {"sack.enable", "rfc1323"},
	    .at_least = 0.5);
}

/* The last segments of short exchanges: a probe finds their loss, not a timeout. */
static void
tails_are_probed(void **state)
{
	struct pattern p = {.algorithm = "cubic", .forth.loss = 0.1};
	uint64_t slow = 0, start, now;
	char text[4000] = {0};
	int ss, s;

	(void)state;
	begin(&p);
	s = connected(&ss);
	for (unsigned i = 0; i < 200; i++) {
		size_t left = sizeof text;

		start = nke_uptime(a);
		assert_int_equal(nke_send(a, s, text, sizeof text, 0), sizeof text);
		while (left != 0) {
			ssize_t n = nke_recv(b, ss, text, left, 0);

			assert_true(n > 0);
			left -= (size_t)n;
		}
		now = nke_uptime(a);
		slow += now - start > 200000000;
		assert_int_equal(nke_run_for(a, 1000000000), 0);
	}
	/* Three segments: 27 in 100 lose one; most of these are back within three round trips. */
	assert_true(slow < 40);
	assert_int_equal(nke_close(a, s), 0);
	assert_int_equal(nke_close(b, ss), 0);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost),
		cmocka_unit_test(losses_cost_what_theory_says),
		cmocka_unit_test(every_part_can_be_off),
		cmocka_unit_test(the_base_stack_recovers_too),
		cmocka_unit_test(acknowledgements_get_lost_too),
		cmocka_unit_test(reordering_is_not_loss),
		cmocka_unit_test(duplicates_are_not_loss),
		cmocka_unit_test(bursts_are_survived),
		cmocka_unit_test(all_of_it_at_once),
		cmocka_unit_test(tails_are_probed)
	};

	make_stream();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
