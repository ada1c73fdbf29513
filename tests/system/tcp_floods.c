/*
 * Floods of every kind of segment at a server, from everywhere and in the name of its own client: the
 * client's connection goes on, its octets are right, new connections are served all the while, memory stays
 * bounded and comes back.
 *
 *	[ A en0 10.0.0.1 ]-----wire-----[ en0 10.0.0.2 B en1 10.1.0.1 ]<-- the flood, by a gateway
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <nke/socket.h>
#include <nke/stats.h>
#include <nke/wire.h>

#define MS		UINT64_C(1000000)
#define SECOND		(1000 * MS)
#define STEPS		2000u		/* of a millisecond */
#define SEGMENTS	12u		/* of the flood in each */
#define VISITS		15u		/* connections that must have been served meanwhile, of 36 or so: */
					/* 19 where the client's RSTs, which are limited, would help */
#define BULK		3000000u	/* octets that must have come meanwhile, of 5,000,000 */
#define MEMORY_MORE	(12u << 20)	/* the SYN cache at its limit, and what is under way */
#define VISIT_PORT	80
#define BULK_PORT	81

enum { A, B, HOSTS };

static nke_world_t *world;
static nke_t *m[HOSTS];
static nke_iface_t *en1;
static nke_wire_t *wire;
static uint64_t chance_state;

static uint32_t
chance(void)
{
	chance_state = chance_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(chance_state >> 32);
}

/* ---- machines ----------------------------------------------------------------------------- */

static struct sockaddr_in
name(const char *text, uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};

	assert_int_equal(inet_pton(AF_INET, text, &sin.sin_addr), 1);
	return sin;
}

static nke_iface_t *
interface(unsigned host, const char *ifname, const char *address, uint8_t mac)
{
	struct nke_iface_config config = {.name = ifname, .lladdr = {2, 0, 0, 0, 0, mac}};
	struct sockaddr_in sin = name(address, 0);
	nke_iface_t *en;

	assert_int_equal(nke_iface_create(m[host], &config, &en), 0);
	assert_int_equal(nke_iface_add_address(en, (struct sockaddr *)&sin, sizeof sin, 24), 0);
	return en;
}

static void
begin(void)
{
	const struct nke_wire_config config = {.delay_ns = MS, .rate_bps = 20000000, .queue_frames = 100};
	const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
	struct sockaddr_in gateway = name("10.1.0.2", 0);

	chance_state = 1;
	assert_int_equal(nke_world_create(NULL, &world), 0);
	for (unsigned i = 0; i < HOSTS; i++) {
		struct nke_config c = {
			.name = i == A ? "a" : "b", .world = world, .checked = true, .seed = 1 + i
		};

		assert_int_equal(nke_create(&c, &m[i]), 0);
	}
	assert_int_equal(nke_wire_create(m[A], &config, 1, &wire), 0);
	assert_int_equal(nke_wire_plug(wire, interface(A, "en0", "10.0.0.1", 1)), 0);
	assert_int_equal(nke_wire_plug(wire, interface(B, "en0", "10.0.0.2", 2)), 0);
	en1 = interface(B, "en1", "10.1.0.1", 3);
	assert_int_equal(nke_iface_set_gateway(en1, (struct sockaddr *)&gateway, sizeof gateway), 0);
	assert_int_equal(nke_iface_add_neighbor(en1, (struct sockaddr *)&gateway, sizeof gateway, mac), 0);
	assert_int_equal(nke_run_for(m[A], 10 * SECOND), 0);
}

static void
end(void)
{
	for (unsigned i = 0; i < HOSTS; i++)
		assert_string_equal(nke_panic_report(m[i]), "");
	nke_wire_destroy(wire);
	for (unsigned i = 0; i < HOSTS; i++)
		nke_destroy(m[i]);
	nke_world_destroy(world);
}

/* ---- the flood ---------------------------------------------------------------------------- */

#define SPOOFED		0x100		/* in the name of the client's connection */
#define LISTENER	0x200		/* in the client's name, to the listener */

static uint16_t bulk_port;		/* the client's */

static void
set16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void
set32(uint8_t *at, uint32_t value)
{
	set16(at, value >> 16);
	set16(at + 2, value);
}

static uint32_t
sum(const uint8_t *data, size_t len, uint32_t value)
{
	for (size_t i = 0; i < len; i++)
		value += i & 1 ? data[i] : (uint32_t)data[i] << 8;
	while (value >> 16)
		value = (value & 0xffff) + (value >> 16);
	return value;
}

static void
flood(unsigned kind)
{
	uint8_t frame[14 + 20 + 20 + 100] = {2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 9, 8, 0, 0x45};
	uint8_t *ip = frame + 14, *th = ip + 20;
	size_t len = (kind & 0xff) & (TH_SYN | TH_RST) ? 20 : 20 + chance() % 100;
	bool spoofed = kind & (SPOOFED | LISTENER);

	set16(ip + 2, (uint32_t)(20 + len));
	ip[8] = 60;
	ip[9] = IPPROTO_TCP;
	set32(ip + 12, spoofed ? 0x0a000001 : 0x0b000000 | (chance() & 0xffffff));
	set32(ip + 16, 0x0a000002);
	set16(ip + 10, ~sum(ip, 20, 0));
	set16(th, kind & SPOOFED ? bulk_port : chance());
	set16(th + 2, kind & SPOOFED ? BULK_PORT : VISIT_PORT);
	set32(th + 4, chance());
	set32(th + 8, chance());
	th[12] = 0x50;
	th[13] = (uint8_t)kind;
	set16(th + 14, chance());
	set16(th + 16, ~sum(ip + 12, 8, sum(th, len, (uint32_t)(IPPROTO_TCP + len))));
	assert_int_equal(nke_iface_input(en1, frame, 14 + 20 + len), 0);
}

/* ---- the service -------------------------------------------------------------------------- */

static int bulk[HOSTS], visit[HOSTS], listeners[2];
static uint32_t bulk_sent, bulk_got, visits, visit_steps;

static uint8_t
octet(uint32_t at)
{
	return (uint8_t)(at * 31 + (at >> 8) + 7);
}

static int
listener(uint16_t port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
	int s = nke_socket(m[B], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(s >= 0);
	assert_int_equal(nke_bind(m[B], s, (struct sockaddr *)&sin, sizeof sin), 0);
	assert_int_equal(nke_listen(m[B], s, 128), 0);
	return s;
}

static int
dial(uint16_t port)
{
	struct sockaddr_in sin = name("10.0.0.2", port);
	int s = nke_socket(m[A], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_true(s >= 0);
	assert_true(nke_connect(m[A], s, (struct sockaddr *)&sin, sizeof sin) == 0 || errno == EINPROGRESS);
	return s;
}

static void
open_bulk(void)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof sin;

	bulk[A] = dial(BULK_PORT);
	assert_int_equal(nke_run_for(m[A], SECOND), 0);
	bulk[B] = nke_accept(m[B], listeners[1], NULL, NULL);
	assert_true(bulk[B] >= 0);
	assert_int_equal(nke_set_nonblocking(m[B], bulk[B], true), 0);
	assert_int_equal(nke_getsockname(m[A], bulk[A], (struct sockaddr *)&sin, &len), 0);
	bulk_port = ntohs(sin.sin_port);
	bulk_sent = bulk_got = 0;
}

static void
step_bulk(void)
{
	uint8_t data[4000];
	ssize_t n;

	do {
		for (size_t i = 0; i < sizeof data; i++)
			data[i] = octet(bulk_sent + (uint32_t)i);
		n = nke_send(m[A], bulk[A], data, sizeof data, 0);
		if (n < 0 && errno != EWOULDBLOCK)
			fail_msg("the client's connection: %s", strerror(errno));
		bulk_sent += n > 0 ? (uint32_t)n : 0;
	} while (n > 0);
	while ((n = nke_recv(m[B], bulk[B], data, sizeof data, 0)) > 0)
		for (ssize_t i = 0; i < n; i++, bulk_got++)
			assert_int_equal(data[i], octet(bulk_got));
	if (n == 0 || errno != EWOULDBLOCK)
		fail_msg("the server's connection: %s", n == 0 ? "ended" : strerror(errno));
}

/* One visitor after the other: says a word, has it back, goes. */
static void
step_visit(void)
{
	char word[8];

	if (visit[A] < 0) {
		visit[A] = dial(VISIT_PORT);
		visit_steps = 0;
	}
	/* However full the server is, nobody waits for longer than a few tries. */
	assert_true(visit_steps++ < 5000);
	if (visit[B] < 0) {
		visit[B] = nke_accept(m[B], listeners[0], NULL, NULL);
		(void)nke_send(m[A], visit[A], "hello", 5, 0);
		if (visit[B] >= 0)
			assert_int_equal(nke_set_nonblocking(m[B], visit[B], true), 0);
		return;
	}
	if (nke_recv(m[B], visit[B], word, sizeof word, 0) > 0)
		assert_int_equal(nke_send(m[B], visit[B], "world", 5, 0), 5);
	else if (errno != EWOULDBLOCK)
		fail_msg("the visitor's connection: %s", strerror(errno));
	if (nke_recv(m[A], visit[A], word, sizeof word, 0) <= 0)
		return;
	assert_memory_equal(word, "world", 5);
	assert_int_equal(nke_close(m[A], visit[A]) + nke_close(m[B], visit[B]), 0);
	visit[A] = visit[B] = -1;
	visits++;
}

static void
stand(unsigned kind)
{
	struct nke_memory before, now;

	begin();
	listeners[0] = listener(VISIT_PORT);
	listeners[1] = listener(BULK_PORT);
	open_bulk();
	visit[A] = visit[B] = -1;
	visits = 0;
	nke_stats_memory(m[B], &before);
	for (unsigned i = 0; i < STEPS; i++) {
		for (unsigned k = 0; k < SEGMENTS; k++)
			flood(kind);
		step_bulk();
		step_visit();
		assert_int_equal(nke_run_for(m[A], MS), 0);
		nke_stats_memory(m[B], &now);
		assert_true(now.heap_bytes + now.mbuf_bytes <=
		    before.heap_bytes + before.mbuf_bytes + MEMORY_MORE);
	}
	if (visits < VISITS || bulk_got < BULK)
		fail_msg("%u visits, %u octets", visits, bulk_got);
	for (int s = 0; s < 64; s++)
		for (unsigned i = 0; i < HOSTS; i++)
			(void)nke_close(m[i], s);
	assert_int_equal(nke_run_for(m[A], 1000 * SECOND), 0);
	nke_stats_memory(m[B], &now);
	assert_int_equal(now.mbufs, 0);
	assert_true(now.heap_bytes <= before.heap_bytes + (1u << 20));
	end();
}

static void
syns(void **state)
{
	(void)state;
	stand(TH_SYN);
}

static void
syns_in_a_clients_name(void **state)
{
	(void)state;
	stand(TH_SYN | LISTENER);
}

static void
acks(void **state)
{
	(void)state;
	stand(TH_ACK);
}

static void
resets(void **state)
{
	(void)state;
	stand(TH_RST);
}

static void
fins(void **state)
{
	(void)state;
	stand(TH_FIN | TH_ACK);
}

static void
syns_at_a_connection(void **state)
{
	(void)state;
	stand(TH_SYN | SPOOFED);
}

static void
resets_at_a_connection(void **state)
{
	(void)state;
	stand(TH_RST | SPOOFED);
}

static void
data_at_a_connection(void **state)
{
	(void)state;
	stand(TH_ACK | TH_PUSH | SPOOFED);
}

static void
fins_at_a_connection(void **state)
{
	(void)state;
	stand(TH_FIN | TH_ACK | SPOOFED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syns), cmocka_unit_test(syns_in_a_clients_name), cmocka_unit_test(acks),
		cmocka_unit_test(resets), cmocka_unit_test(fins), cmocka_unit_test(syns_at_a_connection),
		cmocka_unit_test(resets_at_a_connection), cmocka_unit_test(data_at_a_connection),
		cmocka_unit_test(fins_at_a_connection)
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
