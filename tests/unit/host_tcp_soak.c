/*
 * Many connections at once over a wire that does everything that wires do: every octet arrives once, in order
 * and unchanged, and every connection ends, in whatever order its two sides close. What happens follows
 * from the seed.
 *
 *	[ A en0 10.0.0.1, 2001:db8::1 ]----- lossy wire -----[ en0 10.0.0.2, 2001:db8::2 B ]
 *
 * usage: host_tcp_soak [SEED [ROUNDS]]
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
#include <nke/stats.h>
#include <nke/wire.h>

#define PORT		7000
#define CONNECTIONS	24
#define MOST		300000u
#define PATIENCE	4000000u	/* steps of a millisecond */
#define MS		UINT64_C(1000000)

static uint64_t seed = 1;
static unsigned rounds = 1;

/* ---- chance ------------------------------------------------------------------------------- */

static uint64_t chance_state;

static uint32_t
chance(uint32_t n)
{
	chance_state = chance_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(chance_state >> 33) % n;
}

/* ---- two machines ------------------------------------------------------------------------- */

static nke_world_t *world;
static nke_t *machines[2];
static nke_wire_t *wire;

static void
make_machine(unsigned i, const struct nke_wire_config *w)
{
	struct nke_config config = {
		.name = i == 0 ? "a" : "b", .world = world, .checked = true, .seed = seed + i
	};
	struct nke_iface_config iface = {.name = "en0", .lladdr = {2, 0, 0, 0, 0, (uint8_t)(i + 1)}};
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000001 + i)};
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	nke_iface_t *en0;

	assert_int_equal(nke_create(&config, &machines[i]), 0);
	assert_int_equal(nke_iface_create(machines[i], &iface, &en0), 0);
	assert_int_equal(inet_pton(AF_INET6, i == 0 ? "2001:db8::1" : "2001:db8::2", &sin6.sin6_addr), 1);
	assert_int_equal(nke_iface_add_address(en0, (struct sockaddr *)&sin, sizeof sin, 24), 0);
	assert_int_equal(nke_iface_add_address(en0, (struct sockaddr *)&sin6, sizeof sin6, 64), 0);
	if (i == 0)
		assert_int_equal(nke_wire_create(machines[0], w, seed, &wire), 0);
	assert_int_equal(nke_wire_plug(wire, en0), 0);
}

/* Who is where is found out while the wire is good: ARP has no checksum, and gives up sooner than TCP. */
static void
find_each_other(void)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0x0a000002)
	};
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	int s4 = nke_socket(machines[0], AF_INET, SOCK_DGRAM, 0);
	int s6 = nke_socket(machines[0], AF_INET6, SOCK_DGRAM, 0);

	assert_int_equal(inet_pton(AF_INET6, "2001:db8::2", &sin6.sin6_addr), 1);
	assert_int_equal(nke_sendto(machines[0], s4, "x", 1, 0, (struct sockaddr *)&sin, sizeof sin), 1);
	assert_int_equal(nke_sendto(machines[0], s6, "x", 1, 0, (struct sockaddr *)&sin6, sizeof sin6), 1);
	assert_int_equal(nke_run_for(machines[0], 1000 * MS), 0);
	assert_int_equal(nke_close(machines[0], s4) + nke_close(machines[0], s6), 0);
}

static void
begin(const struct nke_wire_config *w)
{
	const struct nke_wire_config ideal = {.offload = w->offload};

	assert_int_equal(nke_world_create(NULL, &world), 0);
	make_machine(0, &ideal);
	make_machine(1, &ideal);
	assert_int_equal(nke_run_for(machines[0], 10000 * MS), 0);
	find_each_other();
	assert_int_equal(nke_wire_configure(wire, NULL, w), 0);
}

static void
end(void)
{
	for (unsigned i = 0; i < 2; i++)
		assert_string_equal(nke_panic_report(machines[i]), "");
	nke_wire_destroy(wire);
	for (unsigned i = 0; i < 2; i++)
		nke_destroy(machines[i]);
	nke_world_destroy(world);
}

/* ---- connections -------------------------------------------------------------------------- */

/* One end: what it sends, what it has received. */
struct side {
	int s;				/* -1: not there */
	uint32_t send, sent, got;
	bool shut, ended, eager;	/* eager: closes as soon as everything was sent */
};

struct flow {
	struct side side[2];
	unsigned first;			/* who closes first: 0, 1; 2: whoever is done */
	bool connected;
};

static struct flow flows[CONNECTIONS];

static uint8_t
octet(unsigned flow, unsigned side, uint32_t at)
{
	uint32_t x = at * 2654435761u + flow * 40503u + side * 97u;

	return (uint8_t)(x ^ x >> 11 ^ x >> 23);
}

static int
listener(int family)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	int s = nke_socket(machines[1], family, SOCK_STREAM, 0), one = 1;

	assert_true(s >= 0);
	if (family == AF_INET6)
		assert_int_equal(nke_setsockopt(machines[1], s, IPPROTO_IPV6, IPV6_V6ONLY, &one,
		    sizeof one), 0);
	assert_int_equal(nke_bind(machines[1], s, family == AF_INET ? (struct sockaddr *)&sin :
	    (struct sockaddr *)&sin6, family == AF_INET ? sizeof sin : sizeof sin6), 0);
	assert_int_equal(nke_listen(machines[1], s, 50), 0);
	assert_int_equal(nke_set_nonblocking(machines[1], s, true), 0);
	return s;
}

/* The side at B is found by the first octet that comes: the number of the flow. */
static void
connect_flow(unsigned i)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(PORT),
	    .sin_addr.s_addr = htonl(0x0a000002)};
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
	struct side *a = &flows[i].side[0];
	bool v6 = i % 2;

	assert_int_equal(inet_pton(AF_INET6, "2001:db8::2", &sin6.sin6_addr), 1);
	a->s = nke_socket(machines[0], v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	assert_true(a->s >= 0);
	assert_int_equal(nke_set_nonblocking(machines[0], a->s, true), 0);
	assert_true(nke_connect(machines[0], a->s, v6 ? (struct sockaddr *)&sin6 : (struct sockaddr *)&sin,
	    v6 ? sizeof sin6 : sizeof sin) == 0 || errno == EINPROGRESS);
}

static void
make_flows(void)
{
	memset(flows, 0, sizeof flows);
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		for (unsigned k = 0; k < 2; k++) {
			flows[i].side[k].s = -1;
			flows[i].side[k].send = chance(8) == 0 ? 0 : chance(MOST);
		}
		flows[i].first = chance(3);
	}
}

/* Accepted, but the flow's number has not come yet. */
static int strangers[CONNECTIONS];
static unsigned stranger_count;

static void
accept_all(int s)
{
	int c;

	while ((c = nke_accept(machines[1], s, NULL, NULL)) >= 0) {
		assert_true(stranger_count < CONNECTIONS);
		assert_int_equal(nke_set_nonblocking(machines[1], c, true), 0);
		strangers[stranger_count++] = c;
	}
}

static void
greet_strangers(void)
{
	uint8_t number;

	for (unsigned i = 0; i < stranger_count; i++) {
		if (nke_recv(machines[1], strangers[i], &number, 1, 0) != 1) {
			assert_true(errno == EAGAIN || errno == EWOULDBLOCK);
			continue;
		}
		assert_true(number < CONNECTIONS && flows[number].side[1].s == -1);
		flows[number].side[1].s = strangers[i];
		strangers[i--] = strangers[--stranger_count];
	}
}

static void
send_some(unsigned i, unsigned k)
{
	struct side *side = &flows[i].side[k];
	uint8_t piece[8000];

	while (side->sent < side->send) {
		uint32_t n = 1 + chance(chance(3) == 0 ? sizeof piece : 700);
		ssize_t done;

		if (n > side->send - side->sent)
			n = side->send - side->sent;
		for (uint32_t j = 0; j < n; j++)
			piece[j] = octet(i, k, side->sent + j);
		done = nke_send(machines[k], side->s, piece, n, MSG_DONTWAIT);
		if (done <= 0) {
			assert_true(errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ||
			    errno == ENOTCONN);
			return;
		}
		side->sent += (uint32_t)done;
	}
}

static void
receive_some(unsigned i, unsigned k)
{
	struct side *side = &flows[i].side[k];
	uint8_t piece[16000];
	ssize_t n;

	/* Now and then the reader takes its time. */
	if (chance(4) == 0)
		return;
	while (!side->ended && (n = nke_recv(machines[k], side->s, piece, 1 + chance(sizeof piece),
	    MSG_DONTWAIT)) >= 0) {
		if (n == 0) {
			assert_int_equal(side->got, flows[i].side[!k].send);
			side->ended = true;
		}
		for (ssize_t j = 0; j < n; j++)
			if (piece[j] != octet(i, !k, side->got + (uint32_t)j))
				fail_msg("flow %u to %c: octet %u is wrong", i, "ab"[k],
				    side->got + (unsigned)j);
		side->got += (uint32_t)n;
	}
	if (!side->ended && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOTCONN)
		fail_msg("seed %llu, flow %u, %c: %s; sent %u of %u, has %u of %u, %s",
		    (unsigned long long)seed, i, "ab"[k], strerror(errno), side->sent, side->send, side->got, flows[i].side[!k].send,
		    side->shut ? "shut" : "open");
}

/* Ends one's own direction when it is one's turn; then goes altogether. */
static void
finish(unsigned i, unsigned k)
{
	struct flow *f = &flows[i];
	struct side *side = &f->side[k];

	if (!side->shut && side->sent == side->send && (f->first == 2 || f->first == k || side->ended)) {
		if (nke_shutdown(machines[k], side->s, SHUT_WR) != 0)
			return;
		side->shut = true;
	}
	if (side->shut && side->ended) {
		assert_int_equal(nke_close(machines[k], side->s), 0);
		side->s = -2;
	}
}

static void
not_connected(unsigned i)
{
	int error = errno;
	socklen_t len = sizeof error;

	(void)nke_getsockopt(machines[0], flows[i].side[0].s, SOL_SOCKET, SO_ERROR, &error, &len);
	fail_msg("seed %llu, flow %u: %s", (unsigned long long)seed, i, strerror(error));
}

/* True when the flow is over. */
static bool
step(unsigned i)
{
	struct flow *f = &flows[i];
	uint8_t number = (uint8_t)i;

	if (!f->connected) {
		if (nke_send(machines[0], f->side[0].s, &number, 1, MSG_DONTWAIT) == 1)
			f->connected = true;
		else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOTCONN)
			not_connected(i);
		return false;
	}
	for (unsigned k = 0; k < 2; k++) {
		if (f->side[k].s < 0)
			continue;
		send_some(i, k);
		receive_some(i, k);
		finish(i, k);
	}
	return f->side[0].s == -2 && f->side[1].s == -2;
}

static void
run(const struct nke_wire_config *w)
{
	int l4, l6;
	unsigned over = 0, steps;

	begin(w);
	l4 = listener(AF_INET);
	l6 = listener(AF_INET6);
	make_flows();
	for (unsigned i = 0; i < CONNECTIONS; i++)
		connect_flow(i);
	for (steps = 0; over < CONNECTIONS && steps < PATIENCE; steps++) {
		accept_all(l4);
		accept_all(l6);
		greet_strangers();
		over = 0;
		for (unsigned i = 0; i < CONNECTIONS; i++)
			over += step(i);
		assert_int_equal(nke_run_for(machines[0], MS), 0);
	}
	for (unsigned i = 0; i < CONNECTIONS; i++)
		if (flows[i].side[0].s != -2 || flows[i].side[1].s != -2)
			print_message("flow %u: a %d sent %u/%u got %u, b %d sent %u/%u got %u\n", i,
			    flows[i].side[0].s, flows[i].side[0].sent, flows[i].side[0].send,
			    flows[i].side[0].got, flows[i].side[1].s, flows[i].side[1].sent,
			    flows[i].side[1].send, flows[i].side[1].got);
	assert_int_equal(over, CONNECTIONS);
	assert_int_equal(nke_close(machines[1], l4) + nke_close(machines[1], l6), 0);
	/* Whatever is under way, and TIME_WAIT. */
	assert_int_equal(nke_run_for(machines[0], 1000000 * MS), 0);
	end();
}

/* ---- wires -------------------------------------------------------------------------------- */

static void
repeat(const struct nke_wire_config *w)
{
	uint64_t first = seed;

	for (unsigned i = 0; i < rounds; i++, seed++) {
		chance_state = seed;
		run(w);
	}
	seed = first;
}

static void
an_ideal_wire(void **state)
{
	const struct nke_wire_config w = {0};

	(void)state;
	repeat(&w);
}

static void
large_segments(void **state)
{
	const struct nke_wire_config w = {.offload = true, .delay_ns = 5 * MS, .loss = 0.01};

	(void)state;
	repeat(&w);
}

static void
a_slow_wire_with_a_short_queue(void **state)
{
	const struct nke_wire_config w = {.rate_bps = 5000000, .delay_ns = 10 * MS, .queue_frames = 20};

	(void)state;
	repeat(&w);
}

static void
loss(void **state)
{
	const struct nke_wire_config w = {.delay_ns = 10 * MS, .loss = 0.05};

	(void)state;
	repeat(&w);
}

static void
bursts_of_loss(void **state)
{
	const struct nke_wire_config w = {
		.delay_ns = 5 * MS, .burst_begin = 0.005, .burst_end = 0.2, .rate_bps = 50000000
	};

	(void)state;
	repeat(&w);
}

static void
reordering_and_duplicates(void **state)
{
	const struct nke_wire_config w = {
		.delay_ns = 5 * MS, .jitter_ns = 2 * MS, .reorder = 0.1, .reorder_ns = 8 * MS,
		.duplicate = 0.1
	};

	(void)state;
	repeat(&w);
}

static void
everything_at_once(void **state)
{
	const struct nke_wire_config w = {
		.rate_bps = 20000000, .delay_ns = 15 * MS, .jitter_ns = 3 * MS, .queue_frames = 60,
		.loss = 0.03,
		.burst_begin = 0.001, .burst_end = 0.3, .duplicate = 0.03, .corrupt = 0.02, .reorder = 0.03
	};

	(void)state;
	repeat(&w);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ideal_wire), cmocka_unit_test(large_segments),
		cmocka_unit_test(a_slow_wire_with_a_short_queue), cmocka_unit_test(loss),
		cmocka_unit_test(bursts_of_loss), cmocka_unit_test(reordering_and_duplicates),
		cmocka_unit_test(everything_at_once)
	};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		rounds = (unsigned)strtoul(argv[2], NULL, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
