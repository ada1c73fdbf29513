/*
 * TCP by the host API: blocking and non-blocking, one thread for both ends or one for each, poll, half close,
 * linger, options by the host's names.
 *
 *	[ A en0 10.0.0.1, 2001:db8::1 ]----- wire -----[ en0 10.0.0.2, 2001:db8::2 B ]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <nke/socket.h>
#include <nke/stats.h>
#include <nke/sysctl.h>
#include <nke/wire.h>

#define PORT	7000
#define MS	UINT64_C(1000000)
#define BULK	(2u * 1024 * 1024)

static nke_world_t *world;
static nke_t *a, *b;
static nke_wire_t *wire;

/* ---- two machines ------------------------------------------------------------------------- */

static nke_t *
machine(const char *name, uint64_t seed)
{
	struct nke_config config = {.name = name, .world = world, .checked = true, .seed = seed};
	nke_t *m;

	assert_int_equal(nke_create(&config, &m), 0);
	/* Addresses may be used at once. */
	assert_int_equal(nke_sysctl_set_int(m, "net.inet6.ip6.dad_count", 0), 0);
	return m;
}

static nke_iface_t *
interface(nke_t *m, uint8_t id)
{
	struct nke_iface_config config = {.name = "en0", .lladdr = {2, 0, 0, 0, 0, id}};
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000000u + id)};
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	nke_iface_t *i;

	assert_int_equal(nke_iface_create(m, &config, &i), 0);
	assert_int_equal(nke_iface_add_address(i, (struct sockaddr *)&sin, sizeof sin, 24), 0);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::", &sin6.sin6_addr), 1);
	sin6.sin6_addr.s6_addr[15] = id;
	assert_int_equal(nke_iface_add_address(i, (struct sockaddr *)&sin6, sizeof sin6, 64), 0);
	return i;
}

static void
begin(enum nke_time time)
{
	const struct nke_wire_config slow = {.delay_ns = MS};
	struct nke_config config = {.time = time};
	nke_iface_t *ai, *bi;

	assert_int_equal(nke_world_create(&config, &world), 0);
	a = machine("a", 1);
	b = machine("b", 2);
	ai = interface(a, 1);
	bi = interface(b, 2);
	assert_int_equal(nke_wire_create(a, NULL, 1, &wire), 0);
	assert_int_equal(nke_wire_plug(wire, ai), 0);
	assert_int_equal(nke_wire_plug(wire, bi), 0);
	assert_int_equal(nke_wire_configure(wire, NULL, &slow), 0);
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

union address {
	struct sockaddr sa;
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;
	struct sockaddr_storage ss;
};

static socklen_t
address(union address *u, int family, const char *text, uint16_t port)
{
	memset(u, 0, sizeof *u);
	u->sa.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		assert_int_equal(inet_pton(AF_INET, text, &u->sin.sin_addr), 1);
		u->sin.sin_port = htons(port);
		return sizeof u->sin;
	}
	assert_int_equal(inet_pton(AF_INET6, text, &u->sin6.sin6_addr), 1);
	u->sin6.sin6_port = htons(port);
	return sizeof u->sin6;
}

static int
listener(int family)
{
	union address u;
	int s = nke_socket(b, family, SOCK_STREAM, 0), on = 1;

	assert_true(s >= 0);
	assert_int_equal(nke_setsockopt(b, s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
	assert_int_equal(nke_bind(b, s, &u.sa, address(&u, family, family == AF_INET ? "0.0.0.0" : "::",
	    PORT)), 0);
	assert_int_equal(nke_listen(b, s, 10), 0);
	return s;
}

static int
dial(int family, int type, const char *text)
{
	union address u;
	int s = nke_socket(a, family, SOCK_STREAM | type, 0);

	assert_true(s >= 0);
	if (nke_connect(a, s, &u.sa, address(&u, family, text, PORT)) != 0)
		assert_int_equal(errno, EINPROGRESS);
	return s;
}

/* Both ends of a connection, made by one thread. */
static void
pair(int *client, int *server)
{
	int l = listener(AF_INET);

	*client = dial(AF_INET, SOCK_NONBLOCK, "10.0.0.2");
	*server = nke_accept(b, l, NULL, NULL);
	assert_true(*server >= 0);
	assert_int_equal(nke_set_nonblocking(a, *client, false), 0);
	assert_int_equal(nke_close(b, l), 0);
}

static uint8_t
pattern(size_t i)
{
	return (uint8_t)(i * 31 + (i >> 8) * 17 + (i >> 16));
}

/* ---- one thread each ---------------------------------------------------------------------- */

/* Accepts one, sends back what comes, until its end. */
static void *
echo(void *arg)
{
	int l = *(int *)arg, s;
	static uint8_t buffer[65536];
	ssize_t n;

	s = nke_accept(b, l, NULL, NULL);
	if (s < 0)
		return (void *)"accept";
	while ((n = nke_recv(b, s, buffer, sizeof buffer, 0)) > 0) {
		for (ssize_t done = 0, k; done < n; done += k) {
			k = nke_send(b, s, buffer + done, (size_t)(n - done), 0);
			if (k <= 0)
				return (void *)"send";
		}
	}
	if (n < 0)
		return (void *)"recv";
	return nke_close(b, s) == 0 ? NULL : (void *)"close";
}

static void *
send_all(void *arg)
{
	int s = *(int *)arg;
	uint8_t *data = malloc(BULK);
	size_t sent = 0;
	ssize_t n = 0;

	for (size_t i = 0; i < BULK; i++)
		data[i] = pattern(i);
	while (sent < BULK && (n = nke_send(a, s, data + sent, BULK - sent, 0)) > 0)
		sent += (size_t)n;
	free(data);
	if (sent != BULK)
		return (void *)"send";
	return nke_shutdown(a, s, SHUT_WR) == 0 ? NULL : (void *)"shutdown";
}

static void
an_echo_of(int family, const char *text)
{
	static uint8_t buffer[30000];
	pthread_t server, writer;
	size_t got = 0;
	void *result;
	ssize_t n;
	int l, s;

	begin(NKE_TIME_REAL);
	l = listener(family);
	assert_int_equal(pthread_create(&server, NULL, echo, &l), 0);
	s = dial(family, 0, text);
	assert_int_equal(pthread_create(&writer, NULL, send_all, &s), 0);
	while ((n = nke_recv(a, s, buffer, sizeof buffer, 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (buffer[i] != pattern(got + (size_t)i))
				fail_msg("octet %zu is wrong", got + (size_t)i);
		got += (size_t)n;
	}
	assert_int_equal(n, 0);
	assert_int_equal(got, BULK);
	pthread_join(writer, &result);
	assert_null(result);
	pthread_join(server, &result);
	assert_null(result);
	assert_int_equal(nke_close(a, s), 0);
	assert_int_equal(nke_close(b, l), 0);
	end();
}

static void
threads_exchange_bulk(void **state)
{
	(void)state;
	an_echo_of(AF_INET, "10.0.0.2");
	an_echo_of(AF_INET6, "2001:db8::2");
}

/* ---- one thread --------------------------------------------------------------------------- */

static void
a_connection_from_beginning_to_end(void **state)
{
	union address u;
	socklen_t len = sizeof u;
	char buffer[100];
	int c, s;

	(void)state;
	begin(NKE_TIME_VIRTUAL);
	pair(&c, &s);
	assert_int_equal(nke_getpeername(a, c, &u.sa, &len), 0);
	assert_int_equal(ntohs(u.sin.sin_port), PORT);
	assert_int_equal(u.sin.sin_addr.s_addr, htonl(0x0a000002));
	len = sizeof u;
	assert_int_equal(nke_getpeername(b, s, &u.sa, &len), 0);
	assert_int_equal(u.sin.sin_addr.s_addr, htonl(0x0a000001));
	assert_int_equal(nke_send(a, c, "question", 8, 0), 8);
	assert_int_equal(nke_recv(b, s, buffer, sizeof buffer, 0), 8);
	assert_memory_equal(buffer, "question", 8);
	/* Half closed: the other way stays open. */
	assert_int_equal(nke_shutdown(a, c, SHUT_WR), 0);
	assert_int_equal(nke_recv(b, s, buffer, sizeof buffer, 0), 0);
	assert_int_equal(nke_send(a, c, "x", 1, 0), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(nke_send(b, s, "answer", 6, 0), 6);
	assert_int_equal(nke_recv(a, c, buffer, sizeof buffer, 0), 6);
	assert_memory_equal(buffer, "answer", 6);
	assert_int_equal(nke_close(b, s), 0);
	assert_int_equal(nke_recv(a, c, buffer, sizeof buffer, 0), 0);
	assert_int_equal(nke_close(a, c), 0);
	end();
}

static void
nobody_listens(void **state)
{
	union address u;
	struct pollfd p = {.events = POLLOUT};
	int error = -1, s;
	socklen_t len = sizeof error;

	(void)state;
	begin(NKE_TIME_VIRTUAL);
	s = nke_socket(a, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(nke_connect(a, s, &u.sa, address(&u, AF_INET, "10.0.0.2", PORT)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_int_equal(nke_close(a, s), 0);
	s = nke_socket(a, AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(nke_connect(a, s, &u.sa, address(&u, AF_INET6, "2001:db8::2", PORT)), -1);
	assert_int_equal(errno, EINPROGRESS);
	assert_int_equal(nke_connect(a, s, &u.sa, address(&u, AF_INET6, "2001:db8::2", PORT)), -1);
	assert_int_equal(errno, EALREADY);
	p.fd = s;
	assert_int_equal(nke_poll(a, &p, 1, -1), 1);
	assert_true(p.revents & POLLOUT);
	assert_int_equal(nke_getsockopt(a, s, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	assert_int_equal(error, ECONNREFUSED);
	assert_int_equal(nke_close(a, s), 0);
	/* Who cannot be a peer. */
	s = nke_socket(a, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(nke_connect(a, s, &u.sa, address(&u, AF_INET, "224.0.0.1", PORT)), -1);
	assert_int_equal(errno, EAFNOSUPPORT);
	assert_int_equal(nke_connect(a, s, &u.sa, address(&u, AF_INET, "10.0.0.255", PORT)), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(nke_connect(a, s, &u.sa, address(&u, AF_INET, "10.0.0.2", 0)), -1);
	assert_int_equal(errno, EADDRNOTAVAIL);
	assert_int_equal(nke_send(a, s, "x", 1, 0), -1);
	assert_int_equal(errno, ENOTCONN);
	assert_int_equal(nke_close(a, s), 0);
	end();
}

static void
connecting_without_waiting(void **state)
{
	struct pollfd p = {.events = POLLOUT}, q = {.events = POLLIN};
	int error = -1, l, c, s;
	socklen_t len = sizeof error;

	(void)state;
	begin(NKE_TIME_VIRTUAL);
	l = listener(AF_INET6);
	assert_int_equal(nke_set_nonblocking(b, l, true), 0);
	assert_int_equal(nke_accept(b, l, NULL, NULL), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	c = dial(AF_INET, SOCK_NONBLOCK, "10.0.0.2");
	p.fd = c;
	assert_int_equal(nke_poll(a, &p, 1, 0), 0);
	assert_int_equal(nke_poll(a, &p, 1, -1), 1);
	assert_int_equal(p.revents, POLLOUT);
	assert_int_equal(nke_getsockopt(a, c, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	assert_int_equal(error, 0);
	q.fd = l;
	assert_int_equal(nke_poll(b, &q, 1, -1), 1);
	{
		union address u;
		socklen_t got = sizeof u;
		char text[INET6_ADDRSTRLEN];

		s = nke_accept(b, l, &u.sa, &got);
		assert_true(s >= 0);
		assert_int_equal(u.sa.sa_family, AF_INET6);
		assert_string_equal(inet_ntop(AF_INET6, &u.sin6.sin6_addr, text, sizeof text),
		    "::ffff:10.0.0.1");
	}
	/* Not a byte there yet, and then the end. */
	assert_int_equal(nke_recv(b, s, &error, sizeof error, 0), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_equal(nke_close(a, c), 0);
	q.fd = s;
	assert_int_equal(nke_poll(b, &q, 1, -1), 1);
	assert_true(q.revents & POLLIN);
	assert_int_equal(nke_recv(b, s, &error, sizeof error, 0), 0);
	assert_int_equal(nke_close(b, s), 0);
	assert_int_equal(nke_close(b, l), 0);
	end();
}

static void
lingering(void **state)
{
	struct linger none = {1, 0}, some = {1, 5};
	struct nke_wire_config down = {.down = true};
	static char big[20000];
	char byte;
	int c, s;

	(void)state;
	begin(NKE_TIME_VIRTUAL);
	/* No time: cut off. */
	pair(&c, &s);
	assert_int_equal(nke_send(a, c, "x", 1, 0), 1);
	assert_int_equal(nke_setsockopt(a, c, SOL_SOCKET, SO_LINGER, &none, sizeof none), 0);
	assert_int_equal(nke_close(a, c), 0);
	assert_int_equal(nke_recv(b, s, &byte, 1, MSG_WAITALL), 1);
	assert_int_equal(nke_recv(b, s, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(nke_send(b, s, &byte, 1, 0), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(nke_close(b, s), 0);
	/* The peer has all, before close is done. */
	pair(&c, &s);
	assert_int_equal(nke_setsockopt(a, c, SOL_SOCKET, SO_LINGER, &some, sizeof some), 0);
	assert_int_equal(nke_send(a, c, big, sizeof big, 0), sizeof big);
	assert_int_equal(nke_close(a, c), 0);
	assert_int_equal(nke_set_nonblocking(b, s, true), 0);
	for (size_t got = 0; got < sizeof big;) {
		ssize_t n = nke_recv(b, s, big, sizeof big, 0);

		assert_true(n > 0);
		got += (size_t)n;
	}
	assert_int_equal(nke_close(b, s), 0);
	/* Nobody there any more: after the time, close returns all the same. */
	pair(&c, &s);
	assert_int_equal(nke_setsockopt(a, c, SOL_SOCKET, SO_LINGER, &some, sizeof some), 0);
	assert_int_equal(nke_wire_configure(wire, NULL, &down), 0);
	assert_int_equal(nke_send(a, c, big, 1000, 0), 1000);
	assert_int_equal(nke_close(a, c), 0);
	end();
}

/* ---- options ------------------------------------------------------------------------------ */

static int
get(int s, int name)
{
	int value = -1;
	socklen_t len = sizeof value;

	return nke_getsockopt(a, s, IPPROTO_TCP, name, &value, &len) == 0 ? value : -1;
}

static int
set(int s, int name, int value)
{
	return nke_setsockopt(a, s, IPPROTO_TCP, name, &value, sizeof value);
}

static void
options_have_the_hosts_names(void **state)
{
	static const struct {
		int name, value;
	} same[] = {
		{TCP_NODELAY, 1}, {TCP_MAXSEG, 900}, {TCP_KEEPINTVL, 7}, {TCP_KEEPCNT, 3},
#ifdef __linux__
		{TCP_CORK, 1}, {TCP_KEEPIDLE, 11}, {TCP_USER_TIMEOUT, 12345}, {TCP_NOTSENT_LOWAT, 4096},
		{TCP_FASTOPEN_CONNECT, 1},
#endif
	};
	char name[16] = "";
	socklen_t len = sizeof name;
	int s;

	(void)state;
	begin(NKE_TIME_VIRTUAL);
	s = nke_socket(a, AF_INET, SOCK_STREAM, 0);
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		assert_int_equal(set(s, same[i].name, same[i].value), 0);
		assert_int_equal(get(s, same[i].name), same[i].value);
	}
	assert_int_equal(nke_getsockopt(a, s, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	assert_string_equal(name, "cubic");
	assert_int_equal(nke_setsockopt(a, s, IPPROTO_TCP, TCP_CONGESTION, "newreno", 7), 0);
	len = sizeof name;
	assert_int_equal(nke_getsockopt(a, s, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	assert_string_equal(name, "newreno");
	assert_int_equal(nke_setsockopt(a, s, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3), -1);
#ifdef TCP_DEFER_ACCEPT
	assert_int_equal(set(s, TCP_DEFER_ACCEPT, 1), -1);
	assert_int_equal(errno, ENOPROTOOPT);
#endif
	assert_int_equal(nke_close(a, s), 0);
	end();
}

#ifdef __linux__
static void
tcp_info_is_the_hosts(void **state)
{
	struct tcp_info info;
	socklen_t len = sizeof info;
	char byte;
	int c, s;

	(void)state;
	begin(NKE_TIME_VIRTUAL);
	pair(&c, &s);
	assert_int_equal(nke_send(a, c, "x", 1, 0), 1);
	assert_int_equal(nke_recv(b, s, &byte, 1, 0), 1);
	assert_int_equal(nke_getsockopt(a, c, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	assert_int_equal(len, sizeof info);
	assert_int_equal(info.tcpi_state, TCP_ESTABLISHED);
	assert_int_equal(info.tcpi_snd_mss, 1448);
	assert_int_equal(info.tcpi_options, TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE);
	assert_true(info.tcpi_snd_cwnd >= 10);
	assert_int_equal(info.tcpi_unacked, 1);
	assert_int_equal(nke_close(a, c), 0);
	assert_int_equal(nke_close(b, s), 0);
	end();
}
#endif

/* Space there is, but what waits to be sent is enough. */
static void
writers_wait_for_what_is_not_sent(void **state)
{
	static char big[30000];
	struct pollfd p = {.events = POLLOUT};
	int c, s;

	(void)state;
	begin(NKE_TIME_VIRTUAL);
	pair(&c, &s);
	p.fd = c;
	assert_int_equal(nke_poll(a, &p, 1, 0), 1);
	assert_int_equal(set(c, TCP_NOTSENT_LOWAT, 1000), 0);
	assert_int_equal(nke_send(a, c, big, sizeof big, 0), sizeof big);
	assert_int_equal(nke_poll(a, &p, 1, 0), 0);
	/* It becomes less without anybody reading. */
	assert_int_equal(nke_poll(a, &p, 1, -1), 1);
	assert_int_equal(p.revents, POLLOUT);
	assert_int_equal(nke_close(a, c), 0);
	assert_int_equal(nke_close(b, s), 0);
	end();
}

static void
connections_are_counted(void **state)
{
	struct nke_counter counters[256];
	uint64_t established = 0;
	size_t n;
	int c, s;

	(void)state;
	begin(NKE_TIME_VIRTUAL);
	pair(&c, &s);
	n = nke_stats_protocol(a, "tcp", counters, 256);
	assert_true(n > 50 && n <= 256);
	for (size_t i = 0; i < n; i++)
		if (strcmp(counters[i].name, "connections established (including accepts)") == 0)
			established = counters[i].value;
	assert_int_equal(established, 1);
	assert_int_equal(nke_close(a, c), 0);
	assert_int_equal(nke_close(b, s), 0);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_from_beginning_to_end),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(connecting_without_waiting),
		cmocka_unit_test(lingering),
		cmocka_unit_test(options_have_the_hosts_names),
#ifdef __linux__
		cmocka_unit_test(tcp_info_is_the_hosts),
#endif
		cmocka_unit_test(writers_wait_for_what_is_not_sent),
		cmocka_unit_test(connections_are_counted),
		cmocka_unit_test(threads_exchange_bulk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
