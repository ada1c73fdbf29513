/*
 * The core's half of fuzz_tcp: a machine's TCP, its user, and a peer that does what the input says.
 *
 * The input of fuzz_tcp_segment and fuzz_tcp_peer: two octets that choose the machine (STARTS and more in the
 * first: it has accurate ECN) and what the first
 * connection is like (START_*, WITH_*), then steps: an octet (STEP_*) and its arguments. Numbers of
 * segments are relative to the connection's, as a fuzzer does not find those; checksums are made here.
 *
 * All data are known by their place in the stream, both ways: what the user reads and what the machine
 * sends is compared with that, whatever the peer does. After every step the connections are looked at
 * (check_all). All of it is played again, until that leaves no more memory in use than before.
 */
#include "tests/fuzz/fuzz_tcp.h"

#include "src/netinet/tcp_accecn.h"
#include "tests/fuzz/fuzz_tcp_peer.h"

#define MS		1000000ull
#define SECOND		(1000 * MS)
#define SOCKETS		12u
#define STEPS		400u
#define MEMORY_MAX	(64u << 20)

enum start {
	START_LISTEN, START_SYN_SENT, START_HALF_OPEN, START_SYN_RECEIVED, START_ESTABLISHED, START_ACCEPTED,
	START_CLOSE_WAIT, START_FIN_WAIT_1, START_FIN_WAIT_2, START_CLOSING, START_LAST_ACK, START_TIME_WAIT,
	STARTS
};

enum step {
	STEP_SEGMENT, STEP_SEGMENT_2, STEP_SEGMENT_3, STEP_SEGMENT_4, STEP_DATA, STEP_ACK, STEP_WRITE,
	STEP_READ, STEP_SHUT, STEP_CLOSE, STEP_TIME, STEP_CONNECT, STEP_ANSWER, STEP_OPTION, STEP_SELECT,
	STEP_OTHER, STEPS_KINDS
};

/* One of the user's sockets. */
struct user {
	struct socket *so;
	uint32_t wrote, got;
	tcp_seq irs;
	bool known;			/* irs is */
};

static struct user users[SOCKETS];
static unsigned user_count;
static struct socket *listener;

/* ---- the user ----------------------------------------------------------------------------- */

static void
add_user(struct socket *so)
{
	if (user_count == SOCKETS) {
		CHECK_EQ(soclose(so), 0);
		return;
	}
	users[user_count++] = (struct user){.so = so};
}

static void
look_at_users(void)
{
	struct socket *so;

	while (listener != NULL && (so = accepted(listener)) != NULL)
		add_user(so);
	for (unsigned i = 0; i < user_count; i++) {
		const struct tcpcb *tp = users[i].so->so_pcb != NULL ? sototcpcb(users[i].so) : NULL;

		if (tp != NULL && tp->t_state >= TCPS_SYN_RECEIVED && !users[i].known) {
			users[i].irs = tp->irs;
			users[i].known = users[i].got == 0;
		}
	}
}

/* To `to`, or where the socket is connected. */
static void
send_octets(struct user *u, const struct sockaddr *to, uint32_t n, int flags)
{
	static uint8_t data[32768];
	size_t done = 0;

	if (n > sizeof data)
		n = sizeof data;
	for (uint32_t i = 0; i < n; i++)
		data[i] = our_octet(u->wrote + i);
	(void)sosend(u->so, to, data, n, NULL, NULL, MSG_DONTWAIT | flags, &done);
	u->wrote += (uint32_t)done;
}

static void
user_connects(unsigned n)
{
	struct sockaddr_in to = sin4(THERE4, ends[n].port);
	struct sockaddr_in6 to6 = sin6(THERE6, ends[n].port);
	struct socket *so = tcp_socket(with & WITH_V6 ? PF_INET6 : PF_INET);

	CHECK_EQ(set_int(so, SOL_SOCKET, SO_OOBINLINE, (with & WITH_INLINE) != 0), 0);
	(void)soconnect(so, with & WITH_V6 ? SA(to6) : SA(to), MSG_DONTWAIT);
	add_user(so);
	let_run();
}

/* The data go along with the SYN when there is a cookie. */
static void
user_connects_fast(unsigned n, uint32_t len)
{
	struct sockaddr_in to = sin4(THERE4, ends[n].port);
	struct sockaddr_in6 to6 = sin6(THERE6, ends[n].port);
	struct socket *so = tcp_socket(with & WITH_V6 ? PF_INET6 : PF_INET);
	struct user *u;

	(void)set_int(so, IPPROTO_TCP, TCP_FASTOPEN, 1);
	add_user(so);
	u = &users[user_count - 1];
	if (u->so == so)
		send_octets(u, with & WITH_V6 ? SA(to6) : SA(to), len, 0);
	let_run();
}

static void
user_writes(struct user *u, uint32_t n, int flags)
{
	begin_failing();
	send_octets(u, NULL, n, flags);
	end_failing();
}

static void
user_reads(struct user *u, uint32_t n, int flags)
{
	static uint8_t data[65536];
	struct so_received r;

	if (soreceive(u->so, data, n < sizeof data ? n : sizeof data, MSG_DONTWAIT | flags, &r) != 0)
		return;
	m_freem(r.control);
	CHECK(r.len <= n);
	if (flags & MSG_OOB)
		return;
	for (size_t i = 0; u->known && (!urgent || (with & WITH_INLINE)) && i < r.len; i++)
		CHECK_EQ(data[i], peer_octet(u->irs + 1 + u->got + (tcp_seq)i));
	if (!(flags & MSG_PEEK))
		u->got += (uint32_t)r.len;
	let_run();
}

static void
user_closes(unsigned i, bool reset)
{
	struct linger l = {1, 0};

	if (reset && users[i].so->so_pcb != NULL)
		(void)set_option(users[i].so, SOL_SOCKET, SO_LINGER, &l, sizeof l);
	CHECK_EQ(soclose(users[i].so), 0);
	users[i] = users[--user_count];
	let_run();
}

static void
step_option(struct user *u)
{
	static const struct {
		int level, name;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY}, {IPPROTO_TCP, TCP_NOPUSH}, {IPPROTO_TCP, TCP_MAXSEG},
		{IPPROTO_TCP, TCP_KEEPALIVE}, {IPPROTO_TCP, TCP_KEEPINTVL}, {IPPROTO_TCP, TCP_KEEPCNT},
		{SOL_SOCKET, SO_KEEPALIVE}, {SOL_SOCKET, SO_SNDBUF}, {SOL_SOCKET, SO_RCVBUF},
		{IPPROTO_TCP, TCP_RXT_CONNDROPTIME}, {IPPROTO_TCP, TCP_NOTSENT_LOWAT},
		{IPPROTO_TCP, TCP_ENABLE_ECN},
		{IPPROTO_TCP, TCP_SENDMOREACKS}, {IPPROTO_TCP, TCP_RXT_FINDROP}, {SOL_SOCKET, SO_RCVLOWAT},
		{SOL_SOCKET, SO_SNDLOWAT}
	};
	uint8_t which = u8(), value = u8();

	(void)set_int(u->so, options[which % 16].level, options[which % 16].name,
	    options[which % 16].level == SOL_SOCKET && value & 0x80 ? (value & 0x7f) << 9 : value & 0x7f);
	(void)get_int(u->so, options[which % 16].level, options[which % 16].name);
	let_run();
}

/* ---- what must hold ----------------------------------------------------------------------- */

static void
check_buffer(const struct sockbuf *sb)
{
	uint32_t len = 0;

	for (const struct mbuf *r = sb->sb_mb; r != NULL; r = r->m_nextpkt)
		len += (uint32_t)m_length(r);
	CHECK_EQ(len, sb->sb_cc);
}

static void
check_connection(const struct tcpcb *tp)
{
	const struct socket *so = tptosocket(tp);
	uint32_t out = tp->snd_nxt - tp->snd_una;
	bool timer = tcp_timer_armed(tp, TT_REXMT) || tcp_timer_armed(tp, TT_PERSIST) ||
	    tcp_timer_armed(tp, TT_LOSS);

	if (tp->t_state == TCPS_LISTEN || tp->t_state == TCPS_CLOSED)
		return;
	CHECK_STR(tcp_sent_check(tp) != NULL ? tcp_sent_check(tp) : "", "");
	check_buffer(&so->so_snd);
	check_buffer(&so->so_rcv);
	CHECK(!tcp_timer_armed(tp, TT_REXMT) || !tcp_timer_armed(tp, TT_PERSIST));
	CHECK(SEQ_LEQ(tp->snd_una, tp->snd_nxt));
	CHECK(SEQ_LEQ(tp->iss, tp->snd_una));
	CHECK(SEQ_GEQ(tp->rcv_adv, tp->rcv_nxt) || tp->t_state < TCPS_SYN_RECEIVED);
	CHECK(tp->t_reass_count <= 100);
	CHECK(tp->t_reass_bytes <= so->so_rcv.sb_mbmax + 20000);
	CHECK(so->so_rcv.sb_cc <= so->so_rcv.sb_hiwat + 70000);
	CHECK(tp->t_rcv_sack == NULL || tp->t_rcv_sack->count <= MAX_SACK_BLKS);
	CHECK(tp->t_maxseg >= 1 && tp->t_maxseg <= 1460);
	CHECK(tp->snd_cwnd >= 1);
	if (tp->t_state < TCPS_ESTABLISHED)
		return;
	CHECK(out <= so->so_snd.sb_cc + ((tp->t_flags & TF_SENTFIN) != 0) + (tp->snd_una == tp->iss));
	if (tp->snd_una != tp->iss)
		CHECK(out <= tp->max_sndwnd + 2);
	/*
	 * What is not acknowledged is sent again; what is not sent waits for a timer, if for nothing else.
	 */
	if (out != 0)
		CHECK(timer);
	if (out == 0 && so->so_snd.sb_cc != 0 && !(tp->t_flags & (TF_NOPUSH | TF_MORETOCOME)))
		CHECK(timer);
	if (tp->t_state == TCPS_FIN_WAIT_2 && (tp->t_uflags & TFU_DETACHED))
		CHECK(tcp_timer_armed(tp, TT_2MSL));
}

static void
check_all(void)
{
	const struct tcp_state *s = curmachine()->tcp;
	const struct inpcb *inp;
	struct core_memory memory;
	uint32_t states = 0, early = 0;

	TAILQ_FOREACH(inp, &s->pcbs.list, inp_list) {
		check_connection(intotcpcb(inp));
		early += intotcpcb(inp)->t_reass_bytes;
	}
	for (unsigned i = 0; i < TCP_NSTATES; i++)
		states += s->states[i];
	CHECK_EQ(states, s->pcbs.count);
	CHECK_EQ(early != 0, s->reass_segments != 0);
	machine_memory(curmachine(), &memory);
	CHECK(memory.heap_bytes < MEMORY_MAX);
}

/* ---- beginning ---------------------------------------------------------------------------- */

/* The peer sends data: some in order, some that come too early. */
static void
peer_talks(struct end *e)
{
	struct tseg s = honest(e, A);

	s.ack = e->una;
	emit(s, 300);
	s = honest(e, A);
	s.ack = e->una;
	for (unsigned i = 0; i < 3; i++) {
		s.seq = e->rcv + 200 + i * 400;
		emit(s, 100);
	}
}

static void
peer_ends(struct end *e, bool acknowledges)
{
	struct tseg s = honest(e, F | A);

	/* What came early is too much for an end in order. */
	if (with & WITH_DATA)
		s.seq += 1100, s.flags = F | A;
	if (!acknowledges)
		s.ack = e->una;
	if (with & WITH_DATA) {
		struct tseg rest = honest(e, A);

		rest.ack = s.ack;
		emit(rest, 1100);
		s.to.to_tsval++;
	}
	emit(s, 0);
}

static void
user_ends(void)
{
	if (user_count == 0)
		return;
	if (with & WITH_CLOSE)
		user_closes(0, false);
	else
		(void)soshutdown(users[0].so, SHUT_WR);
	let_run();
}

static void
peer_acknowledges(struct end *e)
{
	emit(honest(e, A), 0);
}

static void
establish(enum start start)
{
	struct end *e;

	now_end = start == START_ACCEPTED || start == START_HALF_OPEN ? 0 : ENDS / 2;
	e = &ends[now_end];
	if (now_end == 0)
		peer_connects(e, 0xffffff00u);
	else
		user_connects(now_end);
	if (start != START_SYN_SENT && start != START_HALF_OPEN)
		peer_answers(e, start == START_SYN_RECEIVED);
	look_at_users();
}

static void
begin(enum start start)
{
	struct end *e;

	if (start == START_LISTEN)
		return;
	establish(start);
	if (start < START_ESTABLISHED || user_count == 0)
		return;
	e = &ends[now_end];
	if (with & WITH_DATA) {
		user_writes(&users[0], 5000, 0);
		peer_talks(e);
	}
	if (start == START_CLOSE_WAIT || start == START_LAST_ACK)
		peer_ends(e, false);
	if (start >= START_FIN_WAIT_1)
		user_ends();
	if (start == START_FIN_WAIT_2 || start == START_TIME_WAIT)
		peer_acknowledges(e);
	if (start == START_CLOSING)
		peer_ends(e, false);
	if (start == START_TIME_WAIT)
		peer_ends(e, true);
}

static void
build(void)
{
	memset(ends, 0, sizeof ends);
	for (unsigned i = 0; i < ENDS; i++)
		ends[i] = (struct end){
			.port = (uint16_t)(PEER_PORT + i), .our_port = i < ENDS / 2 ? OUR_PORT : 1
		};
	user_count = now_end = 0;
	urgent = false;
	refusal = 0;
	failing = 0;
	listener = with & WITH_V6 ? listen6(OUR_PORT, 3) : listen4(OUR_PORT, 3);
	CHECK_EQ(set_int(listener, SOL_SOCKET, SO_OOBINLINE, (with & WITH_INLINE) != 0), 0);
}

/* Everything ends: whatever the peer has done, nothing of it stays for ever. */
static void
end(void)
{
	refusal = 0;
	while (user_count != 0) {
		look_at_users();
		user_closes(user_count - 1, false);
	}
	if (listener != NULL)
		CHECK_EQ(soclose(listener), 0);
	let_pass(5 * 3600 * SECOND);
	CHECK_EQ(curmachine()->tcp->pcbs.count, 0);
	CHECK_EQ(curmachine()->tcp->reass_segments, 0);
	CHECK_EQ(syncache_count(curmachine()), 0);
	CHECK_EQ(tcp_timewait_count(curmachine()), 0);
}

/* ---- steps -------------------------------------------------------------------------------- */

static void
step_data(struct end *e)
{
	uint8_t arg = u8();
	struct tseg s = honest(e, A | (arg & 0x40 ? P : 0) | (arg & 0x80 ? F : 0));

	emit(s, (arg & 0x3f) * 22u);
}

/* ACKs of a part of what is under way, one or many. */
static void
step_ack(struct end *e)
{
	struct tseg s = honest(e, A);
	uint8_t part = u8(), more = u8();

	s.ack = e->una + (uint32_t)((uint64_t)(e->nxt - e->una) * part / 255);
	s.win = (uint16_t)((more & 0xf0) << 8);
	for (unsigned i = 0; i <= (more & 0xf); i++)
		emit(s, 0);
}

static void
step_time(void)
{
	static const uint64_t times[16] = {MS, 5 * MS, 20 * MS, 50 * MS, 100 * MS, 250 * MS, 600 * MS, SECOND,
	    2 * SECOND, 5 * SECOND, 15 * SECOND, 61 * SECOND, 300 * SECOND, 1000 * SECOND, 7300 * SECOND,
	    90000 * SECOND};

	let_pass(times[u8() & 15]);
}

static void
step_fastopen(uint8_t what)
{
	struct tcp_config *c = tconfig();
	struct end *e = &ends[now_end % (ENDS / 2)];
	tcp_seq iss;

	if (what == 0) {
		c->fastopen_server = 1;
		if (listener != NULL)
			CHECK_EQ(set_int(listener, IPPROTO_TCP, TCP_FASTOPEN, 1), 0);
	} else if (what <= 3) {
		iss = (tcp_seq)u16() << 16;
		peer_connects_fast(e, iss, what == 1, what == 2, u8() * 5u);
	} else if (what == 4) {
		user_connects_fast(ENDS / 2 + u8() % (ENDS / 2), 1 + u8() * 11u);
	} else if (what == 5) {
		peer_answers_fast(&ends[now_end], u8());
	} else if (what == 6) {
		c->fastopen_acceptany ^= 1;
	} else {
		c->fastopen_client ^= 1;
	}
}

/* The rest: variables of the machine, Fast Open, floods of SYNs, the listener's end, ICMP errors. */
static void
step_other(void)
{
	struct tcp_config *c = tconfig();
	int *const switches[] = {
		&c->rfc1323, &c->sack, &c->rfc3042, &c->do_prr, &c->rack, &c->frto, &c->delayed_ack,
		&c->syncookies, &c->syncookiesonly, &c->nolocaltimewait, &c->drop_synfin,
		&c->tolerate_missing_ts, &c->pmtud_blackhole_detection, &c->sendbuf_auto,
		&c->recvbuf_auto, &c->hostcache_enable
	};
	static const errno_t refusals[4] = {ENETDOWN, ENOBUFS, EPERM, EMSGSIZE};
	uint8_t what = u8();
	struct tseg s = {.flags = S, .our_port = OUR_PORT, .win = 1000, .seq = 77};

	if (what < 0x30) {
		*switches[what & 15] ^= 1;
	} else if (what < 0x40) {
		step_fastopen(what & 7);
	} else if (what < 0x50) {
		c->ecn_enable = what % 6;
		c->ecn_plusplus = what % 3;
		c->base_stack = what >= 0x48;
	} else if (what < 0x54) {
		refusal = refusal != 0 ? 0 : refusals[what & 3];
	} else if (what < 0x5c) {
		failing = 1 + u8() % 16;
	} else if (what < 0x60 && listener != NULL) {
		CHECK_EQ(soclose(listener), 0);
		listener = NULL;
		let_run();
	} else if (what < 0x80) {
		for (unsigned i = 0; i < 40; i++) {
			s.peer_port = (uint16_t)(10000 + what * 50 + i);
			emit(s, 0);
		}
	} else if (what < 0xc0) {
		peer_connects(&ends[now_end % (ENDS / 2)], (tcp_seq)u16() << 16);
	} else {
		const struct end *e = &ends[now_end];

		emit_error(e, what, u16(), number(e, 3 + (what >> 4 & 1), (int16_t)u16()));
	}
}

static void
user_steps(enum step step)
{
	unsigned i;
	uint8_t arg;

	if (user_count == 0)
		return;
	i = u8() % user_count;
	if (step == STEP_OPTION) {
		step_option(&users[i]);
		return;
	}
	arg = u8();
	if (step == STEP_WRITE)
		user_writes(&users[i], 1 + arg * 70u, arg & 1 ? 0 : arg % 32 == 4 ? MSG_OOB : 0);
	else if (step == STEP_READ)
		user_reads(&users[i], 1 + arg * 300u, arg % 16 == 3 ? MSG_PEEK : arg % 16 == 5 ? MSG_OOB : 0);
	else if (step == STEP_SHUT)
		(void)soshutdown(users[i].so, arg % 3);
	else
		user_closes(i, arg & 1);
	let_run();
}

static void
take_step(void)
{
	enum step step = u8() % STEPS_KINDS;

	switch (step) {
	case STEP_DATA:
		step_data(&ends[now_end]);
		break;
	case STEP_ACK:
		step_ack(&ends[now_end]);
		break;
	case STEP_WRITE:
	case STEP_READ:
	case STEP_SHUT:
	case STEP_CLOSE:
	case STEP_OPTION:
		user_steps(step);
		break;
	case STEP_TIME:
		step_time();
		break;
	case STEP_CONNECT:
		user_connects(ENDS / 2 + u8() % (ENDS / 2));
		break;
	case STEP_ANSWER:
		peer_answers(&ends[now_end], u8() & 1);
		break;
	case STEP_SELECT:
		now_end = u8() % ENDS;
		break;
	case STEP_OTHER:
		step_other();
		break;
	default:
		step_segment();
	}
}

/* ---- options ------------------------------------------------------------------------------ */

/* What was read of them is inside of them, and can be written and read again. */
static void
options(bool syn)
{
	struct tcpopt to = {0}, again = {0};
	size_t len = (size_t)(stop - at);
	uint8_t out[40];
	unsigned n;

	if (len > 40)
		len = 40;
	tcp_dooptions(&to, at, (unsigned)len, syn);
	if (to.to_flags & TOF_SACK)
		CHECK(to.to_sacks >= at && to.to_sacks + to.to_nsacks * 8u <= at + len);
	if ((to.to_flags & TOF_FASTOPEN) && to.to_tfo_len != 0)
		CHECK(to.to_tfo_cookie >= at && to.to_tfo_cookie + to.to_tfo_len <= at + len &&
		    to.to_tfo_len <= TCP_FASTOPEN_MAX_COOKIE);
	if (to.to_flags & TOF_SCALE)
		CHECK(to.to_wscale <= TCP_MAX_WINSHIFT);
	n = tcp_addoptions(&to, out);
	CHECK(n <= sizeof out && n % 4 == 0);
	tcp_dooptions(&again, out, n, true);
	CHECK_EQ(again.to_flags & ~to.to_flags, 0);
	if (again.to_flags & TOF_TS)
		CHECK(again.to_tsval == to.to_tsval && again.to_tsecr == to.to_tsecr);
	if (again.to_flags & TOF_MSS)
		CHECK_EQ(again.to_mss, to.to_mss);
	if (again.to_flags & TOF_SCALE)
		CHECK_EQ(again.to_wscale, to.to_wscale);
	if (again.to_flags & TOF_ACCECN) {
		uint32_t values[2][ACCECN_COUNTERS] = {{0}};

		CHECK(to.to_accecn >= at && to.to_accecn + to.to_accecn[1] <= at + len);
		CHECK_EQ(tcp_accecn_decode(to.to_accecn, values[0]),
		    tcp_accecn_decode(again.to_accecn, values[1]));
		CHECK(memcmp(values[0], values[1], sizeof values[0]) == 0);
	}
	if (again.to_flags & TOF_SACK)
		CHECK(again.to_nsacks <= to.to_nsacks &&
		    memcmp(again.to_sacks, to.to_sacks, again.to_nsacks * 8u) == 0);
}

/* All that the input says, from its first octet; blocks of memory that are in use afterwards. */
static uint64_t
play(const struct fuzz_tcp_input *input)
{
	struct core_memory memory;
	enum start start;
	uint8_t first;

	at = input->data;
	stop = at + input->size;
	first = u8();
	start = first % STARTS;
	/* From the first SYN on: accurate ECN, with its option or without. */
	if (first >= STARTS) {
		tconfig()->ecn_enable = 3 + first / STARTS % 3;
		tconfig()->ecn_option = first / STARTS % 4;
	}
	with = u8();
	build();
	if (input->target == FUZZ_TCP_SEGMENT)
		begin(start);
	for (unsigned i = 0; at < stop && i < STEPS; i++) {
		check_all();
		look_at_users();
		take_step();
	}
	check_all();
	end();
	machine_memory(curmachine(), &memory);
	return memory.heap_blocks;
}

void
fuzz_tcp_run(void *arg)
{
	const struct fuzz_tcp_input *input = arg;
	struct tcp_config config;
	uint64_t before, blocks;

	if (input->target == FUZZ_TCP_OPTIONS) {
		at = input->data;
		stop = at + input->size;
		options(u8() & 1);
		return;
	}
	tcp_testbed();
	en7->output = take;
	fw7->output = take;
	config = *tconfig();
	before = play(input);
	/* What is remembered of peers, or kept for reuse, is there at last; what is lost grows every time. */
	for (unsigned again = 0;; again++) {
		*tconfig() = config;
		blocks = play(input);
		if (blocks <= before)
			break;
		CHECK(again < ENDS);
		before = blocks;
	}
	testbed_end();
}
