/*
 * src/host/socket.c, darwin_socket.c, wire.c, route.c: what the host's half adds to the machine's calls.
 *
 *	[ A en0 10.0.0.1 ]----- wire -----[ en0 10.0.0.2 B ]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <nke/route.h>
#include <nke/socket.h>
#include <nke/wire.h>

#define MS	UINT64_C(1000000)

static nke_t *
machine(nke_world_t *world, const char *name)
{
	struct nke_config config = {.name = name, .world = world, .checked = true};
	nke_t *m;

	assert_int_equal(nke_create(&config, &m), 0);
	return m;
}

static nke_iface_t *
interface(nke_t *m, uint8_t id)
{
	struct nke_iface_config config = {.name = "en0", .lladdr = {2, 0, 0, 0, 0, id}};
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000000u + id)};
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	nke_iface_t *i;

	assert_int_equal(nke_iface_create(m, &config, &i), 0);
	assert_int_equal(nke_iface_add_address(i, (struct sockaddr *)&sin, sizeof sin, 24), 0);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &sin6.sin6_addr), 1);
	sin6.sin6_addr.s6_addr[15] = id;
	assert_int_equal(nke_iface_add_address(i, (struct sockaddr *)&sin6, sizeof sin6, 64), 0);
	return i;
}

/* ---- sockets ------------------------------------------------------------------------------ */

static void
pairs_may_be_made_non_blocking(void **state)
{
	nke_t *m = machine(NULL, "a");
	char byte;
	int s[2];

	(void)state;
	assert_int_equal(nke_socketpair(m, AF_LOCAL, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(nke_recv(m, s[i], &byte, 1, 0), -1);
		assert_int_equal(errno, EAGAIN);
	}
	nke_destroy(m);
}

/* Descriptors that the program's buffer has no room for are closed. */
static void
no_descriptor_arrives_unseen(void **state)
{
	nke_t *m = machine(NULL, "a");

	(void)state;
	for (size_t room = 0; room <= CMSG_SPACE(4 * sizeof(int)); room++) {
		union {
			char bytes[CMSG_SPACE(4 * sizeof(int))];
			struct cmsghdr align;
		} u;
		struct iovec iov = {"x", 1};
		struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.bytes,
		    .msg_controllen = CMSG_SPACE(4 * sizeof(int))};
		struct cmsghdr *c;
		int s[2], passed, got[4], next;
		size_t n = 0;
		char byte;

		assert_int_equal(nke_socketpair(m, AF_LOCAL, SOCK_DGRAM, 0, s), 0);
		passed = nke_socket(m, AF_LOCAL, SOCK_STREAM, 0);
		memset(&u, 0, sizeof u);
		c = CMSG_FIRSTHDR(&msg);
		*c = (struct cmsghdr){CMSG_LEN(sizeof got), SOL_SOCKET, SCM_RIGHTS};
		for (int i = 0; i < 4; i++)
			got[i] = passed;
		memcpy(CMSG_DATA(c), got, sizeof got);
		assert_int_equal(nke_sendmsg(m, s[0], &msg, 0), 1);

		iov.iov_base = &byte;
		msg.msg_controllen = room;
		assert_int_equal(nke_recvmsg(m, s[1], &msg, MSG_CMSG_CLOEXEC), 1);
		c = CMSG_FIRSTHDR(&msg);
		if (c != NULL && c->cmsg_len > CMSG_LEN(0)) {
			n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(got, CMSG_DATA(c), n * sizeof(int));
		}
		assert_int_equal(n, room >= CMSG_LEN(sizeof got) ? 4 : 0);
		assert_int_equal((msg.msg_flags & MSG_CTRUNC) != 0, n < 4 && room != 0);
		/* The next number is the one behind those that were seen. */
		next = nke_dup(m, passed);
		assert_int_equal(next, passed + 1 + (int)n);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(nke_close(m, got[i]), 0);
		assert_int_equal(nke_close(m, next), 0);
		assert_int_equal(nke_close(m, passed), 0);
		assert_int_equal(nke_close(m, s[0]), 0);
		assert_int_equal(nke_close(m, s[1]), 0);
	}
	nke_destroy(m);
}

/* What a stream took before nobody could ever read it again is told first, the deadlock then. */
static void
part_of_a_stream_is_told_before_the_deadlock(void **state)
{
	static char big[100000];
	nke_t *m = machine(NULL, "a");
	int s[2];

	(void)state;
	assert_int_equal(nke_socketpair(m, AF_LOCAL, SOCK_STREAM, 0, s), 0);
	assert_int_equal(nke_send(m, s[0], big, sizeof big, 0), 8192);
	assert_int_equal(nke_send(m, s[0], big, sizeof big, 0), -1);
	assert_int_equal(errno, EDEADLK);
	nke_destroy(m);
}

static void
join(nke_t *m, int s, int level, const struct sockaddr_storage *group, unsigned index)
{
	struct group_req r = {.gr_interface = index, .gr_group = *group};

	assert_int_equal(nke_setsockopt(m, s, level, MCAST_JOIN_GROUP, &r, sizeof r), 0);
}

#ifdef MCAST_MSFILTER
static struct sockaddr_storage
storage(const char *text)
{
	struct sockaddr_storage ss;

	memset(&ss, 0, sizeof ss);
	if (strchr(text, ':') == NULL) {
		ss.ss_family = AF_INET;
		inet_pton(AF_INET, text, &((struct sockaddr_in *)&ss)->sin_addr);
	} else {
		ss.ss_family = AF_INET6;
		inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&ss)->sin6_addr);
	}
	return ss;
}

static void
filter_both_ways(nke_t *m, int family, int level, const char *group, const char *one, const char *two)
{
	union {
		struct group_filter f;
		char bytes[GROUP_FILTER_SIZE(4)];
	} u;
	struct sockaddr_storage g = storage(group), sources[2] = {storage(one), storage(two)};
	socklen_t len = sizeof u;
	int s = nke_socket(m, family, SOCK_DGRAM, 0);

	memset(&u, 0, sizeof u);
	u.f = (struct group_filter){.gf_interface = 0, .gf_group = g, .gf_fmode = MCAST_INCLUDE,
	    .gf_numsrc = 2};
	memcpy((char *)&u + offsetof(struct group_filter, gf_slist), sources, sizeof sources);
	assert_int_equal(nke_setsockopt(m, s, level, MCAST_MSFILTER, &u, GROUP_FILTER_SIZE(2)), -1);
	assert_int_equal(errno, EADDRNOTAVAIL);
	join(m, s, level, &g, 0);
	assert_int_equal(nke_setsockopt(m, s, level, MCAST_MSFILTER, &u, GROUP_FILTER_SIZE(1)), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(nke_setsockopt(m, s, level, MCAST_MSFILTER, &u, GROUP_FILTER_SIZE(2)), 0);

	memset(&u, 0, sizeof u);
	u.f.gf_group = g;
	u.f.gf_numsrc = 4;
	assert_int_equal(nke_getsockopt(m, s, level, MCAST_MSFILTER, &u, &len), 0);
	assert_int_equal(u.f.gf_fmode, MCAST_INCLUDE);
	assert_int_equal(u.f.gf_numsrc, 2);
	assert_memory_equal((char *)&u + offsetof(struct group_filter, gf_slist), sources, sizeof sources);
	/* How many there are is told without room for them. */
	u.f.gf_numsrc = 0;
	len = GROUP_FILTER_SIZE(0);
	assert_int_equal(nke_getsockopt(m, s, level, MCAST_MSFILTER, &u, &len), 0);
	assert_int_equal(u.f.gf_numsrc, 2);
	assert_int_equal(nke_close(m, s), 0);
}

static void
source_filters_are_set_and_read(void **state)
{
	union {
		struct ip_msfilter f;
		char bytes[IP_MSFILTER_SIZE(4)];
	} u;
	struct sockaddr_storage g = storage("239.1.2.3");
	nke_t *m = machine(NULL, "a");
	socklen_t len = sizeof u;
	int s;

	(void)state;
	interface(m, 1);
	filter_both_ways(m, AF_INET, IPPROTO_IP, "239.1.2.3", "10.0.0.5", "10.0.0.6");
	filter_both_ways(m, AF_INET6, IPPROTO_IPV6, "ff35::1", "2001:db8::5", "2001:db8::6");
	s = nke_socket(m, AF_INET, SOCK_DGRAM, 0);
	join(m, s, IPPROTO_IP, &g, 0);
	memset(&u, 0, sizeof u);
	u.f.imsf_multiaddr.s_addr = inet_addr("239.1.2.3");
	u.f.imsf_interface.s_addr = inet_addr("10.0.0.1");
	u.f.imsf_fmode = MCAST_EXCLUDE;
	u.f.imsf_numsrc = 1;
	u.f.imsf_slist[0].s_addr = inet_addr("10.0.0.9");
	assert_int_equal(nke_setsockopt(m, s, IPPROTO_IP, IP_MSFILTER, &u, IP_MSFILTER_SIZE(1)), 0);
	u.f.imsf_fmode = 7;
	u.f.imsf_numsrc = 4;
	u.f.imsf_slist[0].s_addr = 0;
	assert_int_equal(nke_getsockopt(m, s, IPPROTO_IP, IP_MSFILTER, &u, &len), 0);
	assert_int_equal(u.f.imsf_fmode, MCAST_EXCLUDE);
	assert_int_equal(u.f.imsf_numsrc, 1);
	assert_int_equal(u.f.imsf_slist[0].s_addr, inet_addr("10.0.0.9"));
	nke_destroy(m);
}
#endif

static void
options_have_the_hosts_names(void **state)
{
	nke_t *m = machine(NULL, "a");
	int s = nke_socket(m, AF_INET, SOCK_DGRAM, 0), value = 1;
	socklen_t len = sizeof value;

	(void)state;
#ifdef SO_NO_CHECK
	assert_int_equal(nke_setsockopt(m, s, SOL_SOCKET, SO_NO_CHECK, &value, sizeof value), 0);
	value = 0;
	assert_int_equal(nke_getsockopt(m, s, SOL_SOCKET, SO_NO_CHECK, &value, &len), 0);
	assert_int_equal(value, 1);
#endif
	assert_int_equal(nke_setsockopt(m, s, SOL_SOCKET, 12345, &value, sizeof value), -1);
	assert_int_equal(errno, ENOPROTOOPT);
	(void)len;
	nke_destroy(m);
}

/* ---- wires -------------------------------------------------------------------------------- */

/* The one the wire was made with, and one end of it, are gone; the rest goes on. */
static void
a_wire_outlives_its_machines(void **state)
{
	struct nke_wire_config wrong = {.loss = 2}, down = {.down = true};
	char path[] = "/tmp/nke-host-socket-XXXXXX";
	int fd = mkstemp(path);
	nke_world_t *world;
	nke_iface_t *a_en0, *b_en0;
	nke_wire_t *w;
	nke_t *a, *b;

	(void)state;
	assert_int_equal(nke_world_create(NULL, &world), 0);
	a = machine(world, "a");
	b = machine(world, "b");
	a_en0 = interface(a, 1);
	b_en0 = interface(b, 2);
	assert_int_equal(nke_wire_create(a, NULL, 1, &w), 0);
	assert_int_equal(nke_wire_plug(w, a_en0), 0);
	assert_int_equal(nke_wire_plug(w, b_en0), 0);
	assert_int_equal(nke_wire_capture(w, a_en0, path), 0);
	nke_destroy(a);
	assert_int_equal(nke_wire_configure(w, NULL, &wrong), EINVAL);
	assert_int_equal(nke_wire_configure(w, NULL, &down), 0);
	assert_int_equal(nke_wire_configure(w, b_en0, &wrong), EINVAL);
	assert_int_equal(nke_wire_capture(w, NULL, "/nonexistent/file"), ENOENT);
	assert_int_equal(nke_wire_capture_end(w), 0);
	assert_int_equal(nke_wire_capture(w, NULL, path), 0);
	nke_destroy(b);
	nke_wire_destroy(w);
	nke_world_destroy(world);
	close(fd);
	unlink(path);
}

/* ---- lists -------------------------------------------------------------------------------- */

static void
lists_are_counted_without_room(void **state)
{
	nke_t *m = machine(NULL, "a");

	(void)state;
	interface(m, 1);
	assert_true(nke_address_list(m, NULL, 0) >= 2);
	assert_true(nke_route_list(m, AF_UNSPEC, NULL, 0) >= 2);
	nke_destroy(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_may_be_made_non_blocking),
		cmocka_unit_test(no_descriptor_arrives_unseen),
		cmocka_unit_test(part_of_a_stream_is_told_before_the_deadlock),
#ifdef MCAST_MSFILTER
		cmocka_unit_test(source_filters_are_set_and_read),
#endif
		cmocka_unit_test(options_have_the_hosts_names),
		cmocka_unit_test(a_wire_outlives_its_machines),
		cmocka_unit_test(lists_are_counted_without_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
