/* src/kern/uipc_send.c, uipc_receive.c: data, with a protocol that keeps it when the test says so. */
#include "tests/unit/fake_proto.h"

static struct socket *the_socket;

/* ---- sending ------------------------------------------------------------------------------ */

KTEST(sending_is_refused_in_bsds_order)
{
	struct socket *so;
	char byte = 0;
	static char big[9217];

	set_up();
	so = make_socket(FAMILY, SOCK_STREAM);
	CHECK_EQ(send_text(so, "x"), ENOTCONN);
	CHECK_EQ(sosend(so, &somewhere, &byte, 1, NULL, NULL, 0, NULL), ENOTCONN);
	fake.connect_at_once = true;
	CHECK_EQ(soconnect(so, &somewhere, 0), 0);
	CHECK_EQ(send_flags(so, "x", MSG_EOR), EINVAL);
	so->so_error = ENETUNREACH;
	CHECK_EQ(send_text(so, "x"), ENETUNREACH);
	CHECK_EQ(send_text(so, "x"), 0);
	so->so_error = ENETUNREACH;
	socantsendmore(so);
	CHECK_EQ(send_text(so, "x"), EPIPE);
	soclose(so);

	so = make_socket(FAMILY, SOCK_DGRAM);
	CHECK_EQ(send_text(so, "x"), EDESTADDRREQ);
	CHECK_EQ(sosend(so, &somewhere, big, 9217, NULL, NULL, 0, NULL), EMSGSIZE);
	CHECK_EQ(sosend(so, &somewhere, big, 9216, NULL, NULL, 0, NULL), 0);
	CHECK_EQ(sosend(so, &somewhere, NULL, 0, NULL, NULL, 0, NULL), 0);
	CHECK_EQ(((struct fake_pcb *)so->so_pcb)->sent, 2);
	CHECK_EQ(sosend(so, &somewhere, big, (size_t)INT32_MAX + 1, NULL, NULL, 0, NULL), EMSGSIZE);
	fake.send_error = EHOSTUNREACH;
	CHECK_EQ(sosend(so, &somewhere, big, 1, NULL, NULL, 0, NULL), EHOSTUNREACH);
	soclose(so);
}

KTEST(a_stream_is_cut_into_pieces_and_waits_for_space)
{
	static char big[20000];
	struct socket *so;
	struct fake_pcb *pcb;
	size_t sent;

	set_up();
	fake.connect_at_once = true;
	fake.keep_sent = true;
	so = make_socket(FAMILY, SOCK_STREAM);
	pcb = so->so_pcb;
	CHECK_EQ(soconnect(so, &somewhere, 0), 0);
	CHECK_EQ(sosend(so, NULL, big, sizeof big, NULL, NULL, MSG_DONTWAIT, &sent), EWOULDBLOCK);
	CHECK_EQ(sent, 8192);
	CHECK_EQ(pcb->bytes, 8192);
	CHECK_EQ(get_int(so, SO_NWRITE), 8192);
	CHECK(!(soready(so) & SO_WRITABLE));
	/* below the low-water mark there is no use */
	sbdrop(&so->so_snd, 2047);
	CHECK_EQ(sosend(so, NULL, big, sizeof big, NULL, NULL, MSG_DONTWAIT, &sent), EWOULDBLOCK);
	CHECK_EQ(sent, 0);
	sbdrop(&so->so_snd, 1);
	CHECK(soready(so) & SO_WRITABLE);
	CHECK_EQ(sosend(so, NULL, big, sizeof big, NULL, NULL, MSG_DONTWAIT, &sent), EWOULDBLOCK);
	CHECK_EQ(sent, 2048);
	/* a time limit */
	so->so_snd.sb_timeo = 3 * S;
	CHECK_EQ(sosend(so, NULL, big, 100, NULL, NULL, 0, &sent), EWOULDBLOCK);
	CHECK_EQ(machine_now(curmachine()), 3 * S);
	/* urgent data goes through */
	CHECK_EQ(send_flags(so, "u", MSG_OOB), 0);
	CHECK_EQ(pcb->flags, PRUS_OOB);
	sbflush(&so->so_snd);
	CHECK_EQ(send_flags(so, "end", MSG_EOF), 0);
	CHECK_EQ(pcb->flags, PRUS_EOF);
	soclose(so);
}

static void
drain_later(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	for (int i = 0; i < 3; i++) {
		sleep_for(10 * MS);
		sbflush(&the_socket->so_snd);
		sowwakeup(the_socket);
	}
}

KTEST(a_writer_sleeps_until_there_is_space)
{
	static char big[20000];
	size_t sent;

	set_up();
	fake.connect_at_once = true;
	fake.keep_sent = true;
	the_socket = make_socket(FAMILY, SOCK_STREAM);
	CHECK_EQ(soconnect(the_socket, &somewhere, 0), 0);
	start(drain_later, NULL);
	CHECK_EQ(sosend(the_socket, NULL, big, sizeof big, NULL, NULL, 0, &sent), 0);
	CHECK_EQ(sent, 20000);
	CHECK_EQ(machine_now(curmachine()), 20 * MS);
	soclose(the_socket);
}

KTEST(packets_are_sent_as_they_are)
{
	struct socket *so;
	struct fake_pcb *pcb;
	struct mbuf *m;

	set_up();
	so = make_socket(FAMILY, SOCK_DGRAM);
	pcb = so->so_pcb;
	m = m_devget(curmachine(), "hello", 5, 0);
	CHECK_EQ(sosend(so, &somewhere, NULL, 0, m, NULL, MSG_DONTROUTE, NULL), 0);
	CHECK_EQ(pcb->bytes, 5);
	CHECK(pcb->dontroute);
	CHECK(!(so->so_options & SO_DONTROUTE));
	/* and consumed also when they are not */
	m = m_devget(curmachine(), "hello", 5, 0);
	CHECK_EQ(sosend(so, NULL, NULL, 0, m, sbcreatecontrol(curmachine(), "x", 1, 1, 1), 0, NULL),
	    EDESTADDRREQ);
	m = m_devget(curmachine(), NULL, 10000, 0);
	CHECK_EQ(sosend(so, &somewhere, NULL, 0, m, NULL, 0, NULL), EMSGSIZE);
	soclose(so);
}

KTEST(messages_have_room_for_headers_in_front)
{
	struct socket *so;
	struct iovec iov[3] = {{(void *)(uintptr_t)"ab", 2}, {NULL, 0}, {(void *)(uintptr_t)"cdef", 4}};

	set_up();
	so = make_socket(FAMILY, SOCK_DGRAM);
	CHECK_EQ(so->so_headroom, SO_MESSAGE_HEADROOM);
	fake.keep_sent = true;
	CHECK_EQ(sosendv(so, &somewhere, iov, 3, 6, NULL, 0, NULL), 0);
	CHECK_EQ(m_leadingspace(so->so_snd.sb_mb), SO_MESSAGE_HEADROOM);
	CHECK_EQ(memcmp(so->so_snd.sb_mb->m_data, "abcdef", 6), 0);
	sbflush(&so->so_snd);
	CHECK_EQ(sosend(so, &somewhere, iov, 8, NULL, NULL, 0, NULL), 0);
	CHECK_EQ(so->so_snd.sb_mbcnt, MSIZE);
	soclose(so);
}

/* ---- receiving ---------------------------------------------------------------------------- */

KTEST(reads_stop_at_the_urgent_mark)
{
	struct socket *so;
	int mark;

	set_up();
	so = make_connected();
	arrive(so, "beforeafter");
	so->so_oobmark = 6;
	CHECK(soready(so) & SO_URGENT);
	CHECK_STR(receive_flags(so, 100, MSG_PEEK, NULL, NULL), "before");
	CHECK_STR(receive_flags(so, 3, 0, NULL, NULL), "bef");
	CHECK_EQ(so->so_oobmark, 3);
	CHECK_EQ(soioctl(so, 0x40047307 /* SIOCATMARK */, &mark), 0);
	CHECK_EQ(mark, 0);
	CHECK_STR(receive_flags(so, 100, MSG_WAITALL, NULL, NULL), "ore");
	CHECK_EQ(soioctl(so, 0x40047307, &mark), 0);
	CHECK_EQ(mark, 1);
	CHECK_STR(receive_text(so), "after");
	CHECK_EQ(soioctl(so, 0x40047307, &mark), 0);
	CHECK_EQ(mark, 0);
	CHECK(fake.rcvd >= 3);
	soclose(so);
}

KTEST(urgent_data_is_read_beside_the_stream)
{
	struct socket *so;
	errno_t error;
	int flags;

	set_up();
	so = make_connected();
	receive_flags(so, 10, MSG_OOB, &error, NULL);
	CHECK_EQ(error, EINVAL);
	fake.urgent = 'u';
	CHECK_STR(receive_flags(so, 10, MSG_OOB | MSG_PEEK, NULL, NULL), "u");
	CHECK_STR(receive_flags(so, 10, MSG_OOB, NULL, &flags), "u");
	CHECK(flags & MSG_OOB);
	receive_flags(so, 10, MSG_OOB, &error, NULL);
	CHECK_EQ(error, EINVAL);
	soclose(so);
}

KTEST(data_comes_before_the_error_and_that_before_the_end)
{
	struct socket *so;

	set_up();
	so = make_connected();
	arrive(so, "last words");
	so->so_error = ECONNRESET;
	socantrcvmore(so);
	CHECK_STR(receive_text(so), "last words");
	CHECK_STR(receive_flags(so, 10, MSG_PEEK, &(errno_t){0}, NULL), "!");
	CHECK_EQ(receive_error(so), ECONNRESET);
	CHECK_STR(receive_text(so), "");
	CHECK_STR(receive_text(so), "");
	soclose(so);
}

static void
arrive_later(void *arg, wait_result_t result)
{
	(void)arg;
	(void)result;
	sleep_for(10 * MS);
	arrive(the_socket, "abc");
	sleep_for(10 * MS);
	arrive(the_socket, "def");
}

KTEST(a_reader_waits_for_what_it_wants)
{
	set_up();
	the_socket = make_connected();
	start(arrive_later, NULL);
	CHECK_STR(receive_flags(the_socket, 100, 0, NULL, NULL), "abc");
	CHECK_EQ(machine_now(curmachine()), 10 * MS);
	CHECK_STR(receive_flags(the_socket, 100, 0, NULL, NULL), "def");
	/* all of it */
	start(arrive_later, NULL);
	CHECK_STR(receive_flags(the_socket, 5, MSG_WAITALL, NULL, NULL), "abcde");
	CHECK_EQ(machine_now(curmachine()), 40 * MS);
	CHECK_STR(receive_text(the_socket), "f");
	/* a low-water mark */
	CHECK_EQ(set_int(the_socket, SO_RCVLOWAT, 4), 0);
	start(arrive_later, NULL);
	CHECK_STR(receive_flags(the_socket, 100, 0, NULL, NULL), "abcdef");
	CHECK_EQ(set_int(the_socket, SO_RCVLOWAT, 1), 0);
	/* looking only, at all of it */
	start(arrive_later, NULL);
	CHECK_STR(receive_flags(the_socket, 6, MSG_PEEK | MSG_WAITALL, NULL, NULL), "abcdef");
	CHECK_STR(receive_text(the_socket), "abcdef");
	/* a time limit: what came is a success */
	the_socket->so_rcv.sb_timeo = 15 * MS;
	start(arrive_later, NULL);
	CHECK_STR(receive_flags(the_socket, 100, MSG_WAITALL, NULL, NULL), "abcdef");
	errno_t error;
	receive_flags(the_socket, 100, 0, &error, NULL);
	CHECK_EQ(error, EWOULDBLOCK);
	soclose(the_socket);
}

KTEST(the_end_is_a_success_also_for_who_wants_more)
{
	struct socket *so;

	set_up();
	so = make_connected();
	arrive(so, "abc");
	socantrcvmore(so);
	CHECK_STR(receive_flags(so, 100, MSG_WAITALL, NULL, NULL), "abc");
	CHECK_STR(receive_flags(so, 100, MSG_WAITALL, NULL, NULL), "");
	soclose(so);
}

KTEST(mbufs_are_delivered_without_copying)
{
	struct socket *so;
	struct so_received r;
	struct mbuf *m;

	set_up();
	so = make_connected();
	m = m_devget(curmachine(), NULL, 1000, 0);
	memset(m->m_data, 'x', 1000);
	sbappendstream(&so->so_rcv, m);
	CHECK_EQ(soreceive(so, NULL, 300, MSG_PEEK, &r), 0);
	CHECK_EQ(r.len, 300);
	CHECK_EQ(m_length(r.data), 300);
	m_freem(r.data);
	CHECK_EQ(soreceive(so, NULL, 300, 0, &r), 0);
	CHECK_EQ(m_length(r.data), 300);
	m_freem(r.data);
	CHECK_EQ(soreceive(so, NULL, 10000, 0, &r), 0);
	CHECK(r.data == m);
	CHECK_EQ(r.len, 700);
	CHECK_EQ(m->m_pkthdr.len, 700);
	m_freem(m);
	CHECK_EQ(so->so_rcv.sb_mbcnt, 0);
	soclose(so);
}

/* Who does not want to wait takes what there is, less than the low-water mark too. */
KTEST(a_reader_that_does_not_wait_passes_over_the_low_water_mark)
{
	struct socket *so;

	set_up();
	so = make_connected();
	CHECK_EQ(set_int(so, SO_RCVLOWAT, 4), 0);
	arrive(so, "abc");
	CHECK(!(soready(so) & SO_READABLE));
	CHECK_STR(receive_flags(so, 100, MSG_DONTWAIT, NULL, NULL), "abc");
	soclose(so);
}

KTEST_SUITE(socket_io,
    T(sending_is_refused_in_bsds_order),
    T(a_stream_is_cut_into_pieces_and_waits_for_space),
    T(a_writer_sleeps_until_there_is_space),
    T(packets_are_sent_as_they_are),
    T(messages_have_room_for_headers_in_front),
    T(reads_stop_at_the_urgent_mark),
    T(urgent_data_is_read_beside_the_stream),
    T(data_comes_before_the_error_and_that_before_the_end),
    T(a_reader_waits_for_what_it_wants),
    T(the_end_is_a_success_also_for_who_wants_more),
    T(mbufs_are_delivered_without_copying),
    T(a_reader_that_does_not_wait_passes_over_the_low_water_mark));
