/* src/kern/sockcalls.c, sockcalls_io.c, filedesc.c, uipc_poll.c: by descriptor, as the host's half calls. */
#include <sys/ioctl.h>
#include <sys/un.h>

#include "src/kern/filedesc.h"
#include "src/kern/sockcalls.h"
#include "src/kern/socket_private.h"
#include "src/kern/sysctl.h"
#include "tests/unit/sock_testing.h"
#include "tests/unit/trail.h"

static int
open_socket(int type)
{
	int fd;

	CHECK_EQ(sock_call_socket(curmachine(), PF_LOCAL, type, 0, &fd), 0);
	return fd;
}

static void
open_pair(int type, int fd[2])
{
	CHECK_EQ(sock_call_socketpair(curmachine(), PF_LOCAL, type, 0, fd), 0);
}

static void
send_all(int fd, const char *text)
{
	size_t done;

	CHECK_EQ(sock_call_sendto(curmachine(), fd, text, strlen(text), 0, NULL, 0, &done), 0);
	CHECK_EQ(done, strlen(text));
}

static const char *
read_text(int fd)
{
	static char text[256];
	size_t done;

	CHECK_EQ(sock_call_recvfrom(curmachine(), fd, text, sizeof text - 1, MSG_DONTWAIT, NULL, NULL,
	    &done), 0);
	text[done] = '\0';
	return text;
}

/* ---- descriptors --------------------------------------------------------------------------- */

KTEST(numbers_are_the_lowest_that_are_free)
{
	struct nke *m = curmachine();
	int fd[200], copy;

	for (int i = 0; i < 200; i++) {
		fd[i] = open_socket(SOCK_DGRAM);
		CHECK_EQ(fd[i], FD_FIRST + i);
	}
	CHECK_EQ(file_call_close(m, fd[150]), 0);
	CHECK_EQ(file_call_close(m, fd[7]), 0);
	CHECK_EQ(file_call_close(m, fd[7]), EBADF);
	CHECK_EQ(open_socket(SOCK_DGRAM), fd[7]);
	CHECK_EQ(open_socket(SOCK_DGRAM), fd[150]);
	CHECK_EQ(open_socket(SOCK_DGRAM), FD_FIRST + 200);
	CHECK_EQ(file_call_dup(m, fd[0], 1000, &copy), 0);
	CHECK_EQ(copy, 1000);
	CHECK_EQ(file_call_dup(m, fd[0], 0, &copy), 0);
	CHECK_EQ(copy, FD_FIRST + 201);
	CHECK_EQ(file_call_dup(m, fd[0], -1, &copy), EINVAL);
	CHECK_EQ(file_call_dup(m, fd[0], FD_MOST, &copy), EINVAL);
	CHECK_EQ(file_call_dup(m, 999, 0, &copy), EBADF);
	for (int i = 0; i <= 1000; i++)
		(void)file_call_close(m, i);
	CHECK_EQ(m->sockets->count, 0);
	CHECK_EQ(open_socket(SOCK_DGRAM), FD_FIRST);
}

KTEST(the_socket_goes_with_its_last_number)
{
	struct nke *m = curmachine();
	int fd[2], copy;

	open_pair(SOCK_STREAM, fd);
	CHECK_EQ(file_call_dup(m, fd[0], 0, &copy), 0);
	CHECK_EQ(file_call_close(m, fd[0]), 0);
	send_all(copy, "still open");
	CHECK_STR(read_text(fd[1]), "still open");
	CHECK_EQ(file_call_close(m, copy), 0);
	CHECK_STR(read_text(fd[1]), "");
}

KTEST(descriptors_are_limited_in_number)
{
	struct nke *m = curmachine();
	int most = 3, fd[4], copy;
	struct sysctl_access set = {.new = &most, .new_len = sizeof most};
	struct sockaddr_un sun;

	CHECK_EQ(sysctl_by_name(m, "kern.maxfiles", &set), 0);
	fd[0] = open_socket(SOCK_STREAM);
	fd[1] = open_socket(SOCK_STREAM);
	CHECK_EQ(sock_call_socketpair(m, PF_LOCAL, SOCK_STREAM, 0, fd + 2), EMFILE);
	fd[2] = open_socket(SOCK_STREAM);
	CHECK_EQ(sock_call_socket(m, PF_LOCAL, SOCK_STREAM, 0, &fd[3]), EMFILE);
	CHECK_EQ(fd[3], -1);
	CHECK_EQ(file_call_dup(m, fd[0], 0, &copy), EMFILE);
	/* the connection stays to be accepted later */
	CHECK_EQ(sock_call_bind(m, fd[0], local_name(&sun, "/s"), 5), 0);
	CHECK_EQ(sock_call_listen(m, fd[0], 1), 0);
	CHECK_EQ(sock_call_connect(m, fd[1], local_name(&sun, "/s"), 5), 0);
	CHECK_EQ(sock_call_accept(m, fd[0], NULL, NULL, &copy), EMFILE);
	CHECK_EQ(file_call_close(m, fd[2]), 0);
	CHECK_EQ(sock_call_accept(m, fd[0], NULL, NULL, &copy), 0);
	CHECK_EQ(m->sockets->count, 3);
}

KTEST(every_call_on_a_number_that_is_none_says_so)
{
	struct nke *m = curmachine();
	static const int bad[] = {-1, 0, 2, 3, 64, 4711, INT32_MAX, INT32_MIN};
	struct sockaddr_un sun;
	struct core_iovec iov = {&sun, 1};
	struct core_message msg = {.iov = &iov, .iovcnt = 1};
	size_t done;
	uint32_t len = 4;
	int n = 0, out;

	local_name(&sun, "/x");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int fd = bad[i];

		CHECK_EQ(file_call_close(m, fd), EBADF);
		CHECK_EQ(file_call_dup(m, fd, 0, &out), EBADF);
		CHECK_EQ(sock_call_bind(m, fd, &sun, 5), EBADF);
		CHECK_EQ(sock_call_connect(m, fd, &sun, 5), EBADF);
		CHECK_EQ(sock_call_listen(m, fd, 5), EBADF);
		CHECK_EQ(sock_call_accept(m, fd, NULL, NULL, &out), EBADF);
		CHECK_EQ(sock_call_getsockname(m, fd, &sun, &len), EBADF);
		CHECK_EQ(sock_call_getpeername(m, fd, &sun, &len), EBADF);
		CHECK_EQ(sock_call_shutdown(m, fd, SHUT_RDWR), EBADF);
		CHECK_EQ(sock_call_sendto(m, fd, &n, 1, 0, NULL, 0, &done), EBADF);
		CHECK_EQ(sock_call_recvfrom(m, fd, &n, 1, 0, NULL, NULL, &done), EBADF);
		CHECK_EQ(sock_call_sendmsg(m, fd, &msg, 0, &done), EBADF);
		CHECK_EQ(sock_call_recvmsg(m, fd, &msg, 0, &done), EBADF);
		CHECK_EQ(sock_call_setsockopt(m, fd, SOL_SOCKET, SO_DEBUG, &n, 4), EBADF);
		CHECK_EQ(sock_call_getsockopt(m, fd, SOL_SOCKET, SO_DEBUG, &n, &len), EBADF);
		CHECK_EQ(file_call_ioctl(m, fd, FIONREAD, &n), EBADF);
		CHECK_EQ(file_call_set_nonblocking(m, fd, true), EBADF);
		CHECK_EQ(file_call_watch(m, fd, NULL, NULL, NULL), EBADF);
	}
}

KTEST(wrong_arguments_get_bsds_errors)
{
	struct nke *m = curmachine();
	static char big[300];
	struct core_iovec iov[2] = {{big, INT32_MAX}, {big, 1}};
	struct core_message msg = {.iov = iov, .iovcnt = 0};
	int fd[2], out;
	size_t done;

	CHECK_EQ(sock_call_socket(m, 99, SOCK_STREAM, 0, &out), EAFNOSUPPORT);
	CHECK_EQ(sock_call_socket(m, PF_LOCAL, SOCK_RAW, 0, &out), EPROTONOSUPPORT);
	CHECK_EQ(sock_call_socket(m, PF_LOCAL, SOCK_STREAM, 6, &out), EPROTONOSUPPORT);
	CHECK_EQ(sock_call_socketpair(m, 99, SOCK_STREAM, 0, fd), EAFNOSUPPORT);
	open_pair(SOCK_STREAM, fd);
	CHECK_EQ(sock_call_bind(m, fd[0], big, 256), ENAMETOOLONG);
	CHECK_EQ(sock_call_bind(m, fd[0], big, 1), EINVAL);
	CHECK_EQ(sock_call_bind(m, fd[0], NULL, 16), EINVAL);
	CHECK_EQ(sock_call_sendto(m, fd[0], big, 1, 0, big, 1, &done), EINVAL);
	CHECK_EQ(sock_call_sendto(m, fd[0], NULL, 1, 0, NULL, 0, &done), EINVAL);
	CHECK_EQ(sock_call_recvfrom(m, fd[0], NULL, 1, 0, NULL, NULL, &done), EINVAL);
	CHECK_EQ(sock_call_recvfrom(m, fd[0], NULL, 0, 0, NULL, NULL, &done), 0);
	CHECK_EQ(sock_call_sendmsg(m, fd[0], &msg, 0, &done), EMSGSIZE);
	msg.iovcnt = 1025;
	CHECK_EQ(sock_call_recvmsg(m, fd[0], &msg, 0, &done), EMSGSIZE);
	msg.iovcnt = 2;
	CHECK_EQ(sock_call_sendmsg(m, fd[0], &msg, 0, &done), EINVAL);
	iov[0].len = 0;
	msg.control = big;
	msg.controllen = 11;
	CHECK_EQ(sock_call_sendmsg(m, fd[0], &msg, 0, &done), EINVAL);
	msg.controllen = MCLBYTES + 1;
	CHECK_EQ(sock_call_sendmsg(m, fd[0], &msg, 0, &done), EINVAL);
	CHECK_EQ(sock_call_setsockopt(m, fd[0], SOL_SOCKET, SO_DEBUG, NULL, 4), EINVAL);
	CHECK_EQ(file_call_ioctl(m, fd[0], FIONREAD, NULL), EINVAL);
	CHECK_EQ(file_call_ioctl(m, fd[0], FIOCLEX, NULL), 0);
}

/* ---- names -------------------------------------------------------------------------------- */

KTEST(names_are_cut_to_the_room_and_their_size_is_told)
{
	struct nke *m = curmachine();
	struct sockaddr_un sun, got;
	int head = open_socket(SOCK_STREAM), c = open_socket(SOCK_STREAM), s;
	uint32_t len;

	/* its length byte is not believed */
	local_name(&sun, "/server");
	sun.sun_len = 200;
	CHECK_EQ(sock_call_bind(m, head, &sun, 2 + 8), 0);
	CHECK_EQ(sock_call_listen(m, head, 1), 0);
	CHECK_EQ(sock_call_bind(m, c, local_name(&sun, "/client"), 2 + 7), 0);
	CHECK_EQ(sock_call_connect(m, c, local_name(&sun, "/server"), 2 + 7), 0);
	memset(&got, 'x', sizeof got);
	len = 5;
	CHECK_EQ(sock_call_accept(m, head, &got, &len, &s), 0);
	CHECK_EQ(len, 9);
	CHECK_EQ(memcmp(&got, "\x09\x01/clxx", 7), 0);
	len = sizeof got;
	CHECK_EQ(sock_call_getpeername(m, s, &got, &len), 0);
	CHECK_EQ(len, 9);
	CHECK_EQ(memcmp(got.sun_path, "/client", 7), 0);
	len = sizeof got;
	CHECK_EQ(sock_call_getsockname(m, head, &got, &len), 0);
	CHECK_EQ(len, 10);
	CHECK_EQ(sock_call_getpeername(m, head, &got, &len), ENOTCONN);
}

/* ---- messages ----------------------------------------------------------------------------- */

KTEST(messages_are_gathered_and_scattered)
{
	struct nke *m = curmachine();
	char a[4], b[100];
	struct core_iovec out[3] = {{(void *)(uintptr_t)"one", 3}, {NULL, 0},
	    {(void *)(uintptr_t)"twothree", 8}};
	struct core_iovec in[2] = {{a, sizeof a}, {b, sizeof b}};
	struct core_message send = {.iov = out, .iovcnt = 3};
	struct sockaddr_un name;
	struct core_message receive = {.iov = in, .iovcnt = 2, .name = &name, .namelen = sizeof name};
	int fd[2];
	size_t done;

	open_pair(SOCK_DGRAM, fd);
	CHECK_EQ(sock_call_sendmsg(m, fd[0], &send, 0, &done), 0);
	CHECK_EQ(done, 11);
	CHECK_EQ(sock_call_recvmsg(m, fd[1], &receive, 0, &done), 0);
	CHECK_EQ(done, 11);
	CHECK_EQ(receive.namelen, 16);
	CHECK_EQ(receive.flags, 0);
	CHECK_EQ(memcmp(a, "onet", 4), 0);
	CHECK_EQ(memcmp(b, "wothree", 7), 0);
	in[1].len = 2;
	CHECK_EQ(sock_call_sendmsg(m, fd[0], &send, 0, &done), 0);
	CHECK_EQ(sock_call_recvmsg(m, fd[1], &receive, 0, &done), 0);
	CHECK_EQ(done, 6);
	CHECK_EQ(receive.flags, MSG_TRUNC);
}

struct rights {
	struct cmsghdr header;
	int fds[3];
};

static void
send_rights(int fd, int what)
{
	struct rights rights = {{sizeof rights, SOL_SOCKET, SCM_RIGHTS}, {what, what, what}};
	struct core_iovec iov = {(void *)(uintptr_t)"x", 1};
	struct core_message msg = {.iov = &iov, .iovcnt = 1, .control = &rights,
	    .controllen = sizeof rights};
	size_t done;

	CHECK_EQ(sock_call_sendmsg(curmachine(), fd, &msg, 0, &done), 0);
}

KTEST(descriptors_without_room_are_closed)
{
	struct nke *m = curmachine();
	int fd[2], passed = open_socket(SOCK_STREAM);
	const struct socket *so = fd_socket(m, passed);
	struct rights in;
	char byte;
	struct core_iovec iov = {&byte, 1};
	struct core_message msg = {.iov = &iov, .iovcnt = 1, .control = &in};
	size_t done;

	open_pair(SOCK_DGRAM, fd);
	send_rights(fd[0], passed);
	msg.controllen = sizeof in;
	CHECK_EQ(sock_call_recvmsg(m, fd[1], &msg, 0, &done), 0);
	CHECK_EQ(msg.controllen, sizeof in);
	CHECK_EQ(msg.flags, 0);
	CHECK_EQ(so->so_fdcount, 4);
	CHECK(fd_socket(m, in.fds[2]) == so);
	/* two of three, one of three, none */
	for (uint32_t n = 0; n < 3; n++) {
		send_rights(fd[0], passed);
		msg.controllen = (uint32_t)sizeof in.header + 4 * n + 3;
		CHECK_EQ(sock_call_recvmsg(m, fd[1], &msg, 0, &done), 0);
		CHECK_EQ(msg.controllen, 12 + 4 * n);
		CHECK_EQ(in.header.cmsg_len, 12 + 4 * n);
		CHECK_EQ(msg.flags, MSG_CTRUNC);
	}
	CHECK_EQ(so->so_fdcount, 4 + 2 + 1);
	send_rights(fd[0], passed);
	msg.controllen = 11;
	CHECK_EQ(sock_call_recvmsg(m, fd[1], &msg, 0, &done), 0);
	CHECK_EQ(msg.controllen, 0);
	CHECK_EQ(msg.flags, MSG_CTRUNC);
	send_rights(fd[0], passed);
	CHECK_STR(read_text(fd[1]), "x");
	CHECK_EQ(so->so_fdcount, 7);
	CHECK_EQ(so->so_inflight, 0);
}

KTEST(part_of_a_stream_is_a_success)
{
	struct nke *m = curmachine();
	static char big[10000];
	int fd[2];
	size_t done;

	open_pair(SOCK_STREAM, fd);
	CHECK_EQ(file_call_set_nonblocking(m, fd[0], true), 0);
	CHECK_EQ(sock_call_sendto(m, fd[0], big, sizeof big, 0, NULL, 0, &done), 0);
	CHECK_EQ(done, 8192);
	CHECK_EQ(sock_call_sendto(m, fd[0], big, sizeof big, 0, NULL, 0, &done), EWOULDBLOCK);
	CHECK_EQ(done, 0);
	CHECK_EQ(sock_call_recvfrom(m, fd[0], big, 1, 0, NULL, NULL, &done), EWOULDBLOCK);
	CHECK_EQ(file_call_close(m, fd[1]), 0);
}

/* ---- closing under a sleeper ----------------------------------------------------------------- */

static int sleepers_fd;

static void
close_later(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	sleep_for(10 * MS);
	CHECK_EQ(file_call_close(curmachine(), sleepers_fd), 0);
	mark('c');
}

KTEST(who_sleeps_in_a_call_leaves_when_the_number_is_closed)
{
	struct nke *m = curmachine();
	static char big[10000];
	struct core_pollfd p;
	struct sockaddr_un sun;
	int fd[2], out;
	unsigned found;
	size_t done;

	fresh_trail();
	open_pair(SOCK_STREAM, fd);
	sleepers_fd = fd[0];
	start(close_later, NULL);
	CHECK_EQ(sock_call_recvfrom(m, fd[0], big, 1, 0, NULL, NULL, &done), EBADF);
	open_pair(SOCK_STREAM, fd);
	sleepers_fd = fd[0];
	start(close_later, NULL);
	CHECK_EQ(sock_call_sendto(m, fd[0], big, sizeof big, 0, NULL, 0, &done), EBADF);
	CHECK_EQ(done, 8192);
	CHECK_EQ(file_call_close(m, fd[1]), 0);
	fd[0] = sleepers_fd = open_socket(SOCK_STREAM);
	CHECK_EQ(sock_call_bind(m, fd[0], local_name(&sun, "/s"), 5), 0);
	CHECK_EQ(sock_call_listen(m, fd[0], 1), 0);
	start(close_later, NULL);
	CHECK_EQ(sock_call_accept(m, fd[0], NULL, NULL, &out), EBADF);
	open_pair(SOCK_STREAM, fd);
	sleepers_fd = fd[0];
	start(close_later, NULL);
	p = (struct core_pollfd){.fd = fd[0], .want = CORE_READY_READ};
	CHECK_EQ(file_call_poll(m, &p, 1, -1, &found), 0);
	CHECK_EQ(found, 1);
	CHECK(p.ready & CORE_READY_HANGUP);
	CHECK_STR(trail, "cccc");
}

/* ---- readiness ---------------------------------------------------------------------------- */

static void
send_later(void *arg, wait_result_t result)
{
	(void)result;
	sleep_for(10 * MS);
	send_all((int)(uintptr_t)arg, "x");
}

KTEST(many_are_polled_at_once)
{
	struct nke *m = curmachine();
	enum { MANY = 50 };
	struct core_pollfd p[MANY];
	int fd[MANY][2];
	unsigned found;

	for (int i = 0; i < MANY; i++) {
		open_pair(SOCK_DGRAM, fd[i]);
		p[i] = (struct core_pollfd){.fd = fd[i][0], .want = CORE_READY_READ};
	}
	CHECK_EQ(file_call_poll(m, p, MANY, 0, &found), 0);
	CHECK_EQ(found, 0);
	CHECK_EQ(file_call_poll(m, p, MANY, (int64_t)(5 * MS), &found), 0);
	CHECK_EQ(found, 0);
	CHECK_EQ(machine_now(m), 5 * MS);
	start(send_later, (void *)(uintptr_t)fd[33][1]);
	CHECK_EQ(file_call_poll(m, p, MANY, -1, &found), 0);
	CHECK_EQ(found, 1);
	CHECK_EQ(p[33].ready, CORE_READY_READ);
	CHECK_EQ(machine_now(m), 15 * MS);
	p[33].fd = -1;
	p[1].want = CORE_READY_WRITE;
	p[2].fd = 4711;
	CHECK_EQ(file_call_poll(m, p, MANY, -1, &found), 0);
	CHECK_EQ(found, 2);
	CHECK_EQ(p[1].ready, CORE_READY_WRITE);
	CHECK_EQ(p[2].ready, CORE_READY_INVALID);
	CHECK_EQ(p[33].ready, 0);
	/* nothing is left behind */
	CHECK(fd_socket(m, fd[5][0])->so_watchers == NULL);
	CHECK(!(fd_socket(m, fd[5][0])->so_rcv.sb_flags & SB_NOTIFY));
	p[1].want = CORE_READY_READ;
	p[2].fd = -1;
	CHECK_EQ(file_call_poll(m, p, MANY, -1, &found), EDEADLK);
	CHECK_EQ(file_call_poll(m, NULL, 0, (int64_t)MS, &found), 0);
	CHECK_EQ(machine_now(m), 16 * MS);
	CHECK_STR(read_text(fd[33][0]), "x");
}

KTEST(ends_and_errors_are_always_told)
{
	struct nke *m = curmachine();
	struct core_pollfd p;
	int fd[2];
	unsigned found;

	open_pair(SOCK_STREAM, fd);
	p = (struct core_pollfd){.fd = fd[0], .want = 0};
	CHECK_EQ(file_call_poll(m, &p, 1, 0, &found), 0);
	CHECK_EQ(found, 0);
	CHECK_EQ(sock_call_shutdown(m, fd[1], SHUT_WR), 0);
	p.want = CORE_READY_READ;
	CHECK_EQ(file_call_poll(m, &p, 1, 0, &found), 0);
	CHECK_EQ(p.ready, CORE_READY_READ);
	CHECK_EQ(file_call_close(m, fd[1]), 0);
	p.want = 0;
	CHECK_EQ(file_call_poll(m, &p, 1, 0, &found), 0);
	CHECK_EQ(p.ready, CORE_READY_HANGUP);
	so_seterror(fd_socket(m, fd[0]), EIO);
	CHECK_EQ(file_call_poll(m, &p, 1, 0, &found), 0);
	CHECK_EQ(p.ready, CORE_READY_HANGUP | CORE_READY_ERROR);
}

static int told_fd;
static unsigned told_ready, told_count;

static void
tell(void *ctx, int fd, unsigned ready)
{
	CHECK(ctx == &told_fd);
	told_fd = fd;
	told_ready = ready;
	told_count++;
}

KTEST(a_watcher_is_told_of_every_change)
{
	struct nke *m = curmachine();
	int fd[2], copy;
	unsigned ready;

	told_count = 0;
	open_pair(SOCK_STREAM, fd);
	CHECK_EQ(file_call_watch(m, fd[0], tell, &told_fd, &ready), 0);
	CHECK_EQ(ready, CORE_READY_WRITE);
	CHECK_EQ(told_count, 0);
	send_all(fd[1], "a");
	CHECK_EQ(told_count, 1);
	CHECK_EQ(told_fd, fd[0]);
	CHECK_EQ(told_ready, CORE_READY_READ | CORE_READY_WRITE);
	send_all(fd[1], "b");
	CHECK_EQ(told_count, 2);
	/* each number has its own */
	CHECK_EQ(file_call_dup(m, fd[0], 0, &copy), 0);
	CHECK_EQ(file_call_watch(m, copy, tell, &told_fd, &ready), 0);
	CHECK_EQ(ready, CORE_READY_READ | CORE_READY_WRITE);
	send_all(fd[1], "c");
	CHECK_EQ(told_count, 4);
	CHECK_EQ(file_call_watch(m, fd[0], NULL, NULL, NULL), 0);
	send_all(fd[1], "d");
	CHECK_EQ(told_count, 5);
	CHECK_EQ(told_fd, copy);
	CHECK_EQ(file_call_close(m, copy), 0);
	send_all(fd[1], "e");
	CHECK_EQ(told_count, 5);
	CHECK_STR(read_text(fd[0]), "abcde");
}

KTEST(a_watcher_stays_when_the_table_of_descriptors_grows)
{
	struct nke *m = curmachine();
	struct core_memory memory;
	unsigned ready;
	int fd[2], copy;

	told_count = 0;
	open_pair(SOCK_STREAM, fd);
	CHECK_EQ(file_call_watch(m, fd[0], tell, &told_fd, &ready), 0);
	/* Three tables: descriptors, watchers, what is taken. */
	for (unsigned n = 1; n <= 3; n++) {
		machine_memory(m, &memory);
		m->config.fail_alloc = memory.allocations + n;
		CHECK_EQ(file_call_dup(m, fd[1], 100, &copy), ENOMEM);
		send_all(fd[1], "a");
		CHECK_EQ(told_count, n);
	}
	m->config.fail_alloc = 0;
	CHECK_EQ(file_call_dup(m, fd[1], 100, &copy), 0);
	send_all(fd[1], "b");
	CHECK_EQ(told_count, 4);
	CHECK_EQ(told_fd, fd[0]);
	CHECK_EQ(file_call_close(m, copy), 0);
	CHECK_STR(read_text(fd[0]), "aaab");
}

KTEST_SUITE(sockcalls,
    T(numbers_are_the_lowest_that_are_free),
    T(the_socket_goes_with_its_last_number),
    T(descriptors_are_limited_in_number),
    T(every_call_on_a_number_that_is_none_says_so),
    T(wrong_arguments_get_bsds_errors),
    T(names_are_cut_to_the_room_and_their_size_is_told),
    T(messages_are_gathered_and_scattered),
    T(descriptors_without_room_are_closed),
    T(part_of_a_stream_is_a_success),
    T(who_sleeps_in_a_call_leaves_when_the_number_is_closed),
    T(many_are_polled_at_once),
    T(ends_and_errors_are_always_told),
    T(a_watcher_is_told_of_every_change),
    T(a_watcher_stays_when_the_table_of_descriptors_grows));
