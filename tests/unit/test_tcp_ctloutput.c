/* src/netinet/tcp_ctloutput.c, tcp_info.c: options of level IPPROTO_TCP. */
#include "src/netinet/tcp_user.h"
#include "tests/unit/tcp_testing.h"

static struct socket *
established(struct socket **listener)
{
	*listener = listen4(OUR_PORT, 5);
	(void)handshake(PEER_PORT);
	return accepted(*listener);
}

/* Ends both without a word more. */
static void
cut(struct socket *so, struct socket *listener)
{
	if (so->so_pcb != NULL)
		tcp_drop(sototcpcb(so), 0);
	CHECK_EQ(soclose(so) + soclose(listener), 0);
	let_run();
}

KTEST(every_option_is_kept_and_given_back)
{
	static const struct {
		int name, before, value, after;
	} options[] = {
		{TCP_NODELAY, 0, 7, 1}, {TCP_NOPUSH, 0, 1, 1}, {TCP_NOOPT, 0, 1, 1},
		{TCP_RXT_FINDROP, 0, 1, 1},
		{TCP_MAXSEG, 536, 1000, 1000}, {TCP_KEEPALIVE, 7200, 60, 60}, {TCP_KEEPINTVL, 75, 5, 5},
		{TCP_KEEPCNT, 8, 3, 3}, {TCP_CONNECTIONTIMEOUT, 75, 20, 20}, {CORE_TCP_KEEPINIT, 20, 30, 30},
		{TCP_CONNECTIONTIMEOUT, 30, 0, 75}, {PERSIST_TIMEOUT, 0, 9, 9},
		{TCP_RXT_CONNDROPTIME, 0, 4, 4},
		{CORE_TCP_MAXUNACKTIME, 4, 5, 5}, {CORE_TCP_USER_TIMEOUT, 5000, 2500, 2500},
		{TCP_SENDMOREACKS, 0, 1, 1}, {TCP_ENABLE_ECN, 0, 1, 1}, {TCP_FASTOPEN, 0, 1, 1},
		{TCP_NOTSENT_LOWAT, 0, 4096, 4096}
	};
	struct socket *so;

	tcp_testbed();
	so = tcp_socket(PF_INET);
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		CHECK_EQ(get_int(so, IPPROTO_TCP, options[i].name), options[i].before);
		CHECK_EQ(set_int(so, IPPROTO_TCP, options[i].name, options[i].value), 0);
		CHECK_EQ(get_int(so, IPPROTO_TCP, options[i].name), options[i].after);
	}
	for (int name = TCP_NODELAY; name <= TCP_NOOPT; name <<= 1)
		if (name != TCP_MAXSEG)
			CHECK_EQ(set_int(so, IPPROTO_TCP, name, 0), 0);
	CHECK_EQ(sototcpcb(so)->t_flags & (TF_NODELAY | TF_NOPUSH | TF_NOOPT), 0);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

KTEST(wrong_values_are_refused)
{
	struct tcp_connection_info info = {0};
	struct socket *so;
	char half = 1;

	tcp_testbed();
	so = tcp_socket(PF_INET);
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_MAXSEG, 100), EINVAL);
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_MAXSEG, 70000), EINVAL);
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_KEEPALIVE, -1), EINVAL);
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_KEEPINTVL, INT32_MAX), EINVAL);
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_KEEPCNT, -1), EINVAL);
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_SENDMOREACKS, 2), EINVAL);
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_NOTSENT_LOWAT, -1), EINVAL);
	CHECK_EQ(set_int(so, IPPROTO_TCP, 0x7777, 1), ENOPROTOOPT);
	CHECK_EQ(get_int(so, IPPROTO_TCP, 0x7777), -1);
	CHECK_EQ(set_option(so, IPPROTO_TCP, TCP_NODELAY, &half, 1), EINVAL);
	CHECK_EQ(set_option(so, IPPROTO_TCP, TCP_CONNECTION_INFO, &info, sizeof info), ENOPROTOOPT);
	/* The machine does not want it, as a listener. */
	CHECK_EQ(bind4(so, INADDR_ANY, 80), 0);
	CHECK_EQ(solisten(so, 1), 0);
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_FASTOPEN, 1), EPERM);
	tconfig()->fastopen_server = 1;
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_FASTOPEN, 1), 0);
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_FASTOPEN, 0), 0);
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

KTEST(congestion_control_by_name)
{
	char name[TCP_CA_NAME_MAX] = "";
	struct sockopt get = {SOPT_GET, IPPROTO_TCP, CORE_TCP_CONGESTION, name, sizeof name};
	struct socket *so;

	tcp_testbed();
	so = tcp_socket(PF_INET);
	CHECK_EQ(sogetopt(so, &get), 0);
	CHECK_STR(name, "cubic");
	CHECK_EQ(set_option(so, IPPROTO_TCP, CORE_TCP_CONGESTION, "newreno", 8), 0);
	get.sopt_valsize = sizeof name;
	CHECK_EQ(sogetopt(so, &get), 0);
	CHECK_STR(name, "newreno");
	CHECK_EQ(set_option(so, IPPROTO_TCP, CORE_TCP_CONGESTION, "vegas", 5), ESRCH);
	CHECK_EQ(set_option(so, IPPROTO_TCP, CORE_TCP_CONGESTION, "cubiccubiccubiccubic", 20), EINVAL);
	CHECK_EQ(set_option(so, IPPROTO_TCP, CORE_TCP_CONGESTION, "", 0), EINVAL);
	CHECK_STR(sototcpcb(so)->t_cc->name, "newreno");
	CHECK_EQ(soclose(so), 0);
	testbed_end();
}

/* A listener's connections are as it is. */
KTEST(connections_inherit_options)
{
	struct socket *listener, *so;

	tcp_testbed();
	listener = listen4(OUR_PORT, 5);
	CHECK_EQ(set_int(listener, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	CHECK_EQ(set_int(listener, IPPROTO_TCP, TCP_KEEPALIVE, 33), 0);
	CHECK_EQ(set_int(listener, IPPROTO_TCP, CORE_TCP_USER_TIMEOUT, 4444), 0);
	CHECK_EQ(set_option(listener, IPPROTO_TCP, CORE_TCP_CONGESTION, "newreno", 7), 0);
	CHECK_EQ(set_int(listener, IPPROTO_IP, IP_TTL, 9), 0);
	(void)handshake(PEER_PORT);
	so = accepted(listener);
	CHECK(so != NULL);
	CHECK_EQ(get_int(so, IPPROTO_TCP, TCP_NODELAY), 1);
	CHECK_EQ(get_int(so, IPPROTO_TCP, TCP_KEEPALIVE), 33);
	CHECK_EQ(get_int(so, IPPROTO_TCP, CORE_TCP_USER_TIMEOUT), 4444);
	CHECK_EQ(get_int(so, IPPROTO_IP, IP_TTL), 9);
	CHECK_STR(sototcpcb(so)->t_cc->name, "newreno");
	cut(so, listener);
	testbed_end();
}

/* Nagle's algorithm holds a short segment back; without it, or with it switched off, it goes. */
KTEST(what_was_held_back_goes)
{
	struct socket *listener, *so;
	size_t n;

	tcp_testbed();
	so = established(&listener);
	CHECK_EQ(sosend(so, NULL, "one", 3, NULL, NULL, 0, &n), 0);
	CHECK_EQ(sosend(so, NULL, "two", 3, NULL, NULL, 0, &n), 0);
	let_run();
	CHECK_STR(went().text, "one");
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_NODELAY, 1), 0);
	let_run();
	CHECK_STR(went().text, "two");
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_NOPUSH, 1), 0);
	CHECK_EQ(sosend(so, NULL, "three", 5, NULL, NULL, 0, &n), 0);
	let_run();
	CHECK_EQ(waiting(), 0);
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_NOPUSH, 0), 0);
	let_run();
	CHECK_STR(went().text, "three");
	/* What is agreed upon can only become less. */
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_MAXSEG, 1400), EINVAL);
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_MAXSEG, 300), 0);
	CHECK_EQ(get_int(so, IPPROTO_TCP, TCP_MAXSEG), 300);
	cut(so, listener);
	testbed_end();
}

KTEST(what_is_told_of_a_connection)
{
	struct tcp_connection_info ci;
	struct core_tcp_info ti;
	struct sockopt get = {SOPT_GET, IPPROTO_TCP, TCP_CONNECTION_INFO, &ci, sizeof ci};
	struct socket *listener, *so;
	size_t n;

	tcp_testbed();
	so = established(&listener);
	CHECK_EQ(sosend(so, NULL, "one", 3, NULL, NULL, 0, &n), 0);
	CHECK_EQ(sosend(so, NULL, "two!", 4, NULL, NULL, 0, &n), 0);
	let_run();
	CHECK_EQ(sogetopt(so, &get), 0);
	CHECK_EQ(get.sopt_valsize, sizeof ci);
	CHECK_EQ(ci.tcpi_state, TCPS_ESTABLISHED);
	CHECK_EQ(ci.tcpi_options, 0);
	CHECK_EQ(ci.tcpi_maxseg, 536);
	CHECK_EQ(ci.tcpi_snd_sbbytes, 7);
	CHECK_EQ(ci.tcpi_txbytes, 3);
	CHECK_EQ(ci.tcpi_snd_wnd, 65535);
	get.sopt_name = CORE_TCP_INFO;
	get.sopt_val = &ti;
	get.sopt_valsize = sizeof ti;
	CHECK_EQ(sogetopt(so, &get), 0);
	CHECK_EQ(get.sopt_valsize, sizeof ti);
	CHECK_EQ(ti.tcpi_state, TCPS_ESTABLISHED);
	CHECK_EQ(ti.tcpi_ca_state, CORE_TCPI_OPEN);
	CHECK_EQ(ti.tcpi_unacked, 1);
	CHECK_EQ(ti.tcpi_notsent, 4);
	CHECK_EQ(ti.tcpi_snd_mss, 536);
	CHECK_EQ(ti.tcpi_snd_wscale, 0);
	CHECK_EQ(ti.tcpi_snd_cwnd, 5360);
	/* As much as there is room for. */
	get.sopt_valsize = 4;
	CHECK_EQ(sogetopt(so, &get), 0);
	CHECK_EQ(get.sopt_valsize, 4);
	cut(so, listener);
	testbed_end();
}

/* Keepalive that is asked for in the middle of a quiet connection begins then. */
KTEST(keepalive_begins_when_it_is_asked_for)
{
	struct socket *listener, *so;
	struct tseg s;

	tcp_testbed();
	so = established(&listener);
	let_pass(10 * TCP_NS_PER_S);
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_KEEPALIVE, 5), 0);
	CHECK_EQ(set_int(so, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
	let_pass(4 * TCP_NS_PER_S);
	CHECK_EQ(waiting(), 0);
	let_pass(2 * TCP_NS_PER_S);
	CHECK_EQ(waiting(), 1);
	s = went();
	CHECK_EQ(s.flags, A);
	CHECK_EQ(s.seq + 1, sototcpcb(so)->snd_una);
	CHECK_EQ(set_int(so, SOL_SOCKET, SO_KEEPALIVE, 0), 0);
	let_pass(200 * TCP_NS_PER_S);
	CHECK_EQ(waiting(), 0);
	cut(so, listener);
	testbed_end();
}

KTEST(options_of_what_is_over)
{
	struct socket *listener, *so;

	tcp_testbed();
	so = established(&listener);
	tcp_drop(sototcpcb(so), ECONNRESET);
	so->so_state &= (uint16_t)~SS_CANTRCVMORE;
	CHECK_EQ(set_int(so, IPPROTO_TCP, TCP_NODELAY, 1), ECONNRESET);
	CHECK_EQ(get_int(so, IPPROTO_TCP, TCP_NODELAY), -1);
	cut(so, listener);
	testbed_end();
}

KTEST_SUITE(tcp_ctloutput, T(every_option_is_kept_and_given_back), T(wrong_values_are_refused),
    T(congestion_control_by_name), T(connections_inherit_options), T(what_was_held_back_goes),
    T(what_is_told_of_a_connection), T(keepalive_begins_when_it_is_asked_for), T(options_of_what_is_over));
