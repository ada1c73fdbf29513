/*
 * The event loop of a machine in real time: sockets as events, stopping, devices that cannot be had. Frames
 * over TAP devices are in tests/system/tap.py.
 *
 *	[ machine: socketpair a ----- b ]
 */
#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <nke/loop.h>
#include <nke/socket.h>
#include <nke/sysctl.h>

struct stage {
	nke_t *machine;
	nke_loop_t *loop;
	int s[2];			/* connected */
	unsigned calls;
	short what;
	unsigned stop_after;
	nke_event_t *other;
};

static int
set_up(void **state)
{
	static struct stage g;
	struct nke_config config = {.time = NKE_TIME_REAL, .checked = true};

	memset(&g, 0, sizeof g);
	assert_int_equal(nke_create(&config, &g.machine), 0);
	assert_int_equal(nke_loop_create(g.machine, NULL, &g.loop), 0);
	assert_int_equal(nke_socketpair(g.machine, AF_LOCAL, SOCK_DGRAM, 0, g.s), 0);
	*state = &g;
	return 0;
}

static int
tear_down(void **state)
{
	struct stage *g = *state;

	nke_loop_destroy(g->loop);
	nke_destroy(g->machine);
	return 0;
}

static void
put(struct stage *g, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(nke_send(g->machine, g->s[0], "hello", 5, 0), 5);
}

static bool
get(struct stage *g)
{
	char text[16];

	return nke_recv(g->machine, g->s[1], text, sizeof text, MSG_DONTWAIT) == 5;
}

/* Takes one datagram. */
static void
take_one(nke_event_t *e, int s, short what, void *arg)
{
	struct stage *g = arg;

	(void)e;
	assert_int_equal(s, g->s[1]);
	g->what = what;
	assert_true(get(g));
	if (++g->calls == g->stop_after)
		nke_loop_stop(g->loop);
}

static void
count_only(nke_event_t *e, int s, short what, void *arg)
{
	struct stage *g = arg;

	(void)e;
	(void)s;
	(void)what;
	if (++g->calls == g->stop_after)
		nke_loop_stop(g->loop);
}

static void
end_loop(int signal)
{
	(void)signal;
}

/* Ends a loop from another thread, after a tenth of a second. */
static void *
stop_soon(void *arg)
{
	const struct timespec tenth = {.tv_nsec = 100000000};

	nanosleep(&tenth, NULL);
	nke_loop_stop(arg);
	return NULL;
}

static void
run_a_while(struct stage *g)
{
	pthread_t t;

	assert_int_equal(pthread_create(&t, NULL, stop_soon, g->loop), 0);
	assert_int_equal(nke_loop_run(g->loop), 0);
	pthread_join(t, NULL);
}

/* ---- tests -------------------------------------------------------------------------------- */

static void
called_as_long_as_it_is_ready(void **state)
{
	struct stage *g = *state;
	nke_event_t *e;

	assert_int_equal(nke_event_new(g->loop, g->s[1], POLLIN, take_one, g, &e), 0);
	put(g, 5);
	g->stop_after = 5;
	assert_int_equal(nke_loop_run(g->loop), 0);
	assert_int_equal(g->calls, 5);
	assert_int_equal(g->what, POLLIN);
	run_a_while(g);
	assert_int_equal(g->calls, 5);
	nke_event_free(e);
	put(g, 1);
	run_a_while(g);
	assert_int_equal(g->calls, 5);
}

static void
edge_is_told_once(void **state)
{
	struct stage *g = *state;
	nke_event_t *e;

	put(g, 3);
	assert_int_equal(nke_event_new(g->loop, g->s[1], POLLIN | NKE_EVENT_EDGE, count_only, g, &e), 0);
	run_a_while(g);
	assert_int_equal(g->calls, 1);
	while (get(g))
		continue;
	put(g, 1);
	run_a_while(g);
	assert_int_equal(g->calls, 2);
}

static void
writable_until_changed(void **state)
{
	struct stage *g = *state;
	nke_event_t *e;

	assert_int_equal(nke_event_new(g->loop, g->s[0], POLLOUT, count_only, g, &e), 0);
	g->stop_after = 10;
	assert_int_equal(nke_loop_run(g->loop), 0);
	assert_int_equal(nke_event_change(e, 0), 0);
	g->calls = 0;
	run_a_while(g);
	assert_int_equal(g->calls, 0);
	/* it is still that socket's event */
	assert_int_equal(nke_event_new(g->loop, g->s[0], POLLIN, count_only, g, &e), EEXIST);
}

static void
free_itself(nke_event_t *e, int s, short what, void *arg)
{
	struct stage *g = arg;

	(void)s;
	(void)what;
	g->calls++;
	nke_event_free(g->other);
	nke_event_free(e);
}

static void
close_itself(nke_event_t *e, int s, short what, void *arg)
{
	struct stage *g = arg;

	(void)e;
	(void)what;
	g->calls++;
	assert_int_equal(nke_close(g->machine, s), 0);
}

static void
functions_may_do_anything(void **state)
{
	struct stage *g = *state;
	nke_event_t *e, *again;
	int more[2];

	/* frees itself and one that is ready, too */
	assert_int_equal(nke_socketpair(g->machine, AF_LOCAL, SOCK_DGRAM, 0, more), 0);
	assert_int_equal(nke_event_new(g->loop, more[0], POLLOUT, count_only, g, &g->other), 0);
	assert_int_equal(nke_event_new(g->loop, g->s[1], POLLIN, free_itself, g, &e), 0);
	assert_int_equal(nke_event_change(g->other, POLLIN), 0);
	put(g, 2);
	run_a_while(g);
	assert_int_equal(g->calls, 1);
	/* closes its socket; the number is another one's then, which has an event of its own */
	assert_int_equal(nke_event_new(g->loop, g->s[1], POLLIN, close_itself, g, &e), 0);
	run_a_while(g);
	assert_int_equal(g->calls, 2);
	assert_int_equal(nke_socket(g->machine, AF_LOCAL, SOCK_DGRAM, 0), g->s[1]);
	assert_int_equal(nke_event_new(g->loop, g->s[1], POLLOUT, count_only, g, &again), 0);
	nke_event_free(e);
	g->stop_after = g->calls + 3;
	assert_int_equal(nke_loop_run(g->loop), 0);
}

static void
stops_before_it_begins(void **state)
{
	struct stage *g = *state;

	nke_loop_stop(g->loop);
	assert_int_equal(nke_loop_run(g->loop), 0);
}

static nke_loop_t *signalled;

static void
stop_by_signal(int signal)
{
	(void)signal;
	nke_loop_stop(signalled);
}

static void
stops_by_signal(void **state)
{
	struct stage *g = *state;

	signalled = g->loop;
	signal(SIGALRM, stop_by_signal);
	ualarm(100000, 0);
	assert_int_equal(nke_loop_run(g->loop), 0);
	signal(SIGALRM, end_loop);
}

/* Blocking calls beside it, from this thread. */
static void
runs_on_a_thread(void **state)
{
	struct stage *g = *state;
	nke_event_t *e;
	char text[16];
	int back[2];

	assert_int_equal(nke_loop_join(g->loop), EINVAL);
	assert_int_equal(nke_event_new(g->loop, g->s[1], POLLIN, take_one, g, &e), 0);
	assert_int_equal(nke_loop_start(g->loop), 0);
	assert_int_equal(nke_loop_start(g->loop), EBUSY);
	put(g, 20);
	assert_int_equal(nke_socketpair(g->machine, AF_LOCAL, SOCK_STREAM, 0, back), 0);
	assert_int_equal(nke_send(g->machine, back[0], "x", 1, 0), 1);
	assert_int_equal(nke_recv(g->machine, back[1], text, sizeof text, 0), 1);
	for (unsigned i = 0; i < 100 && __atomic_load_n(&g->calls, __ATOMIC_RELAXED) < 20; i++)
		usleep(10000);
	assert_int_equal(nke_loop_join(g->loop), 0);
	assert_int_equal(g->calls, 20);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct stage *g = arg;

	(void)fd;
	(void)what;
	put(g, 1);
}

static void
joins_another_base(void **state)
{
	struct stage *g = *state;
	struct event_base *base = event_base_new();
	struct timeval soon = {.tv_usec = 10000};
	struct event *tick = event_new(base, -1, EV_PERSIST, on_tick, g);
	nke_event_t *e;

	nke_loop_destroy(g->loop);
	assert_int_equal(nke_loop_create(g->machine, base, &g->loop), 0);
	assert_ptr_equal(nke_loop_base(g->loop), base);
	event_add(tick, &soon);
	assert_int_equal(nke_event_new(g->loop, g->s[1], POLLIN, take_one, g, &e), 0);
	g->stop_after = 3;
	assert_int_equal(nke_loop_run(g->loop), 0);
	/* the owner runs it */
	g->stop_after = 0;
	for (unsigned i = 0; i < 50 && g->calls < 5; i++)
		event_base_loop(base, EVLOOP_ONCE);
	assert_true(g->calls >= 5);
	nke_loop_destroy(g->loop);
	g->loop = NULL;
	event_free(tick);
	event_base_free(base);
}

static void
arguments(void **state)
{
	struct stage *g = *state;
	struct nke_config virtual_time = {0};
	struct nke_tap_config tap = {.device = "a-name-that-is-too-long-for-a-device"};
	struct nke_device_config device = {.device = ""};
	nke_recorder_t *r;
	nke_loop_t *l;
	nke_event_t *e;
	nke_device_t *d;
	nke_tap_t *t;
	char text[256];
	nke_t *m;

	assert_int_equal(nke_create(&virtual_time, &m), 0);
	assert_int_equal(nke_loop_create(m, NULL, &l), EINVAL);
	assert_null(l);
	assert_non_null(strstr(nke_error_text(m), "real time"));
	assert_int_equal(nke_tap_open(m, &tap, &t), EINVAL);
	nke_destroy(m);
	assert_int_equal(nke_tap_open(g->machine, &tap, &t), EINVAL);
	assert_null(t);
	tap = (struct nke_tap_config){.fd = g->s[0] + 1000};
	assert_int_equal(nke_tap_open(g->machine, &tap, &t), EINVAL);
	tap = (struct nke_tap_config){.netns = "/nowhere"};
	assert_int_equal(nke_tap_open(g->machine, &tap, &t), ENOENT);
	assert_int_equal(nke_device_open(g->machine, &device, &d), EINVAL);
	device.device = "nowhere0";
	assert_int_not_equal(nke_device_open(g->machine, &device, &d), 0);
	assert_null(d);
	assert_int_equal(nke_event_new(g->loop, g->s[0], 0, count_only, g, &e), EINVAL);
	assert_int_equal(nke_event_new(g->loop, g->s[0], POLLIN, NULL, g, &e), EINVAL);
	assert_int_equal(nke_event_new(g->loop, 999, POLLIN, count_only, g, &e), EBADF);
	assert_int_equal(nke_recorder_open("/nowhere/x.pcap", NKE_MEDIA_ETHERNET, &r, text,
	    sizeof text), ENOENT);
	assert_non_null(strstr(text, "/nowhere/x.pcap"));
	assert_null(r);
	nke_event_free(NULL);
	nke_tap_close(NULL);
	nke_device_close(NULL);
	nke_loop_destroy(NULL);
	assert_int_equal(nke_recorder_close(NULL, text, sizeof text), 0);
}

static void
variables(void **state)
{
	struct stage *g = *state;
	size_t len = 1;
	char small;
	int value;

	assert_int_equal(nke_sysctl_get_int(g->machine, "net.inet.ip.forwarding", &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(nke_sysctl_set_int(g->machine, "net.inet.ip.forwarding", 1), 0);
	assert_int_equal(nke_sysctl_get_int(g->machine, "net.inet.ip.forwarding", &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(nke_sysctl(g->machine, "net.inet.ip.forwarding", &small, &len, NULL, 0), ENOMEM);
	assert_int_equal(nke_sysctl_get_int(g->machine, "net.inet.nothing", &value), ENOENT);
	assert_non_null(strstr(nke_error_text(g->machine), "net.inet.nothing"));
}

int
main(void)
{
#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(called_as_long_as_it_is_ready), TEST(edge_is_told_once), TEST(writable_until_changed),
		TEST(functions_may_do_anything), TEST(stops_before_it_begins), TEST(stops_by_signal),
		TEST(runs_on_a_thread), TEST(joins_another_base), TEST(arguments), TEST(variables),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
