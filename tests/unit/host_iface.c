/*
 * Interfaces and trace points through include/nke.
 *
 *	[ harness ]---- output callback / nke_iface_input ----[ en0 10.0.0.1/24 machine ]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <nke/iface.h>
#include <nke/stats.h>
#include <nke/trace.h>

struct sent {
	unsigned frames;
	size_t len;
	uint8_t last[2048];
};

static void
keep_frame(void *ctx, const void *frame, size_t len)
{
	struct sent *s = ctx;

	s->frames++;
	s->len = len;
	memcpy(s->last, frame, len < sizeof s->last ? len : sizeof s->last);
}

static struct sockaddr_in
ip4(const char *text)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};

	assert_int_equal(inet_pton(AF_INET, text, &sin.sin_addr), 1);
	return sin;
}

static nke_iface_t *
ethernet(nke_t *m, const char *name, struct sent *sent)
{
	struct nke_iface_config config = {
		.name = name, .media = NKE_MEDIA_ETHERNET, .lladdr = {2, 0, 0, 0, 0, 1},
		.output = keep_frame, .ctx = sent,
	};
	nke_iface_t *i;

	if (nke_iface_create(m, &config, &i) != 0)
		fail_msg("%s", nke_error_text(m));
	return i;
}

/* An ICMP echo request from 10.0.0.2 to 10.0.0.1, 14 + 20 + 8 bytes. */
static const uint8_t echo_request[] = {
	2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00,
	0x45, 0, 0, 28, 0, 1, 0, 0, 64, 1, 0x66, 0xde, 10, 0, 0, 2, 10, 0, 0, 1,
	8, 0, 0xf7, 0xfe, 0, 0, 0, 1,
};

static void
names_and_addresses_are_checked(void **state)
{
	static const char *const wrong[] = {"", "en", "0", "en0x", "en99999", "averyverylongname0", NULL};
	struct sent sent = {0};
	struct nke_iface_config config = {.name = "en0"};
	struct sockaddr_in sin = ip4("10.0.0.1");
	nke_iface_t *i, *other;
	nke_t *m;

	(void)state;
	assert_int_equal(nke_create(NULL, &m), 0);
	for (const char *const *name = wrong; *name != NULL; name++) {
		config.name = *name;
		assert_int_equal(nke_iface_create(m, &config, &other), EINVAL);
		assert_non_null(strstr(nke_error_text(m), "like en0"));
	}
	i = ethernet(m, "en0", &sent);
	assert_ptr_equal(nke_iface_find(m, "en0"), i);
	assert_string_equal(nke_iface_name(i), "en0");
	config.name = "en0";
	assert_int_equal(nke_iface_create(m, &config, &other), EBUSY);
	assert_int_equal(nke_iface_add_address(i, (struct sockaddr *)&sin, sizeof sin, 33), EINVAL);
	assert_int_equal(nke_iface_add_address(i, (struct sockaddr *)&sin, 3, 24), EINVAL);
	assert_int_equal(nke_iface_add_address(i, (struct sockaddr *)&sin, sizeof sin, 24), 0);
	assert_int_equal(nke_iface_add_address(i, (struct sockaddr *)&sin, sizeof sin, 24), EEXIST);
	assert_int_equal(nke_iface_input(i, echo_request, 13), EINVAL);
	assert_non_null(strstr(nke_error_text(m), "en0: frame of 13 bytes not taken"));
	assert_int_equal(nke_iface_destroy(i), 0);
	assert_null(nke_iface_find(m, "en0"));
	i = ethernet(m, "en0", &sent);
	assert_int_equal(nke_iface_destroy(i), 0);
	nke_destroy(m);
}

static char points[4096];

static void
keep_point(void *ctx, const struct nke_trace_event *e)
{
	assert_ptr_equal(ctx, points);
	assert_non_null(e->words);
	if (e->data != NULL)
		assert_true(e->packet_len >= e->data_len);
	strncat(points, e->point, sizeof points - strlen(points) - 2);
	strcat(points, " ");
}

static void
a_packet_is_traced(void **state)
{
	struct sockaddr_in sin = ip4("10.0.0.1");
	struct sent sent = {0};
	struct nke_memory memory;
	nke_iface_t *i;
	nke_t *m;

	(void)state;
	assert_int_equal(nke_create(NULL, &m), 0);
	i = ethernet(m, "en0", &sent);
	assert_int_equal(nke_iface_add_address(i, (struct sockaddr *)&sin, sizeof sin, 24), 0);
	points[0] = '\0';
	assert_int_equal(nke_trace_set(m, keep_point, points), 0);
	assert_int_equal(nke_iface_input(i, echo_request, sizeof echo_request), 0);
	assert_non_null(strstr(points, "ifnet_input "));
	assert_non_null(strstr(points, "ip_input "));
	assert_int_equal(nke_trace_set(m, NULL, NULL), 0);
	points[0] = '\0';
	assert_int_equal(nke_iface_input(i, echo_request, sizeof echo_request), 0);
	assert_string_equal(points, "");
	assert_int_equal(nke_trace_set(m, keep_point, points), 0);
	assert_int_equal(nke_trace_set(m, keep_point, points), 0);
	nke_stats_memory(m, &memory);
	assert_true(memory.heap_blocks > 0);
	nke_destroy(m);
}

static void
trace_points_have_names(void **state)
{
	unsigned n = 0;

	(void)state;
	while (nke_trace_point_name(n) != NULL) {
		assert_non_null(nke_trace_point_words(n));
		n++;
	}
	assert_true(n > 5);
	assert_null(nke_trace_point_words(n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_addresses_are_checked),
		cmocka_unit_test(a_packet_is_traced),
		cmocka_unit_test(trace_points_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
