/*
 * Wires and switches, seen frame by frame:
 *
 *	[ a en0 02:..:01 ]----- wire -----[ en0 02:..:02 b ]
 *
 *	[ a ]---+
 *	[ b ]---+ switch
 *	[ c ]---+
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/wire_core.h"

#define MS		UINT64_C(1000000)
#define STATIONS	3
#define SEEN_MAX	20001

struct seen {
	unsigned count;
	uint32_t number[SEEN_MAX];
	uint64_t when[SEEN_MAX];
};

struct net {
	struct world *world;
	struct wire *wire;
	struct nke *machine[STATIONS];
	struct ifnet *ifp[STATIONS];
	struct seen *seen[STATIONS];
};

static void
see(void *ctx, uint64_t calendar_ns, const void *frame, size_t len)
{
	struct seen *s = ctx;

	assert_true(len >= 18);
	assert_true(s->count < SEEN_MAX);
	memcpy(&s->number[s->count], (const uint8_t *)frame + 14, 4);
	s->when[s->count++] = calendar_ns;
}

static void
build(struct net *n, unsigned stations, bool is_switch, const struct core_wire_params *p)
{
	struct core_config config = {.seed = 1, .checked = true};

	memset(n, 0, sizeof *n);
	assert_int_equal(world_create(&config, &n->world), 0);
	assert_int_equal(wire_create(n->world, is_switch, 7, p, &n->wire), 0);
	for (unsigned i = 0; i < stations; i++) {
		struct core_iface_config iface = {
			.name = "en", .media = CORE_MEDIA_ETHERNET, .mtu = 9000,
			.lladdr = {2, 0, 0, 0, 0, (uint8_t)(i + 1)},
		};

		snprintf(config.name, sizeof config.name, "%c", 'a' + (int)i);
		assert_int_equal(machine_create(&config, n->world, &n->machine[i]), 0);
		assert_int_equal(iface_create(n->machine[i], &iface, &n->ifp[i]), 0);
		assert_int_equal(wire_plug(n->wire, n->machine[i], n->ifp[i]), 0);
		n->seen[i] = calloc(1, sizeof *n->seen[i]);
		assert_non_null(n->seen[i]);
		assert_int_equal(wire_set_tap(n->wire, n->ifp[i], see, n->seen[i]), 0);
	}
}

static void
take_down(struct net *n)
{
	wire_destroy(n->wire);
	for (unsigned i = 0; i < STATIONS; i++) {
		if (n->machine[i] != NULL)
			machine_destroy(n->machine[i]);
		free(n->seen[i]);
	}
	world_destroy(n->world);
}

static void
transmit(struct net *n, unsigned from, uint8_t to, uint32_t size, uint32_t count, uint64_t gap_ns)
{
	struct burst b = {n->ifp[from], (uint8_t)(from + 1), to, size, 0, count, gap_ns};

	assert_int_equal(machine_call(n->machine[from], send_burst, &b), 0);
}

static void
let_arrive(struct net *n)
{
	assert_int_equal(machine_run_until(n->machine[0], machine_uptime(n->machine[0]) + 100000 * MS), 0);
}

static struct core_wire_stats
stats(const struct net *n, unsigned i)
{
	struct core_wire_stats s;

	assert_int_equal(wire_stats(n->wire, n->ifp[i], &s), 0);
	return s;
}

/* ---- a wire ------------------------------------------------------------------------------- */

static void
an_ideal_wire_delivers_everything_at_once(void **state)
{
	const struct core_wire_params ideal = {0};
	struct net n;

	(void)state;
	build(&n, 2, false, &ideal);
	transmit(&n, 0, 2, 100, 50, 0);
	transmit(&n, 1, 1, 9014, 3, 0);
	transmit(&n, 1, 1, 3000, 2, 0);
	assert_int_equal(n.seen[1]->count, 50);
	assert_int_equal(n.seen[0]->count, 5);
	for (uint32_t i = 0; i < 50; i++) {
		assert_int_equal(n.seen[1]->number[i], i);
		assert_int_equal(n.seen[1]->when[i], 0);
	}
	assert_int_equal(stats(&n, 0).bytes, 3 * 9014 + 2 * 3000);
	assert_int_equal(stats(&n, 0).delivered, 5);
	take_down(&n);
}

static void
rate_and_delay_add_up(void **state)
{
	const struct core_wire_params p = {.rate_bps = 1000000, .delay_ns = 20 * MS};
	struct net n;

	(void)state;
	build(&n, 2, false, &p);
	transmit(&n, 0, 2, 125, 5, 0);	/* 1 ms each at 1 Mbit/s */
	let_arrive(&n);
	assert_int_equal(n.seen[1]->count, 5);
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(n.seen[1]->when[i], (i + 1) * MS + 20 * MS);
	take_down(&n);
}

static void
a_full_queue_drops_what_its_discipline_says(void **state)
{
	struct core_wire_params p = {.rate_bps = 1000000, .queue_frames = 10};
	struct net n;

	(void)state;
	build(&n, 2, false, &p);
	transmit(&n, 0, 2, 125, 20, 0);	/* one in the wire, ten wait */
	let_arrive(&n);
	assert_int_equal(n.seen[1]->count, 11);
	assert_int_equal(n.seen[1]->number[10], 10);
	assert_int_equal(stats(&n, 1).queue_dropped, 9);
	take_down(&n);

	p.queue = CORE_QUEUE_HEAD;
	build(&n, 2, false, &p);
	transmit(&n, 0, 2, 125, 20, 0);
	let_arrive(&n);
	assert_int_equal(n.seen[1]->count, 11);
	assert_int_equal(n.seen[1]->number[0], 0);
	assert_int_equal(n.seen[1]->number[1], 10);
	assert_int_equal(n.seen[1]->number[10], 19);
	take_down(&n);
}

/* Offered 1.25 times what the wire takes for 16 seconds: CoDel keeps frames from waiting for long. */
static void
codel_keeps_the_queue_short(void **state)
{
	struct core_wire_params p = {.rate_bps = 1000000, .queue_frames = 1000};
	uint64_t waited[2];
	struct net n;

	(void)state;
	for (int i = 0; i < 2; i++) {
		p.queue = i == 0 ? CORE_QUEUE_TAIL : CORE_QUEUE_CODEL;
		build(&n, 2, false, &p);
		transmit(&n, 0, 2, 125, 20000, 800000);
		let_arrive(&n);
		waited[i] = n.seen[1]->when[n.seen[1]->count - 1] -
		    n.seen[1]->number[n.seen[1]->count - 1] * UINT64_C(800000);
		assert_int_equal(n.seen[1]->count + stats(&n, 1).queue_dropped, 20000);
		take_down(&n);
	}
	assert_true(waited[0] > 500 * MS);
	assert_true(waited[1] < 250 * MS);
}

static void
chances_are_met_and_repeat(void **state)
{
	const struct core_wire_params p = {
		.delay_ns = MS, .loss = CORE_WIRE_BILLION / 10, .duplicate = CORE_WIRE_BILLION / 50,
		.corrupt = CORE_WIRE_BILLION / 20,
	};
	struct core_wire_stats s, first = {0};
	struct net n;

	(void)state;
	for (int i = 0; i < 2; i++) {
		build(&n, 2, false, &p);
		transmit(&n, 0, 2, 100, 5000, 0);
		let_arrive(&n);
		s = stats(&n, 1);
		assert_in_range(s.lost, 430, 570);
		assert_in_range(s.duplicated, 60, 125);
		assert_in_range(s.corrupted, 180, 275);
		assert_int_equal(s.delivered, 5000 - s.lost + s.duplicated);
		if (i == 1)
			assert_memory_equal(&s, &first, sizeof s);
		first = s;
		take_down(&n);
	}
}

/* Mean length of a burst is 1 / burst_end; its share of time burst_begin / (burst_begin + burst_end). */
static void
losses_come_in_bursts(void **state)
{
	const struct core_wire_params p = {
		.burst_begin = CORE_WIRE_BILLION / 100, .burst_end = CORE_WIRE_BILLION / 5,
	};
	unsigned runs = 0, lost;
	struct net n;

	(void)state;
	build(&n, 2, false, &p);
	transmit(&n, 0, 2, 60, 10000, 0);
	let_arrive(&n);
	lost = 10000 - n.seen[1]->count;
	for (unsigned i = 1; i < n.seen[1]->count; i++)
		runs += n.seen[1]->number[i] != n.seen[1]->number[i - 1] + 1;
	assert_in_range(lost, 300, 700);
	assert_true(lost > 3 * runs);
	take_down(&n);
}

static void
only_reordering_reorders(void **state)
{
	struct core_wire_params p = {.delay_ns = 10 * MS, .jitter_ns = 10 * MS};
	unsigned out_of_order = 0;
	struct net n;

	(void)state;
	build(&n, 2, false, &p);
	transmit(&n, 0, 2, 100, 1000, MS / 10);
	let_arrive(&n);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(n.seen[1]->number[i], i);
		assert_in_range(n.seen[1]->when[i] - i * (MS / 10), 10 * MS, 20 * MS);
	}
	take_down(&n);

	p = (struct core_wire_params){.delay_ns = MS, .reorder = CORE_WIRE_BILLION / 10};
	build(&n, 2, false, &p);
	transmit(&n, 0, 2, 100, 1000, MS / 10);
	let_arrive(&n);
	assert_int_equal(n.seen[1]->count, 1000);
	for (unsigned i = 1; i < 1000; i++)
		out_of_order += n.seen[1]->number[i] < n.seen[1]->number[i - 1];
	assert_in_range(out_of_order, 50, 150);
	take_down(&n);
}

static bool
has_carrier(const struct net *n, unsigned i)
{
	struct carrier c = {.ifp = n->ifp[i]};

	assert_int_equal(machine_call(n->machine[i], read_carrier, &c), 0);
	return c.on;
}

static void
long_frames_and_frames_without_carrier_vanish(void **state)
{
	struct core_wire_params p = {.mtu = 1500};
	struct net n;

	(void)state;
	build(&n, 2, false, &p);
	transmit(&n, 0, 2, 1514, 1, 0);
	transmit(&n, 0, 2, 1515, 1, 0);
	assert_int_equal(n.seen[1]->count, 1);
	assert_int_equal(stats(&n, 1).too_long, 1);
	p.down = true;
	assert_int_equal(wire_configure(n.wire, NULL, &p), 0);
	assert_false(has_carrier(&n, 0));
	assert_false(has_carrier(&n, 1));
	transmit(&n, 0, 2, 100, 1, 0);
	assert_int_equal(n.seen[1]->count, 1);
	p.down = false;
	assert_int_equal(wire_configure(n.wire, NULL, &p), 0);
	assert_true(has_carrier(&n, 1));
	transmit(&n, 0, 2, 100, 1, 0);
	assert_int_equal(n.seen[1]->count, 2);
	take_down(&n);
}

/* As long, as late and as large as can be said: nothing wraps around. */
static void
the_largest_numbers_mean_what_they_say(void **state)
{
	struct core_wire_params p = {.mtu = UINT32_MAX, .corrupt = CORE_WIRE_BILLION};
	struct net n;

	(void)state;
	build(&n, 2, false, &p);
	transmit(&n, 0, 2, 1514, 1, 0);
	let_arrive(&n);
	assert_int_equal(n.seen[1]->count, 1);
	p = (struct core_wire_params){.delay_ns = UINT64_MAX - 5, .jitter_ns = UINT64_MAX,
	    .reorder = CORE_WIRE_BILLION, .reorder_ns = UINT64_MAX};
	assert_int_equal(wire_configure(n.wire, NULL, &p), 0);
	transmit(&n, 0, 2, 100, 3, 0);
	let_arrive(&n);
	assert_int_equal(n.seen[1]->count, 1);
	p.rate_bps = 1;
	assert_int_equal(wire_configure(n.wire, NULL, &p), 0);
	transmit(&n, 0, 2, 100, 3, 0);
	let_arrive(&n);
	assert_int_equal(n.seen[1]->count, 1);
	take_down(&n);
}

static void
plugging_refuses_what_makes_no_sense(void **state)
{
	const struct core_wire_params ideal = {0};
	struct core_iface_config iface = {.name = "en", .unit = 1, .media = CORE_MEDIA_ETHERNET};
	struct core_config config = {.name = "elsewhere"};
	struct nke *elsewhere;
	struct ifnet *third, *foreign;
	struct wire *other;
	struct net n;

	(void)state;
	build(&n, 2, false, &ideal);
	assert_int_equal(iface_create(n.machine[0], &iface, &third), 0);
	assert_int_equal(wire_plug(n.wire, n.machine[0], third), 16);		/* EBUSY */
	assert_int_equal(wire_plug(n.wire, n.machine[0], n.ifp[0]), 17);	/* EEXIST */
	assert_int_equal(wire_create(n.world, false, 1, &ideal, &other), 0);
	assert_int_equal(wire_plug(other, n.machine[0], n.ifp[0]), 17);
	assert_int_equal(machine_create(&config, NULL, &elsewhere), 0);
	assert_int_equal(iface_create(elsewhere, &iface, &foreign), 0);
	assert_int_equal(wire_plug(other, elsewhere, foreign), 22);		/* EINVAL */
	machine_destroy(elsewhere);
	wire_destroy(other);
	take_down(&n);
}

/* Frames are in the queue, in the wire and in flight when one end goes, then the other. */
static void
ends_go_in_any_order(void **state)
{
	const struct core_wire_params p = {.rate_bps = 1000000, .delay_ns = 3 * MS};
	struct net n;

	(void)state;
	for (int order = 0; order < 4; order++) {
		build(&n, 2, false, &p);
		transmit(&n, 0, 2, 125, 20, 0);
		transmit(&n, 1, 1, 125, 20, 0);
		assert_int_equal(machine_run_until(n.machine[0], 6 * MS), 0);
		if (order == 0) {
			machine_destroy(n.machine[1]);
			n.machine[1] = NULL;
		} else if (order == 1) {
			assert_int_equal(iface_destroy(n.machine[0], n.ifp[0]), 0);
		} else if (order == 2) {
			wire_destroy(n.wire);
			assert_int_equal(wire_create(n.world, false, 1, &p, &n.wire), 0);
		}
		if (order != 3)
			transmit(&n, order == 1, 2, 125, 1, 0);
		assert_int_equal(machine_run_until(n.machine[0], 1000 * MS), 0);
		take_down(&n);
	}
}

static void
a_receiver_without_memory_loses_frames(void **state)
{
	const struct core_wire_params p = {.delay_ns = MS};
	struct core_config config = {.name = "small", .mbuf_limit_bytes = 64 << 10};
	struct core_iface_config iface = {.name = "en", .media = CORE_MEDIA_ETHERNET};
	struct core_wire_stats s;
	struct ifnet *ifp;
	struct net n;

	(void)state;
	build(&n, 1, false, &p);
	assert_int_equal(machine_create(&config, n.world, &n.machine[1]), 0);
	assert_int_equal(iface_create(n.machine[1], &iface, &ifp), 0);
	assert_int_equal(wire_plug(n.wire, n.machine[1], ifp), 0);
	n.ifp[1] = ifp;
	transmit(&n, 0, 2, 1514, 100, 0);
	let_arrive(&n);
	s = stats(&n, 1);
	assert_true(s.no_memory > 60);
	assert_int_equal(s.no_memory + s.delivered, 100);
	take_down(&n);
}

/* ---- a switch ----------------------------------------------------------------------------- */

static void
a_switch_learns(void **state)
{
	const struct core_wire_params ideal = {0};
	struct net n;

	(void)state;
	build(&n, 3, true, &ideal);
	transmit(&n, 0, 2, 60, 1, 0);		/* b has not been heard: to all */
	assert_int_equal(n.seen[1]->count, 1);
	assert_int_equal(n.seen[2]->count, 1);
	transmit(&n, 1, 1, 60, 1, 0);		/* a has */
	assert_int_equal(n.seen[0]->count, 1);
	assert_int_equal(n.seen[2]->count, 1);
	transmit(&n, 0, 2, 60, 1, 0);
	assert_int_equal(n.seen[1]->count, 2);
	assert_int_equal(n.seen[2]->count, 1);
	transmit(&n, 0, 0xff, 60, 1, 0);	/* broadcast */
	assert_int_equal(n.seen[1]->count, 3);
	assert_int_equal(n.seen[2]->count, 2);
	assert_int_equal(machine_run_until(n.machine[0], 301 * 1000 * MS), 0);
	transmit(&n, 0, 2, 60, 1, 0);		/* forgotten after 300 s */
	assert_int_equal(n.seen[2]->count, 3);
	take_down(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ideal_wire_delivers_everything_at_once),
		cmocka_unit_test(rate_and_delay_add_up),
		cmocka_unit_test(a_full_queue_drops_what_its_discipline_says),
		cmocka_unit_test(codel_keeps_the_queue_short),
		cmocka_unit_test(chances_are_met_and_repeat),
		cmocka_unit_test(losses_come_in_bursts),
		cmocka_unit_test(only_reordering_reorders),
		cmocka_unit_test(long_frames_and_frames_without_carrier_vanish),
		cmocka_unit_test(the_largest_numbers_mean_what_they_say),
		cmocka_unit_test(plugging_refuses_what_makes_no_sense),
		cmocka_unit_test(ends_go_in_any_order),
		cmocka_unit_test(a_receiver_without_memory_loses_frames),
		cmocka_unit_test(a_switch_learns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
