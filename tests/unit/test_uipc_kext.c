/*
 * src/kern/uipc_kext.c: upcalls, sockets that are retained, what is owed by whom; and sockets used from
 * wherever code of a kext runs.
 */
#include <kern/thread.h>
#include <netinet/kpi_ipfilter.h>
#include <sys/proc.h>
#include <sys/systm.h>
#include <sys/un.h>

#include "src/kern/kext.h"
#include "tests/unit/kpi_sock_testing.h"

static const struct sockaddr *
local_name(const char *path)
{
	static struct sockaddr_un sun;

	memset(&sun, 0, sizeof sun);
	sun.sun_len = (uint8_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
	sun.sun_family = AF_LOCAL;
	memcpy(sun.sun_path, path, strlen(path));
	return (const struct sockaddr *)(const void *)&sun;
}

/* ---- upcalls ------------------------------------------------------------------------------ */

struct called {
	unsigned count;
	socket_t so;
	int waitf;
	bool closes, sleeps;
	unsigned inside;
};

static void
upcall(socket_t so, void *cookie, int waitf)
{
	struct called *c = cookie;

	c->count++;
	c->so = so;
	c->waitf = waitf;
	c->inside++;
	if (c->sleeps)
		let_pass(50 * 1000 * 1000);
	if (c->closes)
		sock_close(so);
	c->inside--;
}

/* How often it was called since the last time. */
static unsigned
calls(struct called *c)
{
	unsigned n;

	let_run();
	n = c->count;
	c->count = 0;
	return n;
}

KTEST(an_upcall_tells_of_connections_data_and_ends)
{
	struct sockaddr_in name = here(PORT);
	struct called at_head = {0}, at_a = {0}, at_b = {0};
	socket_t head = listener(PORT, upcall, &at_head), a, b;

	CHECK_EQ(sock_socket(PF_INET, SOCK_STREAM, 0, upcall, &at_a, &a), 0);
	CHECK_EQ(calls(&at_head) + calls(&at_a), 0);
	CHECK_EQ(sock_connect(a, SA(name), MSG_DONTWAIT), EINPROGRESS);
	CHECK_EQ(calls(&at_a), 1);
	CHECK(at_a.so == a && at_a.waitf == MBUF_DONTWAIT);
	CHECK_EQ(calls(&at_head), 1);
	CHECK_EQ(sock_accept(head, NULL, 0, MSG_DONTWAIT, upcall, &at_b, &b), 0);
	CHECK_EQ(say(a, NULL, "data", 0), 0);
	CHECK_EQ(calls(&at_b), 1);
	/* Space in the send buffer is nothing to a kext: only receiving has the upcall. */
	CHECK_EQ(calls(&at_a), 0);
	CHECK_STR(hear(b), "data");
	CHECK_EQ(sock_shutdown(a, SHUT_WR), 0);
	CHECK(calls(&at_b) != 0);
	CHECK_EQ(calls(&at_a), 0);
	CHECK_EQ(sock_shutdown(b, SHUT_RDWR), ENOTCONN);
	CHECK_EQ(sock_shutdown(b, SHUT_WR), 0);
	CHECK(calls(&at_a) != 0);
	CHECK(calls(&at_b) != 0);
	sock_close(a);
	sock_close(b);
	sock_close(head);
	CHECK_EQ(calls(&at_a) + calls(&at_b) + calls(&at_head), 0);
}

KTEST(an_upcall_may_close_its_socket)
{
	struct sockaddr_in name = here(PORT);
	struct called c = {.closes = true};
	socket_t so, other = new_socket(PF_INET, SOCK_DGRAM);
	int before = curmachine()->sockets->count;

	CHECK_EQ(sock_socket(PF_INET, SOCK_DGRAM, 0, upcall, &c, &so), 0);
	CHECK_EQ(sock_bind(so, SA(name)), 0);
	CHECK_EQ(say(other, &name, "bye", 0), 0);
	CHECK_EQ(calls(&c), 1);
	CHECK_EQ(curmachine()->sockets->count, before);
	/* The same of a connection, by the peer's end. */
	{
		socket_t head = listener(PORT, NULL, NULL), a, b;

		CHECK_EQ(sock_socket(PF_INET, SOCK_STREAM, 0, upcall, &c, &a), 0);
		c.closes = false;
		CHECK_EQ(sock_connect(a, SA(name), 0), 0);
		CHECK_EQ(sock_accept(head, NULL, 0, 0, NULL, NULL, &b), 0);
		c.closes = true;
		c.count = 0;
		CHECK_EQ(say(b, NULL, "bye", 0), 0);
		CHECK_EQ(calls(&c), 1);
		sock_close(b);
		sock_close(head);
	}
	/* And a local one's, in the thread of who sends. */
	{
		socket_t a = new_socket(PF_LOCAL, SOCK_DGRAM);

		CHECK_EQ(sock_socket(PF_LOCAL, SOCK_DGRAM, 0, upcall, &c, &so), 0);
		CHECK_EQ(sock_bind(so, local_name("/upcall")), 0);
		CHECK_EQ(sock_connect(a, local_name("/upcall"), 0), 0);
		CHECK_EQ(say(a, NULL, "bye", 0), 0);
		CHECK_EQ(calls(&c), 1);
		sock_close(a);
	}
	sock_close(other);
}

static bool closed;

static void
close_it(void *so, wait_result_t why)
{
	(void)why;
	sock_close(so);
	closed = true;
}

static void
send_it(void *so, wait_result_t why)
{
	struct sockaddr_in name = here(PORT);

	(void)why;
	CHECK_EQ(say(so, &name, "x", 0), 0);
}

/* One thread is in the upcall, another closes: it waits for the first only if told so. */
static void
close_during_upcall(bool wait)
{
	struct sockaddr_in name = here(PORT);
	struct called c = {.sleeps = true};
	socket_t so, other = new_socket(PF_INET, SOCK_DGRAM);
	thread_t sender, closer;
	int on = 1;

	CHECK_EQ(sock_socket(PF_INET, SOCK_DGRAM, 0, upcall, &c, &so), 0);
	if (wait)
		CHECK_EQ(sock_setsockopt(so, SOL_SOCKET, SO_UPCALLCLOSEWAIT, &on, sizeof on), 0);
	CHECK_EQ(sock_bind(so, SA(name)), 0);
	closed = false;
	CHECK_EQ(kernel_thread_start(send_it, other, &sender), KERN_SUCCESS);
	let_run();
	CHECK_EQ(c.inside, 1);
	CHECK_EQ(kernel_thread_start(close_it, so, &closer), KERN_SUCCESS);
	let_run();
	CHECK_EQ(closed, !wait);
	CHECK_EQ(c.inside, 1);
	let_pass(100 * 1000 * 1000);
	CHECK(closed);
	CHECK_EQ(c.inside, 0);
	sock_close(other);
	thread_deallocate(sender);
	thread_deallocate(closer);
}

KTEST(closing_waits_for_upcalls_when_told_so)
{
	close_during_upcall(false);
	close_during_upcall(true);
}

/* On a Mac the thread would wait for itself. */
KTEST(an_upcall_does_not_wait_for_itself)
{
	struct sockaddr_in name = here(PORT);
	struct called c = {.closes = true};
	socket_t so, other = new_socket(PF_INET, SOCK_DGRAM);
	int on = 1;

	CHECK_EQ(sock_socket(PF_INET, SOCK_DGRAM, 0, upcall, &c, &so), 0);
	CHECK_EQ(sock_setsockopt(so, SOL_SOCKET, SO_UPCALLCLOSEWAIT, &on, sizeof on), 0);
	CHECK_EQ(sock_bind(so, SA(name)), 0);
	CHECK_EQ(say(other, &name, "bye", 0), 0);
	CHECK_EQ(calls(&c), 1);
	sock_close(other);
}

/* ---- from wherever kext code runs ---------------------------------------------------------- */

/* Accepts one connection and sends back what comes, waiting for everything. */
static void
serve(void *head, wait_result_t why)
{
	const char *text;
	socket_t so;

	(void)why;
	CHECK_EQ(sock_accept(head, NULL, 0, 0, NULL, NULL, &so), 0);
	while (*(text = hear(so)) != '\0')
		CHECK_EQ(say(so, NULL, text, 0), 0);
	sock_close(so);
	sock_close(head);
}

KTEST(kernel_threads_wait_in_sockets)
{
	struct sockaddr_in name = here(PORT);
	socket_t so = new_socket(PF_INET, SOCK_STREAM);
	thread_t t;

	CHECK_EQ(kernel_thread_start(serve, listener(PORT, NULL, NULL), &t), KERN_SUCCESS);
	let_run();
	CHECK_EQ(sock_connect(so, SA(name), 0), 0);
	CHECK_EQ(say(so, NULL, "one", 0), 0);
	CHECK_STR(hear(so), "one");
	CHECK_EQ(say(so, NULL, "two", 0), 0);
	CHECK_STR(hear(so), "two");
	sock_close(so);
	let_run();
	thread_deallocate(t);
}

static void
send_in_time(void *so)
{
	struct sockaddr_in name = here(PORT);

	CHECK_EQ(say(so, &name, "in time", MSG_DONTWAIT), 0);
}

static socket_t reporter;

/* Tells of every packet but its own reports, from the middle of IP's input. */
static errno_t
report_packet(void *cookie, mbuf_t *data, int offset, u_int8_t protocol)
{
	struct sockaddr_in name = here(PORT + 1);
	struct udphdr uh;

	(void)cookie;
	if (protocol == IPPROTO_UDP && mbuf_copydata(*data, (size_t)offset, sizeof uh, &uh) == 0 &&
	    uh.uh_dport != htons(PORT + 1))
		CHECK_EQ(say(reporter, &name, "a packet", MSG_DONTWAIT), 0);
	return 0;
}

KTEST(timeouts_and_filters_send)
{
	struct ipf_filter f = {.name = "reporter", .ipf_input = report_packet};
	struct sockaddr_in name = here(PORT), report_name = here(PORT + 1);
	socket_t so = new_socket(PF_INET, SOCK_DGRAM), reports = new_socket(PF_INET, SOCK_DGRAM);
	struct timespec soon = {0, 5000000};
	ipfilter_t filter;

	reporter = new_socket(PF_INET, SOCK_DGRAM);
	CHECK_EQ(sock_bind(so, SA(name)), 0);
	CHECK_EQ(sock_bind(reports, SA(report_name)), 0);
	CHECK_EQ(ipf_addv4(&f, &filter), 0);
	bsd_timeout(send_in_time, reporter, &soon);
	/* Waits until the time has come. */
	CHECK_STR(hear(so), "in time");
	CHECK_STR(hear(reports), "a packet");
	CHECK_EQ(hear_error(reports), EWOULDBLOCK);
	CHECK_EQ(ipf_remove(filter), 0);
	sock_close(so);
	sock_close(reports);
	sock_close(reporter);
}

/* ---- keeping and closing ------------------------------------------------------------------ */

KTEST(a_retained_socket_closes_with_the_last_release)
{
	struct sockaddr_in name = here(PORT);
	socket_t so = new_socket(PF_INET, SOCK_DGRAM), other = new_socket(PF_INET, SOCK_DGRAM);
	int before = curmachine()->sockets->count;

	CHECK_EQ(sock_bind(so, SA(name)), 0);
	sock_retain(so);
	sock_retain(so);
	sock_close(so);
	CHECK_EQ(sock_bind(other, SA(name)), EADDRINUSE);
	sock_release(so);
	CHECK_EQ(sock_bind(other, SA(name)), EADDRINUSE);
	CHECK_EQ(say(other, &name, "still there", 0), 0);
	CHECK_STR(hear(so), "still there");
	sock_release(so);
	CHECK_EQ(curmachine()->sockets->count, before - 1);
	/* Retaining and releasing an open one does nothing. */
	sock_retain(other);
	sock_release(other);
	CHECK_EQ(say(other, &name, "open", 0), 0);
	sock_close(other);
}

KTEST_PANICS(one_release_too_many_panics, "which is not retained")
{
	sock_release(new_socket(PF_INET, SOCK_DGRAM));
}

static errno_t sleeper_got;

static void
sleep_in(void *so, wait_result_t why)
{
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	(void)why;
	sleeper_got = sock_receive(so, &msg, 0, NULL);
}

KTEST(who_sleeps_in_a_socket_that_is_closed_leaves)
{
	socket_t so = new_socket(PF_INET, SOCK_DGRAM);
	thread_t t;

	sleeper_got = 0;
	CHECK_EQ(kernel_thread_start(sleep_in, so, &t), KERN_SUCCESS);
	let_run();
	CHECK_EQ(sleeper_got, 0);
	sock_close(so);
	let_run();
	CHECK_EQ(sleeper_got, EBADF);
	thread_deallocate(t);
}

/* ---- whose they are ----------------------------------------------------------------------- */

static socket_t left_behind;
static char report[4096];

static int
start_and_leave(void *kmod, void *data)
{
	(void)kmod;
	CHECK_EQ(sock_socket(PF_INET, SOCK_DGRAM, 0, upcall, NULL, &left_behind), 0);
	return data == NULL ? KERN_SUCCESS : KERN_FAILURE;
}

static int
start_badly(void *kmod, void *data)
{
	(void)data;
	(void)start_and_leave(kmod, NULL);
	sock_retain(left_behind);
	return KERN_FAILURE;
}

static errno_t
load(int (*start)(void *, void *), struct kext **kext)
{
	struct kext_params params = {.identifier = "org.example.socket", .version = "1.0", .start = start};
	struct kext_text text = {report, sizeof report};

	return kext_load(curmachine(), &params, kext, &text);
}

KTEST(a_socket_that_a_kext_leaves_is_named)
{
	struct kext_text text = {report, sizeof report};
	struct kext *kext;
	unsigned leaks;

	CHECK_EQ(load(start_and_leave, &kext), 0);
	CHECK_EQ(kext->owned_count[LEDGER_SOCKET], 1);
	CHECK_EQ(kext_unload(curmachine(), kext, &leaks, &text), EBUSY);
	CHECK(strnstr(report, "(internet, type 2, protocol 17)", sizeof report) != NULL);
	sock_close(left_behind);
	CHECK_EQ(kext->owned_count[LEDGER_SOCKET], 0);
	CHECK_EQ(kext_unload(curmachine(), kext, &leaks, &text), 0);
	CHECK_EQ(leaks, 0);
}

KTEST(a_kext_that_does_not_start_keeps_no_socket)
{
	int before = curmachine()->sockets->count;
	struct kext *kext;

	CHECK_EQ(load(start_badly, &kext), EIO);
	CHECK(kext == NULL);
	CHECK_EQ(curmachine()->sockets->count, before);
}

/* ---- without memory ----------------------------------------------------------------------- */

static errno_t
whole_life(void)
{
	struct sockaddr_in name = here(PORT), from;
	struct called c = {0};
	socket_t a = NULL, b = NULL;
	struct iovec iov = {&from, 4};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_name = &name};
	size_t len = 4;
	mbuf_t m = NULL;
	errno_t error = sock_socket(PF_INET, SOCK_DGRAM, 0, upcall, &c, &a);

	if (error == 0)
		error = sock_socket(PF_INET, SOCK_DGRAM, 0, upcall, &c, &b);
	if (error == 0) {
		sock_retain(a);
		error = sock_bind(a, SA(name));
		if (error == 0)
			error = sock_send(b, &msg, 0, NULL);
		let_run();
		if (error == 0)
			error = sock_receivembuf(a, NULL, &m, MSG_DONTWAIT, &len);
		mbuf_freem(m);
		sock_release(a);
	}
	sock_close(a);
	sock_close(b);
	return error;
}

KTEST(without_memory_nothing_is_left)
{
	unsigned n, failed = 0;

	CHECK_EQ(whole_life(), 0);
	for (n = 1; n < 60; n++) {
		int before = curmachine()->sockets->count;
		errno_t error;

		fail_after(n);
		error = whole_life();
		fail_after(0);
		CHECK_EQ(curmachine()->sockets->count, before);
		/* A datagram that there was no memory for is lost, which is no error of the sender's. */
		CHECK(error == 0 || error == ENOMEM || error == ENOBUFS || error == EWOULDBLOCK);
		failed += error != 0;
	}
	CHECK(failed >= 5);
}

KTEST_SUITE(uipc_kext, T(an_upcall_tells_of_connections_data_and_ends),
    T(an_upcall_may_close_its_socket), T(closing_waits_for_upcalls_when_told_so),
    T(an_upcall_does_not_wait_for_itself), T(kernel_threads_wait_in_sockets),
    T(timeouts_and_filters_send), T(a_retained_socket_closes_with_the_last_release),
    T(one_release_too_many_panics), T(who_sleeps_in_a_socket_that_is_closed_leaves),
    T(a_socket_that_a_kext_leaves_is_named), T(a_kext_that_does_not_start_keeps_no_socket),
    T(without_memory_nothing_is_left));
