/*
 * Socket filters when there is no memory: every allocation of a life with filters fails once, one after the
 * other. Whatever fails, each sf_attach is followed by one sf_detach, and nothing is left.
 */
#include "src/kern/filecalls.h"
#include "src/kern/sockcalls.h"
#include "tests/unit/sflt_testing.h"

static unsigned attached, detached, unregistered_count;

static errno_t
count_attach(void **cookie, socket_t so)
{
	(void)so;
	*cookie = a;
	attached++;
	return 0;
}

static void
count_detach(void *cookie, socket_t so)
{
	(void)so;
	CHECK(cookie == a);
	detached++;
}

static void
count_unregistered(sflt_handle handle)
{
	(void)handle;
	unregistered_count++;
}

/* What comes is taken, and put back by hand(). */
static errno_t
take_in(void *cookie, socket_t so, const struct sockaddr *from, mbuf_t *data, mbuf_t *control,
    sflt_data_flag_t flags)
{
	size_t len;
	void *tag;
	mbuf_tag_id_t id;

	(void)cookie;
	(void)flags;
	if (mbuf_tag_id_find("com.example.memory", &id) != 0 ||
	    mbuf_tag_find(*data, id, 1, &len, &tag) == 0)
		return 0;
	if (mbuf_tag_allocate(*data, id, 1, 4, MBUF_DONTWAIT, &tag) != 0)
		return ENOMEM;
	if (sock_inject_data_in(so, from, *data, control != NULL ? *control : NULL, 0) != 0)
		return ENOMEM;
	return EJUSTRETURN;
}

static bool
add_filters(void)
{
	struct sflt_filter f = filter_of('a', SFLT_GLOBAL | SFLT_EXTENDED_REGISTRY);
	bool good;

	f.sf_attach = count_attach;
	f.sf_detach = count_detach;
	f.sf_unregistered = count_unregistered;
	f.sf_data_in = take_in;
	f.sf_notify = NULL;
	good = sflt_register(&f, PF_INET, SOCK_STREAM, IPPROTO_TCP) == 0;
	f.sf_handle = HANDLE('b');
	good = sflt_register(&f, PF_INET, SOCK_DGRAM, IPPROTO_UDP) == 0 && good;
	f.sf_handle = HANDLE('c');
	f.sf_flags = 0;
	return sflt_register(&f, PF_INET, SOCK_DGRAM, IPPROTO_UDP) == 0 && good;
}

static void
datagrams(void)
{
	struct sockaddr_in at = sin4(LOOP4, 53);
	struct mbuf *m;
	uint32_t len = sizeof at;
	int fd;

	if (sock_call_socket(curmachine(), PF_INET, SOCK_DGRAM, 0, &fd) != 0)
		return;
	(void)sock_call_bind(curmachine(), fd, &at, sizeof at);
	(void)sflt_attach(fd_socket(curmachine(), fd), HANDLE('c'));
	(void)send_to(fd_socket(curmachine(), fd), SA(at), "datagram", 8);
	let_run();
	(void)receive(fd_socket(curmachine(), fd));
	m = text_packet("injected");
	if (m != NULL)
		(void)sock_inject_data_out(fd_socket(curmachine(), fd), SA(at), m, NULL, 0);
	(void)receive(fd_socket(curmachine(), fd));
	(void)sock_call_getsockname(curmachine(), fd, &at, &len);
	(void)sflt_detach(fd_socket(curmachine(), fd), HANDLE('b'));
	let_run();
	CHECK_EQ(file_call_close(curmachine(), fd), 0);
}

static void
stream(void)
{
	struct sockaddr_in to = sin4(LOOP4, 80);
	struct sockaddr_storage ss;
	struct mbuf *m;

	if (socreate(curmachine(), PF_INET, SOCK_STREAM, 0, &listening) != 0 ||
	    bind4(listening, LOOP4, 80) != 0 || solisten(listening, 5) != 0 ||
	    socreate(curmachine(), PF_INET, SOCK_STREAM, 0, &client) != 0)
		return;
	(void)soconnect(client, SA(to), MSG_DONTWAIT);
	/* What is lost for want of memory comes again. */
	let_pass(5 * TCP_NS_PER_S);
	if (soaccept(listening, MSG_DONTWAIT, &ss, &server) != 0) {
		server = NULL;
		return;
	}
	(void)say(client, "a stream");
	let_pass(2 * TCP_NS_PER_S);
	(void)receive(server);
	m = text_packet("injected");
	if (m != NULL)
		(void)sock_inject_data_out(server, NULL, m, NULL, 0);
	let_pass(2 * TCP_NS_PER_S);
	(void)receive(client);
}

static void
close_what_is_open(void)
{
	struct socket **all[] = {&client, &server, &listening};

	for (int i = 0; i < 3; i++) {
		if (*all[i] != NULL)
			(void)soclose(*all[i]);
		*all[i] = NULL;
	}
	let_pass(4000 * TCP_NS_PER_S);
}

KTEST(every_allocation_fails_once)
{
	int sockets_before;
	unsigned n;
	bool all_good = false;

	sflt_testbed();
	sockets_before = curmachine()->sockets->count;
	for (n = 1; !all_good; n++) {
		uint64_t limit = memory_now().allocations + n;

		CHECK(n < 2000);
		attached = detached = unregistered_count = 0;
		fail_after(n);
		(void)add_filters();
		datagrams();
		stream();
		all_good = memory_now().allocations < limit;
		fail_after(0);
		if (n % 2 == 0)
			for (unsigned letter = 'a'; letter <= 'c'; letter++)
				(void)sflt_unregister(HANDLE(letter));
		close_what_is_open();
		for (unsigned letter = 'a'; letter <= 'c'; letter++)
			(void)sflt_unregister(HANDLE(letter));
		let_run();
		CHECK_EQ(attached, detached);
		CHECK(unregistered_count >= 2 && unregistered_count <= 3);
		CHECK_EQ(curmachine()->sockets->count, sockets_before);
		CHECK(TAILQ_EMPTY(&curmachine()->sflt->leaving));
		m_freem(rcv.control);
		memset(&rcv, 0, sizeof rcv);
	}
	CHECK_EQ(unregistered_count, 3);
	CHECK(n > 40);
	CHECK(attached >= 4);
	sflt_testbed_end();
}

KTEST_SUITE(sflt_memory, T(every_allocation_fails_once));
