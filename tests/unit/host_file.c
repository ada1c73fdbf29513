/*
 * src/host/file.c, proc.c and self.c: a kext's character device (tests/data/kexts/mailbox.c) and who
 * calls it, as a program of the host has them.
 *
 *	[ A lo0 ]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <nke/file.h>
#include <nke/kext.h>
#include <nke/proc.h>
#include <nke/sysctl.h>

#include "tests/data/kexts/mailbox.h"

#define DEVICE "/dev/mailbox"

static char log_text[65536];

static void
keep_log(void *ctx, const struct nke_log_record *r)
{
	size_t n = strlen(log_text);

	(void)ctx;
	snprintf(log_text + n, sizeof log_text - n, "%s: %s\n", r->kext, r->text);
}

static const struct nke_process shell = {.pid = 501, .ppid = 1, .name = "zsh", .uid = 501, .gid = 20};

static const char *
path_of(const char *kext)
{
	static char path[PATH_MAX * 2];
	char self[PATH_MAX] = "";

	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		abort();
	*strrchr(self, '/') = '\0';
	snprintf(path, sizeof path, "%s/tests/data/kexts/%s", self, kext);
	return path;
}

/* A machine with the mailbox. */
static nke_t *
machine_with(struct nke_config config, nke_kext_t **k)
{
	nke_t *m;

	log_text[0] = '\0';
	config.checked = true;
	config.log = keep_log;
	assert_int_equal(nke_create(&config, &m), 0);
	if (nke_kext_load(m, path_of("mailbox.kext"), k) != 0)
		fail_msg("%s", nke_error_text(m));
	return m;
}

static nke_t *
machine(nke_kext_t **k)
{
	return machine_with((struct nke_config){.seed = 1}, k);
}

static void
unload_and_destroy(nke_t *m, nke_kext_t *k)
{
	unsigned leaks = 99;

	if (nke_kext_unload(m, k, &leaks) != 0)
		fail_msg("%s", nke_error_text(m));
	assert_int_equal(leaks, 0);
	nke_destroy(m);
}

#define fails(call, error) do {							\
	errno = 0;								\
	assert_int_equal((call), -1);						\
	assert_int_equal(errno, error);						\
} while (0)

/* ---- devices ------------------------------------------------------------------------------- */

static void
messages_go_through(void **state)
{
	char text[64] = "", a[3], b[10];
	struct iovec out[2] = {{"two ", 4}, {"pieces", 6}}, in[2] = {{a, sizeof a}, {b, sizeof b}};
	nke_kext_t *k;
	nke_t *m = machine(&k);
	int fd = nke_open(m, DEVICE, O_RDWR);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(nke_write(m, fd, "hello", 5), 5);
	assert_int_equal(nke_read(m, fd, text, sizeof text), 5);
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(nke_writev(m, fd, out, 2), 10);
	assert_int_equal(nke_readv(m, fd, in, 2), 10);
	assert_memory_equal(a, "two", 3);
	assert_memory_equal(b, " pieces", 7);
	fails(nke_readv(m, fd, in, 0), EINVAL);
	fails(nke_writev(m, fd, out, -1), EINVAL);
	fails(nke_write(m, fd, log_text, 65), EMSGSIZE);
	/* nobody will ever write */
	fails(nke_read(m, fd, text, sizeof text), EDEADLK);
	assert_int_equal(nke_close(m, fd), 0);
	fails(nke_read(m, fd, text, sizeof text), EBADF);
	fails(nke_open(m, "/dev/mailbox1", O_RDWR), ENOENT);
	fails(nke_open(m, "/etc/passwd", O_RDONLY), ENOENT);
	unload_and_destroy(m, k);
}

static void
the_same_calls_serve_sockets(void **state)
{
	char a[3], b[10];
	struct iovec out[2] = {{"two ", 4}, {"pieces", 6}}, in[2] = {{a, sizeof a}, {b, sizeof b}};
	int s[2], on = 1, n = 0;
	nke_kext_t *k;
	nke_t *m = machine(&k);

	(void)state;
	assert_int_equal(nke_socketpair(m, AF_LOCAL, SOCK_STREAM, 0, s), 0);
	assert_int_equal(nke_writev(m, s[0], out, 2), 10);
	assert_int_equal(nke_ioctl(m, s[1], FIONREAD, &n), 0);
	assert_int_equal(n, 10);
	assert_int_equal(nke_readv(m, s[1], in, 2), 10);
	assert_memory_equal(b, " pieces", 7);
	assert_int_equal(nke_fcntl(m, s[0], F_GETFL), O_RDWR);
	assert_int_equal(nke_ioctl(m, s[0], FIONBIO, &on), 0);
	assert_int_equal(nke_fcntl(m, s[0], F_GETFL), O_RDWR | O_NONBLOCK);
	fails(nke_read(m, s[0], a, 1), EAGAIN);
	assert_int_equal(nke_fcntl(m, s[0], F_SETFL, 0), 0);
	fails(nke_read(m, s[0], a, 1), EDEADLK);
	assert_int_equal(nke_fcntl(m, s[0], F_DUPFD, 77), 77);
	assert_int_equal(nke_fcntl(m, 77, F_GETFD), 0);
	fails(nke_fcntl(m, 78, F_GETFD), EBADF);
	fails(nke_fcntl(m, 77, 99999), EINVAL);
	fails(nke_ioctl(m, s[0], MAILBOX_CLEAR, NULL), EOPNOTSUPP);
	for (int i = 0; i < 2; i++)
		assert_int_equal(nke_close(m, s[i]), 0);
	unload_and_destroy(m, k);
}

static void
calls_for_sockets_only(void **state)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof sin;
	nke_kext_t *k;
	nke_t *m = machine(&k);
	int fd = nke_open(m, DEVICE, O_RDWR);

	(void)state;
	fails(nke_bind(m, fd, (struct sockaddr *)&sin, sizeof sin), ENOTSOCK);
	fails(nke_send(m, fd, "x", 1, 0), ENOTSOCK);
	fails(nke_getsockname(m, fd, (struct sockaddr *)&sin, &len), ENOTSOCK);
	fails(nke_getsockopt(m, fd, SOL_SOCKET, SO_TYPE, &sin, &len), ENOTSOCK);
	assert_int_equal(nke_close(m, fd), 0);
	unload_and_destroy(m, k);
}

static void
commands_have_the_hosts_numbers(void **state)
{
	struct {
		char bytes[9000];
	} big;
	nke_kext_t *k;
	nke_t *m = machine(&k);
	int fd = nke_open(m, DEVICE, O_RDWR), value = 3;

	(void)state;
	assert_int_equal(nke_ioctl(m, fd, MAILBOX_SET_LIMIT, &value), 0);
	value = 0;
	assert_int_equal(nke_ioctl(m, fd, MAILBOX_GET_LIMIT, &value), 0);
	assert_int_equal(value, 3);
	fails(nke_write(m, fd, "four", 4), EMSGSIZE);
	value = 65;
	fails(nke_ioctl(m, fd, MAILBOX_SET_LIMIT, &value), EINVAL);
	/* _IOR('M', 2, int) as Darwin puts it together */
	assert_int_equal(nke_darwin_ioctl(m, fd, 0x40044d02, &value), 0);
	assert_int_equal(value, 3);
	assert_int_equal(nke_write(m, fd, "abc", 3), 3);
	assert_int_equal(nke_ioctl(m, fd, FIONREAD, &value), 0);
	assert_int_equal(value, 3);
	assert_int_equal(nke_ioctl(m, fd, MAILBOX_CLEAR, NULL), 0);
	assert_int_equal(nke_ioctl(m, fd, FIONREAD, &value), 0);
	assert_int_equal(value, 0);
	fails(nke_ioctl(m, fd, _IO('M', 99), NULL), ENOTTY);
	fails(nke_ioctl(m, fd, MAILBOX_GET_LIMIT, NULL), EINVAL);
	fails(nke_ioctl(m, 99, MAILBOX_GET_LIMIT, &value), EBADF);
	fails(nke_ioctl(m, fd, _IOW('M', 1, big), &big), EINVAL);
	assert_int_equal(nke_close(m, fd), 0);
	unload_and_destroy(m, k);
}

static void
nonblocking_devices(void **state)
{
	nke_kext_t *k;
	nke_t *m = machine(&k);
	int fd = nke_open(m, DEVICE, O_RDWR | O_NONBLOCK);
	char byte;

	(void)state;
	fails(nke_read(m, fd, &byte, 1), EAGAIN);
	assert_int_equal(nke_fcntl(m, fd, F_GETFL), O_RDWR | O_NONBLOCK);
	assert_int_equal(nke_fcntl(m, fd, F_SETFL, 0), 0);
	assert_int_equal(nke_fcntl(m, fd, F_GETFL), O_RDWR);
	assert_int_equal(nke_set_nonblocking(m, fd, true), 0);
	assert_int_equal(nke_write(m, fd, "x", 1), 1);
	fails(nke_write(m, fd, "y", 1), EAGAIN);
	assert_int_equal(nke_close(m, fd), 0);
	fd = nke_open(m, DEVICE, O_RDONLY);
	assert_int_equal(nke_fcntl(m, fd, F_GETFL), O_RDONLY);
	fails(nke_write(m, fd, "z", 1), EBADF);
	assert_int_equal(nke_close(m, fd), 0);
	unload_and_destroy(m, k);
}

static void
poll_and_event_loops(void **state)
{
	nke_kext_t *k;
	nke_t *m = machine(&k);
	int fd = nke_open(m, DEVICE, O_RDWR);
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT}, ready_fd;
	struct nke_ready ready;
	char byte;

	(void)state;
	assert_int_equal(nke_poll(m, &p, 1, 0), 1);
	assert_int_equal(p.revents, POLLOUT);
	p.events = POLLIN;
	assert_int_equal(nke_poll(m, &p, 1, 250), 0);
	assert_int_equal(nke_watch(m, fd, POLLIN, &p), 0);
	assert_int_equal(nke_next_ready(m, &ready), 0);
	ready_fd = (struct pollfd){.fd = nke_ready_fd(m), .events = POLLIN};
	assert_int_equal(poll(&ready_fd, 1, 0), 0);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(nke_write(m, fd, "x", 1), 1);
		assert_int_equal(poll(&ready_fd, 1, 0), 1);
		assert_int_equal(nke_next_ready(m, &ready), 1);
		assert_int_equal(ready.s, fd);
		assert_int_equal(ready.events, POLLIN);
		assert_ptr_equal(ready.ctx, &p);
		assert_int_equal(nke_next_ready(m, &ready), 0);
		assert_int_equal(nke_read(m, fd, &byte, 1), 1);
	}
	assert_int_equal(nke_close(m, fd), 0);
	assert_int_equal(nke_next_ready(m, &ready), 0);
	unload_and_destroy(m, k);
}

static void
an_open_device_holds_its_kext(void **state)
{
	nke_kext_t *k;
	nke_t *m = machine(&k);
	int a = nke_open(m, DEVICE, O_RDWR), b = nke_open(m, DEVICE, O_RDWR);

	(void)state;
	assert_int_equal(nke_kext_unload(m, k, NULL), EBUSY);
	if (strstr(nke_error_text(m), "character device 24: /dev/mailbox is open, 2 files") == NULL)
		fail_msg("%s", nke_error_text(m));
	assert_int_equal(nke_close(m, a), 0);
	assert_int_equal(nke_kext_unload(m, k, NULL), EBUSY);
	assert_int_equal(nke_close(m, b), 0);
	unload_and_destroy(m, k);
}

/* ---- who waits, who goes ------------------------------------------------------------------- */

struct reader {
	nke_t *m;
	int fd;
	ssize_t got;
	int error;
	char text[8];
};

static void *
read_one(void *arg)
{
	struct reader *r = arg;

	r->got = nke_read(r->m, r->fd, r->text, sizeof r->text);
	r->error = errno;
	return NULL;
}

/* A thread that waits in a read of `fd`. The clock is held: nobody gets EDEADLK. */
static void
start_reader(struct reader *r, pthread_t *thread)
{
	assert_int_equal(nke_hold_clock(r->m, true), 0);
	assert_int_equal(pthread_create(thread, NULL, read_one, r), 0);
	while (nke_waiting(r->m) == 0)
		usleep(100);
}

static void
another_thread_waits(void **state)
{
	nke_kext_t *k;
	nke_t *m = machine(&k);
	struct reader r = {.m = m, .fd = nke_open(m, DEVICE, O_RDWR)};
	pthread_t thread;

	(void)state;
	start_reader(&r, &thread);
	assert_int_equal(nke_write(m, r.fd, "news", 4), 4);
	pthread_join(thread, NULL);
	assert_int_equal(r.got, 4);
	assert_memory_equal(r.text, "news", 4);
	start_reader(&r, &thread);
	assert_int_equal(nke_close(m, r.fd), 0);
	pthread_join(thread, NULL);
	assert_int_equal(r.got, -1);
	assert_int_equal(r.error, EBADF);
	unload_and_destroy(m, k);
}

static void
a_real_clock_waits_as_well(void **state)
{
	nke_kext_t *k;
	nke_t *m = machine_with((struct nke_config){.time = NKE_TIME_REAL}, &k);
	struct reader r = {.m = m, .fd = nke_open(m, DEVICE, O_RDWR)};
	struct pollfd p = {.fd = r.fd, .events = POLLIN};
	pthread_t thread;

	(void)state;
	assert_int_equal(nke_poll(m, &p, 1, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, read_one, &r), 0);
	while (nke_waiting(m) == 0)
		usleep(100);
	assert_int_equal(nke_write(m, r.fd, "now", 3), 3);
	pthread_join(thread, NULL);
	assert_int_equal(r.got, 3);
	assert_int_equal(nke_close(m, r.fd), 0);
	unload_and_destroy(m, k);
}

#define MESSAGES	40

static void *
write_many(void *arg)
{
	struct reader *r = arg;

	for (int i = 0; i < MESSAGES; i++) {
		char text = (char)i;

		assert_int_equal(nke_write(r->m, r->fd, &text, 1), 1);
	}
	return NULL;
}

/* Reader and writer wait for each other at every message, under every schedule. */
static void
order_is_kept_under_any_schedule(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		nke_kext_t *k;
		nke_t *m = machine_with((struct nke_config){.seed = seed, .sched_random = true}, &k);
		struct reader r = {.m = m, .fd = nke_open(m, DEVICE, O_RDWR)};
		pthread_t thread;
		char text;

		assert_int_equal(nke_hold_clock(m, true), 0);
		assert_int_equal(pthread_create(&thread, NULL, write_many, &r), 0);
		for (int i = 0; i < MESSAGES; i++) {
			assert_int_equal(nke_read(m, r.fd, &text, 1), 1);
			assert_int_equal(text, i);
		}
		pthread_join(thread, NULL);
		assert_int_equal(nke_close(m, r.fd), 0);
		unload_and_destroy(m, k);
	}
}

/* ---- kexts that leave things behind ----------------------------------------------------------- */

static void
a_failed_start_leaves_no_device(void **state)
{
	nke_kext_t *k;
	nke_t *m = machine(&k);

	(void)state;
	unload_and_destroy(m, k);
	assert_int_equal(nke_create(NULL, &m), 0);
	assert_int_equal(nke_kext_load(m, path_of("mailbox_fails.kext"), &k), EIO);
	if (strstr(nke_error_text(m), "device name /dev/mailbox") == NULL)
		fail_msg("%s", nke_error_text(m));
	fails(nke_open(m, DEVICE, O_RDWR), ENOENT);
	/* name and number are free again */
	assert_int_equal(nke_kext_load(m, path_of("mailbox.kext"), &k), 0);
	unload_and_destroy(m, k);
}

static void
what_stop_leaves_keeps_the_image(void **state)
{
	nke_kext_t *k;
	int fd;
	nke_t *m;

	(void)state;
	assert_int_equal(nke_create(NULL, &m), 0);
	assert_int_equal(nke_kext_load(m, path_of("mailbox_leaves.kext"), &k), 0);
	fd = nke_open(m, DEVICE, O_RDWR);
	assert_int_equal(nke_kext_unload(m, k, NULL), EBUSY);
	if (strstr(nke_error_text(m), "stays mapped") == NULL ||
	    strstr(nke_error_text(m), "character device 24: /dev/mailbox is open, 1 file") == NULL ||
	    strstr(nke_error_text(m), "device name /dev/mailbox") == NULL)
		fail_msg("%s", nke_error_text(m));
	/* so it works on */
	assert_int_equal(nke_write(m, fd, "x", 1), 1);
	nke_destroy(m);
}

static void
every_allocation_may_fail(void **state)
{
	unsigned worked = 0;

	(void)state;
	for (unsigned n = 1; worked < 3 && n < 5000; n++) {
		struct nke_config config = {.fail_alloc = n};
		struct nke_process p = {.pid = 7, .name = "x"};
		struct pollfd many[20];
		nke_kext_t *k;
		nke_t *m;
		char byte;
		bool all = true;

		if (nke_create(&config, &m) != 0)
			continue;
		if (nke_kext_load(m, path_of("mailbox.kext"), &k) == 0) {
			int fd = nke_open(m, DEVICE, O_RDWR);

			all &= nke_proc_set(m, &p) == 0;
			for (int i = 0; i < 20; i++)
				many[i] = (struct pollfd){.fd = fd, .events = POLLIN};
			all &= nke_watch(m, fd, POLLIN, NULL) == 0;
			all &= nke_poll(m, many, 20, 1) == 0;
			all &= nke_write(m, fd, "x", 1) == 1;
			all &= nke_read(m, fd, &byte, 1) == 1;
			all &= nke_close(m, fd) == 0;
			all &= nke_kext_unload(m, k, NULL) == 0;
			worked += all;
		}
		assert_false(nke_panicked(m));
		nke_destroy(m);
	}
	assert_int_equal(worked, 3);
}

/* ---- processes ------------------------------------------------------------------------------ */

static struct mailbox_caller
caller(nke_t *m, int fd, int pid)
{
	struct mailbox_caller c = {.pid = pid};

	if (nke_ioctl(m, fd, MAILBOX_CALLER, &c) != 0)
		c.pid = -errno;
	return c;
}

static void
kexts_see_who_calls(void **state)
{
	struct nke_process long_name = {.pid = 7, .name = "a name that is longer than thirty-two characters"};
	nke_kext_t *k;
	nke_t *m = machine(&k);
	int fd = nke_open(m, DEVICE, O_RDWR);
	struct mailbox_caller c = caller(m, fd, 0);

	(void)state;
	assert_int_equal(c.pid, 100);
	assert_int_equal(c.ppid, 1);
	assert_string_equal(c.name, "nke");
	assert_int_equal(c.uid, 0);
	assert_true(c.privileged);
	assert_int_equal(nke_proc_set(m, &shell), 0);
	c = caller(m, fd, 0);
	assert_int_equal(c.pid, 501);
	assert_int_equal(c.ppid, 1);
	assert_string_equal(c.name, "zsh");
	assert_int_equal(c.uid, 501);
	assert_int_equal(c.gid, 20);
	assert_false(c.privileged);
	assert_string_equal(caller(m, fd, 100).name, "nke");
	assert_string_equal(caller(m, fd, 0).name, "zsh");
	assert_int_equal(nke_proc_set(m, &long_name), 0);
	assert_string_equal(caller(m, fd, 0).name, "a name that is l");
	assert_int_equal(caller(m, fd, 501).pid, -ESRCH);
	assert_int_equal(nke_proc_set(m, NULL), 0);
	assert_int_equal(caller(m, fd, 0).pid, 100);
	assert_int_equal(caller(m, fd, 7).pid, -ESRCH);
	assert_int_equal(nke_close(m, fd), 0);
	unload_and_destroy(m, k);
}

static void
bad_processes_are_refused(void **state)
{
	static const int bad[] = {INT_MIN, -1, 0, 100};
	nke_kext_t *k;
	nke_t *m = machine(&k);

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct nke_process p = {.pid = bad[i], .name = "x"};

		assert_int_equal(nke_proc_set(m, &p), EINVAL);
		assert_non_null(strstr(nke_error_text(m), "expected a positive number other than 100"));
	}
	unload_and_destroy(m, k);
}

struct member {
	nke_t *m;
	int fd;
	struct nke_process process;
	struct mailbox_caller self, other;
	bool forgets;
};

static void *
be_member(void *arg)
{
	struct member *w = arg;

	assert_int_equal(nke_proc_set(w->m, &w->process), 0);
	w->self = caller(w->m, w->fd, 0);
	w->other = caller(w->m, w->fd, 501);
	if (!w->forgets)
		assert_int_equal(nke_proc_set(w->m, NULL), 0);
	return NULL;
}

static void
each_thread_has_its_own(void **state)
{
	nke_kext_t *k;
	nke_t *m = machine(&k), *other;
	int fd = nke_open(m, DEVICE, O_RDWR);

	(void)state;
	assert_int_equal(nke_create(NULL, &other), 0);
	assert_int_equal(nke_proc_set(m, &shell), 0);
	for (int forgets = 0; forgets < 2; forgets++) {
		struct member w = {m, fd, {.pid = 900, .ppid = 501, .name = "child"}, {0}, {0}, forgets};
		pthread_t thread;

		assert_int_equal(pthread_create(&thread, NULL, be_member, &w), 0);
		pthread_join(thread, NULL);
		assert_int_equal(w.self.pid, 900);
		assert_string_equal(w.other.name, "zsh");
		assert_int_equal(caller(m, fd, 0).pid, 501);
		/* a thread that ended is no process any more, whether it said so or not */
		assert_int_equal(caller(m, fd, 900).pid, -ESRCH);
	}
	assert_int_equal(nke_proc_set(other, NULL), 0);
	/* the same pid: one process, as it was described last */
	struct member w = {m, fd, shell, {0}, {0}, true};
	pthread_t thread;

	w.process.name = "bash";
	w.process.uid = 502;
	assert_int_equal(pthread_create(&thread, NULL, be_member, &w), 0);
	pthread_join(thread, NULL);
	assert_string_equal(caller(m, fd, 0).name, "bash");
	assert_int_equal(caller(m, fd, 501).uid, 502);
	nke_destroy(other);
	assert_int_equal(nke_close(m, fd), 0);
	unload_and_destroy(m, k);
}

static int
bind_port(nke_t *m, int type, int port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int s = nke_socket(m, AF_INET, type, 0), error;

	error = nke_bind(m, s, (struct sockaddr *)&sin, sizeof sin) == 0 ? 0 : errno;
	assert_int_equal(nke_close(m, s), 0);
	return error;
}

static void
privilege_is_the_superusers(void **state)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(90)};
	nke_kext_t *k;
	nke_t *m = machine(&k);
	int before = nke_socket(m, AF_INET, SOCK_DGRAM, 0), low = 2, s, hops;
	uint8_t ifreq[32] = "lo0";

	(void)state;
	assert_int_equal(nke_proc_set(m, &shell), 0);
	assert_int_equal(bind_port(m, SOCK_STREAM, 80), EACCES);
	assert_int_equal(bind_port(m, SOCK_DGRAM, 1023), EACCES);
	assert_int_equal(bind_port(m, SOCK_DGRAM, 1024), 0);
	assert_int_equal(bind_port(m, SOCK_STREAM, 0), 0);
	fails(nke_socket(m, AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
	fails(nke_socket(m, AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), EPERM);
	s = nke_socket(m, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	assert_true(s >= 0);
	assert_int_equal(nke_close(m, s), 0);
	/* a port below 1024 of the machine's choice: IP_PORTRANGE, IP_PORTRANGE_LOW */
	s = nke_socket(m, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(nke_darwin_setsockopt(m, s, IPPROTO_IP, 19, &low, sizeof low), 0);
	sin.sin_port = 0;
	fails(nke_bind(m, s, (struct sockaddr *)&sin, sizeof sin), EACCES);
	/* SIOCGIFFLAGS, SIOCSIFFLAGS */
	assert_int_equal(nke_darwin_ioctl(m, s, 0xc0206911, ifreq), 0);
	fails(nke_darwin_ioctl(m, s, 0x80206910, ifreq), EPERM);
	assert_int_equal(nke_close(m, s), 0);
	assert_int_equal(nke_sysctl_get_int(m, "net.inet.ip.ttl", &hops), 0);
	assert_int_equal(nke_sysctl_set_int(m, "net.inet.ip.ttl", 3), EPERM);
	fails(nke_open(m, DEVICE, O_RDONLY), EACCES);
	/* what it was made with */
	sin.sin_port = htons(90);
	assert_int_equal(nke_bind(m, before, (struct sockaddr *)&sin, sizeof sin), 0);
	assert_int_equal(nke_proc_set(m, NULL), 0);
	assert_int_equal(bind_port(m, SOCK_STREAM, 80), 0);
	assert_int_equal(nke_sysctl_set_int(m, "net.inet.ip.ttl", 3), 0);
	unload_and_destroy(m, k);
}

static void
filters_run_for_who_sends(void **state)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(5000),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	nke_kext_t *k;
	nke_t *m = machine(&k);
	int s;

	(void)state;
	assert_int_equal(nke_proc_set(m, &shell), 0);
	s = nke_socket(m, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(nke_sendto(m, s, "x", 1, 0, (struct sockaddr *)&sin, sizeof sin), 1);
	/* the answer, port unreachable, is the kernel's */
	assert_string_equal(log_text, "mailbox: a packet of 501 \"zsh\", user 501\n"
	    "mailbox: a packet of 0 \"kernel_task\", user 0\n");
	assert_int_equal(nke_close(m, s), 0);
	unload_and_destroy(m, k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_go_through),
		cmocka_unit_test(the_same_calls_serve_sockets),
		cmocka_unit_test(calls_for_sockets_only),
		cmocka_unit_test(commands_have_the_hosts_numbers),
		cmocka_unit_test(nonblocking_devices),
		cmocka_unit_test(poll_and_event_loops),
		cmocka_unit_test(an_open_device_holds_its_kext),
		cmocka_unit_test(another_thread_waits),
		cmocka_unit_test(a_real_clock_waits_as_well),
		cmocka_unit_test(order_is_kept_under_any_schedule),
		cmocka_unit_test(a_failed_start_leaves_no_device),
		cmocka_unit_test(what_stop_leaves_keeps_the_image),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(kexts_see_who_calls),
		cmocka_unit_test(bad_processes_are_refused),
		cmocka_unit_test(each_thread_has_its_own),
		cmocka_unit_test(privilege_is_the_superusers),
		cmocka_unit_test(filters_run_for_who_sends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
