/*
 * The DHCP client against a server that follows a script, in virtual time:
 *
 *	[ harness: server 10.5.0.1 ]---- output callback / nke_iface_input ----[ en0, DHCP client ]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <nke/dhcp.h>

#define SECOND		UINT64_C(1000000000)
#define MAX_SENT	64

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE };

static const uint8_t station[6] = {2, 0, 0, 0, 0, 2}, server_station[6] = {2, 0, 0, 0, 0, 1};

/* A message of the client, as it was on the wire. */
struct sent {
	uint64_t at;
	bool broadcast;			/* the frame */
	uint32_t src, dst;		/* host order */
	uint32_t xid, ciaddr;
	uint16_t flags;
	uint8_t type;
	uint32_t requested, server;	/* options 50, 54 */
};

struct stage {
	nke_t *machine;
	nke_iface_t *en0;
	nke_dhcp_t *client;
	struct sent sent[MAX_SENT];
	unsigned count;
	unsigned bad_frames;		/* checksums, lengths */
	unsigned arp_questions;
	unsigned events[4];
};

/* ---- what the client sends ---------------------------------------------------------------- */

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t
sum16(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum > 0xffff)
		sum = (sum >> 16) + (sum & 0xffff);
	return sum;
}

static const uint8_t *
option(const uint8_t *p, const uint8_t *end, uint8_t wanted)
{
	while (p + 1 < end && *p != 255) {
		if (*p == 0) {
			p++;
			continue;
		}
		if (p + 2 + p[1] > end)
			return NULL;
		if (*p == wanted)
			return p + 2;
		p += 2 + p[1];
	}
	return NULL;
}

static void
client_sends(void *ctx, const void *bytes, size_t len)
{
	struct stage *g = ctx;
	const uint8_t *f = bytes, *ip = f + 14, *udp = ip + 20, *b = udp + 8, *options = b + 240, *o;
	struct sent *s = &g->sent[g->count];

	if (len >= 42 && f[12] == 8 && f[13] == 6) {
		g->arp_questions += ip[7] == 1;
		return;
	}
	if (len < 14 + 28 + 240 || f[12] != 8 || f[13] != 0 || ip[9] != 17 || g->count == MAX_SENT ||
	    udp[3] != 67)
		return;
	*s = (struct sent){.at = nke_uptime(g->machine), .broadcast = f[0] == 0xff, .src = get32(ip + 12),
	    .dst = get32(ip + 16), .xid = get32(b + 4), .ciaddr = get32(b + 12),
	    .flags = (uint16_t)(b[10] << 8 | b[11])};
	if (sum16(ip, 20, 0) != 0xffff || sum16(udp, len - 34, sum16(ip + 12, 8,
	    17 + (uint32_t)len - 34)) != 0xffff ||
	    len - 42 < 300 || (size_t)(ip[2] << 8 | ip[3]) != len - 14 || memcmp(b + 28, station, 6) != 0 ||
	    get32(b + 236) != 0x63825363)
		g->bad_frames++;
	if ((o = option(options, f + len, 53)) != NULL)
		s->type = *o;
	if ((o = option(options, f + len, 50)) != NULL)
		s->requested = get32(o);
	if ((o = option(options, f + len, 54)) != NULL)
		s->server = get32(o);
	g->count++;
}

static void
hear(void *ctx, enum nke_dhcp_event event, const struct nke_dhcp_lease *lease)
{
	struct stage *g = ctx;

	(void)lease;
	g->events[event]++;
}

/* ---- the server --------------------------------------------------------------------------- */

struct answer {
	uint8_t type;
	uint32_t address, server, mask, router, lease, t1, t2;
	size_t cut;			/* bytes that are missing at its end */
	uint8_t raw[64];		/* options instead of those */
	size_t raw_len;
};

static uint8_t *
put32(uint8_t *p, uint8_t number, uint32_t value)
{
	const uint32_t v = htonl(value);

	if (value == 0)
		return p;
	*p++ = number;
	*p++ = 4;
	memcpy(p, &v, 4);
	return p + 4;
}

static void
put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void
answer_to(struct stage *g, const struct sent *to, const struct answer *a)
{
	uint8_t f[14 + 28 + 500] = {0}, *ip = f + 14, *udp = ip + 20, *b = udp + 8, *p = b + 236;
	const uint32_t xid = htonl(to->xid), address = htonl(a->address), source = htonl(a->server);
	size_t len;

	memset(f, 0xff, 6);
	memcpy(f + 6, server_station, 6);
	f[12] = 8;
	b[0] = 2;
	b[1] = 1;
	b[2] = 6;
	memcpy(b + 4, &xid, 4);
	memcpy(b + 16, &address, 4);
	memcpy(b + 28, station, 6);
	memcpy(p, "\x63\x82\x53\x63\x35\x01", 6);
	p += 6;
	*p++ = a->type;
	p = put32(put32(put32(p, 54, a->server), 1, a->mask), 3, a->router);
	p = put32(put32(put32(p, 51, a->lease), 58, a->t1), 59, a->t2);
	memcpy(p, a->raw, a->raw_len);
	p += a->raw_len;
	*p++ = 255;
	len = (size_t)(p - f) - a->cut;
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)len - 14);
	ip[8] = 64;
	ip[9] = 17;
	memcpy(ip + 12, &source, 4);
	memset(ip + 16, 0xff, 4);
	put16(ip + 10, ~sum16(ip, 20, 0) & 0xffff);
	put16(udp, 67);
	put16(udp + 2, 68);
	put16(udp + 4, (uint32_t)len - 34);
	assert_int_equal(nke_iface_input(g->en0, f, len), 0);
}

static const struct answer good = {.address = 0x0a050042, .server = 0x0a050001, .mask = 0xffffff00,
    .router = 0x0a050001, .lease = 1000, .t1 = 500, .t2 = 875};

static void
answer_last(struct stage *g, uint8_t type)
{
	struct answer a = good;

	a.type = type;
	answer_to(g, &g->sent[g->count - 1], &a);
}

/* An ARP packet of another station that has the address. */
static void
claim(struct stage *g, uint32_t address)
{
	const uint32_t in = htonl(address);
	uint8_t f[42] = {[12] = 8, [13] = 6, [15] = 1, [16] = 8, [18] = 6, [19] = 4, [21] = 2};
	static const uint8_t other[6] = {2, 0, 0, 0, 0, 9};

	memcpy(f, station, 6);
	memcpy(f + 6, other, 6);
	memcpy(f + 22, other, 6);
	memcpy(f + 28, &in, 4);
	memcpy(f + 32, station, 6);
	memcpy(f + 38, &in, 4);
	assert_int_equal(nke_iface_input(g->en0, f, sizeof f), 0);
}

/* ---- the stage ---------------------------------------------------------------------------- */

static int
set_up(void **state)
{
	static struct stage g;
	struct nke_config config = {.seed = 7, .checked = true};
	struct nke_iface_config iface = {.name = "en0", .output = client_sends, .ctx = &g};
	struct nke_dhcp_config dhcp = {.hostname = "guest", .event = hear, .ctx = &g};
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a050001)};

	memset(&g, 0, sizeof g);
	memcpy(iface.lladdr, station, 6);
	assert_int_equal(nke_create(&config, &g.machine), 0);
	assert_int_equal(nke_iface_create(g.machine, &iface, &g.en0), 0);
	assert_int_equal(nke_iface_add_neighbor(g.en0, (struct sockaddr *)&server, sizeof server,
	    server_station), 0);
	assert_int_equal(nke_dhcp_start(g.en0, &dhcp, &g.client), 0);
	*state = &g;
	return 0;
}

static int
tear_down(void **state)
{
	struct stage *g = *state;

	nke_dhcp_stop(g->client);
	assert_int_equal(g->bad_frames, 0);
	nke_destroy(g->machine);
	return 0;
}

static bool
bound(struct stage *g)
{
	struct nke_dhcp_lease lease;

	assert_int_equal(nke_dhcp_read_lease(g->client, &lease), 0);
	return lease.bound;
}

static void
get_bound(struct stage *g)
{
	answer_last(g, OFFER);
	answer_last(g, ACK);
	assert_true(bound(g));
}

static struct sent *
last(struct stage *g)
{
	return &g->sent[g->count - 1];
}

/* ---- tests -------------------------------------------------------------------------------- */

static void
gets_an_address(void **state)
{
	struct stage *g = *state;
	struct nke_dhcp_lease lease;

	assert_int_equal(g->count, 1);
	assert_int_equal(last(g)->type, DISCOVER);
	assert_true(last(g)->broadcast && last(g)->src == 0 && last(g)->dst == 0xffffffff);
	assert_int_equal(last(g)->flags, 0x8000);
	answer_last(g, OFFER);
	assert_int_equal(g->count, 2);
	assert_int_equal(last(g)->type, REQUEST);
	assert_int_equal(last(g)->requested, good.address);
	assert_int_equal(last(g)->server, good.server);
	assert_int_equal(last(g)->xid, g->sent[0].xid);
	assert_false(bound(g));
	answer_last(g, ACK);
	assert_int_equal(nke_dhcp_read_lease(g->client, &lease), 0);
	assert_true(lease.bound);
	assert_int_equal(lease.address.s_addr, htonl(good.address));
	assert_int_equal(lease.router.s_addr, htonl(good.router));
	assert_int_equal(lease.prefix, 24);
	assert_int_equal(lease.lease, 1000);
	assert_int_equal(g->events[NKE_DHCP_BOUND], 1);
	assert_true(g->arp_questions > 0);	/* the address is asked for */
}

static void
asks_again_later_and_later(void **state)
{
	struct stage *g = *state;
	static const unsigned waits[] = {4, 8, 16, 32, 64, 64};

	nke_run_for(g->machine, 240 * SECOND);
	assert_true(g->count >= 7);
	for (unsigned i = 0; i < 6; i++) {
		uint64_t wait = g->sent[i + 1].at - g->sent[i].at;

		assert_int_equal(g->sent[i + 1].type, DISCOVER);
		assert_in_range(wait, (waits[i] - 1) * SECOND, (waits[i] + 1) * SECOND);
	}
}

static void
gives_an_offer_up(void **state)
{
	struct stage *g = *state;

	answer_last(g, OFFER);
	nke_run_for(g->machine, 70 * SECOND);
	assert_int_equal(g->sent[1].type, REQUEST);
	assert_int_equal(g->sent[4].type, REQUEST);
	assert_int_equal(g->sent[5].type, DISCOVER);
}

static void
renews(void **state)
{
	struct stage *g = *state;
	struct nke_dhcp_lease lease;

	get_bound(g);
	nke_run_for(g->machine, 499 * SECOND);
	assert_int_equal(g->count, 2);
	nke_run_for(g->machine, 2 * SECOND);
	assert_int_equal(g->count, 3);
	assert_int_equal(last(g)->type, REQUEST);
	assert_false(last(g)->broadcast);
	assert_int_equal(last(g)->dst, good.server);
	assert_int_equal(last(g)->ciaddr, good.address);
	assert_int_equal(last(g)->requested, 0);
	assert_int_equal(last(g)->server, 0);
	assert_int_equal(last(g)->flags, 0);
	answer_last(g, ACK);
	assert_int_equal(g->events[NKE_DHCP_RENEWED], 1);
	assert_int_equal(g->events[NKE_DHCP_LOST], 0);
	assert_int_equal(nke_dhcp_read_lease(g->client, &lease), 0);
	assert_in_range(lease.since_ns, 499 * SECOND, 502 * SECOND);
}

static void
rebinds_then_expires(void **state)
{
	struct stage *g = *state;
	unsigned to_all = 0, renewals = 0;

	get_bound(g);
	nke_run_for(g->machine, 998 * SECOND);
	assert_true(bound(g));
	for (unsigned i = 2; i < g->count; i++) {
		assert_int_equal(g->sent[i].type, REQUEST);
		renewals += !g->sent[i].broadcast;
		to_all += g->sent[i].broadcast;
		if (g->sent[i].broadcast) {
			assert_true(g->sent[i].at >= 874 * SECOND);
			assert_int_equal(g->sent[i].src, good.address);
		}
	}
	assert_in_range(renewals, 2, 5);
	assert_in_range(to_all, 1, 3);
	nke_run_for(g->machine, 3 * SECOND);
	assert_false(bound(g));
	assert_int_equal(g->events[NKE_DHCP_LOST], 1);
	assert_int_equal(last(g)->type, DISCOVER);
}

static void
takes_no_for_an_answer(void **state)
{
	struct stage *g = *state;

	get_bound(g);
	nke_run_for(g->machine, 501 * SECOND);
	answer_last(g, NAK);
	assert_false(bound(g));
	assert_int_equal(g->events[NKE_DHCP_LOST], 1);
	assert_int_equal(last(g)->type, DISCOVER);
	assert_int_equal(last(g)->requested, 0);
	get_bound(g);
}

static void
declines_a_conflict(void **state)
{
	struct stage *g = *state;

	get_bound(g);
	claim(g, good.address);
	assert_false(bound(g));
	assert_int_equal(g->events[NKE_DHCP_CONFLICT], 1);
	assert_int_equal(last(g)->type, DECLINE);
	assert_int_equal(last(g)->requested, good.address);
	assert_int_equal(last(g)->server, good.server);
	nke_run_for(g->machine, 9 * SECOND);
	assert_int_equal(last(g)->type, DECLINE);
	nke_run_for(g->machine, 2 * SECOND);
	assert_int_equal(last(g)->type, DISCOVER);
}

static void
releases(void **state)
{
	struct stage *g = *state;

	get_bound(g);
	nke_dhcp_stop(g->client);
	g->client = NULL;
	assert_int_equal(last(g)->type, RELEASE);
	assert_int_equal(last(g)->ciaddr, good.address);
	assert_int_equal(last(g)->dst, good.server);
	nke_run_for(g->machine, 2000 * SECOND);
	assert_int_equal(g->count, 3);
}

/* Another's, too short, without type, options beyond the end: nothing comes of them. */
static void
ignores_what_is_no_answer(void **state)
{
	struct stage *g = *state;
	struct answer a = good;
	struct sent other = g->sent[0];

	a.type = OFFER;
	other.xid++;
	answer_to(g, &other, &a);
	for (a.cut = 1; a.cut < 300; a.cut++) {
		answer_to(g, &g->sent[0], &a);
		if (g->count > 1)	/* all that is needed was there still */
			break;
	}
	assert_int_equal(a.cut, 1);
}

static void
survives_broken_options(void **state)
{
	struct stage *g = *state;
	struct answer a = {.type = OFFER, .address = good.address};

	for (unsigned number = 0; number < 256; number++) {
		for (unsigned len = 0; len < 256; len += 51) {
			a.raw[0] = (uint8_t)number;
			a.raw[1] = (uint8_t)len;
			a.raw_len = 20;
			answer_to(g, &g->sent[0], &a);
		}
	}
	assert_int_equal(nke_panicked(g->machine), 0);
	a = good;
	a.type = OFFER;
	a.address = 0x7f000001;
	answer_to(g, last(g), &a);
	assert_int_equal(last(g)->requested == 0x7f000001, 0);
}

/* Names may carry options (RFC 2132 9.3); leases that are too short are taken for 30 s. */
static void
makes_up_for_nonsense(void **state)
{
	struct stage *g = *state;
	struct nke_dhcp_lease lease;
	struct answer a = {.type = OFFER, .address = good.address, .server = good.server};

	answer_to(g, last(g), &a);
	a.type = ACK;
	a.lease = 1;
	a.t1 = 900;
	a.t2 = 800;
	answer_to(g, last(g), &a);
	assert_int_equal(nke_dhcp_read_lease(g->client, &lease), 0);
	assert_true(lease.bound);
	assert_int_equal(lease.lease, 30);
	assert_true(lease.t1 <= lease.t2 && lease.t2 <= lease.lease);
	assert_int_equal(lease.prefix, 8);
	assert_int_equal(lease.router.s_addr, 0);
}

static void
one_client_per_interface(void **state)
{
	struct stage *g = *state;
	struct nke_iface_config raw = {.name = "utun0", .media = NKE_MEDIA_RAW};
	nke_iface_t *utun0;
	nke_dhcp_t *d;

	assert_int_equal(nke_dhcp_start(g->en0, NULL, &d), EBUSY);
	assert_null(d);
	assert_int_equal(nke_iface_create(g->machine, &raw, &utun0), 0);
	assert_int_equal(nke_dhcp_start(utun0, NULL, &d), EOPNOTSUPP);
	/* the interface goes under it */
	get_bound(g);
	assert_int_equal(nke_iface_destroy(g->en0), 0);
	nke_run_for(g->machine, 2000 * SECOND);
}

int
main(void)
{
#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(gets_an_address), TEST(asks_again_later_and_later), TEST(gives_an_offer_up),
		    TEST(renews),
		TEST(rebinds_then_expires), TEST(takes_no_for_an_answer), TEST(declines_a_conflict),
		TEST(releases), TEST(ignores_what_is_no_answer), TEST(survives_broken_options),
		TEST(makes_up_for_nonsense), TEST(one_client_per_interface),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
