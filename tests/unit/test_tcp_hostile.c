/* TCP and a peer that sends anything: segments with plausible and absurd numbers, in every state. */
#include "tests/unit/tcp_testing.h"

#define MS		1000000ull
#define PORTS		6u		/* of the peer */
#define SEGMENTS	20000u

static struct socket *listener, *socks[32];
static unsigned sock_count;

static uint32_t
chance(uint32_t n)
{
	return prng_u32(curmachine()) % n;
}

/* A connection's tcpcb from the peer's port; NULL none. */
static struct tcpcb *
connection(uint16_t peer_port)
{
	struct inpcb *inp;

	TAILQ_FOREACH(inp, &curmachine()->tcp->pcbs.list, inp_list)
		if (inp->inp_fport == htons(peer_port))
			return intotcpcb(inp);
	return NULL;
}

/* A number near one that means something, or any. */
static tcp_seq
near(tcp_seq a, tcp_seq b, tcp_seq c)
{
	tcp_seq n = chance(3) == 0 ? a : chance(2) ? b : c;

	switch (chance(8)) {
	case 0:
		return n + chance(4) - 2;
	case 1:
		return n + chance(3000);
	case 2:
		return n - chance(3000);
	case 3:
		return chance(4) == 0 ? prng_u32(curmachine()) : n + 0x7fffffffu + chance(3);
	default:
		return n;
	}
}

static uint16_t
some_flags(void)
{
	static const uint16_t rare[] = {A | F, S, S | A, R, R | A, F, 0};
	static const uint16_t usual[] = {A, A, A, A | P, A | TH_URG, A | TH_ECE, A | TH_CWR};

	if (chance(40) == 0)
		return (uint16_t)chance(256);
	return chance(25) == 0 ? rare[chance(sizeof rare / sizeof *rare)] :
	    usual[chance(sizeof usual / sizeof *usual)];
}

static void
some_options(struct tseg *s, const struct tcpcb *tp)
{
	uint32_t words[8];

	if (chance(10) == 0) {
		s->optlen = 4 * chance(11);
		for (unsigned i = 0; i < s->optlen; i++)
			s->options[i] = (uint8_t)(chance(3) == 0 ? chance(40) : chance(256));
		return;
	}
	if (chance(8) == 0 || (tp != NULL ? (tp->t_flags & TF_RCVD_TSTMP) != 0 : chance(2))) {
		s->to.to_flags |= TOF_TS;
		s->to.to_tsval = (tp != NULL ? tp->ts_recent : 1000) + chance(20) - 3;
		s->to.to_tsecr = tcp_ts_now(curmachine()) + (tp != NULL ? tp->ts_offset : 0) - chance(100);
	}
	if (s->flags & TH_SYN) {
		if (chance(4))
			s->to.to_flags |= TOF_SACKPERM;
		if (chance(2)) {
			s->to.to_flags |= TOF_MSS;
			s->to.to_mss = (uint16_t)(chance(4) == 0 ? chance(65536) : 500 + chance(1000));
		}
		if (chance(2)) {
			s->to.to_flags |= TOF_SCALE;
			s->to.to_wscale = (uint8_t)chance(20);
		}
	} else if (chance(3) == 0 && tp != NULL) {
		static uint8_t blocks[32];

		s->to.to_flags |= TOF_SACK;
		s->to.to_nsacks = (uint8_t)(1 + chance(3));
		for (unsigned i = 0; i < s->to.to_nsacks * 2u; i++)
			words[i] = htonl(chance(8) == 0 ? near(tp->snd_una, tp->snd_nxt, tp->snd_una) :
			    tp->snd_una + chance(tp->snd_nxt - tp->snd_una + 1));
		memcpy(blocks, words, s->to.to_nsacks * 8u);
		s->to.to_sacks = blocks;
	}
}

static void
one_segment(void)
{
	static char text[1400];
	uint16_t port = (uint16_t)(PEER_PORT + chance(PORTS));
	const struct tcpcb *tp = connection(port);
	struct tseg s = {.peer_port = port, .flags = some_flags()};

	if (tp != NULL) {
		s.our_port = ntohs(tp->t_inpcb->inp_lport);
		s.seq = near(tp->rcv_nxt, tp->rcv_adv, tp->last_ack_sent);
		s.ack = near(tp->snd_una, tp->snd_nxt, tp->iss);
		/* Now and then what an honest peer would do, of whose segments some are lost. */
		if (chance(2)) {
			s.seq = tp->rcv_nxt + (chance(2) ? chance(20) * 100 : 0);
			s.ack = tp->snd_una + chance(tp->snd_nxt - tp->snd_una + 1);
		}
	} else {
		s.flags = chance(2) ? S : some_flags();
		s.seq = prng_u32(curmachine());
		s.ack = prng_u32(curmachine());
	}
	s.win = (uint16_t)(chance(3) == 0 ? chance(10) * chance(300) : 65535);
	s.urp = (uint16_t)(chance(2) ? chance(2000) : prng_u32(curmachine()));
	s.tos = (uint8_t)chance(4);
	memset(text, 'x', sizeof text);
	if (chance(2)) {
		text[chance(10) == 0 ? chance(1399) : chance(100)] = '\0';
		text[1399] = '\0';
		s.data = text;
	}
	some_options(&s, tp);
	come_now(&s);
}

/* The peer wants most of its connections to come about. */
static void
answer_syns(void)
{
	while (waiting() != 0) {
		struct tseg s = went(), a = {.peer_port = s.peer_port, .our_port = s.our_port, .win = 65535};

		if (!(s.flags & S) || chance(4) == 0)
			continue;
		a.flags = s.flags & A ? A : S | A;
		a.seq = s.flags & A ? s.ack : prng_u32(curmachine());
		a.ack = s.seq + 1;
		if (s.to.to_flags & TOF_TS)
			a.to = (struct tcpopt){
				.to_flags = TOF_TS, .to_tsval = 1000, .to_tsecr = s.to.to_tsval
			};
		if (a.flags & S)
			a.to.to_flags |= TOF_SACKPERM | TOF_MSS;
		a.to.to_mss = 700;
		come_now(&a);
	}
}

/* ---- the user ----------------------------------------------------------------------------- */

static void
forget_socket(unsigned i)
{
	struct linger l = {1, 0};

	if (chance(2) && socks[i]->so_pcb != NULL)
		(void)set_option(socks[i], SOL_SOCKET, SO_LINGER, &l, sizeof l);
	CHECK_EQ(soclose(socks[i]), 0);
	socks[i] = socks[--sock_count];
}

static void
user(void)
{
	static char buffer[5000];
	struct sockaddr_in to = sin4(THERE4, (uint16_t)(PEER_PORT + chance(PORTS)));
	struct socket *so;
	struct so_received r;
	unsigned i;

	while ((so = accepted(listener)) != NULL && sock_count < 32)
		socks[sock_count++] = so;
	if (sock_count > 20)
		forget_socket(chance(sock_count));
	if (chance(20) == 0 && sock_count < 30) {
		so = tcp_socket(PF_INET);
		(void)soconnect(so, SA(to), MSG_DONTWAIT);
		socks[sock_count++] = so;
	}
	if (sock_count == 0)
		return;
	i = chance(sock_count);
	switch (chance(8)) {
	case 0:
	case 1:
		(void)send_to(socks[i], NULL, buffer, 1 + chance(sizeof buffer));
		break;
	case 2:
	case 3:
		if (soreceive(socks[i], buffer, 1 + chance(sizeof buffer), MSG_DONTWAIT, &r) == 0)
			m_freem(r.control);
		break;
	case 4:
		(void)soreceive(socks[i], buffer, 1, MSG_OOB | MSG_DONTWAIT, &r);
		break;
	case 5:
		if (chance(4) == 0)
			(void)soshutdown(socks[i], (int)chance(3));
		break;
	case 6:
		if (chance(3) == 0)
			forget_socket(i);
		break;
	default:
		(void)set_int(socks[i], SOL_SOCKET, SO_OOBINLINE, (int)chance(2));
		break;
	}
}

/* ---- what must hold ------------------------------------------------------------------------ */

static void
check_connection(const struct tcpcb *tp)
{
	const struct socket *so = tptosocket(tp);

	if (tp->t_state == TCPS_LISTEN || tp->t_state == TCPS_CLOSED)
		return;
	CHECK_STR(tcp_sent_check(tp) != NULL ? tcp_sent_check(tp) : "", "");
	CHECK(SEQ_LEQ(tp->snd_una, tp->snd_nxt));
	CHECK(tp->t_reass_count <= 100);
	CHECK(tp->t_reass_bytes <= so->so_rcv.sb_mbmax + 20000);
	CHECK(so->so_rcv.sb_cc <= so->so_rcv.sb_hiwat + 70000);
	CHECK(tp->t_rcv_sack == NULL || tp->t_rcv_sack->count <= MAX_SACK_BLKS);
	if (tp->t_state >= TCPS_ESTABLISHED && tp->snd_una != tp->snd_nxt)
		CHECK(tcp_timer_armed(tp, TT_REXMT) || tcp_timer_armed(tp, TT_PERSIST) ||
		    tcp_timer_armed(tp, TT_LOSS));
}

static void
check_all(void)
{
	const struct tcp_state *s = curmachine()->tcp;
	const struct inpcb *inp;
	uint32_t states = 0;

	TAILQ_FOREACH(inp, &s->pcbs.list, inp_list)
		check_connection(intotcpcb(inp));
	for (unsigned i = 0; i < TCP_NSTATES; i++)
		states += s->states[i];
	CHECK_EQ(states, s->pcbs.count);
}

static void
attack(unsigned segments, uint64_t most_ns)
{
	sock_count = 0;
	tcp_testbed();
	listener = listen4(OUR_PORT, 10);
	for (unsigned i = 0; i < segments; i++) {
		one_segment();
		if (chance(4) == 0)
			user();
		if (chance(4) == 0) {
			if (chance(50) == 0)
				let_pass(most_ns);
			else
				let_pass(chance(10) == 0 ? 60 * MS : 1000);
		}
		answer_syns();
		nevermind();
		if (i % 16 == 0)
			check_all();
	}
	while (sock_count != 0)
		forget_socket(0);
	CHECK_EQ(soclose(listener), 0);
	let_pass(3000 * 1000 * MS);
	nevermind();
	/* It was not all in vain. */
	CHECK(tst()->tcps_connects > segments / 200);
	CHECK(tst()->tcps_rcvoopack > segments / 40);
	CHECK(tst()->tcps_rcvackpack > segments / 40);
	CHECK_EQ(curmachine()->tcp->pcbs.count, 0);
	CHECK_EQ(curmachine()->tcp->reass_segments, 0);
	CHECK_EQ(syncache_count(curmachine()), 0);
	CHECK_EQ(tcp_timewait_count(curmachine()), 0);
	testbed_end();
}

KTEST(anything_in_any_state)
{
	attack(SEGMENTS, 2000 * MS);
}

KTEST(anything_with_long_pauses)
{
	attack(SEGMENTS / 4, 100000 * MS);
}

KTEST_SUITE(tcp_hostile, T(anything_in_any_state), T(anything_with_long_pauses));
