/* src/kern/poll.c, select.c, device_watch.c and kpi/select.c: who waits for devices to become ready. */
#include "tests/unit/box_testing.h"

KTEST(poll_asks_the_device)
{
	int fd;

	make_box();
	fd = open_box(O_RDWR);
	CHECK_EQ(poll_one(fd, CORE_READY_READ | CORE_READY_WRITE, 0), CORE_READY_WRITE);
	CHECK_EQ(poll_one(fd, CORE_READY_READ | CORE_READY_URGENT, 0), 0);
	deliver("x");
	CHECK_EQ(poll_one(fd, CORE_READY_READ | CORE_READY_WRITE, 0), CORE_READY_READ);
	CHECK_EQ(close_fd(fd), 0);
	CHECK_EQ(poll_one(fd, CORE_READY_READ, -1), CORE_READY_INVALID);
	remove_box();
}

KTEST(poll_waits_for_devices_and_sockets_together)
{
	struct nke *m = curmachine();
	struct core_pollfd p[3];
	int fd, pair[2];
	unsigned found;
	uint64_t before;

	make_box();
	fd = open_box(O_RDWR);
	CHECK_EQ(sock_call_socketpair(m, PF_LOCAL, SOCK_STREAM, 0, pair), 0);
	p[0] = (struct core_pollfd){pair[0], CORE_READY_READ, 0};
	p[1] = (struct core_pollfd){fd, CORE_READY_READ, 0};
	p[2] = (struct core_pollfd){-1, CORE_READY_READ, 0};
	before = machine_now(m);
	start(deliver_later, NULL);
	CHECK_EQ(file_call_poll(m, p, 3, -1, &found), 0);
	CHECK_EQ(found, 1);
	CHECK_EQ(p[0].ready, 0);
	CHECK_EQ(p[1].ready, CORE_READY_READ);
	CHECK_EQ(machine_now(m) - before, 500 * MS);
	CHECK_EQ(get(fd), 0);
	CHECK_EQ(file_call_poll(m, p, 3, 20 * (int64_t)MS, &found), 0);
	CHECK_EQ(found, 0);
	CHECK_EQ(machine_now(m) - before, 520 * MS);
	CHECK_EQ(file_call_poll(m, p, 3, -1, &found), EDEADLK);
	CHECK(TAILQ_EMPTY(device_waits(m)));
	CHECK_EQ(close_fd(fd), 0);
	remove_box();
}

static void
poll_in_thread(void *arg, wait_result_t result)
{
	(void)result;
	*(unsigned *)arg = poll_one(waiting_fd, CORE_READY_READ, -1);
}

KTEST(poll_ends_when_the_device_or_its_descriptor_goes)
{
	unsigned ready = 0;
	int fd;

	make_box();
	waiting_fd = open_box(O_RDWR);
	start(poll_in_thread, &ready);
	sleep_for(MS);
	CHECK_EQ(close_fd(waiting_fd), 0);
	sleep_for(MS);
	CHECK_EQ(ready, CORE_READY_ERROR | CORE_READY_HANGUP);
	CHECK_STR(trail, "oc");
	fd = waiting_fd = open_box(O_RDWR);
	ready = 0;
	start(poll_in_thread, &ready);
	sleep_for(MS);
	remove_box();
	sleep_for(MS);
	CHECK_EQ(ready, CORE_READY_ERROR | CORE_READY_HANGUP);
	CHECK_EQ(close_fd(fd), 0);
}

static unsigned
take_told(void)
{
	unsigned t;

	sleep_for(MS);
	t = told;
	told = 0;
	return t;
}

KTEST(a_watched_device_tells)
{
	struct nke *m = curmachine();
	unsigned times = 0, ready;
	int fd, copy;

	make_box();
	told = 0;
	fd = open_box(O_RDWR | O_NONBLOCK);
	CHECK_EQ(file_call_watch(m, fd, note_ready, &times, &ready), 0);
	CHECK_EQ(ready, CORE_READY_WRITE);
	CHECK_EQ(take_told(), 0);
	deliver("one");
	CHECK_EQ(take_told(), CORE_READY_READ);
	CHECK_EQ(get(fd), 0);
	CHECK_EQ(take_told(), CORE_READY_WRITE);
	CHECK_EQ(get(fd), EWOULDBLOCK);
	(void)take_told();
	deliver("two");
	CHECK_EQ(take_told(), CORE_READY_READ);
	/* one per descriptor */
	CHECK_EQ(file_call_dup(m, fd, 0, &copy), 0);
	CHECK_EQ(file_call_watch(m, fd, NULL, NULL, NULL), 0);
	CHECK_EQ(get(copy), 0);
	CHECK_EQ(take_told(), 0);
	CHECK_EQ(file_call_watch(m, copy, note_ready, &times, &ready), 0);
	CHECK_EQ(close_fd(fd), 0);
	deliver("three");
	CHECK_EQ(take_told(), CORE_READY_READ);
	CHECK_EQ(close_fd(copy), 0);
	deliver("four");
	CHECK_EQ(take_told(), 0);
	CHECK(TAILQ_EMPTY(device_waits(m)));
	CHECK_EQ(file_call_watch(m, 99, note_ready, &times, &ready), EBADF);
	remove_box();
}

/* A device that wakes whoever asks it must not keep the machine from going on. */
KTEST(waking_in_select_is_no_hang)
{
	struct nke *m = curmachine();
	struct core_pollfd p[2];
	unsigned found, times = 0, ready;
	int a, b;

	make_box();
	a = open_box(O_RDWR);
	b = open_box(O_RDWR);
	box.wakes_in_select = true;
	p[0] = (struct core_pollfd){a, CORE_READY_READ, 0};
	p[1] = (struct core_pollfd){b, CORE_READY_READ, 0};
	CHECK_EQ(file_call_poll(m, p, 2, (int64_t)MS, &found), 0);
	CHECK_EQ(found, 0);
	CHECK_EQ(file_call_watch(m, a, note_ready, &times, &ready), 0);
	CHECK_EQ(file_call_watch(m, b, note_ready, &times, &ready), 0);
	sleep_for(MS);
	CHECK(ktest_log_contains("its device calls selwakeup whenever it is asked"));
	box.wakes_in_select = false;
	told = 0;
	deliver("x");
	CHECK_EQ(take_told(), CORE_READY_READ);
	CHECK_EQ(close_fd(a), 0);
	CHECK_EQ(close_fd(b), 0);
	remove_box();
}

static void
deliver_soon(void *arg, wait_result_t result)
{
	(void)arg, (void)result;
	deliver("x");
}

/* The watch goes with its descriptor, while d_select sleeps for it. */
KTEST(a_watch_ends_while_its_device_is_asked)
{
	struct nke *m = curmachine();
	unsigned times = 0, ready;
	int fd;

	make_box();
	fd = open_box(O_RDWR);
	CHECK_EQ(file_call_watch(m, fd, note_ready, &times, &ready), 0);
	box.sleeps_in_select = true;
	times = 0;
	start(deliver_soon, NULL);
	sleep_for(MS);
	CHECK_EQ(close_fd(fd), 0);
	CHECK(TAILQ_EMPTY(device_waits(m)));
	sleep_for(30 * MS);
	CHECK_EQ(times, 0);
	CHECK(TAILQ_EMPTY(device_specials(m)));
	box.sleeps_in_select = false;
	remove_box();
}

KTEST(selinfos_are_only_addresses)
{
	struct select_wait w;
	struct selinfo *s = (struct selinfo *)(void *)&w, *far = (struct selinfo *)(uintptr_t)64;

	(void)s;
	/* nobody waits: anything goes */
	selwakeup(far);
	selthreadclear(far);
	selrecord(current_proc(), far, NULL);
	selrecord(current_proc(), far, (void *)(uintptr_t)4711);
	selwakeup(far);
}

KTEST_SUITE(device_poll, T(poll_asks_the_device), T(poll_waits_for_devices_and_sockets_together),
    T(poll_ends_when_the_device_or_its_descriptor_goes), T(a_watched_device_tells),
    T(waking_in_select_is_no_hang),
    T(a_watch_ends_while_its_device_is_asked), T(selinfos_are_only_addresses));
