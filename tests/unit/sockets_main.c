/*
 * Socket calls from the outside, as the host's half makes them: without memory, in any order, and from many
 * threads at once.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "src/kern/corecalls.h"
#include "src/kern/sockcalls.h"

/* Darwin's numbers. */
#define D_PF_LOCAL	1
#define D_STREAM	1
#define D_DGRAM		2
#define D_SOL_SOCKET	0xffff
#define D_SCM_RIGHTS	1
#define D_ENOMEM	12

struct rights {
	uint32_t len;
	int level, type;
	int fds[2];
};

static char big[30000];

static struct nke *
create(enum core_time time, uint64_t fail)
{
	struct core_config config = {.name = "sockets", .time = time, .checked = true, .seed = 1,
	    .fail_alloc = fail};
	struct nke *m = NULL;
	int error = machine_create(&config, NULL, &m);

	assert_true(error == 0 || (fail != 0 && error == D_ENOMEM));
	return m;
}

/* Closes everything; nothing may be left then. */
static void
close_all(struct nke *m)
{
	struct core_memory memory;

	for (int fd = 0; fd < 2000; fd++)
		(void)file_call_close(m, fd);
	if (machine_panicked(m))
		fail_msg("%s", machine_panic_report(m));
	machine_memory(m, &memory);
	assert_int_equal(memory.mbufs, 0);
	assert_int_equal(memory.clusters, 0);
}

/* ---- without memory ------------------------------------------------------------------------ */

static void
exchange(struct nke *m, const int s[2], const int d[2])
{
	struct rights r = {sizeof r, D_SOL_SOCKET, D_SCM_RIGHTS, {s[0], d[0]}};
	struct core_iovec iov[2] = {{big, 100}, {big, 200}};
	struct core_message out = {.iov = iov, .iovcnt = 2, .control = &r, .controllen = sizeof r};
	struct rights got;
	struct core_message in = {.iov = iov, .iovcnt = 2, .control = &got, .controllen = sizeof got};
	struct core_pollfd p[40];
	unsigned found;
	size_t n;

	(void)sock_call_sendmsg(m, d[0], &out, 0, &n);
	(void)sock_call_sendmsg(m, s[0], &out, 0, &n);
	(void)sock_call_sendto(m, s[0], big, sizeof big, 0, NULL, 0, &n);
	(void)sock_call_sendto(m, d[0], big, 1500, 0, NULL, 0, &n);
	for (int i = 0; i < 40; i++)
		p[i] = (struct core_pollfd){.fd = s[1], .want = CORE_READY_READ};
	(void)file_call_poll(m, p, 40, 1000, &found);
	(void)sock_call_recvmsg(m, d[1], &in, 0, &n);
	in.controllen = sizeof got;
	(void)sock_call_recvmsg(m, s[1], &in, 2 /* MSG_PEEK */, &n);
	(void)sock_call_recvfrom(m, s[1], big, 20000, 0, NULL, NULL, &n);
}

static void
serve(struct nke *m)
{
	static const unsigned char name[20] = {20, D_PF_LOCAL, '/', 'x'};
	struct core_iovec iov = {big, 1};
	struct rights r = {sizeof r, D_SOL_SOCKET, D_SCM_RIGHTS, {0, 0}};
	struct core_message out = {.iov = &iov, .iovcnt = 1, .control = &r, .controllen = sizeof r};
	int head = -1, c = -1, accepted;
	size_t n;

	(void)sock_call_socket(m, D_PF_LOCAL, D_STREAM, 0, &head);
	(void)sock_call_bind(m, head, name, sizeof name);
	(void)sock_call_listen(m, head, 3);
	(void)file_call_set_nonblocking(m, head, true);
	(void)sock_call_socket(m, D_PF_LOCAL, D_STREAM, 0, &c);
	(void)sock_call_connect(m, c, name, sizeof name);
	(void)sock_call_accept(m, head, NULL, NULL, &accepted);
	r.fds[0] = head;
	r.fds[1] = c;
	(void)sock_call_sendmsg(m, c, &out, 0, &n);
	(void)file_call_dup(m, c, 700, &c);
}

static void
every_allocation_may_fail(void **state)
{
	struct core_memory memory = {.allocations = 1};

	(void)state;
	for (uint64_t n = 1; n <= memory.allocations; n++) {
		struct nke *m = create(CORE_TIME_VIRTUAL, n);
		int s[2], d[2];

		memory.allocations = n + 1;
		if (m == NULL)
			continue;
		(void)sock_call_socketpair(m, D_PF_LOCAL, D_STREAM, 0, s);
		(void)sock_call_socketpair(m, D_PF_LOCAL, D_DGRAM, 0, d);
		for (int i = 0; i < 2; i++) {
			(void)file_call_set_nonblocking(m, s[i], true);
			(void)file_call_set_nonblocking(m, d[i], true);
		}
		exchange(m, s, d);
		serve(m);
		close_all(m);
		machine_memory(m, &memory);
		machine_destroy(m);
	}
}

/* ---- in any order --------------------------------------------------------------------------- */

static uint32_t
next_random(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static int
some_fd(uint32_t *x)
{
	return (int)(next_random(x) % 24) - 1;
}

static void
some_name(uint32_t *x, unsigned char name[20])
{
	memset(name, 0, 20);
	name[0] = (unsigned char)next_random(x);
	name[1] = next_random(x) % 8 != 0 ? D_PF_LOCAL : (unsigned char)next_random(x);
	name[2] = '/';
	name[3] = (unsigned char)('a' + next_random(x) % 4);
}

static void
some_message(struct nke *m, uint32_t *x)
{
	struct rights r = {next_random(x) % 8 != 0 ? sizeof r : next_random(x) % 30, D_SOL_SOCKET,
	    D_SCM_RIGHTS, {some_fd(x), some_fd(x)}};
	struct core_iovec iov[2] = {{big, next_random(x) % 3000}, {big, next_random(x) % 300}};
	unsigned char name[20];
	struct core_message msg = {.iov = iov, .iovcnt = next_random(x) % 3,
	    .control = next_random(x) % 4 != 0 ? &r : NULL, .controllen = next_random(x) % 21,
	    .name = next_random(x) % 4 == 0 ? name : NULL, .namelen = next_random(x) % 21};
	int flags = (int)(next_random(x) % 4 == 0 ? next_random(x) : 0) | 0x80 /* MSG_DONTWAIT */;
	size_t n;

	some_name(x, name);
	if (next_random(x) % 2 == 0) {
		if (next_random(x) % 4 != 0)
			msg.controllen = sizeof r;
		(void)sock_call_sendmsg(m, some_fd(x), &msg, flags, &n);
	} else {
		(void)sock_call_recvmsg(m, some_fd(x), &msg, flags, &n);
	}
}

static void
some_option(struct nke *m, uint32_t *x)
{
	static const int names[] = {0x1001, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x0080, 0x1080, 0x2000,
	    0x4000, 0x1083, 0x1081};
	unsigned char value[32];
	uint32_t len = next_random(x) % 33;
	int name = next_random(x) % 8 == 0 ? (int)next_random(x) :
	    names[next_random(x) % (sizeof names / sizeof names[0])];
	int level = next_random(x) % 8 == 0 ? (int)(next_random(x) % 3) : D_SOL_SOCKET;

	for (unsigned i = 0; i < sizeof value; i++)
		value[i] = next_random(x) % 2 == 0 ? 0 : (unsigned char)next_random(x);
	if (next_random(x) % 2 == 0)
		(void)sock_call_setsockopt(m, some_fd(x), level, name, value, len);
	else
		(void)sock_call_getsockopt(m, some_fd(x), level, name, value, &len);
}

static void
some_call(struct nke *m, uint32_t *x)
{
	int type = next_random(x) % 2 == 0 ? D_STREAM : D_DGRAM, fd[2];
	unsigned char name[20];
	uint32_t len = next_random(x) % 21;

	some_name(x, name);
	switch (next_random(x) % 16) {
	case 0:
	case 1:
		if (sock_call_socketpair(m, D_PF_LOCAL, type, 0, fd) == 0) {
			(void)file_call_set_nonblocking(m, fd[0], true);
			(void)file_call_set_nonblocking(m, fd[1], true);
		}
		break;
	case 2:
		if (sock_call_socket(m, D_PF_LOCAL, type, 0, fd) == 0)
			(void)file_call_set_nonblocking(m, fd[0], true);
		break;
	case 3:
		(void)sock_call_bind(m, some_fd(x), name, len);
		break;
	case 4:
		(void)sock_call_connect(m, some_fd(x), name, len);
		break;
	case 5:
		(void)sock_call_listen(m, some_fd(x), (int)(next_random(x) % 4));
		break;
	case 6:
		(void)sock_call_accept(m, some_fd(x), name, &len, fd);
		break;
	case 7:
		(void)sock_call_shutdown(m, some_fd(x), (int)(next_random(x) % 4));
		break;
	case 8:
		(void)file_call_dup(m, some_fd(x), 0, fd);
		break;
	case 9:
	case 10:
		some_option(m, x);
		break;
	case 11:
	case 12:
		(void)file_call_close(m, some_fd(x));
		break;
	default:
		some_message(m, x);
		break;
	}
}

static void
calls_in_any_order_leave_nothing_behind(void **state)
{
	uint32_t x = 2463534242u;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct nke *m = create(CORE_TIME_VIRTUAL, 0);

		for (int i = 0; i < 400; i++)
			some_call(m, &x);
		close_all(m);
		machine_destroy(m);
	}
	/* and a machine that goes with everything in it */
	for (int round = 0; round < 50; round++) {
		struct nke *m = create(CORE_TIME_VIRTUAL, 0);

		for (int i = 0; i < 400; i++)
			some_call(m, &x);
		assert_false(machine_panicked(m));
		machine_destroy(m);
	}
}

/* ---- many threads --------------------------------------------------------------------------- */

#define PAIRS	4
#define MESSAGES	3000

struct side {
	struct nke *machine;
	int fd;
	size_t bytes;
	int error;
	pthread_t thread;
};

static void *
write_all(void *arg)
{
	struct side *s = arg;
	size_t n;

	for (int i = 0; i < MESSAGES && s->error == 0; i++) {
		s->error = sock_call_sendto(s->machine, s->fd, big, 64, 0, NULL, 0, &n);
		s->bytes += n;
	}
	if (s->error == 0)
		s->error = file_call_close(s->machine, s->fd);
	return NULL;
}

static void *
read_all(void *arg)
{
	struct side *s = arg;
	char part[100];
	size_t n;

	do {
		s->error = sock_call_recvfrom(s->machine, s->fd, part, sizeof part, 0, NULL, NULL, &n);
		s->bytes += n;
	} while (s->error == 0 && n != 0);
	return NULL;
}

static void
many_threads_talk_at_once(void **state)
{
	struct nke *m = create(CORE_TIME_REAL, 0);
	struct side writers[PAIRS], readers[PAIRS];

	(void)state;
	for (int i = 0; i < PAIRS; i++) {
		int fd[2];

		assert_int_equal(sock_call_socketpair(m, D_PF_LOCAL, D_STREAM, 0, fd), 0);
		writers[i] = (struct side){.machine = m, .fd = fd[0]};
		readers[i] = (struct side){.machine = m, .fd = fd[1]};
		assert_int_equal(pthread_create(&writers[i].thread, NULL, write_all, &writers[i]), 0);
		assert_int_equal(pthread_create(&readers[i].thread, NULL, read_all, &readers[i]), 0);
	}
	for (int i = 0; i < PAIRS; i++) {
		pthread_join(writers[i].thread, NULL);
		pthread_join(readers[i].thread, NULL);
		assert_int_equal(writers[i].error, 0);
		assert_int_equal(readers[i].error, 0);
		assert_int_equal(writers[i].bytes, 64 * MESSAGES);
		assert_int_equal(readers[i].bytes, 64 * MESSAGES);
	}
	close_all(m);
	machine_destroy(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(calls_in_any_order_leave_nothing_behind),
		cmocka_unit_test(many_threads_talk_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
