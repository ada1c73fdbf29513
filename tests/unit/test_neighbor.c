/* src/net/neighbor.c, neighbor_state.c: the table, its states, its limits. */
#include "src/kern/sysctl.h"
#include "tests/unit/nbr_testing.h"

/* ---- a protocol that records -------------------------------------------------------------- */

static struct neighbor_timing timing;
static unsigned asked, asked_unicast, given_up, given_back, resolved_count;

static void
rec_solicit(struct neighbor *n, unsigned attempt, bool unicast)
{
	(void)n;
	note("%s%u", unicast ? "u" : "b", attempt);
	asked++;
	asked_unicast += unicast;
}

static void
rec_unreachable(struct neighbor *n, struct mbuf *m)
{
	(void)n;
	given_up++;
	given_back += m != NULL;
	m_freem(m);
}

static void
rec_timing(struct ifnet *ifp, struct neighbor_timing *t)
{
	(void)ifp;
	*t = timing;
}

static void
rec_resolved(struct neighbor *n)
{
	(void)n;
	resolved_count++;
}

static const struct neighbor_ops recorder = {
	.solicit = rec_solicit, .unreachable = rec_unreachable, .timing = rec_timing,
	.resolved = rec_resolved,
};

static void
prepare(void)
{
	make_link();
	CHECK_EQ(dlil_plumb(en0, PF_INET), 0);
	timing = (struct neighbor_timing){
		.retry = SEC, .attempts = 3, .probes = 2, .reachable = 30 * SEC, .delay = 5 * SEC,
		.stale = 100 * SEC, .held = 3, .held_total = 8, .down = EHOSTUNREACH,
	};
	asked = asked_unicast = given_up = given_back = resolved_count = 0;
	neighbor_set_ops(curmachine(), AF_INET, &recorder);
	(void)said();
}

static struct sockaddr_in him = {.sin_len = sizeof him, .sin_family = AF_INET};

static void
reset_him(void)
{
	him = ipv4(10, 0, 0, 2);
}

static unsigned
state_of(struct sockaddr_in sin)
{
	const struct neighbor *n = entry(SA(sin));

	CHECK(n != NULL);
	return n->state;
}

/* ---- states ------------------------------------------------------------------------------- */

KTEST(a_packet_waits_for_the_answer_and_leaves_with_it)
{
	const struct frame *f;

	prepare();
	reset_him();
	CHECK_EQ(send4(him, 1), 0);
	CHECK_EQ(send4(him, 2), 0);
	CHECK_STR(said(), "b0");
	CHECK_EQ(frame_count, 0);
	CHECK_EQ(state_of(him), NEIGHBOR_INCOMPLETE);
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_CONFIRMS), 0);
	CHECK_EQ(state_of(him), NEIGHBOR_REACHABLE);
	CHECK_EQ(frame_count, 2);
	f = next_frame(0x0800);
	CHECK(f != NULL && memcmp(f->data, peer_mac, 6) == 0);
	CHECK_EQ(f->data[14 + 20], 1);
	f = next_frame(0x0800);
	CHECK(f != NULL);
	CHECK_EQ(f->data[14 + 20], 2);
	CHECK_EQ(resolved_count, 1);
	CHECK_EQ(curmachine()->neighbors->held[0], 0);
}

KTEST(who_does_not_answer_is_given_up)
{
	prepare();
	reset_him();
	timing.failed = 20 * SEC;
	timing.down = EHOSTDOWN;
	CHECK_EQ(send4(him, 1), 0);
	CHECK_EQ(send4(him, 2), 0);
	wait_ns(2500 * MS);
	CHECK_STR(said(), "b0 b1 b2");
	CHECK_EQ(given_up, 0);
	wait_ns(SEC);
	CHECK_EQ(given_back, 2);
	CHECK_EQ(state_of(him), NEIGHBOR_FAILED);
	CHECK_EQ(send4(him, 3), EHOSTDOWN);
	wait_ns(20 * SEC);
	CHECK(entry(SA(him)) == NULL);
	CHECK_EQ(send4(him, 4), 0);
	CHECK_STR(said(), "b0");
	CHECK_EQ(curmachine()->neighbors->stat[0].timeouts, 1);
	wait_ns(10 * SEC);
}

KTEST(a_reachable_neighbour_ages_and_is_probed_when_used)
{
	prepare();
	reset_him();
	CHECK_EQ(send4(him, 1), 0);
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_CONFIRMS), 0);
	(void)said();
	wait_ns(31 * SEC);
	CHECK_EQ(state_of(him), NEIGHBOR_STALE);
	CHECK_STR(said(), "");
	CHECK_EQ(send4(him, 2), 0);
	CHECK_EQ(frame_count, 2);
	CHECK_EQ(state_of(him), NEIGHBOR_DELAY);
	wait_ns(4 * SEC);
	CHECK_STR(said(), "");
	wait_ns(1500 * MS);
	CHECK_EQ(state_of(him), NEIGHBOR_PROBE);
	CHECK_STR(said(), "u0");
	/* It is used meanwhile. */
	CHECK_EQ(send4(him, 3), 0);
	CHECK_EQ(frame_count, 3);
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_CONFIRMS), 0);
	CHECK_EQ(state_of(him), NEIGHBOR_REACHABLE);
}

KTEST(a_probe_without_answer_forgets_the_neighbour)
{
	prepare();
	reset_him();
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_MAY_CREATE), 0);
	CHECK_EQ(state_of(him), NEIGHBOR_STALE);
	CHECK_EQ(send4(him, 1), 0);
	wait_ns(10 * SEC);
	CHECK_STR(said(), "u0 u1");
	CHECK(entry(SA(him)) == NULL);
	CHECK_EQ(given_up, 1);
	CHECK_EQ(given_back, 0);
}

KTEST(an_unused_stale_neighbour_is_forgotten)
{
	prepare();
	reset_him();
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_MAY_CREATE), 0);
	wait_ns(99 * SEC);
	CHECK(entry(SA(him)) != NULL);
	wait_ns(2 * SEC);
	CHECK(entry(SA(him)) == NULL);
	CHECK_EQ(curmachine()->neighbors->stat[0].purged, 1);
	CHECK_EQ(given_up, 0);
}

KTEST(what_was_heard_is_trusted_where_the_protocol_says_so)
{
	prepare();
	reset_him();
	timing.trusts = true;
	timing.delay = 0;
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_MAY_CREATE), 0);
	wait_ns(10 * SEC);
	CHECK_EQ(send4(him, 1), 0);
	CHECK_EQ(state_of(him), NEIGHBOR_REACHABLE);
	wait_ns(19 * SEC);
	CHECK_EQ(state_of(him), NEIGHBOR_REACHABLE);
	wait_ns(2 * SEC);
	CHECK_EQ(state_of(him), NEIGHBOR_STALE);
	CHECK_EQ(send4(him, 2), 0);
	CHECK_EQ(state_of(him), NEIGHBOR_PROBE);
	CHECK_STR(said(), "u0");
}

KTEST(upper_layers_confirm)
{
	prepare();
	reset_him();
	neighbor_confirm(en0, SA(him));
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_MAY_CREATE), 0);
	CHECK_EQ(send4(him, 1), 0);
	CHECK_EQ(state_of(him), NEIGHBOR_DELAY);
	neighbor_confirm(en0, SA(him));
	CHECK_EQ(state_of(him), NEIGHBOR_REACHABLE);
	wait_ns(6 * SEC);
	CHECK_STR(said(), "");
}

/* ---- updates (RFC 4861 7.2.5) ------------------------------------------------------------- */

KTEST(updates_create_override_and_confirm_as_told)
{
	uint8_t got[6];

	prepare();
	reset_him();
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_CONFIRMS | NEIGHBOR_MAY_OVERRIDE), ENOENT);
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_MAY_CREATE), 0);
	/* Another address without override: not taken. */
	CHECK_EQ(neighbor_update(en0, SA(him), other_mac, NEIGHBOR_CONFIRMS), EPERM);
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_CONFIRMS), 0);
	CHECK_EQ(state_of(him), NEIGHBOR_REACHABLE);
	CHECK_EQ(neighbor_update(en0, SA(him), other_mac, 0), EPERM);
	CHECK_EQ(state_of(him), NEIGHBOR_STALE);
	CHECK(neighbor_lookup(curmachine(), en0, SA(him), got) && memcmp(got, peer_mac, 6) == 0);
	CHECK_EQ(neighbor_update(en0, SA(him), other_mac, NEIGHBOR_MAY_OVERRIDE), 0);
	CHECK_EQ(state_of(him), NEIGHBOR_STALE);
	CHECK(neighbor_lookup(curmachine(), en0, SA(him), got) && memcmp(got, other_mac, 6) == 0);
	/* The same address, unsolicited: nothing changes. */
	CHECK_EQ(neighbor_update(en0, SA(him), other_mac, NEIGHBOR_CONFIRMS), 0);
	CHECK_EQ(neighbor_update(en0, SA(him), other_mac, NEIGHBOR_MAY_OVERRIDE), 0);
	CHECK_EQ(state_of(him), NEIGHBOR_REACHABLE);
}

KTEST(configured_neighbours_stay_as_they_are)
{
	uint8_t got[6];

	prepare();
	reset_him();
	CHECK_EQ(neighbor_set(en0, SA(him), peer_mac, NEIGHBOR_PERMANENT), 0);
	CHECK_EQ(neighbor_update(en0, SA(him), other_mac, NEIGHBOR_MAY_OVERRIDE | NEIGHBOR_CONFIRMS), EPERM);
	wait_ns(1000 * SEC);
	CHECK_EQ(send4(him, 1), 0);
	CHECK(neighbor_lookup(curmachine(), en0, SA(him), got) && memcmp(got, peer_mac, 6) == 0);
	CHECK_STR(said(), "");
	neighbor_flush(en0, AF_INET);
	CHECK(entry(SA(him)) != NULL);
	CHECK_EQ(neighbor_delete(en0, SA(him)), 0);
	CHECK_EQ(neighbor_delete(en0, SA(him)), ENOENT);
}

KTEST(configuring_a_neighbour_lets_the_waiting_packets_go)
{
	prepare();
	reset_him();
	CHECK_EQ(send4(him, 1), 0);
	CHECK_EQ(frame_count, 0);
	CHECK_EQ(neighbor_set(en0, SA(him), peer_mac, NEIGHBOR_PERMANENT), 0);
	CHECK_EQ(frame_count, 1);
}

/* ---- the short way ------------------------------------------------------------------------ */

KTEST(the_cached_neighbour_is_dropped_when_it_may_not_be_used)
{
	uint8_t got[6];

	prepare();
	reset_him();
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_MAY_CREATE), 0);
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_CONFIRMS), 0);
	CHECK(!neighbor_cached4(en0, him.sin_addr.s_addr, got));
	CHECK_EQ(send4(him, 1), 0);
	CHECK(neighbor_cached4(en0, him.sin_addr.s_addr, got));
	CHECK_EQ(memcmp(got, peer_mac, 6), 0);
	CHECK(!neighbor_cached4(en0, in4(10, 0, 0, 3).s_addr, got));
	wait_ns(31 * SEC);
	CHECK(!neighbor_cached4(en0, him.sin_addr.s_addr, got));
	neighbor_confirm(en0, SA(him));
	CHECK_EQ(send4(him, 2), 0);
	CHECK(neighbor_cached4(en0, him.sin_addr.s_addr, got));
	CHECK_EQ(neighbor_delete(en0, SA(him)), 0);
	CHECK(!neighbor_cached4(en0, him.sin_addr.s_addr, got));
}

KTEST(the_default_stands_for_unknown_ones)
{
	uint8_t got[6];

	prepare();
	reset_him();
	neighbor_set_default(curmachine(), en0, other_mac);
	CHECK_EQ(send4(him, 1), 0);
	CHECK_EQ(asked, 0);
	CHECK_EQ(frame_count, 1);
	CHECK_EQ(memcmp(frames[0].data, other_mac, 6), 0);
	CHECK(neighbor_lookup(curmachine(), en0, SA(him), got));
}

KTEST(without_a_protocol_nobody_is_asked)
{
	static const struct neighbor_ops none = {.solicit = NULL};

	prepare();
	reset_him();
	neighbor_set_ops(curmachine(), AF_INET, &none);
	CHECK_EQ(send4(him, 1), EHOSTUNREACH);
	CHECK_EQ(curmachine()->neighbors->count, 0);
}

/* ---- limits ------------------------------------------------------------------------------- */

KTEST(few_packets_wait_and_the_oldest_go_first)
{
	prepare();
	reset_him();
	for (uint8_t i = 1; i <= 5; i++)
		CHECK_EQ(send4(him, i), 0);
	CHECK_EQ(curmachine()->neighbors->held[0], 3);
	CHECK_EQ(curmachine()->neighbors->stat[0].dropped, 2);
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_CONFIRMS), 0);
	CHECK_EQ(frame_count, 3);
	CHECK_EQ(frames[0].data[34], 3);
	CHECK_EQ(frames[2].data[34], 5);
}

KTEST(few_packets_wait_in_all)
{
	prepare();
	for (uint8_t i = 10; i < 18; i++)
		CHECK_EQ(send4(ipv4(10, 0, 0, i), i), 0);
	CHECK_EQ(curmachine()->neighbors->held[0], 8);
	CHECK_EQ(send4(ipv4(10, 0, 0, 99), 1), ENOBUFS);
	/* One that has some waiting already may replace its own. */
	CHECK_EQ(send4(ipv4(10, 0, 0, 10), 2), 0);
	CHECK_EQ(curmachine()->neighbors->held[0], 8);
	wait_ns(4 * SEC);
	CHECK_EQ(curmachine()->neighbors->held[0], 0);
	CHECK_EQ(given_back, 8);
}

KTEST(a_flood_of_unknown_addresses_is_bounded_and_spares_the_known)
{
	struct neighbor_table *t;

	prepare();
	t = curmachine()->neighbors;
	reset_him();
	timing.held_total = 100000;
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_MAY_CREATE), 0);
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_CONFIRMS), 0);
	for (unsigned i = 0; i < 20000; i++)
		CHECK_EQ(send4(ipv4(10, 1, (uint8_t)(i >> 8), (uint8_t)i), 1), 0);
	CHECK_EQ(t->asked, NEIGHBOR_ASKED_MAX);
	CHECK_EQ(t->count, NEIGHBOR_ASKED_MAX + 1);
	CHECK_EQ(t->held[0], NEIGHBOR_ASKED_MAX);
	CHECK_EQ(state_of(him), NEIGHBOR_REACHABLE);
	wait_ns(10 * SEC);
	CHECK_EQ(t->count, 1);
	CHECK_EQ(t->held[0], 0);
	CHECK_EQ(t->asked, 0);
}

KTEST(a_flood_of_strangers_is_bounded_and_spares_those_in_use)
{
	struct neighbor_table *t;

	prepare();
	t = curmachine()->neighbors;
	reset_him();
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_MAY_CREATE), 0);
	CHECK_EQ(neighbor_update(en0, SA(him), peer_mac, NEIGHBOR_CONFIRMS), 0);
	for (unsigned i = 0; i < 20000; i++) {
		struct sockaddr_in sin = ipv4(10, 1, (uint8_t)(i >> 8), (uint8_t)i);

		CHECK_EQ(neighbor_update(en0, SA(sin), other_mac, NEIGHBOR_MAY_CREATE), 0);
	}
	CHECK_EQ(t->count, NEIGHBOR_IF_MAX);
	CHECK_EQ(en0->neighbor_count, NEIGHBOR_IF_MAX);
	CHECK_EQ(state_of(him), NEIGHBOR_REACHABLE);
	CHECK(t->stat[0].evicted > 0);
}

KTEST(permanent_neighbours_are_not_evicted)
{
	struct sockaddr_in sin = ipv4(10, 2, 0, 0);

	prepare();
	for (unsigned i = 0; i < NEIGHBOR_IF_MAX; i++) {
		sin = ipv4(10, 1, (uint8_t)(i >> 8), (uint8_t)i);
		CHECK_EQ(neighbor_set(en0, SA(sin), peer_mac, NEIGHBOR_PERMANENT), 0);
	}
	sin = ipv4(10, 2, 0, 0);
	CHECK_EQ(neighbor_set(en0, SA(sin), peer_mac, NEIGHBOR_PERMANENT), ENOBUFS);
	CHECK_EQ(neighbor_update(en0, SA(sin), peer_mac, NEIGHBOR_MAY_CREATE), ENOBUFS);
	CHECK_EQ(send4(sin, 1), ENOBUFS);
	CHECK_EQ(curmachine()->neighbors->count, NEIGHBOR_IF_MAX);
}

KTEST(learned_neighbours_are_bounded_and_the_oldest_goes)
{
	struct sockaddr_in a = ipv4(10, 0, 0, 9), b;
	uint8_t got[6];

	prepare();
	CHECK_EQ(neighbor_learn(curmachine(), en0, SA(a), peer_mac), 0);
	CHECK(neighbor_lookup(curmachine(), en0, SA(a), got));
	for (unsigned i = 0; i < NEIGHBOR_IF_MAX; i++) {
		b = ipv4(11, 0, (uint8_t)(i >> 8), (uint8_t)i);
		CHECK_EQ(neighbor_learn(curmachine(), en0, SA(b), peer_mac), 0);
	}
	CHECK(!neighbor_lookup(curmachine(), en0, SA(a), got));
	CHECK_EQ(curmachine()->neighbors->count, NEIGHBOR_IF_MAX);
}

/* ---- names -------------------------------------------------------------------------------- */

KTEST(a_scope_in_a_link_local_address_makes_no_difference)
{
	struct sockaddr_in6 plain = ipv6(0xfe, 0x80, 5), scoped = plain;
	struct sockaddr link = {.sa_len = sizeof link, .sa_family = AF_LINK};
	struct sockaddr_storage ss;
	struct neighbor *n;

	prepare();
	CHECK_EQ(neighbor_learn(curmachine(), en0, &link, peer_mac), EINVAL);
	CHECK_EQ(neighbor_learn(curmachine(), en0, SA(plain), peer_mac), 0);
	scoped.sin6_addr.s6_addr[3] = (uint8_t)en0->index;
	n = entry(SA(scoped));
	CHECK(n != NULL && n == entry(SA(plain)));
	neighbor_sockaddr(n, &ss);
	plain.sin6_scope_id = en0->index;
	CHECK_EQ(memcmp(&ss, &plain, sizeof plain), 0);
}

static bool
count_one(struct neighbor *n, void *ctx)
{
	unsigned *left = ctx;

	(void)n;
	return --*left != 0;
}

KTEST(neighbours_are_kept_per_interface)
{
	struct ifnet *other;
	uint8_t got[6];

	prepare();
	reset_him();
	other = attached_interface("x", 0);
	CHECK_EQ(neighbor_learn(curmachine(), en0, SA(him), peer_mac), 0);
	CHECK(!neighbor_lookup(curmachine(), other, SA(him), got));
	CHECK_EQ(neighbor_learn(curmachine(), other, SA(him), other_mac), 0);
	CHECK(neighbor_lookup(curmachine(), other, SA(him), got) && memcmp(got, other_mac, 6) == 0);
	CHECK(neighbor_lookup(curmachine(), en0, SA(him), got) && memcmp(got, peer_mac, 6) == 0);
}

KTEST(a_walk_sees_all_and_can_end)
{
	struct sockaddr_in6 v6 = ipv6(0x20, 0x01, 5);
	unsigned left;

	prepare();
	for (uint8_t i = 1; i < 6; i++) {
		struct sockaddr_in sin = ipv4(10, 0, 0, i);

		CHECK_EQ(neighbor_learn(curmachine(), en0, SA(sin), peer_mac), 0);
	}
	CHECK_EQ(neighbor_learn(curmachine(), en0, SA(v6), peer_mac), 0);
	left = 100;
	neighbor_walk(curmachine(), 0, count_one, &left);
	CHECK_EQ(left, 94);
	left = 100;
	neighbor_walk(curmachine(), AF_INET6, count_one, &left);
	CHECK_EQ(left, 99);
	left = 2;
	neighbor_walk(curmachine(), AF_INET, count_one, &left);
	CHECK_EQ(left, 0);
}

KTEST(an_interface_takes_its_neighbours_along)
{
	prepare();
	reset_him();
	CHECK_EQ(send4(him, 1), 0);
	CHECK_EQ(neighbor_learn(curmachine(), en0, SA(him), peer_mac), 0);
	him = ipv4(10, 0, 0, 3);
	CHECK_EQ(send4(him, 1), 0);
	CHECK_EQ(curmachine()->neighbors->count, 2);
	CHECK_EQ(iface_destroy(curmachine(), en0), 0);
	settle();
	CHECK_EQ(curmachine()->neighbors->count, 0);
	CHECK_EQ(curmachine()->neighbors->held[0], 0);
}

KTEST_SUITE(neighbor,
    T(a_packet_waits_for_the_answer_and_leaves_with_it),
    T(who_does_not_answer_is_given_up),
    T(a_reachable_neighbour_ages_and_is_probed_when_used),
    T(a_probe_without_answer_forgets_the_neighbour),
    T(an_unused_stale_neighbour_is_forgotten),
    T(what_was_heard_is_trusted_where_the_protocol_says_so),
    T(upper_layers_confirm),
    T(updates_create_override_and_confirm_as_told),
    T(configured_neighbours_stay_as_they_are),
    T(configuring_a_neighbour_lets_the_waiting_packets_go),
    T(the_cached_neighbour_is_dropped_when_it_may_not_be_used),
    T(the_default_stands_for_unknown_ones),
    T(without_a_protocol_nobody_is_asked),
    T(few_packets_wait_and_the_oldest_go_first),
    T(few_packets_wait_in_all),
    T(a_flood_of_unknown_addresses_is_bounded_and_spares_the_known),
    T(a_flood_of_strangers_is_bounded_and_spares_those_in_use),
    T(permanent_neighbours_are_not_evicted),
    T(learned_neighbours_are_bounded_and_the_oldest_goes),
    T(a_scope_in_a_link_local_address_makes_no_difference),
    T(neighbours_are_kept_per_interface),
    T(a_walk_sees_all_and_can_end),
    T(an_interface_takes_its_neighbours_along));
