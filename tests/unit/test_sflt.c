/* sockfilter/, kpi/kpi_socketfilter.c: registering, attaching, detaching, order, and who is called last. */
#include "tests/unit/sflt_testing.h"

/* ---- registering -------------------------------------------------------------------------- */

KTEST(registering_checks_in_the_order_of_the_interface)
{
	struct sflt_filter f, good;

	sflt_testbed();
	good = filter_of('a', SFLT_GLOBAL);
	f = (struct sflt_filter){.sf_handle = 0};
	CHECK_EQ(sflt_register(&f, PF_LOCAL, SOCK_STREAM, 0), ENOTSUP);
	CHECK_EQ(sflt_register(&f, PF_INET, SOCK_STREAM, IPPROTO_UDP), ENOENT);
	/* Protocol 0 is no wildcard, but for raw sockets it is a protocol of its own. */
	CHECK_EQ(sflt_register(&f, PF_INET, SOCK_STREAM, 0), ENOENT);
	CHECK_EQ(sflt_register(&f, PF_INET, SOCK_RAW, 200), EINVAL);
	CHECK_EQ(sflt_register(&f, PF_INET, SOCK_STREAM, IPPROTO_TCP), EINVAL);
	for (int i = 0; i < 4; i++) {
		f = good;
		if (i == 0)
			f.sf_handle = 0;
		else if (i == 1)
			f.sf_attach = NULL;
		else if (i == 2)
			f.sf_detach = NULL;
		else
			f.sf_name = NULL;
		CHECK_EQ(sflt_register(&f, PF_INET, SOCK_STREAM, IPPROTO_TCP), EINVAL);
	}
	CHECK_EQ(sflt_register(&good, PF_INET, SOCK_STREAM, IPPROTO_TCP), 0);
	/* The handle is one for all protocols. */
	CHECK_EQ(sflt_register(&good, PF_INET6, SOCK_DGRAM, IPPROTO_UDP), EEXIST);
	fail_after(1);
	CHECK_EQ(sflt_register(&good, PF_INET6, SOCK_DGRAM, IPPROTO_UDP), ENOBUFS);
	fail_after(0);
	CHECK_EQ(sflt_unregister(HANDLE('b')), ENOENT);
	CHECK_EQ(sflt_unregister(HANDLE('a')), 0);
	CHECK_STR(said(), "a.unregistered");
	CHECK_EQ(sflt_unregister(HANDLE('a')), ENOENT);
	sflt_testbed_end();
}

KTEST(filters_are_for_one_kind_of_socket)
{
	struct sflt_filter f;
	struct socket *so[5];

	sflt_testbed();
	f = filter_of('a', SFLT_GLOBAL);
	CHECK_EQ(sflt_register(&f, PF_INET6, SOCK_DGRAM, IPPROTO_UDP), 0);
	register_filter('b', SFLT_GLOBAL, SOCK_STREAM);
	register_filter('c', SFLT_PROG, SOCK_STREAM);
	so[0] = tcp_socket(PF_INET);
	CHECK_STR(said(), "b.attach");
	so[1] = tcp_socket(PF_INET6);
	so[2] = udp4();
	so[3] = make_socket(PF_INET, SOCK_RAW, IPPROTO_TCP);
	CHECK_STR(said(), "");
	so[4] = udp6();
	CHECK_STR(said(), "a.attach");
	for (int i = 0; i < 5; i++)
		CHECK_EQ(soclose(so[i]), 0);
	sflt_testbed_end();
}

KTEST(the_extension_is_copied_as_far_as_it_goes)
{
	struct sflt_filter f;

	sflt_testbed();
	f = filter_of('a', SFLT_EXTENDED);
	f.sf_len = sizeof(unsigned int) + sizeof(void *) + 4;
	CHECK_EQ(sflt_register(&f, PF_INET, SOCK_STREAM, IPPROTO_TCP), 0);
	CHECK(sflt_find(curmachine(), HANDLE('a'))->f.sf_accept == on_accept);
	f = filter_of('b', SFLT_EXTENDED);
	f.sf_len = sizeof(unsigned int);
	CHECK_EQ(sflt_register(&f, PF_INET, SOCK_STREAM, IPPROTO_TCP), 0);
	CHECK(sflt_find(curmachine(), HANDLE('b'))->f.sf_accept == NULL);
	f = filter_of('c', SFLT_EXTENDED);
	f.sf_len = 4096;
	f.sf_flags = 0;
	CHECK_EQ(sflt_register(&f, PF_INET, SOCK_STREAM, IPPROTO_TCP), 0);
	CHECK(sflt_find(curmachine(), HANDLE('c'))->f.sf_accept == NULL);
	sflt_testbed_end();
}

/* ---- order -------------------------------------------------------------------------------- */

KTEST(the_newest_attachment_comes_first_for_everything)
{
	sflt_testbed();
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	register_filter('b', SFLT_GLOBAL, SOCK_STREAM);
	register_filter('c', SFLT_PROG, SOCK_STREAM);
	client = tcp_socket(PF_INET);
	/* Those that are registered first are attached first. */
	CHECK_STR(said(), "a.attach b.attach");
	CHECK_EQ(sflt_attach(client, HANDLE('c')), 0);
	CHECK_STR(said(), "c.attach");
	CHECK_EQ(bind4(client, LOOP4, 1234), 0);
	CHECK_STR(said(), "c.bind(1234) b.bind(1234) a.bind(1234) c.10 b.10 a.10");
	close_all();
	CHECK_STR(said(), "c.9 b.9 a.9 c.4 b.4 a.4 c.5 b.5 a.5 c.detach b.detach a.detach");
	sflt_testbed_end();
}

/* ---- attaching ---------------------------------------------------------------------------- */

struct nke_value {
	uint32_t handle, where;
	int32_t flags;
	uint32_t reserved[4];
};

static errno_t
set_nke(struct socket *so, uint32_t handle, size_t len)
{
	struct nke_value v = {.handle = handle, .where = 77};

	return set_option(so, SOL_SOCKET, SO_NKE, &v, len);
}

KTEST(a_filter_is_attached_by_call_and_by_option)
{
	sflt_testbed();
	client = tcp_socket(PF_INET);
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	register_filter('b', 0, SOCK_DGRAM);
	CHECK_STR(said(), "");
	CHECK_EQ(sflt_attach(client, 0), EINVAL);
	CHECK_EQ(sflt_attach(NULL, HANDLE('a')), EINVAL);
	CHECK_EQ(sflt_attach(client, HANDLE('c')), EINVAL);
	CHECK_EQ(set_nke(client, 0, sizeof(struct nke_value)), EINVAL);
	CHECK_EQ(set_nke(client, HANDLE('c'), sizeof(struct nke_value)), EINVAL);
	CHECK_EQ(set_nke(client, HANDLE('a'), sizeof(struct nke_value) - 1), EINVAL);
	fail_after(1);
	CHECK_EQ(sflt_attach(client, HANDLE('a')), ENOMEM);
	fail_after(1);
	CHECK_EQ(set_nke(client, HANDLE('a'), sizeof(struct nke_value)), ENOMEM);
	fail_after(0);
	CHECK_STR(said(), "");
	CHECK_EQ(sflt_attach(client, HANDLE('a')), 0);
	CHECK_STR(said(), "a.attach");
	/* Of whatever kind the filter is, and it is asked about the option that attaches another. */
	CHECK_EQ(set_nke(client, HANDLE('b'), sizeof(struct nke_value)), 0);
	CHECK_STR(said(), "a.set(ffff,1021,28) b.attach");
	close_all();
	CHECK_STR(said(), "b.9 a.9 b.4 a.4 b.5 a.5 b.detach a.detach");
	sflt_testbed_end();
}

KTEST(the_same_filter_twice_is_noticed_only_next_to_itself)
{
	sflt_testbed();
	register_filter('a', 0, SOCK_STREAM);
	register_filter('b', 0, SOCK_STREAM);
	client = tcp_socket(PF_INET);
	CHECK_EQ(sflt_attach(client, HANDLE('a')), 0);
	CHECK_EQ(sflt_attach(client, HANDLE('a')), EEXIST);
	CHECK_EQ(sflt_attach(client, HANDLE('b')), 0);
	CHECK_EQ(sflt_attach(client, HANDLE('a')), 0);
	(void)said();
	CHECK_EQ(bind4(client, LOOP4, 1234), 0);
	CHECK_STR(said(), "a.bind(1234) b.bind(1234) a.bind(1234) a.10 b.10 a.10");
	/* Until it is gone a detached one counts, too. */
	CHECK_EQ(sflt_detach(client, HANDLE('a')), 0);
	CHECK_EQ(sflt_attach(client, HANDLE('a')), EEXIST);
	let_run();
	CHECK_STR(said(), "a.detach");
	CHECK_EQ(sflt_attach(client, HANDLE('a')), 0);
	quiet = true;
	close_all();
	sflt_testbed_end();
}

KTEST(a_filter_that_refuses_is_not_detached)
{
	sflt_testbed();
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	register_filter('b', SFLT_GLOBAL, SOCK_STREAM);
	a->result[ATTACH] = EPERM;
	b->result[ATTACH] = EJUSTRETURN;
	client = tcp_socket(PF_INET);
	CHECK_STR(said(), "a.attach b.attach");
	CHECK(client->so_filters == NULL);
	CHECK_EQ(sflt_attach(client, HANDLE('a')), EPERM);
	CHECK_EQ(sflt_attach(client, HANDLE('b')), EJUSTRETURN);
	(void)said();
	close_all();
	CHECK_STR(said(), "");
	sflt_testbed_end();
}

static void
bind_it(struct watcher *w, struct socket *so)
{
	(void)w;
	CHECK_EQ(bind4(so, LOOP4, 1234), 0);
}

/* Interface fact: it is there for others before sf_attach has returned, its cookie not. */
KTEST(during_sf_attach_the_cookie_is_null)
{
	struct sflt_filter f;

	sflt_testbed();
	f = filter_of('a', SFLT_GLOBAL);
	f.sf_bind = NULL;
	CHECK_EQ(sflt_register(&f, PF_INET, SOCK_STREAM, IPPROTO_TCP), 0);
	a->hook[ATTACH] = bind_it;
	client = tcp_socket(PF_INET);
	CHECK_STR(said(), "a.attach ?.10");
	close_all();
	sflt_testbed_end();
}

/* ---- existing sockets --------------------------------------------------------------------- */

KTEST(existing_sockets_are_left_alone_unless_asked_for)
{
	struct socket *udp;

	sflt_testbed();
	connect_lo0();
	udp = udp4();
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	CHECK_STR(said(), "");
	/* All global filters are offered again; the new one is told nothing of their state. */
	register_filter('b', SFLT_GLOBAL | SFLT_EXTENDED_REGISTRY, SOCK_STREAM);
	CHECK_STR(said(), "a.attach b.attach a.attach b.attach a.2 a.attach b.attach a.2");
	soclose(udp);
	quiet = true;
	close_all();
	sflt_testbed_end();
}

KTEST(late_filters_hear_the_state_of_sockets)
{
	struct socket *so[5];

	sflt_testbed();
	for (int i = 0; i < 5; i++)
		so[i] = tcp_socket(PF_INET);
	so[0]->so_state |= SS_ISCONNECTING;
	so[1]->so_state |= SS_ISDISCONNECTING | SS_CANTRCVMORE | SS_CANTSENDMORE;
	so[2]->so_state |= SS_ISDISCONNECTED | SS_CANTRCVMORE | SS_CANTSENDMORE;
	so[3]->so_state |= SS_CANTSENDMORE;
	so[4]->so_state |= SS_CANTRCVMORE;
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	register_filter('b', SFLT_GLOBAL | SFLT_EXTENDED_REGISTRY, SOCK_STREAM);
	CHECK_STR(said(), "a.attach b.attach a.1 a.attach b.attach a.3 a.attach b.attach a.4 "
	    "a.attach b.attach a.8 a.attach b.attach a.7");
	quiet = true;
	for (int i = 0; i < 5; i++) {
		so[i]->so_state = 0;
		soclose(so[i]);
	}
	sflt_testbed_end();
}

/* ---- detaching ---------------------------------------------------------------------------- */

KTEST(detaching_is_done_later_and_once)
{
	sflt_testbed();
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	client = tcp_socket(PF_INET);
	(void)said();
	CHECK_EQ(sflt_detach(NULL, HANDLE('a')), EINVAL);
	CHECK_EQ(sflt_detach(client, 0), EINVAL);
	CHECK_EQ(sflt_detach(client, HANDLE('b')), 0);
	CHECK_EQ(sflt_detach(client, HANDLE('a')), 0);
	CHECK_EQ(sflt_detach(client, HANDLE('a')), 0);
	CHECK_STR(said(), "");
	CHECK_EQ(bind4(client, LOOP4, 1234), 0);
	CHECK_STR(said(), "");
	let_run();
	CHECK_STR(said(), "a.detach");
	CHECK(client->so_filters == NULL);
	close_all();
	CHECK_STR(said(), "");
	sflt_testbed_end();
}

KTEST(a_socket_that_ends_does_not_wait_for_the_cleanup)
{
	sflt_testbed();
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	register_filter('b', SFLT_GLOBAL, SOCK_STREAM);
	client = tcp_socket(PF_INET);
	(void)said();
	CHECK_EQ(sflt_detach(client, HANDLE('a')), 0);
	CHECK_EQ(soclose(client), 0);
	client = NULL;
	CHECK_STR(said(), "b.9 b.4 b.5 b.detach a.detach");
	let_run();
	CHECK_STR(said(), "");
	sflt_testbed_end();
}

KTEST(sf_unregistered_is_the_last_call)
{
	struct socket *other;

	sflt_testbed();
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	client = tcp_socket(PF_INET);
	other = tcp_socket(PF_INET);
	(void)said();
	CHECK_EQ(sflt_unregister(HANDLE('a')), 0);
	/* Not any more, on sockets that are there and on new ones. */
	CHECK_EQ(bind4(client, LOOP4, 1234), 0);
	CHECK_EQ(sflt_attach(client, HANDLE('a')), EINVAL);
	CHECK_STR(said(), "");
	/* The handle is free at once: what was attached belongs to the old one. */
	register_filter('a', 0, SOCK_STREAM);
	CHECK_EQ(soclose(other), 0);
	CHECK_STR(said(), "a.detach");
	let_run();
	CHECK_STR(said(), "a.detach a.unregistered");
	close_all();
	CHECK_EQ(sflt_unregister(HANDLE('a')), 0);
	CHECK_STR(said(), "a.unregistered");
	sflt_testbed_end();
}

static void
detach_itself(struct watcher *w, struct socket *so)
{
	CHECK_EQ(sflt_detach(so, HANDLE((unsigned)w->name[0])), 0);
	note("leaving");
}

static void
unregister_itself(struct watcher *w, struct socket *so)
{
	(void)so;
	CHECK_EQ(sflt_unregister(HANDLE((unsigned)w->name[0])), 0);
	note("leaving");
}

/* From inside each callback of a connection's life; then it is called no more. */
KTEST(a_filter_may_go_in_any_callback)
{
	static const enum called all[] = {ATTACH, NOTIFY, DATA_IN, DATA_OUT, CONNECT_IN, CONNECT_OUT, BIND,
	    SETOPTION, GETOPTION, LISTEN, IOCTL, ACCEPT};

	sflt_testbed();
	quiet = true;
	for (unsigned i = 0; i < 2 * sizeof all / sizeof all[0]; i++) {
		struct sockaddr_in to = sin4(LOOP4, 80), from = sin4(LOOP4, 0);
		bool unregister = i & 1;
		int on = 0;

		memset(a->calls, 0, sizeof a->calls);
		a->hook[all[i / 2]] = unregister ? unregister_itself : detach_itself;
		register_filter('a', SFLT_GLOBAL | SFLT_EXTENDED, SOCK_STREAM);
		listening = listen4(80, 5);
		client = tcp_socket(PF_INET);
		CHECK_EQ(sobind(client, SA(from)), 0);
		CHECK_EQ(soconnect(client, SA(to), 0), 0);
		let_run();
		server = accepted(listening);
		CHECK(server != NULL);
		CHECK_EQ(set_int(client, IPPROTO_TCP, TCP_NODELAY, 1), 0);
		CHECK_EQ(get_int(client, IPPROTO_TCP, TCP_NODELAY), 1);
		CHECK_EQ(soioctl(client, FIONBIO, &on), 0);
		CHECK_EQ(say(client, "one"), 0);
		CHECK_STR(receive(server), "one");
		CHECK_EQ(say(server, "two"), 0);
		CHECK_STR(receive(client), "two");
		CHECK(a->hook[all[i / 2]] == NULL);
		close_all();
		(void)sflt_unregister(HANDLE('a'));
		let_run();
		CHECK_EQ(a->calls[DETACH], a->calls[ATTACH]);
		CHECK_EQ(a->calls[UNREGISTERED], 1);
		a->calls[UNREGISTERED] = 0;
	}
	sflt_testbed_end();
}

static void
sleep_long(struct watcher *w, struct socket *so)
{
	(void)w;
	(void)so;
	sched_block(NULL, machine_now(curmachine()) + 5000000, false, "a filter sleeps");
	note("awake");
}

static void
bind_in_thread(void *arg, wait_result_t r)
{
	(void)arg;
	(void)r;
	note("bound:%d", bind4(client, LOOP4, 1234));
}

KTEST(detaching_from_another_thread_waits_for_the_callback)
{
	struct thread *t;

	sflt_testbed();
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	register_filter('b', SFLT_GLOBAL, SOCK_STREAM);
	client = tcp_socket(PF_INET);
	b->hook[BIND] = sleep_long;
	(void)said();
	CHECK_EQ(kthread_create(bind_in_thread, NULL, &t), 0);
	let_run();
	CHECK_STR(said(), "b.bind(1234)");
	CHECK_EQ(sflt_unregister(HANDLE('b')), 0);
	CHECK_EQ(sflt_detach(client, HANDLE('a')), 0);
	let_run();
	/* Nobody is in a's callback; b's has not returned. */
	CHECK_STR(said(), "a.detach");
	let_pass(10000000);
	CHECK_STR(said(), "awake bound:0 b.detach b.unregistered");
	kthread_release(t);
	close_all();
	sflt_testbed_end();
}

/* The socket is closed while the cleanup is in sf_detach: who comes back from there ends it. */
KTEST(sf_detach_may_sleep)
{
	sflt_testbed();
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	register_filter('b', SFLT_GLOBAL, SOCK_STREAM);
	client = tcp_socket(PF_INET);
	(void)said();
	b->hook[DETACH] = sleep_long;
	CHECK_EQ(sflt_unregister(HANDLE('b')), 0);
	let_run();
	CHECK_STR(said(), "b.detach");
	/* It is not gone yet. */
	CHECK(client->so_filters->filter->f.sf_handle == HANDLE('b'));
	CHECK_EQ(soclose(client), 0);
	client = NULL;
	CHECK_STR(said(), "a.9 a.4");
	let_pass(10000000);
	CHECK_STR(said(), "awake b.unregistered a.5 a.detach");
	sflt_testbed_end();
}

static void
keep_open(struct watcher *w, struct socket *so)
{
	(void)w;
	so_retain(so);
}

/* The user's last reference goes in the middle of a callback of another thread. */
KTEST(a_socket_ends_after_its_callbacks)
{
	struct socket *so;
	struct thread *t;

	sflt_testbed();
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	so = client = tcp_socket(PF_INET);
	a->hook[BIND] = sleep_long;
	(void)said();
	so_retain(so);		/* the thread's, as a call by descriptor has it */
	CHECK_EQ(kthread_create(bind_in_thread, NULL, &t), 0);
	let_run();
	CHECK_EQ(soclose(client), 0);
	CHECK_STR(said(), "a.bind(1234) a.9 a.4");
	let_pass(10000000);
	/* Its protocol is gone. */
	CHECK_STR(said(), "awake bound:22");
	kthread_release(t);
	a->hook[NOTIFY] = keep_open;
	so_release(so);
	client = NULL;
	/* Somebody has taken it again: it goes on without filters. */
	CHECK_STR(said(), "a.5 a.detach");
	CHECK(so->so_filters == NULL);
	CHECK_EQ(sflt_attach(so, HANDLE('a')), EINVAL);
	so_release(so);
	sflt_testbed_end();
}

/* ---- what is locked on a Mac ---------------------------------------------------------------- */

static void
attach_b_to_the_listener(struct watcher *w, struct socket *so)
{
	(void)w;
	CHECK(so != listening);
	(void)sflt_attach(listening, HANDLE('b'));
}

KTEST_PANICS(the_listener_is_locked_while_a_connection_is_made, "sflt_attach was called from sf_attach")
{
	sflt_testbed();
	register_filter('b', 0, SOCK_STREAM);
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	listening = listen4(OUR_PORT, 5);
	a->hook[ATTACH] = attach_b_to_the_listener;
	(void)handshake(PEER_PORT);
}

static void
attach_b_to_it(struct watcher *w, struct socket *so)
{
	(void)w;
	CHECK_EQ(sflt_attach(so, HANDLE('b')), 0);
}

KTEST_PANICS(existing_sockets_are_locked_while_they_are_visited, "sflt_attach was called from sf_attach")
{
	sflt_testbed();
	register_filter('b', 0, SOCK_STREAM);
	client = tcp_socket(PF_INET);
	a->hook[ATTACH] = attach_b_to_it;
	register_filter('a', SFLT_GLOBAL | SFLT_EXTENDED_REGISTRY, SOCK_STREAM);
}

KTEST(new_sockets_are_not_locked)
{
	sflt_testbed();
	register_filter('b', 0, SOCK_STREAM);
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	a->hook[ATTACH] = attach_b_to_it;
	client = tcp_socket(PF_INET);
	CHECK_STR(said(), "a.attach b.attach");
	quiet = true;
	close_all();
	sflt_testbed_end();
}

/* ---- the ledger --------------------------------------------------------------------------- */

KTEST(the_ledger_says_what_holds_a_filter)
{
	char text[256];

	sflt_testbed();
	register_filter('a', SFLT_GLOBAL, SOCK_STREAM);
	a->unlike = a;
	client = tcp_socket(PF_INET);
	CHECK_EQ(bind4(client, HERE4, 80), 0);
	ledger_describe(curmachine(), &client->so_filters->filter->held.ledger, text, sizeof text);
	CHECK(strstr(text, "socket filter \"sflt-a\" (0x66000061) for tcp, from ") == text);
	ledger_describe(curmachine(), &client->so_filters->held.ledger, text, sizeof text);
	CHECK(strstr(text, "socket filter \"sflt-a\" on socket ") == text);
	CHECK(strstr(text, " (tcp 10.0.0.1:80), cookie 0x") != NULL);
	quiet = true;
	close_all();
	sflt_testbed_end();
}

KTEST_SUITE(sflt, T(registering_checks_in_the_order_of_the_interface), T(filters_are_for_one_kind_of_socket),
    T(the_extension_is_copied_as_far_as_it_goes), T(the_newest_attachment_comes_first_for_everything),
    T(a_filter_is_attached_by_call_and_by_option), T(the_same_filter_twice_is_noticed_only_next_to_itself),
    T(a_filter_that_refuses_is_not_detached), T(during_sf_attach_the_cookie_is_null),
    T(existing_sockets_are_left_alone_unless_asked_for), T(late_filters_hear_the_state_of_sockets),
    T(detaching_is_done_later_and_once), T(a_socket_that_ends_does_not_wait_for_the_cleanup),
    T(sf_unregistered_is_the_last_call), T(a_filter_may_go_in_any_callback),
    T(detaching_from_another_thread_waits_for_the_callback), T(a_socket_ends_after_its_callbacks),
    T(the_listener_is_locked_while_a_connection_is_made), T(sf_detach_may_sleep),
    T(existing_sockets_are_locked_while_they_are_visited), T(new_sockets_are_not_locked),
    T(the_ledger_says_what_holds_a_filter));
