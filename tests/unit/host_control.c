/*
 * Kernel controls and kernel events from the outside: nke/control.h and the socket calls on what it gives.
 * The kext is tests/data/kexts/control.c, built beside this program.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <nke/control.h>
#include <nke/file.h>
#include <nke/iface.h>
#include <nke/kext.h>
#include <nke/proc.h>

#define ECHO		"com.example.echo"
#define ECHO_STREAM	"com.example.echo.stream"

static nke_t *
machine(void)
{
	struct nke_config config = {.name = "a", .seed = 1, .checked = true};
	nke_t *m;

	assert_int_equal(nke_create(&config, &m), 0);
	return m;
}

static nke_kext_t *
load(nke_t *m)
{
	char self[PATH_MAX] = "", path[PATH_MAX * 2];
	nke_kext_t *k;

	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		abort();
	*strrchr(self, '/') = '\0';
	snprintf(path, sizeof path, "%s/tests/data/kexts/control.kext", self);
	if (nke_kext_load(m, path, &k) != 0)
		fail_msg("%s", nke_error_text(m));
	return k;
}

static void
fails(int result, int with)
{
	assert_int_equal(result, -1);
	assert_int_equal(errno, with);
}

static int
connected(nke_t *m, const char *name)
{
	int s = nke_ctl_connect(m, name, 0, 0);

	if (s < 0)
		fail_msg("%s: %s", name, strerror(errno));
	return s;
}

/* ---- connecting --------------------------------------------------------------------------- */

static void
test_connecting(void **state)
{
	char long_name[97];
	nke_t *m = machine();
	int s;

	(void)state;
	memset(long_name, 'x', 96);
	long_name[96] = '\0';
	fails(nke_ctl_connect(m, ECHO, 0, SOCK_DGRAM), ENOENT);
	load(m);
	fails(nke_ctl_connect(m, "", 0, SOCK_DGRAM), EINVAL);
	fails(nke_ctl_connect(m, long_name, 0, SOCK_DGRAM), EINVAL);
	fails(nke_ctl_connect(m, ECHO, 0, SOCK_STREAM), EPROTOTYPE);
	fails(nke_ctl_connect(m, ECHO_STREAM, 0, SOCK_DGRAM), EPROTOTYPE);
	fails(nke_ctl_connect(m, ECHO, 13, SOCK_DGRAM), EACCES);
	fails(nke_ctl_connect(m, ECHO, 0, SOCK_SEQPACKET), EPROTOTYPE);
	s = nke_ctl_connect(m, ECHO, 5, SOCK_DGRAM | SOCK_NONBLOCK);
	assert_true(s >= 0);
	fails((int)nke_recv(m, s, long_name, 1, 0), EWOULDBLOCK);
	fails(nke_ctl_connect(m, ECHO, 5, SOCK_DGRAM), EBUSY);
	assert_int_equal(nke_close(m, s), 0);
	/* Descriptors of calls that failed are closed. */
	s = nke_socket(m, NKE_AF_SYSTEM, SOCK_DGRAM, NKE_SYSPROTO_CONTROL);
	assert_int_equal(s, 3);
	nke_destroy(m);
}

static void
test_address(void **state)
{
	struct nke_sockaddr_ctl address;
	struct nke_ctl_info info = {.ctl_name = ECHO_STREAM};
	socklen_t len = sizeof address;
	nke_t *m = machine();
	int s, count = 0;

	(void)state;
	load(m);
	s = nke_socket(m, NKE_AF_SYSTEM, SOCK_STREAM, NKE_SYSPROTO_CONTROL);
	assert_int_equal(nke_ioctl(m, s, NKE_CTLIOCGCOUNT, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(nke_ioctl(m, s, NKE_CTLIOCGINFO, &info), 0);
	assert_int_equal(info.ctl_id, 2);
	memset(&address, 0, sizeof address);
	address.sc_header.sa_family = (sa_family_t)NKE_AF_SYSTEM;
	address.sc_id = info.ctl_id;
	address.sc_unit = 77;
	fails(nke_getpeername(m, s, (struct sockaddr *)&address, &len), ENOTCONN);
	fails(nke_connect(m, s, (struct sockaddr *)&address, sizeof address - 1), EINVAL);
	assert_int_equal(nke_connect(m, s, (struct sockaddr *)&address, sizeof address), 0);
	memset(&address, 0, sizeof address);
	assert_int_equal(nke_getpeername(m, s, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(len, sizeof address);
	assert_int_equal(address.sc_header.sa_family, (sa_family_t)NKE_AF_SYSTEM);
	assert_int_equal(address.sc_id, 2);
	assert_int_equal(address.sc_unit, 77);
	nke_destroy(m);
}

static void
test_privilege(void **state)
{
	const struct nke_process user = {.pid = 7, .name = "user", .uid = 501};
	nke_t *m = machine();

	(void)state;
	load(m);
	assert_int_equal(nke_proc_set(m, &user), 0);
	assert_true(nke_ctl_connect(m, ECHO, 0, 0) >= 0);
	fails(nke_ctl_connect(m, ECHO_STREAM, 0, 0), EPERM);
	assert_int_equal(nke_proc_set(m, NULL), 0);
	assert_true(nke_ctl_connect(m, ECHO_STREAM, 0, 0) >= 0);
	nke_destroy(m);
}

/* ---- data --------------------------------------------------------------------------------- */

static void
test_messages(void **state)
{
	char text[100] = "";
	nke_t *m = machine();
	int s;

	(void)state;
	load(m);
	s = connected(m, ECHO);
	assert_int_equal(nke_send(m, s, "one", 3, 0), 3);
	assert_int_equal(nke_send(m, s, "two!", 4, 0), 4);
	assert_int_equal(nke_recv(m, s, text, sizeof text, 0), 3);
	assert_int_equal(nke_readable_bytes(m, s), 4);
	assert_int_equal(nke_recv(m, s, text, sizeof text, 0), 4);
	assert_memory_equal(text, "two!", 4);
	fails((int)nke_send(m, s, text, 2049, 0), EMSGSIZE);
	/* Nobody is there who could send anything. */
	fails((int)nke_recv(m, s, text, sizeof text, 0), EDEADLK);
	fails(nke_shutdown(m, s, SHUT_WR), EOPNOTSUPP);
	assert_int_equal(nke_shutdown(m, s, SHUT_RD), 0);
	fails((int)nke_send(m, s, "x", 1, 0), ENOBUFS);
	assert_int_equal(nke_close(m, s), 0);
	s = connected(m, ECHO_STREAM);
	assert_int_equal(nke_send(m, s, "abc", 3, 0), 3);
	assert_int_equal(nke_send(m, s, "def", 3, 0), 3);
	assert_int_equal(nke_recv(m, s, text, 2, 0), 2);
	assert_int_equal(nke_recv(m, s, text, sizeof text, 0), 1);
	assert_int_equal(nke_recv(m, s, text, sizeof text, 0), 3);
	nke_destroy(m);
}

static void
test_options(void **state)
{
	char value[101] = "";
	socklen_t len = sizeof value;
	nke_t *m = machine();
	int s, gone = 9;

	(void)state;
	load(m);
	s = connected(m, ECHO);
	assert_int_equal(nke_setsockopt(m, s, NKE_SYSPROTO_CONTROL, 1, "the value", 9), 0);
	assert_int_equal(nke_getsockopt(m, s, NKE_SYSPROTO_CONTROL, 1, value, &len), 0);
	assert_int_equal(len, 9);
	assert_memory_equal(value, "the value", 9);
	len = 4;
	fails(nke_getsockopt(m, s, NKE_SYSPROTO_CONTROL, 1, value, &len), ENOBUFS);
	assert_int_equal(len, 4);
	assert_int_equal(nke_getsockopt(m, s, NKE_SYSPROTO_CONTROL, 1, NULL, &len), 0);
	assert_int_equal(len, 9);
	fails(nke_setsockopt(m, s, NKE_SYSPROTO_CONTROL, 99, value, 1), ENOPROTOOPT);
	fails(nke_setsockopt(m, s, NKE_SYSPROTO_CONTROL, 1, NULL, 4), EINVAL);
	fails(nke_setsockopt(m, s, NKE_SYSPROTO_CONTROL, 1, value, 101), EMSGSIZE);
	assert_int_equal(nke_close(m, s), 0);
	s = connected(m, ECHO);
	len = sizeof gone;
	assert_int_equal(nke_getsockopt(m, s, NKE_SYSPROTO_CONTROL, 2, &gone, &len), 0);
	assert_int_equal(gone, 1);
	nke_destroy(m);
}

static void
test_waiting(void **state)
{
	struct pollfd p = {.events = POLLIN | POLLOUT};
	struct nke_ready ready;
	int count = 3, number;
	nke_t *m = machine();
	int s;

	(void)state;
	load(m);
	s = p.fd = connected(m, ECHO);
	assert_int_equal(nke_poll(m, &p, 1, 0), 1);
	assert_int_equal(p.revents, POLLOUT);
	p.events = POLLIN;
	assert_int_equal(nke_poll(m, &p, 1, 10), 0);
	assert_int_equal(nke_watch(m, s, POLLIN, &p), 0);
	assert_int_equal(nke_next_ready(m, &ready), 0);
	assert_int_equal(nke_setsockopt(m, s, NKE_SYSPROTO_CONTROL, 4, &count, sizeof count), 0);
	assert_int_equal(nke_poll(m, &p, 1, -1), 1);
	assert_int_equal(nke_next_ready(m, &ready), 1);
	assert_ptr_equal(ready.ctx, &p);
	for (int i = 0; i < count; i++) {
		assert_int_equal(nke_recv(m, s, &number, sizeof number, 0), sizeof number);
		assert_int_equal(number, i);
	}
	/* A reader that waits is woken by the kext's thread. */
	assert_int_equal(nke_setsockopt(m, s, NKE_SYSPROTO_CONTROL, 4, &count, sizeof count), 0);
	assert_int_equal(nke_recv(m, s, &number, sizeof number, 0), sizeof number);
	nke_destroy(m);
}

static void
test_list(void **state)
{
	struct nke_ctl all[3];
	nke_t *m = machine();
	nke_kext_t *k;
	int s;

	(void)state;
	assert_int_equal(nke_ctl_list(m, NULL, 0), 0);
	k = load(m);
	s = connected(m, ECHO);
	assert_int_equal(nke_ctl_list(m, NULL, 0), 2);
	memset(all, 0x5a, sizeof all);
	assert_int_equal(nke_ctl_list(m, all, 1), 2);
	assert_string_equal(all[0].name, ECHO);
	assert_int_equal(all[1].id, 0x5a5a5a5a);
	assert_int_equal(nke_ctl_list(m, all, 3), 2);
	assert_string_equal(all[0].kext, "com.example.control");
	assert_int_equal(all[0].id, 1);
	assert_int_equal(all[0].clients, 1);
	assert_false(all[0].stream || all[0].privileged || all[0].flags != 0);
	assert_string_equal(all[1].name, ECHO_STREAM);
	assert_int_equal(all[1].id, 2);
	assert_int_equal(all[1].clients, 0);
	assert_int_equal(all[1].flags, NKE_CTL_STREAM | NKE_CTL_PRIVILEGED);
	assert_true(all[1].stream && all[1].privileged);
	/* sizes: 0 was registered, and 65536 */
	assert_int_equal(all[1].sendsize, 2048);
	assert_int_equal(all[1].recvsize, 65536);
	nke_close(m, s);
	assert_int_equal(nke_kext_unload(m, k, NULL), 0);
	assert_int_equal(nke_ctl_list(m, all, 3), 0);
	nke_destroy(m);
}

static void
test_unloading(void **state)
{
	nke_t *m = machine();
	nke_kext_t *k = load(m);
	int s = connected(m, ECHO);

	(void)state;
	assert_int_equal(nke_kext_unload(m, k, NULL), EBUSY);
	assert_non_null(strstr(nke_error_text(m), "kernel control \"com.example.echo\", id 1, 1 client"));
	assert_int_equal(nke_close(m, s), 0);
	assert_int_equal(nke_kext_unload(m, k, NULL), 0);
	fails(nke_ctl_connect(m, ECHO, 0, 0), ENOENT);
	nke_destroy(m);
}

/* ---- events ------------------------------------------------------------------------------- */

static void
test_events_of_the_network(void **state)
{
	const struct nke_iface_config config = {.name = "en0"};
	struct nke_event_interface about;
	struct nke_kernel_event event;
	nke_iface_t *iface;
	nke_t *m = machine();
	int s = nke_event_socket(m, NKE_KEV_VENDOR_APPLE, NKE_KEV_NETWORK_CLASS, NKE_KEV_DL_SUBCLASS);
	uint32_t id = 0;

	(void)state;
	assert_true(s >= 0);
	assert_int_equal(nke_iface_create(m, &config, &iface), 0);
	assert_int_equal(nke_recv(m, s, &event, sizeof event, 0), 48);
	assert_int_equal(event.total_size, 48);
	assert_int_equal(event.vendor_code, NKE_KEV_VENDOR_APPLE);
	assert_int_equal(event.kev_class, NKE_KEV_NETWORK_CLASS);
	assert_int_equal(event.kev_subclass, NKE_KEV_DL_SUBCLASS);
	assert_int_equal(event.event_code, 9);
	memcpy(&about, event.data, sizeof about);
	assert_string_equal(about.if_name, "en");
	assert_int_equal(about.if_unit, 0);
	assert_int_equal(nke_ioctl(m, s, NKE_SIOCGKEVID, &id), 0);
	assert_true(id >= event.id);
	fails((int)nke_send(m, s, &event, 48, 0), EOPNOTSUPP);
	nke_destroy(m);
}

static void
test_events_of_a_kext(void **state)
{
	struct nke_kev_vendor_code vendor = {.vendor_string = ECHO};
	struct nke_kev_request request;
	struct nke_kernel_event event;
	nke_t *m = machine();
	int s = nke_event_socket(m, 12345, 0, 0), c;

	(void)state;
	fails(nke_ioctl(m, s, NKE_SIOCGKEVVENDOR, &vendor), ENOENT);
	load(m);
	assert_int_equal(nke_ioctl(m, s, NKE_SIOCGKEVVENDOR, &vendor), 0);
	assert_true(vendor.vendor_code >= 1000);
	assert_int_equal(nke_ioctl(m, s, NKE_SIOCGKEVFILT, &request), 0);
	assert_int_equal(request.vendor_code, 12345);
	request.vendor_code = vendor.vendor_code;
	assert_int_equal(nke_ioctl(m, s, NKE_SIOCSKEVFILT, &request), 0);
	c = connected(m, ECHO);
	assert_int_equal(nke_setsockopt(m, c, NKE_SYSPROTO_CONTROL, 3, "news", 4), 0);
	assert_int_equal(nke_recv(m, s, &event, sizeof event, MSG_DONTWAIT), 28);
	assert_int_equal(event.vendor_code, vendor.vendor_code);
	assert_int_equal(event.event_code, 3);
	assert_memory_equal(event.data, "news", 4);
	nke_destroy(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connecting),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_privilege),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_unloading),
		cmocka_unit_test(test_events_of_the_network),
		cmocka_unit_test(test_events_of_a_kext),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
