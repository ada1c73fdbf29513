/* sockfilter/sflt_data.c, sflt_inject.c: data through filters, taken, refused, changed and put back. */
#include "tests/unit/sflt_testing.h"

static const mbuf_tag_type_t OWN = 1;

static mbuf_tag_id_t
tag_id(void)
{
	mbuf_tag_id_t id;

	CHECK_EQ(mbuf_tag_id_find("com.example.sflt", &id), 0);
	return id;
}

/* A connection with the filters a and b, of which b is called first. */
static void
filtered_connection(void)
{
	sflt_testbed();
	quiet = true;
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	register_filter('b', SFLT_GLOBAL, SOCK_STREAM);
	connect_lo0();
}

/* A UDP socket bound to 127.0.0.1:53 with both filters. */
static struct socket *
filtered_udp(void)
{
	struct socket *so;

	sflt_testbed();
	quiet = true;
	register_filter('a', SFLT_GLOBAL, SOCK_DGRAM);
	register_filter('b', SFLT_GLOBAL, SOCK_DGRAM);
	so = udp4();
	CHECK_EQ(bind4(so, LOOP4, 53), 0);
	(void)said();
	return so;
}

/* ---- as it is ----------------------------------------------------------------------------- */

KTEST(streams_pass_in_pieces_without_addresses)
{
	size_t n = 0, calls;
	char *big;

	filtered_connection();
	CHECK_EQ(say(client, "hello"), 0);
	CHECK_STR(said(), "b.out(hello) a.out(hello)");
	CHECK_STR(receive(server), "hello");
	/* The control argument itself is none. */
	CHECK_STR(said(), "b.in(hello) a.in(hello)");
	CHECK(b->control == NULL && b->addr == NULL);
	CHECK_EQ(sosend(client, NULL, "!", 1, NULL, NULL, MSG_OOB, &n), 0);
	CHECK_STR(said(), "b.out(!!) a.out(!!)");
	/* A long write is cut where the buffer ends, or at 64 KB. */
	CHECK_EQ(sbreserve(&client->so_snd, 200000), 0);
	big = kalloc(curmachine(), 150000);
	calls = b->calls[DATA_OUT];
	CHECK_EQ(sosend(client, NULL, big, 150000, NULL, NULL, MSG_DONTWAIT, &n), 0);
	CHECK_EQ(n, 150000);
	CHECK_EQ(b->calls[DATA_OUT] - calls, 3);
	kfree(curmachine(), big);
	close_all();
	sflt_testbed_end();
}

KTEST(datagrams_pass_whole_with_addresses)
{
	struct socket *so = filtered_udp();
	struct sockaddr_in to = sin4(LOOP4, 53);
	int on = 1;

	CHECK_EQ(set_option(so, IPPROTO_IP, IP_RECVDSTADDR, &on, sizeof on), 0);
	(void)said();
	CHECK_EQ(send_to(so, SA(to), "ping", 4), 0);
	CHECK_STR(said(), "b.out(ping@) a.out(ping@)");
	CHECK(b->control != NULL);
	CHECK_STR(receive(so), "ping");
	CHECK_STR(said(), "b.in(ping@+) a.in(ping@+)");
	/* Connected, there is no address to be told on the way out. */
	CHECK_EQ(connect4(so, LOOP4, 53), 0);
	(void)said();
	CHECK_EQ(send_to(so, NULL, "", 0), 0);
	CHECK_STR(said(), "b.out() a.out()");
	CHECK_STR(receive(so), "");
	CHECK_EQ(rcv.from.ss_family, AF_INET);
	CHECK_STR(said(), "b.in(@+) a.in(@+)");
	soclose(so);
	sflt_testbed_end();
}

KTEST(what_cannot_be_sent_is_not_shown)
{
	struct socket *so = filtered_udp();
	size_t n;

	CHECK_EQ(send_to(so, NULL, "x", 1), EDESTADDRREQ);
	CHECK_EQ(send_to(so, NULL, NULL, 0), EDESTADDRREQ);
	so->so_error = ECONNREFUSED;
	CHECK_EQ(send4(so, LOOP4, 53, "x"), ECONNREFUSED);
	CHECK_EQ(sbreserve(&so->so_snd, 10), 0);
	CHECK_EQ(send4(so, LOOP4, 53, "01234567890"), EMSGSIZE);
	so->so_state |= SS_CANTSENDMORE;
	CHECK_EQ(send4(so, LOOP4, 53, "x"), EPIPE);
	so->so_state &= (uint16_t)~SS_CANTSENDMORE;
	soclose(so);
	register_filter('c', SFLT_GLOBAL, SOCK_STREAM);
	so = tcp_socket(PF_INET);
	CHECK_EQ(say(so, "x"), ENOTCONN);
	CHECK_EQ(sosend(so, NULL, NULL, 0, NULL, NULL, 0, &n), ENOTCONN);
	soclose(so);
	connect_lo0();
	client->so_snd.sb_cc += client->so_snd.sb_hiwat;
	CHECK_EQ(say(client, "x"), EWOULDBLOCK);
	client->so_snd.sb_cc -= client->so_snd.sb_hiwat;
	CHECK_STR(said(), "");
	close_all();
	sflt_testbed_end();
}

/* ---- refused ------------------------------------------------------------------------------ */

KTEST(a_filter_refuses_what_is_sent)
{
	size_t n = 99;
	char *big;

	filtered_connection();
	b->result[DATA_OUT] = EACCES;
	CHECK_EQ(say(client, "secret"), EACCES);
	CHECK_STR(said(), "b.out(secret)");
	/* The second piece of a long write: the first has gone. */
	b->result[DATA_OUT] = 0;
	CHECK_EQ(sbreserve(&client->so_snd, 200000), 0);
	big = kalloc(curmachine(), 100000);
	a->result[DATA_OUT] = EACCES;
	CHECK_EQ(sosend(client, NULL, big, 100000, NULL, NULL, MSG_DONTWAIT, &n), EACCES);
	CHECK_EQ(n, 0);
	kfree(curmachine(), big);
	a->result[DATA_OUT] = 0;
	(void)said();
	CHECK_STR(receive(server), "");
	CHECK_STR(said(), "");
	close_all();
	sflt_testbed_end();
}

/* TCP has acknowledged it; UDP has not told anybody. */
KTEST(a_filter_refuses_what_comes)
{
	struct socket *so;

	filtered_connection();
	b->result[DATA_IN] = EACCES;
	CHECK_EQ(say(client, "lost"), 0);
	CHECK_STR(receive(server), "");
	let_pass(TCP_NS_PER_S);
	CHECK_EQ(client->so_snd.sb_cc, 0);
	b->result[DATA_IN] = 0;
	CHECK_EQ(say(client, "there"), 0);
	CHECK_STR(receive(server), "there");
	close_all();
	(void)sflt_unregister(HANDLE('a'));
	(void)sflt_unregister(HANDLE('b'));
	register_filter('c', SFLT_GLOBAL, SOCK_DGRAM);
	so = udp4();
	CHECK_EQ(bind4(so, LOOP4, 53), 0);
	c->result[DATA_IN] = EPERM;
	CHECK_EQ(send4(so, LOOP4, 53, "lost"), 0);
	CHECK_STR(receive(so), "");
	/* It was no lack of room. */
	CHECK_EQ(ust()->udps_fullsock, 0);
	c->result[DATA_OUT] = EHOSTUNREACH;
	CHECK_EQ(send4(so, LOOP4, 53, "refused"), EHOSTUNREACH);
	soclose(so);
	sflt_testbed_end();
}

/* ---- changed ------------------------------------------------------------------------------ */

static void
make_longer(struct watcher *w, struct socket *so)
{
	struct mbuf *m = text_packet("longer than before");

	(void)so;
	m_freem(*w->data);
	*w->data = m;
}

static void
make_nothing(struct watcher *w, struct socket *so)
{
	(void)so;
	m_freem(*w->data);
	*w->data = NULL;
}

KTEST(data_can_be_replaced_by_more_or_less)
{
	size_t n;

	filtered_connection();
	b->hook[DATA_OUT] = make_longer;
	CHECK_EQ(sosend(client, NULL, "short", 5, NULL, NULL, 0, &n), 0);
	/* The sender is told of its own bytes. */
	CHECK_EQ(n, 5);
	CHECK_STR(said(), "b.out(short) a.out(longer than before)");
	b->hook[DATA_IN] = make_nothing;
	CHECK_STR(receive(server), "");
	CHECK_STR(said(), "b.in(longer than before) a.in()");
	CHECK_EQ(say(client, "x"), 0);
	b->hook[DATA_IN] = make_longer;
	CHECK_STR(receive(server), "longer than before");
	CHECK_EQ(a->calls[DATA_IN], 2);
	CHECK_EQ(sflt_find(curmachine(), HANDLE('b'))->counters.changed, 3);
	CHECK_EQ(filter_passed(&sflt_find(curmachine(), HANDLE('a'))->counters), 4);
	close_all();
	sflt_testbed_end();
}

KTEST(datagrams_can_be_replaced)
{
	struct socket *so = filtered_udp();

	b->hook[DATA_OUT] = make_longer;
	CHECK_EQ(send4(so, LOOP4, 53, "short"), 0);
	b->hook[DATA_IN] = make_longer;
	CHECK_STR(receive(so), "longer than before");
	/* Nothing but an address is a message, too. */
	CHECK_EQ(send4(so, LOOP4, 53, "short"), 0);
	b->hook[DATA_IN] = make_nothing;
	CHECK_STR(receive(so), "");
	CHECK_EQ(rcv.from.ss_family, AF_INET);
	soclose(so);
	sflt_testbed_end();
}

static void
cut_three_bytes(struct watcher *w, struct socket *so)
{
	(void)so;
	mbuf_adj(*w->data, 3);
}

/* The space in front of it is no place for headers then. */
KTEST(a_datagram_may_begin_at_an_odd_place)
{
	struct socket *so = filtered_udp(), *other = udp4();

	b->hook[DATA_OUT] = cut_three_bytes;
	CHECK_EQ(send4(other, THERE4, 7, "...odd"), 0);
	CHECK_EQ(sent.count, 1);
	CHECK_EQ((uintptr_t)sent.m[0]->m_data % 4, 0);
	CHECK_EQ(sent.m[0]->m_pkthdr.len, 20 + 8 + 3);
	CHECK_EQ(m_length(sent.m[0]), 20 + 8 + 3);
	b->hook[DATA_OUT] = cut_three_bytes;
	CHECK_EQ(send4(other, LOOP4, 53, "...even"), 0);
	CHECK_STR(receive(so), "even");
	soclose(other);
	soclose(so);
	sflt_testbed_end();
}

static void
no_header(struct watcher *w, struct socket *so)
{
	struct mbuf *m = m_get(curmachine(), MBUF_DONTWAIT, MBUF_TYPE_DATA);

	(void)so;
	m_freem(*w->data);
	m->m_len = 3;
	*w->data = m;
}

static void
free_and_say_nothing(struct watcher *w, struct socket *so)
{
	(void)so;
	m_freem(*w->data);
}

static void
wrong_length(struct watcher *w, struct socket *so)
{
	(void)so;
	(*w->data)->m_pkthdr.len = 1000;
}

#define BAD_FILTER(id, report, what, fn)						\
KTEST_PANICS(id, report)								\
{											\
	struct socket *so = filtered_udp();						\
											\
	b->hook[what] = fn;								\
	(void)send4(so, LOOP4, 53, "short");						\
	(void)receive(so);								\
}
BAD_FILTER(a_datagram_without_header_is_noticed, "socket filter \"sflt-b\": sf_data_out returned 0 but mbuf",
    DATA_OUT, no_header)
BAD_FILTER(a_datagram_that_came_without_header_is_noticed, "a datagram, has no packet header", DATA_IN,
    no_header)
BAD_FILTER(freed_data_is_noticed, "in *data has been freed", DATA_OUT, free_and_say_nothing)
BAD_FILTER(freed_data_that_came_is_noticed, "in *data has been freed", DATA_IN, free_and_say_nothing)
BAD_FILTER(no_data_for_a_datagram_is_noticed, "without data for a datagram", DATA_OUT, make_nothing)
BAD_FILTER(a_wrong_length_is_noticed, "packet header says 1000 bytes", DATA_OUT, wrong_length)

/* ---- taken, and put back ------------------------------------------------------------------ */

static void
keep_data(struct watcher *w, struct socket *so)
{
	(void)so;
	CHECK(w->kept == NULL);
	w->kept = *w->data;
	if (w->control != NULL)
		m_freem(*w->control);
}

/* Takes the next data of that direction. */
static void
take_next(struct watcher *w, enum called what)
{
	w->result[what] = EJUSTRETURN;
	w->hook[what] = keep_data;
}

static struct mbuf *
give_back(struct watcher *w, enum called what)
{
	struct mbuf *m = w->kept;

	CHECK(m != NULL);
	w->kept = NULL;
	w->result[what] = 0;
	return m;
}

KTEST(what_a_filter_takes_the_sender_has_sent)
{
	size_t n = 0;
	char *big;

	filtered_connection();
	take_next(b, DATA_OUT);
	CHECK_EQ(say(client, "one"), 0);
	CHECK_STR(said(), "b.out(one)");
	CHECK_STR(receive(server), "");
	/* It goes through all filters again, the one that injects too. */
	CHECK_EQ(sock_inject_data_out(client, NULL, give_back(b, DATA_OUT), NULL, 0), 0);
	CHECK_STR(said(), "b.out(one) a.out(one)");
	CHECK_STR(receive(server), "one");
	/* A write ends with the piece that was taken, and says how much it was. */
	CHECK_EQ(sbreserve(&client->so_snd, 200000), 0);
	big = kalloc(curmachine(), 100000);
	take_next(b, DATA_OUT);
	CHECK_EQ(sosend(client, NULL, big, 100000, NULL, NULL, MSG_DONTWAIT, &n), 0);
	CHECK_EQ(n, 65536);
	kfree(curmachine(), big);
	close_all();
	sflt_testbed_end();
}

KTEST(what_a_filter_takes_from_a_stream_comes_back_in_its_place)
{
	filtered_connection();
	take_next(a, DATA_IN);
	CHECK_EQ(say(client, "one,"), 0);
	let_run();
	CHECK_EQ(server->so_rcv.sb_cc, 0);
	CHECK_STR(said(), "b.out(one,) a.out(one,) b.in(one,) a.in(one,)");
	CHECK_EQ(sock_inject_data_in(server, NULL, give_back(a, DATA_IN), NULL, 0), 0);
	CHECK_STR(said(), "b.in(one,) a.in(one,)");
	CHECK_EQ(say(client, "two"), 0);
	CHECK_STR(receive(server), "one,two");
	close_all();
	sflt_testbed_end();
}

KTEST(datagrams_are_taken_and_put_back)
{
	struct socket *so = filtered_udp();
	struct sockaddr_in to = sin4(LOOP4, 53), from = sin4(THERE4, 7);

	take_next(b, DATA_OUT);
	CHECK_EQ(send4(so, LOOP4, 53, "out"), 0);
	CHECK_EQ(sock_inject_data_out(so, SA(to), give_back(b, DATA_OUT), NULL, 0), 0);
	take_next(b, DATA_IN);
	CHECK_STR(receive(so), "");
	CHECK_EQ(rcv.from.ss_len, 0);
	(void)said();
	CHECK_EQ(sock_inject_data_in(so, SA(from), give_back(b, DATA_IN), NULL, 0), 0);
	CHECK_STR(said(), "b.in(out@) a.in(out@)");
	CHECK_STR(receive(so), "out");
	CHECK_EQ(from4()->sin_port, htons(7));
	CHECK_EQ(sflt_find(curmachine(), HANDLE('b'))->counters.swallowed, 2);
	soclose(so);
	sflt_testbed_end();
}

/* ---- injecting in ------------------------------------------------------------------------- */

KTEST(injecting_in_checks_its_arguments)
{
	struct socket *so = filtered_udp();
	struct sockaddr_in from = sin4(THERE4, 7);
	struct mbuf *m = text_packet("x");

	CHECK_EQ(sock_inject_data_in(NULL, SA(from), m, NULL, 0), EINVAL);
	CHECK_EQ(sock_inject_data_in(so, SA(from), NULL, NULL, 0), EINVAL);
	CHECK_EQ(sock_inject_data_in(so, SA(from), m, NULL, sock_data_filt_flag_oob), ENOTSUP);
	/* The caller has it still. */
	CHECK_EQ(m->m_len, 1);
	CHECK_STR(said(), "");
	CHECK_EQ(sock_inject_data_in(so, SA(from), m, NULL, 0), 0);
	CHECK_STR(receive(so), "x");
	soclose(so);
	sflt_testbed_end();
}

KTEST(injected_records_are_of_the_kind_that_is_asked_for)
{
	struct socket *so = filtered_udp();
	struct sockaddr_in from = sin4(THERE4, 7);
	struct mbuf *control = sbcreatecontrol(curmachine(), "tick", 4, SCM_TIMESTAMP, SOL_SOCKET);

	m_settype(control, MBUF_TYPE_DATA);
	CHECK_EQ(sock_inject_data_in(so, SA(from), text_packet("addr"), control, 0), 0);
	control = sbcreatecontrol(curmachine(), "tock", 4, SCM_TIMESTAMP, SOL_SOCKET);
	CHECK_EQ(sock_inject_data_in(so, NULL, text_packet("control"), control, 0), 0);
	CHECK_EQ(sock_inject_data_in(so, NULL, text_packet("record"), NULL, sock_data_filt_flag_record), 0);
	CHECK_EQ(sock_inject_data_in(so, NULL, text_packet("stream"), NULL, 0), 0);
	CHECK_STR(said(), "b.in(addr@+) a.in(addr@+) b.in(control+) a.in(control+) b.in(record#) "
	    "a.in(record#) b.in(stream) a.in(stream)");
	CHECK_STR(receive(so), "addr");
	CHECK(control_data(SOL_SOCKET, SCM_TIMESTAMP, 4) != NULL);
	CHECK_STR(receive(so), "control");
	CHECK(control_data(SOL_SOCKET, SCM_TIMESTAMP, 4) != NULL);
	CHECK_EQ(rcv.from.ss_len, 0);
	CHECK_STR(receive(so), "recordstream");
	soclose(so);
	sflt_testbed_end();
}

static void
count_upcall(socket_t so, void *cookie, int waitf)
{
	(void)so;
	(void)waitf;
	++*(int *)cookie;
}

KTEST(what_there_is_no_room_for_is_dropped_and_nobody_woken)
{
	struct socket *so = filtered_udp();
	struct sockaddr_in from = sin4(THERE4, 7);
	int upcalls = 0;

	CHECK_EQ(so_set_upcall(so, count_upcall, &upcalls), 0);
	CHECK_EQ(sbreserve(&so->so_rcv, 20), 0);
	CHECK_EQ(sock_inject_data_in(so, SA(from), text_packet("too long"), NULL, 0), 0);
	CHECK_STR(said(), "b.in(too long@) a.in(too long@)");
	CHECK_EQ(so->so_rcv.sb_cc, 0);
	a->result[DATA_IN] = EACCES;
	CHECK_EQ(sock_inject_data_in(so, SA(from), text_packet("x"), NULL, 0), 0);
	a->result[DATA_IN] = EJUSTRETURN;
	CHECK_EQ(send4(so, LOOP4, 53, "y"), 0);
	let_run();
	CHECK_EQ(upcalls, 0);
	a->result[DATA_IN] = 0;
	CHECK_EQ(sock_inject_data_in(so, SA(from), text_packet("z"), NULL, 0), 0);
	CHECK_EQ(upcalls, 1);
	CHECK_STR(receive(so), "z");
	socantrcvmore(so);
	(void)said();
	/* Nobody will read it. */
	CHECK_EQ(sock_inject_data_in(so, SA(from), text_packet("late"), text_packet("c"), 0), 0);
	CHECK_STR(said(), "");
	CHECK_EQ(so->so_rcv.sb_cc, 0);
	soclose(so);
	sflt_testbed_end();
}

KTEST_PANICS(an_injected_datagram_without_header_is_noticed, "sock_inject_data_in: mbuf")
{
	struct socket *so = filtered_udp();
	struct sockaddr_in from = sin4(THERE4, 7);

	sock_inject_data_in(so, SA(from), m_get(curmachine(), MBUF_DONTWAIT, MBUF_TYPE_DATA), NULL, 0);
}

static void
inject_in(struct watcher *w, struct socket *so)
{
	(void)w;
	CHECK_EQ(sock_inject_data_in(so, NULL, text_packet("before,"), NULL, 0), 0);
}

/* In its own callback, where it is in front of what is being shown. */
KTEST(a_filter_injects_from_its_callback)
{
	filtered_connection();
	a->hook[DATA_IN] = inject_in;
	CHECK_EQ(say(client, "after"), 0);
	CHECK_STR(receive(server), "before,after");
	CHECK_STR(said(), "b.out(after) a.out(after) b.in(after) a.in(after) b.in(before,) a.in(before,)");
	close_all();
	sflt_testbed_end();
}

/* ---- injecting out ------------------------------------------------------------------------ */

KTEST(injecting_out_always_consumes)
{
	struct socket *so = filtered_udp();
	struct sockaddr_in to = sin4(LOOP4, 53);
	struct mbuf *bare = m_get(curmachine(), MBUF_DONTWAIT, MBUF_TYPE_HEADER);

	CHECK_EQ(sock_inject_data_out(NULL, SA(to), text_packet("x"), text_packet("y"), 0), EINVAL);
	CHECK_EQ(sock_inject_data_out(so, SA(to), NULL, text_packet("y"), 0), EINVAL);
	CHECK_EQ(sock_inject_data_out(so, NULL, text_packet("x"), NULL, 0), EDESTADDRREQ);
	CHECK_EQ(sock_inject_data_out(so, SA(to), text_packet("x"), text_packet("bad"), 0), EINVAL);
	/* Without a header it gets one; a wrong length is put right. */
	memcpy(bare->m_data, "bare", 4);
	bare->m_len = 4;
	CHECK_EQ(sock_inject_data_out(so, SA(to), bare, NULL, 0), 0);
	CHECK_STR(receive(so), "bare");
	bare = text_packet("length");
	bare->m_pkthdr.len = 12345;
	CHECK_EQ(sock_inject_data_out(so, SA(to), bare, NULL, 0), 0);
	CHECK_STR(receive(so), "length");
	bare = m_get(curmachine(), MBUF_DONTWAIT, MBUF_TYPE_DATA);
	fail_after(1);
	CHECK_EQ(sock_inject_data_out(so, SA(to), bare, NULL, 0), ENOBUFS);
	fail_after(0);
	CHECK_EQ(sbreserve(&so->so_snd, 3), 0);
	CHECK_EQ(sock_inject_data_out(so, SA(to), text_packet("long"), NULL, 0), EMSGSIZE);
	so->so_state |= SS_CANTSENDMORE;
	CHECK_EQ(sock_inject_data_out(so, SA(to), text_packet("x"), NULL, 0), EPIPE);
	so->so_state &= (uint16_t)~SS_CANTSENDMORE;
	soclose(so);
	connect_lo0();
	CHECK_EQ(sock_inject_data_out(client, NULL, text_packet("!"), NULL, sock_data_filt_flag_oob), 0);
	let_run();
	CHECK(server->so_state & SS_RCVATMARK);
	close_all();
	sflt_testbed_end();
}

static errno_t nested_result;

static void
send_in_callback(struct watcher *w, struct socket *so)
{
	size_t n = 0;

	(void)w;
	nested_result = sosend(so, NULL, "nested,", 7, NULL, NULL, 0, &n);
}

static void
fill_the_buffer(struct watcher *w, struct socket *so)
{
	size_t n = 0;
	char *big = kalloc(curmachine(), 100000);

	(void)w;
	nested_result = sosend(so, NULL, big, 100000, NULL, NULL, 0, &n);
	note("sent:%u", (unsigned)n);
	kfree(curmachine(), big);
}

/* The socket is the thread's own already; and it never waits for room that only it could make. */
KTEST(a_filter_sends_on_the_socket_from_its_callback)
{
	filtered_connection();
	b->hook[DATA_OUT] = send_in_callback;
	CHECK_EQ(say(client, "outer"), 0);
	CHECK_EQ(nested_result, 0);
	CHECK_STR(said(), "b.out(outer) b.out(nested,) a.out(nested,) a.out(outer)");
	CHECK_STR(receive(server), "nested,outer");
	CHECK_EQ(sbreserve(&client->so_snd, 20000), 0);
	CHECK_EQ(sbreserve(&server->so_rcv, 100), 0);
	b->hook[DATA_OUT] = fill_the_buffer;
	CHECK_EQ(say(client, "outer"), 0);
	CHECK_EQ(nested_result, EWOULDBLOCK);
	CHECK(client->so_filter_sender == NULL);
	close_all();
	sflt_testbed_end();
}

static struct socket *sending;

static void
sends_in_thread(void *arg, wait_result_t r)
{
	size_t n;

	(void)r;
	CHECK_EQ(sosend(sending, NULL, arg, strlen(arg), NULL, NULL, 0, &n), 0);
}

static void
sleep_in_callback(struct watcher *w, struct socket *so)
{
	(void)w;
	(void)so;
	sched_block(NULL, machine_now(curmachine()) + 5000000, false, "a filter sleeps");
	note("awake");
}

static void
send_from_two_threads(struct socket *so)
{
	struct thread *t[2];

	sending = so;
	b->hook[DATA_OUT] = sleep_in_callback;
	for (int i = 0; i < 2; i++)
		CHECK_EQ(kthread_create(sends_in_thread, (void *)(uintptr_t)(i == 0 ? "1" : "2"), &t[i]), 0);
	let_pass(20000000);
	for (int i = 0; i < 2; i++)
		kthread_release(t[i]);
	/* Another thread waits until the first is done with all its filters; not so what does not wait. */
	CHECK_STR(said(), "b.out(1) awake a.out(1) b.out(2) a.out(2)");
}

KTEST(what_threads_send_on_a_stream_is_shown_one_after_the_other)
{
	filtered_connection();
	b->result[DATA_IN] = a->result[DATA_IN] = EACCES;
	b->hook[DATA_IN] = NULL;
	sflt_detach(server, HANDLE('a'));
	sflt_detach(server, HANDLE('b'));
	let_run();
	send_from_two_threads(client);
	CHECK_STR(receive(server), "12");
	close_all();
	sflt_testbed_end();
}

KTEST(what_threads_send_as_datagrams_is_shown_one_after_the_other)
{
	struct socket *so = filtered_udp(), *other = udp4();

	CHECK_EQ(connect4(other, THERE4, 7), 0);
	(void)said();
	send_from_two_threads(other);
	soclose(other);
	soclose(so);
	forget(&sent);
	sflt_testbed_end();
}

/* ---- a callback that ends the connection --------------------------------------------------- */

static void
close_it(struct watcher *w, struct socket *so)
{
	struct socket **end = so == client ? &client : &server;

	(void)w;
	CHECK(so == *end);
	*end = NULL;
	CHECK_EQ(soclose(so), 0);
}

static void
shut_reading(struct watcher *w, struct socket *so)
{
	(void)w;
	CHECK_EQ(soshutdown(so, SHUT_RD), 0);
}

static void
shut_writing(struct watcher *w, struct socket *so)
{
	(void)w;
	CHECK_EQ(soshutdown(so, SHUT_WR), 0);
}

static void
abort_it(struct watcher *w, struct socket *so)
{
	(void)w;
	so->so_options |= SO_LINGER;
	so->so_linger = 0;
	CHECK_EQ(sodisconnect(so), 0);
}

/* Data come in order, out of order, filling a hole, with a FIN, while a filter ends the connection. */
KTEST(a_callback_may_end_the_connection_that_data_come_by)
{
	static hook_fn *const ends[] = {close_it, abort_it, shut_reading, shut_writing};

	sflt_testbed();
	quiet = true;
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	for (unsigned i = 0; i < 4 * sizeof ends / sizeof ends[0]; i++) {
		uint16_t peer = (uint16_t)(PEER_PORT + i);

		listening = listen4(OUR_PORT, 5);
		(void)handshake(peer);
		server = accepted(listening);
		CHECK(server != NULL);
		nevermind();
		if (i % 4 == 3)
			COME(.peer_port = peer, .flags = A, .seq = 1004, .ack = sototcpcb(server)->snd_nxt,
			    .win = 65535, .data = "later");
		a->hook[DATA_IN] = ends[i / 4];
		COME(.peer_port = peer, .flags = (uint16_t)(A | (i % 4 == 1 ? F : i % 4 == 2 ? P : 0)),
		    .seq = 1001, .ack = sototcpcb(server)->snd_nxt, .win = 65535, .data = "abc");
		CHECK(a->hook[DATA_IN] == NULL);
		if (server != NULL && ends[i / 4] == shut_reading)
			CHECK_EQ(server->so_rcv.sb_cc, 0);
		nevermind();
		close_all();
		/* The peer does not answer a FIN. */
		let_pass(3600 * TCP_NS_PER_S);
		nevermind();
	}
	sflt_testbed_end();
}

/* The filter that is shown what is sent shuts the sending side: it does not go behind the FIN. */
KTEST(a_callback_may_end_the_connection_that_is_sent_by)
{
	static hook_fn *const ends[] = {abort_it, shut_writing};

	sflt_testbed();
	quiet = true;
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		connect_lo0();
		a->hook[DATA_OUT] = ends[i];
		CHECK_EQ(say(client, "too late"), EPIPE);
		CHECK_STR(receive(server), "");
		close_all();
	}
	sflt_testbed_end();
}

/* ---- round and round ---------------------------------------------------------------------- */

static errno_t
put_back_at_once(void *cookie, socket_t so, const struct sockaddr *from, mbuf_t *data, mbuf_t *control,
    sflt_data_flag_t flags)
{
	(void)cookie;
	(void)control;
	(void)flags;
	CHECK_EQ(sock_inject_data_in(so, from, *data, NULL, 0), 0);
	return EJUSTRETURN;
}

KTEST_PANICS(data_that_go_round_for_ever_are_noticed, "sf_data_in of")
{
	struct sflt_filter f;
	struct socket *so;

	sflt_testbed();
	f = filter_of('a', SFLT_GLOBAL);
	f.sf_data_in = put_back_at_once;
	CHECK_EQ(sflt_register(&f, PF_INET, SOCK_DGRAM, IPPROTO_UDP), 0);
	so = udp4();
	CHECK_EQ(bind4(so, LOOP4, 53), 0);
	CHECK_EQ(send4(so, LOOP4, 53, "x"), 0);
	let_run();
}

/* As it is meant: what one has put back oneself is known by its tag. */
static errno_t
put_back_once(void *cookie, socket_t so, const struct sockaddr *from, mbuf_t *data, mbuf_t *control,
    sflt_data_flag_t flags)
{
	size_t len;
	void *tag;

	(void)cookie;
	(void)flags;
	if (mbuf_tag_find(*data, tag_id(), OWN, &len, &tag) == 0)
		return 0;
	CHECK_EQ(mbuf_tag_allocate(*data, tag_id(), OWN, 4, MBUF_DONTWAIT, &tag), 0);
	CHECK_EQ(sock_inject_data_in(so, from, *data, control != NULL ? *control : NULL, 0), 0);
	return EJUSTRETURN;
}

KTEST(a_tag_tells_what_was_put_back)
{
	struct sflt_filter f;
	struct socket *so;

	sflt_testbed();
	quiet = true;
	f = filter_of('a', SFLT_GLOBAL);
	f.sf_data_in = put_back_once;
	CHECK_EQ(sflt_register(&f, PF_INET, SOCK_DGRAM, IPPROTO_UDP), 0);
	so = udp4();
	CHECK_EQ(bind4(so, LOOP4, 53), 0);
	CHECK_EQ(send4(so, LOOP4, 53, "x"), 0);
	CHECK_STR(receive(so), "x");
	soclose(so);
	sflt_testbed_end();
}

KTEST_SUITE(sflt_data, T(streams_pass_in_pieces_without_addresses), T(datagrams_pass_whole_with_addresses),
    T(what_cannot_be_sent_is_not_shown), T(a_filter_refuses_what_is_sent), T(a_filter_refuses_what_comes),
    T(data_can_be_replaced_by_more_or_less), T(datagrams_can_be_replaced),
    T(a_datagram_may_begin_at_an_odd_place),
    T(a_datagram_without_header_is_noticed), T(a_datagram_that_came_without_header_is_noticed),
    T(freed_data_is_noticed), T(freed_data_that_came_is_noticed), T(no_data_for_a_datagram_is_noticed),
    T(a_wrong_length_is_noticed), T(what_a_filter_takes_the_sender_has_sent),
    T(what_a_filter_takes_from_a_stream_comes_back_in_its_place), T(datagrams_are_taken_and_put_back),
    T(injecting_in_checks_its_arguments), T(injected_records_are_of_the_kind_that_is_asked_for),
    T(what_there_is_no_room_for_is_dropped_and_nobody_woken),
    T(an_injected_datagram_without_header_is_noticed),
    T(a_filter_injects_from_its_callback), T(injecting_out_always_consumes),
    T(a_filter_sends_on_the_socket_from_its_callback),
    T(what_threads_send_on_a_stream_is_shown_one_after_the_other),
    T(what_threads_send_as_datagrams_is_shown_one_after_the_other),
    T(a_callback_may_end_the_connection_that_data_come_by),
    T(a_callback_may_end_the_connection_that_is_sent_by), T(data_that_go_round_for_ever_are_noticed),
    T(a_tag_tells_what_was_put_back));
