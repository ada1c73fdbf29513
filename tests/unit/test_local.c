/* src/kern/uipc_usrreq.c, uipc_rights.c: local sockets, their names, descriptors in messages. */
#include <sys/ucred.h>

#include "src/kern/filedesc.h"
#include "src/kern/klog.h"
#include "src/kern/sysctl.h"
#include "src/kern/uipc_local.h"
#include "tests/unit/sock_testing.h"
#include "tests/unit/trail.h"

extern const struct subsystem filedesc_subsystem;

static struct local_state *
local(void)
{
	return curmachine()->sockets->local;
}

static struct socket *
make_bound(int type, const char *path)
{
	struct socket *so = make_socket(PF_LOCAL, type);
	struct sockaddr_un sun;

	CHECK_EQ(sobind(so, local_name(&sun, path)), 0);
	return so;
}

static struct socket *
make_listener(const char *path, int backlog)
{
	struct socket *so = make_bound(SOCK_STREAM, path);

	CHECK_EQ(solisten(so, backlog), 0);
	return so;
}

static errno_t
connect_to(struct socket *so, const char *path)
{
	struct sockaddr_un sun;

	return soconnect(so, local_name(&sun, path), 0);
}

static const char *
path_of(const struct sockaddr_storage *ss)
{
	CHECK_EQ(ss->ss_family, AF_LOCAL);
	return ((const struct sockaddr_un *)(const void *)ss)->sun_path;
}

/* ---- names -------------------------------------------------------------------------------- */

KTEST(names_last_from_bind_to_close)
{
	struct socket *a = make_bound(SOCK_STREAM, "/tmp/a"), *b;
	struct sockaddr_un sun;
	struct sockaddr_storage ss;

	b = make_socket(PF_LOCAL, SOCK_STREAM);
	CHECK_EQ(sobind(b, local_name(&sun, "/tmp/a")), EADDRINUSE);
	CHECK_EQ(sobind(a, local_name(&sun, "/tmp/b")), EINVAL);
	CHECK_EQ(sogetsockname(a, &ss), 0);
	CHECK_STR(path_of(&ss), "/tmp/a");
	CHECK_EQ(ss.ss_len, 2 + 7);
	CHECK_EQ(sogetsockname(b, &ss), 0);
	CHECK_EQ(ss.ss_len, 16);
	CHECK_STR(path_of(&ss), "");
	soclose(a);
	CHECK_EQ(sobind(b, local_name(&sun, "/tmp/a")), 0);
	soclose(b);
	CHECK_EQ(local()->named, 0);
}

KTEST(bad_names_are_refused)
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_DGRAM);
	struct sockaddr_storage ss = {.ss_len = 2, .ss_family = AF_LOCAL};
	const struct sockaddr *sa = (const struct sockaddr *)(const void *)&ss;
	struct sockaddr_un sun;

	CHECK_EQ(sobind(so, sa), EINVAL);
	CHECK_EQ(soconnect(so, sa, 0), EINVAL);
	ss.ss_len = 107;
	CHECK_EQ(sobind(so, sa), EINVAL);
	CHECK_EQ(sobind(so, local_name(&sun, "")), ENOENT);
	local_name(&sun, "x");
	sun.sun_family = AF_INET;
	CHECK_EQ(sobind(so, (const struct sockaddr *)(const void *)&sun), EAFNOSUPPORT);
	/* not ended by a NUL, as long as it may be */
	memset(&sun, 'y', sizeof sun);
	sun.sun_len = sizeof sun;
	sun.sun_family = AF_LOCAL;
	CHECK_EQ(sobind(so, (const struct sockaddr *)(const void *)&sun), 0);
	soclose(so);
}

KTEST(many_names_are_found)
{
	static struct socket *so[1000];
	struct socket *from = make_socket(PF_LOCAL, SOCK_DGRAM);
	char path[16];
	struct sockaddr_un sun;

	for (int i = 0; i < 1000; i++) {
		ksnprintf(path, sizeof path, "/s/%d", i);
		so[i] = make_bound(SOCK_DGRAM, path);
	}
	CHECK(local()->buckets >= 500);
	for (int i = 0; i < 1000; i += 37) {
		ksnprintf(path, sizeof path, "/s/%d", i);
		CHECK_EQ(sosend(from, local_name(&sun, path), path, 5, NULL, NULL, 0, NULL), 0);
		CHECK_EQ(memcmp(receive_text(so[i]), path, 5), 0);
	}
	for (int i = 0; i < 1000; i++)
		soclose(so[i]);
	soclose(from);
}

/* ---- streams ------------------------------------------------------------------------------ */

KTEST(a_pair_talks_both_ways_until_one_side_ends)
{
	struct socket *a, *b;

	make_pair(SOCK_STREAM, &a, &b);
	CHECK_EQ(send_text(a, "hello "), 0);
	CHECK_EQ(send_text(a, "world"), 0);
	CHECK_EQ(send_text(b, "back"), 0);
	CHECK_STR(receive_text(b), "hello world");
	CHECK_STR(receive_text(a), "back");
	CHECK_EQ(receive_error(a), EWOULDBLOCK);
	CHECK_EQ(soshutdown(a, SHUT_WR), 0);
	CHECK_STR(receive_text(b), "");
	CHECK_EQ(send_text(a, "x"), EPIPE);
	CHECK_EQ(send_text(b, "half open"), 0);
	CHECK_STR(receive_text(a), "half open");
	CHECK_EQ(send_text(b, "unread"), 0);
	soclose(b);
	CHECK_STR(receive_text(a), "unread");
	CHECK_STR(receive_text(a), "");
	CHECK_EQ(send_text(a, "x"), EPIPE);
	soclose(a);
}

KTEST(nothing_can_be_sent_to_who_will_not_read)
{
	struct socket *a, *b;
	static char big[8192];

	make_pair(SOCK_STREAM, &a, &b);
	CHECK_EQ(sosend(a, NULL, big, sizeof big, NULL, NULL, 0, NULL), 0);
	CHECK(!(soready(a) & SO_WRITABLE));
	CHECK_EQ(soshutdown(b, SHUT_RD), 0);
	CHECK(soready(a) & SO_WRITABLE);
	CHECK_EQ(send_text(a, "x"), EPIPE);
	soclose(a);
	soclose(b);
}

KTEST(a_connection_is_made_at_a_name)
{
	struct socket *head = make_listener("/srv", 2), *c, *s;
	struct sockaddr_storage ss;
	struct xucred cred = {0};
	struct sockopt sopt = {SOPT_GET, SOL_LOCAL, LOCAL_PEERCRED, &cred, sizeof cred};

	c = make_socket(PF_LOCAL, SOCK_STREAM);
	CHECK_EQ(sogetopt(c, &sopt), ENOTCONN);
	CHECK_EQ(connect_to(c, "/srv"), 0);
	CHECK_EQ(connect_to(c, "/srv"), EISCONN);
	CHECK_EQ(send_text(c, "early"), 0);
	CHECK_EQ(soaccept(head, 0, &ss, &s), 0);
	CHECK_EQ(ss.ss_len, 16);
	CHECK_STR(receive_text(s), "early");
	CHECK_EQ(sogetpeername(c, &ss), 0);
	CHECK_STR(path_of(&ss), "/srv");
	CHECK_EQ(sogetsockname(s, &ss), 0);
	CHECK_STR(path_of(&ss), "/srv");
	CHECK_EQ(sogetopt(c, &sopt), 0);
	CHECK_EQ(sopt.sopt_valsize, sizeof cred);
	CHECK_EQ(cred.cr_uid, 0);
	CHECK_EQ(sogetopt(s, &sopt), 0);
	sopt.sopt_name = 77;
	CHECK_EQ(sogetopt(s, &sopt), EOPNOTSUPP);
	CHECK_EQ(sosetopt(s, &sopt), EOPNOTSUPP);
	sopt.sopt_level = 6;
	CHECK_EQ(sogetopt(s, &sopt), EINVAL);
	/* an accepted socket has the name, but does not hold it */
	soclose(head);
	soclose(make_bound(SOCK_STREAM, "/srv"));
	soclose(s);
	soclose(c);
}

KTEST(a_connection_is_refused_for_a_reason)
{
	struct socket *so = make_socket(PF_LOCAL, SOCK_STREAM), *other;

	CHECK_EQ(connect_to(so, "/nobody"), ENOENT);
	other = make_bound(SOCK_DGRAM, "/d");
	CHECK_EQ(connect_to(so, "/d"), EPROTOTYPE);
	soclose(other);
	other = make_bound(SOCK_STREAM, "/s");
	CHECK_EQ(connect_to(so, "/s"), ECONNREFUSED);
	CHECK_EQ(solisten(other, 1), 0);
	CHECK_EQ(connect_to(so, "/s"), 0);
	soclose(so);
	so = make_socket(PF_LOCAL, SOCK_STREAM);
	CHECK_EQ(connect_to(so, "/s"), ECONNREFUSED);
	CHECK_EQ(solisten(so, 1), EINVAL);
	CHECK_EQ(send_text(so, "x"), ENOTCONN);
	CHECK_EQ(send_flags(so, "x", MSG_OOB), ENOTCONN);
	soclose(so);
	soclose(other);
}

KTEST(a_listener_that_closes_ends_what_waited)
{
	struct socket *head = make_listener("/srv", 2), *c = make_socket(PF_LOCAL, SOCK_STREAM);
	int before = curmachine()->sockets->count;

	CHECK_EQ(connect_to(c, "/srv"), 0);
	CHECK_EQ(curmachine()->sockets->count, before + 1);
	soclose(head);
	CHECK_EQ(curmachine()->sockets->count, before - 1);
	CHECK_EQ(receive_error(c), ECONNRESET);
	CHECK_STR(receive_text(c), "");
	soclose(c);
}

KTEST(one_that_went_before_it_was_accepted_can_still_be_read)
{
	struct socket *head = make_listener("/srv", 2), *c = make_socket(PF_LOCAL, SOCK_STREAM), *s;
	struct sockaddr_storage ss;

	CHECK_EQ(connect_to(c, "/srv"), 0);
	CHECK_EQ(send_text(c, "and gone"), 0);
	soclose(c);
	CHECK_EQ(soaccept(head, 0, &ss, &s), 0);
	CHECK_STR(receive_text(s), "and gone");
	CHECK_STR(receive_text(s), "");
	soclose(s);
	soclose(head);
}

static struct socket *the_reader;
static size_t bytes_read;

static void
read_slowly(void *arg, wait_result_t result)
{
	static char part[1000];
	struct so_received r;

	(void)arg;
	(void)result;
	do {
		sleep_for(MS);
		CHECK_EQ(soreceive(the_reader, part, sizeof part, 0, &r), 0);
		for (size_t i = 0; i < r.len; i++)
			CHECK_EQ(part[i], (char)((bytes_read + i) % 251));
		bytes_read += r.len;
	} while (r.len != 0);
	mark('e');
}

KTEST(a_fast_writer_waits_for_a_slow_reader)
{
	static char big[100000];
	struct socket *a;
	size_t sent;

	fresh_trail();
	bytes_read = 0;
	make_pair(SOCK_STREAM, &a, &the_reader);
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = (char)(i % 251);
	start(read_slowly, NULL);
	CHECK_EQ(sosend(a, NULL, big, sizeof big, NULL, NULL, 0, &sent), 0);
	CHECK_EQ(sent, sizeof big);
	CHECK(machine_now(curmachine()) >= 85 * MS);
	CHECK(get_int(a, SO_NWRITE) <= 8192);
	soclose(a);
	sleep_for(20 * MS);
	CHECK_EQ(bytes_read, sizeof big);
	CHECK_STR(trail, "e");
	soclose(the_reader);
}

/* ---- datagrams ---------------------------------------------------------------------------- */

KTEST(datagrams_carry_their_senders_name)
{
	struct socket *a = make_bound(SOCK_DGRAM, "/a"), *b = make_bound(SOCK_DGRAM, "/b");
	struct socket *c = make_socket(PF_LOCAL, SOCK_DGRAM);
	struct sockaddr_un sun;
	struct so_received r;
	char text[100];

	CHECK_EQ(send_text(a, "x"), EDESTADDRREQ);
	CHECK_EQ(sosend(a, local_name(&sun, "/b"), "one", 3, NULL, NULL, 0, NULL), 0);
	CHECK_EQ(sosend(c, local_name(&sun, "/b"), "", 0, NULL, NULL, 0, NULL), 0);
	CHECK_EQ(soreceive(b, text, sizeof text, MSG_PEEK, &r), 0);
	CHECK_EQ(r.len, 3);
	CHECK_STR(path_of(&r.from), "/a");
	CHECK_EQ(soreceive(b, text, sizeof text, 0, &r), 0);
	CHECK_EQ(r.len, 3);
	CHECK_STR(path_of(&r.from), "/a");
	CHECK_EQ(soreceive(b, text, sizeof text, 0, &r), 0);
	CHECK_EQ(r.len, 0);
	CHECK_EQ(r.from.ss_len, 16);
	CHECK_EQ(b->so_rcv.sb_cc, 0);
	CHECK_EQ(sosend(a, local_name(&sun, "/c"), "x", 1, NULL, NULL, 0, NULL), ENOENT);
	soclose(a);
	soclose(b);
	soclose(c);
}

KTEST(a_connected_datagram_socket_has_one_peer_at_a_time)
{
	struct socket *a = make_bound(SOCK_DGRAM, "/a"), *b = make_bound(SOCK_DGRAM, "/b");
	struct socket *c = make_socket(PF_LOCAL, SOCK_DGRAM);
	struct sockaddr_un sun;

	CHECK_EQ(connect_to(c, "/a"), 0);
	CHECK_EQ(sosend(c, local_name(&sun, "/b"), "x", 1, NULL, NULL, 0, NULL), EISCONN);
	CHECK_EQ(send_text(c, "to a"), 0);
	CHECK_EQ(connect_to(c, "/b"), 0);
	CHECK_EQ(send_text(c, "to b"), 0);
	CHECK_STR(receive_text(a), "to a");
	CHECK_STR(receive_text(b), "to b");
	/* the peer goes */
	soclose(b);
	CHECK_EQ(send_text(c, "x"), ECONNRESET);
	CHECK_EQ(send_text(c, "x"), EDESTADDRREQ);
	soclose(a);
	soclose(c);
}

KTEST(a_full_receiver_is_an_error)
{
	struct socket *a, *b;
	static char big[2049];
	unsigned n = 0;
	errno_t error;

	make_pair(SOCK_DGRAM, &a, &b);
	CHECK_EQ(sosend(a, NULL, big, 2049, NULL, NULL, 0, NULL), EMSGSIZE);
	do {
		error = sosend(a, NULL, big, 1000, NULL, NULL, 0, NULL);
		n += error == 0;
	} while (error == 0);
	CHECK_EQ(error, ENOBUFS);
	CHECK_EQ(n, 4);
	CHECK_EQ(get_int(b, SO_NUMRCVPKT), 4);
	CHECK_EQ(get_int(b, SO_NREAD), 1000);
	CHECK_EQ(soshutdown(b, SHUT_RD), 0);
	CHECK_EQ(send_text(a, "x"), EPIPE);
	soclose(a);
	soclose(b);
}

KTEST(a_message_is_cut_to_the_room_for_it)
{
	struct socket *a, *b;
	int flags;

	make_pair(SOCK_DGRAM, &a, &b);
	CHECK_EQ(send_text(a, "0123456789"), 0);
	CHECK_EQ(send_text(a, "next"), 0);
	CHECK_STR(receive_flags(b, 4, MSG_PEEK, NULL, &flags), "0123");
	CHECK(flags & MSG_TRUNC);
	CHECK_STR(receive_flags(b, 4, 0, NULL, &flags), "0123");
	CHECK(flags & MSG_TRUNC);
	CHECK_STR(receive_flags(b, 4, 0, NULL, &flags), "next");
	CHECK_EQ(flags, 0);
	CHECK_EQ(b->so_rcv.sb_cc, 0);
	CHECK_EQ(b->so_rcv.sb_mbcnt, 0);
	/* unless it is wanted whole */
	CHECK_EQ(set_int(b, SO_DONTTRUNC, 1), 0);
	CHECK_EQ(send_text(a, "0123456789"), 0);
	CHECK_EQ(send_flags(a, "end", MSG_EOR), 0);
	CHECK_STR(receive_flags(b, 4, 0, NULL, &flags), "0123");
	CHECK_EQ(flags, MSG_RCVMORE);
	CHECK_STR(receive_flags(b, 4, 0, NULL, &flags), "4567");
	CHECK_STR(receive_flags(b, 4, 0, NULL, &flags), "89");
	CHECK_EQ(flags, 0);
	CHECK_STR(receive_flags(b, 4, 0, NULL, &flags), "end");
	CHECK_EQ(flags, MSG_EOR);
	CHECK_EQ(b->so_rcv.sb_mbcnt, 0);
	soclose(a);
	soclose(b);
}

KTEST(messages_are_delivered_as_mbufs)
{
	struct socket *a, *b;
	struct so_received r;

	make_pair(SOCK_DGRAM, &a, &b);
	CHECK_EQ(send_text(a, "0123456789"), 0);
	CHECK_EQ(send_text(a, "0123456789"), 0);
	CHECK_EQ(soreceive(b, NULL, 100, 0, &r), 0);
	CHECK_EQ(r.data->m_pkthdr.len, 10);
	m_freem(r.data);
	CHECK_EQ(soreceive(b, NULL, 4, 0, &r), 0);
	CHECK_EQ(r.len, 4);
	CHECK_EQ(m_length(r.data), 4);
	CHECK(r.flags & MSG_TRUNC);
	m_freem(r.data);
	soclose(a);
	soclose(b);
}

/* ---- descriptors in messages --------------------------------------------------------------- */

static int
give_number(struct socket *so)
{
	int fd;

	CHECK_EQ(fd_alloc(curmachine(), so, &fd), 0);
	return fd;
}

static errno_t
send_rights(struct socket *so, const int *fds, unsigned n)
{
	struct mbuf *control = sbcreatecontrol(curmachine(), fds, n * sizeof *fds, SCM_RIGHTS,
	    SOL_SOCKET);

	return sosend(so, NULL, "r", 1, NULL, control, 0, NULL);
}

/* How many descriptors came, and which. */
static unsigned
receive_rights(struct socket *so, int *fds, int flags)
{
	struct so_received r;
	struct cmsghdr header;
	unsigned n = 0;
	char byte;

	CHECK_EQ(soreceive(so, &byte, 1, flags | MSG_DONTWAIT, &r), 0);
	CHECK_EQ(r.len, 1);
	if (r.control != NULL) {
		memcpy(&header, r.control->m_data, sizeof header);
		CHECK_EQ(header.cmsg_type, SCM_RIGHTS);
		n = (unsigned)(header.cmsg_len - sizeof header) / sizeof(int);
		memcpy(fds, r.control->m_data + sizeof header, n * sizeof(int));
		CHECK(r.control->m_next == NULL);
		m_freem(r.control);
	}
	return n;
}

static void
check_rights(int type)
{
	struct nke *m = curmachine();
	struct socket *a, *b, *x, *y;
	int fd, got[4];

	make_pair(type, &a, &b);
	make_pair(SOCK_STREAM, &x, &y);
	fd = give_number(x);
	CHECK_EQ(send_rights(a, &fd, 1), 0);
	CHECK_EQ(local()->inflight, 1);
	/* under way it is open, whatever becomes of the number */
	CHECK_EQ(fd_close(m, fd), 0);
	CHECK_EQ(send_text(y, "still there"), 0);
	CHECK_EQ(receive_rights(b, got, MSG_PEEK), 0);
	CHECK_EQ(receive_rights(b, got, 0), 1);
	CHECK_EQ(local()->inflight, 0);
	CHECK(fd_socket(m, got[0]) == x);
	CHECK_STR(receive_text(x), "still there");
	CHECK_EQ(fd_close(m, got[0]), 0);
	CHECK_STR(receive_text(y), "");
	soclose(y);
	soclose(a);
	soclose(b);
}

KTEST(descriptors_are_passed_by_streams)
{
	check_rights(SOCK_STREAM);
}

KTEST(descriptors_are_passed_by_datagrams)
{
	check_rights(SOCK_DGRAM);
}

KTEST(a_stream_is_read_up_to_the_next_descriptor)
{
	struct socket *a, *b;
	int fd, got[4];

	make_pair(SOCK_STREAM, &a, &b);
	fd = give_number(a);
	CHECK_EQ(send_text(a, "before"), 0);
	CHECK_EQ(send_rights(a, &fd, 1), 0);
	CHECK_EQ(send_text(a, "after"), 0);
	CHECK_STR(receive_flags(b, 100, MSG_WAITALL, NULL, NULL), "before");
	CHECK_EQ(receive_rights(b, got, 0), 1);
	CHECK_STR(receive_text(b), "after");
	CHECK_EQ(fd_close(curmachine(), got[0]), 0);
	CHECK_EQ(fd_close(curmachine(), fd), 0);
	soclose(b);
}

KTEST(bad_control_messages_are_refused)
{
	struct socket *a, *b;
	struct mbuf *c;
	int bad[2], fd;

	make_pair(SOCK_DGRAM, &a, &b);
	fd = give_number(a);
	bad[0] = fd;
	bad[1] = 4711;
	CHECK_EQ(send_rights(a, bad, 2), EBADF);
	bad[1] = -1;
	CHECK_EQ(send_rights(a, bad, 2), EBADF);
	CHECK_EQ(a->so_fdcount, 1);
	CHECK_EQ(sosend(a, NULL, "x", 1, NULL, sbcreatecontrol(curmachine(), bad, 8, SCM_CREDS, SOL_SOCKET),
	    0, NULL), EINVAL);
	CHECK_EQ(sosend(a, NULL, "x", 1, NULL, sbcreatecontrol(curmachine(), bad, 8, SCM_RIGHTS, 41), 0,
	    NULL), EINVAL);
	for (uint32_t len = 0; len < 40; len++) {
		c = sbcreatecontrol(curmachine(), &fd, 4, SCM_RIGHTS, SOL_SOCKET);
		memcpy(c->m_data, &len, sizeof len);
		CHECK_EQ(sosend(a, NULL, "x", 1, NULL, c, 0, NULL), len < 13 || len > 16 ? EINVAL :
		    0);
	}
	c = sbcreatecontrol(curmachine(), &fd, 4, SCM_RIGHTS, SOL_SOCKET);
	c->m_len = 11;
	CHECK_EQ(sosend(a, NULL, "x", 1, NULL, c, 0, NULL), EINVAL);
	sbflush(&b->so_rcv);
	CHECK_EQ(local()->inflight, 0);
	CHECK_EQ(a->so_fdcount, 1);
	CHECK_EQ(fd_close(curmachine(), fd), 0);
	soclose(b);
}

KTEST(messages_thrown_away_close_what_they_carry)
{
	struct socket *a, *b, *x, *y;
	int fd, none[1];

	make_pair(SOCK_DGRAM, &a, &b);
	make_pair(SOCK_STREAM, &x, &y);
	fd = give_number(x);
	CHECK_EQ(send_rights(a, &fd, 1), 0);
	CHECK_EQ(send_rights(a, &fd, 1), 0);
	CHECK_EQ(x->so_fdcount, 3);
	CHECK_EQ(fd_close(curmachine(), fd), 0);
	CHECK_EQ(receive_rights(b, none, SO_RECV_NOCONTROL), 0);
	CHECK_EQ(x->so_fdcount, 1);
	CHECK_EQ(send_text(y, "x"), 0);
	soclose(b);
	CHECK_EQ(local()->inflight, 0);
	CHECK_EQ(send_text(y, "x"), EPIPE);
	soclose(y);
	soclose(a);
}

KTEST(there_must_be_numbers_for_what_is_received)
{
	struct nke *m = curmachine();
	struct socket *a, *b, *x, *y;
	int fd[3], got[4], most = 3;
	errno_t error;
	struct sysctl_access set = {.new = &most, .new_len = sizeof most};

	make_pair(SOCK_DGRAM, &a, &b);
	make_pair(SOCK_STREAM, &x, &y);
	fd[0] = give_number(x);
	fd[1] = fd[2] = fd[0];
	CHECK_EQ(send_rights(a, fd, 3), 0);
	CHECK_EQ(send_rights(a, fd, 1), 0);
	CHECK_EQ(sysctl_by_name(m, "kern.maxfiles", &set), 0);
	receive_flags(b, 100, MSG_DONTWAIT, &error, NULL);
	CHECK_EQ(error, EMSGSIZE);
	CHECK_EQ(local()->inflight, 1);
	CHECK_EQ(fd_available(m), 2);
	CHECK_EQ(receive_rights(b, got, 0), 1);
	CHECK_EQ(x->so_fdcount, 2);
	soclose(a);
	soclose(b);
	soclose(y);
	fd_close(m, fd[0]);
	fd_close(m, got[0]);
}

/* ---- what nobody can reach ------------------------------------------------------------------ */

static int
sockets_left(void)
{
	sched_pass();
	softintr_schedule(&local()->collector);
	sleep_for(MS);
	return curmachine()->sockets->count;
}

KTEST(a_socket_in_its_own_buffer_is_collected)
{
	int before = curmachine()->sockets->count, fd;
	struct socket *a, *b;

	make_pair(SOCK_DGRAM, &a, &b);
	fd = give_number(b);
	CHECK_EQ(send_rights(a, &fd, 1), 0);
	CHECK_EQ(fd_close(curmachine(), fd), 0);
	CHECK_EQ(b->so_fdcount, b->so_inflight);
	sleep_for(MS);
	CHECK_EQ(curmachine()->sockets->count, before + 1);
	CHECK_EQ(local()->inflight, 0);
	soclose(a);
	CHECK_EQ(curmachine()->sockets->count, before);
}

KTEST(two_in_each_others_buffers_are_collected_when_both_are_closed)
{
	int before = curmachine()->sockets->count, fd[2];
	struct socket *a, *b;

	make_pair(SOCK_STREAM, &a, &b);
	fd[0] = give_number(a);
	fd[1] = give_number(b);
	CHECK_EQ(send_rights(a, fd, 2), 0);
	CHECK_EQ(send_rights(b, fd, 2), 0);
	CHECK_EQ(send_text(a, "more"), 0);
	CHECK_EQ(fd_close(curmachine(), fd[0]), 0);
	sleep_for(MS);
	CHECK_EQ(curmachine()->sockets->count, before + 2);
	CHECK_EQ(local()->inflight, 4);
	CHECK_EQ(fd_close(curmachine(), fd[1]), 0);
	sleep_for(MS);
	CHECK_EQ(curmachine()->sockets->count, before);
	CHECK_EQ(local()->inflight, 0);
}

KTEST(what_can_be_reached_through_others_stays)
{
	struct nke *m = curmachine();
	int before = m->sockets->count, outer, inner, got[2];
	struct socket *a, *b, *c, *d, *x, *y;

	/* x lies in d's buffer, d in b's: only b has a number */
	make_pair(SOCK_DGRAM, &a, &b);
	make_pair(SOCK_DGRAM, &c, &d);
	make_pair(SOCK_STREAM, &x, &y);
	inner = give_number(x);
	outer = give_number(d);
	CHECK_EQ(send_rights(c, &inner, 1), 0);
	CHECK_EQ(fd_close(m, inner), 0);
	CHECK_EQ(send_rights(a, &outer, 1), 0);
	CHECK_EQ(fd_close(m, outer), 0);
	CHECK_EQ(sockets_left(), before + 6);
	CHECK_EQ(receive_rights(b, got, 0), 1);
	CHECK(fd_socket(m, got[0]) == d);
	CHECK_EQ(receive_rights(d, got + 1, 0), 1);
	CHECK(fd_socket(m, got[1]) == x);
	fd_close(m, got[0]);
	fd_close(m, got[1]);
	soclose(a);
	soclose(b);
	soclose(c);
	soclose(y);
	CHECK_EQ(m->sockets->count, before);
}

KTEST(a_listener_in_the_buffer_of_its_own_connection_is_collected)
{
	struct nke *m = curmachine();
	int before = m->sockets->count, fd;
	struct socket *head = make_listener("/srv", 3), *c = make_socket(PF_LOCAL, SOCK_STREAM);

	fd = give_number(head);
	CHECK_EQ(connect_to(c, "/srv"), 0);
	CHECK_EQ(send_rights(c, &fd, 1), 0);
	CHECK_EQ(sockets_left(), before + 3);
	CHECK_EQ(fd_close(m, fd), 0);
	sleep_for(MS);
	CHECK_EQ(m->sockets->count, before + 1);
	CHECK_EQ(local()->inflight, 0);
	soclose(c);
}

/* A chain as long as anybody may care to build: neither closing nor collecting recurses. */
KTEST(nested_messages_are_closed_one_after_the_other)
{
	enum { LINKS = 20000 };
	struct nke *m = curmachine();
	int before = m->sockets->count, fd = -1, last = -1;

	for (int i = 0; i < LINKS; i++) {
		struct socket *a, *b;

		make_pair(SOCK_DGRAM, &a, &b);
		fd = give_number(b);
		if (last >= 0) {
			CHECK_EQ(send_rights(a, &last, 1), 0);
			CHECK_EQ(fd_close(m, last), 0);
		}
		soclose(a);
		last = fd;
		/* the collector is not what is tested, and there would be much for it to do */
		softintr_cancel(&local()->collector);
	}
	unp_collect(m);
	CHECK_EQ(m->sockets->count, before + LINKS);
	CHECK_EQ(fd_close(m, last), 0);
	CHECK_EQ(m->sockets->count, before);
	CHECK_EQ(local()->inflight, 0);
}

KTEST(what_is_left_in_messages_goes_with_the_machine)
{
	struct socket *a, *b;
	int fd[2];

	make_pair(SOCK_STREAM, &a, &b);
	fd[0] = give_number(a);
	fd[1] = give_number(b);
	CHECK_EQ(send_rights(a, fd, 2), 0);
	CHECK_EQ(send_rights(b, fd, 2), 0);
	filedesc_subsystem.quiesce(curmachine());
	CHECK_EQ(local()->inflight, 0);
	CHECK_EQ(curmachine()->sockets->count, 0);
}

/* As large as both may be: together they are more than there ever will be space for. */
KTEST(the_longest_datagram_may_carry_descriptors)
{
	struct nke *m = curmachine();
	static char data[2048];
	struct socket *a, *b, *x, *y;
	struct so_received r;
	struct mbuf *control;
	size_t sent;
	int fd;

	make_pair(SOCK_DGRAM, &a, &b);
	make_pair(SOCK_STREAM, &x, &y);
	fd = give_number(x);
	control = sbcreatecontrol(m, &fd, sizeof fd, SCM_RIGHTS, SOL_SOCKET);
	CHECK(control != NULL);
	CHECK_EQ(sosend(a, NULL, data, sizeof data, NULL, control, 0, &sent), 0);
	CHECK_EQ(soreceive(b, data, sizeof data, MSG_DONTWAIT | SO_RECV_NOCONTROL, &r), 0);
	CHECK_EQ(r.len, sizeof data);
	soclose(a);
	soclose(b);
	soclose(y);
	fd_close(m, fd);
}

KTEST_SUITE(local,
    T(names_last_from_bind_to_close),
    T(bad_names_are_refused),
    T(many_names_are_found),
    T(a_pair_talks_both_ways_until_one_side_ends),
    T(nothing_can_be_sent_to_who_will_not_read),
    T(a_connection_is_made_at_a_name),
    T(a_connection_is_refused_for_a_reason),
    T(a_listener_that_closes_ends_what_waited),
    T(one_that_went_before_it_was_accepted_can_still_be_read),
    T(a_fast_writer_waits_for_a_slow_reader),
    T(datagrams_carry_their_senders_name),
    T(a_connected_datagram_socket_has_one_peer_at_a_time),
    T(a_full_receiver_is_an_error),
    T(a_message_is_cut_to_the_room_for_it),
    T(messages_are_delivered_as_mbufs),
    T(the_longest_datagram_may_carry_descriptors),
    T(descriptors_are_passed_by_streams),
    T(descriptors_are_passed_by_datagrams),
    T(a_stream_is_read_up_to_the_next_descriptor),
    T(bad_control_messages_are_refused),
    T(messages_thrown_away_close_what_they_carry),
    T(there_must_be_numbers_for_what_is_received),
    T(a_socket_in_its_own_buffer_is_collected),
    T(two_in_each_others_buffers_are_collected_when_both_are_closed),
    T(what_can_be_reached_through_others_stays),
    T(a_listener_in_the_buffer_of_its_own_connection_is_collected),
    T(nested_messages_are_closed_one_after_the_other),
    T(what_is_left_in_messages_goes_with_the_machine));
