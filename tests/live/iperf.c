/*
 * The server's end of iperf3's protocol on a machine, for tcp_peer.c: what `iperf3 -c` asks of TCP, with
 * -R, --bidir, -P, -t and -n; the rest is refused as not implemented.
 *
 * Over the first connection, control, go the test's cookie, states of an octet each, and JSON behind its
 * length; the others carry data and begin with the cookie. The client leads: it says what is to be done
 * (PARAM_EXCHANGE), opens the streams (CREATE_STREAMS), ends the test (TEST_END), and prints what both
 * ends counted (EXCHANGE_RESULTS). A thread for each stream; control is this function's caller's.
 *
 * The states' values and the names of the JSON are the protocol's; RFCs there are none.
 */
#include "tests/live/tcp_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COOKIE		37		/* octets, the last is NUL */
#define STREAMS		64
#define JSON_MAX	65536u
#define BLOCK		131072u
#define NOT_IMPLEMENTED	13		/* of iperf3's errors */

enum state {
	TEST_START = 1, TEST_RUNNING = 2, TEST_END = 4, PARAM_EXCHANGE = 9, CREATE_STREAMS = 10,
	EXCHANGE_RESULTS = 13, DISPLAY_RESULTS = 14, DONE = 16, CLIENT_TERMINATE = 12, SERVER_ERROR = -2
};

struct stream {
	nke_t *m;
	int s;
	bool sends;
	uint64_t octets;		/* that went or came */
	pthread_t thread;
};

struct test {
	nke_t *m;
	int listener, control;
	char cookie[COOKIE];
	struct stream streams[STREAMS];
	unsigned count, expected;	/* of them */
	bool reverse, both, refused;
};

static bool
recv_all(nke_t *m, int s, void *data, size_t len)
{
	for (size_t have = 0; have != len;) {
		ssize_t n = nke_recv(m, s, (char *)data + have, len - have, 0);

		if (n <= 0) {
			errno = n == 0 ? ECONNRESET : errno;
			return false;
		}
		have += (size_t)n;
	}
	return true;
}

static bool
send_state(const struct test *t, enum state state)
{
	int8_t octet = (int8_t)state;

	return send_all(t->m, t->control, &octet, 1);
}

static int
recv_state(const struct test *t)
{
	int8_t octet;

	return recv_all(t->m, t->control, &octet, 1) ? octet : CLIENT_TERMINATE;
}

static json_t *
recv_json(const struct test *t)
{
	char text[JSON_MAX];
	uint32_t len;

	if (!recv_all(t->m, t->control, &len, sizeof len) || ntohl(len) > sizeof text ||
	    !recv_all(t->m, t->control, text, ntohl(len)))
		return NULL;
	/* iperf3's -1 is one of 64 bits without sign, which is none of jansson's integers. */
	errno = EPROTO;
	return json_loadb(text, ntohl(len), JSON_DECODE_INT_AS_REAL, NULL);
}

static bool
send_json(const struct test *t, json_t *j)
{
	char text[JSON_MAX];
	size_t len = json_dumpb(j, text + 4, sizeof text - 4, JSON_COMPACT);
	uint32_t head = htonl((uint32_t)len);

	memcpy(text, &head, sizeof head);
	return len < sizeof text - 4 && send_all(t->m, t->control, text, len + 4);
}

/* What the client wants; false when that cannot be done, and it is told so. */
static bool
agree(struct test *t)
{
	const uint32_t why[] = {htonl(NOT_IMPLEMENTED), htonl(EOPNOTSUPP)};
	json_t *wanted = recv_json(t);
	double parallel;
	bool can;

	if (wanted == NULL)
		return false;
	parallel = json_number_value(json_object_get(wanted, "parallel"));
	t->reverse = json_is_true(json_object_get(wanted, "reverse"));
	t->both = json_is_true(json_object_get(wanted, "bidirectional"));
	can = json_is_true(json_object_get(wanted, "tcp")) && parallel >= 1 &&
	    parallel <= STREAMS / 2 && json_number_value(json_object_get(wanted, "omit")) == 0;
	json_decref(wanted);
	t->expected = (unsigned)parallel * (t->both ? 2 : 1);
	if (!can) {
		t->refused = send_state(t, SERVER_ERROR) && send_all(t->m, t->control, why, sizeof why);
		return false;
	}
	return true;
}

/* The streams that the client opens; those that bring data come first. */
static bool
take_streams(struct test *t)
{
	char cookie[COOKIE];

	for (; t->count < t->expected; t->count++) {
		struct stream *st = &t->streams[t->count];

		*st = (struct stream){.m = t->m, .s = nke_accept(t->m, t->listener, NULL, NULL),
		    .sends = t->reverse || (t->both && t->count >= t->expected / 2)};
		if (st->s < 0)
			return false;
		if (!recv_all(t->m, st->s, cookie, COOKIE) || memcmp(cookie, t->cookie, COOKIE) != 0) {
			nke_close(t->m, st->s);
			return false;
		}
	}
	return true;
}

static void *
run_stream(void *arg)
{
	struct stream *st = arg;
	char *data = calloc(1, BLOCK);
	ssize_t n;

	while ((n = st->sends ? nke_send(st->m, st->s, data, BLOCK, MSG_NOSIGNAL) :
	    nke_recv(st->m, st->s, data, BLOCK, 0)) > 0)
		__atomic_fetch_add(&st->octets, (uint64_t)n, __ATOMIC_RELAXED);
	free(data);
	return NULL;
}

static unsigned
sent_again(const struct stream *st)
{
	struct tcp_info info;
	socklen_t len = sizeof info;

	if (nke_getsockopt(st->m, st->s, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return 0;
	return info.tcpi_total_retrans;
}

/* What this end counted; streams have the numbers 1, 3, 4 ... */
static json_t *
results(const struct test *t, double took)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < t->count; i++) {
		const struct stream *st = &t->streams[i];

		json_array_append_new(all, json_pack("{si sI si si si si sf sf}",
		    "id", i == 0 ? 1 : (int)i + 2, "bytes", (json_int_t)st->octets,
		    "retransmits", st->sends ? (int)sent_again(st) : -1,
		    "jitter", 0, "errors", 0, "packets", 0, "start_time", 0.0, "end_time", took));
	}
	return json_pack("{sf sf sf si so}", "cpu_util_total", 0.0, "cpu_util_user", 0.0,
	    "cpu_util_system", 0.0, "sender_has_retransmits", t->reverse || t->both ? 1 : -1,
	    "streams", all);
}

/* Data go until the client has enough. */
static bool
run(struct test *t)
{
	double begin = seconds(), took;
	json_t *ours, *theirs;
	bool good;
	int state;

	for (unsigned i = 0; i < t->count; i++)
		if (pthread_create(&t->streams[i].thread, NULL, run_stream, &t->streams[i]) != 0)
			abort();
	good = send_state(t, TEST_START) && send_state(t, TEST_RUNNING);
	state = good ? recv_state(t) : CLIENT_TERMINATE;
	took = seconds() - begin;
	for (unsigned i = 0; i < t->count; i++) {
		(void)nke_shutdown(t->m, t->streams[i].s, SHUT_RDWR);
		pthread_join(t->streams[i].thread, NULL);
	}
	ours = results(t, took);
	errno = EPROTO;
	good = state == TEST_END && send_state(t, EXCHANGE_RESULTS);
	theirs = good ? recv_json(t) : NULL;
	good = theirs != NULL && send_json(t, ours) && send_state(t, DISPLAY_RESULTS) &&
	    recv_state(t) == DONE;
	json_decref(ours);
	json_decref(theirs);
	return good;
}

void
serve_iperf(nke_t *m, int listener)
{
	for (;;) {
		struct test t = {.m = m, .listener = listener};
		bool good;

		t.control = nke_accept(m, listener, NULL, NULL);
		if (t.control < 0) {
			failed("accept");
			return;
		}
		good = recv_all(m, t.control, t.cookie, COOKIE) && send_state(&t, PARAM_EXCHANGE) &&
		    agree(&t) && send_state(&t, CREATE_STREAMS) && take_streams(&t) && run(&t);
		if (!good && !t.refused)
			failed("a test of iperf3");
		while (t.count != 0)
			(void)nke_close(m, t.streams[--t.count].s);
		(void)nke_close(m, t.control);
	}
}
